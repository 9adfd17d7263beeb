//! What messages name: rows of texts with what has to be found, and what holds for every text.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::LazyLock;

use engine::entities::{Entities, Kind, OwnEntities};
use engine::intent::IntentFile;
use proptest::prelude::*;

const OWN: &str = r#"
order_id = { pattern = 'P-\d{4,8}|order (\d{5})' }
plan = { names = ["Free", "Pro", "Pro Max"] }
sku = { names = ["Blue Lamp"], pattern = '[A-Z]{3}-\d{3}' }
"#;

static ENTITIES: LazyLock<Entities> =
    LazyLock::new(|| Entities::new(&toml::from_str::<OwnEntities>(OWN).unwrap()).unwrap());

fn check(text: &str, expect: &[(Kind, &str, &str)]) {
    let found = ENTITIES.find(text);
    let found: Vec<(Kind, &str, &str)> =
        found.iter().map(|one| (one.kind, &text[one.span.clone()], one.value.as_str())).collect();
    assert_eq!(found, expect, "{text}");
}

#[test]
fn addresses_and_numbers_to_reach_somebody() {
    use Kind::{Email, Phone};
    check(
        "mail Ada.L+x@Example.CO.uk, please",
        &[(Email, "Ada.L+x@Example.CO.uk", "ada.l+x@example.co.uk")],
    );
    check("ada@example.org.", &[(Email, "ada@example.org", "ada@example.org")]);
    check("@ada ada@ ada@example a.@b.c1", &[]);
    check("call +49 (0)30 1234567", &[(Phone, "+49 (0)30 1234567", "+49301234567")]);
    check("0049-30-1234567", &[(Phone, "0049-30-1234567", "+49301234567")]);
    check(
        "030/1234567 or 0151 23456789",
        &[(Phone, "030/1234567", "0301234567"), (Phone, "0151 23456789", "015123456789")],
    );
    check("(555) 123-4567", &[(Phone, "(555) 123-4567", "5551234567")]);
    check("(021) 0025-967", &[(Phone, "(021) 0025-967", "0210025967")]);
    check("699 956 915", &[(Phone, "699 956 915", "699956915")]);
    check("555.123.4567", &[(Phone, "555.123.4567", "5551234567")]);
    for text in [
        "192.168.10.100",
        "123-45-6789",
        "2024 2025 2026",
        "4111 1111 1111 1111",
        "it took 1234567 ms",
        "0.12345678",
        "+1",
        "v1.234.567.8901",
    ] {
        check(text, &[]);
    }
}

#[test]
fn money_and_days() {
    use Kind::{Amount, Date};
    check(
        "€12,50 and 1.299,00 EUR",
        &[(Amount, "€12,50", "12.50 EUR"), (Amount, "1.299,00 EUR", "1299.00 EUR")],
    );
    check(
        "$1,299 or 20 dollars?",
        &[(Amount, "$1,299", "1299 USD"), (Amount, "20 dollars", "20 USD")],
    );
    check("on 01/02/2026 10 people", &[(Date, "01/02/2026", "01/02/2026")]);
    check("GBP 5.5", &[(Amount, "GBP 5.5", "5.5 GBP")]);
    check("5 eurosceptics, 20 %, $, 12 items", &[]);
    check(
        "2026-03-12, 12 March 2026",
        &[(Date, "2026-03-12", "2026-03-12"), (Date, "12 March 2026", "2026-03-12")],
    );
    check("on March 3rd, 2026", &[(Date, "March 3rd, 2026", "2026-03-03")]);
    check("the 29th of Feb 2024", &[(Date, "29th of Feb 2024", "2024-02-29")]);
    check(
        "3/4/2026 or 12.03.26",
        &[(Date, "3/4/2026", "3/4/2026"), (Date, "12.03.26", "12.03.26")],
    );
    for text in [
        "2026-13-01",
        "29 Feb 2026",
        "31/31/2026",
        "version 1.2.3",
        "March 40, 2026",
        "2026-03-123",
    ] {
        check(text, &[]);
    }
}

