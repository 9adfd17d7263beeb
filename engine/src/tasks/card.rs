//! Cards: what is shown with a message beside its text.

use serde::{Deserialize, Serialize};

/// A label and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is: `Company`.
    pub label: String,
    /// Plain text.
    pub value: String,
}

impl Row {
    /// A row of these two.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

/// What is shown with a message beside its text. The same on the wire and in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Card {
    /// Quick replies: pressing one sends its text as a message.
    Choices {
        /// What they say, in order.
        options: Vec<String>,
    },
    /// Asks for a yes or no that is more than words.
    Confirm {
        /// Id of the task that is confirmed; no other is.
        request: String,
        /// What is about to be done.
        title: String,
        /// With what.
        rows: Vec<Row>,
    },
    /// Asks for a one-time code.
    Code {
        /// Where it was sent, masked: `a•••@example.org`.
        to: String,
    },
    /// What an action has found or done.
    Result {
        /// Its heading.
        title: String,
        /// What was found.
        rows: Vec<Row>,
    },
    /// Asks for a file.
    Upload {
        /// Which: `a screenshot`.
        what: String,
    },
    /// A file that the visitor has sent.
    File {
        /// 32 hex digits.
        id: String,
        /// Its name, cleaned.
        name: String,
        /// Its size.
        bytes: u64,
        /// Its type, read from its content: `image/png`.
        media: String,
    },
}
