//! Notices: what goes where, signed, once for each target, again after a failure, and not at night.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use server::config::{HostPort, Settings};
use server::notify::{self, Event, Notice};
use server::outbound::pages::system_lookup;
use server::outbound::post::{Letter, Poster};
use server::outbox::{self, Channel, Parcel};
use server::startup::Outside;
use tokio::time::timeout;
use url::Url;

use crate::hook::{Act, Hook};
use crate::house::{Hands, House, PATIENCE};

const KEYS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b3RoZXIga2V5IHRoYXQgaXMgbG9uZyBlbm91Z2g="];

/// A secret in a file of its own.
pub(crate) fn secret(folder: &Path, text: &str) -> String {
    let path = folder.join("secret");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

pub(crate) fn webhook(hook: &Hook, id: &str, secret: &str, path: &str) -> String {
    format!(
        "[[webhook]]\nid = \"{id}\"\nurl = \"{}\"\nsecret_file = \"{secret}\"\n",
        hook.url(path)
    )
}

pub(crate) fn route(events: &str, to: &str) -> String {
    format!("[[route]]\nevent = [{events}]\nto = [{to}]\n")
}

pub(crate) fn allowed(hook: &Hook) -> String {
    format!("allow_private = [\"127.0.0.1:{}\"]\n", hook.port)
}

fn timed(hands: &Hands) -> Outside {
    Outside { clock: hands.clock(), ..Outside::system().unwrap() }
}

fn notice(event: Event, title: &str) -> Notice {
    Notice {
        event,
        conversation: String::new(),
        title: title.into(),
        text: format!("Text of {title}."),
        urgent: false,
    }
}

async fn tell(house: &House, notice: Notice) {
    let app = &house.running.app;
    let mut tx = app.store.begin().await.unwrap();
    notify::event(app, &mut tx, notice, app.clock.now_ms()).await.unwrap();
    tx.commit().await.unwrap();
}

/// What the console shows, once `found` is content with it.
pub(crate) async fn shown(house: &House, cookie: &str, found: impl Fn(&Value) -> bool) -> Value {
    let look = async {
        loop {
            let shown = house.get("/console/api/notifications", cookie).await.json();
            if found(&shown) {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match timeout(PATIENCE, look).await {
        Ok(shown) => shown,
        Err(_) => {
            panic!("{}", house.get("/console/api/notifications", cookie).await.body);
        }
    }
}

fn is(status: &'static str) -> impl Fn(&Value) -> bool {
    move |shown| shown["recent"][0]["status"] == status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_off_reaches_a_webhook_signed_with_both_secrets() {
    let (hook, folder) = (Hook::open().await, tempfile::tempdir().unwrap());
    let file = secret(folder.path(), &KEYS.join("\n"));
    let toml = allowed(&hook)
        + &webhook(&hook, "crm", &file, "/hook")
        + &route("\"hand_off\"", "\"webhook:crm\"");
    let house = House::told(&toml, Settings::default(), Outside::system().unwrap()).await;
    let (mut visitor, _) = house.greeted().await;
    visitor.send(&json!({ "type": "ask_person" })).await;
    let called = hook.until(1).await.remove(0);
    let body: Value = serde_json::from_str(&called.body).unwrap();
    assert_eq!(body["type"], "hand_off", "{body}");
    assert!(body["data"]["conversation"].as_str().unwrap().len() == 32, "{body}");
    let (id, seconds) = (called.header("webhook-id"), called.header("webhook-timestamp"));
    let signed: Vec<String> = KEYS
        .iter()
        .map(|key| {
            let key = STANDARD.decode(key.strip_prefix("whsec_").unwrap()).unwrap();
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
            mac.update(format!("{id}.{seconds}.{}", called.body).as_bytes());
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        })
        .collect();
    assert_eq!(called.header("webhook-signature"), signed.join(" "));
    assert_eq!(called.path, "/hook");
    let cookie = house.owner().await;
    let shown = shown(&house, &cookie, is("sent")).await;
    assert_eq!(shown["recent"][0]["channel"], "webhook:crm");
    assert_eq!(
        shown["routes"],
        json!([{ "event": "hand_off", "to": ["webhook:crm"], "urgent": false }])
    );
    assert!(!shown.to_string().contains("whsec_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_under_the_same_id_until_it_is_given_up() {
    let (hook, folder, hands) = (Hook::open().await, tempfile::tempdir().unwrap(), Hands::new());
    let file = secret(folder.path(), KEYS[0]);
    let toml = allowed(&hook)
        + &webhook(&hook, "crm", &file, "/hook")
        + &route("\"new_lead\"", "\"webhook:crm\"");
    let house = House::told(&toml, Settings::default(), timed(&hands)).await;
    let cookie = house.owner().await;
    let told = Act::Say("302 Found", format!("Location: {}\r\n", hook.url("/private")));
    let acts = [Act::Say("500 Internal Server Error", String::new()), told, Act::EndlessHead];
    let endings = ["it answered 500", "not followed", "request failed"];
    hook.next(acts.into_iter().chain([Act::Reset]));
    tell(&house, notice(Event::NewLead, "One")).await;
    // Longer than each wait: 5 s, 30 s, 2 min, 10 min.
    let waits = [7_000, 40_000, 150_000, 800_000];
    for (n, (ending, wait)) in endings.iter().chain([&"request failed"]).zip(waits).enumerate() {
        hook.until(n + 1).await;
        let shown = shown(&house, &cookie, |shown| {
            let parcel = &shown["recent"][0];
            let error = parcel["error"].as_str().unwrap_or_default();
            parcel["attempts"] == n + 1 && error.contains(ending)
        });
        assert_eq!(shown.await["recent"][0]["status"], "queued");
        hands.forward(wait);
        house.running.app.outbox.ring();
    }
    hook.until(5).await;
    shown(&house, &cookie, is("sent")).await;
    let called = hook.called();
    assert!(called.iter().all(|call| call.path == "/hook"), "{called:?}");
    let ids: Vec<String> = called.iter().map(|call| call.header("webhook-id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && id.len() > 30), "{ids:?}");
    assert!(called.iter().all(|call| call.body == called[0].body));
    // Given up after the seventh try; what comes afterwards is tried anew.
    hook.next((0..7).map(|_| Act::Say("503 Service Unavailable", String::new())));
    tell(&house, notice(Event::NewLead, "Two")).await;
    for n in 1..=6 {
        hook.until(5 + n).await;
        shown(&house, &cookie, |shown| {
            shown["recent"][0]["attempts"] == n && shown["recent"][0]["error"].is_string()
        })
        .await;
        hands.forward(8 * 3_600_000);
        house.running.app.outbox.ring();
    }
    hook.until(12).await;
    let shown = shown(&house, &cookie, is("failed")).await;
    assert_eq!(shown["recent"][0]["error"], "it answered 503");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_gone_is_told_nothing_more_until_a_test_succeeds() {
    let (hook, folder) = (Hook::open().await, tempfile::tempdir().unwrap());
    let file = secret(folder.path(), KEYS[0]);
    let toml =
        allowed(&hook) + &webhook(&hook, "crm", &file, "/hook") + "events = [\"new_lead\"]\n";
    let house = House::told(&toml, Settings::default(), Outside::system().unwrap()).await;
    let cookie = house.owner().await;
    hook.say("410 Gone");
    tell(&house, notice(Event::NewLead, "One")).await;
    let seen = shown(&house, &cookie, is("failed")).await;
    assert!(seen["channels"][0]["problem"].as_str().unwrap().contains("410"), "{seen}");
    tell(&house, notice(Event::NewLead, "Two")).await;
    hook.say("500 Internal Server Error");
    let test = json!({ "channel": "webhook:crm" });
    let answer = house.post("/console/api/notifications/test", &cookie, &test).await;
    assert_eq!(answer.status, 502, "{}", answer.body);
    assert!(answer.body.contains("it answered 500"), "{}", answer.body);
    let answer = house.post("/console/api/notifications/test", &cookie, &test).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "ok": true })));
    tell(&house, notice(Event::NewLead, "Three")).await;
    let bodies: Vec<Value> =
        hook.until(4).await.iter().map(|call| serde_json::from_str(&call.body).unwrap()).collect();
    let titles: Vec<&Value> = bodies.iter().map(|body| &body["data"]["title"]).collect();
    assert_eq!(titles, ["One", "A test from Porchlight", "A test from Porchlight", "Three"]);
    for (channel, status) in [("webhook:other", 404), ("smoke", 404), ("browser", 200)] {
        let test = json!({ "channel": channel });
        let answer = house.post("/console/api/notifications/test", &cookie, &test).await;
        assert_eq!(answer.status, status, "{channel}: {}", answer.body);
    }
    let answer = house.post("/console/api/notifications/test", "", &test).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_hangs_holds_up_no_other() {
    let (slow, quick, folder) =
        (Hook::open().await, Hook::open().await, tempfile::tempdir().unwrap());
    let file = secret(folder.path(), KEYS[0]);
    let ports =
        format!("allow_private = [\"127.0.0.1:{}\", \"127.0.0.1:{}\"]\n", slow.port, quick.port);
    let toml = ports
        + &webhook(&slow, "slow", &file, "/")
        + &webhook(&quick, "quick", &file, "/")
        + &route("\"new_lead\"", "\"webhook:slow\", \"webhook:quick\"");
    let house = House::told(&toml, Settings::default(), Outside::system().unwrap()).await;
    slow.next([Act::Hang]);
    for title in ["One", "Two", "Three"] {
        tell(&house, notice(Event::NewLead, title)).await;
    }
    let called = quick.until(3).await;
    assert_eq!(slow.called().len(), 1, "one at a time for each target");
    let title =
        |n: usize| serde_json::from_str::<Value>(&called[n].body).unwrap()["data"]["title"].clone();
    assert_eq!([title(0), title(1), title(2)], ["One", "Two", "Three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restart_cut_off_is_sent_again_under_the_same_id() {
    let (hook, folder) = (Hook::open().await, tempfile::tempdir().unwrap());
    let file = secret(folder.path(), KEYS[0]);
    let toml = allowed(&hook) + &webhook(&hook, "crm", &file, "/") + "events = [\"new_lead\"]\n";
    let house = House::told(&toml, Settings::default(), Outside::system().unwrap()).await;
    hook.next([Act::Hang]);
    tell(&house, notice(Event::NewLead, "One")).await;
    hook.until(1).await;
    let house = house.reopened(Settings::default(), Outside::system().unwrap()).await;
    let called = hook.until(2).await;
    assert_eq!(called[0].header("webhook-id"), called[1].header("webhook-id"));
    assert_eq!(called[0].body, called[1].body);
    let cookie = house.owner().await;
    shown(&house, &cookie, is("sent")).await;
    assert_eq!(hook.called().len(), 2);
}

/// The night of 14 to 15 November 2023, in milliseconds since 1970.
fn night(hour: i64, minute: i64) -> i64 {
    1_699_920_000_000 + (hour * 60 + minute) * 60_000
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quiet_hours_end_with_one_digest() {
    let (hook, folder, hands) = (Hook::open().await, tempfile::tempdir().unwrap(), Hands::new());
    let file = secret(folder.path(), KEYS[0]);
    let toml = "quiet = \"22:00-07:00\"\n".to_owned()
        + &allowed(&hook)
        + &webhook(&hook, "crm", &file, "/hook")
        + &format!("[[ntfy]]\nurl = \"{}\"\ntopic = \"shop\"\n", hook.url("/n/"))
        + &route("\"new_lead\", \"hand_off\"", "\"ntfy:shop\", \"webhook:crm\"")
        + &route("\"unanswered\"", "\"ntfy:shop\"")
        + "urgent = true\n";
    hands.set(night(22, 30));
    let house = House::told(&toml, Settings::default(), timed(&hands)).await;
    let cookie = house.owner().await;
    tell(&house, notice(Event::NewLead, "Erste Grüße")).await;
    assert_eq!(hook.until(1).await[0].path, "/hook", "programs do not sleep");
    tell(&house, notice(Event::Unanswered, "Urgent by its route")).await;
    tell(&house, Notice { urgent: true, ..notice(Event::HandOff, "Urgent itself") }).await;
    let called = hook.until(4).await;
    let mut titles: Vec<String> = called
        .iter()
        .filter(|call| call.path == "/n/shop")
        .map(|call| call.header("title"))
        .collect();
    // Both are of the same moment of this clock.
    titles.sort();
    assert_eq!(titles, ["Urgent by its route", "Urgent itself"]);
    hands.set(night(30, 59));
    tell(&house, notice(Event::HandOff, "Second")).await;
    hook.until(5).await;
    shown(&house, &cookie, |shown| {
        let waits = |row: &&Value| row["status"] == "digest" && row["channel"] == "ntfy:shop";
        shown["recent"].as_array().unwrap().iter().filter(waits).count() == 2
    })
    .await;
    hands.set(night(31, 0));
    house.running.app.outbox.ring();
    let digest = hook.until(6).await.remove(5);
    assert_eq!(digest.header("title"), "2 notices of the quiet hours");
    assert!(digest.body.contains("1. Erste Grüße\nText of Erste Grüße."), "{}", digest.body);
    assert!(digest.body.contains("2. Second"), "{}", digest.body);
    tell(&house, notice(Event::NewLead, "Wach – by day")).await;
    let last = hook.until(8).await;
    let last = last[6..].iter().find(|call| call.path == "/n/shop").unwrap();
    assert_eq!(last.header("title"), "=?UTF-8?B?V2FjaCDigJMgYnkgZGF5?=");
    assert_eq!(
        (last.header("priority"), last.header("tags")),
        ("default".into(), "seedling".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_outbox_refuses_the_newest_and_says_so() {
    let hands = Hands::new();
    let house = House::told("", Settings::default(), timed(&hands)).await;
    let (app, cookie) = (&house.running.app, house.owner().await);
    let now = app.clock.now_ms();
    let later = |n: i64| Parcel {
        channel: Channel::Mail,
        target: "ada@example.org".into(),
        event: "new_lead".into(),
        conversation: String::new(),
        body: "{}".into(),
        // None is tried while the test runs.
        digest_at: Some(now + 3_600_000 + n),
    };
    let mut tx = app.store.begin().await.unwrap();
    for n in 0..outbox::MAX {
        assert!(outbox::put(app, &mut tx, later(n), now).await.unwrap().is_some(), "{n}");
    }
    assert!(outbox::put(app, &mut tx, later(0), now).await.unwrap().is_none());
    tx.commit().await.unwrap();
    let shown = house.get("/console/api/notifications", &cookie).await.json();
    let said = shown["problem"].as_str().unwrap();
    assert_eq!(said, "1 notices were not kept since the start, as 10000 wait to be sent already.");
    assert_eq!(shown["recent"].as_array().unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_forgotten_after_a_fortnight_and_clocks_may_jump() {
    let (hook, folder, hands) = (Hook::open().await, tempfile::tempdir().unwrap(), Hands::new());
    let file = secret(folder.path(), KEYS[0]);
    let toml = allowed(&hook) + &webhook(&hook, "crm", &file, "/") + "events = [\"new_lead\"]\n";
    let house = House::told(&toml, Settings::default(), timed(&hands)).await;
    let cookie = house.owner().await;
    hook.say("500 Internal Server Error");
    tell(&house, notice(Event::NewLead, "One")).await;
    shown(&house, &cookie, |shown| shown["recent"][0]["error"] == "it answered 500").await;
    // A year back: what is due "later than anything waits" is due.
    hands.forward(-365 * 86_400_000);
    house.running.app.outbox.ring();
    shown(&house, &cookie, is("sent")).await;
    let mut tx = house.running.app.store.begin().await.unwrap();
    tx.forget_parcels(hands.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shown(&house, &cookie, |_| true).await["recent"].as_array().unwrap().len(), 1);
    let mut tx = house.running.app.store.begin().await.unwrap();
    tx.forget_parcels(hands.now() + 1).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(shown(&house, &cookie, |_| true).await["recent"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_is_told_in_its_socket() {
    let toml = route("\"first_message\"", "\"browser\"");
    let house = House::told(&toml, Settings::default(), Outside::system().unwrap()).await;
    let cookie = house.owner().await;
    let mut console = house.console(&cookie).await;
    let (mut visitor, _) = house.greeted().await;
    visitor.say(1, "Is anybody there?").await;
    let conversation = visitor.until("ack").await["conversation"].clone();
    let notice = console.until("notice").await;
    assert_eq!(
        notice,
        json!({ "type": "notice", "event": "first_message", "conversation": conversation,
            "title": "A visitor has written", "text": "Is anybody there?" })
    );
}

#[tokio::test]
async fn only_what_the_owner_names_is_called_at_a_private_address() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let hook = Hook::open().await;
    let poster = Poster::new(system_lookup(), Duration::from_millis(300)).unwrap();
    let here = HostPort::try_from(format!("127.0.0.1:{}", hook.port)).unwrap();
    let named = HostPort::try_from(format!("localhost:{}", hook.port)).unwrap();
    let local = format!("http://localhost:{}/", hook.port);
    let post = async |url: &str, allowed: &[HostPort], headers: &[(&'static str, String)]| {
        let url = Url::parse(url).unwrap();
        let content_type = "application/json";
        let letter = Letter { url: &url, headers, content_type, body: "{}".into(), allowed };
        poster.post(&letter).await.map_err(|error| error.to_string())
    };
    for (url, allowed) in [
        (hook.url("/"), vec![]),
        (local.clone(), vec![]),
        (hook.url("/").replace("127.0.0.1", "2130706433"), vec![]),
        (hook.url("/").replace("127.0.0.1", "[::ffff:127.0.0.1]"), vec![here.clone()]),
        (local.clone(), vec![here.clone()]),
    ] {
        let error = post(&url, &allowed, &[]).await.unwrap_err();
        assert!(
            error.contains("very machine") || error.contains("allow_private"),
            "{url}: {error}"
        );
    }
    assert!(hook.called().is_empty());
    assert_eq!(post(&hook.url("/"), std::slice::from_ref(&here), &[]).await, Ok(200));
    assert_eq!(post(&local, &[named], &[]).await, Ok(200));
    for (act, expect) in [
        (Act::Hang, Err("no answer after 0.3 seconds")),
        (Act::Huge, Ok(200)),
        (Act::EndlessHead, Err("the request failed")),
        (Act::Reset, Err("the request failed")),
        (Act::Say("302 Found", format!("Location: {local}\r\n")), Ok(302)),
    ] {
        hook.next([act.clone()]);
        let answer = post(&hook.url("/"), std::slice::from_ref(&here), &[]).await;
        match (&answer, expect) {
            (Ok(status), Ok(expect)) => assert_eq!(*status, expect, "{act:?}"),
            (Err(error), Err(expect)) => assert!(error.contains(expect), "{act:?}: {error}"),
            _ => panic!("{act:?}: {answer:?}"),
        }
    }
    let evil = [("x-evil", "a\r\nX-More: 1".to_owned())];
    let error = post(&hook.url("/"), &[here], &evil).await.unwrap_err();
    assert_eq!(error, "the header `x-evil` cannot be written");
}
