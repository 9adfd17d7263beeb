//! Surveys over the wire: what is asked when a chat is resolved, what silence does, and which chats come before the owner again.

use engine::metrics::event::What;
use serde_json::{Value, json};

use crate::house::{Client, Hands, House, QUESTION};

const HOUR: i64 = 60 * 60 * 1_000;
const BOTH: &str = "[csat]\n[nps]\n[resolve]\nask_solved = true\n";

/// A visitor in a conversation.
struct Guest {
    client: Client,
    token: Value,
    id: String,
    said: u32,
}

impl Guest {
    /// Somebody who has asked something and got an answer.
    async fn answered(house: &House) -> Self {
        let (mut client, welcome) = house.greeted().await;
        client.say(1, QUESTION).await;
        let id = client.message("bot").await["conversation"].as_str().unwrap().to_owned();
        Self { client, token: welcome["token"].clone(), id, said: 1 }
    }

    async fn ask(&mut self) {
        self.said += 1;
        self.client.say(self.said, QUESTION).await;
        let asked = self.client.until("ack").await["seq"].as_i64();
        self.client.find(|frame| frame["from"] == "bot" && frame["seq"].as_i64() > asked).await;
    }

    /// Ends the chat; what is asked then.
    async fn resolve(&mut self) -> Value {
        self.client.send(&json!({ "type": "resolve" })).await;
        self.client.find(|frame| frame["type"] == "state" && frame["state"] == "closed").await;
        self.asked().await
    }

    /// What is asked now, as a fresh page learns it.
    async fn asked(&mut self) -> Value {
        self.client.hello(self.token.clone(), json!(self.id), 0).await["survey"].clone()
    }

    async fn rate(&mut self, survey: &Value, score: i64, comment: Option<&str>) {
        let frame = json!({ "type": "survey_answer", "id": survey["id"], "score": score, "comment": comment });
        self.client.send(&frame).await;
    }

    /// The whole of a survey; what is asked next.
    async fn finish(&mut self, survey: &Value, score: i64) -> Value {
        self.rate(survey, score, None).await;
        self.client.find(|frame| frame["survey"]["score"] == score).await;
        self.rate(survey, score, Some("")).await;
        self.client.until("survey").await["survey"].clone()
    }

    /// All frames so far are used.
    async fn settled(&mut self) {
        self.client.send(&json!({ "type": "ping" })).await;
        self.client.until("pong").await;
    }

    /// A refusal's code.
    async fn refused(&mut self) -> String {
        self.client.until("error").await["code"].as_str().unwrap().to_owned()
    }
}

/// Names of what has happened that is about surveys and resolving.
async fn events(house: &House, id: &str) -> Vec<String> {
    let events = house.running.app.store.events_of(id).await.unwrap();
    let names = events.iter().filter_map(|event| match &event.what {
        What::ChatResolved { by, .. } => Some(format!("resolved {by:?}")),
        What::ChatReopened { .. } => Some("reopened".into()),
        What::CsatAsked {} => Some("csat?".into()),
        What::CsatSubmitted { score, scale, comment, .. } => {
            Some(format!("csat {score}/{scale} {}", comment.as_deref().unwrap_or("-")))
        }
        What::CsatDeclined {} => Some("csat no".into()),
        What::NpsAsked {} => Some("nps?".into()),
        What::NpsSubmitted { score, .. } => Some(format!("nps {score}")),
        What::NpsDeclined {} => Some("nps no".into()),
        What::RubricScored { clarity, correctness, empathy, .. } => {
            Some(format!("rubric {clarity}{correctness}{empathy}"))
        }
        _ => None,
    });
    names.collect()
}

async fn detail(house: &House, owner: &str, id: &str) -> Value {
    house.get(&format!("/console/api/conversations/{id}"), owner).await.json()
}

async fn reviews(house: &House, owner: &str, status: &str) -> Vec<Value> {
    let answer = house.get(&format!("/console/api/reviews?status={status}"), owner).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["reviews"].as_array().unwrap().clone()
}

