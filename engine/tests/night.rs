//! Conversations while nobody is there, through `engine::reply`: what is asked for, what becomes a ticket, what does not wait.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::ops::ControlFlow;
use std::sync::LazyLock;

use engine::confidence::Tuned;
use engine::draft::Mode;
use engine::entities::{Entities, OwnEntities};
use engine::hours::{Availability, Hours};
use engine::intent::{IntentBook, IntentFile};
use engine::policy::Policy;
use engine::prompt::Templates;
use engine::reply::{Outcome, Parts, reply};
use engine::rules::{Action, Reason};
use engine::tasks::{Books, Effect, Task};
use engine::testing::{ScriptedModel, ScriptedSearch};
use engine::tickets::{Draft, Priority};
use engine::turn::{Message, Speaker, Turn};

const PORT: &str = "Porchlight listens on port 7878 unless you change the port.";
const HOURS: &str = "
zone = 'Europe/Berlin'
priority_words = ['urgent', 'site is down']
asking = ['is|are anybody|anyone there']
[week]
monday = ['09:00-18:00']
";
const INTENTS: &str = "oos_examples=['what is the weather']
[[intent]]
id='general'
label='General'
examples=['how do i change the port']
";

/// What all conversations share.
struct Shipped {
    templates: Templates,
    policy: Policy,
    model: ScriptedModel,
    intents: IntentBook,
    entities: Entities,
}

static SHIPPED: LazyLock<Shipped> = LazyLock::new(|| {
    let intents = IntentFile::parse(include_str!("../../prompts/intents.toml")).unwrap();
    let templates = Templates::parse(include_str!("../../prompts/templates.toml")).unwrap();
    let policy = include_str!("../../prompts/policy.toml");
    let policy = Policy::parse(policy, &intents, &templates).unwrap();
    let model = ScriptedModel::default();
    Shipped {
        policy: Policy { send_at: 0.0, hold_at: 0.0, ..policy },
        intents: IntentBook::learn(&IntentFile::parse(INTENTS).unwrap(), &model).unwrap(),
        entities: Entities::new(&OwnEntities::default()).unwrap(),
        templates,
        model,
    }
});

/// A visitor's side of a conversation.
struct Night {
    hours: Hours,
    turn: Turn,
    drafts: Vec<Draft>,
}

impl Night {
    fn new(hours: &str, availability: Availability) -> Self {
        let mut turn = Turn::default();
        turn.standing.hours = availability;
        Self { hours: Hours::parse(hours).unwrap(), turn, drafts: vec![] }
    }

    fn closed() -> Self {
        Self::new(HOURS, Availability::Closed { opens: "Monday at 09:00".into() })
    }

    /// Says it; what comes back, as the visitor sees it.
    fn say(&mut self, text: &str) -> (Outcome, String) {
        let Shipped { templates, policy, model, intents, entities } = &*SHIPPED;
        let parts = Parts {
            search: &ScriptedSearch::new(&[("port.md", "How do I change the port?", &[PORT])]),
            model,
            intents,
            policy,
            templates,
            books: &Books { hours: self.hours.clone(), ..Books::default() },
            entities,
            tuned: Tuned::default(),
            mode: Mode::Quote,
        };
        self.turn.question = text.into();
        let outcome = reply(&parts, &self.turn, &mut |_| ControlFlow::Continue(()));
        let said = match (outcome.decision.action, &outcome.draft) {
            (Action::Send, Some(draft)) => draft.text(),
            _ => outcome.say.clone().unwrap_or_default(),
        };
        let message = |speaker, text: &str| Message { speaker, text: text.into() };
        self.turn.history.push(message(Speaker::Visitor, text));
        self.turn.history.push(message(Speaker::Bot, &said));
        if let Some(left) = &outcome.left {
            self.turn.standing.task = left.task.clone();
            self.drafts.extend(left.effects.iter().filter_map(|effect| match effect {
                Effect::Ticket(draft) => Some(draft.clone()),
                _ => None,
            }));
        }
        (outcome, said)
    }

    fn is_waiting_for_something(&self) -> bool {
        matches!(&self.turn.standing.task, Some(Task::Ticket(request)) if !request.is_made())
    }
}

