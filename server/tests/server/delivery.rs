//! Delivery over every transport: what was acknowledged is there once, in order, whatever happened to the connection.

use serde_json::{Value, json};
use server::store::{Store, StoreError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::house::{ANSWER, Client, House, PATIENCE, QUESTION};

/// An event stream that is read as it comes.
struct Events {
    stream: TcpStream,
    read: String,
}

impl Events {
    async fn open(house: &House, hello: &Value) -> (Self, String) {
        let (body, address) = (hello.to_string(), house.address);
        let head = format!(
            "POST /widget/stream HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut events = Self { stream, read: String::new() };
        let session = events.next().await["session"].as_str().unwrap().to_owned();
        (events, session)
    }

    /// The next frame.
    async fn next(&mut self) -> Value {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let line = event.lines().find_map(|line| line.strip_prefix("data: "));
                let frame = line.map(|line| serde_json::from_str(line).unwrap());
                self.read = rest.to_owned();
                if let Some(frame) = frame {
                    return frame;
                }
                continue;
            }
            let mut bytes = [0; 4096];
            let count = timeout(PATIENCE, self.stream.read(&mut bytes)).await.unwrap().unwrap();
            assert!(count > 0, "the stream has ended after {:?}", self.read);
            self.read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
    }

    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await;
            if wanted(&frame) {
                return frame;
            }
        }
    }
}

fn hello() -> Value {
    json!({ "type": "hello", "v": 1 })
}

fn send(number: u32, text: &str) -> Value {
    json!({ "type": "send", "client_msg_id": format!("{number:032x}"), "text": text })
}

