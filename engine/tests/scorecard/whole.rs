//! The audit: a whole stream passes, and each thing that goes wrong is named by its own check.

use engine::metrics::audit::audit;
use engine::metrics::event::{By, Event, Visit, What};
use engine::turn::Speaker::{self, Bot, Owner, Visitor};

use crate::stream::{mail, stream};

const PAGE: &str = "https://shop.example/";

fn message(seq: i64, from: Speaker, answers: Option<i64>) -> What {
    let answer = from == Bot;
    let (written_at, open_ms, template) = (None, None, None);
    What::MessageSent { seq, from, answers, answer, written_at, open_ms, template }
}

fn first(from: Speaker, ms: i64) -> What {
    What::FirstResponse { from, ms, open_ms: None }
}

fn resolve(ms: i64, turns: i64) -> What {
    What::ChatResolved { by: By::Visitor, resolution_time_ms: ms, turns, tags: vec!["a".into()] }
}

fn decided(for_seq: i64) -> What {
    What::ReplyDecided {
        for_seq,
        action: "send".into(),
        rule: "confident".into(),
        reason: String::new(),
        confidence: 0.9,
        frustration: 0.1,
        tags: vec!["a".into()],
    }
}

/// A trial as it should be: an answer, a person, a resolve with both surveys, and a second visit.
fn whole() -> Vec<Event> {
    let visit = || Visit { page: PAGE.into(), ..Visit::default() };
    stream([
        (0, What::ChatOpened(visit())),
        (9, What::ConversationStarted { visit: visit(), staging: true }),
        (10, message(1, Visitor, None)),
        (20, decided(1)),
        (20, message(2, Bot, Some(1))),
        (20, first(Bot, 10)),
        (30, message(3, Visitor, None)),
        (70, message(4, Owner, None)),
        (70, first(Owner, 60)),
        (100, resolve(90, 4)),
        (100, What::CsatAsked {}),
        (110, What::CsatSubmitted { case: None, score: 5, scale: 5, comment: None }),
        (111, What::CsatSubmitted { case: None, score: 5, scale: 5, comment: Some("good".into()) }),
        (111, What::NpsAsked {}),
        (112, What::NpsSubmitted { case: None, score: 9, comment: None }),
        (200, What::ChatReopened { after_ms: 100 }),
        (200, message(5, Visitor, None)),
        (210, message(6, Owner, None)),
        (220, resolve(210, 6)),
    ])
}

/// Ids of the checks that fail.
fn failed(events: &[Event]) -> Vec<&'static str> {
    audit(events).into_iter().filter(|check| !check.ok).map(|check| check.id).collect()
}

#[test]
fn a_whole_stream_passes() {
    let checks = audit(&whole());
    assert_eq!(failed(&whole()), [""; 0], "{checks:#?}");
    assert_eq!(checks.len(), 13);
    assert!(checks.iter().all(|check| !check.title.is_empty() && check.detail.ends_with('.')));
}

/// Checks what a change of the whole stream is convicted of; the detail says it in words.
fn check(name: &str, change: impl Fn(&mut Vec<Event>), expect: &[&str], words: &str) {
    let mut events = whole();
    change(&mut events);
    assert_eq!(failed(&events), expect, "{name}");
    let details: Vec<String> =
        audit(&events).into_iter().filter(|check| !check.ok).map(|check| check.detail).collect();
    assert!(details.join(" ").contains(words), "{name}: {details:?} has no {words:?}");
}

/// The place of the event with this name.
fn place(events: &[Event], name: &str) -> usize {
    let named =
        |event: &Event| serde_json::to_value(event).is_ok_and(|value| value["name"] == name);
    events.iter().position(named).unwrap()
}

fn without(name: &'static str) -> impl Fn(&mut Vec<Event>) {
    move |events| drop(events.remove(place(events, name)))
}

