//! Tags of visitors' messages: seen live, put right by the owner, and learned from; prompts that change while the server runs.

use engine::draft::Mode;
use engine::testing::ScriptedModel;
use serde_json::{Value, json};
use server::prompts::Status;
use tokio::time::timeout;

use crate::house::{Client, House, PATIENCE};

const PRICE: &str = "How much does it cost per month?";
const WEATHER: &str = "What will the weather be like tomorrow?";

/// A visitor who has said something, and the conversation.
async fn said(house: &House, text: &str) -> (Client, String) {
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, text).await;
    let id = visitor.until("ack").await["conversation"].as_str().unwrap().to_owned();
    (visitor, id)
}

/// A console that watches the conversation.
async fn watching(house: &House, cookie: &str, id: &str) -> Client {
    let mut console = house.console(cookie).await;
    console.send(&json!({ "type": "watch", "conversation": id })).await;
    // The answer to `watch` is the conversation's line.
    console.until("conversation").await;
    console
}

async fn detail(house: &House, cookie: &str, id: &str) -> Value {
    house.get(&format!("/console/api/conversations/{id}"), cookie).await.json()
}

/// The tag that the owner's list has for the conversation once it is `label`.
async fn listed(console: &mut Client, id: &str, label: &str) {
    let wanted = |frame: &Value| {
        frame["type"] == "conversation"
            && frame["conversation"]["id"] == id
            && frame["conversation"]["tag"] == label
    };
    console.find(wanted).await;
}

async fn correct(house: &House, cookie: &str, (id, seq): (&str, i64), intent: &str) -> u16 {
    let path = format!("/console/api/conversations/{id}/tags/{seq}");
    house.post(&path, cookie, &json!({ "intent": intent })).await.status
}

/// Waits until the prompts stand so.
async fn until(house: &House, wanted: impl Fn(&Status) -> bool) -> Status {
    let mut status = house.running.app.mind.prompts.status();
    let found = timeout(PATIENCE, status.wait_for(|status| wanted(status))).await;
    found.expect("the prompts never stood so").unwrap().clone()
}

