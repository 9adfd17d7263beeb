//! Office hours over the wire: tickets of the night and their mornings, promises, the owner's away switch; the clock is the test's.

use serde_json::{Value, json};

use crate::house::{Answer, Client, Hands, House};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// Monday to Friday, as the clock begins on a Tuesday at 23:13 in Berlin.
const HOURS: &str = r#"
zone = "Europe/Berlin"
priority_words = ["urgent"]
[week]
monday = ["09:00-12:30", "13:30-18:00"]
tuesday = ["09:00-12:30", "13:30-18:00"]
wednesday = ["09:00-12:30", "13:30-18:00"]
thursday = ["09:00-12:30", "13:30-18:00"]
friday = ["09:00-12:30", "13:30-18:00"]
"#;
/// Wednesday, 10:00 in Berlin.
const WEDNESDAY_AT_TEN: i64 = 1_700_038_800_000;
/// Something that a person has to look at.
const PARCEL: &str = "Where is my parcel now?";

async fn reply(visitor: &mut Client, number: u32, text: &str) -> String {
    visitor.say(number, text).await;
    visitor.message("bot").await["text"].as_str().unwrap().to_owned()
}

/// A visitor who is handed over; their conversation and what they were told.
async fn handed_over(house: &House) -> (Client, String, String) {
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, "Can I talk to a person?").await;
    let told = visitor.message("bot").await;
    let id = told["conversation"].as_str().unwrap().to_owned();
    (visitor, id, told["text"].as_str().unwrap().to_owned())
}

