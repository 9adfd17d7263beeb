//! Owners: signing up and in, watching, taking over, suggestions.

use engine::draft::Mode;
use engine::testing::ScriptedModel;
use serde_json::{Value, json};

use crate::house::{ANSWER, Client, Gate, House, QUESTION};

async fn detail(house: &House, cookie: &str, id: &str) -> Value {
    house.get(&format!("/console/api/conversations/{id}"), cookie).await.json()
}

async fn command(house: &House, cookie: &str, path: &str, body: Value) -> u16 {
    house.post(&format!("/console/api/conversations/{path}"), cookie, &body).await.status
}

fn words(number: u32, text: &str, suggestion: Value) -> Value {
    json!({ "client_msg_id": format!("{number:032x}"), "text": text, "suggestion": suggestion })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_set_up_link_is_good_once_and_the_password_lets_in() {
    let house = House::open().await;
    assert_eq!(
        house.get("/console/api/me", "").await.json(),
        json!({ "setup": true, "owner": null })
    );
    let good = json!({ "token": house.running.setup, "name": "Ada", "email": "Ada@Example.org", "password": "correct horse 1" });
    let with = |key: &str, value: &str| {
        let mut body = good.clone();
        body[key] = json!(value);
        body
    };
    for (body, status) in [
        (with("token", "wrong"), 403),
        (with("name", " "), 422),
        (with("email", "nobody"), 422),
        (with("password", "short"), 422),
    ] {
        let answer = house.post("/console/api/setup", "", &body).await;
        assert_eq!(answer.status, status, "{body} {}", answer.body);
    }
    let answer = house.post("/console/api/setup", "", &good).await;
    assert_eq!(answer.status, 204);
    for flag in ["httponly", "samesite=strict", "path=/console"] {
        assert!(answer.head.contains(flag), "{}", answer.head);
    }
    let me = house.get("/console/api/me", &answer.cookie()).await.json();
    assert_eq!(me["owner"], json!({ "name": "Ada", "email": "ada@example.org" }));
    assert_eq!(house.post("/console/api/logout", &answer.cookie(), &json!({})).await.status, 204);
    assert_eq!(house.get("/console/api/conversations", &answer.cookie()).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_are_counted() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let login = |password: &str| json!({ "email": "ADA@example.org", "password": password });
    assert_eq!(house.post("/console/api/login", "", &login("correct horse 1")).await.status, 204);
    let mut seen = Vec::new();
    for _ in 0..6 {
        let answer = house.post("/console/api/login", "", &login("wrong horse 1234")).await;
        seen.push(answer.status);
        if answer.status == 429 {
            assert!(answer.head.contains("retry-after: "), "{}", answer.head);
        }
    }
    assert_eq!((seen[0], seen[5]), (401, 429), "{seen:?}");
    assert_eq!(
        house.get("/console/api/conversations", &cookie).await.status,
        200,
        "those inside stay inside"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_watches_a_draft_and_reads_why_it_was_sent() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let mut console = house.console(&cookie).await;
    let (mut visitor, welcome) = house.greeted().await;
    assert_eq!(welcome["owner_online"], true);
    visitor.send(&json!({ "type": "ask_person" })).await;
    let line = console.until("conversation").await["conversation"].clone();
    let id = line["id"].as_str().unwrap().to_owned();
    assert_eq!((&line["state"], &line["reason"]), (&json!("waiting"), &json!("asked_for_person")));
    console.send(&json!({ "type": "watch", "conversation": id })).await;
    assert_eq!(command(&house, &cookie, &format!("{id}/hand-back"), json!({})).await, 204);
    visitor.say(1, QUESTION).await;
    assert_eq!(console.find(|f| f["phase"] == "token").await["conversation"], json!(id));
    let piece = console.find(|f| f["phase"] == "piece").await;
    assert!(piece["confidence"].as_f64().unwrap() > 0.0);
    assert_eq!(piece["citations"][0]["doc"], "port.md");
    let decision = console.until("decision").await["decision"].clone();
    assert_eq!((&decision["action"], &decision["mode"]), (&json!("send"), &json!("quote")));
    assert!(
        decision["signals"]["cosine"].as_f64().unwrap() > 0.0
            && decision["timings_ms"]["total"].is_i64()
    );
    let detail = detail(&house, &cookie, &id).await;
    assert_eq!(detail["decision"], decision);
    assert_eq!((&detail["draft"], &detail["suggestion"]), (&Value::Null, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_take_over_no_automatic_text_appears() {
    let gate = Gate::default();
    let house = House::with(gate.model(ANSWER), Mode::Compose).await;
    let cookie = house.owner().await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    let id = visitor.until("ack").await["conversation"].as_str().unwrap().to_owned();
    gate.reached().await;
    assert!(detail(&house, &cookie, &id).await["draft"].is_object());
    assert_eq!(command(&house, &cookie, &format!("{id}/take"), json!({})).await, 204);
    assert!(visitor.message("system").await["text"].as_str().unwrap().contains("Ada joined"));
    let state = visitor.until("state").await;
    assert_eq!(
        (&state["state"], &state["author"], &state["generation"]),
        (&json!("owner"), &json!("Ada"), &json!(1))
    );
    gate.open();
    assert_eq!(visitor.find(|f| f["phase"] == "stop").await["type"], "draft");
    assert_eq!(
        command(&house, &cookie, &format!("{id}/take"), json!({})).await,
        204,
        "twice is once"
    );
    assert_eq!(
        command(
            &house,
            &cookie,
            &format!("{id}/messages"),
            words(7, "Hello, Ada here.", Value::Null)
        )
        .await,
        200
    );
    let said = visitor.message("owner").await;
    assert_eq!(
        (&said["seq"], &said["author"]),
        (&json!(3), &json!("Ada")),
        "nothing came in between"
    );
    let messages = detail(&house, &cookie, &id).await["messages"].clone();
    assert!(messages.as_array().unwrap().iter().all(|m| m["from"] != "bot"), "{messages}");
}

/// A conversation that the owner holds, with an open suggestion for a question of the visitor.
async fn suggested(house: &House, cookie: &str) -> (Client, String, Value) {
    let (mut visitor, _) = house.greeted().await;
    visitor.send(&json!({ "type": "ask_person" })).await;
    let id = visitor.message("system").await["conversation"].as_str().unwrap().to_owned();
    let mut console = house.console(cookie).await;
    console.send(&json!({ "type": "watch", "conversation": id })).await;
    assert_eq!(command(house, cookie, &format!("{id}/take"), json!({})).await, 204);
    visitor.say(1, QUESTION).await;
    let frame = console.find(|f| f["type"] == "suggestion" && !f["suggestion"].is_null()).await;
    let suggestion = frame["suggestion"].clone();
    assert_eq!(suggestion["text"], ANSWER);
    (visitor, id, suggestion)
}

#[tokio::test(flavor = "multi_thread")]
async fn suggestions_are_accepted_edited_or_discarded() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let (mut visitor, id, suggestion) = suggested(&house, &cookie).await;
    let path = format!("{id}/messages");
    assert_eq!(
        command(&house, &cookie, &path, words(2, ANSWER, suggestion["id"].clone())).await,
        200
    );
    let said = visitor.message("owner").await;
    assert_eq!((&said["text"], &said["citations"][0]["doc"]), (&json!(ANSWER), &json!("port.md")));
    assert_eq!(
        command(&house, &cookie, &path, words(3, ANSWER, suggestion["id"].clone())).await,
        404
    );

    let golden = house.folder.path().join("knowledge/golden.jsonl");
    let line = format!("{}\n", json!({ "question": QUESTION, "doc": "port.md" }));
    let learnt: Value = serde_json::from_str(&std::fs::read_to_string(&golden).unwrap()).unwrap();
    assert_eq!(format!("{learnt}\n"), line, "an accepted answer is not to be lost");

    let (mut visitor, id, suggestion) = suggested(&house, &cookie).await;
    let edited = words(4, "It is 7878.", suggestion["id"].clone());
    assert_eq!(command(&house, &cookie, &format!("{id}/messages"), edited).await, 200);
    assert_eq!(visitor.message("owner").await["citations"], json!([]));
    assert_eq!(std::fs::read_to_string(&golden).unwrap().lines().count(), 1, "but once");
    let settled = house.running.app.store.settled_suggestions(&id).await.unwrap();
    assert_eq!((settled.len(), settled[0].status.as_str()), (1, "edited"));
    assert_eq!(settled[0].sent.as_deref(), Some("It is 7878."));
    assert!(settled[0].distance > Some(10), "{settled:?}");
    let summary = detail(&house, &cookie, &id).await["summary"].clone();
    assert_eq!(summary[2], "Why you: The visitor asked for a person.");

    let (_visitor, id, suggestion) = suggested(&house, &cookie).await;
    let path = format!("{id}/suggestions/{}/discard", suggestion["id"].as_str().unwrap());
    assert_eq!(command(&house, &cookie, &path, json!({})).await, 204);
    assert_eq!(command(&house, &cookie, &path, json!({})).await, 404);
    assert_eq!(detail(&house, &cookie, &id).await["suggestion"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_back_to_the_bot_and_closes() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let (mut visitor, id, _) = suggested(&house, &cookie).await;
    assert_eq!(command(&house, &cookie, &format!("{id}/hand-back"), json!({})).await, 204);
    assert_eq!(
        visitor.find(|f| f["type"] == "state" && f["state"] == "bot").await["author"],
        Value::Null
    );
    assert_eq!(visitor.message("bot").await["text"], ANSWER, "the question was left open");
    visitor.say(9, "Backups are copies of the data folder, how do I make one?").await;
    let reply = visitor.message("bot").await;
    assert!(reply["text"].as_str().unwrap().contains("Backups are copies"), "{reply}");
    assert_eq!(command(&house, &cookie, &format!("{id}/close"), json!({})).await, 204);
    assert_eq!(visitor.find(|f| f["state"] == "closed").await["type"], "state");
    assert_eq!(command(&house, &cookie, &format!("{id}/close"), json!({})).await, 409);
    assert_eq!(command(&house, &cookie, &format!("{id}/hand-back"), json!({})).await, 409);
    visitor.say(10, QUESTION).await;
    assert_eq!(visitor.message("bot").await["text"], ANSWER);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_commands_change_nothing() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let (_visitor, id, _) = suggested(&house, &cookie).await;
    let before = detail(&house, &cookie, &id).await["messages"].clone();
    let none = "f".repeat(32);
    for (path, body, status) in [
        (format!("{none}/take"), json!({}), 404),
        (format!("{none}/messages"), words(5, "x", Value::Null), 404),
        (format!("{id}/messages"), json!({}), 422),
        (format!("{id}/messages"), json!({ "client_msg_id": "x", "text": "y" }), 422),
        (format!("{id}/messages"), words(5, "", Value::Null), 422),
        (format!("{id}/messages"), words(5, &"x".repeat(4_001), Value::Null), 422),
        (format!("{id}/messages"), words(5, "x", json!("nothing")), 404),
        (
            format!("{id}/messages"),
            json!({ "client_msg_id": "0".repeat(32), "text": "y", "from": "bot" }),
            422,
        ),
        (format!("{id}/suggestions/{none}/discard"), json!({}), 404),
    ] {
        assert_eq!(command(&house, &cookie, &path, body.clone()).await, status, "{path} {body}");
        assert_eq!(command(&house, "", &path, body).await, 401, "{path} without a cookie");
    }
    assert_eq!(detail(&house, &cookie, &id).await["messages"], before);
    let ticket =
        house.post("/console/api/ticket", &cookie, &json!({})).await.json()["ticket"].clone();
    for expect in ["welcome", "error"] {
        let mut console = Client::connect(house.address, "/console/ws").await;
        console.send(&json!({ "type": "hello", "v": 1, "ticket": ticket })).await;
        // Whether the console before is still there may be told first.
        let frame = console.find(|frame| frame["type"] != "presence").await;
        assert_eq!(frame["type"], expect, "a ticket is good once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_owners_know_survives_a_restart() {
    let house = House::open().await;
    let cookie = house.owner().await;
    let (_visitor, id, suggestion) = suggested(&house, &cookie).await;
    let house = house.again(ScriptedModel::default(), Mode::Quote).await;
    assert_eq!(house.running.setup, None, "no second set-up link");
    let detail = detail(&house, &cookie, &id).await;
    assert_eq!(
        (&detail["suggestion"], &detail["conversation"]["state"]),
        (&suggestion, &json!("owner"))
    );
    assert_eq!(detail["conversation"]["visitor_online"], false);
    let version = house.running.app.store.sqlite_version().await.unwrap();
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(parts >= vec![3, 51, 3], "SQLite {version} can lose a commit when a WAL is reset");
}
