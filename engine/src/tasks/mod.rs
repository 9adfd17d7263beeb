//! What is done with a visitor step by step: a flow of the owner's, an action on the way to its call, a ticket.
//!
//! A task is plain data that is kept with its conversation. A message of the visitor's goes on with it, or is a question in between
//! that is answered as any other; then what the task waits for is asked again.

mod card;
mod course;

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::actions::{self, ActionBook};
use crate::flows::{self, FlowBook};
use crate::hours::{Availability, Hours};
use crate::parts::Parts;
use crate::rules::{Heard, Reason};
use crate::search::Passage;
use crate::tickets;
use crate::turn::Turn;

pub use card::{Card, Row};
pub(crate) use course::{Course, course, say_again};

/// What the owner has written beside rules and texts.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// `prompts/flows.toml`.
    pub flows: FlowBook,
    /// `prompts/actions.toml`.
    pub actions: ActionBook,
    /// `prompts/hours.toml`.
    pub hours: Hours,
}

/// What is being done, as it is kept with the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    /// A flow of the owner's.
    Flow(flows::Run),
    /// An action on the way to its call.
    Action(actions::Request),
    /// A ticket that lacks something.
    Ticket(tickets::Request),
}

/// What stands beside the words of a turn.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// What is being done.
    pub task: Option<Task>,
    /// E-mail address, in lower case, that the visitor has lately shown to be theirs.
    pub verified: Option<String>,
    /// Whether a person can be expected.
    pub hours: Availability,
    /// An id that a new task may take: 32 hex digits, used by no other.
    pub fresh: String,
}

/// What a step is made from.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The owner's documents, texts and books.
    pub parts: &'a Parts<'a>,
    /// The message, what came before it, and the standing.
    pub turn: &'a Turn,
    /// What the message was read as.
    pub heard: &'a Heard<'a>,
}

/// Something that is said in a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// The owner's words.
    Plain(String),
    /// Words of a document, which are cited.
    Quote {
        /// What is shown of it.
        text: String,
        /// Where it stands.
        passage: Arc<Passage>,
        /// Bytes of the source file.
        span: Range<usize>,
    },
}

/// What one message brings a task to.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What the visitor is told.
    pub say: Vec<Line>,
    /// What is shown beside it.
    pub card: Option<Card>,
    /// The task as it stands now; `None` when it is over.
    pub task: Option<Task>,
    /// What it brings about.
    pub effects: Vec<Effect>,
    /// Why a person is asked for, if one is.
    pub hand_off: Option<Reason>,
    /// What made it, for records: `flow:lead`, `action:order-status`.
    pub rule: String,
}

/// Why a file of the owner's cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Not TOML, or a key is unknown; names line and column.
    #[error("{0}")]
    Toml(String),
    /// Something that makes no sense.
    #[error("line {line}: {problem}")]
    At {
        /// Line of the file, from 1.
        line: usize,
        /// What is wrong, and what to write instead.
        problem: String,
    },
}

impl Step {
    /// A step that says `text` and ends the task.
    pub fn saying(rule: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            say: vec![Line::Plain(text.into())],
            card: None,
            task: None,
            effects: vec![],
            hand_off: None,
            rule: rule.into(),
        }
    }

    /// What it says, as plain text.
    pub fn text(&self) -> String {
        let texts = self.say.iter().map(|line| match line {
            Line::Plain(text) | Line::Quote { text, .. } => text.as_str(),
        });
        texts.collect()
    }
}

/// What a step brings about beside its words; the server does it in the transaction that stores them.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A lead, new or grown; there is one for a conversation and flow.
    Lead(flows::Lead),
    /// What the owner's summary of the conversation shows in place of what it showed before.
    Collected(Vec<Row>),
    /// An action with all that it needs.
    Call(actions::Call),
    /// A one-time code is sent.
    SendCode {
        /// To this address.
        email: String,
    },
    /// A ticket is made.
    Ticket(tickets::Draft),
    /// The visitor may send a file now.
    Upload {
        /// Which: `a screenshot`.
        what: String,
    },
}

/// What a turn leaves of a task, beside what was said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Left {
    /// What is shown beside the words.
    pub card: Option<Card>,
    /// The task as it stands now.
    pub task: Option<Task>,
    /// What is brought about.
    pub effects: Vec<Effect>,
}
