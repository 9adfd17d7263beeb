//! Tickets: what is asked for when nobody is there, and what is kept of it.

use serde::{Deserialize, Serialize};

/// Characters of a subject at most.
pub const SUBJECT_CHARS: usize = 120;
/// Characters of a summary at most.
pub const SUMMARY_CHARS: usize = 2_000;

/// How soon a ticket wants a person.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Whenever there is time.
    Low,
    /// In its turn.
    #[default]
    Normal,
    /// Before the others.
    High,
    /// Now.
    Urgent,
}

impl Priority {
    /// The word used in records and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

/// A ticket that is to be opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What it is about, in one line.
    pub subject: String,
    /// What the person who takes it should know first; lines.
    pub summary: String,
    /// How soon it wants a person.
    pub priority: Priority,
    /// Where the visitor can be reached, lower case.
    pub email: Option<String>,
    /// Labels of what the conversation is about.
    pub tags: Vec<String>,
}
