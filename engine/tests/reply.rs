//! The way of one turn through `engine::reply`, with a scripted model and search.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::ops::ControlFlow;

use engine::draft::Mode;
use engine::intent::{IntentBook, IntentFile};
use engine::model::ModelError;
use engine::prompt::Templates;
use engine::reply::{Event, Outcome, Parts, reply};
use engine::rules::{Action, Policy, Reason};
use engine::scope::Scope;
use engine::testing::{ScriptedModel, ScriptedSearch};
use engine::turn::{Message, Speaker, Turn};

const PORT: &str = "Porchlight listens on port 7878 unless you change the port.";
const CHANGE: &str = "You change the port with the listen option of the serve command.";

struct House {
    model: ScriptedModel,
    search: ScriptedSearch,
    policy: Policy,
    mode: Mode,
}

impl Default for House {
    fn default() -> Self {
        let backups = ["Backups are copies of the data folder.", "A backup needs no password."];
        Self {
            model: ScriptedModel::default(),
            search: ScriptedSearch::new(&[
                ("port.md", "How do I change the port?", &[PORT, CHANGE]),
                ("backup.md", "How do I make a backup?", &backups),
            ]),
            policy: Policy::parse(include_str!("../../prompts/policy.toml")).unwrap(),
            mode: Mode::Quote,
        }
    }
}

impl House {
    fn ask(&self, question: &str) -> Outcome {
        self.run(&turn(question), &mut |_| ControlFlow::Continue(()))
    }

    fn run(&self, turn: &Turn, on_event: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>) -> Outcome {
        let file = IntentFile::parse(
            "oos_examples=['what is the weather']\n[[intent]]\nid='general'\nlabel='General'\nexamples=['how do i change the port']\n",
        );
        let intents = IntentBook::learn(&file.unwrap(), &self.model).unwrap();
        let templates = Templates::parse(include_str!("../../prompts/templates.toml")).unwrap();
        templates.check_rules(&self.policy).unwrap();
        let parts = Parts {
            search: &self.search,
            model: &self.model,
            intents: &intents,
            policy: &self.policy,
            templates: &templates,
            mode: self.mode,
        };
        reply(&parts, turn, on_event)
    }
}

fn turn(question: &str) -> Turn {
    Turn { question: question.into(), history: vec![], bot_turns: 0, scope: Scope::default() }
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
