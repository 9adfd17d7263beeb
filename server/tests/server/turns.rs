//! Turns: several quick messages get one reply, when the visitor has fallen silent.

use engine::draft::Mode;
use engine::testing::ScriptedModel;
use serde_json::{Value, json};
use server::store::jobs::Due;

use crate::house::{ANSWER, Client, Hands, House, QUESTION};

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
