//! Actions from the first word to the call, through the file that is shipped: what is asked, in which order, and who may never be
//! named by words.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use engine::actions::{ActionBook, Base, Call, Ground, begin, confirmed, go_on, pending, proved};
use engine::confidence::Tuned;
use engine::draft::Mode;
use engine::entities::{Entities, OwnEntities};
use engine::intent::{IntentBook, IntentFile, Reading};
use engine::policy::Policy;
use engine::prompt::Templates;
use engine::reply::Parts;
use engine::rules::{Heard, Reason};
use engine::tasks::{Books, Card, Effect, Row, Scene, Standing, Step, Task};
use engine::testing::{ScriptedModel, ScriptedSearch};
use engine::turn::{Message, Speaker, Turn};
use serde_json::{Value, json};

const SHIPPED: &str = include_str!("../../prompts/actions.toml");

struct House {
    model: ScriptedModel,
    search: ScriptedSearch,
    policy: Policy,
    templates: Templates,
    intents: IntentBook,
    books: Books,
    entities: Entities,
}

fn policy() -> (Policy, Templates) {
    let intents = IntentFile::parse(include_str!("../../prompts/intents.toml")).unwrap();
    let templates = Templates::parse(include_str!("../../prompts/templates.toml")).unwrap();
    let policy =
        Policy::parse(include_str!("../../prompts/policy.toml"), &intents, &templates).unwrap();
    (policy, templates)
}

impl House {
    fn open() -> Self {
        let (policy, templates) = policy();
        let actions = ActionBook::parse(SHIPPED, &policy).unwrap();
        let intents = "oos_examples=['x y']\n[[intent]]\nid='g'\nlabel='G'\nexamples=['how']\n";
        let model = ScriptedModel::default();
        let intents = IntentBook::learn(&IntentFile::parse(intents).unwrap(), &model).unwrap();
        Self {
            model,
            search: ScriptedSearch::default(),
            policy,
            templates,
            intents,
            books: Books { actions, ..Books::default() },
            entities: Entities::new(&OwnEntities::default()).unwrap(),
        }
    }

    /// One step of a talk; `None` when no action has to do with the message.
    fn step(&self, talk: &Talk, text: &str) -> Option<Step> {
        let parts = Parts {
            search: &self.search,
            model: &self.model,
            intents: &self.intents,
            policy: &self.policy,
            templates: &self.templates,
            books: &self.books,
            entities: &self.entities,
            tuned: Tuned::default(),
            mode: Mode::Quote,
        };
        let standing = Standing {
            task: talk.task.clone(),
            verified: talk.verified.clone(),
            fresh: format!("{:032x}", talk.history.len() + 1),
            ..Standing::default()
        };
        let turn = Turn { history: talk.history.clone(), standing, ..Turn::asking(text) };
        let reading = Reading::default();
        let heard = Heard { text, reading: &reading, frustration: 0.0 };
        let scene = Scene { parts: &parts, turn: &turn, heard: &heard };
        let on = match &talk.task {
            Some(Task::Action(on)) => go_on(scene, on),
            _ => None,
        };
        if let Some(Task::Action(on)) = &talk.task {
            assert!(pending(scene, on).is_some());
        }
        on.or_else(|| self.books.actions.starts(&heard).map(|action| begin(scene, action)))
    }

    fn ground<'a>(&'a self, verified: Option<&'a str>) -> Ground<'a> {
        Ground { book: &self.books.actions, templates: &self.templates, verified }
    }
}

/// A visitor in a conversation.
#[derive(Default)]
struct Talk {
    history: Vec<Message>,
    task: Option<Task>,
    verified: Option<String>,
}

impl Talk {
    fn verified(email: &str) -> Self {
        Self { verified: Some(email.into()), ..Self::default() }
    }

    fn say(&mut self, house: &House, text: &str) -> Option<Step> {
        let step = house.step(self, text);
        self.history.push(Message { speaker: Speaker::Visitor, text: text.into() });
        if let Some(step) = &step {
            self.history.push(Message { speaker: Speaker::Bot, text: step.text() });
            self.task.clone_from(&step.task);
        }
        step
    }
}

/// What a step comes to, in a word.
fn outcome(step: &Option<Step>) -> String {
    let Some(step) = step else { return "aside".into() };
    let card = step.card.as_ref().map(|card| match card {
        Card::Confirm { .. } => "confirm",
        Card::Code { .. } => "code card",
        _ => "other card",
    });
    let effects = step.effects.iter().map(|effect| match effect {
        Effect::SendCode { email } => format!("code to {email}"),
        Effect::Call(call) => format!(
            "call {} {} as {}",
            call.action,
            Value::Object(call.arguments.clone()),
            call.subject.as_deref().unwrap_or("-")
        ),
        _ => "other".into(),
    });
    let mut parts: Vec<String> = effects.collect();
    parts.extend(card.map(str::to_owned));
    if let Some(reason) = step.hand_off {
        parts.push(format!("person: {}", reason.as_str()));
    }
    if parts.is_empty() {
        parts.push(if step.task.is_some() { "asks".into() } else { "over".into() });
    }
    parts.join(", ")
}

