//! Groups 1 to 5: lengths, pings and pongs, reserved bits, opcodes, fragments.

use super::{BINARY, FIN, MORE, PING, PONG, Street, TEXT, fragments, frame, good, padded};

/// A text in three fragments, the last of which is still to come.
fn unfinished() -> [Vec<u8>; 2] {
    [frame(TEXT, r#"{"type""#), frame(MORE, r#":"ping""#)]
}

fn finish() -> Vec<u8> {
    frame(FIN | MORE, "}")
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_every_length_arrive_whole() {
    let mut street = Street::open().await;
    for (name, length) in [
        ("1.1.2", 125),
        ("1.1.3", 126),
        ("1.1.4", 127),
        ("1.1.5", 128),
        ("1.1.6", 65_535),
        ("1.1.7", 65_536),
    ] {
        street.check(name, &frame(FIN | TEXT, padded(length)), "pong").await;
    }
    // A text that is no JSON has arrived when it is refused as such.
    street.check("1.1.1 empty", &frame(FIN | TEXT, ""), "bad_frame").await;
    street.check("1.1.1 one octet", &frame(FIN | TEXT, "*"), "bad_frame").await;
    for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536] {
        let bytes = frame(FIN | BINARY, vec![0xfe; length]);
        street.check(&format!("1.2 binary, {length}"), &bytes, "bad_frame").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_are_answered_and_pongs_are_not() {
    let mut street = Street::open().await;
    let ten: Vec<u8> = (0..10).flat_map(|n| frame(PING, format!("payload-{n}"))).collect();
    let answers: Vec<String> = (0..10).map(|n| format!("(payload-{n})")).collect();
    let fe = "\\xfe".repeat(125);
    for (name, bytes, expect) in [
        ("2.1 empty", frame(PING, ""), "()"),
        ("2.2 text", frame(PING, "Hello"), "(Hello)"),
        ("2.3 binary", frame(PING, [0, 0xff, 0xfe, 0, 0xff]), r"(\x00\xff\xfe\x00\xff)"),
        ("2.4 and 2.6 the longest", frame(PING, [0xfe; 125]), &format!("({fe})")),
        ("2.5 too long", frame(PING, [0xfe; 126]), "1002"),
        ("2.7 a pong that nobody asked for", frame(PONG, ""), ""),
        ("2.8 the same with a payload", frame(PONG, "unasked"), ""),
        ("2.9 and then a ping", [frame(PONG, "unasked"), frame(PING, "ping")].concat(), "(ping)"),
        ("2.10 and 2.11 ten", ten, &answers.join(" ")),
    ] {
        street.check(name, &bytes, expect).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_bits_end_the_socket() {
    let mut street = Street::open().await;
    for (name, bits, then) in [("3.2", 0x20, PING), ("3.3", 0x30, PING), ("3.4", 0x40, PING)] {
        let bad = frame(FIN | bits | TEXT, padded(15));
        street.check(name, &[good(), bad, frame(then, "")].concat(), "pong 1002").await;
    }
    for (name, first) in [
        ("3.1 text", 0x10 | TEXT),
        ("3.5 binary", 0x50 | BINARY),
        ("3.6 ping", 0x60 | PING),
        ("3.7 close", 0x70 | super::CLOSE),
        ("12 and 13 compressed, which was not agreed on", 0x40 | TEXT),
    ] {
        street.check(name, &frame(FIN | first, ""), "1002").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_opcodes_end_the_socket() {
    let mut street = Street::open().await;
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for payload in ["", "reserved"] {
            let bad = frame(FIN | opcode, payload);
            street.check(&format!("4 opcode {opcode}"), &bad, "1002").await;
            let between = [good(), bad, frame(PING, "")].concat();
            street.check(&format!("4 a text, then opcode {opcode}"), &between, "pong 1002").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_are_put_together() {
    let mut street = Street::open().await;
    let [first, second] = unfinished();
    let ping = |name: &str| frame(PING, name);
    for (name, bytes, expect) in [
        ("5.3 to 5.5 two", fragments(TEXT, padded(15).as_bytes(), 8), "pong"),
        (
            "5.6 to 5.8 a ping between",
            [&first[..], &second, &ping("between"), &finish()].concat(),
            "(between) pong",
        ),
        (
            "5.19 and 5.20 two pings between",
            [&first[..], &ping("one"), &second, &frame(MORE, ""), &ping("two"), &finish()].concat(),
            "(one) (two) pong",
        ),
        ("5 an octet each", fragments(TEXT, padded(40).as_bytes(), 1), "pong"),
        ("5 binary", fragments(BINARY, &[0xff; 9], 2), "bad_frame"),
    ] {
        street.check(name, &bytes, expect).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_that_do_not_belong_end_the_socket() {
    let mut street = Street::open().await;
    let [first, second] = unfinished();
    let nothing = |fin: u8| frame(fin | MORE, "nothing to continue");
    let whole = || [&first[..], &second, &finish()].concat();
    for (name, bytes, expect) in [
        ("5.1 a ping", [frame(PING & !FIN, "a"), nothing(FIN)].concat(), "1002"),
        ("5.2 a pong", [frame(PONG & !FIN, "a"), nothing(FIN)].concat(), "1002"),
        ("5 a close", frame(super::CLOSE & !FIN, [3, 232]), "1002"),
        ("5.9 to 5.11 the last of nothing", [nothing(FIN), good()].concat(), "1002"),
        ("5.12 to 5.14 more of nothing", [nothing(MORE), good()].concat(), "1002"),
        ("5.15 after a text", [whole(), nothing(MORE), good()].concat(), "pong 1002"),
        ("5.16 before a text", [nothing(MORE), whole()].concat(), "1002"),
        ("5.17 the last, before a text", [nothing(FIN), whole()].concat(), "1002"),
        ("5.18 a text in a text", [&first[..], &good()].concat(), "1002"),
        ("5 binary in a text", [&first[..], &frame(FIN | BINARY, "a")].concat(), "1002"),
    ] {
        street.check(name, &bytes, expect).await;
    }
}