#[tokio::test]
async fn satisfaction_after_each_chat_and_a_recommendation_on_the_third() {
    let hands = Hands::new();
    let house = House::surveying(&hands, BOTH).await;
    let owner = house.owner().await;
    let mut guest = Guest::answered(&house).await;
    for case in 1..=3 {
        let csat = guest.resolve().await;
        assert_eq!(
            (&csat["kind"], &csat["scale"], &csat["look"]),
            (&json!("csat"), &json!(5), &json!("stars"))
        );
        assert_eq!((&csat["score"], &csat["open"]), (&Value::Null, &json!(true)));
        let next = guest.finish(&csat, 4).await;
        if case == 3 {
            assert_eq!((&next["kind"], &next["scale"]), (&json!("nps"), &json!(10)));
            guest.rate(&next, 11, None).await;
            assert_eq!(guest.refused().await, "bad_frame");
            assert_eq!(guest.finish(&next, 0).await, Value::Null);
        } else {
            assert_eq!(next, Value::Null, "case {case}");
            hands.forward(73 * HOUR);
            guest.ask().await;
        }
    }
    let all = events(&house, &guest.id).await;
    let one = ["resolved Visitor", "csat?", "csat 4/5 -"];
    let expect: Vec<&str> = [one, one, one].concat().into_iter().chain(["nps?", "nps 0"]).collect();
    assert_eq!(all, expect);
    let shown = detail(&house, &owner, &guest.id).await;
    assert_eq!(shown["surveys"].as_array().unwrap().len(), 4);
    assert_eq!((&shown["case"], &shown["conversation"]["rating"]), (&json!(3), &json!([4, 5])));
    let queued = reviews(&house, &owner, "open").await;
    assert_eq!(
        (&queued[0]["why"], &queued[0]["nps"], &queued[0]["case"]),
        (&json!("nps"), &json!(0), &json!(3))
    );
}