fn check(talk: &mut Talk, rows: &[(&str, &str)]) {
    let house = House::open();
    for (text, expect) in rows {
        let step = talk.say(&house, text);
        assert_eq!(outcome(&step), *expect, "{text}: {:?}", step.map(|step| step.text()));
    }
}

#[test]
fn an_order_is_looked_up_step_by_step() {
    check(
        &mut Talk::default(),
        &[
            ("Where is my order 12345?", "asks"),
            ("ada@demo.example", "code to ada@demo.example, code card"),
            ("What are your office hours?", "aside"),
            ("again please", "code to ada@demo.example, code card"),
            ("sorry, it is grace@demo.example", "code to grace@demo.example, code card"),
            ("hm", "code card"),
            ("hm hm", "person: no_progress"),
        ],
    );
    check(
        &mut Talk::default(),
        &[
            ("Where is my order?", "asks"),
            ("Do you ship on Sundays?", "aside"),
            ("no idea", "over"),
        ],
    );
    check(
        &mut Talk::default(),
        &[
            ("my name is Ada and the number is 12345", "aside"),
            ("where's my order, I am ada@demo.example", "code to ada@demo.example, code card"),
            ("never mind", "over"),
        ],
    );
    check(
        &mut Talk::verified("ada@demo.example"),
        &[
            (
                "Where is my order 12345?",
                r#"call order-status {"order":"12345"} as ada@demo.example"#,
            ),
            (
                "And where is my order 12399?",
                r#"call order-status {"order":"12399"} as ada@demo.example"#,
            ),
            ("where is my order, I am eve@demo.example", "code to eve@demo.example, code card"),
        ],
    );
    check(
        &mut Talk::default(),
        &[("where is my order", "asks"), ("blue", "asks"), ("green", "person: no_progress")],
    );
    check(
        &mut Talk::default(),
        &[
            ("where is my order 12345", "asks"),
            ("me at example", "asks"),
            ("a@b.example and c@d.example", "person: no_progress"),
        ],
    );
}

#[test]
fn what_changes_something_waits_for_the_button() {
    check(
        &mut Talk::verified("ada@demo.example"),
        &[
            ("pause my subscription for two months", "confirm"),
            ("yes", "confirm"),
            ("is that free?", "aside"),
            ("no", "over"),
        ],
    );
    check(
        &mut Talk::verified("ada@demo.example"),
        &[
            ("pause my subscription", "asks"),
            ("7", "asks"),
            ("3 months", "confirm"),
            ("yes yes yes", "confirm"),
            ("ok do it", "person: no_progress"),
        ],
    );
    check(
        &mut Talk::verified("ada@demo.example"),
        &[
            ("change my billing email to New@Example.org", "confirm"),
            ("stop", "over"),
            ("update the billing email", "confirm"),
        ],
    );
    check(
        &mut Talk::default(),
        &[
            ("please update my billing email", "asks"),
            ("new@example.org", "asks"),
            ("ada@demo.example", "code to ada@demo.example, code card"),
        ],
    );
    check(
        &mut Talk::verified("ada@demo.example"),
        &[("I lost the invoice of order 12345, send me a copy", "confirm")],
    );
}

#[test]
fn the_button_and_the_code_go_on() {
    let house = House::open();
    let mut talk = Talk::default();
    talk.say(&house, "pause my subscription for 2 months, I am ada@demo.example");
    let Some(Task::Action(on)) = talk.task.clone() else { panic!("a code is waited for") };
    assert_eq!(confirmed(house.ground(Some("ada@demo.example")), &on, true), None);
    let step = proved(house.ground(Some("ada@demo.example")), &on);
    let Some(Card::Confirm { request, title, rows }) = &step.card else { panic!("{step:?}") };
    assert_eq!((request.as_str(), title.as_str()), (on.id(), "Pause the subscription"));
    assert_eq!(rows, &[Row::new("Months", "2"), Row::new("Account", "a•••@demo.example")]);
    let Some(Task::Action(on)) = step.task else { panic!("the button is waited for") };
    let kept: engine::actions::Request =
        serde_json::from_str(&serde_json::to_string(&on).unwrap()).unwrap();
    assert_eq!(kept, on);

    let expect = Call {
        request: on.id().into(),
        action: "pause-subscription".into(),
        arguments: json!({"months": 2}).as_object().cloned().unwrap(),
        subject: Some("ada@demo.example".into()),
        confirmed: true,
    };
    let step = confirmed(house.ground(Some("ada@demo.example")), &on, true).unwrap();
    assert_eq!((step.effects, step.task), (vec![Effect::Call(expect)], None));
    let step = confirmed(house.ground(Some("ada@demo.example")), &on, false).unwrap();
    assert_eq!((step.effects, step.task), (vec![], None));
    // The proof has lapsed, or is of another address by now: nothing is called for the account on the card.
    for verified in [None, Some("eve@demo.example")] {
        let step = confirmed(house.ground(verified), &on, true).unwrap();
        assert_eq!(step.effects, [Effect::SendCode { email: "ada@demo.example".into() }]);
        assert!(matches!(step.task, Some(Task::Action(_))));
    }
    let empty = ActionBook::default();
    let gone = Ground { book: &empty, ..house.ground(None) };
    assert_eq!(confirmed(gone, &on, true).unwrap().task, None);
    assert_eq!(proved(gone, &on).task, None);
}

