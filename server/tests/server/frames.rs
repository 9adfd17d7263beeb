//! Bad input over the wire: a named error or a clean close, and neighbours that notice nothing.

use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::house::{ANSWER, House, QUESTION};

#[tokio::test(flavor = "multi_thread")]
async fn bad_frames_are_named_and_the_socket_goes_on() {
    let house = House::open().await;
    let (mut visitor, _) = house.greeted().await;
    let id = format!("{:032x}", 1);
    let long = "x".repeat(4_001);
    for (frame, code) in [
        (String::new(), "bad_frame"),
        ("not json".into(), "bad_frame"),
        ("null".into(), "bad_frame"),
        ("[]".into(), "bad_frame"),
        ("[".repeat(30_000), "bad_frame"),
        (r#"{"type":"nonsense"}"#.into(), "bad_frame"),
        (r#"{"type":"send","text":"x"}"#.into(), "bad_frame"),
        (json!({ "type": "send", "client_msg_id": "x", "text": "a" }).to_string(), "bad_frame"),
        (json!({ "type": "send", "client_msg_id": id.to_uppercase().replace('0', "G"), "text": "a" }).to_string(), "bad_frame"),
        (json!({ "type": "send", "client_msg_id": id, "text": "a\u{0}b" }).to_string(), "bad_frame"),
        (json!({ "type": "send", "client_msg_id": id, "text": "a", "from": "owner" }).to_string(), "bad_frame"),
        (json!({ "type": "send", "client_msg_id": id, "text": " \n " }).to_string(), "empty"),
        (json!({ "type": "send", "client_msg_id": id, "text": long }).to_string(), "too_long"),
        (json!({ "type": "take", "conversation": "x" }).to_string(), "bad_frame"),
        (json!({ "type": "watch", "conversation": null }).to_string(), "bad_frame"),
    ] {
        visitor.text(&frame).await;
        let error = visitor.until("error").await;
        assert_eq!(error["code"], code, "{frame:.80}");
    }
    visitor.send(&json!({ "type": "read", "seq": i64::MAX })).await;
    visitor.send(&json!({ "type": "read", "seq": i64::MIN })).await;
    visitor.send(&json!({ "type": "typing", "on": true })).await;
    visitor.socket.send(Message::binary(vec![0, 159, 146, 150])).await.unwrap();
    assert_eq!(visitor.until("error").await["code"], "bad_frame");
    visitor.say(1, QUESTION).await;
    assert_eq!(visitor.message("bot").await["text"], ANSWER);
}

#[tokio::test(flavor = "multi_thread")]
async fn some_frames_end_the_socket_with_their_reason() {
    let house = House::open().await;
    let (mut neighbour, _) = house.greeted().await;
    for (frame, close) in [
        (json!({ "type": "typing", "on": true }).to_string(), (4000, "hello_first".to_owned())),
        (json!({ "type": "hello", "v": 2 }).to_string(), (4000, "unsupported_version".into())),
        (
            format!(r#"{{"type":"hello","v":1,"token":"{}"}}"#, "x".repeat(70_000)),
            (1009, "too_big".into()),
        ),
    ] {
        let mut visitor = house.visitor().await;
        visitor.text(&frame).await;
        let ended = loop {
            if let Err(close) = visitor.next().await {
                break close;
            }
        };
        assert_eq!(ended, close, "{frame:.60}");
    }
    neighbour.say(1, QUESTION).await;
    assert_eq!(neighbour.message("bot").await["text"], ANSWER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_slowed_and_its_neighbours_are_not() {
    let house = House::open().await;
    let (mut flood, _) = house.greeted().await;
    let (mut neighbour, _) = house.greeted().await;
    for _ in 0..80 {
        flood.send(&json!({ "type": "typing", "on": true })).await;
    }
    let error = flood.until("error").await;
    assert_eq!(error["code"], "too_fast");
    assert!(error["retry_after_ms"].as_u64().unwrap() > 0);
    neighbour.say(1, QUESTION).await;
    assert_eq!(neighbour.message("bot").await["text"], ANSWER);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_requests_get_plain_answers() {
    let house = House::open().await;
    let own = format!("Origin: http://{}\r\n", house.address);
    for (head, status) in [
        ("GET / HTTP/1.1\r\n".to_owned(), 200),
        ("GET /healthz HTTP/1.1\r\n".into(), 200),
        ("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n".into(), 421),
        ("GET /nothing HTTP/1.1\r\n".into(), 404),
        ("GET /widget/../Cargo.toml HTTP/1.1\r\n".into(), 404),
        ("GET /widget/%2e%2e%2fCargo.toml HTTP/1.1\r\n".into(), 404),
        ("GET /vendor/VENDOR.md HTTP/1.1\r\n".into(), 404),
        ("GET /kb/port.md HTTP/1.1\r\n".into(), 200),
        ("GET /kb/port.md?start=9999&end=-1 HTTP/1.1\r\n".into(), 200),
        ("GET /kb/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n".into(), 404),
        ("GET /widget/ws HTTP/1.1\r\n".into(), 400),
        ("GET /widget/ws HTTP/1.1\r\nOrigin: https://evil.example\r\n".into(), 403),
        ("GET /console/ws HTTP/1.1\r\n".into(), 403),
        ("GET /console/api/conversations HTTP/1.1\r\n".into(), 401),
        ("GET /console/api/conversations HTTP/1.1\r\nCookie: porchlight_session=x\r\n".into(), 401),
        ("GET /console/api/nothing HTTP/1.1\r\n".into(), 404),
        ("POST /console/api/login HTTP/1.1\r\nContent-Type: application/json\r\n".into(), 403),
        (format!("POST /console/api/login HTTP/1.1\r\n{own}Content-Type: text/plain\r\n"), 415),
        (
            format!("POST /console/api/login HTTP/1.1\r\n{own}Content-Type: application/json\r\n"),
            400,
        ),
        (
            format!(
                "DELETE /console/api/login HTTP/1.1\r\n{own}Content-Type: application/json\r\n"
            ),
            405,
        ),
    ] {
        let answer = house.request(&head, "").await;
        assert_eq!(answer.status, status, "{head} {}", answer.body);
        assert!(answer.head.contains("content-security-policy: default-src 'none'"), "{head}");
        assert!(answer.head.contains("x-content-type-options: nosniff"), "{head}");
    }
    let big = house
        .post("/console/api/login", "", &json!({ "email": "x".repeat(70_000), "password": "x" }))
        .await;
    assert_eq!(big.status, 413);
}