#[test]
fn what_the_owner_names() {
    use Kind::{OrderId, Plan, Sku};
    check("where is p-1234?", &[(OrderId, "p-1234", "p-1234")]);
    check("my order 12345 is late", &[(OrderId, "12345", "12345")]);
    check("P-123456789 XP-1234", &[]);
    check(
        "Is it free on the pro max plan, or Pro?",
        &[(Plan, "pro max", "Pro Max"), (Plan, "Pro", "Pro")],
    );
    check("plan free, the Freedom plan", &[(Plan, "free", "Free")]);
    check("a blue lamp, ABC-123", &[(Sku, "blue lamp", "Blue Lamp"), (Sku, "ABC-123", "ABC-123")]);
}

#[test]
fn the_longer_one_counts_then_the_kind_that_stands_first() {
    let of = |own: &str, text: &str| {
        let found = Entities::new(&toml::from_str::<OwnEntities>(own).unwrap()).unwrap().find(text);
        found.into_iter().map(|one| (one.kind, text[one.span].to_owned())).collect::<Vec<_>>()
    };
    for (own, text, expect) in [
        (r"order_id = { pattern = '\d{4}' }", "12 March 2026", (Kind::Date, "12 March 2026")),
        (
            r"order_id = { pattern = '\d{4}-\d\d-\d\d' }",
            "2026-03-12",
            (Kind::OrderId, "2026-03-12"),
        ),
        (r"order_id = { pattern = '\d+' }", "12@a.org", (Kind::Email, "12@a.org")),
        (r"order_id = { pattern = '\d+' }", "€ 12", (Kind::Amount, "€ 12")),
        (r"order_id = { pattern = '0\d+' }", "0301234567", (Kind::OrderId, "0301234567")),
    ] {
        assert_eq!(of(own, text), [(expect.0, expect.1.to_owned())], "{own} {text}");
    }
}

#[test]
fn a_bad_setting_names_its_line() {
    let intent = "\n[[intent]]\nid = 'a'\nlabel = 'A'\nexamples = ['x']\n";
    for (table, expect) in [
        (
            "[entities]\norder_id = { pattern = '[' }",
            "line 2: the pattern `[` is no regular expression",
        ),
        (
            "[entities]\n\nsku = { pattern = 'x*' }",
            "line 3: the pattern `x*` also matches no text at all",
        ),
        ("[entities]\nplan = { names = [\n'a',\n' '] }", "line 4: a name is empty"),
        ("[entities]\nsku = { pattern = '(?=a)' }", "line 2: the pattern `(?=a)` is no"),
        ("[entities]\nsku = { pattern = '\\w{9999}' }", "it is too long"),
        ("[entities]\ncolour = { names = ['red'] }", "line 2"),
    ] {
        let error = IntentFile::parse(&format!("{table}{intent}")).unwrap_err().to_string();
        assert!(error.contains(expect), "{table}: {error}");
    }
    let good = IntentFile::parse(&format!("[entities]\n{}{intent}", OWN.trim())).unwrap();
    assert!(Entities::new(&good.entities).is_ok());
}

proptest! {
    #[test]
    fn every_text_is_read_without_overlaps(text in prop_oneof![
        ".{0,80}",
        "[0-9€$.,/ @+()a-zäß-]{0,80}",
        "(P-[0-9]{3,9}|ada@x\\.org|12 March 2026|€ ?[0-9,.]{1,9}|pro plan|[ ,.é]){0,12}",
    ]) {
        let found = ENTITIES.find(&text);
        let mut end = 0;
        for one in &found {
            prop_assert!(text.get(one.span.clone()).is_some_and(|word| !word.is_empty()), "{text:?} {one:?}");
            prop_assert!(end <= one.span.start && one.span.end <= text.len(), "{text:?} {found:?}");
            prop_assert!(!one.value.is_empty());
            end = one.span.end;
        }
        prop_assert_eq!(&ENTITIES.find(&text), &found);
    }
}