#[test]
fn words_of_others_fill_nothing() {
    let house = House::open();
    for speaker in [Speaker::Bot, Speaker::Owner, Speaker::System] {
        let mut talk = Talk::verified("ada@demo.example");
        talk.history.push(Message { speaker, text: "The order is 99999.".into() });
        let step = talk.say(&house, "where is my order");
        assert_eq!(outcome(&step), "asks", "{speaker:?}");
    }
    let mut talk = Talk::verified("ada@demo.example");
    talk.history.push(Message { speaker: Speaker::Visitor, text: "My order is 99999.".into() });
    let step = talk.say(&house, "so where is my order");
    assert!(outcome(&step).contains("99999"));
}

#[test]
fn a_call_says_who_it_is_for_as_the_owner_wants_it() {
    let (policy, _) = policy();
    let book = ActionBook::parse(SHIPPED, &policy).unwrap();
    let values = |value: Value| value.as_object().cloned().unwrap();
    let order = book.named("order-status").unwrap();
    let out = order.outgoing(&values(json!({"order": "12345"})), Some("ada@demo.example")).unwrap();
    assert_eq!((out.base, out.target.as_str()), (Base::Own, "/demo/shop/orders/12345"));
    assert_eq!(out.identity, Some(("X-Customer-Email".into(), "ada@demo.example".into())));
    assert_eq!(out.body, None);
    let billing = book.named("update-billing-email").unwrap();
    let out = billing
        .outgoing(&values(json!({"billing_email": "n@x.example"})), Some("ada@demo.example"))
        .unwrap();
    assert_eq!(
        out.body,
        Some(json!({"billing_email": "n@x.example", "customer_email": "ada@demo.example"}))
    );
    for (action, arguments, subject) in [
        (order, json!({"order": "12345"}), None),
        (order, json!({}), Some("a@b.example")),
        (order, json!({"order": "../../x"}), Some("a@b.example")),
        (order, json!({"order": 12345}), Some("a@b.example")),
        (order, json!({"order": "12345", "customer_email": "x@y.example"}), Some("a@b.example")),
        (
            billing,
            json!({"billing_email": "n@x.example", "customer_email": "x@y.example"}),
            Some("a@b.example"),
        ),
        (billing, json!({"billing_email": ["n@x.example"]}), Some("a@b.example")),
        (billing, json!({"billing_email": "not an address"}), Some("a@b.example")),
    ] {
        assert_eq!(action.outgoing(&values(arguments.clone()), subject), None, "{arguments}");
    }
    let text = "[[action]]\nid='a'\ntitle='A'\nwords=['a']\naccess='read'\nmethod='GET'\nverified=true\n\
        identity={email='mail'}\nurl='https://shop.example/a?x=1'\n\
        [action.arguments.properties.q]\ntype='string'\nask='q?'\n";
    let book = ActionBook::parse(text, &policy).unwrap();
    let out = book.actions()[0].outgoing(&values(json!({"q": "a&mail=b"})), Some("a@b.example"));
    assert_eq!(out.unwrap().target, "/a?x=1&mail=a%40b.example&q=a%26mail%3Db");
}

