//! What the documents' own headings find, with their answers there and left out: a sample before visitors have asked anything.

use engine::confidence::Signals;
use engine::search::Hit;

use super::Library;

/// Headings that are asked at most.
const MOST: usize = 200;

/// The signals of one heading, asked as a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// What the confidence is computed from.
    pub signals: Signals,
    /// Whether its answer was there.
    pub answered: bool,
}

impl Library {
    /// Asks the headings of what answers now, gently beside visitors; `go_on` says when to give up, and why.
    ///
    /// # Errors
    /// What the encoder or the index say, and why it was given up.
    pub fn trials(&self, go_on: &dyn Fn() -> Result<(), String>) -> Result<Vec<Trial>, String> {
        let edition = self.edition();
        let trials = edition.index().trials(MOST);
        let questions: Vec<&str> = trials.iter().map(|trial| trial.question.as_str()).collect();
        let vectors = self.embed_gently(&questions, go_on)?;
        let mut tried = Vec::with_capacity(2 * trials.len());
        for (trial, vector) in trials.iter().zip(&vectors) {
            go_on()?;
            let found = edition.index().try_out(trial, vector).map_err(|e| e.to_string())?;
            tried.push(Trial { signals: signals(&found.answered), answered: true });
            if !found.unanswered.is_empty() {
                tried.push(Trial { signals: signals(&found.unanswered), answered: false });
            }
        }
        Ok(tried)
    }
}

/// Signals of a draft from these hits, fully supported as quotes are.
fn signals(hits: &[Hit]) -> Signals {
    Signals { support: 1.0, ..Signals::of_hits(hits) }
}
