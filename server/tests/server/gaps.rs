//! The loop that closes gaps: asked in vain, answered by a person, proposed, published through the gate, answered by the bot.

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::house::{House, PATIENCE, QUESTION};

const ASKED: &str = "Zebras juggle marmalade quietly?";
const AGAIN: &str = "Zebras juggle marmalade quietly today?";
const ANSWER: &str = "Zebras juggle marmalade quietly only on Mondays.";

async fn get(house: &House, path: &str, cookie: &str) -> Value {
    let answer = house.get(&format!("/console/api/{path}"), cookie).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

async fn post(house: &House, path: &str, cookie: &str, body: Value) -> (u16, Value) {
    let answer = house.post(&format!("/console/api/{path}"), cookie, &body).await;
    let json = if answer.body.is_empty() { Value::Null } else { answer.json() };
    (answer.status, json)
}

/// A visitor who asks something that nobody has written down; the conversation.
async fn asks(house: &House, question: &str) -> String {
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, question).await;
    let reply = visitor.message("bot").await;
    assert_eq!(reply["citations"], json!([]), "{reply}");
    reply["conversation"].as_str().unwrap().to_owned()
}

/// The owner answers and closes the conversation.
async fn answers(house: &House, cookie: &str, conversation: &str, texts: &[&str]) {
    let at = |what: &str| format!("conversations/{conversation}/{what}");
    assert_eq!(post(house, &at("take"), cookie, json!({})).await.0, 204);
    for (n, text) in texts.iter().enumerate() {
        let body =
            json!({ "client_msg_id": format!("{n:032x}"), "text": text, "suggestion": null });
        assert_eq!(post(house, &at("messages"), cookie, body).await.0, 200);
    }
    assert_eq!(post(house, &at("close"), cookie, json!({})).await.0, 204);
}

async fn gathered(house: &House, cookie: &str) -> Vec<Value> {
    let (status, found) = post(house, "gaps/refresh", cookie, json!({})).await;
    assert_eq!(status, 200, "{found}");
    assert!(found["as_of"].as_i64().is_some());
    found["gaps"].as_array().unwrap().clone()
}

fn accept(question: &str, answer: &str) -> Value {
    json!({ "question": question, "answer": answer, "action": "accept", "all_the_same": false })
}