#[tokio::test]
async fn who_declines_is_asked_nothing_more() {
    let hands = Hands::new();
    let house =
        House::surveying(&hands, "[csat]\nscale = 3\nlook = \"faces\"\n[nps]\nevery = 1\n").await;
    let mut guest = Guest::answered(&house).await;
    let csat = guest.resolve().await;
    assert_eq!((&csat["scale"], &csat["look"]), (&json!(3), &json!("faces")));
    let no = json!({ "type": "survey_decline", "id": csat["id"] });
    guest.client.send(&no).await;
    guest.client.find(|frame| frame["type"] == "survey" && frame["survey"].is_null()).await;
    guest.client.send(&no).await;
    guest.rate(&csat, 3, None).await;
    assert_eq!(guest.refused().await, "survey_over");
    assert_eq!(guest.asked().await, Value::Null);
    // The same case again: it was asked once.
    guest.ask().await;
    assert_eq!(guest.resolve().await, Value::Null);
    assert_eq!(
        events(&house, &guest.id).await,
        ["resolved Visitor", "csat?", "csat no", "reopened", "resolved Visitor"]
    );
    assert_eq!(reviews(&house, &house.owner().await, "open").await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_open_question_goes_when_the_visitor_writes_on_and_comes_back() {
    let hands = Hands::new();
    let house = House::surveying(&hands, BOTH).await;
    let owner = house.owner().await;
    let mut guest = Guest::answered(&house).await;
    let mut other = house.visitor().await;
    other.hello(guest.token.clone(), json!(guest.id), 0).await;
    let csat = guest.resolve().await;
    assert_eq!(
        other.until("survey").await["survey"]["id"],
        csat["id"],
        "the other tab is asked too"
    );
    guest.said += 1;
    guest.client.say(guest.said, QUESTION).await;
    assert_eq!(other.until("survey").await["survey"], Value::Null);
    guest.client.message("bot").await;
    // The owner ends it this time; the question is the same one, asked once.
    let path = format!("/console/api/conversations/{}/close", guest.id);
    assert_eq!(house.post(&path, &owner, &json!({})).await.status, 204);
    assert_eq!(other.until("survey").await["survey"]["id"], csat["id"]);
    let csat = guest.asked().await;
    guest.rate(&csat, 2, Some("  too slow \n")).await;
    assert_eq!(other.until("survey").await["survey"], Value::Null);
    assert_eq!(
        events(&house, &guest.id).await,
        ["resolved Visitor", "csat?", "reopened", "resolved Owner", "csat 2/5 too slow"]
    );
    // Within an hour the score may be put right, and the queue with it.
    assert_eq!(reviews(&house, &owner, "open").await[0]["comment"], "too slow");
    hands.forward(HOUR - 1);
    guest.rate(&csat, 5, None).await;
    guest.settled().await;
    let said = detail(&house, &owner, &guest.id).await["surveys"][0].clone();
    assert_eq!(
        (&said["score"], &said["comment"]),
        (&json!(5), &json!("too slow")),
        "the words stay"
    );
    assert!(reviews(&house, &owner, "open").await.is_empty());
    hands.forward(1);
    guest.rate(&csat, 1, None).await;
    assert_eq!(guest.refused().await, "survey_over");
}

#[tokio::test]
async fn a_restart_between_the_taps_loses_nothing() {
    let hands = Hands::new();
    let house = House::surveying(&hands, "[csat]\n[nps]\nevery = 1\n").await;
    let mut guest = Guest::answered(&house).await;
    let csat = guest.resolve().await;
    guest.rate(&csat, 5, None).await;
    guest.client.find(|frame| frame["survey"]["score"] == 5).await;
    let house = house.again_at(&hands).await;
    let mut guest = Guest { client: house.visitor().await, ..guest };
    let kept = guest.asked().await;
    assert_eq!((&kept["id"], &kept["score"]), (&csat["id"], &json!(5)));
    guest.rate(&kept, 5, Some("Thanks, write to jo@example.org")).await;
    assert_eq!(guest.client.until("survey").await["survey"]["kind"], "nps");
    let house = house.again_at(&hands).await;
    let mut guest = Guest { client: house.visitor().await, ..guest };
    let nps = guest.asked().await;
    assert_eq!(nps["kind"], "nps");
    guest.client.send(&json!({ "type": "survey_decline", "id": nps["id"] })).await;
    assert_eq!(guest.client.until("survey").await["survey"], Value::Null);
    hands.forward(8 * 24 * HOUR);
    assert_eq!(guest.asked().await, Value::Null);
    let all = events(&house, &guest.id).await;
    assert!(all[3].starts_with("csat 5/5 Thanks") && !all[3].contains("jo@"), "masked: {all:?}");
    let others = [&all[..3], &all[4..]].concat();
    assert_eq!(others, ["resolved Visitor", "csat?", "csat 5/5 -", "nps?", "nps no"]);
}

#[tokio::test]
async fn two_hundred_answers_at_once_are_one_result() {
    let hands = Hands::new();
    let house = House::surveying(&hands, BOTH).await;
    let owner = house.owner().await;
    let mut guest = Guest::answered(&house).await;
    let csat = guest.resolve().await;
    let mut tabs = Vec::new();
    for _ in 0..10 {
        let mut tab = house.visitor().await;
        tab.hello(guest.token.clone(), json!(guest.id), 0).await;
        tabs.push(tab);
    }
    let answers = tabs.iter_mut().enumerate().map(|(place, tab)| {
        let frame = json!({ "type": "survey_answer", "id": csat["id"], "score": place % 5 + 1, "comment": null });
        async move {
            for _ in 0..20 {
                tab.send(&frame).await;
            }
            tab.send(&json!({ "type": "ping" })).await;
            tab.until("pong").await;
        }
    });
    futures_util::future::join_all(answers).await;
    let shown = detail(&house, &owner, &guest.id).await;
    let surveys = shown["surveys"].as_array().unwrap();
    assert_eq!(surveys.len(), 1, "{surveys:?}");
    let all = events(&house, &guest.id).await;
    assert_eq!(all.iter().filter(|name| *name == "csat?").count(), 1);
    let last = all.iter().rfind(|name| name.starts_with("csat ")).unwrap();
    assert_eq!(*last, format!("csat {}/5 -", surveys[0]["score"]), "the newest is what is kept");
    assert!(all.windows(2).all(|two| two[0] != two[1]), "no answer is told twice: {all:?}");
}

#[tokio::test]
async fn what_is_no_answer_is_refused_and_changes_nothing() {
    let hands = Hands::new();
    let house = House::surveying(&hands, BOTH).await;
    let (mut stranger, _) = house.greeted().await;
    stranger.send(&json!({ "type": "resolve" })).await;
    stranger.send(&json!({ "type": "survey_decline", "id": "" })).await;
    assert_eq!(stranger.until("error").await["code"], "unknown_survey");
    let mut guest = Guest::answered(&house).await;
    let csat = guest.resolve().await;
    let id = csat["id"].clone();
    let mut other = Guest::answered(&house).await;
    let answer = |id: &Value, score: Value, comment: Value| json!({ "type": "survey_answer", "id": id, "score": score, "comment": comment });
    for (frame, code) in [
        (answer(&id, json!(1), Value::Null), "unknown_survey"),
        (json!({ "type": "survey_decline", "id": id }), "unknown_survey"),
    ] {
        other.client.send(&frame).await;
        assert_eq!(other.refused().await, code, "somebody else's: {frame}");
    }
    for (frame, code) in [
        (answer(&json!("f".repeat(32)), json!(1), Value::Null), "unknown_survey"),
        (answer(&json!("\0'; DROP TABLE surveys"), json!(1), Value::Null), "unknown_survey"),
        (answer(&id, json!(0), Value::Null), "bad_frame"),
        (answer(&id, json!(6), Value::Null), "bad_frame"),
        (answer(&id, json!(-1), Value::Null), "bad_frame"),
        (answer(&id, json!(i64::MAX), Value::Null), "bad_frame"),
        (answer(&id, json!(4.5), Value::Null), "bad_frame"),
        (answer(&id, json!(4), json!("x".repeat(1_001))), "bad_frame"),
        (answer(&id, json!(4), json!("a\0b")), "bad_frame"),
    ] {
        guest.client.send(&frame).await;
        assert_eq!(guest.refused().await, code, "{frame}");
    }
    guest.client.send(&json!({ "type": "resolve" })).await;
    assert_eq!(guest.asked().await, csat, "nothing has changed");
    assert_eq!(events(&house, &guest.id).await, ["resolved Visitor", "csat?"]);
}

/// What stands in a conversation when silence falls.
#[derive(Debug, Clone, Copy)]
enum Stands {
    Answered,
    WrittenByOwner,
    Asked,
    Waiting,
    Ticket,
    Solved,
    Turned,
}

#[tokio::test]
async fn silence_ends_what_nobody_waits_in() {
    for (stands, ends) in [
        (Stands::Answered, true),
        (Stands::WrittenByOwner, true),
        (Stands::Asked, false),
        (Stands::Waiting, false),
        (Stands::Ticket, false),
        (Stands::Solved, true),
        (Stands::Turned, false),
    ] {
        let hands = Hands::new();
        let house = House::surveying(&hands, BOTH).await;
        let owner = house.owner().await;
        let mut guest = Guest::answered(&house).await;
        prepare(&house, &owner, (&mut guest, stands)).await;
        let begun = hands.now();
        hands.forward(24 * HOUR - 1);
        server::jobs::work_off_now(&house.running.app).await.unwrap();
        let state = |shown: &Value| shown["conversation"]["state"].as_str().unwrap().to_owned();
        assert_ne!(
            state(&detail(&house, &owner, &guest.id).await),
            "closed",
            "{stands:?} too early"
        );
        // The server starts anew before it is due.
        let house = house.again_at(&hands).await;
        hands.set(begun + 24 * HOUR);
        server::jobs::work_off_now(&house.running.app).await.unwrap();
        let shown = detail(&house, &owner, &guest.id).await;
        assert_eq!(state(&shown) == "closed", ends, "{stands:?}");
        let told = events(&house, &guest.id).await;
        assert_eq!(told, if ends { vec!["resolved Silence"] } else { vec![] }, "{stands:?}");
        if ends {
            let lines = shown["messages"].as_array().unwrap();
            assert_ne!(lines.last().unwrap()["from"], "system", "no line disturbs: {lines:?}");
            let mut guest = Guest { client: house.visitor().await, ..guest };
            assert_eq!(guest.asked().await, Value::Null, "silence asks nothing");
            guest.ask().await;
            assert_eq!(events(&house, &guest.id).await, ["resolved Silence", "reopened"]);
        }
    }
}

async fn prepare(house: &House, owner: &str, (guest, stands): (&mut Guest, Stands)) {
    let path = |what: &str| format!("/console/api/conversations/{}/{what}", guest.id);
    let write = json!({ "client_msg_id": "a".repeat(32), "text": "Hello!" });
    match stands {
        Stands::Answered => {}
        Stands::WrittenByOwner => {
            assert_eq!(house.post(&path("messages"), owner, &write).await.status, 200);
        }
        Stands::Asked => {
            assert_eq!(house.post(&path("messages"), owner, &write).await.status, 200);
            guest.client.say(7, "And what about this?").await;
            guest.client.until("ack").await;
        }
        Stands::Waiting => {
            guest.client.send(&json!({ "type": "ask_person" })).await;
            guest.client.message("system").await;
        }
        Stands::Ticket | Stands::Solved => {
            let ticket = json!({ "conversation": guest.id, "subject": "A parcel", "summary": "Where is it?", "priority": "normal", "tags": [], "email": null });
            let made = house.post("/console/api/tickets", owner, &ticket).await;
            assert!((200..300).contains(&made.status), "{}", made.body);
            if matches!(stands, Stands::Solved) {
                let listed = house.get("/console/api/tickets", owner).await.json();
                let id = listed["tickets"][0]["id"].as_str().unwrap().to_owned();
                let solved = house
                    .post(
                        &format!("/console/api/tickets/{id}"),
                        owner,
                        &json!({ "status": "solved" }),
                    )
                    .await;
                assert!((200..300).contains(&solved.status), "{}", solved.body);
            }
        }
        Stands::Turned => {
            // The owner has turned it off meanwhile.
            let file = house.folder.path().join("prompts/surveys.toml");
            std::fs::write(file, "[csat]\n[resolve]\nsilence_hours = 0\n").unwrap();
            house.running.app.mind.prompts.ring();
            let prompts = || house.running.app.mind.prompts();
            while prompts().surveys.silence_hours.is_some() {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[tokio::test]
async fn the_owner_looks_again_at_what_was_rated_low() {
    let hands = Hands::new();
    let house = House::surveying(&hands, BOTH).await;
    let owner = house.owner().await;
    let mut guest = Guest::answered(&house).await;
    let csat = guest.resolve().await;
    guest.rate(&csat, 1, Some("It did not help.")).await;
    guest.settled().await;
    let told = detail(&house, &owner, &guest.id).await;
    assert_eq!((&told["surveys"][0]["score"], &told["review"]), (&json!(1), &json!("open")));
    let queued = reviews(&house, &owner, "open").await;
    assert_eq!(queued.len(), 1);
    assert_eq!(
        (
            &queued[0]["why"],
            &queued[0]["csat"],
            &queued[0]["scale"],
            &queued[0]["comment"],
            &queued[0]["rubric"]
        ),
        (&json!("csat"), &json!(1), &json!(5), &json!("It did not help."), &Value::Null)
    );
    let path = format!("/console/api/reviews/{}/1", guest.id);
    let rubric =
        json!({ "clarity": 2, "correctness": 1, "empathy": 3, "note": "The port page is old." });
    for (body, status) in [
        (json!({ "clarity": 0, "correctness": 1, "empathy": 3 }), 422),
        (json!({ "clarity": 4, "correctness": 1, "empathy": 3 }), 422),
        (json!({ "clarity": 2, "correctness": 1 }), 422),
        (json!({ "clarity": 2, "correctness": 1, "empathy": 3, "note": "x".repeat(1_001) }), 422),
        (rubric.clone(), 204),
        (rubric.clone(), 204),
    ] {
        assert_eq!(house.post(&path, &owner, &body).await.status, status, "{body}");
    }
    for gone in [
        format!("/console/api/reviews/{}/2", guest.id),
        format!("/console/api/reviews/{}/0", guest.id),
        "/console/api/reviews/x/1".into(),
    ] {
        assert_eq!(house.post(&gone, &owner, &rubric).await.status, 404, "{gone}");
    }
    assert_eq!(house.post(&path, "", &rubric).await.status, 401);
    assert_eq!(detail(&house, &owner, &guest.id).await["rubric"], rubric);
    assert_eq!(house.post(&format!("{path}/done"), &owner, &json!({})).await.status, 204);
    assert!(reviews(&house, &owner, "open").await.is_empty());
    let done = reviews(&house, &owner, "done").await;
    assert_eq!((&done[0]["rubric"], &done[0]["status"]), (&rubric, &json!("done")));
    assert_eq!(house.get("/console/api/reviews?status=all", &owner).await.status, 422);
    // Judged is judged: a better score later does not take it away.
    guest.rate(&csat, 5, None).await;
    guest.settled().await;
    assert_eq!(reviews(&house, &owner, "done").await.len(), 1);
    assert_eq!(
        events(&house, &guest.id).await,
        [
            "resolved Visitor",
            "csat?",
            "csat 1/5 It did not help.",
            "rubric 213",
            "csat 5/5 It did not help."
        ]
    );
}

#[tokio::test]
async fn the_third_chat_counts_across_conversations_of_one_browser() {
    let hands = Hands::new();
    let house = House::surveying(&hands, BOTH).await;
    let browser = "b".repeat(32);
    for chat in 1..=3 {
        let (mut client, welcome) = house.greeted().await;
        let opened = json!({ "type": "opened", "session": format!("{chat:032x}"), "visitor": browser, "page": "https://shop.example/", "referrer": "", "campaign": "" });
        client.send(&opened).await;
        client.say(1, QUESTION).await;
        let id = client.message("bot").await["conversation"].as_str().unwrap().to_owned();
        let mut guest = Guest { client, token: welcome["token"].clone(), id, said: 1 };
        let csat = guest.resolve().await;
        let next = guest.finish(&csat, 5).await;
        assert_eq!(next["kind"] == "nps", chat == 3, "chat {chat}: {next}");
    }
}
