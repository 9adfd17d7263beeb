//! Flows through the whole server: a lead in any order, interrupted, after a reload and a restart; steps and checklists; what the
//! owner sees and takes home of it.

use engine::draft::Mode;
use engine::testing::ScriptedModel;
use serde_json::{Value, json};

use crate::house::{ANSWER, Client, House, QUESTION};

/// The shipped flows.
pub(crate) const FLOWS: &str = include_str!("../../../prompts/flows.toml");
const PRICE: (&str, &str) = (
    "price-and-scope.md",
    "# Price\n\n## How much does Porchlight cost?\n\nPorchlight is free. There is no paid plan.\n",
);
const WALK: (&str, &str) = (
    "walk-through.md",
    "# Set up\n\n## Can you walk me through the set-up?\n\n1. Install Rust.\n2. Run `cargo run`.\n3. Open the link.\n",
);

/// Says something and hears the bot's answer.
async fn ask(visitor: &mut Client, number: u32, text: &str) -> Value {
    visitor.say(number, text).await;
    visitor.message("bot").await
}

/// A visitor who comes back with what the browser has kept.
async fn resumed(house: &House, welcome: &Value, message: &Value) -> Client {
    let mut visitor = house.visitor().await;
    let seq = message["seq"].as_i64().unwrap();
    let welcome =
        visitor.hello(welcome["token"].clone(), message["conversation"].clone(), seq).await;
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    visitor
}

fn text(message: &Value) -> &str {
    message["text"].as_str().unwrap()
}

