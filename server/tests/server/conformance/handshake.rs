//! Handshakes and requests that are wrong in one place: a plain answer or a close, soon, and never the server's own fault.

use super::{Raw, Street};
use crate::house::House;

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const BASE64_OF_15: &str = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n";

/// A handshake as it should be.
pub(super) fn request(house: &House) -> String {
    format!(
        "GET /widget/ws HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{KEY}\r\n",
        house.address
    )
}

impl Street {
    /// The status that `request` is answered with first; 0 where the connection is closed without an answer.
    async fn asked(&mut self, request: &[u8]) -> (u16, String) {
        let mut raw = Raw::connect(&self.house).await;
        raw.send(request).await;
        let head = raw.head().await;
        let status = head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
        (status, head)
    }

    /// `request` is answered with a head of this status, or with none.
    pub(super) async fn answers(&mut self, name: &str, request: impl AsRef<[u8]>, expect: u16) {
        let (status, head) = self.asked(request.as_ref()).await;
        assert_eq!(status, expect, "{name}: {head}");
        self.goes_on().await;
    }

    /// The handshake with `line` replaced by `by`.
    async fn handshake(&mut self, name: &str, (line, by): (&str, &str), expect: u16) {
        let right = request(&self.house);
        assert!(right.contains(line), "the row {name}");
        self.answers(name, right.replacen(line, by, 1), expect).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_are_answered_in_full() {
    let mut street = Street::open().await;
    let right = request(&street.house);
    let offer = format!(
        "{KEY}Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\n"
    );
    let (status, head) = street.asked(right.replace(KEY, &offer).as_bytes()).await;
    assert_eq!(status, 101, "{head}");
    // The RFC's own example.
    assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{head}");
    assert!(head.contains("upgrade: websocket\r\n"), "{head}");
    for agreed in ["sec-websocket-extensions", "sec-websocket-protocol"] {
        assert!(!head.contains(agreed), "{head}");
    }
    let (status, head) = street.asked(right.replace("Version: 13", "Version: 25").as_bytes()).await;
    assert_eq!(status, 426, "{head}");
    assert!(head.contains("sec-websocket-version: 13\r\n"), "{head}");
    street.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_are_wrong_are_refused_plainly() {
    let mut street = Street::open().await;
    let upgrade = "Upgrade: websocket\r\n";
    let version = "Version: 13";
    let own = format!("http://{}", street.house.address);
    let twice = format!("{KEY}{KEY}");
    let many = format!("{KEY}{}", "X-Many: 1\r\n".repeat(125));
    let long = format!("{KEY}X-Long: {}\r\n", "x".repeat(1 << 20));
    let origins = format!("{own}\r\nOrigin: {own}");
    for (name, line, expect) in [
        ("26 as it should be", (upgrade, upgrade), 101),
        ("any case", (upgrade, "upgrade: WebSocket\r\n"), 101),
        // A known deviation.
        ("a Connection that only contains it", ("Connection: ", "Connection: no-"), 101),
        ("31 no Upgrade", (upgrade, ""), 400),
        ("31 no Connection", ("Connection: Upgrade\r\n", ""), 400),
        ("32 h2c", (upgrade, "Upgrade: h2c\r\n"), 400),
        ("33 version 8", (version, "Version: 8"), 426),
        ("33 version 14", (version, "Version: 14"), 426),
        ("33 no version", ("Sec-WebSocket-Version: 13\r\n", ""), 400),
        ("34 no key", (KEY, ""), 400),
        ("34 a key of 15 octets", (KEY, BASE64_OF_15), 400),
        (
            "34 a key that is not base64",
            (KEY, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n"),
            400,
        ),
        ("34 an empty key", (KEY, "Sec-WebSocket-Key:\r\n"), 400),
        ("35 two keys", (KEY, &*twice), 400),
        ("36 125 headers", (KEY, &*many), 431),
        ("37 a line of 1 MiB", (KEY, &*long), 431),
        ("39 null", (&*own, "null"), 403),
        ("39 two origins", (&*own, &*origins), 403),
        ("39 another name before", (&*own, "https://good.example@evil.example"), 403),
        ("39 a dot at the end", (&*own, "http://localhost.:7878"), 403),
        ("39 not ASCII", (&*own, "http://пример.рф"), 403),
        ("50 POST", ("GET", "POST"), 415),
        ("50 in lower case", ("GET", "get"), 415),
        ("HTTP/1.0", ("HTTP/1.1", "HTTP/1.0"), 426),
        ("HTTP/2.0", ("HTTP/1.1", "HTTP/2.0"), 400),
        ("HTTP/9", ("HTTP/1.1", "HTTP/9"), 400),
        ("obs-fold", (upgrade, "Upgrade:\r\n websocket\r\n"), 400),
    ] {
        street.handshake(name, line, expect).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_wrong_are_refused_plainly() {
    let mut street = Street::open().await;
    let address = street.house.address;
    let host = format!("Host: {address}\r\n");
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\n{host}\r\n");
    let with = |line: &str| format!("GET /nothing HTTP/1.1\r\n{host}{line}\r\n\r\n");
    let line = |line: &str| format!("{line} HTTP/1.1\r\n{host}\r\n");
    for (name, request, expect) in [
        ("40 no host", "GET / HTTP/1.1\r\n\r\n".to_owned(), 421),
        ("40 an evil host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".into(), 421),
        ("40 two hosts", format!("GET / HTTP/1.1\r\n{host}{host}\r\n"), 421),
        ("40 the whole address", get(&format!("http://{address}/nothing")), 404),
        ("40 another's address", get("http://evil.example/nothing"), 404),
        ("44 bare LF", format!("GET /nothing HTTP/1.1\nHost: {address}\n\n"), 404),
        ("44 a space before the colon", with("X-Odd : 1"), 400),
        ("45 NUL in a header", with("X-Odd: a\0b"), 400),
        ("45 0x7f in a header", with("X-Odd: a\x7fb"), 400),
        ("45 UTF-8 in a header", with("X-Odd: é"), 404),
        ("45 UTF-8 in a name", with("X-é: 1"), 400),
        ("45 a lone CR", with("X-Odd: a\rb"), 400),
        ("46 a script as language", with("Accept-Language: \"><script>"), 404),
        ("47 500 addresses", with(&format!("X-Forwarded-For: {}", "1.1.1.1, ".repeat(500))), 404),
        ("47 a zone", with("X-Forwarded-For: fe80::1%eth0"), 404),
        ("48 two slashes", get("//nothing"), 404),
        ("48 a semicolon", get("/..;/console/"), 404),
        ("48 NUL", get("/kb/%00"), 404),
        ("48 overlong", get("/kb/%c0%ae%c0%ae/port.md"), 400),
        ("48 backslashes", get("/kb/..\\..\\port.md"), 404),
        ("48 no slash", get("nothing"), 404),
        ("49 a long query", get(&format!("/nothing?{}", "x".repeat(1 << 20))), 431),
        ("49 10,000 keys", get(&format!("/nothing?{}", "a=&".repeat(10_000))), 404),
        ("49 the same key twice", get("/kb/port.md?start=1&start=2&a[]="), 200),
        ("50 TRACE", line("TRACE /nothing"), 403),
        ("50 CONNECT", line(&format!("CONNECT {address}")), 403),
        ("50 OPTIONS *", line("OPTIONS *"), 404),
        ("50 no method", line(" /"), 400),
        ("55 1,000 ranges", with(&format!("Range: bytes={}", "0-,".repeat(1_000))), 404),
        ("56 a long If-None-Match", with(&format!("If-None-Match: {}", "x".repeat(1 << 16))), 431),
        ("57 a long cookie", with(&format!("Cookie: {}", "x".repeat(1 << 16))), 431),
        ("57 500 cookies", with(&format!("Cookie: {}", "a=b; ".repeat(500))), 404),
        ("58 HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), 0),
        ("62 a TLS client", "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03".into(), 400),
        ("no words", "\r\n\r\n\r\n".to_owned() + &get("/nothing"), 404),
    ] {
        street.answers(name, request, expect).await;
    }
}
