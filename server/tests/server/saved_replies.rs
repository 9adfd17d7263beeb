//! Saved replies: made, edited, deleted, bounded, and only for the owner.

use engine::draft::Mode;
use engine::testing::ScriptedModel;
use serde_json::{Value, json};

use crate::house::House;

const PATH: &str = "/console/api/saved-replies";

async fn listed(house: &House, cookie: &str) -> Vec<Value> {
    let list = house.get(PATH, cookie).await.json()["replies"].clone();
    list.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_replies_are_made_edited_and_deleted() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let body = json!({ "title": " Refund ", "text": "We paid {amount} back.", "intent": "refund" });
    let made = house.post(PATH, &cookie, &body).await.json();
    assert_eq!((&made["title"], &made["intent"]), (&json!("Refund"), &json!("refund")));
    let one = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let body = json!({ "title": "Refund", "text": "{amount} is on its way.", "intent": "" });
    assert_eq!(house.post(&one, &cookie, &body).await.status, 200);
    let house = house.again(ScriptedModel::default(), Mode::Quote).await;
    let kept = listed(&house, &cookie).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (&kept[0]["text"], &kept[0]["intent"]),
        (&json!("{amount} is on its way."), &Value::Null)
    );
    assert_eq!(house.post(&format!("{one}/delete"), &cookie, &json!({})).await.status, 204);
    assert_eq!(house.post(&format!("{one}/delete"), &cookie, &json!({})).await.status, 404);
    assert_eq!(house.post(&one, &cookie, &body).await.status, 404);
    assert_eq!(listed(&house, &cookie).await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_replies_are_checked_and_bounded() {
    let house = House::open().await;
    let cookie = house.owner().await;
    for (body, status) in [
        (json!({ "title": "", "text": "x" }), 422),
        (json!({ "title": "x".repeat(81), "text": "x" }), 422),
        (json!({ "title": "x", "text": " " }), 422),
        (json!({ "title": "x", "text": "x".repeat(4_001) }), 422),
        (json!({ "title": "x", "text": "x", "intent": "y".repeat(201) }), 422),
        (json!({ "title": "x", "text": "x", "colour": "red" }), 422),
        (json!({ "title": "x" }), 422),
    ] {
        assert_eq!(house.post(PATH, &cookie, &body).await.status, status, "{body}");
        assert_eq!(house.post(PATH, "", &body).await.status, 401, "without a cookie");
    }
    assert_eq!(house.get(PATH, "").await.status, 401);
    for number in 0..200 {
        let body = json!({ "title": format!("Reply {number}"), "text": "x" });
        assert_eq!(house.post(PATH, &cookie, &body).await.status, 200, "{number}");
    }
    let answer = house.post(PATH, &cookie, &json!({ "title": "one more", "text": "x" })).await;
    assert_eq!(
        (answer.status, answer.json()["error"]["code"].clone()),
        (409, json!("too_many_replies"))
    );
    assert_eq!(listed(&house, &cookie).await.len(), 200);
}
