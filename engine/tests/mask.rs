//! Masking: what goes, what stays, and what holds for every text.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use engine::mask::{Kind, find, mask};
use proptest::prelude::*;

fn check(text: &str, expect: &str) {
    assert_eq!(mask(text), expect, "{text:?}");
    assert_eq!(mask(expect), expect, "masked twice: {text:?}");
}

#[test]
fn personal_data_goes() {
    for (text, expect) in [
        ("Write to Jo.Doe+shop@mail.example.org.", "Write to [e-mail]."),
        ("mail:josé@exämple.de, thanks", "mail:[e-mail], thanks"),
        ("jo (at) example.org or jo at example dot org", "[e-mail] or [e-mail]"),
        ("Call +49 (0)30 1234-5678 or 0171 2345678!", "Call [phone] or [phone]!"),
        ("my number is (555) 123-4567", "my number is [phone]"),
        ("phone: 785 8949, whatsapp me on 9747 6578", "phone: [phone], whatsapp me on [phone]"),
        ("card 4111 1111 1111 1111 exp 12/27", "card [card] exp 12/27"),
        ("4111-1111-1111-1111 and 378282246310005", "[card] and [card]"),
        ("IBAN DE89 3704 0044 0532 0130 00 thanks", "IBAN [iban] thanks"),
        ("gb29nwbk60161331926819", "[iban]"),
        ("from 203.0.113.7:8080 and 2001:db8::8a2e:370:7334", "from [ip]:8080 and [ip]"),
        ("My SSN is 536-32-3065", "My SSN is [id]"),
        ("your code is 482913", "your code is [code]"),
        ("The verification code: 482 913.", "The verification code: [code]."),
        ("482913 is my login code", "[code] is my login code"),
        ("I got the code, it says 4829", "I got the code, it says [code]"),
        ("PIN 4829 does not work", "PIN [code] does not work"),
        ("OTP is X7K2P9", "OTP is [code]"),
        ("key sk_live_51HxYzAbCdEf0123 leaked", "key [key] leaked"),
        ("Authorization: Bearer abc123def456ghi789jkl", "Authorization: Bearer [key]"),
        ("STRIPE_API_KEY=9f86d081884c7d659a2feaa0c55ad015", "STRIPE_API_KEY=[key]"),
        ("my api key is dGhpcyBpcyAxMjM0NTY3", "my api key is [key]"),
        ("password is hunter2.", "password is [key]."),
        ("Password: \"correct horse battery\" ok?", "Password: \"[key]\" ok?"),
        ("my password is sunflower and it fails", "my password is [key] and it fails"),
        ("the password for the portal is Tr0ub4dor&3", "the password for the portal is [key]"),
        (
            "git clone https://jo:s3cret@git.example.org/x",
            "git clone https://[key]@git.example.org/x",
        ),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nhelp",
            "[key]\nhelp",
        ),
        ("my password is sunflower. sunflower!", "my password is [key]. [key]!"),
    ] {
        check(text, expect);
    }
}

#[test]
fn what_a_message_is_about_stays() {
    for text in [
        "",
        "Order AC-4812907 from 2026-11-20 has not come",
        "order 0012345678, invoice no. 2026-001234, ticket #00991234",
        "article 100-200-3000 costs €1,299.00 or 1.299,00 EUR",
        "SKU 4006381333931, plan Pro Max, 12 500 000 units",
        "version 1.2.3.4 and v10.0.19045.2",
        "open http://127.0.0.1:7878/console",
        "on 22/11/2026 10:30, between 09:30 and 17:00",
        "discount code SAVE20 and promo code 123456",
        "error code 5012, zip code 90210, country code 0049",
        "My password is wrong. The password is not accepted.",
        "Password: at least 8 characters",
        "the password is hashed with argon2",
        "how do I reset my password?",
        "the key question is whether it works with 24/7 support",
        "std::io::Error, Face::Bad at 10:20:30",
        "commit 9f86d081884c7d659a2feaa0c55ad015 broke it",
        "tracking 1Z999AA10123456784",
        "I paid $49.90 on 12 March 2026",
        "2048 x 1536, 16 GB, 5000000 rows",
        "monkey: abcdef1234567890abcdef",
    ] {
        check(text, text);
    }
}