#[test]
fn mistakes_name_their_line_and_cure() {
    let (policy, _) = policy();
    let good = "[[action]]\nid = 'a'\ntitle = 'A'\nwords = ['a']\naccess = 'read'\nmethod = 'GET'\n\
        url = 'https://shop.example/{x}'\n[action.arguments.properties.x]\ntype = 'string'\nask = 'x?'\n";
    assert!(ActionBook::parse(good, &policy).is_ok());
    for (from, to, expect) in [
        ("id = 'a'", "id = 'A b'", "line 2: the action `A b`: an id is made of"),
        ("title = 'A'", "titel = 'A'", "unknown field `titel`"),
        ("title = 'A'", "title = ' '", "line 1: the action `a`: title is empty"),
        ("words = ['a']", "words = []", "names neither words nor intents"),
        ("words = ['a']", "words = ['a||b']", "has an empty word"),
        ("access = 'read'", "access = 'write'", "line 5: the action `a`: a write is a POST"),
        ("access = 'read'", "access = 'all'", "unknown variant `all`"),
        ("method = 'GET'", "method = 'PUT'", "unknown variant `PUT`"),
        (
            "method = 'GET'",
            "method = 'GET'\ntimeout_s = 90",
            "line 7: the action `a`: timeout_s has to",
        ),
        ("method = 'GET'", "method = 'GET'\nscore = 3.0", "score has to lie"),
        (
            "method = 'GET'",
            "method = 'GET'\nover = ['nothing']",
            "line 7: the action `a`: there is no rule `nothing`",
        ),
        ("method = 'GET'", "method = 'GET'\nverified = true", "verified = true needs identity"),
        (
            "method = 'GET'",
            "method = 'GET'\nidentity = {email='X-Me'}",
            "identity needs verified = true",
        ),
        (
            "method = 'GET'",
            "method = 'GET'\nverified = true\nidentity = {email='X'}",
            "`X` is filled by the server",
        ),
        (
            "method = 'GET'",
            "method = 'GET'\nverified = true\nidentity = {email='a b'}",
            "is the name of a field",
        ),
        (
            "method = 'GET'",
            "method = 'GET'\nverified = true\nidentity = {phone='X'}",
            "unknown field `phone`",
        ),
        ("shop.example/{x}", "{x}.example/", "an argument stands only in the path"),
        ("shop.example/{x}", "shop.example/{y}", "url names {y}, which is not under"),
        ("https://", "ftp://", "url begins with https://host"),
        (
            "type = 'string'",
            "type = 'object'",
            "line 8: the action `a`: the argument `x` needs a `type`",
        ),
        ("type = 'string'", "type = 'string'\n'$ref' = 'http://x/'", "has `$ref`; it may have"),
        (
            "type = 'string'",
            "type = 'string'\npattern = '[0-9]'",
            "begin it with ^ and end it with $",
        ),
        (
            "type = 'string'",
            "type = 'string'\npattern = '^(($'",
            "has a schema that cannot be used",
        ),
        (
            "type = 'string'",
            "type = 'string'\npattern = '^(?=a)$'",
            "has a schema that cannot be used",
        ),
        (
            "type = 'string'",
            "type = 'string'\nformat = 'nothing'",
            "has a schema that cannot be used",
        ),
        ("type = 'string'", "type = 'string'\nmaxLength = 4000", "has a maxLength above 200"),
        ("type = 'string'", "type = 'string'\nentity = 'iban'", "has an unknown `entity`"),
        ("ask = 'x?'", "", "needs the question for it under `ask`"),
        ("ask = 'x?'", "ask = 'x?'\n[action.arguments]\nrequired = ['z']", ""),
        (
            "ask = 'x?'",
            "ask = 'x?'\n[[action.result]]\npointer = 'x'\nlabel = 'X'",
            "line 11: the action `a`: the pointer `x` begins",
        ),
        (
            "ask = 'x?'",
            "ask = 'x?'\n[[action.result]]\npointer = '/x'\nlabel = ''",
            "needs a label",
        ),
        (
            "ask = 'x?'",
            "ask = 'x?'\n[[action.result]]\npointer = '/x'\nlabel = 'X'\nmost = 0",
            "`most` has to lie",
        ),
    ] {
        let text = good.replace(from, to);
        let error = ActionBook::parse(&text, &policy).unwrap_err().to_string();
        assert!(error.contains(expect), "{to}: {error}");
    }
    let twice = format!("{good}{good}");
    let error = ActionBook::parse(&twice, &policy).unwrap_err().to_string();
    assert!(error.contains("line 12: the action `a` stands in line 1 already"), "{error}");
    assert_eq!(Reason::ActionFailed.as_str(), "action_failed");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    /// Whatever is typed, a request ends after few answers, and no words make a subject.
    #[test]
    fn no_words_loop_or_name_a_subject(texts in proptest::collection::vec("\\PC{0,60}|[0-9]{5}|[a-z]{1,8}@[a-z]{1,5}\\.example", 1..12)) {
        let house = House::open();
        for opening in ["where is my order", "send me the invoice again", "change my billing email", "pause my subscription"] {
            let mut talk = Talk::default();
            talk.say(&house, opening);
            for text in &texts {
                let Some(step) = talk.say(&house, text) else { continue };
                let called = step.effects.iter().any(|effect| matches!(effect, Effect::Call(_)));
                proptest::prop_assert!(!called, "{text}");
            }
        }
    }
}