/// Each line of the visitor's with parts of the answer, then the tickets: subject, address, priority.
fn check(lines: &[(&str, &[&str])], expect: &[(&str, Option<&str>, Priority)]) {
    let mut night = Night::closed();
    for (text, parts) in lines {
        let (outcome, said) = night.say(text);
        assert_eq!(outcome.decision.action, Action::Send, "{text}: {:?}", outcome.decision);
        parts.iter().for_each(|part| assert!(said.contains(part), "{text:?}: {said}"));
    }
    let got: Vec<_> =
        night.drafts.iter().map(|d| (d.subject.as_str(), d.email.as_deref(), d.priority)).collect();
    assert_eq!(got, expect, "{lines:?}");
}

#[test]
fn a_ticket_is_taken_one_thing_at_a_time() {
    use Priority::{High, Normal};
    let closed = "Nobody is there right now; our office hours are Monday, 09:00 to 18:00 (Europe/Berlin). We are back Monday at 09:00.";
    let email = "Leave your e-mail address";
    let made = "a person answers to jo@example.org, and here, Monday at 09:00";
    let zebra = "The zebra of my uncle does not eat";
    // Everything said at once, or one thing after the other.
    check(
        &[(zebra, &[closed, email]), ("Jo@Example.org", &[made])],
        &[(zebra, Some("jo@example.org"), Normal)],
    );
    check(
        &[
            ("Can I talk to a human?", &[closed, email]),
            ("it is jo@example.org", &["What is it about?"]),
            ("Zebra food?", &[made]),
        ],
        &[("Zebra food?", Some("jo@example.org"), Normal)],
    );
    check(
        &[("I am jo@example.org and my zebra does not eat", &[closed, made])],
        &[("I am jo@example.org and my zebra does not eat", Some("jo@example.org"), Normal)],
    );
    // No address, by the button, in words, or after two tries.
    for no in ["No e-mail, I will look here", "no thanks", "nein"] {
        check(
            &[(zebra, &[email]), (no, &["answers right here, Monday at 09:00"])],
            &[(zebra, None, Normal)],
        );
    }
    check(
        &[
            (zebra, &[email]),
            ("jo@example", &["no e-mail address", email]),
            ("jo at example", &["right here"]),
        ],
        &[(zebra, None, Normal)],
    );
    check(
        &[
            ("get me a human please", &[closed, email]),
            ("no thanks", &["What is it about?"]),
            ("We move the licence", &["answers right here"]),
        ],
        &[("We move the licence", None, Normal)],
    );
    check(
        &[
            ("get me a human please", &[closed, email]),
            ("skip", &["What is it about?"]),
            ("refund for jo@example.org", &[made]),
        ],
        &[("refund for jo@example.org", Some("jo@example.org"), Normal)],
    );
    // A question in between is answered, and the address asked for again.
    check(
        &[
            (zebra, &[email]),
            ("How do I change the port?", &[PORT, email]),
            ("jo@example.org", &[made]),
        ],
        &[(zebra, Some("jo@example.org"), Normal)],
    );
    // Who does not want one gets none.
    check(&[(zebra, &[email]), ("never mind", &["no ticket"])], &[]);
    // What comes later is added.
    check(
        &[
            (zebra, &[email]),
            ("jo@example.org", &[made]),
            ("The giraffe of my aunt does not drink", &["added it to your ticket"]),
        ],
        &[
            (zebra, Some("jo@example.org"), Normal),
            ("The giraffe of my aunt does not drink", Some("jo@example.org"), Normal),
        ],
    );
    check(
        &[
            ("This is ridiculous and unacceptable, I am furious", &[closed, email]),
            ("jo@example.org", &[made]),
        ],
        &[("This is ridiculous and unacceptable, I am furious", Some("jo@example.org"), High)],
    );
}

#[test]
fn what_the_documents_answer_is_answered_at_night() {
    let mut night = Night::closed();
    let (outcome, said) = night.say("How do I change the port?");
    assert_eq!((outcome.decision.action, said.as_str()), (Action::Send, PORT));
    assert!(!night.is_waiting_for_something() && outcome.left.is_none());
}

