//! Files of visitors: only when asked for, by their bytes, bounded; downloaded as what they are; gone ones named.

use serde_json::{Value, json};
use server::store::tasks::Tasks;
use server::uploads;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::flows::FLOWS;
use crate::house::{Client, House, PATIENCE};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0";

/// Status and body of an answer.
type Answer = (u16, Value);

/// What a widget sends; the length may be a lie.
struct Sent<'a> {
    name: &'a str,
    conversation: &'a Value,
    token: &'a Value,
    headers: &'a str,
    body: &'a [u8],
}

async fn send(house: &House, sent: Sent<'_>) -> Answer {
    let Sent { name, conversation, token, headers, body } = sent;
    let head = format!(
        "POST /widget/upload?name={name} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}X-Porchlight-Conversation: {}\r\nX-Porchlight-Token: {}\r\nContent-Length: {}\r\n\r\n",
        house.address,
        conversation.as_str().unwrap_or_default(),
        token.as_str().unwrap_or_default(),
        body.len()
    );
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    let mut answer = Vec::new();
    stream.write_all(head.as_bytes()).await.unwrap();
    // A body that is refused need not be taken whole, and what is left of it resets the connection.
    let _ = stream.write_all(body).await;
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end was due");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// A visitor with a conversation, who may send files for an hour when `asked`.
async fn visitor(house: &House, asked: bool) -> (Client, Value, Value) {
    let (mut client, welcome) = house.greeted().await;
    client.say(1, "Hello").await;
    let conversation = client.until("ack").await["conversation"].clone();
    client.message("bot").await;
    if asked {
        let until = house.running.app.clock.now_ms() + 3_600_000;
        asked_until(house, &conversation, until).await;
    }
    (client, conversation, welcome["token"].clone())
}

/// A file may be sent until then.
async fn asked_until(house: &House, conversation: &Value, until: i64) {
    let tasks = Tasks { upload_what: "a log".into(), upload_until: until, ..Tasks::default() };
    let mut tx = house.running.app.store.begin().await.unwrap();
    tx.put_tasks(conversation.as_str().unwrap(), &tasks, 0).await.unwrap();
    tx.commit().await.unwrap();
}

fn code(answer: &Answer) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

/// Names of the files in the folder of uploads.
fn on_disk(house: &House) -> Vec<String> {
    let folder = house.folder.path().join("data/uploads");
    let Ok(listed) = std::fs::read_dir(folder) else { return vec![] };
    listed.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screenshot_that_was_asked_for_reaches_the_owner() {
    let house = House::flowing(FLOWS, &[]).await;
    let cookie = house.owner().await;
    let (mut client, welcome) = house.greeted().await;
    for (number, text) in [(1, "the set-up link does not work"), (2, "yes")] {
        client.say(number, text).await;
        client.message("bot").await;
    }
    client.say(3, "Something else").await;
    let said = client.message("bot").await;
    assert_eq!(said["card"], json!({ "kind": "upload", "what": "a screenshot of the page" }));
    let (conversation, token) = (&said["conversation"], &welcome["token"]);
    let sent =
        Sent { name: "..%2F..%2Fmy%20page.exe", conversation, token, headers: "", body: PNG };
    let (status, body) = send(&house, sent).await;
    assert_eq!(status, 200, "{body}");
    let own = client.message("visitor").await;
    assert_eq!((&own["seq"], own["text"].as_str()), (&body["seq"], Some("File: my page.exe.png")));
    let card = &own["card"];
    assert_eq!(
        (&card["kind"], &card["media"], &card["bytes"]),
        (&json!("file"), &json!("image/png"), &json!(PNG.len()))
    );
    let said = client.message("bot").await;
    assert!(said["text"].as_str().unwrap().contains("I have told a person"), "{said}");
    let path = format!("/console/api/files/{}", card["id"].as_str().unwrap());
    let file = house.get(&path, &cookie).await;
    for header in [
        "content-type: image/png",
        "content-disposition: attachment; filename=\"my page.exe.png\"",
        "x-content-type-options: nosniff",
        "content-security-policy: sandbox; default-src 'none'",
    ] {
        assert!(file.head.contains(header), "{header} is not in {}", file.head);
    }
    assert_eq!((file.status, house.get(&path, "").await.status), (200, 401));
    // The bytes are lost: the message stays, and the file is named.
    std::fs::remove_file(
        house.folder.path().join("data/uploads").join(card["id"].as_str().unwrap()),
    )
    .unwrap();
    let gone = house.get(&path, &cookie).await;
    assert_eq!((gone.status, gone.json()["error"]["code"].as_str()), (404, Some("file_missing")));
    assert!(gone.body.contains("my page.exe.png is missing"));
    assert_eq!(house.get("/console/api/files/nothing", &cookie).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_that_may_be_sent_is_refused() {
    let house = House::open().await;
    let (_client, conversation, token) = visitor(&house, true).await;
    let big = [PNG, &vec![0; (10 << 20) + 1 - PNG.len()]].concat();
    let zip = [b"PK\x03\x04".as_slice(), &[0; 200]].concat();
    let mixed = [b"\x89PNG\r\n\x1a\n".as_slice(), b"<html><script>alert(1)</script>"].concat();
    let late = [vec![b'a'; 70_000], vec![0]].concat();
    for (what, body, status) in [
        ("svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".as_slice(), 415),
        ("html", b"<!doctype html><script>alert(1)</script>", 415),
        ("html behind a mark", b"\xef\xbb\xbf \n<html>", 415),
        ("png and html", &mixed, 415),
        ("zip", &zip, 415),
        ("program", b"MZ\x90\0\x03", 415),
        ("utf-16", b"\xff\xfeh\0i\0", 415),
        ("overlong", b"text \xc0\xaf", 415),
        ("half a character", b"text \xf0\x9f", 415),
        ("nul far behind", &late, 415),
        ("nothing", b"", 415),
        ("too big", &big, 413),
    ] {
        for headers in
            ["", "Content-Type: image/svg+xml; x\r\n", "Content-Type: multipart/form-data\r\n"]
        {
            let sent =
                Sent { name: "a.png", conversation: &conversation, token: &token, headers, body };
            let answer = send(&house, sent).await;
            // Whoever writes on while the answer is there may see the connection reset instead.
            assert!(
                answer.0 == status || (what == "too big" && answer.0 == 0),
                "{what}: {answer:?}"
            );
        }
    }
    assert_eq!(on_disk(&house), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_was_asked_may_send_and_not_for_ever() {
    let house = House::open().await;
    let (_a, mine, token) = visitor(&house, true).await;
    let (_b, theirs, other) = visitor(&house, false).await;
    let none = Value::Null;
    for (conversation, token, expect) in [
        (&theirs, &other, (403, "not_asked")),
        (&mine, &other, (404, "unknown_conversation")),
        (&mine, &none, (404, "unknown_conversation")),
        (&none, &token, (404, "unknown_conversation")),
    ] {
        let sent = Sent { name: "a.png", conversation, token, headers: "", body: PNG };
        assert_eq!(code(&send(&house, sent).await), expect);
    }
    let sent =
        |headers| Sent { name: "a.png", conversation: &mine, token: &token, headers, body: PNG };
    let foreign = send(&house, sent("Origin: https://evil.example\r\n")).await;
    assert_eq!(code(&foreign), (403, "foreign_origin"));
    let over = house.running.app.clock.now_ms() - 1;
    asked_until(&house, &mine, over).await;
    assert_eq!(code(&send(&house, sent("")).await), (403, "not_asked"));
    assert_eq!(on_disk(&house), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn five_files_are_enough_even_at_once() {
    let house = House::open().await;
    let (_client, conversation, token) = visitor(&house, true).await;
    let mut taken = 0;
    for round in 0..4 {
        let sent = |body| Sent {
            name: "a.log",
            conversation: &conversation,
            token: &token,
            headers: "",
            body,
        };
        let both = tokio::join!(send(&house, sent(b"one line")), send(&house, sent(PNG)));
        for answer in [both.0, both.1] {
            taken += usize::from(answer.0 == 200);
            assert!(
                answer.0 == 200 || code(&answer) == (409, "too_many_files"),
                "{round}: {answer:?}"
            );
        }
    }
    assert_eq!((taken, on_disk(&house).len()), (5, 5));
    assert_eq!(uploads::full((4, uploads::MAX_TOTAL - 1), 2), Err(uploads::Full::Room));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_on_the_disk_goes_at_the_next_start() {
    let house = House::open().await;
    let (_client, conversation, token) = visitor(&house, true).await;
    let sent = Sent {
        name: "a.log",
        conversation: &conversation,
        token: &token,
        headers: "",
        body: b"kept",
    };
    assert_eq!(send(&house, sent).await.0, 200);
    let folder = house.folder.path().join("data/uploads");
    for name in ["0".repeat(32), format!(".{}", "1".repeat(32)), "notes.txt".to_owned()] {
        std::fs::write(folder.join(name), "x").unwrap();
    }
    let house =
        house.again(engine::testing::ScriptedModel::default(), engine::draft::Mode::Quote).await;
    let mut left = on_disk(&house);
    left.sort();
    assert_eq!((left.len(), left.last().map(String::as_str)), (2, Some("notes.txt")));
}