async fn write(house: &House, owner: &str, id: &str, number: u32) {
    let body = json!({ "client_msg_id": format!("{number:032x}"), "text": "Hello!" });
    let answer =
        house.post(&format!("/console/api/conversations/{id}/messages"), owner, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn detail(house: &House, owner: &str, id: &str) -> Value {
    house.get(&format!("/console/api/conversations/{id}"), owner).await.json()
}

#[tokio::test]
async fn a_ticket_of_the_night_and_its_morning() {
    let hands = Hands::new();
    let house = House::with_hours(&hands, HOURS).await;
    let owner = house.owner().await;
    let (mut visitor, welcome) = house.greeted().await;
    let closed = reply(&mut visitor, 1, PARCEL).await;
    assert!(
        closed.contains("Nobody is there right now") && closed.contains("tomorrow at 09:00"),
        "{closed}"
    );
    // What the documents answer is answered, then the address is asked for again.
    let aside = reply(&mut visitor, 2, crate::house::QUESTION).await;
    assert!(aside.contains(crate::house::ANSWER) && aside.contains("e-mail address"), "{aside}");
    let made = reply(&mut visitor, 3, "Jo@Example.org").await;
    assert!(
        made.contains("a person answers to jo@example.org, and here, tomorrow at 09:00"),
        "{made}"
    );
    let tickets = house.get("/console/api/tickets", &owner).await.json()["tickets"].clone();
    let ticket = &tickets[0];
    assert_eq!(
        (&ticket["number"], &ticket["subject"], &ticket["email"], &ticket["by"], &ticket["status"]),
        (&json!(1), &json!(PARCEL), &json!("jo@example.org"), &json!("bot"), &json!("open"))
    );
    let id = ticket["conversation"].as_str().unwrap().to_owned();
    // The server starts anew in the night, the clock is set back and put right, and nothing is due before the office opens.
    let house = house.again_at(&hands).await;
    hands.forward(-5 * HOUR);
    house.running.app.due.notify_one();
    hands.forward(WEDNESDAY_AT_TEN - HOUR - MINUTE - hands.now());
    house.running.app.due.notify_one();
    let mut visitor = house.visitor().await;
    let welcome = visitor.hello(welcome["token"].clone(), json!(id), 0).await;
    assert_eq!(welcome["state"], "bot");
    hands.forward(MINUTE);
    house.running.app.due.notify_one();
    assert_eq!(visitor.until("state").await["state"], "waiting");
    let morning = detail(&house, &owner, &id).await;
    assert_eq!(morning["conversation"]["reason"], "follow_up");
    assert_eq!(
        morning["suggestion"]["text"],
        format!(
            "Good morning! You wrote last night about “{PARCEL}”. I am here now and looking into it. Is there anything that you would like to add?"
        )
    );
    assert_eq!(morning["ticket"]["number"], 1);
    // Once: after the person has answered and handed it back, nothing comes again.
    write(&house, &owner, &id, 7).await;
    let back =
        house.post(&format!("/console/api/conversations/{id}/hand-back"), &owner, &json!({})).await;
    assert!((200..300).contains(&back.status), "{}", back.body);
    hands.forward(24 * HOUR);
    let house = house.again_at(&hands).await;
    assert!(house.running.app.store.planned("follow_up", &id).await.unwrap().is_none());
    assert_eq!(detail(&house, &owner, &id).await["conversation"]["state"], "bot");
}

#[tokio::test]
async fn a_day_that_became_a_holiday_has_no_follow_ups() {
    let hands = Hands::new();
    let house = House::with_hours(&hands, HOURS).await;
    let (mut visitor, _) = house.greeted().await;
    reply(&mut visitor, 1, PARCEL).await;
    visitor.say(2, "jo@example.org").await;
    let id = visitor.message("bot").await["conversation"].as_str().unwrap().to_owned();
    let holiday = "[[holiday]]\ndate = \"2023-11-15\"\nname = \"Holiday\"\n";
    let path = house.folder.path().join("prompts/hours.toml");
    std::fs::write(&path, format!("{HOURS}\n{holiday}")).unwrap();
    let house = house.again_at(&hands).await;
    hands.forward(WEDNESDAY_AT_TEN - hands.now());
    server::jobs::work_off_now(&house.running.app).await.unwrap();
    let planned = house.running.app.store.planned("follow_up", &id).await.unwrap().unwrap();
    assert_eq!(planned.due.due_at, WEDNESDAY_AT_TEN + 23 * HOUR, "Thursday at 09:00");
}

#[tokio::test]
async fn the_button_and_urgent_words_at_night() {
    let hands = Hands::new();
    let house = House::with_hours(&hands, HOURS).await;
    let (mut visitor, _) = house.greeted().await;
    visitor.send(&json!({ "type": "ask_person" })).await;
    assert_eq!(visitor.message("system").await["text"], "You asked for a person.");
    let asks = visitor.message("bot").await;
    assert!(
        asks["text"].as_str().unwrap().contains("We are back tomorrow at 09:00. Leave your e-mail"),
        "{asks}"
    );
    assert_eq!(asks["card"]["options"][0], "No e-mail, I will look here");
    let what = reply(&mut visitor, 1, "jo@example.org").await;
    assert!(what.contains("What is it about?"), "{what}");
    // It turns out that it cannot wait.
    let told = reply(&mut visitor, 2, "It is urgent: the shop is closed!").await;
    assert!(told.contains("I have called somebody"), "{told}");
    assert_eq!(visitor.until("state").await["state"], "waiting");
}

#[tokio::test]
async fn promises_come_from_figures_and_are_kept_or_broken() {
    let hands = Hands::new();
    let house = House::with_hours(&hands, HOURS).await;
    let owner = house.owner().await;
    hands.forward(WEDNESDAY_AT_TEN - hands.now());
    for number in 0..5 {
        let (_, id, told) = handed_over(&house).await;
        assert!(told.ends_with("You will have a reply as soon as possible."), "{told}");
        hands.forward(4 * MINUTE);
        write(&house, &owner, &id, number).await;
    }
    let (_visitor, id, told) = handed_over(&house).await;
    assert!(told.ends_with("You will have a reply within 5 minutes."), "{told}");
    let made = hands.now();
    let due = json!({ "minutes": 5, "due_at": made + 5 * MINUTE, "kept_at": null });
    assert_eq!(detail(&house, &owner, &id).await["promise"], due);
    let hours = house.get("/console/api/hours", &owner).await.json();
    assert_eq!(hours["promise"], json!({ "minutes": 5, "samples": 5 }));
    // The owner is warned when four fifths of the time are over, and again nothing when it has been kept.
    let mut console = house.console(&owner).await;
    hands.forward(4 * MINUTE);
    house.running.app.due.notify_one();
    let notice =
        console.find(|frame| frame["type"] == "notice" && frame["event"] == "promise_due").await;
    assert_eq!(
        (&notice["conversation"], notice["title"].as_str().unwrap().contains("today at 10:25")),
        (&json!(id), true),
        "{notice}"
    );
    hands.forward(3 * MINUTE);
    write(&house, &owner, &id, 9).await;
    assert_eq!(detail(&house, &owner, &id).await["promise"]["kept_at"], made + 7 * MINUTE);
    assert!(house.running.app.store.planned("promise", &id).await.unwrap().is_none());
    assert!(house.running.app.store.planned("unanswered", &id).await.unwrap().is_none());
    // Shortly before the break it is promised for after it.
    hands.forward(WEDNESDAY_AT_TEN + 148 * MINUTE - hands.now());
    let (_, _, told) = handed_over(&house).await;
    assert!(told.ends_with("You will have a reply by today at 14:00."), "{told}");
}

#[tokio::test]
async fn the_owner_is_away_until_it_ends_by_itself() {
    let hands = Hands::new();
    let house = House::with_hours(&hands, HOURS).await;
    let owner = house.owner().await;
    hands.forward(WEDNESDAY_AT_TEN - hands.now());
    let away = |until: Value| json!({ "until": until });
    for (until, status) in [
        (json!(WEDNESDAY_AT_TEN - 1), 422),
        (json!(-1), 422),
        (json!("soon"), 422),
        (json!(i64::MAX), 422),
        (json!(WEDNESDAY_AT_TEN + HOUR), 200),
    ] {
        let answer: Answer = house.post("/console/api/hours/away", &owner, &away(until)).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let house = house.again_at(&hands).await;
    let hours = house.get("/console/api/hours", &owner).await.json();
    assert_eq!((&hours["open"], &hours["opens"]), (&json!(false), &json!("today at 11:00")));
    let (mut visitor, _) = house.greeted().await;
    let told = reply(&mut visitor, 1, PARCEL).await;
    assert!(told.contains("We are back today at 11:00"), "{told}");
    hands.forward(HOUR);
    house.running.app.due.notify_one();
    // The visitor on the way to a ticket is followed up, and the next one is handed over.
    assert_eq!(visitor.until("state").await["state"], "waiting");
    let (_, _, told) = handed_over(&house).await;
    assert!(told.starts_with("Of course."), "{told}");
    // Until they say otherwise, and then they do.
    let hours = house.post("/console/api/hours/away", &owner, &away(json!(0))).await.json();
    assert_eq!(
        (&hours["open"], &hours["opens"], &hours["away_until"]),
        (&json!(false), &Value::Null, &json!(0))
    );
    let (mut visitor, _) = house.greeted().await;
    let told = reply(&mut visitor, 1, PARCEL).await;
    assert!(told.contains("Nobody is there right now") && !told.contains("back"), "{told}");
    let hours = house.post("/console/api/hours/away", &owner, &away(Value::Null)).await.json();
    assert_eq!((&hours["open"], &hours["away_until"]), (&json!(true), &Value::Null));
    hands.forward(10 * MINUTE);
    house.running.app.due.notify_one();
    assert_eq!(visitor.until("state").await["state"], "waiting");
}

#[tokio::test]
async fn tickets_are_listed_changed_answered_and_exported() {
    let hands = Hands::new();
    let house = House::with_hours(&hands, "").await;
    let owner = house.owner().await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, crate::house::QUESTION).await;
    let id = visitor.message("bot").await["conversation"].as_str().unwrap().to_owned();
    let new = |subject: &str, email: &str| json!({ "conversation": id, "subject": subject, "summary": "", "priority": "high", "tags": ["Setup", "Setup", ""], "email": email });
    for (body, status) in [
        (new("", "jo@example.org"), 422),
        (new("x", "jo at example"), 422),
        (new("x", "jo@example.org\r\nBcc: x@example.org"), 422),
        (json!({ "conversation": "0".repeat(32), "subject": "x" }), 404),
        (json!({ "conversation": id, "subject": "x", "priority": "soon" }), 422),
        (new("=HYPERLINK(\"http://x\")", "Jo@Example.org"), 200),
        (new("Second", ""), 200),
    ] {
        let answer = house.post("/console/api/tickets", &owner, &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
    for (filter, numbers) in [
        ("", vec![2, 1]),
        ("?status=open", vec![2, 1]),
        ("?status=solved", vec![]),
        ("?priority=high&tag=setup", vec![2, 1]),
        ("?priority=low", vec![]),
        ("?q=JO@example", vec![1]),
        ("?q=%232", vec![2]),
        ("?status=%27%20OR%201=1%20--", vec![]),
    ] {
        let list = house.get(&format!("/console/api/tickets{filter}"), &owner).await.json();
        let got: Vec<i64> = list["tickets"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|t| t["number"].as_i64())
            .collect();
        assert_eq!(got, numbers, "{filter}");
    }
    let list = house.get("/console/api/tickets", &owner).await.json();
    let (second, first) = (&list["tickets"][0], &list["tickets"][1]);
    assert_eq!(
        (&first["tags"], &first["email"], &first["by"]),
        (&json!(["Setup"]), &json!("jo@example.org"), &json!("Ada"))
    );
    assert!(first["summary"].as_str().unwrap().contains(crate::house::QUESTION), "{first}");
    let path = format!("/console/api/tickets/{}", first["id"].as_str().unwrap());
    assert_eq!(house.post(&path, &owner, &json!({ "status": "lost" })).await.status, 422);
    let edited =
        house.post(&path, &owner, &json!({ "status": "solved", "priority": "low" })).await.json();
    assert_eq!(
        (&edited["status"], &edited["priority"], &edited["email"]),
        (&json!("solved"), &json!("low"), &json!("jo@example.org"))
    );
    let answer =
        house.post(&format!("{path}/reply"), &owner, &json!({ "text": "It is mended." })).await;
    // No mail server is set here.
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({ "mailed": false })),
        "{}",
        answer.body
    );
    assert_eq!(visitor.message("owner").await["text"], "It is mended.");
    let changes = house.get(&path, &owner).await.json()["changes"].clone();
    let what: Vec<&str> =
        changes.as_array().unwrap().iter().filter_map(|c| c["what"].as_str()).collect();
    assert_eq!(what, ["made", "priority", "status", "replied"]);
    let other = format!("/console/api/tickets/{}/reply", second["id"].as_str().unwrap());
    assert_eq!(
        house.post(&other, &owner, &json!({ "text": "Hello" })).await.json(),
        json!({ "mailed": false })
    );
    let csv = house.get("/console/api/tickets/export?format=csv&q=%231", &owner).await;
    assert!(
        csv.head.contains("attachment; filename=\"tickets.csv\"") && csv.head.contains("nosniff"),
        "{}",
        csv.head
    );
    assert!(csv.body.contains("1,solved,low,\"'=HYPERLINK(\"\"http://x\"\")\""), "{}", csv.body);
    let exported = house.get("/console/api/tickets/export?format=json", &owner).await.json();
    assert_eq!(exported["tickets"].as_array().unwrap().len(), 2);
    for path in ["/console/api/tickets", "/console/api/tickets/export", "/console/api/hours"] {
        assert_eq!(house.get(path, "").await.status, 401, "{path}");
    }
}
