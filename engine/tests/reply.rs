//! The way of one turn through `engine::reply`, with a scripted model and search.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::ops::ControlFlow;

use engine::confidence::Tuned;
use engine::draft::Mode;
use engine::entities::{Entities, OwnEntities};
use engine::intent::{IntentBook, IntentFile};
use engine::model::ModelError;
use engine::policy::{Autonomy, IntentPolicy, Policy};
use engine::prompt::Templates;
use engine::reply::{Event, Outcome, Parts, reply, suggest};
use engine::rules::{Action, Reason};
use engine::tasks::Books;
use engine::testing::{ScriptedModel, ScriptedSearch};
use engine::turn::{Message, Speaker, Turn};

const PORT: &str = "Porchlight listens on port 7878 unless you change the port.";
const CHANGE: &str = "You change the port with the listen option of the serve command.";

const INTENTS: &str = "oos_examples=['what is the weather']
[[intent]]
id='general'
label='General'
examples=['how do i change the port']
";

struct House {
    model: ScriptedModel,
    search: ScriptedSearch,
    policy: Policy,
    intents: IntentFile,
    templates: Templates,
    mode: Mode,
}

impl Default for House {
    fn default() -> Self {
        let shipped = IntentFile::parse(include_str!("../../prompts/intents.toml")).unwrap();
        let templates = Templates::parse(include_str!("../../prompts/templates.toml")).unwrap();
        let backups = ["Backups are copies of the data folder.", "A backup needs no password."];
        Self {
            model: ScriptedModel::default(),
            search: ScriptedSearch::new(&[
                ("port.md", "How do I change the port?", &[PORT, CHANGE]),
                ("backup.md", "How do I make a backup?", &backups),
            ]),
            policy: Policy::parse(include_str!("../../prompts/policy.toml"), &shipped, &templates)
                .unwrap(),
            intents: IntentFile::parse(INTENTS).unwrap(),
            templates,
            mode: Mode::Quote,
        }
    }
}

impl House {
    fn ask(&self, question: &str) -> Outcome {
        self.run(&turn(question), &mut |_| ControlFlow::Continue(()))
    }

    fn run(&self, turn: &Turn, on_event: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>) -> Outcome {
        self.with(|parts| reply(parts, turn, on_event))
    }

