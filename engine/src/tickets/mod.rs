//! Tickets: what is asked for while nobody is there, and what is kept of it.

mod request;

use serde::{Deserialize, Serialize};

pub use request::{Request, begin, go_on, pending};

/// Characters of a subject at most.
pub const SUBJECT_CHARS: usize = 120;
/// Characters of a summary at most.
pub const SUMMARY_CHARS: usize = 4_000;

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

/// A ticket that has all it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What it is about, in one line.
    pub subject: String,
    /// The visitor's own words about it, in lines.
    pub summary: String,
    /// How soon it wants a person.
    pub priority: Priority,
    /// Where the visitor can be reached, in lower case.
    pub email: Option<String>,
    /// Labels of what it is about.
    pub tags: Vec<String>,
}

/// The first words of a text in one line, `most` characters at most, cut between words where that is possible.
pub fn line(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(plain).collect();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let beginning: String = line.chars().take(most.saturating_sub(1)).collect();
    let whole = beginning.rsplit_once(' ').map_or(beginning.as_str(), |(whole, _)| whole);
    format!("{}…", whole.trim_end())
}
