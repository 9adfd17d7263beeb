//! The stream of events: what is written of a conversation, who may read it, trials, conversions, webhooks.

use engine::metrics::event::What;
use serde_json::{Value, json};
use server::config::Settings;
use server::startup::Outside;
use server::store::events::{Cursor, Wanted};

use crate::house::{Client, Hands, House, QUESTION};

const SESSION: &str = "00000000000000000000000000000001";
const BROWSER: &str = "00000000000000000000000000000002";
const HOUR: i64 = 3_600_000;

fn opened(session: &str) -> Value {
    json!({ "type": "opened", "session": session, "visitor": BROWSER, "page": "https://shop.example/pricing?secret=1",
        "referrer": "https://search.example/?q=private", "campaign": "google / cpc / autumn" })
}

/// Names of a conversation's events, in their order.
async fn names(house: &House, id: &Value) -> Vec<String> {
    let events = house.running.app.store.events_of(id.as_str().unwrap()).await.unwrap();
    events.iter().map(|event| server::events::wire::name(&event.what).to_owned()).collect()
}

/// A visitor who has opened the chat in a visit, asked and been answered.
async fn chat(house: &House, session: &str) -> (Client, Value) {
    let (mut client, _) = house.greeted().await;
    client.send(&opened(session)).await;
    client.say(1, QUESTION).await;
    let id = client.until("ack").await["conversation"].clone();
    client.message("bot").await;
    (client, id)
}

