//! Flows of the owner's.

use serde::{Deserialize, Serialize};

use crate::policy::Policy;
use crate::rules::Heard;
use crate::tasks::{BookError, Card, Scene, Step};

/// The owner's book.
#[derive(Debug, Clone, Default)]
pub struct FlowBook;

/// One of them.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Ids of rules that it comes before.
    pub over: Vec<String>,
}

/// As it is kept with the conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {}

/// What it ends in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Lead {}

impl FlowBook {
    /// Reads the TOML text and checks it against the rules that it names.
    ///
    /// # Errors
    /// [`BookError`] with the line.
    pub fn parse(_text: &str, _policy: &Policy) -> Result<Self, BookError> {
        Ok(Self)
    }

    /// The one that a message begins.
    pub fn starts(&self, _heard: &Heard<'_>) -> Option<&Flow> {
        None
    }

    /// The one that is on; none when the owner has taken it away meanwhile.
    pub fn flow(&self, _on: &Run) -> Option<&Flow> {
        None
    }
}

/// The first step.
pub fn begin(_scene: Scene<'_>, _one: &Flow) -> Step {
    Step::saying("", "")
}

/// The next step; `None` when the message is about something else.
pub fn go_on(_scene: Scene<'_>, _on: &Run) -> Option<Step> {
    None
}

/// What it waits for, in words and with its card.
pub fn pending(_scene: Scene<'_>, _on: &Run) -> Option<(String, Option<Card>)> {
    None
}
