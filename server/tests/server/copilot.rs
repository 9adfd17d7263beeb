//! Suggestions for the person who holds a conversation: one for every message, outdated by the next, and what became of each.

use serde_json::{Value, json};

use crate::house::{ANSWER, Client, House, QUESTION};

const BACKUP: &str = "How do I make a backup?";

/// A conversation that an owner holds and watches.
async fn held(house: &House) -> (String, Client, Client, String) {
    let cookie = house.owner().await;
    let (mut visitor, _) = house.greeted().await;
    visitor.send(&json!({ "type": "ask_person" })).await;
    let id = visitor.message("system").await["conversation"].as_str().unwrap().to_owned();
    let mut console = house.console(&cookie).await;
    console.send(&json!({ "type": "watch", "conversation": id })).await;
    act(house, &cookie, &format!("{id}/take"), json!({})).await;
    (cookie, visitor, console, id)
}

async fn act(house: &House, cookie: &str, path: &str, body: Value) {
    let answer = house.post(&format!("/console/api/conversations/{path}"), cookie, &body).await;
    assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
}

async fn suggestion(console: &mut Client, text: &str) -> Value {
    let fits = |f: &Value| {
        f["type"] == "suggestion"
            && f["suggestion"]["text"].as_str().is_some_and(|t| t.contains(text))
    };
    console.find(fits).await["suggestion"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_has_a_suggestion_that_the_next_one_outdates() {
    let house = House::open().await;
    let (cookie, mut visitor, mut console, id) = held(&house).await;
    visitor.say(1, QUESTION).await;
    let first = suggestion(&mut console, ANSWER).await;
    visitor.say(2, BACKUP).await;
    let gone = |f: &Value| f["type"] == "suggestion" && f["suggestion"].is_null();
    console.find(gone).await;
    let newer = |f: &Value| f["type"] == "suggestion" && f["suggestion"]["for_seq"] == 4;
    let second = console.find(newer).await["suggestion"].clone();
    assert_ne!(first["id"], second["id"]);
    let body =
        json!({ "client_msg_id": "9".repeat(32), "text": ANSWER, "suggestion": first["id"] });
    let path = format!("/console/api/conversations/{id}/messages");
    assert_eq!(house.post(&path, &cookie, &body).await.status, 404, "it is outdated");
    let own = json!({ "client_msg_id": "8".repeat(32), "text": "My own words.", "suggestion": first["id"] });
    assert_eq!(house.post(&path, &cookie, &own).await.status, 200, "a person's words are sent");
    let judged = house.running.app.store.verdicts(10).await.unwrap();
    assert_eq!(judged, [], "nobody has judged it");
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_are_listed_with_question_draft_and_what_was_sent() {
    let house = House::open().await;
    let (cookie, mut visitor, mut console, id) = held(&house).await;
    let messages = format!("{id}/messages");
    let write = |number: u32, text: &str, suggestion: &Value| json!({ "client_msg_id": format!("{number:032x}"), "text": text, "suggestion": suggestion });
    visitor.say(1, QUESTION).await;
    let draft = suggestion(&mut console, ANSWER).await;
    act(&house, &cookie, &messages, write(1, ANSWER, &draft["id"])).await;
    visitor.say(2, BACKUP).await;
    let draft = suggestion(&mut console, "copies").await;
    let sent = draft["text"].as_str().unwrap().replace("copies", "Kopien");
    act(&house, &cookie, &messages, write(2, &sent, &draft["id"])).await;
    visitor.say(3, QUESTION).await;
    let draft = suggestion(&mut console, ANSWER).await;
    let path = format!("{id}/suggestions/{}/discard", draft["id"].as_str().unwrap());
    act(&house, &cookie, &path, json!({})).await;

    let answer = house.get("/console/api/verdicts", &cookie).await.json();
    let mut rows = answer["verdicts"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["for_seq"].as_i64());
    let of = |key: &str| rows.iter().map(|row| row[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("question"), [QUESTION, BACKUP, QUESTION]);
    assert_eq!(of("status"), ["accepted", "edited", "discarded"]);
    assert_eq!(of("distance"), [json!(0), json!(2), Value::Null]);
    assert_eq!(of("sent"), [json!(ANSWER), json!(sent), Value::Null]);
    assert!(rows.iter().all(|row| row["confidence"].as_f64().is_some_and(|c| c > 0.0)), "{rows:?}");
    assert_eq!(house.get("/console/api/verdicts", "").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_visitor_reads_who_came_and_who_left() {
    let house = House::open().await;
    let (cookie, mut visitor, _console, id) = held(&house).await;
    assert_eq!(visitor.message("system").await["text"], "Ada joined the conversation.");
    act(&house, &cookie, &format!("{id}/hand-back"), json!({})).await;
    let left = "Ada left. The conversation is with the automatic assistant again.";
    assert_eq!(visitor.message("system").await["text"], left);
}