async fn post(house: &House, cookie: &str, id: &Value, what: &str, body: &Value) -> u16 {
    let path = format!("/console/api/conversations/{}/{what}", id.as_str().unwrap());
    house.post(&path, cookie, body).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_leaves_its_whole_story() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let (mut client, id) = chat(&house, SESSION).await;
    post(&house, &cookie, &id, "take", &json!({})).await;
    let reply = json!({ "client_msg_id": "a".repeat(32), "text": "Hello, a person here." });
    assert_eq!(post(&house, &cookie, &id, "messages", &reply).await, 200);
    post(&house, &cookie, &id, "close", &json!({})).await;
    client.say(2, "One more thing").await;
    client.until("ack").await;
    let story = names(&house, &id).await;
    let expect = [
        "conversation_started",
        "message_sent",
        "reply_decided",
        "message_sent",
        "first_response",
        "taken_over",
        "message_sent",
        "message_sent",
        "first_response",
        "chat_resolved",
        "message_sent",
        "chat_reopened",
        "message_sent",
    ];
    assert_eq!(story[..expect.len()], expect, "{story:?}");
    let events = house.running.app.store.events_of(id.as_str().unwrap()).await.unwrap();
    assert!(events.iter().all(|event| event.session.as_deref() == Some(SESSION)));
    assert!(events.windows(2).all(|two| two[0].n < two[1].n));
    let What::ConversationStarted { visit, staging } = &events[0].what else {
        panic!("{events:?}")
    };
    assert_eq!((visit.page.as_str(), *staging), ("https://shop.example/pricing", false));
    assert_eq!(visit.referrer, "https://search.example/");
    assert!(matches!(&events[9].what, What::ChatResolved { turns: 3, .. }), "{:?}", events[9]);
    let texts = serde_json::to_string(&events).unwrap();
    assert!(!texts.contains("port") && !texts.contains("secret"), "no words of anybody: {texts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visit_is_told_once_and_bad_ones_are_refused() {
    let house = House::open().await;
    let (mut client, _) = house.greeted().await;
    for _ in 0..3 {
        client.send(&opened(SESSION)).await;
    }
    for session in ["x", ""] {
        client.send(&opened(session)).await;
        assert_eq!(client.until("error").await["code"], "bad_visit");
    }
    let wanted = Wanted { name: "chat_opened".into(), ..Wanted::default() };
    let events = house.running.app.store.events(&wanted, Cursor::After(0), 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].conversation.as_deref(), events[0].session.as_deref()),
        (None, Some(SESSION))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_reads_and_exports_the_stream() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let (_client, id) = chat(&house, SESSION).await;
    let newest = house.get("/console/api/events?limit=2", &cookie).await.json();
    let all = house.get("/console/api/events?after=0&limit=1000", &cookie).await.json();
    let all = all["events"].as_array().unwrap();
    assert_eq!(newest["events"].as_array().unwrap().len(), 2);
    assert_eq!(newest["events"][0]["n"], newest["head"]);
    assert_eq!(all.last().unwrap()["n"], newest["head"]);
    assert_eq!(
        (&all[0]["name"], &all[0]["data"]["visitor"]),
        (&json!("chat_opened"), &json!(BROWSER))
    );
    assert!(all[0]["at"].as_str().unwrap().ends_with('Z'));
    let of = format!("/console/api/events?conversation={}&name=message_sent", id.as_str().unwrap());
    assert_eq!(house.get(&of, &cookie).await.json()["events"].as_array().unwrap().len(), 2);
    let lines = house.get("/console/api/events/export?format=jsonl", &cookie).await.body;
    assert_eq!(lines.lines().filter(|line| line.starts_with('{')).count(), all.len());
    let csv = house.get("/console/api/events/export?format=csv", &cookie).await.body;
    assert!(csv.contains("n,id,at,name,conversation,session,data\r\n"), "{csv}");
    for (query, status) in [
        ("limit=0", 400),
        ("limit=1001", 400),
        ("name=nothing", 400),
        ("after=1&before=2", 400),
        ("after=x", 400),
        ("nonsense=1", 400),
        ("after=99999", 200),
    ] {
        let answer = house.get(&format!("/console/api/events?{query}"), &cookie).await;
        assert_eq!(answer.status, status, "{query}");
    }
    assert_eq!(house.get("/console/api/events", "").await.status, 401);
    assert_eq!(house.get("/console/api/events/export", "").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_is_marked_and_judged() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let trial = house.post("/console/api/events/staging", &cookie, &json!({})).await.json();
    let ticket = trial["ticket"].as_str().unwrap().to_owned();
    assert!(trial["url"].as_str().unwrap().ends_with(&format!("/?porchlight-trial={ticket}")));
    let check = format!("/console/api/events/check?ticket={ticket}");
    let before = house.get(&check, &cookie).await.json();
    let good = |report: &Value| {
        report["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == true).count()
    };
    let (_client, id) = chat(&house, &ticket).await;
    let after = house.get(&check, &cookie).await.json();
    assert_eq!(after["conversation"], id);
    assert!(good(&after) > good(&before), "{after}");
    let events = house.running.app.store.events_of(id.as_str().unwrap()).await.unwrap();
    assert!(matches!(&events[0].what, What::ConversationStarted { staging: true, .. }));
    // A visitor cannot make a trial of a visit.
    let (_other, id) = chat(&house, SESSION).await;
    let events = house.running.app.store.events_of(id.as_str().unwrap()).await.unwrap();
    assert!(matches!(&events[0].what, What::ConversationStarted { staging: false, .. }));
    let unknown = format!("/console/api/events/check?ticket={SESSION}");
    assert_eq!(house.get(&unknown, &cookie).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_need_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "a-key-of-thirty-two-characters-or\n").unwrap();
    let mut settings = Settings::default();
    settings.api.key_file = Some(key);
    let house = House::told("", settings, Outside::system().unwrap()).await;
    let (mut client, id) = chat(&house, SESSION).await;
    let ask = async |method: &str, path: &str, key: &str, body: &str| {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        );
        house.request(&head, body).await.status
    };
    assert_eq!(ask("GET", "/api/events", "a-key-of-thirty-two-characters-or", "").await, 200);
    let id = id.as_str().unwrap();
    for (body, status) in [
        (json!({ "conversation": id, "kind": "purchase", "value": 1_999, "currency": "EUR" }), 204),
        (json!({ "session": SESSION, "kind": "sign_up" }), 204),
        (json!({ "visitor": BROWSER, "kind": "sign_up" }), 204),
        (json!({ "visitor": SESSION, "kind": "sign_up" }), 404),
        (json!({ "kind": "sign_up" }), 404),
        (json!({ "conversation": id, "kind": "" }), 422),
        (json!({ "conversation": id, "kind": "purchase", "value": -1, "currency": "EUR" }), 422),
    ] {
        let answer =
            ask("POST", "/api/conversions", "a-key-of-thirty-two-characters-or", &body.to_string())
                .await;
        assert_eq!(answer, status, "{body}");
    }
    let guesses = [
        "",
        "a-key-of-thirty-two-characters-os",
        "a-key-of-thirty-two-characters-or-more",
        "secret",
        "A-Key-of-thirty-two-characters-or",
        "x",
        "y",
    ];
    let mut answers = Vec::new();
    for key in guesses {
        answers.push(ask("GET", "/api/events", key, "").await);
    }
    assert_eq!(answers, [401, 401, 401, 401, 401, 429, 429], "guessing has an end");
    assert_eq!(
        ask("POST", "/api/conversions", "a-key-of-thirty-two-characters-or", "{}").await,
        422,
        "the key goes on"
    );
    client
        .send(&json!({ "type": "converted", "kind": "purchase", "value": 500, "currency": "EUR" }))
        .await;
    client.send(&json!({ "type": "converted", "kind": "Bad!" })).await;
    assert_eq!(client.until("error").await["code"], "bad_conversion");
    let told = names(&house, &json!(id)).await;
    assert_eq!(told.iter().filter(|name| *name == "converted").count(), 3, "told today: {told:?}");
    // A page that is loaded again tells again.
    client.send(&json!({ "type": "converted", "kind": "download" })).await;
    client.send(&json!({ "type": "converted", "kind": "download" })).await;
    client.send(&json!({ "type": "converted", "kind": "Bad!" })).await;
    assert_eq!(client.until("error").await["code"], "bad_conversion");
    let told = names(&house, &json!(id)).await;
    assert_eq!(told.iter().filter(|name| *name == "converted").count(), 4, "{told:?}");
    let closed = House::open().await;
    let head = format!(
        "GET /api/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer x\r\n",
        closed.address
    );
    assert_eq!(closed.request(&head, "").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_hold_over_a_restart_and_count_the_office_hours() {
    let hands = Hands::new();
    // A Monday, 08:00 in Berlin.
    let monday = 1_783_317_600_000;
    hands.set(monday);
    let house =
        House::with_hours(&hands, "zone = \"Europe/Berlin\"\n[week]\nmonday = [\"09:00-17:00\"]\n")
            .await;
    let cookie = house.owner().await;
    let (client, id) = chat(&house, SESSION).await;
    drop(client);
    hands.forward(3 * HOUR);
    let house = house.again_at(&hands).await;
    let reply = json!({ "client_msg_id": "a".repeat(32), "text": "A person here." });
    assert_eq!(post(&house, &cookie, &id, "messages", &reply).await, 200);
    let events = house.running.app.store.events_of(id.as_str().unwrap()).await.unwrap();
    let first = events.iter().find_map(|event| match &event.what {
        What::FirstResponse { from: engine::turn::Speaker::Owner, ms, open_ms } => {
            Some((*ms, *open_ms))
        }
        _ => None,
    });
    let (ms, open_ms) = first.expect("a first response of a person");
    assert_eq!(ms, 3 * HOUR, "by the clock on the wall");
    assert_eq!(open_ms, Some(2 * HOUR), "open from nine on");
}
