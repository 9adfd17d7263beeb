//! Group 7: closes and what comes after them.

use super::{CLOSE, FIN, MORE, PING, Street, TEXT, frame, good, padded};

/// The payload of a close.
fn close(code: u16, reason: impl AsRef<[u8]>) -> Vec<u8> {
    frame(CLOSE, [&code.to_be_bytes()[..], reason.as_ref()].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_is_answered_once_and_nothing_after_it() {
    let mut street = Street::open().await;
    let bye = || close(1000, "");
    for (name, bytes, expect) in [
        ("7.1.1 after a text", [good(), bye()].concat(), "pong 1000"),
        ("7.1.2 two", [bye(), bye()].concat(), "1000"),
        ("7.1.3 then a ping", [bye(), frame(PING, "late")].concat(), "1000"),
        ("7.1.4 then a text", [bye(), good()].concat(), "1000"),
        (
            "7.1.5 inside a text",
            [frame(TEXT, r#"{"type""#), bye(), frame(FIN | MORE, r#":"ping"}"#)].concat(),
            "1000",
        ),
        (
            "7.1.6 after a large text",
            [frame(FIN | TEXT, padded(65_536)), bye(), frame(PING, "")].concat(),
            "pong 1000",
        ),
        ("7.3.1 empty", frame(CLOSE, ""), "close"),
        ("7.3.2 one octet", frame(CLOSE, [3]), "1002"),
        ("7.3.3 a code", bye(), "1000"),
        ("7.3.4 a reason", close(1000, "Hello World!"), "1000"),
        ("7.3.5 the longest reason", close(1000, [b'*'; 123]), "1000"),
        ("7.3.6 longer", close(1000, [b'*'; 124]), "1002"),
        ("7.5.1 a reason that is not UTF-8", close(1000, [0xce, 0xba, 0xed, 0xa0, 0x80]), "1007"),
    ] {
        street.check(name, &bytes, expect).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_that_mean_something_are_repeated() {
    let mut street = Street::open().await;
    for code in
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999]
    {
        let expect = code.to_string();
        street.check(&format!("7.7 {code}"), &close(code, ""), &expect).await;
        street.check(&format!("7.7 {code} with a reason"), &close(code, "bye"), &expect).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_that_nobody_may_send_are_refused() {
    let mut street = Street::open().await;
    for code in [0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        street.check(&format!("7.9 and 7.13: {code}"), &close(code, ""), "1002").await;
        street.check(&format!("7.9 {code} with a reason"), &close(code, "bye"), "1002").await;
    }
}
