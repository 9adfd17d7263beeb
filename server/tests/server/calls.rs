//! Calls to programs that hang, fail, lead elsewhere, never end or say hostile things; and calls that a stop has cut in two.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use server::outbound::actions::{ActionClient, Call, CallError};
use server::outbound::pages::Lookup;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use url::Url;

use crate::actions::{Guest, push};
use crate::house::{Hands, House, Stopped};

/// A program of somebody else's: behaves by the first part of the path.
#[derive(Clone)]
struct Other {
    port: u16,
    /// Path and idempotency key of each request.
    seen: Arc<Mutex<Vec<(String, String, String)>>>,
    /// Lets the way `waits` answer.
    gate: Arc<Notify>,
}

impl Other {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = Self {
            port: listener.local_addr().unwrap().port(),
            seen: Arc::default(),
            gate: Arc::default(),
        };
        let own = other.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(own.clone().serve(stream));
            }
        });
        other
    }

    fn seen(&self, way: &str) -> Vec<(String, String, String)> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|(path, _, _)| path.trim_start_matches('/').starts_with(way))
            .cloned()
            .collect()
    }

    async fn serve(self, mut stream: TcpStream) {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                return;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let header = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        let mut body = vec![0; header("content-length:").parse().unwrap_or(0)];
        stream.read_exact(&mut body).await.unwrap();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.seen.lock().unwrap().push((
            path.clone(),
            header("idempotency-key:"),
            header("authorization:"),
        ));
        let way = path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default();
        if way == "waits" {
            self.gate.notified().await;
        }
        // Whoever has had enough is gone.
        let _ = answer(&mut stream, way).await;
    }
}

async fn answer(stream: &mut TcpStream, way: &str) -> std::io::Result<()> {
    let json = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let plain = |line: &str| format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n");
    let text = match way {
        "good" => json(r#"{"value":"fine"}"#),
        "fails" | "waits" => plain("500 Internal Server Error"),
        "refuses" => plain("409 Conflict"),
        "missing" => plain("404 Not Found"),
        "away" => plain("302 Found\r\nLocation: http://127.0.0.1:1/secret"),
        "page" => {
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}".into()
        }
        "broken" => json("{\"value\": "),
        "huge" => json(r#"{"value": 1e999}"#),
        "deep" => json(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        "hostile" => json(
            r#"{"value":"\u202eab\u0000c\u200b <script>x</script> https://evil.example/?q=1 [a](javascript:x)","secret":"no"}"#,
        ),
        "reset" => return stream.set_zero_linger(),
        "hangs" => return std::future::pending().await,
        "endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10737418240\r\n\r\n").await?;
            return pour(stream, &[b' '; 65_536], None).await;
        }
        "chunks" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            return pour(stream, format!("1000\r\n{}\r\n", " ".repeat(4_096)).as_bytes(), None)
                .await;
        }
        "drips" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n").await?;
            return pour(stream, b" ", Some(Duration::from_millis(200))).await;
        }
        "headers" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            return pour(stream, b"X-More: and more and more and more\r\n", None).await;
        }
        _ => plain("404 Not Found"),
    };
    stream.write_all(text.as_bytes()).await
}

/// Writes the same again and again until nobody takes it.
async fn pour(stream: &mut TcpStream, part: &[u8], gap: Option<Duration>) -> std::io::Result<()> {
    loop {
        stream.write_all(part).await?;
        if let Some(gap) = gap {
            tokio::time::sleep(gap).await;
        }
    }
}

/// Two actions for each way: one that looks something up, one that changes something.
fn actions(port: u16, ways: &[&str]) -> String {
    let action = |way: &&str| {
        let seconds = if *way == "waits" { 30 } else { 1 };
        format!(
            "[[action]]\nid = \"read-{way}\"\ntitle = \"Read {way}\"\nwords = [\"look up {way}\"]\naccess = \"read\"\nmethod = \"GET\"\n\
             url = \"http://127.0.0.1:{port}/{way}/read\"\ntimeout_s = 1\nheader_file = \"key\"\n\
             [[action.result]]\npointer = \"/value\"\nlabel = \"Value\"\n\
             [[action]]\nid = \"write-{way}\"\ntitle = \"Write {way}\"\nwords = [\"change {way}\"]\naccess = \"write\"\nmethod = \"POST\"\n\
             url = \"http://127.0.0.1:{port}/{way}/write\"\ntimeout_s = {seconds}\n\
             [[action.result]]\npointer = \"/value\"\nlabel = \"Value\"\n"
        )
    };
    ways.iter().map(action).collect()
}

