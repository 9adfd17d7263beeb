//! Actions of the owner's.

use serde::{Deserialize, Serialize};

use crate::policy::Policy;
use crate::rules::Heard;
use crate::tasks::{BookError, Card, Scene, Step};

/// The owner's book.
#[derive(Debug, Clone, Default)]
pub struct ActionBook;

/// One of them.
#[derive(Debug, Clone, Default)]
pub struct Action {
    /// Ids of rules that it comes before.
    pub over: Vec<String>,
}

/// As it is kept with the conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {}

impl Request {
    /// Names it on the card that asks for confirmation: 32 hex digits.
    pub fn id(&self) -> &str {
        ""
    }
}

/// What it ends in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {}

impl ActionBook {
    /// Reads the TOML text and checks it against the rules that it names.
    ///
    /// # Errors
    /// [`BookError`] with the line.
    pub fn parse(_text: &str, _policy: &Policy) -> Result<Self, BookError> {
        Ok(Self)
    }

    /// The one that a message begins.
    pub fn starts(&self, _heard: &Heard<'_>) -> Option<&Action> {
        None
    }

    /// The one that is on; none when the owner has taken it away meanwhile.
    pub fn action(&self, _on: &Request) -> Option<&Action> {
        None
    }
}

/// The first step.
pub fn begin(_scene: Scene<'_>, _one: &Action) -> Step {
    Step::saying("", "")
}

/// The next step; `None` when the message is about something else.
pub fn go_on(_scene: Scene<'_>, _on: &Request) -> Option<Step> {
    None
}

/// What it waits for, in words and with its card.
pub fn pending(_scene: Scene<'_>, _on: &Request) -> Option<(String, Option<Card>)> {
    None
}

/// The step after the visitor has shown that `email` is theirs.
pub fn proved(_book: &ActionBook, _request: &Request, _email: &str) -> Step {
    Step::saying("", "")
}

/// The step after the visitor has pressed a button of the card that asks for confirmation.
pub fn confirmed(_book: &ActionBook, _request: &Request, _yes: bool) -> Step {
    Step::saying("", "")
}
