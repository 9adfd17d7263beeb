//! The owner's flows, checked, and which of them a message begins.

use serde::{Deserialize, Serialize};

use super::checks::Checklist;
use super::slot::Slot;
use super::steps::Guide;
use super::{Run, cite};
use crate::phrase::Phrase;
use crate::rules::{Heard, stands_in};
use crate::search::Search;
use crate::text;

/// `prompts/flows.toml`, checked.
#[derive(Debug, Clone, Default)]
pub struct FlowBook {
    /// In the owner's order; the first that matches a message starts.
    pub flows: Vec<Flow>,
}

/// One flow.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Name that records show: `sales`.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// Phrases in one sentence of a message that start it. Any one suffices.
    pub words: Vec<Phrase>,
    /// Phrases that take a match away.
    pub unless: Vec<Phrase>,
    /// Ids of intents that start it when they are the primary tag with at least `score`.
    pub intents: Vec<String>,
    /// Score that a matching intent needs, 0 to 1.
    pub score: f32,
    /// Ids of rules that it comes before.
    pub over: Vec<String>,
    /// Id of the intent that a message which begins it is about, whatever else it sounds like.
    pub tag: Option<String>,
    /// Stands before the first question.
    pub opening: String,
    /// What is done.
    pub plan: Plan,
    /// Line of the file that it begins in, from 1.
    pub line: usize,
}

/// What a flow does.
#[derive(Debug, Clone)]
pub enum Plan {
    /// Asks for what the owner wants to know of a lead.
    Capture(Capture),
    /// Shows the steps of a document, one at a time.
    Steps(Guide),
    /// Asks questions that branch, and ends in an outcome.
    Checklist(Checklist),
}

/// What is asked of a lead, and what becomes of it.
#[derive(Debug, Clone)]
pub struct Capture {
    /// In the order in which they are asked.
    pub slots: Vec<Slot>,
    /// The first whose conditions all hold decides.
    pub qualify: Vec<Qualify>,
    /// What is said at the end unless a qualification says something; empty takes the house's own.
    pub done: String,
}

/// How much a lead is worth to the owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Little.
    Low,
    /// As others.
    #[default]
    Normal,
    /// Much: it is followed up at once.
    High,
}

impl Level {
    /// The word used in records and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// A rule over a lead's answers.
#[derive(Debug, Clone)]
pub struct Qualify {
    /// What the lead is then.
    pub level: Level,
    /// All have to hold; none always does.
    pub when: Vec<Condition>,
    /// What is said at the end.
    pub say: String,
    /// Document whose opening is quoted then; empty for none.
    pub guide: String,
    /// The heading that it is quoted from; empty for the document's first.
    pub heading: String,
    /// Whether the owner is told at once.
    pub notify: bool,
    /// Whether a person is asked for at the end.
    pub hand_off: bool,
}

/// A condition over one slot.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The number or amount is at least this.
    AtLeast {
        /// Id of the slot.
        slot: String,
        /// The least.
        least: f64,
    },
    /// The choice is one of these.
    OneOf {
        /// Id of the slot.
        slot: String,
        /// Names of options.
        options: Vec<String>,
    },
}

impl FlowBook {
    /// The first flow that a message starts.
    pub fn starts(&self, heard: &Heard<'_>) -> Option<&Flow> {
        let sentences = text::sentences(heard.text);
        self.flows.iter().find(|flow| flow.matches(heard, &sentences))
    }

    /// The flow that is on; none when the owner has taken it away meanwhile.
    pub fn flow(&self, run: &Run) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.id == run.flow)
    }
}

impl Flow {
    fn matches(&self, heard: &Heard<'_>, sentences: &[Vec<String>]) -> bool {
        let taken =
            |words: &Vec<String>| self.unless.iter().any(|p| p.places(words).next().is_some());
        let tagged = heard
            .reading
            .primary()
            .is_some_and(|tag| tag.score >= self.score && self.intents.contains(&tag.id));
        sentences.iter().any(|words| stands_in(words, &self.words, &self.unless))
            || (tagged && !sentences.iter().any(taken))
    }

    /// `capture`, `steps` or `checklist`.
    pub fn kind(&self) -> &'static str {
        match self.plan {
            Plan::Capture(_) => "capture",
            Plan::Steps(_) => "steps",
            Plan::Checklist(_) => "checklist",
        }
    }

    /// What is missing in the documents for it: a sentence for the owner.
    pub fn problem(&self, search: &dyn Search) -> Option<String> {
        match &self.plan {
            Plan::Capture(capture) => capture
                .qualify
                .iter()
                .find_map(|rule| cite::missing(search, &rule.guide, &rule.heading)),
            Plan::Steps(guide) => guide.problem(search),
            Plan::Checklist(list) => list
                .outcomes
                .iter()
                .find_map(|end| cite::missing(search, &end.document, &end.heading)),
        }
    }
}
