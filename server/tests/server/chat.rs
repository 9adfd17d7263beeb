//! Visitors: questions, answers, coming back, and what survives a restart.

use std::collections::HashMap;

use engine::draft::Mode;
use engine::testing::ScriptedModel;
use serde_json::{Value, json};

use crate::house::{ANSWER, Client, Gate, House, QUESTION, scripted};

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_answered_with_a_citation_and_is_there_after_a_reload() {
    let house = House::open().await;
    let (mut visitor, welcome) = house.greeted().await;
    assert_eq!((&welcome["conversation"], &welcome["state"]), (&Value::Null, &json!("bot")));
    visitor.say(1, QUESTION).await;
    let ack = visitor.until("ack").await;
    assert_eq!(
        (ack["seq"].as_i64(), ack["client_msg_id"].as_str().map(str::len)),
        (Some(1), Some(32))
    );
    let piece = visitor.find(|frame| frame["phase"] == "piece").await;
    assert_eq!(piece["piece"]["text"], ANSWER);
    let reply = visitor.message("bot").await;
    assert_eq!((&reply["text"], &reply["draft_id"]), (&json!(ANSWER), &piece["draft_id"]));
    let citation = &reply["citations"][0];
    assert_eq!(
        (&citation["doc"], &citation["title"], &citation["excerpt"]),
        (&json!("port.md"), &json!("Ports"), &json!(ANSWER))
    );
    assert_eq!(citation["mark"], json!([0, ANSWER.len()]));
    let page = house.get(citation["url"].as_str().unwrap().split('#').next().unwrap(), "").await;
    assert!(page.body.contains(&format!("<mark id=\"cited\">{ANSWER}</mark>")), "{}", page.body);

    for (last_seq, expect) in
        [(0, vec![1, 2]), (1, vec![2]), (2, vec![]), (99, vec![]), (-5, vec![1, 2])]
    {
        let mut again = house.visitor().await;
        let welcome =
            again.hello(welcome["token"].clone(), ack["conversation"].clone(), last_seq).await;
        assert_eq!((&welcome["head"], &welcome["conversation"]), (&json!(2), &ack["conversation"]));
        for seq in expect {
            assert_eq!(again.until("message").await["seq"], seq);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_stored_once_however_often_it_is_sent() {
    let house = House::open().await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    assert_eq!(visitor.until("ack").await["seq"], 1);
    assert_eq!(visitor.message("bot").await["seq"], 2);
    for _ in 0..3 {
        visitor.say(1, QUESTION).await;
        assert_eq!(visitor.until("ack").await["seq"], 1);
    }
    visitor.say(1, "something else").await;
    let error = visitor.until("error").await;
    assert_eq!(
        (&error["code"], &error["client_msg_id"]),
        (&json!("id_reused"), &json!(format!("{:032x}", 1)))
    );
    visitor.say(2, "How do I make a backup?").await;
    let ack = visitor.until("ack").await;
    assert_eq!(ack["seq"], 3, "nothing was stored in between");
    assert_eq!(visitor.message("bot").await["seq"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_a_conversation_of_somebody_else() {
    let house = House::open().await;
    let (mut visitor, welcome) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    let id = visitor.until("ack").await["conversation"].clone();
    let other = json!("0".repeat(64));
    let none = json!("f".repeat(32));
    for (token, conversation) in [
        (other.clone(), id.clone()),
        (Value::Null, id.clone()),
        (json!("short"), id.clone()),
        (welcome["token"].clone(), none),
        (welcome["token"].clone(), json!("../../etc/passwd")),
        (welcome["token"].clone(), json!("x".repeat(10_000))),
    ] {
        let mut thief = house.visitor().await;
        thief.send(&json!({ "type": "hello", "v": 1, "token": token, "conversation": conversation, "last_seq": 0 })).await;
        let error = thief.until("error").await;
        assert_eq!(
            (&error["code"], &error["message"]),
            (&json!("unknown_conversation"), &json!("There is no such conversation."))
        );
        assert_eq!(thief.next().await, Err((4000, "unknown_conversation".into())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_document_answers_goes_to_a_person() {
    let house = House::open().await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, "Zebras juggle marmalade quietly?").await;
    let reply = visitor.message("bot").await;
    assert_eq!((&reply["citations"], &reply["draft_id"]), (&json!([]), &Value::Null));
    assert!(reply["text"].as_str().unwrap().contains("asked a person"), "{reply}");
    assert_eq!(visitor.until("state").await["state"], "waiting");
    let cookie = house.owner().await;
    let list = house.get("/console/api/conversations", &cookie).await.json();
    let line = &list["conversations"][0];
    assert_eq!((&line["state"], &line["visitor_online"]), (&json!("waiting"), &json!(true)));
    assert!(["off_topic", "no_passage"].contains(&line["reason"].as_str().unwrap()), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_answered_from_the_documents_meant_for_it() {
    let house = House::open().await;
    for (version, from) in [("1", Some(ANSWER)), ("2", None), ("", Some(ANSWER))] {
        let mut visitor = house.visitor().await;
        let scope = json!({ "version": version });
        visitor.send(&json!({ "type": "hello", "v": 1, "scope": scope })).await;
        visitor.until("welcome").await;
        visitor.say(1, QUESTION).await;
        let message = visitor.message("bot").await;
        assert_eq!(message["text"] == ANSWER, from.is_some(), "{version}: {message}");
    }
    let mut visitor = house.visitor().await;
    let scope = json!({ "area": "x".repeat(65) });
    visitor.send(&json!({ "type": "hello", "v": 1, "scope": scope })).await;
    assert_eq!(visitor.until("error").await["code"], "bad_scope");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_be_asked_for_before_anything_is_written() {
    let house = House::open().await;
    let (mut visitor, _) = house.greeted().await;
    visitor.send(&json!({ "type": "ask_person" })).await;
    assert_eq!(visitor.message("system").await["seq"], 1);
    assert_eq!(visitor.until("state").await["state"], "waiting");
    visitor.send(&json!({ "type": "ask_person" })).await;
    assert_eq!(visitor.until("state").await["state"], "waiting");
    visitor.say(1, QUESTION).await;
    assert_eq!(visitor.until("ack").await["seq"], 2, "asking twice adds no second line");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_a_restart_cut_off_is_made_again() {
    let gate = Gate::default();
    let house = House::with(gate.model(ANSWER), Mode::Compose).await;
    let (mut visitor, welcome) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    let ack = visitor.until("ack").await;
    gate.reached().await;
    let stopping = tokio::spawn(house.again(ScriptedModel::default(), Mode::Quote));
    let away = visitor.until("going_away").await;
    assert!(away["retry_after_ms"].as_u64().unwrap() < 8_000);
    assert_eq!(visitor.next().await, Err((1012, "restarting".into())));
    gate.open();
    let house = stopping.await.unwrap();
    let mut visitor = house.visitor().await;
    visitor.hello(welcome["token"].clone(), ack["conversation"].clone(), 0).await;
    assert_eq!(visitor.message("visitor").await["text"], QUESTION);
    assert_eq!(visitor.message("bot").await["text"], ANSWER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_question_replaces_the_draft_of_the_older_one() {
    let gate = Gate::default();
    let house = House::with(gate.model(ANSWER), Mode::Compose).await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, "Hm, one thing:").await;
    visitor.until("ack").await;
    gate.reached().await;
    visitor.say(2, QUESTION).await;
    visitor.until("ack").await;
    gate.open();
    let reply = visitor.message("bot").await;
    assert_eq!((&reply["text"], &reply["seq"]), (&json!(ANSWER), &json!(3)));
    let cookie = house.owner().await;
    let path = format!("/console/api/conversations/{}", reply["conversation"].as_str().unwrap());
    let detail = house.get(&path, &cookie).await.json();
    assert_eq!(detail["messages"].as_array().map(Vec::len), Some(3), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_fails_asks_for_a_person_and_the_next_question_is_taken() {
    let fails = || Err(engine::model::ModelError::Failed("NaN in the logits".into()));
    let model = scripted(HashMap::from([(String::new(), ANSWER.to_owned())]), fails);
    let house = House::with(model, Mode::Compose).await;
    for _ in 0..2 {
        let (mut visitor, _) = house.greeted().await;
        visitor.say(1, QUESTION).await;
        let reply = visitor.message("bot").await;
        assert!(reply["text"].as_str().unwrap().contains("went wrong on our side"), "{reply}");
        assert_eq!(visitor.until("state").await["state"], "waiting");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pages_of_one_visitor_see_the_same() {
    let house = House::open().await;
    let (mut first, welcome) = house.greeted().await;
    first.say(1, QUESTION).await;
    let id = first.until("ack").await["conversation"].clone();
    let mut second: Client = house.visitor().await;
    second.hello(welcome["token"].clone(), id, 0).await;
    assert_eq!(second.message("bot").await["text"], ANSWER);
    second.say(2, "How do I make a backup?").await;
    assert_eq!(
        first.find(|f| f["from"] == "visitor" && f["seq"] == 3).await["text"],
        "How do I make a backup?"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_widget_that_missed_its_acknowledgement_begins_no_second_conversation() {
    let house = House::open().await;
    let (mut visitor, welcome) = house.greeted().await;
    visitor.say(1, QUESTION).await;
    let ack = visitor.until("ack").await;
    drop(visitor);
    for _ in 0..2 {
        let mut again = house.visitor().await;
        let resumed = again.hello(welcome["token"].clone(), Value::Null, 0).await;
        assert_eq!(resumed["conversation"], ack["conversation"]);
        again.say(1, QUESTION).await;
        assert_eq!(again.until("ack").await["seq"], 1);
    }
}
