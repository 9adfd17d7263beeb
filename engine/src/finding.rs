//! What a turn looks for: its question as it was meant to be spelled, alone and after what was said before.

use crate::model::{Model, ModelError};
use crate::prompt;
use crate::search::{Hit, Phrase, Query, Search, SearchError};
use crate::spelling;
use crate::text;
use crate::turn::Turn;

/// What was found, and for which question.
#[derive(Debug, Clone)]
pub struct Found {
    /// Passages, best first.
    pub hits: Vec<Hit>,
    /// The question's vector, slips mended; with the words before it where it points back at them.
    pub question: Vec<f32>,
}

/// Why nothing could be looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// The encoder failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The index failed.
    #[error(transparent)]
    Search(#[from] SearchError),
}

/// Looks for passages that answer a turn, `limit` at most. `question` is the vector of the turn's question.
///
/// # Errors
/// When the model or the index fails.
pub fn find(
    (model, search): (&dyn Model, &dyn Search),
    turn: &Turn,
    question: Vec<f32>,
    limit: usize,
) -> Result<Found, FindError> {
    let mended = mended(&turn.question, model, search);
    let context = prompt::in_context(turn, mended.as_ref().unwrap_or(&turn.question));
    let texts: Vec<&str> = mended.iter().chain(&context).map(String::as_str).collect();
    let mut vectors = model.embed(&texts)?.into_iter();
    let question = if mended.is_some() { one(vectors.next())? } else { question };
    let in_context = match &context {
        Some(text) => Some((text, one(vectors.next())?)),
        None => None,
    };
    let asked = Phrase { text: mended.as_ref().unwrap_or(&turn.question), embedding: &question };
    let phrase =
        in_context.as_ref().map(|(text, embedding)| Phrase { text: text.as_str(), embedding });
    let points_back = points_back(asked.text);
    let hits = search.search(&Query {
        asked,
        in_context: phrase,
        points_back,
        scope: &turn.scope,
        limit,
    })?;
    // What such a question asks for is said in the words before it.
    let question = match in_context {
        Some((_, embedding)) if points_back => between(&question, &embedding),
        _ => question,
    };
    Ok(Found { hits, question })
}

/// The unit vector in the middle of two.
fn between(a: &[f32], b: &[f32]) -> Vec<f32> {
    let sum: Vec<f32> = a.iter().zip(b).map(|(x, y)| x + y).collect();
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    sum.into_iter().map(|x| x / length).collect()
}

/// Whether a question points back at what was said before: it holds a pronoun, or ends with a word that stands for one.
fn points_back(question: &str) -> bool {
    const ANYWHERE: [&str; 12] =
        ["it", "its", "they", "them", "their", "those", "these", "he", "she", "him", "her", "ones"];
    const AT_THE_END: [&str; 4] = ["that", "this", "one", "then"];
    let words = text::words(question);
    let ends = words.last().is_some_and(|word| AT_THE_END.contains(&word.as_str()));
    ends || words.iter().any(|word| ANYWHERE.contains(&word.as_str()))
}

fn one(vector: Option<Vec<f32>>) -> Result<Vec<f32>, FindError> {
    vector.ok_or_else(|| ModelError::Failed("the encoder gave no vector".into()).into())
}

/// The text with slips of the pen replaced by the documents' own words; `None` when there are none. A slip is a word
/// that neither the documents nor the encoder know while the documents know one that is nearly the same.
fn mended(text: &str, model: &dyn Model, search: &dyn Search) -> Option<String> {
    spelling::mended(text, &|word| model.knows_word(word), &|word| search.spelled(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn pronouns_point_back() {
        for (question, expect) in [
            ("How do I change it?", true),
            ("Which setting is that?", true),
            ("Do they cost more?", true),
            ("And this one", true),
            ("Is there a plan that includes support?", false),
            ("What is an item?", false),
            ("", false),
        ] {
            assert_eq!(points_back(question), expect, "{question}");
        }
    }
}
