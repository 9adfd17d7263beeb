//! What the owner is told about the knowledge: what answers, since when, and what is wrong with the folder.

use retrieval::index::Progress;
use retrieval::reading;
use serde::Serialize;

use super::pages::Missed;

/// How the knowledge stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Version that answers, 12 hex digits; replies record the same.
    pub version: String,
    /// When it was published, in milliseconds since 1970.
    pub published_at: i64,
    /// Its documents.
    pub documents: usize,
    /// Its passages.
    pub passages: usize,
    /// The pinned version, 12 hex digits. While there is one, edits are not published.
    pub pinned: Option<String>,
    /// Whether the folder says something else than what answers.
    pub behind: bool,
    /// Files that could not be read.
    pub problems: Vec<Problem>,
    /// Why the newest state of the folder could not be published; the last good one answers.
    pub error: Option<String>,
    /// How many of the changed documents are embedded, while a new state is being made.
    pub embedding: Option<Count>,
    /// The pages of the web; none when the settings name no page.
    pub web: Option<Web>,
    /// When the whole folder was read last, in milliseconds since 1970.
    pub read_at: i64,
}

/// How far something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count {
    /// So many are done.
    pub done: usize,
    /// Of so many.
    pub of: usize,
}

impl From<Progress> for Count {
    fn from(Progress { done, of }: Progress) -> Self {
        Self { done, of }
    }
}

/// How the pages of the web stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Web {
    /// Pages that there is a copy of.
    pub pages: usize,
    /// How many were asked for, while that is going on.
    pub fetching: Option<Count>,
    /// When all were asked for last, in milliseconds since 1970.
    pub asked_at: Option<i64>,
    /// The first of those that could not be fetched.
    pub missed: Vec<Missed>,
    /// Those that are not named.
    pub more_missed: usize,
}

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Path below the knowledge folder.
    pub path: String,
    /// Why, with the line where there is one.
    pub problem: String,
    /// Whether its last good text still answers.
    pub kept: bool,
}

impl From<reading::Problem> for Problem {
    fn from(problem: reading::Problem) -> Self {
        let reading::Problem { path, problem, kept } = problem;
        Self { path, problem, kept }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let instead = if self.kept { "its last good text answers" } else { "it is left out" };
        write!(f, "{}: {}; {instead}", self.path, self.problem)
    }
}
