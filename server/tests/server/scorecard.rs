//! The scorecard over a real server: a conversation's figures, the cache of cases, the week's mail, the thing to do, assumptions.

use std::sync::Arc;

use engine::metrics::event::{By, Visit, What};
use engine::metrics::{Period, cases};
use engine::turn::Speaker;
use serde_json::{Value, json};
use server::app::App;
use server::config::Settings;
use server::startup::Outside;
use server::{jobs, scorecard};
use tempfile::tempdir;
use tokio::time::timeout;

use crate::hook::Hook;
use crate::house::{Hands, House, PATIENCE, QUESTION};
use crate::notices::{allowed, route, secret, webhook};

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn card(house: &House, cookie: &str, query: &str) -> Value {
    let answer = house.get(&format!("/console/api/scorecard{query}"), cookie).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_stands_in_the_scorecard_as_it_happened() {
    let hands = Hands::new();
    let house = House::acting("", &hands, |_| {}).await;
    let cookie = house.owner().await;
    let empty = card(&house, &cookie, "").await;
    assert_eq!((&empty["cases"], &empty["action_item"]), (&json!(0), &Value::Null));

    let (mut visitor, _) = house.greeted().await;
    let session = "0".repeat(31) + "1";
    visitor
        .send(&json!({ "type": "opened", "session": session, "visitor": "2".repeat(32), "page": "https://shop.example/pricing?a=1",
            "referrer": "", "campaign": "news / email / may" }))
        .await;
    visitor.say(1, QUESTION).await;
    let id = visitor.until("ack").await["conversation"].as_str().unwrap().to_owned();
    visitor.message("bot").await;
    hands.forward(2 * MINUTE);
    let post = async |what: &str, body: Value| {
        let path = format!("/console/api/conversations/{id}/{what}");
        house.post(&path, &cookie, &body).await.status
    };
    post("take", json!({})).await;
    let reply = json!({ "client_msg_id": "a".repeat(32), "text": "A person here." });
    assert_eq!(post("messages", reply).await, 200);
    hands.forward(MINUTE);
    post("close", json!({})).await;
    hands.forward(1);

    let whole = card(&house, &cookie, "").await;
    assert_eq!(whole["cases"], 1);
    assert_eq!(
        (&whole["frt"]["bot"]["n"], &whole["frt"]["person"]["median_ms"]),
        (&json!(1), &json!(2 * MINUTE))
    );
    assert_eq!(whole["resolution"]["all"]["median_ms"], 3 * MINUTE);
    assert_eq!((&whole["resolved"]["owner"], &whole["sessions"]), (&json!(1), &json!(1)));
    assert_eq!(whole["funnel"][0], json!({ "step": "opened", "n": 1 }));
    assert_eq!(whole["previous"]["cases"], 0);
    let of = async |query: &str| card(&house, &cookie, &format!("?{query}")).await;
    assert_eq!(of("page=https://shop.example/pricing").await["cases"], 1);
    assert_eq!(of("page=https://shop.example/").await["cases"], 0);
    let tagged = of("tag=no_such_tag").await;
    assert_eq!((&tagged["cases"], &tagged["sessions"]), (&json!(0), &Value::Null));
    assert_ne!(tagged["funnel"][0]["step"], "opened");
    let end = hands.now() - DAY;
    assert_eq!(of(&format!("from={}&to={end}", end - DAY)).await["cases"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_in_a_sentence() {
    let house = House::open().await;
    let cookie = house.owner().await;
    for (query, expect) in [
        ("?from=x", "milliseconds since 1970"),
        ("?from=5&to=5", "`from` comes before `to`"),
        ("?from=0&to=99999999999", "400 days at most"),
        ("?to=-5", "`to` is a moment"),
        ("?to=9223372036854775807", "`to` is a moment"),
        ("?from=-9223372036854775808&to=5", "400 days at most"),
        ("?colour=red", "nothing else to choose"),
    ] {
        let answer = house.get(&format!("/console/api/scorecard{query}"), &cookie).await;
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, 400, "{query}");
        assert!(message.contains(expect), "{query}: {message}");
    }
    assert_eq!(house.get("/console/api/scorecard", "").await.status, 401);
    let assume =
        async |body: Value| house.post("/console/api/scorecard/assumptions", &cookie, &body).await;
    let path = "/console/api/scorecard/assumptions";
    let mut own = house.get(path, &cookie).await.json();
    own["hourly_rate"] = json!(45.5);
    assert_eq!(assume(own.clone()).await.json(), own);
    for wrong in [
        json!([]),
        json!({ "hourly_rate": -1 }),
        json!({ "hourly": 1 }),
        json!({ "currency": "euro" }),
    ] {
        assert_eq!(assume(wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_eq!(house.get(path, &cookie).await.json(), own, "a refusal changes nothing");
    assert_eq!(card(&house, &cookie, "").await["assumptions"], own);
    let mail = house.post("/console/api/scorecard/mail", &cookie, &json!({})).await;
    assert_eq!(mail.status, 409, "{}", mail.body);
}

/// Writes the events of a conversation; `more` brings further ones of it.
async fn write(app: &App, id: &str, at: i64, what: Vec<What>) {
    let mut tx = app.store.begin().await.unwrap();
    if tx.conversation(id).await.unwrap().is_none() {
        let names = (id.to_owned(), format!("e{id}"), format!("t{id}"));
        tx.start_conversation(names, None, at).await.unwrap();
    }
    for (n, what) in what.into_iter().enumerate() {
        let event = app.ids.id();
        tx.insert_event((&event, at + n as i64 * 1_000), (Some(id), None), &what).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn begun() -> What {
    What::ConversationStarted { visit: Visit::default(), staging: false }
}

fn said(seq: i64, from: Speaker) -> What {
    What::MessageSent {
        seq,
        from,
        answers: None,
        answer: from == Speaker::Bot,
        written_at: None,
        open_ms: None,
        template: None,
    }
}

fn resolved() -> What {
    What::ChatResolved { by: By::Owner, resolution_time_ms: 1, turns: 2, tags: vec![] }
}

async fn scratch(app: &App, ids: &[String]) -> Vec<(String, i64, String)> {
    let mut all = Vec::new();
    for id in ids {
        let events = app.store.events_of(id).await.unwrap();
        let cases = cases(&events).into_iter();
        all.extend(
            cases.map(|case| (id.clone(), case.place, serde_json::to_string(&case).unwrap())),
        );
    }
    all.sort();
    all
}

async fn cached(app: &App) -> Vec<(String, i64, String)> {
    let rows = app.store.all_cases().await.unwrap().into_iter();
    rows.map(|row| (row.conversation, row.place, row.body)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_is_what_a_reading_from_scratch_would_be() {
    let hands = Hands::new();
    let house = House::acting("", &hands, |_| {}).await;
    let app = Arc::clone(&house.running.app);
    let now = hands.now();
    let ids: Vec<String> = (0..400).map(|n| format!("{n:032x}")).collect();
    for (n, id) in ids.iter().enumerate() {
        let at = now - 20 * DAY + n as i64 * MINUTE;
        write(&app, id, at, vec![begun(), said(1, Speaker::Visitor), said(2, Speaker::Bot)]).await;
        if n % 3 == 0 {
            write(&app, id, at + MINUTE, vec![resolved()]).await;
        }
        if n % 97 == 0 {
            scorecard::refresh(&app).await.unwrap();
        }
    }
    // Two at once, while the stream grows.
    let more = async {
        for id in ids.iter().step_by(6) {
            write(
                &app,
                id,
                now - DAY,
                vec![said(3, Speaker::Visitor), said(4, Speaker::Owner), resolved()],
            )
            .await;
        }
    };
    let steps = async || while scorecard::step(&app.store).await.unwrap() {};
    tokio::join!(more, steps(), steps());
    scorecard::refresh(&app).await.unwrap();
    let expect = scratch(&app, &ids).await;
    assert!(expect.len() > ids.len(), "some conversations have two cases");
    assert_eq!(cached(&app).await, expect);
    // A restart goes on where it was.
    let house = house.again_at(&hands).await;
    let app = Arc::clone(&house.running.app);
    write(&app, &ids[1], now, vec![resolved()]).await;
    scorecard::refresh(&app).await.unwrap();
    assert_eq!(cached(&app).await, scratch(&app, &ids).await);
    // Slices and readers lose nothing and count nothing twice.
    let period = Period { from: now - 30 * DAY, to: now + 1 };
    let cards = scorecard::boards::plain(&app, &[period]).await.unwrap();
    assert_eq!(cards[0].cases, expect.len() as u64);
}

async fn mails(app: &App) -> usize {
    let recent = app.store.recent_parcels(100).await.unwrap();
    recent.iter().filter(|row| row.event == "weekly_scorecard").count()
}

/// Some rounds of what the server does all the time, in either order.
async fn go_on(app: &Arc<App>) {
    for _ in 0..3 {
        jobs::work_off_now(app).await.unwrap();
        scorecard::look(app).await.unwrap();
        jobs::work_off_now(app).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_of_the_week_is_sent_once() {
    let (hook, folder) = (Hook::open().await, tempdir().unwrap());
    let toml = allowed(&hook)
        + &webhook(&hook, "crm", &secret(folder.path(), KEY), "/hook")
        + &route("\"weekly_scorecard\"", "\"webhook:crm\"");
    // Tuesday, 14 November 2023.
    let hands = Hands::new();
    let outside = || Outside { clock: hands.clock(), ..Outside::system().unwrap() };
    let mut house = House::told(&toml, Settings::default(), outside()).await;
    let ms = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    write(
        &house.running.app,
        &"a".repeat(32),
        ms("2023-11-28T10:00:00Z"),
        vec![begun(), said(1, Speaker::Visitor), said(2, Speaker::Bot), resolved()],
    )
    .await;
    for (at, restarts, expect) in [
        ("2023-11-14T23:00:00Z", false, 0),
        ("2023-11-20T07:59:59Z", true, 0),
        // Three Mondays of silence bring one mail.
        ("2023-12-06T12:00:00Z", true, 1),
        ("2023-12-06T12:00:01Z", true, 1),
        ("2023-12-05T07:00:00Z", true, 1),
        ("2023-12-11T07:59:59Z", true, 1),
        ("2023-12-11T08:00:00Z", false, 2),
        // The outbox remembers two weeks.
        ("2023-12-18T09:30:00Z", true, 3),
        ("2023-12-19T09:30:00Z", false, 3),
    ] {
        hands.set(ms(at));
        if restarts {
            house = house.reopened(Settings::default(), outside()).await;
        }
        let app = &house.running.app;
        // The server's own keepers work at the same time: what they have begun is waited for.
        let arrived = async {
            while mails(app).await < expect {
                go_on(app).await;
            }
        };
        timeout(PATIENCE, arrived).await.unwrap_or_else(|_| panic!("{at}: no mail"));
        go_on(app).await;
        assert_eq!(mails(app).await, expect, "{at}");
    }
    let first: Value = serde_json::from_str(&hook.until(1).await[0].body).unwrap();
    let text = first["data"]["text"].as_str().unwrap();
    assert_eq!(first["data"]["title"], "Your chats in the week of 2023-11-27");
    for line in ["Chats: 1 (+1)", "One thing to do this week", "Nothing stands out."] {
        assert!(text.lines().any(|own| own == line), "{line} is missing:\n{text}");
    }
    assert!(text.trim_end().ends_with("/console/#/scorecard"), "{text}");
    let cookie = house.owner().await;
    let sent = house.post("/console/api/scorecard/mail", &cookie, &json!({})).await;
    assert_eq!((sent.status, sent.json()), (200, json!({ "to": ["webhook:crm"] })));
    assert_eq!(mails(&house.running.app).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_thing_to_do_is_chosen_once_and_measured_again() {
    let hands = Hands::new();
    let house = House::acting("", &hands, |_| {}).await;
    let cookie = house.owner().await;
    let app = Arc::clone(&house.running.app);
    let handed = |n: usize, week: i64| {
        let (app, at) = (Arc::clone(&app), hands.now() + week * 7 * DAY);
        async move {
            for number in 0..n {
                let id = format!("{week:016x}{number:016x}");
                let reason = if number < 6 { "no_passage" } else { "asked_for_person" };
                write(
                    &app,
                    &id,
                    at,
                    vec![
                        begun(),
                        said(1, Speaker::Visitor),
                        said(2, Speaker::Bot),
                        What::HandedOff { reason: reason.into() },
                    ],
                )
                .await;
            }
        }
    };
    handed(10, 0).await;
    hands.forward(7 * DAY);
    let item = card(&house, &cookie, "").await["action_item"].clone();
    assert_eq!(
        (&item["measure"], &item["subject"], &item["before"]),
        (&json!("hand_off"), &json!("no_passage"), &json!({ "hits": 6, "of": 10 }))
    );
    assert_eq!(
        (&item["week"], &item["rising"], &item["own"]),
        (&json!("2023-11-20"), &json!(false), &json!(false))
    );
    let change =
        async |body: Value| house.post("/console/api/scorecard/items", &cookie, &body).await;
    let done = change(json!({ "week": "2023-11-20", "done": true })).await.json();
    assert_eq!(done["items"][0]["done_at"], hands.now());
    for (wrong, status) in [
        (json!({ "week": "2020-01-06", "done": true }), 404),
        (json!({ "week": "2023-11-20", "text": "" , "measure": "csat" }), 400),
        (json!({ "week": "2023-11-20", "text": "x", "measure": "hand_off" }), 400),
        (json!({ "week": "2023-11-20", "text": "x".repeat(301), "measure": "csat" }), 400),
    ] {
        assert_eq!(change(wrong.clone()).await.status, status, "{wrong}");
    }
    // The week goes by without a missing answer, and the next one has an item of its own.
    for number in 0..30 {
        write(
            &app,
            &format!("f{number:031x}"),
            hands.now(),
            vec![begun(), said(1, Speaker::Visitor), said(2, Speaker::Bot)],
        )
        .await;
    }
    hands.forward(MINUTE);
    let after = card(&house, &cookie, "").await["action_item"].clone();
    assert_eq!(
        (&after["after"], &after["verdict"]),
        (&json!({ "hits": 0, "of": 30 }), &json!("better"))
    );
    hands.forward(7 * DAY);
    // The session of two weeks ago is over.
    let body = json!({ "email": "ada@example.org", "password": "correct horse 1" });
    let cookie = house.post("/console/api/login", "", &body).await.cookie();
    let items = house.get("/console/api/scorecard/items", &cookie).await.json()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 1, "nothing stood out this week: {items}");
    assert_eq!(
        (&items[0]["verdict"], &items[0]["after"]),
        (&json!("better"), &json!({ "hits": 0, "of": 30 }))
    );
    let own =
        json!({ "week": "2023-11-27", "text": "Write\n a page about prices", "measure": "fast" });
    let own = house.post("/console/api/scorecard/items", &cookie, &own).await.json();
    assert_eq!(
        (&own["items"][0]["text"], &own["items"][0]["own"]),
        (&json!("Write a page about prices"), &json!(true))
    );
}
