//! Requests with bodies that are wrong, hidden requests, many requests at once, and streams from anywhere.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Raw, Street};
use crate::house::PATIENCE;

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_wrong_are_refused_plainly() {
    let mut street = Street::open().await;
    let address = street.house.address;
    let hello = json!({ "type": "hello", "v": 1 }).to_string();
    let (length, size) = (hello.len(), format!("{:x}", hello.len()));
    let post = |lines: &str, body: &str| {
        format!(
            "POST /widget/poll HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{lines}\r\n\r\n{body}"
        )
    };
    let utf16: String = hello.chars().flat_map(|letter| [letter, '\0']).take(length).collect();
    let chunked = |body: &str| post("Transfer-Encoding: chunked", body);
    let right = format!("Content-Length: {length}");
    let endless = format!("10000\r\n{}\r\n", "x".repeat(1 << 16)).repeat(3);
    for (name, request, expect) in [
        ("as it should be", post(&right, &hello), 200),
        ("in a chunk", chunked(&format!("{size}\r\n{hello}\r\n0\r\n\r\n")), 200),
        ("41 not chunked at the end", post("Transfer-Encoding: chunked, gzip", "0\r\n\r\n"), 400),
        ("42 two lengths", post(&format!("{right}\r\nContent-Length: 1"), &hello), 400),
        ("42 the same twice", post(&format!("{right}\r\n{right}"), &hello), 200),
        ("42 a negative length", post("Content-Length: -1", &hello), 400),
        ("42 +5", post("Content-Length: +5", &hello), 400),
        ("43 too long a size", chunked(&format!("{}1\r\nx", "f".repeat(16))), 400),
        ("43 +5", chunked("+5\r\nhello\r\n0\r\n\r\n"), 400),
        ("43 0x5", chunked("0x5\r\nhello\r\n0\r\n\r\n"), 400),
        ("51 parts", post(&right, &hello).replace("application/json", "multipart/form-data"), 415),
        ("52 UTF-7", post(&right, &hello).replace("/json", "/json; charset=utf-7"), 200),
        ("52 UTF-16", post(&right, &utf16).replace("/json", "/json; charset=utf-16"), 200),
        ("54 announced", post(&format!("{right}\r\nExpect: 100-continue"), &hello), 100),
        ("51 a form", post(&right, &hello).replace("/json", "/x-www-form-urlencoded"), 415),
        (
            "53 an octet too much",
            post(&format!("Content-Length: {}", (1 << 16) + 1), &"x".repeat((1 << 16) + 1)),
            413,
        ),
        ("53 chunks without an end", chunked(&endless), 413),
    ] {
        street.answers(name, request, expect).await;
    }
}

/// A length beside chunks is how a request is hidden in another's body from a proxy that believes the length.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_after_a_request_with_two_lengths() {
    let mut street = Street::open().await;
    let host = street.house.address;
    let hidden = format!("GET /widget.js HTTP/1.1\r\nHost: {host}\r\n\r\n");
    for lines in [
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
    ] {
        let mut raw = Raw::connect(&street.house).await;
        let request =
            format!("POST /nothing HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n\r\n0\r\n\r\n{hidden}");
        raw.send(request.as_bytes()).await;
        let answers = raw.rest().await;
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "41 {lines}: {answers}");
        street.goes_on().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_begin_wherever_they_are_said_to_have_stopped() {
    let mut street = Street::open().await;
    let (address, hello) = (street.house.address, json!({ "type": "hello", "v": 1 }).to_string());
    for last in [
        "-1",
        "-9223372036854775808",
        "9223372036854775807",
        "99999999999999999999",
        "1e9",
        "x",
        "",
    ] {
        let mut raw = Raw::connect(&street.house).await;
        let request = format!(
            "POST /widget/stream HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Last-Event-ID: {last}\r\nContent-Length: {}\r\n\r\n{hello}",
            hello.len()
        );
        raw.send(request.as_bytes()).await;
        assert!(raw.head().await.starts_with("HTTP/1.1 200 "), "59 {last}");
        while !String::from_utf8_lossy(&raw.read).contains(r#""type":"welcome""#) {
            assert!(raw.more().await, "59 {last}: {}", String::from_utf8_lossy(&raw.read));
        }
        street.goes_on().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order() {
    let mut street = Street::open().await;
    let mut stream = Raw::connect(&street.house).await.stream;
    let (mut from, mut to) = stream.split();
    let host = street.house.address;
    let request =
        |line: &str, end: &str| format!("GET {line} HTTP/1.1\r\nHost: {host}\r\n{end}\r\n");
    let last = request("/widget.js", "Connection: close\r\n");
    let requests = request("/nothing", "").repeat(999) + &last;
    let mut answers = vec![];
    // Who asks without reading would be waited for.
    let both =
        async { tokio::join!(to.write_all(requests.as_bytes()), from.read_to_end(&mut answers)) };
    let (asked, read) = timeout(PATIENCE, both).await.expect("an end was due");
    asked.and(read).unwrap();
    let answers = String::from_utf8(answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 404 ").count(), 999);
    assert!(answers.rfind("HTTP/1.1 404 ") < answers.find("HTTP/1.1 200 "));
    street.goes_on().await;
}