#[test]
fn what_cannot_wait_does_not() {
    let mut night = Night::closed();
    let (outcome, _) = night.say("It is urgent, let me talk to a person");
    assert_eq!(outcome.decision.action, Action::HandOff);
    // Also while something else is asked for; what was said goes with it.
    let mut night = Night::closed();
    night.say("The zebra of my uncle does not eat");
    let (outcome, said) = night.say("our site is down!");
    assert_eq!(outcome.decision.action, Action::HandOff);
    assert!(said.contains("I have called somebody"), "{said}");
    let draft = &night.drafts[0];
    assert_eq!(draft.priority, Priority::Urgent);
    assert_eq!(draft.summary, "The zebra of my uncle does not eat\nour site is down!");
    assert!(!night.is_waiting_for_something());
}

#[test]
fn whether_anybody_is_there_is_told_truthfully() {
    let question = "Is anybody there right now?";
    let (outcome, said) = Night::new(HOURS, Availability::Open).say(question);
    assert_eq!(
        (outcome.decision.action, outcome.decision.reason),
        (Action::HandOff, Reason::AskedForPerson)
    );
    assert!(
        said.contains("within our office hours: Monday, 09:00 to 18:00 (Europe/Berlin)"),
        "{said}"
    );
    let (outcome, said) =
        Night::new("asking = ['is anybody there']", Availability::Open).say(question);
    assert_eq!(outcome.decision.action, Action::HandOff);
    assert!(said.contains("No office hours are set"), "{said}");
    let (outcome, said) = Night::closed().say(question);
    assert_eq!(
        (outcome.decision.action, outcome.decision.reason),
        (Action::Send, Reason::AfterHours)
    );
    assert!(
        said.contains("office hours are Monday") && said.contains("back Monday at 09:00"),
        "{said}"
    );
    // The owner is away until they say otherwise.
    let (_, said) = Night::new("", Availability::Closed { opens: String::new() }).say(question);
    assert!(said.starts_with("Nobody is there right now. Leave your"), "{said}");
    let (outcome, _) = Night::new("", Availability::Open).say(question);
    assert_eq!(outcome.decision.rule, "asks-for-person");
}

#[test]
fn the_shipped_file_sets_no_hours_and_hears_who_asks() {
    let shipped = include_str!("../../prompts/hours.toml");
    let set: String = shipped
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|line| line.contains(" = ") || line.starts_with('['))
                .unwrap_or(line)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(!Hours::parse(shipped).unwrap().is_set());
    assert_eq!(
        Hours::parse(&set).unwrap().describe(),
        "Monday to Thursday, 09:00 to 12:30 and 13:30 to 18:00; Friday, 09:00 to 15:00 (Europe/Berlin)"
    );
    let open = || Night::new(shipped, Availability::Open);
    for (text, asks) in [
        ("Is anybody there right now?", true),
        ("hello, anyone there?", true),
        ("is someone online", true),
        ("Are you there?", true),
        ("Is there anybody around?", true),
        ("Are there any limits for visitors?", false),
        ("What is the price?", false),
    ] {
        assert_eq!(open().say(text).0.decision.rule == "asks-whether-open", asks, "{text}");
    }
    let closed = || Night::new(shipped, Availability::Closed { opens: "x".into() });
    for (text, urgent) in [
        ("Please, this is urgent! Can I talk to a person?", true),
        ("our shop is down, get me a human", true),
        ("We were hacked", true),
        ("Can I talk to a person?", false),
        ("The zebra of my uncle does not eat", false),
    ] {
        assert_eq!(closed().say(text).0.decision.action == Action::HandOff, urgent, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_words_go_on_for_ever(lines in proptest::collection::vec("\\PC{0,60}|no|jo@example.org|never mind|why\\?|urgent|zebras do not eat", 1..9)) {
        let mut night = Night::closed();
        for line in &lines {
            let before = night.is_waiting_for_something();
            let (outcome, said) = night.say(line);
            proptest::prop_assert!(!said.is_empty() || outcome.decision.action != Action::Send);
            if before && night.is_waiting_for_something() {
                proptest::prop_assert!(said.len() < 4_000);
            }
        }
    }
}