fn edition(house: &House) -> u64 {
    house.running.app.mind.prompts.status().borrow().edition
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_has_its_tag_whoever_holds_the_chat() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let mut list = house.console(&cookie).await;
    let (mut visitor, id) = said(&house, PRICE).await;
    listed(&mut list, &id, "Pricing").await;
    let mut console = watching(&house, &cookie, &id).await;
    visitor.message("bot").await;
    visitor.say(2, WEATHER).await;
    let frame = console.find(|f| f["type"] == "reading" && !f["reading"].is_null()).await;
    assert_eq!(frame["reading"]["tags"][0]["id"], "off_topic", "{frame}");
    assert_eq!(frame["reading"]["tags"].as_array().unwrap().len(), 1, "an answer of its own");
    listed(&mut list, &id, "Off topic").await;

    let take = format!("/console/api/conversations/{id}/take");
    assert_eq!(house.post(&take, &cookie, &json!({})).await.status, 204);
    visitor.say(3, PRICE).await;
    listed(&mut list, &id, "Pricing").await;
    let readings = detail(&house, &cookie, &id).await["readings"].clone();
    let first: Vec<&Value> =
        readings.as_array().unwrap().iter().map(|one| &one["tags"][0]["id"]).collect();
    assert_eq!(first, ["pricing", "off_topic", "pricing"]);
    let secondary = readings.as_array().unwrap().iter().map(|one| one["tags"].as_array());
    assert!(secondary.flatten().all(|tags| (1..=3).contains(&tags.len())), "{readings}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_tag_is_learned_survives_a_restart_and_is_taken_back() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let (_visitor, id) = said(&house, WEATHER).await;
    let mut console = watching(&house, &cookie, &id).await;
    if detail(&house, &cookie, &id).await["readings"] == json!([]) {
        console.until("reading").await;
    }
    let before = edition(&house);
    assert_eq!(correct(&house, &cookie, (&id, 1), "pricing").await, 204);
    let frame = console.find(|f| !f["reading"]["corrected"].is_null()).await;
    assert_eq!(frame["reading"]["corrected"], json!({ "id": "pricing", "label": "Pricing" }));
    assert_eq!(frame["reading"]["tags"][0]["id"], "off_topic", "what was read is kept");
    let summary = detail(&house, &cookie, &id).await["conversation"].clone();
    assert_eq!(summary["tag"], "Pricing", "at once");
    until(&house, |status| status.edition > before).await;
    let mut list = house.console(&cookie).await;
    let (_other, other) = said(&house, WEATHER).await;
    listed(&mut list, &other, "Pricing").await;

    let house = house.again(ScriptedModel::default(), Mode::Quote).await;
    let mut list = house.console(&cookie).await;
    let (_other, other) = said(&house, WEATHER).await;
    listed(&mut list, &other, "Pricing").await;
    let examples = house.get("/console/api/intents", &cookie).await.json()["examples"].clone();
    assert_eq!((&examples[0]["text"], &examples[1]), (&json!(WEATHER), &Value::Null));
    let before = edition(&house);
    let forget =
        format!("/console/api/intents/examples/{}/forget", examples[0]["id"].as_str().unwrap());
    assert_eq!(house.post(&forget, &cookie, &json!({})).await.status, 204);
    assert_eq!(house.post(&forget, &cookie, &json!({})).await.status, 404);
    listed(&mut list, &id, "Off topic").await;
    until(&house, |status| status.edition > before).await;
    let (_other, other) = said(&house, WEATHER).await;
    listed(&mut list, &other, "Off topic").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_are_checked_and_bounded() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let (mut visitor, id) = said(&house, PRICE).await;
    visitor.message("bot").await;
    for (at, seq, intent, status) in [
        (id.as_str(), 1, "no-such-intent", 422),
        (&id, 2, "pricing", 404),
        (&id, 9, "pricing", 404),
        ("f", 1, "pricing", 404),
        (&id, 1, "off_topic", 204),
    ] {
        assert_eq!(
            correct(&house, &cookie, (at, seq), intent).await,
            status,
            "{at} {seq} {intent}"
        );
        assert_eq!(correct(&house, "", (at, seq), intent).await, 401, "without a cookie");
    }
    let (mut visitor, id) = said(&house, &"price ".repeat(300)).await;
    for number in 2..=24 {
        visitor.say(number, &format!("what is the price of number {number}")).await;
        visitor.until("ack").await;
    }
    let messages = detail(&house, &cookie, &id).await["messages"].clone();
    let own = messages.as_array().unwrap().iter().filter(|message| message["from"] == "visitor");
    for message in own {
        let seq = message["seq"].as_i64().unwrap();
        assert_eq!(correct(&house, &cookie, (&id, seq), "pricing").await, 204);
    }
    let examples = house.get("/console/api/intents", &cookie).await.json()["examples"].clone();
    let examples = examples.as_array().unwrap();
    let pricing: Vec<&Value> = examples.iter().filter(|one| one["intent"] == "pricing").collect();
    assert_eq!((pricing.len(), examples.len()), (20, 21), "the newest of each intent");
    let newest = |one: &&Value| one["text"].as_str().unwrap().ends_with("number 24");
    assert!(pricing.iter().any(newest), "{pricing:?}");
    let longest = pricing.iter().map(|one| one["text"].as_str().unwrap().chars().count()).max();
    assert!(longest <= Some(400), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_the_prompts_counts_without_a_restart_and_a_bad_one_does_not() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let file = house.folder.path().join("prompts/intents.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let mut list = house.console(&cookie).await;
    std::fs::write(&file, good.replace("label = \"Pricing\"", "label = \"What it costs\""))
        .unwrap();
    until(&house, |status| status.edition > 1).await;
    let (_visitor, id) = said(&house, PRICE).await;
    listed(&mut list, &id, "What it costs").await;

    std::fs::write(
        &file,
        format!("{good}\n[[intent]]\nid = \"new\"\nlabel = \"New\"\nexamples = []\n"),
    )
    .unwrap();
    let bad = until(&house, |status| status.problem.is_some()).await;
    let line = good.lines().count() + 2;
    let problem = bad.problem.unwrap();
    assert!(
        problem.contains("intents.toml: line ")
            && problem.contains(&format!("line {line}: the intent `new` has no examples; give it")),
        "{problem}"
    );
    let shown = house.get("/console/api/intents", &cookie).await.json()["prompts"].clone();
    assert_eq!(shown["problem"], problem);
    let (_visitor, id) = said(&house, PRICE).await;
    listed(&mut list, &id, "What it costs").await;
    // What the owner puts right counts beside a bad file too.
    assert_eq!(correct(&house, &cookie, (&id, 1), "billing").await, 204);
    let learned = until(&house, |status| status.edition > bad.edition).await;
    assert_eq!(learned.problem, Some(problem));

    std::fs::write(&file, &good).unwrap();
    until(&house, |status| status.problem.is_none()).await;
    let policy = house.folder.path().join("prompts/policy.toml");
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, text.replace("turn_cap = 12", "turn_cap = 0")).unwrap();
    let before = edition(&house);
    until(&house, |status| status.edition > before).await;
    let (mut visitor, _) = said(&house, PRICE).await;
    let reply = visitor.message("bot").await["text"].clone();
    assert!(reply.as_str().unwrap().contains("do not seem to get you any further"), "{reply}");
}

/// An intent that the file has no more keeps its example; it is learned from again once the intent is back.
#[tokio::test(flavor = "multi_thread")]
async fn examples_of_an_intent_that_is_gone_are_kept() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let file = house.folder.path().join("prompts/intents.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let added = format!(
        "{good}\n[[intent]]\nid = \"weather\"\nlabel = \"Weather\"\nexamples = [\"is it sunny\"]\n"
    );
    std::fs::write(&file, &added).unwrap();
    until(&house, |status| status.edition > 1).await;
    let (_visitor, id) = said(&house, WEATHER).await;
    let before = edition(&house);
    assert_eq!(correct(&house, &cookie, (&id, 1), "weather").await, 204);
    until(&house, |status| status.edition > before).await;
    let mut list = house.console(&cookie).await;
    for (text, tag) in [(&good, "Off topic"), (&added, "Weather")] {
        let before = edition(&house);
        std::fs::write(&file, text).unwrap();
        until(&house, |status| status.edition > before).await;
        let (_visitor, id) = said(&house, WEATHER).await;
        listed(&mut list, &id, tag).await;
        let examples = house.get("/console/api/intents", &cookie).await.json()["examples"].clone();
        assert_eq!(examples[0]["intent"], "weather");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_visitor_names_is_told_to_the_console() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let file = house.folder.path().join("prompts/intents.toml");
    let own = "[entities]\norder_id = { pattern = 'P-\\d{4,8}' }\n\n[[intent]]";
    let text = std::fs::read_to_string(&file).unwrap().replacen("[[intent]]", own, 1);
    std::fs::write(&file, text).unwrap();
    until(&house, |status| status.edition > 1).await;
    let (mut visitor, id) = said(&house, "Where is P-1234? I am ada@example.org").await;
    visitor.message("bot").await;
    let mut console = watching(&house, &cookie, &id).await;
    visitor.say(2, "It cost €12,50, order p-1234").await;
    let frame = console.find(|f| f["type"] == "reading" && f["seq"] == 3).await;
    let named = json!([
        { "kind": "order_id", "text": "p-1234", "value": "p-1234", "seq": 3 },
        { "kind": "amount", "text": "€12,50", "value": "12.50 EUR", "seq": 3 },
        { "kind": "email", "text": "ada@example.org", "value": "ada@example.org", "seq": 1 },
    ]);
    assert_eq!(frame["named"], named);
    assert_eq!(detail(&house, &cookie, &id).await["named"], named);
}