#[test]
fn what_is_missing_is_named() {
    check("no panel", without("chat_opened"), &["opened"], "no chat_opened");
    check("no beginning", without("conversation_started"), &["started"], "no conversation_started");
    check("no decision", without("reply_decided"), &["decisions"], "no reply_decided");
    check("no first reply", without("first_response"), &["first_response"], "bot's reply after 10");
    check("no reopening", without("chat_reopened"), &["reopened"], "no chat_reopened");
    check("no question", without("csat_asked"), &["csat"], "nobody was asked");
    check("no second question", without("nps_asked"), &["nps"], "nobody was asked");
    let message = |events: &mut Vec<Event>| drop(events.remove(6));
    check("a message", message, &["messages", "resolved"], "Message 4 follows message 2");
    let none = |events: &mut Vec<Event>| events.clear();
    let all = ["opened", "started", "messages", "first_response", "resolved", "tags"];
    check("everything", none, &all, "write a message");
    let unresolved = |events: &mut Vec<Event>| events.truncate(9);
    check("no resolve", unresolved, &["resolved"], "no chat_resolved yet");
    let unasked = |events: &mut Vec<Event>| drop(events.drain(10..));
    check("no survey", unasked, &["csat"], "switched off");
}

#[test]
fn what_is_wrong_is_named() {
    let set = |at: usize, what: What| move |events: &mut Vec<Event>| events[at].what = what.clone();
    check("no page", set(0, What::ChatOpened(Visit::default())), &["opened"], "no page");
    check("the same id", |events| events[3].id = events[2].id.clone(), &["ids"], "twice");
    check("a short id", |events| events[3].id = "7".into(), &["ids"], "32 hex");
    check("places fall", |events| events[3].n = 2, &["order"], "stands behind");
    check("the clock", |events| events[1].at = -5, &["times"], "set back by 5 ms");
    check("a wrong timer", set(5, first(Bot, 11)), &["first_response"], "the messages say 10 ms");
    check("a timer too many", set(1, first(Bot, 11)), &["started", "first_response"], "behind no");
    check("a wrong time", set(9, resolve(91, 4)), &["resolved"], "there were 4 in 90 ms");
    check("a wrong number", set(9, resolve(90, 5)), &["resolved"], "there were 4");
    check("declined", set(11, What::CsatDeclined {}), &[], "");
    check(
        "asked on",
        |events| {
            events[11].what = What::CsatDeclined {};
            events[12].what = What::CsatDeclined {};
        },
        &["nps"],
        "follows a declined",
    );
    check("asked twice", set(14, What::NpsAsked {}), &["nps"], "twice");
    check(
        "no such score",
        set(14, What::NpsSubmitted { case: None, score: 11, comment: None }),
        &["nps"],
        "11",
    );
    let rated = What::CsatSubmitted { case: None, score: 4, scale: 3, comment: None };
    check("no such rating", set(11, rated), &["csat"], "4 on a scale of 3");
    check("resolved twice", set(10, resolve(90, 4)), &["resolved", "csat"], "no case was open");
    check("asked too early", set(8, What::CsatAsked {}), &["first_response", "csat"], "before a");
    check("reopened too late", set(15, What::ChatReopened { after_ms: 101 }), &["reopened"], "101");
    let ahead = |events: &mut Vec<Event>| events[7].what = mail(Owner, 71);
    check(
        "a mail from the future",
        ahead,
        &["times", "messages", "first_response"],
        "after it came",
    );
    let silent = |events: &mut Vec<Event>| {
        if let What::ChatResolved { by, .. } = &mut events[9].what {
            *by = By::Silence;
        }
    };
    check("asked after a silence", silent, &["csat", "nps"], "by silence");
    let untagged = |events: &mut Vec<Event>| {
        for event in events {
            if let What::ChatResolved { tags, .. } = &mut event.what {
                tags.clear();
            }
        }
    };
    check("tags are lost", untagged, &["tags"], "chat_resolved has no tags");
}