async fn post(house: &House, session: &str, frames: &[Value]) -> u16 {
    let body = json!({ "session": session, "frames": frames });
    house.post("/widget/frames", "", &body).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_without_websockets_talks_over_a_stream() {
    let house = House::open().await;
    let (mut events, session) = Events::open(&house, &hello()).await;
    let welcome = events.next().await;
    assert_eq!((&welcome["type"], &welcome["head"]), (&json!("welcome"), &json!(0)));
    assert_eq!(post(&house, &session, &[send(1, QUESTION)]).await, 202);
    let ack = events.until(|frame| frame["type"] == "ack").await;
    let answer = events.until(|frame| frame["type"] == "message" && frame["from"] == "bot").await;
    assert_eq!(answer["text"], ANSWER);
    drop(events);
    // Another transport goes on where this one stopped.
    let mut socket = house.visitor().await;
    socket
        .send(&json!({ "type": "hello", "v": 1, "token": welcome["token"], "conversation": ack["conversation"],
            "last_seq": 1, "outbox": [format!("{:032x}", 1), format!("{:032x}", 2)] }))
        .await;
    let again = socket.until("welcome").await;
    assert_eq!(again["known"], json!({ format!("{:032x}", 1): 1 }));
    assert_eq!(again["restored"], false);
    assert_eq!(socket.until("message").await["text"], ANSWER);
    assert_eq!(post(&house, "0", &[]).await, 404);
    let refused = house
        .post("/widget/frames", "", &json!({ "session": session, "frames": vec![json!({}); 41] }))
        .await;
    assert!([404, 422].contains(&refused.status), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_behind_a_proxy_that_holds_streams_polls() {
    let house = House::open().await;
    let first = house.post("/widget/poll", "", &hello()).await.json();
    let session = first["session"].as_str().unwrap().to_owned();
    assert_eq!(first["frames"][0]["type"], "welcome");
    assert_eq!(post(&house, &session, &[send(1, QUESTION)]).await, 202);
    let (mut batch, mut texts) = (first["batch"].clone(), vec![]);
    while texts.len() < 2 {
        let poll = json!({ "session": session, "batch": batch });
        let answer = house.post("/widget/poll", "", &poll).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        batch = answer.json()["batch"].clone();
        for frame in answer.json()["frames"].as_array().unwrap() {
            if frame["type"] == "message" {
                texts.push(frame["text"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(texts, [QUESTION, ANSWER]);
    // An answer that got lost on its way is asked for by greeting again.
    let lost = house.post("/widget/poll", "", &json!({ "session": session, "batch": 0 })).await;
    assert_eq!((lost.status, &lost.json()["error"]["code"]), (409, &json!("resume")));
    let greeted =
        json!({ "type": "hello", "v": 1, "token": first["frames"][0]["token"], "last_seq": 1 });
    let again = house.post("/widget/poll", "", &greeted).await.json();
    assert_eq!(again["frames"][0]["head"], 2);
    for bad in [json!({}), json!([]), json!({ "session": "x", "batch": 0 })] {
        let answer = house.post("/widget/poll", "", &bad).await;
        let told = answer.json();
        let code = told["error"]["code"].as_str().or(told["frames"][0]["code"].as_str());
        assert!(["bad_frame", "unknown_session"].contains(&code.unwrap()), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_and_places_in_the_queue_follow_what_is_stored() {
    let house = House::open().await;
    let owner = house.owner().await;
    let mut console = house.console(&owner).await;
    let (mut first, _) = house.greeted().await;
    let (mut second, _) = house.greeted().await;
    let mut ids = vec![];
    for (number, visitor) in [(1, &mut first), (2, &mut second)] {
        visitor.send(&json!({ "type": "ask_person" })).await;
        let line = visitor.message("system").await;
        let queue =
            visitor.find(|frame| frame["type"] == "queue" && !frame["place"].is_null()).await;
        assert_eq!(queue["place"], number);
        ids.push(line["conversation"].as_str().unwrap().to_owned());
    }
    console.send(&json!({ "type": "watch", "conversation": ids[0], "last_seq": 0 })).await;
    assert_eq!(console.message("system").await["seq"], 1);
    console.send(&json!({ "type": "watch", "conversation": ids[0], "last_seq": 1 })).await;
    let seen = first.find(|frame| frame["type"] == "receipts" && frame["owner_read"] == 1).await;
    assert_eq!((&seen["visitor_read"], &seen["conversation"]), (&json!(0), &Value::Null));
    let taken = house
        .post(&format!("/console/api/conversations/{}/take", ids[0]), &owner, &json!({}))
        .await;
    assert_eq!(taken.status, 204);
    assert_eq!(second.find(|frame| frame["place"] == 1).await["type"], "queue");
    assert_eq!(first.find(|frame| frame["type"] == "queue").await["place"], Value::Null);
    first.send(&json!({ "type": "delivered", "seq": 2 })).await;
    console.find(|frame| frame["type"] == "receipts" && frame["visitor_delivered"] == 2).await;
    first.send(&json!({ "type": "read", "seq": 99 })).await;
    let read =
        console.find(|frame| frame["type"] == "receipts" && frame["visitor_read"] == 2).await;
    assert_eq!(read["conversation"], ids[0].as_str());
    first.send(&json!({ "type": "ping" })).await;
    first.until("pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_database_is_noticed() {
    let house = House::open().await;
    let (mut visitor, welcome) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    let conversation = visitor.until("ack").await["conversation"].clone();
    visitor.message("bot").await;
    let again = async |house: &House, epoch: &Value, last: i64| {
        let mut client = Client::connect(house.address, "/widget/ws").await;
        let hello = json!({ "type": "hello", "v": 1, "token": welcome["token"], "conversation": conversation,
            "epoch": epoch, "last_seq": last });
        client.send(&hello).await;
        client.until("welcome").await
    };
    let same = again(&house, &welcome["epoch"], 2).await;
    assert_eq!((&same["restored"], &same["epoch"]), (&json!(false), &welcome["epoch"]));
    // The widget has seen more than is stored.
    let older = again(&house, &welcome["epoch"], 9).await;
    assert_eq!(older["restored"], true);
    assert_ne!(older["epoch"], welcome["epoch"]);
    assert_eq!(again(&house, &older["epoch"], 2).await["restored"], false);
    // The folder has served a newer database.
    let newest = house.folder.path().join("data/newest");
    let house = house.stopped().await;
    std::fs::write(&newest, i64::MAX.to_string()).unwrap();
    let house = house.begun().await;
    assert_eq!(again(&house, &older["epoch"], 2).await["restored"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_share_a_commit_and_not_their_failures() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("test.db")).await.unwrap();
    let names = |id: u32| (id.to_string(), "epoch".to_owned(), id.to_string());
    let mut tasks = vec![];
    for id in 0..200 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut tx = store.begin().await?;
            tx.start_conversation(names(id), None, 1).await?;
            match id % 4 {
                // Dropped half-way.
                1 => return Ok(()),
                // Fails: the same id again.
                2 => tx.start_conversation(names(id), None, 1).await.map(|_| ())?,
                _ => {}
            }
            tx.commit().await
        }));
    }
    for (id, task) in (0..).zip(tasks) {
        let result: Result<(), StoreError> = task.await.unwrap();
        assert_eq!(result.is_ok(), id % 4 != 2, "{id}: {result:?}");
        let kept = store.conversation(&id.to_string()).await.unwrap().is_some();
        assert_eq!(kept, [0, 3].contains(&(id % 4)), "{id}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_begins_again_leaves_the_first_conversation_behind() {
    let house = House::open().await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    let first = visitor.until("ack").await["conversation"].clone();
    visitor.message("bot").await;
    visitor.hello(Value::Null, Value::Null, 0).await;
    visitor.say(2, QUESTION).await;
    let (own, answer) = (visitor.message("visitor").await, visitor.message("bot").await);
    assert_eq!((&own["seq"], &answer["seq"]), (&json!(1), &json!(2)));
    assert_ne!(own["conversation"], first);
    // A visitor who has not written sees the owner come, too.
    let (mut guest, welcome) = house.greeted().await;
    assert_eq!(welcome["owner_online"], false);
    let owner = house.owner().await;
    let _console = house.console(&owner).await;
    assert_eq!(guest.until("presence").await["owner_online"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_fills_the_queue_by_asking_again_and_again() {
    let house = House::open().await;
    let mut begun = 0;
    let refused = loop {
        let (mut visitor, _) = house.greeted().await;
        visitor.send(&json!({ "type": "ask_person" })).await;
        let told = visitor.find(|f| f["type"] == "message" || f["type"] == "error").await;
        match told["code"].as_str() {
            Some(code) => break code.to_owned(),
            None => begun += 1,
        }
    };
    // The rate lets one more through for every second that this takes.
    assert_eq!(refused, "too_fast");
    assert!((60..120).contains(&begun), "{begun}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_nobody_took_marks_nothing_as_seen() {
    let house = House::open().await;
    let owner = house.owner().await;
    let mut console = house.console(&owner).await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    let id = visitor.until("ack").await["conversation"].as_str().unwrap().to_owned();
    visitor.message("bot").await;
    // As a console in the background does when its connection is back.
    console.send(&json!({ "type": "watch", "conversation": id })).await;
    console.until("receipts").await;
    house.get(&format!("/console/api/conversations/{id}"), &owner).await;
    let unread = async || house.running.app.store.overview(&id).await.unwrap().unwrap().unread;
    assert_eq!(unread().await, 1);
    console.send(&json!({ "type": "watch", "conversation": id, "last_seq": 2 })).await;
    visitor.find(|frame| frame["type"] == "receipts" && frame["owner_read"] == 2).await;
    assert_eq!(unread().await, 0);
}
