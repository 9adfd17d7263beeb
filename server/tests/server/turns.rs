//! Turns: several quick messages get one reply, when the visitor has fallen silent.

use std::collections::HashMap;

use engine::draft::Mode;
use engine::testing::ScriptedModel;
use serde_json::{Value, json};
use server::config::Stream;
use server::store::jobs::Due;

use crate::house::{ANSWER, Client, Gate, Hands, House, QUESTION, scripted};

/// A visitor in a house whose time is `hands`.
async fn timed() -> (Hands, House, Client, Value) {
    let hands = Hands::new();
    let house = House::timed(&hands, ScriptedModel::default(), Mode::Quote).await;
    let (visitor, welcome) = house.greeted().await;
    (hands, house, visitor, welcome["token"].clone())
}

/// When the reply is due, counted from `since`.
async fn due(house: &House, conversation: &str, since: i64) -> Option<(i64, i64)> {
    let due = house.running.app.store.waiting_job(conversation).await.unwrap();
    due.map(|Due { at, by }| (at - since, by - since))
}

#[tokio::test(flavor = "multi_thread")]
async fn several_quick_messages_get_one_reply_when_the_visitor_is_silent() {
    let (hands, house, mut visitor, _) = timed().await;
    let began = hands.now();
    let mut conversation = String::new();
    for (number, text, expect) in
        [(1, "Hi", 700), (2, "one thing", 1_300), (3, QUESTION, 1_200 + 700 / 3)]
    {
        visitor.say(number, text).await;
        let ack = visitor.until("ack").await;
        conversation = ack["conversation"].as_str().unwrap().to_owned();
        assert_eq!(due(&house, &conversation, began).await, Some((expect, 3_000)), "{text}");
        hands.forward(600);
    }
    house.running.app.desk.ring();
    let reply = visitor.message("bot").await;
    assert_eq!((&reply["seq"], &reply["text"]), (&json!(4), &json!(ANSWER)), "{reply}");
    assert_eq!(due(&house, &conversation, began).await, None, "nothing else is due");
    let decisions = house.running.app.store.decisions(&conversation).await.unwrap();
    assert_eq!(decisions.len(), 1, "{decisions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_keep_coming_are_answered_all_the_same() {
    let (hands, house, mut visitor, _) = timed().await;
    let began = hands.now();
    for (number, expect) in (1..=5).zip([700, 1_300, 1_900, 2_500, 3_000]) {
        visitor.say(number, "and the port").await;
        let ack = visitor.until("ack").await;
        let conversation = ack["conversation"].as_str().unwrap();
        assert_eq!(due(&house, conversation, began).await, Some((expect, 3_000)));
        hands.forward(600);
    }
    house.running.app.desk.ring();
    assert_eq!(visitor.message("bot").await["seq"], 6);
    // The next words have a turn of their own.
    visitor.say(6, "and backups").await;
    let ack = visitor.until("ack").await;
    let conversation = ack["conversation"].as_str().unwrap();
    assert_eq!(due(&house, conversation, hands.now()).await, Some((700, 3_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_types_is_waited_for() {
    let (hands, house, mut visitor, token) = timed().await;
    let began = hands.now();
    visitor.say(1, "Hi").await;
    let ack = visitor.until("ack").await;
    let conversation = ack["conversation"].as_str().unwrap();
    for (on, after, expect) in [(true, 100, 3_000), (true, 100, 3_000), (false, 900, 1_800)] {
        hands.forward(after);
        visitor.send(&json!({ "type": "typing", "on": on })).await;
        // Frames are handled in order; the answer to this one says that the last was.
        visitor.hello(token.clone(), ack["conversation"].clone(), 1).await;
        assert_eq!(due(&house, conversation, began).await, Some((expect, 3_000)), "{on}");
    }
    hands.forward(700);
    house.running.app.desk.ring();
    assert_eq!(visitor.message("bot").await["seq"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_has_a_line_and_the_end_of_the_draft_ends_it() {
    let gate = Gate::default();
    let house = House::with(gate.model(ANSWER), Mode::Compose).await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    let typing = visitor.find(|f| f["type"] == "typing" && f["on"] == true).await;
    assert_eq!(typing["status"], json!({ "text": "Looking that up…", "after_ms": 1_000 }));
    assert!(typing["expires_ms"].is_u64(), "it ends by itself: {typing}");
    // A person comes first: what was begun is taken back, the line with it.
    gate.reached().await;
    visitor.send(&json!({ "type": "ask_person" })).await;
    gate.open();
    let over = visitor.find(|f| f["type"] == "typing" && f["on"] == false).await;
    assert!(over["status"].is_null(), "{over}");
    let id = visitor_conversation(&house).await;
    let messages = house.running.app.store.messages(&id, 0, 10).await.unwrap();
    let texts: Vec<String> = messages.into_iter().map(|message| message.text).collect();
    assert!(texts.iter().all(|text| !text.contains("Looking")), "{texts:?}");
}

/// The only conversation of a house.
async fn visitor_conversation(house: &House) -> String {
    house.running.app.store.conversation_ids("", 2).await.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_language_is_handed_to_a_person_in_that_language() {
    let house = House::open().await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, "Wie kann ich den Port ändern, auf dem Porchlight hört?").await;
    let typing = visitor.find(|f| f["type"] == "typing" && f["on"] == true).await;
    assert_eq!(typing["status"]["text"], "Ich sehe nach …");
    let reply = visitor.message("bot").await;
    assert!(reply["text"].as_str().unwrap().contains("jemanden gebeten"), "{reply}");
    assert_eq!(visitor.until("state").await["state"], "waiting");
    let conversation = visitor_conversation(&house).await;
    let (_, decision) = house.running.app.store.decisions(&conversation).await.unwrap().remove(0);
    let decision: Value = serde_json::from_str(&decision).unwrap();
    assert_eq!(
        (&decision["rule"], &decision["reason"]),
        (&json!("language:de"), &json!("other_language"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guardrail_keeps_back_never_reaches_the_visitor() {
    let guardrail =
        "[[guardrail]]\nid = 'no-ports'\naction = 'hold'\nwords = ['unless you change']\n";
    for stream in [Stream::Tokens, Stream::Sentences] {
        let scripts = HashMap::from([(String::new(), ANSWER.to_owned())]);
        let model = (scripted(scripts, || Ok(())), Mode::Compose);
        let house = House::ruled(guardrail, stream, model).await;
        let (mut visitor, _) = house.greeted().await;
        visitor.say(1, QUESTION).await;
        let mut seen = String::new();
        let reply =
            visitor.find_all(&mut seen, |f| f["type"] == "message" && f["from"] == "bot").await;
        assert!(!seen.contains("7878"), "{stream:?}: {seen}");
        assert!(reply["text"].as_str().unwrap().contains("take a quick look"), "{reply}");
        let conversation = visitor_conversation(&house).await;
        let held = house.running.app.store.open_suggestion(&conversation).await.unwrap().unwrap();
        assert_eq!(held.text, ANSWER, "the owner decides");
        let (_, decision) =
            house.running.app.store.decisions(&conversation).await.unwrap().remove(0);
        assert!(decision.contains("\"rule\":\"no-ports\""), "{decision}");
    }
}
