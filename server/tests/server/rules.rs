//! What the owner sees and chooses of the rules: how sure is sure enough, and what verdicts make of it.

use engine::confidence::{RiskCurve, Signals};
use engine::draft::Mode;
use engine::testing::ScriptedModel;
use serde_json::{Value, json};
use server::tuning::{Counted, Picture};
use tokio::time::timeout;

use crate::house::{ANSWER, House, PATIENCE, QUESTION};

/// Waits until the tuning has come about so.
async fn until(house: &House, wanted: impl Fn(&Picture) -> bool) -> Picture {
    let mut picture = house.running.app.mind.tuning.picture();
    let found = timeout(PATIENCE, picture.wait_for(|picture| wanted(picture))).await;
    found.expect("the tuning was due").unwrap().clone()
}

async fn choose(house: &House, cookie: &str, share: Value) -> (u16, Value) {
    let body = json!({ "at_most_wrong": share });
    let answer = house.post("/console/api/rules/wrong", cookie, &body).await;
    (answer.status, answer.json())
}

/// What became of a visitor's question.
async fn asked(house: &House) -> Value {
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    visitor.message("bot").await["text"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_sees_every_rule_with_its_line() {
    let house = House::open().await;
    assert_eq!(house.get("/console/api/rules", "").await.status, 401);
    let cookie = house.owner().await;
    let rules = house.get("/console/api/rules", &cookie).await.json();
    let policy = house.folder.path().join("prompts/policy.toml");
    let policy = std::fs::read_to_string(policy).unwrap();
    let lines: Vec<&str> = policy.lines().collect();
    let listed = rules["rules"].as_array().unwrap();
    assert_eq!(listed.len(), lines.iter().filter(|line| **line == "[[rule]]").count());
    for rule in listed {
        let line = usize::try_from(rule["line"].as_u64().unwrap()).unwrap();
        assert_eq!(lines[line - 1], "[[rule]]", "{rule}");
        assert_eq!(lines[line], format!("id = {}", rule["id"]));
        assert!(!rule["why"].as_str().unwrap().is_empty());
    }
    assert_eq!(
        rules["intents"][0],
        json!({ "id": "billing", "autonomy": "draft", "send_at": null, "hold_at": null })
    );
    assert_eq!((&rules["guardrails"], &rules["style"]["sentences"]), (&json!([]), &Value::Null));
    assert_eq!(rules["tuning"]["curve"].as_array().unwrap().len(), 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_share_of_wrong_answers_counts_at_once_and_after_a_restart() {
    let house = House::open().await;
    let cookie = house.owner().await;
    for share in [json!(0.0), json!(0.5), json!("much"), json!(-1)] {
        assert!((400..=422).contains(&choose(&house, &cookie, share.clone()).await.0), "{share}");
    }
    assert_eq!(choose(&house, "", json!(0.05)).await.0, 401);
    assert_eq!(asked(&house).await, ANSWER);
    // The headings of these documents are found by all, so that next to nothing may be wrong of what is sent.
    let (status, tuning) = choose(&house, &cookie, json!(0.01)).await;
    assert_eq!((status, &tuning["at_most_wrong"]), (200, &json!(0.01)), "{tuning}");
    assert_ne!(asked(&house).await, ANSWER);
    let house = house.again(ScriptedModel::default(), Mode::Quote).await;
    assert_ne!(asked(&house).await, ANSWER);
    assert_eq!(choose(&house, &cookie, Value::Null).await.1["at_most_wrong"], Value::Null);
    assert_eq!(asked(&house).await, ANSWER);
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_lower_the_confidence_and_headings_stand_for_questions_at_first() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let first = until(&house, |picture| picture.curve != RiskCurve::default()).await;
    assert_eq!(first.verdicts, Counted::default());
    let (mut visitor, _) = house.greeted().await;
    visitor.send(&json!({ "type": "ask_person" })).await;
    let id = visitor.message("system").await["conversation"].as_str().unwrap().to_owned();
    house.post(&format!("/console/api/conversations/{id}/take"), &cookie, &json!({})).await;
    visitor.say(1, QUESTION).await;
    let mut console = house.console(&cookie).await;
    console.send(&json!({ "type": "watch", "conversation": id })).await;
    let frame = console.find(|f| f["type"] == "suggestion" && !f["suggestion"].is_null()).await;
    let suggestion = frame["suggestion"]["id"].as_str().unwrap();
    let path = format!("/console/api/conversations/{id}/suggestions/{suggestion}/discard");
    assert_eq!(house.post(&path, &cookie, &json!({})).await.status, 204);
    let after = until(&house, |picture| picture.verdicts.wrong == 1).await;
    let sure = Signals { cosine: 0.7, unit: 0.8, typical: 0.3, support: 1.0, ..Signals::default() };
    let value = |picture: &Picture| picture.tuned.calibration.confidence(sure).value;
    assert!(value(&after) < value(&first), "{after:?}");
}