async fn house(port: u16, ways: &[&str], hands: &Hands) -> House {
    let allowed = format!("127.0.0.1:{port}");
    let house = House::acting(&actions(port, ways), hands, |settings| {
        settings.actions.allow_private = vec![allowed.try_into().unwrap()];
    })
    .await;
    let key = house.folder.path().join("prompts/key");
    std::fs::write(key, "Authorization: Bearer hunter2\n").unwrap();
    house
}

/// Presses the button of the newest card.
async fn confirm(guest: &mut Guest) {
    let card = guest.client.message("bot").await["card"].clone();
    assert_eq!(card["kind"], "confirm", "{card}");
    let yes = json!({ "type": "confirm", "request": card["request"], "yes": true });
    guest.client.send(&yes).await;
}

const WAYS: [(&str, &str, usize, &str); 16] = [
    // The way, what is said of a read and how often it is asked at most, what is said of a write.
    ("good", "fine", 1, "fine"),
    ("fails", "could not look that up", 3, "do not know whether"),
    ("refuses", "could not look that up", 1, "refused at the other end"),
    ("missing", "could not find that", 1, "could not find that"),
    ("away", "could not look that up", 1, "do not know whether"),
    ("page", "could not look that up", 1, "do not know whether"),
    ("broken", "could not look that up", 1, "do not know whether"),
    ("huge", "could not look that up", 1, "do not know whether"),
    ("deep", "could not look that up", 1, "do not know whether"),
    ("hostile", "abc <script>x</script> … …", 1, "abc <script>x</script> … …"),
    ("reset", "could not look that up", 3, "do not know whether"),
    ("hangs", "could not look that up", 3, "do not know whether"),
    ("endless", "could not look that up", 1, "do not know whether"),
    ("chunks", "could not look that up", 1, "do not know whether"),
    ("drips", "could not look that up", 1, "do not know whether"),
    ("headers", "could not look that up", 3, "do not know whether"),
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_other_end_does_a_write_arrives_once_and_the_visitor_hears_the_truth() {
    let other = Other::open().await;
    let hands = Hands::new();
    let house = house(other.port, &WAYS.map(|row| row.0), &hands).await;
    let (app, own) = (house.running.app.clone(), hands.clone());
    let pushed = tokio::spawn(async move { push(&app, &own).await });
    for (way, read, most, write) in WAYS {
        let mut guest = Guest::saying(&house, &format!("please look up {way}")).await;
        guest.client.message("bot").await;
        let told = guest.client.message("bot").await;
        assert!(told.to_string().contains(read), "{way}: {told}");
        let seen = other.seen(&format!("{way}/read"));
        assert!((1..=most).contains(&seen.len()), "{way}: {seen:?}");
        assert!(seen.iter().all(|one| one.1 == seen[0].1 && one.2 == "Bearer hunter2"), "{seen:?}");

        let mut guest = Guest::saying(&house, &format!("please change {way}")).await;
        confirm(&mut guest).await;
        guest.client.message("bot").await;
        let told = guest.client.message("bot").await;
        assert!(told.to_string().contains(write), "{way}: {told}");
        assert_eq!(other.seen(&format!("{way}/write")).len(), 1, "{way}");
        assert!(!told.to_string().contains("secret"), "{told}");
    }
    pushed.abort();
    let cookie = house.owner().await;
    let calls = house.get("/console/api/calls", &cookie).await.body;
    assert!(!calls.contains("hunter2"), "a secret is shown");
    let actions = house.get("/console/api/actions", &cookie).await.body;
    assert!(!actions.contains("hunter2"), "a secret is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_a_stop_cut_in_two_is_not_sent_again_and_a_read_is() {
    let other = Other::open().await;
    let hands = Hands::new();
    let ways = ["hangs"];
    let house = house(other.port, &ways, &hands).await;
    let mut write = Guest::saying(&house, "please change hangs").await;
    confirm(&mut write).await;
    let mut read = Guest::saying(&house, "please look up hangs").await;
    read.client.message("bot").await;
    while other.seen("hangs/write").is_empty() || other.seen("hangs/read").is_empty() {
        tokio::task::yield_now().await;
    }
    let Stopped(folder) = house.stopped().await;
    // The other end has come to its senses meanwhile.
    let text = actions(other.port, &ways).replace("/hangs/", "/good/");
    std::fs::write(folder.path().join("prompts/actions.toml"), text).unwrap();
    let allowed = format!("127.0.0.1:{}", other.port);
    let house = House::acting_in(folder, &hands, |settings| {
        settings.actions.allow_private = vec![allowed.try_into().unwrap()];
    })
    .await;
    let app = house.running.app.clone();
    let own = hands.clone();
    let pushed = tokio::spawn(async move { push(&app, &own).await });
    let newest = |guest: &Guest| {
        let (store, id) = (house.running.app.store.clone(), guest.id.clone());
        async move { store.calls(Some(&id), 1).await.unwrap().remove(0) }
    };
    while newest(&read).await.status != "done" {
        tokio::task::yield_now().await;
    }
    pushed.abort();
    assert_eq!(newest(&write).await.status, "unknown");
    assert_eq!((other.seen("hangs/write").len(), other.seen("good/write").len()), (1, 0));
    let keys = (other.seen("hangs/read")[0].1.clone(), other.seen("good/read")[0].1.clone());
    assert_eq!(keys.0, keys.1, "the same call has the same key");
    let told = house.running.app.store.messages(&write.id, 0, 100).await.unwrap();
    let told = told.iter().find(|row| row.text.contains("do not know whether"));
    assert!(told.is_some(), "the visitor is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_for_the_person_who_took_the_conversation() {
    let other = Other::open().await;
    let hands = Hands::new();
    let house = house(other.port, &["waits"], &hands).await;
    let cookie = house.owner().await;
    let mut guest = Guest::saying(&house, "please change waits").await;
    confirm(&mut guest).await;
    guest.client.message("bot").await;
    let take = format!("/console/api/conversations/{}/take", guest.id);
    assert!(house.post(&take, &cookie, &json!({})).await.status < 300);
    let joined = guest.client.message("system").await;
    assert!(joined["text"].as_str().unwrap().contains("joined"), "{joined}");
    other.gate.notify_one();
    let told = guest.client.find(|frame| frame["type"] == "message").await;
    assert_eq!(told["from"], "system", "{told}");
    assert!(told["text"].as_str().unwrap().contains("do not know whether"), "{told}");
}

#[tokio::test]
async fn only_addresses_that_may_be_called_are_called() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let other = Other::open().await;
    let lookup: Lookup = Arc::new(|_| Ok(vec![[127, 0, 0, 1].into()]));
    let client = ActionClient::new(vec![], Arc::clone(&lookup)).unwrap();
    let call = |url: String, own: bool| Call {
        url: Url::parse(&url).unwrap(),
        own,
        body: None,
        headers: axum::http::HeaderMap::new(),
        timeout: Duration::from_secs(10),
    };
    for host in [
        "http://shop.example",
        "https://shop.example",
        "https://127.0.0.1",
        "https://127.1",
        "https://0x7f000001",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://169.254.169.254",
        "https://10.0.0.1",
        "http://8.8.8.8",
        "https://localhost",
        "https://100.64.0.1",
        "https://[fd00::1]",
    ] {
        let answer = client.call(call(format!("{host}:{}/good", other.port), false)).await;
        assert!(matches!(answer, Err(CallError::Closed(_))), "{host}: {answer:?}");
    }
    assert!(other.seen("").is_empty());
    let good = call(format!("http://127.0.0.1:{}/good", other.port), true);
    assert_eq!(client.call(good).await.unwrap().body, json!({ "value": "fine" }));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let answer = client.call(call(format!("http://127.0.0.1:{closed}/"), true)).await;
    assert!(matches!(answer, Err(CallError::Unreached(_))), "{answer:?}");
}