async fn leads(house: &House, cookie: &str) -> Value {
    house.get("/console/api/leads", cookie).await.json()["leads"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_outlives_a_question_a_reload_and_a_restart() {
    let house = House::flowing(FLOWS, &[PRICE, WALK]).await;
    let cookie = house.owner().await;
    let (mut visitor, welcome) = house.greeted().await;
    let said = ask(&mut visitor, 1, "Can someone from sales call me? kim@example.org").await;
    assert!(text(&said).contains("I have noted kim@example.org. How many people"), "{said}");
    assert_eq!(said["card"], json!({ "kind": "choices", "options": ["Skip", "Stop"] }));
    let said = ask(&mut visitor, 2, QUESTION).await;
    assert!(text(&said).contains(ANSWER) && text(&said).contains("To go on: How many"), "{said}");
    assert_eq!(said["card"]["options"][0], "Skip");
    drop(visitor);
    let mut visitor = resumed(&house, &welcome, &said).await;
    let said = ask(&mut visitor, 3, "there's 25 of us").await;
    assert!(text(&said).contains("25 people"), "{said}");
    let open = leads(&house, &cookie).await;
    assert_eq!((&open[0]["status"], &open[0]["level"]), (&json!("open"), &json!("high")));
    drop(visitor);
    let house = house.again(ScriptedModel::default(), Mode::Quote).await;
    let mut visitor = resumed(&house, &welcome, &said).await;
    ask(&mut visitor, 4, "to answer questions about our lamps").await;
    visitor.say(5, "asap").await;
    let said = visitor.message("bot").await;
    assert!(text(&said).contains("I have asked a person to join"), "{said}");
    let all = leads(&house, &cookie).await;
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert_eq!((&all[0]["status"], &all[0]["flow"]), (&json!("complete"), &json!("Talk to sales")));
    let values: Vec<&str> = all[0]["slots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["value"].as_str().unwrap())
        .collect();
    assert_eq!(
        values,
        ["kim@example.org", "25", "to answer questions about our lamps", "This month"]
    );
    let id = all[0]["conversation"].as_str().unwrap();
    let row = house.running.app.store.conversation(id).await.unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.reason.as_deref()), ("waiting", Some("lead")));
}

#[tokio::test(flavor = "multi_thread")]
async fn leads_are_taken_home_and_hold_no_formula() {
    let house = House::flowing(FLOWS, &[PRICE, WALK]).await;
    let cookie = house.owner().await;
    let (mut visitor, _) = house.greeted().await;
    ask(&mut visitor, 1, "I want to talk to sales, kim@example.org, 3 people").await;
    ask(&mut visitor, 2, "=HYPERLINK(\"http://x.example\")").await;
    let said = ask(&mut visitor, 3, "Just looking").await;
    assert!(text(&said).contains("Porchlight is free."), "{said}");
    assert_eq!(said["citations"][0]["doc"], "price-and-scope.md");
    let csv = house.get("/console/api/leads/export?format=csv", &cookie).await;
    assert!(csv.head.contains("attachment; filename=\"leads.csv\""), "{}", csv.head);
    assert!(csv.body.starts_with("At,Flow,Level,Status,Conversation,E-mail,People,Use,When\r\n"));
    assert!(csv.body.contains("\"'=HYPERLINK(\"\"http://x.example\"\")\""), "{}", csv.body);
    let all = house.get("/console/api/leads/export?format=json", &cookie).await;
    assert_eq!(all.json()[0]["level"], "low");
    for (path, status) in [("?format=xml", 400), ("", 400), ("?format=csv&x=1", 400)] {
        let answer = house.get(&format!("/console/api/leads/export{path}"), &cookie).await;
        assert_eq!(answer.status, status, "{path}");
    }
    for path in ["leads", "leads/export?format=csv", "flows", "files/x"] {
        assert_eq!(house.get(&format!("/console/api/{path}"), "").await.status, 401, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_leaves_what_was_said() {
    let house = House::flowing(FLOWS, &[PRICE, WALK]).await;
    let cookie = house.owner().await;
    let (mut visitor, _) = house.greeted().await;
    ask(&mut visitor, 1, "I want to talk to sales, kim@example.org").await;
    let said = ask(&mut visitor, 2, "never mind").await;
    assert!(text(&said).starts_with("All right") && said["card"].is_null(), "{said}");
    assert_eq!(leads(&house, &cookie).await[0]["status"], "stopped");
    let said = ask(&mut visitor, 3, QUESTION).await;
    assert_eq!(text(&said), ANSWER);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_stuck_at_a_step_gets_a_person() {
    let house = House::flowing(FLOWS, &[PRICE, WALK]).await;
    let (mut visitor, _) = house.greeted().await;
    let said = ask(&mut visitor, 1, "Can you walk me through the set-up?").await;
    assert!(text(&said).ends_with("Step 1 of 3:\nInstall Rust."), "{said}");
    assert_eq!(said["card"]["options"], json!(["Done", "I'm stuck"]));
    assert_eq!(said["citations"][0]["doc"], "walk-through.md");
    ask(&mut visitor, 2, "Done").await;
    let said = ask(&mut visitor, 3, "I'm stuck").await;
    let id = said["conversation"].as_str().unwrap();
    let app = &house.running.app;
    let tasks = app.store.tasks(id).await.unwrap();
    assert!(
        tasks.task.is_none() && tasks.collected.contains("step 2 of 3: Run cargo run."),
        "{tasks:?}"
    );
    assert_eq!(app.store.conversation(id).await.unwrap().unwrap().reason.as_deref(), Some("stuck"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_sees_each_flow_and_what_is_missing_for_it() {
    let house = House::flowing(FLOWS, &[PRICE]).await;
    let cookie = house.owner().await;
    let shown = house.get("/console/api/flows", &cookie).await.json();
    let lines: Vec<&str> = FLOWS.lines().collect();
    for flow in shown["flows"].as_array().unwrap() {
        let line = usize::try_from(flow["line"].as_u64().unwrap()).unwrap();
        assert_eq!(lines[line - 1], "[[flow]]", "{flow}");
        assert!(!flow["words"].as_array().unwrap().is_empty());
    }
    assert_eq!(shown["flows"][0]["problem"], Value::Null);
    assert_eq!(shown["flows"][1]["problem"], "There is no document `walk-through.md`.");
    assert_eq!(shown["problem"], Value::Null);
}