#[test]
fn spans_say_what_was_found() {
    let text = "jo@x.org, code 4829, +1 212 555 0123";
    let found = find(text);
    let named: Vec<(Kind, &str)> = found.iter().map(|f| (f.kind, &text[f.span.clone()])).collect();
    let expect =
        [(Kind::Email, "jo@x.org"), (Kind::Code, "4829"), (Kind::Phone, "+1 212 555 0123")];
    assert_eq!(named, expect);
}

#[test]
fn a_long_message_is_masked_to_its_end() {
    let text = "jo@example.org +49 30 12345678; ".repeat(200);
    assert_eq!(mask(&text), "[e-mail] [phone]; ".repeat(200));
}

/// Words, values and what joins them, in any order.
fn texts() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-z]{2,8}@[a-z]{2,8}\\.(org|com)",
        "\\+[1-9][0-9]{1,2} [0-9]{3} [0-9]{4,6}",
        "0[1-9][0-9]{2} [0-9]{6}",
        Just("4111 1111 1111 1111".to_owned()),
        Just("DE89370400440532013000".to_owned()),
        "(code|pin|otp)( is|:)? [0-9]{4,8}",
        "[0-9]{6} is my code",
        "(password|token|api key)( is |: |=)[a-zA-Z0-9]{4,24}",
        "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
        "[0-9a-f:]{4,20}",
        "\\[(code|key|phone|e-mail|card)\\]",
        "[0-9]{1,12}",
        "[a-zA-Z]{1,10}",
        "\\PC{0,6}",
    ];
    let joint = prop_oneof![Just(" "), Just(", "), Just("\n"), Just("-"), Just(""), Just(": ")];
    prop::collection::vec((value, joint), 0..14)
        .prop_map(|parts| parts.into_iter().map(|(value, joint)| value + joint).collect())
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(text in texts()) {
        let masked = mask(&text);
        prop_assert_eq!(mask(&masked), masked);
    }

    #[test]
    fn spans_are_in_order_and_make_the_masked_text(text in texts()) {
        let (found, mut rebuilt, mut at) = (find(&text), String::new(), 0);
        for one in &found {
            prop_assert!(one.span.start >= at && one.span.end > one.span.start);
            rebuilt += &text[at..one.span.start];
            rebuilt += one.kind.placeholder();
            at = one.span.end;
        }
        rebuilt += &text[at..];
        prop_assert_eq!(rebuilt, mask(&text));
    }

    #[test]
    fn a_masked_text_grows_by_little(text in texts()) {
        let most = text.chars().count() + 2 * find(&text).len();
        prop_assert!(mask(&text).chars().count() <= most);
    }

    #[test]
    fn no_value_is_left_standing(text in texts()) {
        let masked = mask(&text);
        for one in find(&text) {
            let value = regex_free(&text[one.span.clone()]);
            let alone = masked.split_whitespace().any(|word| word == value);
            prop_assert!(!alone, "{value:?} is left in {masked:?}");
        }
    }

    #[test]
    fn a_value_among_words_goes(before in "[a-z ]{0,20}", name in "[a-z]{3,10}", digits in "[1-9][0-9]{7}") {
        let text = format!("{before} {name}@example.org, +49 30 {digits} my password is {name}{digits}");
        let masked = mask(&text);
        prop_assert!(!masked.contains(&digits), "{masked:?}");
        prop_assert!(!masked.contains("example.org"), "{masked:?}");
    }

    #[test]
    fn any_text_is_looked_through(text in "\\PC{0,200}") {
        prop_assert!(mask(&text).chars().count() <= text.chars().count() + 2 * find(&text).len());
    }
}

/// A value without blanks; others are made of several words.
fn regex_free(value: &str) -> &str {
    let first = value.split_whitespace().next().unwrap();
    if first.len() == value.len() { value } else { "\0" }
}
