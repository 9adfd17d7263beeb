//! What the owner and the visitor's language make of a reply: style, guardrails, and who is answered in which language.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::ops::ControlFlow;

use engine::confidence::Tuned;
use engine::draft::Mode;
use engine::entities::{Entities, OwnEntities};
use engine::intent::{IntentBook, IntentFile};
use engine::policy::Policy;
use engine::prompt::Templates;
use engine::reply::{Event, Outcome, Parts, reply, suggest};
use engine::rules::{Action, Reason};
use engine::tasks::Books;
use engine::testing::{ScriptedModel, ScriptedSearch};
use engine::turn::{Message, Speaker, Turn};

const PORT: &str = "Porchlight listens on port 7878 unless you change the port.";
const CHANGE: &str = "You change the port with the listen option of the serve command.";
const SHIPS: &str = "A port for the port cover ships within two days.";
const QUESTION: &str = "How do I change the port?";

/// What came of a turn, and what the visitor was shown of it before the decision.
struct Seen {
    outcome: Outcome,
    shown: String,
}

impl Seen {
    fn text(&self) -> String {
        self.outcome.draft.as_ref().map(|draft| draft.text()).unwrap_or_default()
    }

    fn decided(&self) -> (Action, &str, Reason) {
        let decision = &self.outcome.decision;
        (decision.action, &decision.rule, decision.reason)
    }
}

/// Asks with more lines in the policy; `script` is what a drafter writes that writes freely.
fn ask(more: &str, script: Option<&str>, turn: &Turn) -> Seen {
    let templates = Templates::parse(include_str!("../../prompts/templates.toml")).unwrap();
    let file = "oos_examples=['what is the weather']\n[[intent]]\nid='general'\nlabel='General'\nexamples=['how do i change the port']\n";
    let intents = IntentFile::parse(file).unwrap();
    let figures =
        "send_at = 0.02\nhold_at = 0.01\npassage_floor = 0.2\nturn_cap = 12\nstalled_cap = 3\n";
    let policy = Policy::parse(&format!("{figures}{more}"), &intents, &templates).unwrap();
    let mut model = ScriptedModel::default();
    if let Some(script) = script {
        model.scripts.insert("port".into(), script.into());
    }
    let mut search = ScriptedSearch::new(&[("port.md", QUESTION, &[PORT, CHANGE, SHIPS])]);
    search.languages = vec!["en".into()];
    let parts = Parts {
        search: &search,
        model: &model,
        intents: &IntentBook::learn(&intents, &model).unwrap(),
        policy: &policy,
        templates: &templates,
        books: &Books::default(),
        entities: &Entities::new(&OwnEntities::default()).unwrap(),
        tuned: Tuned::default(),
        mode: if script.is_some() { Mode::Compose } else { Mode::Quote },
    };
    let mut shown = String::new();
    let outcome = reply(&parts, turn, &mut |event| {
        if let Event::Piece { piece, sure: true, .. } = event {
            shown.push_str(&piece.text);
        }
        ControlFlow::Continue(())
    });
    Seen { outcome, shown }
}

fn turn(question: &str) -> Turn {
    Turn::asking(question)
}

#[test]
fn a_style_bounds_the_sentences_and_frames_the_answer() {
    let all = ask("", None, &turn(QUESTION)).text();
    assert!(all.contains(CHANGE) && all.contains(PORT), "{all}");
    let one = ask("[style]\nsentences = 1\n", None, &turn(QUESTION)).text();
    assert!(all.starts_with(&one) && one.matches('.').count() == 1, "{one}");
    let script = format!("{CHANGE} {PORT}");
    let two = ask("[style]\nsentences = 1\n", Some(&script), &turn(QUESTION));
    assert_eq!((two.text().as_str(), two.outcome.mode), (CHANGE, Mode::Compose));

    let framed = "[style]\nsentences = 1\ngreeting = 'Good day.'\nclosing = 'Anything else?'\n";
    for (script, expect) in [(None, one.as_str()), (Some(script.as_str()), CHANGE)] {
        let first = ask(framed, script, &turn(QUESTION));
        let whole = format!("Good day.\n{expect}\nAnything else?");
        assert_eq!((first.text().as_str(), first.shown.as_str()), (whole.as_str(), whole.as_str()));
        let said = |speaker, text: &str| Message { speaker, text: text.into() };
        let history = vec![said(Speaker::Visitor, "Hi"), said(Speaker::Bot, "Hello!")];
        let later = ask(framed, script, &Turn { history, ..turn(QUESTION) });
        assert_eq!(later.text(), format!("{expect}\nAnything else?"));
    }
    let nothing = ask(framed, None, &turn("zebra quantum xylophone"));
    assert_eq!(nothing.text(), "", "nothing is framed");
}

