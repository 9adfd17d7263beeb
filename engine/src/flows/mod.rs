//! Flows of the owner's: questions for a lead, the steps of a document one at a time, checklists that branch.
//!
//! A flow is begun by a message and goes on with the next ones. A message that is a question in between is answered as any other;
//! what it holds of answers is kept all the same, and what the flow waits for is asked again.

mod address;
mod answer;
mod book;
mod capture;
mod checklist;
mod choice;
mod cite;
mod figures;
mod file;
mod said;
mod slot;
mod steps;

use std::ops::Range;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::tasks::{Card, Effect, Left, Row, Scene, Step, Task};

pub use answer::Answer;
pub use book::{Capture, Condition, Flow, FlowBook, Level, Plan, Qualify};
pub use checklist::{Check, Checklist, Outcome};
pub use file::FlowError;
pub use slot::{Choice, Slot, SlotKind};
pub use steps::Guide;

/// What a message says by which a visitor has sent a file; its name follows.
pub const FILE: &str = "File: ";

/// Messages about something else after which a flow is let go.
const ASIDES: u32 = 5;
/// Answers that cannot be read, after which a question is left out or a person is asked for.
const TRIES: u32 = 2;

/// A flow on its way, as it is kept with the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Id of the flow.
    pub flow: String,
    /// How far it has got.
    at: Place,
    /// Messages about something else: of a lead since it began, else since it last went on.
    asides: u32,
}

/// How far a flow has got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    Capture(capture::Progress),
    Steps(steps::Reached),
    Checklist(checklist::Way),
}

/// A lead as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    /// Id of its flow; a conversation has one lead of each.
    pub flow: String,
    /// Name of the flow for people.
    pub title: String,
    /// How much it is worth to the owner.
    pub level: Level,
    /// How far it is.
    pub status: LeadStatus,
    /// What the visitor has answered, in the order of the slots.
    pub slots: Vec<Row>,
    /// Whether the owner wants to be told at once.
    pub urgent: bool,
}

/// How far a lead is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadStatus {
    /// Something is still asked.
    Open,
    /// All is answered or left out.
    Complete,
    /// The visitor ended it before.
    Stopped,
}

impl LeadStatus {
    /// The word used in records and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Stopped => "stopped",
        }
    }
}

impl Run {
    /// What the flow waits for, for the owner: `asks for: E-mail`.
    pub fn waits_for(&self, flow: &Flow) -> String {
        match (&flow.plan, &self.at) {
            (Plan::Capture(capture), Place::Capture(progress)) => progress.waits_for(capture),
            (Plan::Checklist(list), Place::Checklist(way)) => way.waits_for(list),
            (_, Place::Steps(reached)) => reached.waits_for(),
            _ => String::new(),
        }
    }
}

/// The first step of a flow.
pub fn begin(scene: Scene<'_>, flow: &Flow) -> Step {
    let stage = Stage { scene, flow, asides: 0 };
    match &flow.plan {
        Plan::Capture(capture) => capture::begin(stage, capture),
        Plan::Steps(guide) => steps::begin(stage, guide),
        Plan::Checklist(list) => checklist::begin(stage, list),
    }
}

/// The next step; `None` when the message is about something else.
pub fn go_on(scene: Scene<'_>, run: &Run) -> Option<Step> {
    let flow = scene.parts.books.flows.flow(run)?;
    let stage = Stage { scene, flow, asides: run.asides };
    match (&flow.plan, &run.at) {
        (Plan::Capture(capture), Place::Capture(progress)) => {
            capture::go_on(stage, capture, progress)
        }
        (Plan::Steps(guide), Place::Steps(reached)) => steps::go_on(stage, guide, *reached),
        (Plan::Checklist(list), Place::Checklist(way)) => checklist::go_on(stage, list, way),
        // The owner has made another kind of flow of it meanwhile.
        _ => None,
    }
}

/// What the flow waits for after something else was answered, and what is left of it then; an empty text when it is let go.
pub fn pending(scene: Scene<'_>, run: &Run) -> Option<(String, Left)> {
    let flow = scene.parts.books.flows.flow(run)?;
    let stage = Stage { scene, flow, asides: run.asides + 1 };
    match (&flow.plan, &run.at) {
        (Plan::Capture(capture), Place::Capture(progress)) => {
            Some(capture::pending(stage, capture, progress))
        }
        (Plan::Steps(guide), Place::Steps(reached)) => steps::pending(stage, guide, *reached),
        (Plan::Checklist(list), Place::Checklist(way)) => {
            Some(checklist::pending(stage, list, way))
        }
        _ => None,
    }
}

/// Where a step is made.
#[derive(Clone, Copy)]
struct Stage<'a> {
    scene: Scene<'a>,
    flow: &'a Flow,
    asides: u32,
}

impl<'a> Stage<'a> {
    /// What the visitor has just written.
    fn words(&self) -> &'a str {
        &self.scene.turn.question
    }

    /// One of the house's texts.
    fn text(&self, id: &str) -> String {
        self.scene.parts.templates.say(id)
    }

    /// A step that says `text` and ends the flow.
    fn says(&self, text: impl Into<String>) -> Step {
        Step::saying(format!("flow:{}", self.flow.id), text)
    }

    /// The flow as it is kept.
    fn kept(&self, at: Place, asides: u32) -> Option<Task> {
        Some(Task::Flow(Run { flow: self.flow.id.clone(), at, asides }))
    }

    /// Whether the message begins another flow or an action.
    fn leads_elsewhere(&self) -> bool {
        let (books, heard) = (self.scene.parts.books, self.scene.heard);
        let other = books.flows.starts(heard).is_some_and(|flow| flow.id != self.flow.id);
        other || books.actions.starts(heard).is_some()
    }

    /// Quick replies with these of the house's texts behind the options.
    fn choices(&self, options: &[String], ids: &[&str]) -> Option<Card> {
        let own = ids.iter().map(|id| self.text(id));
        let options: Vec<String> =
            options.iter().cloned().chain(own).filter(|text| !text.is_empty()).collect();
        (!options.is_empty()).then_some(Card::Choices { options })
    }

    /// Whether the message is one of the house's quick replies.
    fn presses(&self, id: &str) -> bool {
        let label = self.text(id);
        !label.is_empty() && self.words().trim().eq_ignore_ascii_case(label.trim())
    }

    /// What is left when the visitor has asked about something else too often.
    fn let_go(effects: Vec<Effect>) -> (String, Left) {
        (String::new(), Left { card: None, task: None, effects })
    }
}

/// Texts as one, with a blank between those that are not empty.
fn joined(texts: &[&str]) -> String {
    texts
        .iter()
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The words of a text in lower case, each with its place in bytes.
fn words_of(text: &str) -> Vec<(Range<usize>, String)> {
    let all = text.unicode_word_indices();
    all.map(|(at, word)| (at..at + word.len(), word.to_lowercase().replace('’', "'"))).collect()
}

/// The sentences of a text with their places in bytes, cut as [`crate::text::sentences`] cuts them.
fn sentences_of(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let (mut start, mut ends) = (0, false);
    for (at, c) in text.char_indices() {
        if c == '\n' || (ends && c.is_whitespace()) {
            spans.push(start..at);
            start = at;
        }
        ends = matches!(c, '.' | '!' | '?' | ';');
    }
    spans.push(start..text.len());
    spans.retain(|span| text[span.clone()].chars().any(char::is_alphanumeric));
    spans
}
