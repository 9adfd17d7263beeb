//! A model that fails in every way it can: the visitor hears of it once and gets a person, and people's own chat goes on.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::draft::Mode;
use engine::model::ModelError;
use engine::testing::ScriptedModel;
use serde_json::json;

use crate::house::{ANSWER, Gate, Hands, House, QUESTION, scripted};

/// A model that does `before` each token of a long text.
fn model(
    text: &str,
    before: impl Fn() -> Result<(), ModelError> + Send + Sync + 'static,
) -> ScriptedModel {
    scripted(HashMap::from([(String::new(), text.to_owned())]), before)
}

/// The visitor gets one answer, which has the words `says`, and `state` holds afterwards; the next message is taken.
async fn check(name: &str, (hands, model): (Hands, ScriptedModel), (says, state): (&str, &str)) {
    let house = House::timed(&hands, model, Mode::Compose).await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    let ack = visitor.until("ack").await;
    // The visitor has said all.
    hands.forward(3_000);
    house.running.app.desk.ring();
    let reply = visitor.message("bot").await;
    assert!(reply["text"].as_str().unwrap().contains(says), "{name}: {reply}");
    let id = ack["conversation"].as_str().unwrap();
    let row = house.running.app.store.conversation(id).await.unwrap().unwrap();
    assert_eq!(row.state, state, "{name}");
    visitor.say(2, "Is anybody there?").await;
    visitor.find(|frame| frame["type"] == "ack" && frame["seq"] == 3).await;
    let stored = house.running.app.store.messages(id, 0, 10).await.unwrap();
    let speakers: Vec<&str> = stored.iter().map(|message| message.speaker.as_str()).collect();
    assert_eq!(speakers, ["visitor", "bot", "visitor"], "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_model_does_a_person_is_asked_for_once() {
    const SORRY: (&str, &str) = ("went wrong on our side", "waiting");
    let hands = Hands::new;
    let fails = model(ANSWER, || Err(ModelError::Failed("NaN in the logits".into())));
    check("error", (hands(), fails), SORRY).await;
    check("panic", (hands(), model(ANSWER, || panic!("out of bounds"))), SORRY).await;
    let (time, own) = (hands(), hands());
    let slow = time.clone();
    let first = move || {
        slow.forward(61_000);
        Ok(())
    };
    check("slow", (time, model(ANSWER, first)), SORRY).await;
    let endless = own.clone();
    let each = move || {
        endless.forward(1_000);
        Ok(())
    };
    check("endless", (own, model(&"and again ".repeat(10_000), each)), SORRY).await;
    // What the model leaves unsaid is quoted.
    check("no token", (hands(), model("", || Ok(()))), ("7878", "bot")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_talk_while_the_model_hangs() {
    let gate = Gate::default();
    let house = House::with(gate.model(ANSWER), Mode::Compose).await;
    let (mut asking, _) = house.greeted().await;
    asking.say(1, QUESTION).await;
    gate.reached().await;
    let cookie = house.owner().await;
    let (mut talking, _) = house.greeted().await;
    talking.send(&json!({ "type": "ask_person" })).await;
    let id = talking.message("system").await["conversation"].as_str().unwrap().to_owned();
    let body =
        json!({ "client_msg_id": format!("{:032x}", 9), "text": "Here I am.", "suggestion": null });
    let path = format!("/console/api/conversations/{id}/messages");
    let answer = house.post(&path, &cookie, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(talking.message("owner").await["text"], "Here I am.");
    talking.say(2, "Thank you!").await;
    talking.until("ack").await;
    gate.open();
    assert_eq!(asking.message("bot").await["text"], ANSWER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_keeps_failing_is_left_alone_for_a_while() {
    let (asked, hands) = (Arc::new(AtomicUsize::new(0)), Hands::new());
    let count = Arc::clone(&asked);
    let fails = model(ANSWER, move || {
        count.fetch_add(1, Ordering::Relaxed);
        Err(ModelError::Failed("out of memory".into()))
    });
    let house = House::timed(&hands, fails, Mode::Compose).await;
    // After three failures nobody waits for a fourth; a while later it is tried again.
    for (number, rest, expect) in [(1, 0, 1), (2, 0, 2), (3, 0, 3), (4, 0, 3), (5, 60_000, 4)] {
        hands.forward(rest);
        let (mut visitor, _) = house.greeted().await;
        visitor.say(number, QUESTION).await;
        visitor.until("ack").await;
        hands.forward(3_000);
        house.running.app.desk.ring();
        let reply = visitor.message("bot").await;
        assert!(reply["text"].as_str().unwrap().contains("went wrong"), "{number}: {reply}");
        assert_eq!(asked.load(Ordering::Relaxed), expect, "{number}");
    }
}