#[test]
fn what_a_guardrail_names_is_not_shown() {
    let guardrail = |action: &str| {
        format!("[[guardrail]]\nid = 'dates'\naction = '{action}'\nwords = ['ships within']\n")
    };
    let question = turn("Which port cover ships, and how do I change the port?");
    let script = format!("{PORT} {SHIPS} {CHANGE}");
    for script in [None, Some(script.as_str())] {
        let free = ask("", script, &question);
        assert!(free.shown.contains(SHIPS), "{}", free.shown);
        assert_eq!(free.decided().0, Action::Send);

        let held = ask(&guardrail("hold"), script, &question);
        assert_eq!(held.decided(), (Action::Hold, "dates", Reason::Guardrail));
        assert!(held.text().contains(SHIPS), "the owner sees it: {}", held.text());
        assert!(!held.shown.contains("ships"), "{}", held.shown);
        assert!(held.outcome.say.is_some());

        let ended = ask(&guardrail("hand_off"), script, &question);
        assert_eq!(ended.decided(), (Action::HandOff, "dates", Reason::Guardrail));
        assert!(!ended.text().contains("ships") && !ended.shown.contains("ships"));
        assert!(ended.outcome.say.is_some());
    }
    let other = guardrail("hand_off").replace("ships within", "unicorn*");
    assert_eq!(ask(&other, None, &turn(QUESTION)).decided().1, "confident");
}

#[test]
fn who_writes_another_language_is_told_in_it_that_a_person_comes() {
    let german = "Wie kann ich den Port ändern, auf dem Porchlight hört?";
    let seen = ask("", None, &turn(german));
    assert_eq!(seen.decided(), (Action::HandOff, "language:de", Reason::OtherLanguage));
    let say = seen.outcome.say.unwrap();
    assert!(say.contains("Ich habe jemanden gebeten"), "{say}");
    // Swedish has no texts of its own, and the same is said as in English.
    let seen = ask("", None, &turn("Hur kan jag ändra porten som Porchlight använder?"));
    assert_eq!(seen.decided().1, "language:sv");
    assert!(seen.outcome.say.unwrap().starts_with("I can only look things up"));
    assert_eq!(ask("", None, &turn(QUESTION)).decided().1, "confident");
}

#[test]
fn a_language_with_documents_is_answered_from_them() {
    let templates = Templates::parse(include_str!("../../prompts/templates.toml")).unwrap();
    let intents =
        IntentFile::parse("oos_examples=['x']\n[[intent]]\nid='g'\nlabel='G'\nexamples=['port']\n")
            .unwrap();
    let figures =
        "send_at = 0.02\nhold_at = 0.01\npassage_floor = 0.2\nturn_cap = 12\nstalled_cap = 3\n";
    let policy = Policy::parse(figures, &intents, &templates).unwrap();
    let model = ScriptedModel::default();
    let answer = "Porchlight hört auf Port 7878, wenn Sie den Port nicht ändern.";
    let mut search = ScriptedSearch::new(&[("port.md", "Wie ändere ich den Port?", &[answer])]);
    search.languages = vec!["de".into()];
    let parts = Parts {
        search: &search,
        model: &model,
        intents: &IntentBook::learn(&intents, &model).unwrap(),
        policy: &policy,
        templates: &templates,
        books: &Books::default(),
        entities: &Entities::new(&OwnEntities::default()).unwrap(),
        tuned: Tuned::default(),
        mode: Mode::Quote,
    };
    let go = &mut |_: Event<'_>| ControlFlow::Continue(());
    let german = turn("Wie kann ich den Port ändern, auf dem Porchlight hört?");
    assert_eq!(reply(&parts, &german, go).draft.unwrap().text(), answer);
    let nothing = reply(&parts, &turn("Wo ist das Zebra, und wie alt ist es?"), go);
    assert!(nothing.say.unwrap().contains("nichts gefunden"), "said in the visitor's language");
    let english = turn("How can I change the port of this Porchlight, please?");
    assert_eq!(reply(&parts, &english, go).decision.rule, "language:en");
    // Whoever holds the conversation gets a draft all the same.
    assert!(suggest(&parts, &english, go).draft.is_some());
}