/// Waits until another version answers.
async fn published(house: &House, before: &str) {
    let mut status = house.running.app.mind.knowledge.status();
    let other = status.wait_for(|status| status.version != before);
    timeout(PATIENCE, other).await.expect("in time").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_in_vain_is_answered_by_the_owners_words_the_next_time() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let empty = get(&house, "gaps", &cookie).await;
    assert_eq!((&empty["gaps"], &empty["as_of"]), (&json!([]), &Value::Null));
    let first = asks(&house, ASKED).await;
    asks(&house, AGAIN).await;
    let (mut known, _) = house.greeted().await;
    known.say(1, QUESTION).await;
    known.message("bot").await;

    let gaps = gathered(&house, &cookie).await;
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!((&gaps[0]["count"], &gaps[0]["proposal"]), (&json!(2), &Value::Null));
    answers(&house, &cookie, &first, &["Hi Jo,", ANSWER, "Best regards\nAda"]).await;
    let gaps = gathered(&house, &cookie).await;
    let proposal = &gaps[0]["proposal"];
    assert_eq!((&proposal["answer"], &proposal["status"]), (&json!(ANSWER), &json!("pending")));
    assert_eq!((&proposal["from"], &proposal["problem"]), (&json!([first]), &Value::Null));
    assert_eq!(gathered(&house, &cookie).await, gaps, "gathering again changes nothing");

    let before = house.running.app.mind.knowledge.status().borrow().version.clone();
    let id = proposal["id"].as_str().unwrap();
    let path = format!("gaps/proposals/{id}");
    assert_eq!(post(&house, &path, &cookie, accept(ASKED, " ")).await.0, 422);
    let (status, trial) = post(&house, &path, &cookie, accept(ASKED, ANSWER)).await;
    assert_eq!((status, &trial["passages"][0]["text"]), (200, &json!(ANSWER)), "{trial}");
    published(&house, &before).await;
    let (mut next, _) = house.greeted().await;
    next.say(1, ASKED).await;
    let reply = next.message("bot").await;
    assert_eq!(
        (&reply["text"], &reply["citations"][0]["doc"]),
        (&json!(ANSWER), &json!("from-chats.md")),
        "{reply}"
    );
    assert_eq!(
        post(&house, &path, &cookie, accept(ASKED, ANSWER)).await.1["error"]["code"],
        "settled"
    );
    let gaps = gathered(&house, &cookie).await;
    assert_eq!((gaps.len(), &gaps[0]["proposal"]["status"]), (1, &json!("accepted")));
    let golden = house.folder.path().join("knowledge/golden.jsonl");
    assert!(
        std::fs::read_to_string(golden).unwrap().contains(ASKED),
        "its question is a golden one"
    );
    let changes = get(&house, "gaps/changes", &cookie).await;
    assert_eq!(changes["from_version"], json!(before), "{changes}");
    let better: Vec<&Value> =
        changes["better"].as_array().unwrap().iter().map(|one| &one["question"]).collect();
    assert!(better.contains(&&json!(ASKED)), "{changes}");
    assert_eq!(changes["worse"], json!([]), "{changes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_proposal_does_not_come_back_and_an_owner_may_write_their_own() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let first = asks(&house, ASKED).await;
    answers(
        &house,
        &cookie,
        &first,
        &["Call +49 30 12345678 about marmalade, zebras juggle quietly."],
    )
    .await;
    let gaps = gathered(&house, &cookie).await;
    let proposal = &gaps[0]["proposal"];
    assert_eq!(proposal["answer"], "Call [phone] about marmalade, zebras juggle quietly.");
    assert!(proposal["problem"].as_str().unwrap().contains("[phone]"), "{proposal}");
    let path = format!("gaps/proposals/{}", proposal["id"].as_str().unwrap());
    let reject = json!({ "action": "reject" });
    assert_eq!(post(&house, &path, &cookie, reject.clone()).await.0, 204);
    let again = asks(&house, AGAIN).await;
    answers(&house, &cookie, &again, &[ANSWER]).await;
    let gaps = gathered(&house, &cookie).await;
    assert_eq!((gaps.len(), &gaps[0]["proposal"]["status"]), (1, &json!("rejected")), "{gaps:?}");

    asks(&house, "Quokkas fry bagels underwater?").await;
    let gaps = gathered(&house, &cookie).await;
    let open = gaps.iter().find(|gap| gap["proposal"].is_null()).unwrap();
    let path = format!("gaps/proposals/{}", open["id"].as_str().unwrap());
    let words = accept("Quokkas\n# fry?", "Only\n\n# at\n---\nnight.");
    assert_eq!(post(&house, &path, &cookie, words).await.0, 200);
    let page =
        std::fs::read_to_string(house.folder.path().join("knowledge/from-chats.md")).unwrap();
    assert_eq!(
        page,
        "# Questions from chats\n\n## Quokkas \\# fry?\n\nOnly\n\n\\# at\n\\---\nnight.\n"
    );
    for path in ["f".repeat(32), "x".into(), "%00".into()] {
        let answer = post(&house, &format!("gaps/proposals/{path}"), &cookie, reject.clone()).await;
        assert_eq!(answer.0, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_and_the_gate_keep_an_entry_out() {
    let house = House::open().await;
    let cookie = house.owner().await;
    for path in ["gaps", "gaps/changes", "gaps/autonomy"] {
        assert_eq!(house.get(&format!("/console/api/{path}"), "").await.status, 401, "{path}");
    }
    for path in ["gaps/refresh", "gaps/proposals/x"] {
        assert_eq!(post(&house, path, "", json!({})).await.0, 401, "{path}");
    }
    assert_eq!(get(&house, "gaps/autonomy", &cookie).await, json!({ "suggestions": [] }));
    let first = asks(&house, ASKED).await;
    answers(&house, &cookie, &first, &[ANSWER]).await;
    let gaps = gathered(&house, &cookie).await;
    let path = format!("gaps/proposals/{}", gaps[0]["proposal"]["id"].as_str().unwrap());
    let golden = json!({ "question": ASKED }).to_string();
    std::fs::write(house.folder.path().join("knowledge/golden.jsonl"), golden).unwrap();
    let (status, stopped) = post(&house, &path, &cookie, accept(ASKED, ANSWER)).await;
    assert_eq!((status, &stopped["error"]["code"]), (409, &json!("answers_lost")), "{stopped}");
    assert_eq!(stopped["trial"]["flips"][0]["question"], ASKED);
    assert!(!house.folder.path().join("knowledge/from-chats.md").exists());

    let version = house.running.app.mind.knowledge.status().borrow().version.clone();
    let pin = json!({ "id": version });
    assert_eq!(post(&house, "knowledge/rollback", &cookie, pin).await.0, 204);
    let mut status = house.running.app.mind.knowledge.status();
    timeout(PATIENCE, status.wait_for(|status| status.pinned.is_some())).await.unwrap().unwrap();
    let (status, refused) = post(&house, &path, &cookie, accept(ASKED, ANSWER)).await;
    assert_eq!((status, &refused["error"]["code"]), (409, &json!("pinned")), "{refused}");
    assert_eq!(gathered(&house, &cookie).await[0]["proposal"]["status"], "pending");
}