    fn suggest(
        &self,
        turn: &Turn,
        on_event: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Outcome {
        self.with(|parts| suggest(parts, turn, on_event))
    }

    fn with(&self, make: impl FnOnce(&Parts<'_>) -> Outcome) -> Outcome {
        let intents = IntentBook::learn(&self.intents, &self.model).unwrap();
        let parts = Parts {
            search: &self.search,
            model: &self.model,
            intents: &intents,
            policy: &self.policy,
            templates: &self.templates,
            books: &Books::default(),
            entities: &Entities::new(&OwnEntities::default()).unwrap(),
            tuned: Tuned::default(),
            mode: self.mode,
        };
        make(&parts)
    }
}

fn turn(question: &str) -> Turn {
    Turn::asking(question)
}

#[test]
fn every_turn_ends_in_a_named_decision() {
    // Longer than what is searched for; rules read it whole.
    let shouted = format!("I want to talk to a person{}", "!".repeat(3_000));
    for (question, action, rule, reason) in [
        (shouted.as_str(), Action::HandOff, "asks-for-person", Reason::AskedForPerson),
        ("How do I change the port?", Action::Send, "confident", Reason::Confident),
        ("I want to talk to a person", Action::HandOff, "asks-for-person", Reason::AskedForPerson),
        ("My lawyer will write to you", Action::HandOff, "regulated-topic", Reason::RegulatedTopic),
        ("This is ridiculous", Action::HandOff, "frustration", Reason::Frustration),
        ("Was I charged to change the port?", Action::Hold, "money-words", Reason::MoneyWords),
        ("Are you a real person?", Action::Send, "is-this-a-human", Reason::AskedIfHuman),
        (
            "Are you a bot? Get me a human",
            Action::HandOff,
            "asks-for-person",
            Reason::AskedForPerson,
        ),
        (
            "Where is my order 12345?",
            Action::HandOff,
            "account-question",
            Reason::UnverifiedAccount,
        ),
        ("?!…", Action::Send, "unreadable", Reason::Unreadable),
        ("zebra quantum xylophone", Action::HandOff, "off-topic", Reason::OffTopic),
    ] {
        let outcome = House::default().ask(question);
        let got =
            (outcome.decision.action, outcome.decision.rule.as_str(), outcome.decision.reason);
        assert_eq!(got, (action, rule, reason), "{question} {outcome:?}");
        assert_eq!(outcome.say.is_some(), action != Action::Send, "{question}");
    }
}

#[test]
fn a_quote_holds_nothing_but_sentences_of_the_passages() {
    let outcome = House::default().ask("How do I change the port?");
    let draft = outcome.draft.unwrap();
    for piece in &draft.pieces {
        assert!([PORT, CHANGE].contains(&piece.text.trim()), "{piece:?}");
        assert_eq!(draft.citations[piece.cite.unwrap() - 1].doc, "port.md");
    }
    let span = draft.citations[0].span.clone();
    assert!(span.end <= draft.citations[0].passage.end, "{span:?}");
}

#[test]
fn free_text_is_shown_only_where_the_passages_support_it() {
    let script = "You change the port with the listen option. We also support SSO with Okta. Bye.";
    let mut house = House { mode: Mode::Compose, ..House::default() };
    house.model.scripts.insert("change the port".into(), script.into());
    let mut shown = String::new();
    let mut refused = None;
    let outcome = house.run(&turn("How do I change the port?"), &mut |event| {
        match event {
            Event::Piece { piece, .. } => shown.push_str(&piece.text),
            Event::Unsupported(sentence) => refused = Some(sentence.to_owned()),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    assert_eq!(shown, "You change the port with the listen option.");
    assert_eq!(refused.as_deref(), Some("We also support SSO with Okta."));
    assert_eq!(outcome.mode, Mode::Compose);
    assert_eq!(outcome.draft.unwrap().text(), shown);
}

#[test]
fn unsupported_free_text_falls_back_to_quoting() {
    let mut house = House { mode: Mode::Compose, ..House::default() };
    house.model.scripts.insert("change the port".into(), "Use port 9999 on Mars.".into());
    let outcome = house.ask("How do I change the port?");
    assert_eq!(outcome.mode, Mode::Quote);
    assert!(outcome.draft.unwrap().text().contains("7878"));
}

#[test]
fn a_break_at_any_event_cancels() {
    let question = turn("How do I change the port?");
    let mut events = 0;
    House::default().run(&question, &mut |_| {
        events += 1;
        ControlFlow::Continue(())
    });
    assert!(events > 5, "{events}");
    for stop_at in 1..=events {
        let mut seen = 0;
        let outcome = House::default().run(&question, &mut |_| {
            seen += 1;
            if seen == stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(outcome.cancelled, "{stop_at} of {events}");
        assert_eq!(seen, stop_at);
    }
}

#[test]
fn a_failing_model_hands_off_and_says_what_failed() {
    let mut house = House { mode: Mode::Compose, ..House::default() };
    house.model.scripts.insert("change the port".into(), "You change the port.".into());
    house.model.before_token = Some(Box::new(|| Err(ModelError::Failed("NaN in layer 3".into()))));
    let outcome = house.ask("How do I change the port?");
    assert_eq!(outcome.decision.reason, Reason::Fault);
    assert!(outcome.fault.unwrap().contains("NaN"), "the log names the cause");
}

#[test]
fn the_bot_stops_at_the_turn_cap() {
    let house = House::default();
    let question = Turn { bot_turns: house.policy.turn_cap, ..turn("How do I change the port?") };
    let outcome = house.run(&question, &mut |_| ControlFlow::Continue(()));
    assert_eq!(outcome.decision.reason, Reason::TurnCap);
}

#[test]
fn a_follow_up_is_searched_with_the_question_before() {
    let earlier = Message { speaker: Speaker::Visitor, text: "How do I make a backup?".into() };
    let follow_up = Turn { history: vec![earlier], ..turn("And does it need a password?") };
    let outcome = House::default().run(&follow_up, &mut |_| ControlFlow::Continue(()));
    assert_eq!(outcome.draft.unwrap().citations[0].doc, "backup.md");
}

fn said(speaker: Speaker, text: &str) -> Message {
    Message { speaker, text: text.into() }
}

/// A conversation in which visitor and bot take turns, then `question`.
fn conversation(texts: &[&str], question: &str) -> Turn {
    let speaker = |n: usize| if n.is_multiple_of(2) { Speaker::Visitor } else { Speaker::Bot };
    let history: Vec<Message> =
        texts.iter().enumerate().map(|(n, text)| said(speaker(n), text)).collect();
    Turn { history, bot_turns: texts.len() as u32 / 2, ..Turn::asking(question) }
}

#[test]
fn three_replies_without_progress_ask_a_person() {
    let house = House::default();
    let unclear = house.templates.say("unclear");
    let port = "Is port 7878 fixed?";
    for (texts, question, expect) in [
        // Asked again and again.
        (vec![port, PORT, port, PORT, "so port 7878 is fixed", PORT], port, true),
        (vec![port, PORT, port, PORT], port, false),
        // Another question is progress, and so are thanks.
        (
            vec![port, PORT, port, PORT, "How do I change the port?", CHANGE],
            "How do I make a backup?",
            false,
        ),
        (vec![port, PORT, port, PORT, port, PORT], "thanks, that works", false),
        // Turned down, and not even understood.
        (vec![port, PORT, "that is wrong", CHANGE, "??", &unclear], "still not what I need", true),
        // The answer before the row was progress, the two after it were not.
        (
            vec!["How do I make a backup?", "Copies.", "How about the port?", PORT, "no", PORT],
            "no",
            false,
        ),
    ] {
        let outcome =
            house.run(&conversation(&texts, question), &mut |_| ControlFlow::Continue(()));
        assert_eq!(
            outcome.decision.rule == "no-progress",
            expect,
            "{texts:?} {question} {outcome:?}"
        );
    }
}

#[test]
fn what_a_person_ended_is_not_counted() {
    let port = "Is port 7878 fixed?";
    let texts = [port, PORT, port, PORT, port, PORT];
    let turn = Turn { bot_turns: 1, ..conversation(&texts, port) };
    let outcome = House::default().run(&turn, &mut |_| ControlFlow::Continue(()));
    assert_ne!(outcome.decision.rule, "no-progress", "{outcome:?}");
}

#[test]
fn thanks_and_greetings_are_no_standstill() {
    let house = House::default();
    let hello = house.templates.say("small_talk");
    let texts = ["hello", &hello, "hello", &hello, "hello", &hello, "hello", &hello];
    let outcome = house.run(&conversation(&texts, "hello"), &mut |_| ControlFlow::Continue(()));
    assert_ne!(outcome.decision.reason, Reason::NoProgress, "{outcome:?}");
}

/// Two documents that say nearly the same of two things.
fn twins() -> House {
    let linux = ["The installer needs a folder.", "Run the installer as root."];
    let windows = ["The installer needs a drive.", "Run the installer as administrator."];
    let search = ScriptedSearch::new(&[
        ("linux.md", "Run the installer on Linux", &linux),
        ("windows.md", "Run the installer on Windows", &windows),
    ]);
    let mut house = House { search, ..House::default() };
    // Neither is sure enough to be sent.
    (house.policy.send_at, house.policy.hold_at) = (1.0, 0.0);
    house
}

#[test]
fn two_that_compete_are_asked_about_once() {
    let house = twins();
    let question = "How do I run the installer?";
    let outcome = house.ask(question);
    let asked = outcome.draft.unwrap().text();
    assert_eq!(
        (outcome.decision.rule.as_str(), outcome.decision.reason),
        ("clarify", Reason::Competing)
    );
    assert!(
        asked.contains("installer on Linux") && asked.contains("installer on Windows"),
        "{asked}"
    );

    let mut house = house;
    house.policy.send_at = 0.0;
    for (answer, doc) in [
        ("Windows", "windows.md"),
        ("the linux one", "linux.md"),
        ("on windows please", "windows.md"),
    ] {
        let outcome = house
            .run(&conversation(&[question, &asked], answer), &mut |_| ControlFlow::Continue(()));
        assert_eq!(outcome.draft.unwrap().citations[0].doc, doc, "{answer}");
    }
}

#[test]
fn it_is_never_asked_twice_in_a_row() {
    let house = twins();
    let question = "How do I run the installer?";
    let asked = house.ask(question).draft.unwrap().text();
    for answer in ["How do I run the installer?", "both", "the first"] {
        let outcome = house
            .run(&conversation(&[question, &asked], answer), &mut |_| ControlFlow::Continue(()));
        assert_ne!(outcome.decision.rule, "clarify", "{answer}");
    }
    let sure = House { policy: Policy { send_at: 0.0, ..twins().policy }, ..twins() };
    assert_eq!(sure.ask(question).decision.rule, "confident", "who is sure does not ask");
}

#[test]
fn what_an_intent_may_not_answer_goes_to_a_person() {
    let mut house = House::default();
    let question = "How do I change the port?";
    for (autonomy, action, rule) in [
        (Autonomy::Auto, Action::Send, "confident:general"),
        (Autonomy::Draft, Action::Hold, "draft-only:general"),
        (Autonomy::Off, Action::HandOff, "off:general"),
    ] {
        let own = IntentPolicy { autonomy, ..IntentPolicy::default() };
        house.policy.intent = [("general".to_owned(), own)].into();
        let outcome = house.ask(question);
        assert_eq!((outcome.decision.action, outcome.decision.rule.as_str()), (action, rule));
        assert_eq!(outcome.draft.is_some(), autonomy != Autonomy::Off);
    }
}

#[test]
fn a_person_gets_a_suggestion_for_what_the_bot_may_not_answer() {
    let mut house = House::default();
    let off = IntentPolicy { autonomy: Autonomy::Off, ..IntentPolicy::default() };
    house.policy.intent = [("general".to_owned(), off)].into();
    let asked =
        Turn { bot_turns: 99, ..turn("I want to talk to a person: how do I change the port?") };
    let alone = house.run(&asked, &mut |_| ControlFlow::Continue(()));
    assert_eq!(alone.draft, None, "{alone:?}");
    let mut shown = false;
    let outcome = house.suggest(&asked, &mut |event| {
        shown |= matches!(event, Event::Started { held: false, .. });
        ControlFlow::Continue(())
    });
    assert_eq!(outcome.draft.unwrap().citations[0].doc, "port.md");
    assert!(!shown, "a suggestion is for the owner alone");
}
