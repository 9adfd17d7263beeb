//! Questions that the documents ask of themselves: their headings, asked while the answer is there and while it is left out.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use engine::scope::Scope;
use engine::search::{Hit, Passage, Phrase, Query, SearchError};
use engine::text::words;

use crate::Index;

/// Words of a heading that can stand for a question.
const WORDS: RangeInclusive<usize> = 3..=16;
/// Cosine of a heading and a passage's heading or sentence from which the passage's document may answer it too.
const MAY_ANSWER: f32 = 0.7;
/// Passages that one trial looks for.
const LIMIT: usize = 10;

/// A heading as a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The heading's words.
    pub question: String,
    /// The document that it stands in.
    pub doc: String,
}

/// What a trial finds.
#[derive(Debug, Clone)]
pub struct Tried {
    /// In all documents.
    pub answered: Vec<Hit>,
    /// Where neither its own document nor one that seems to answer it is looked at; empty when none is left.
    pub unanswered: Vec<Hit>,
}

impl Index {
    /// Innermost headings, each once, spread evenly over the documents; at most `most`.
    pub fn trials(&self, most: usize) -> Vec<Trial> {
        let mut seen = HashSet::new();
        let all: Vec<&Passage> = self
            .passages()
            .iter()
            .map(AsRef::as_ref)
            .filter(|p| WORDS.contains(&words(innermost(p)).len()) && seen.insert(innermost(p)))
            .collect();
        let step = all.len().div_ceil(most.max(1)).max(1);
        let trial = |p: &Passage| Trial { question: innermost(p).into(), doc: p.doc.clone() };
        all.into_iter().step_by(step).map(trial).collect()
    }

    /// Asks one; `embedding` is the vector of its question.
    ///
    /// # Errors
    /// As [`engine::search::Search::search`].
    pub fn try_out(&self, trial: &Trial, embedding: &[f32]) -> Result<Tried, SearchError> {
        let query = Query {
            asked: Phrase { text: &trial.question, embedding },
            in_context: None,
            points_back: false,
            scope: &Scope::default(),
            limit: LIMIT,
        };
        let passages = self.passages();
        let all: Vec<usize> = (0..passages.len()).collect();
        let answered = self.search_among(&all, &query)?;
        let may_answer = |at: &usize| self.vectors().nearest_unit(*at, embedding) >= MAY_ANSWER;
        let mut out: HashSet<&str> =
            all.iter().filter(|at| may_answer(at)).map(|at| passages[*at].doc.as_str()).collect();
        out.insert(&trial.doc);
        let others: Vec<usize> =
            all.into_iter().filter(|at| !out.contains(passages[*at].doc.as_str())).collect();
        let unanswered =
            if others.is_empty() { vec![] } else { self.search_among(&others, &query)? };
        Ok(Tried { answered, unanswered })
    }
}

fn innermost(passage: &Passage) -> &str {
    passage.heading.last().unwrap_or(&passage.title)
}
