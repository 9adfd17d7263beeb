//! A visitor who talks with one flow.

use std::sync::LazyLock;

use engine::confidence::Tuned;
use engine::draft::Mode;
use engine::entities::Entities;
use engine::flows::{self, FlowBook, FlowError, Lead, Run};
use engine::intent::{IntentBook, IntentFile, Reading};
use engine::policy::Policy;
use engine::prompt::Templates;
use engine::reply::Parts;
use engine::rules::{Heard, Reason};
use engine::search::Passage;
use engine::tasks::{Books, Card, Effect, Left, Line, Row, Scene, Step, Task};
use engine::testing::{ScriptedModel, ScriptedSearch};
use engine::turn::{Message, Speaker, Turn};

/// The shipped flows.
pub(crate) const SHIPPED: &str = include_str!("../../../prompts/flows.toml");

/// Intents, rules and texts as they ship, read once.
static HOUSE: LazyLock<(IntentFile, Policy, Templates)> = LazyLock::new(house);
/// The shipped flows, read once.
static BOOK: LazyLock<FlowBook> = LazyLock::new(|| parse(SHIPPED).unwrap());

fn house() -> (IntentFile, Policy, Templates) {
    let intents = IntentFile::parse(include_str!("../../../prompts/intents.toml")).unwrap();
    let templates = Templates::parse(include_str!("../../../prompts/templates.toml")).unwrap();
    let policy = include_str!("../../../prompts/policy.toml");
    let policy = Policy::parse(policy, &intents, &templates).unwrap();
    (intents, policy, templates)
}

/// Reads flows beside the shipped rules and texts.
pub(crate) fn parse(flows: &str) -> Result<FlowBook, FlowError> {
    let (intents, policy, templates) = &*HOUSE;
    FlowBook::parse(flows, intents, (policy, templates))
}

/// What one message came to.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// What the visitor is told; empty when the message was about something else and nothing is asked again.
    pub(crate) text: String,
    /// Whether it was about something else.
    pub(crate) aside: bool,
    /// Documents that are quoted.
    pub(crate) cites: Vec<String>,
    pub(crate) options: Vec<String>,
    pub(crate) upload: bool,
    pub(crate) hand_off: Option<Reason>,
    pub(crate) lead: Option<Lead>,
    pub(crate) rows: Vec<Row>,
}

/// A visitor in a conversation.
pub(crate) struct Talk {
    model: ScriptedModel,
    search: ScriptedSearch,
    intents: IntentBook,
    policy: Policy,
    templates: Templates,
    entities: Entities,
    books: Books,
    run: Option<Run>,
    history: Vec<Message>,
}

impl Talk {
    /// Over these flows and documents.
    pub(crate) fn over(flows: &str, passages: Vec<Passage>) -> Self {
        let (intents, policy, templates) = HOUSE.clone();
        let model = ScriptedModel::default();
        let entities = Entities::new(&intents.entities).unwrap();
        let few = "oos_examples=['x']\n[[intent]]\nid='general'\nlabel='General'\nexamples=['y']\n";
        let intents = IntentBook::learn(&IntentFile::parse(few).unwrap(), &model).unwrap();
        let books = Books {
            flows: if flows == SHIPPED { BOOK.clone() } else { parse(flows).unwrap() },
            ..Books::default()
        };
        let search = ScriptedSearch::of(passages);
        let (run, history) = (None, vec![]);
        Self { model, search, intents, policy, templates, entities, books, run, history }
    }

    /// Over the shipped flows, without documents.
    pub(crate) fn shipped() -> Self {
        Self::over(SHIPPED, vec![])
    }

    /// Whether a flow is on.
    pub(crate) fn is_on(&self) -> bool {
        self.run.is_some()
    }

    /// Says something and hears what comes of it. The task goes through its stored form, as it does between two messages.
    pub(crate) fn say(&mut self, words: &str) -> Said {
        let stored = self.run.as_ref().map(|run| serde_json::to_string(run).unwrap());
        let run: Option<Run> = stored.map(|json| serde_json::from_str(&json).unwrap());
        let turn = Turn { history: self.history.clone(), ..Turn::asking(words) };
        let reading = Reading::default();
        let heard = Heard { text: words, reading: &reading, frustration: 0.0 };
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
        let scene = Scene { parts: &parts, turn: &turn, heard: &heard };
        let step = match &run {
            Some(run) => flows::go_on(scene, run),
            None => self.books.flows.starts(&heard).map(|flow| flows::begin(scene, flow)),
        };
        let (said, task) = match (step, &run) {
            (Some(step), _) => told(step),
            (None, Some(run)) => {
                flows::pending(scene, run).map_or_else(Default::default, asked_again)
            }
            (None, None) => (Said { aside: true, ..Said::default() }, None),
        };
        self.run = task;
        let bot = |text: &str| Message { speaker: Speaker::Bot, text: text.into() };
        self.history.push(Message { speaker: Speaker::Visitor, text: words.into() });
        self.history.push(bot(&said.text));
        said
    }
}

fn told(step: Step) -> (Said, Option<Run>) {
    let mut said = Said { text: step.text(), hand_off: step.hand_off, ..Said::default() };
    for line in &step.say {
        if let Line::Quote { passage, .. } = line {
            said.cites.push(passage.doc.clone());
        }
    }
    let Step { card, effects, task, .. } = step;
    (with(said, card, effects), run(task))
}

fn asked_again((text, left): (String, Left)) -> (Said, Option<Run>) {
    let said = Said { text, aside: true, ..Said::default() };
    (with(said, left.card, left.effects), run(left.task))
}

fn run(task: Option<Task>) -> Option<Run> {
    match task {
        Some(Task::Flow(run)) => Some(run),
        _ => None,
    }
}

fn with(mut said: Said, card: Option<Card>, effects: Vec<Effect>) -> Said {
    match card {
        Some(Card::Choices { options }) => said.options = options,
        Some(Card::Upload { .. }) => said.upload = true,
        _ => {}
    }
    for effect in effects {
        match effect {
            Effect::Lead(lead) => said.lead = Some(lead),
            Effect::Collected(rows) => said.rows = rows,
            _ => {}
        }
    }
    said
}
