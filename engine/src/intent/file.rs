//! The owner's `intents.toml`: which intents there are, and sentences that teach them.

use std::collections::HashSet;

use serde::Deserialize;

use crate::entities::{Entities, OwnEntities};
use crate::model::ModelError;

/// Id of the answer "none of the owner's intents" where it stands among tags; no intent may have it.
pub const OFF_TOPIC: &str = "off_topic";

/// The owner's intents as written in `prompts/intents.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntentFile {
    /// The intents, each with a handful of examples.
    pub intent: Vec<IntentSource>,
    /// Sentences that belong to none of them.
    #[serde(default)]
    pub oos_examples: Vec<String>,
    /// What messages name, by the owner's own patterns and lists.
    #[serde(default)]
    pub entities: OwnEntities,
}

/// One intent of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntentSource {
    /// Short name used in records: `pricing`.
    pub id: String,
    /// Name people read: `Pricing`.
    pub label: String,
    /// Sentences a visitor would write.
    pub examples: Vec<String>,
}

/// Why an intent file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// Not TOML, or a key is unknown; the text names the line.
    #[error("{0}")]
    Toml(String),
    /// Two intents share an id.
    #[error("line {line}: the intent `{id}` stands twice; give each its own id")]
    Twice {
        /// The shared id.
        id: String,
        /// Line of the second one, from 1.
        line: usize,
    },
    /// An intent has the id that means "none of them".
    #[error(
        "line {line}: the id `{OFF_TOPIC}` means that a message belongs to no intent; choose another"
    )]
    Reserved {
        /// Line where the intent begins, from 1.
        line: usize,
    },
    /// An intent has no example.
    #[error("line {line}: the intent `{id}` has no examples; give it at least one sentence")]
    NoExamples {
        /// The intent.
        id: String,
        /// Line where it begins, from 1.
        line: usize,
    },
    /// A pattern or name of the table `[entities]` cannot be used.
    #[error("line {line}: {problem}")]
    Entity {
        /// Its line, from 1.
        line: usize,
        /// What is wrong, and what to write instead.
        problem: String,
    },
    /// The encoder failed on the examples.
    #[error("the intent examples could not be read by the encoder: {0}")]
    Model(#[from] ModelError),
}

impl IntentFile {
    /// Reads the TOML text.
    ///
    /// # Errors
    /// [`IntentError`] with the line: bad TOML and unknown keys; ids that stand twice; intents without examples; patterns of entities
    /// that cannot be used.
    pub fn parse(text: &str) -> Result<Self, IntentError> {
        let file: Self = toml::from_str(text).map_err(|e| IntentError::Toml(e.to_string()))?;
        let mut seen = HashSet::new();
        for (at, intent) in file.intent.iter().enumerate() {
            let id = intent.id.clone();
            if id == OFF_TOPIC {
                return Err(IntentError::Reserved { line: line_of(text, at) });
            }
            if !seen.insert(intent.id.as_str()) {
                return Err(IntentError::Twice { id, line: line_of(text, at) });
            }
            if intent.examples.iter().all(|example| example.trim().is_empty()) {
                return Err(IntentError::NoExamples { id, line: line_of(text, at) });
            }
        }
        Entities::new(&file.entities).map_err(|error| {
            let line = text[..error.at].matches('\n').count() + 1;
            IntentError::Entity { line, problem: error.problem }
        })?;
        Ok(file)
    }

    /// The file with sentences that were sorted since, each under the id of its intent or [`OFF_TOPIC`]. Those of intents that are
    /// not in the file, and those that stand there already, are left out.
    pub fn with_examples<'a>(&self, learned: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut file = self.clone();
        for (id, text) in learned {
            let own = file.intent.iter_mut().find(|intent| intent.id == id);
            let examples = match own {
                Some(intent) => &mut intent.examples,
                None if id == OFF_TOPIC => &mut file.oos_examples,
                None => continue,
            };
            if !examples.iter().any(|example| example == text) {
                examples.push(text.to_owned());
            }
        }
        file
    }
}

/// Line, from 1, where the intent with this number, from 0, begins; 1 when the file is written in another form.
fn line_of(text: &str, intent: usize) -> usize {
    let mut heads =
        text.lines().enumerate().filter(|(_, line)| line.trim().starts_with("[[intent]]"));
    heads.nth(intent).map_or(1, |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_files_say_what_and_where() {
        for (text, expect) in [
            (
                "[[intent]]\nid='a'\nlabel='A'\nexamples=[]\n",
                "line 1: the intent `a` has no examples",
            ),
            ("[[intent]]\nid='a'\nlabel='A'\nexamples=[' ']\n", "no examples"),
            ("[[intent]]\nid='a'\nlabel='A'\nexamples=['x']\ncolour='red'\n", "line 5"),
            ("[[intent]]\nid='a'\nlabel='A'\nexamples=['x'\n", "line "),
            (
                "[[intent]]\nid='a'\nlabel='A'\nexamples=['x']\n[[intent]]\nid='a'\nlabel='A'\nexamples=['x']\n",
                "line 5: the intent `a` stands twice",
            ),
            (
                "[[intent]]\nid='off_topic'\nlabel='A'\nexamples=['x']\n",
                "line 1: the id `off_topic` means that a message belongs to no intent",
            ),
        ] {
            let error = IntentFile::parse(text).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        }
    }

    #[test]
    fn sorted_sentences_join_their_intent() {
        let text = "oos_examples=['z']\n[[intent]]\nid='a'\nlabel='A'\nexamples=['x']\n".to_owned();
        let file = IntentFile::parse(&text).unwrap();
        let grown = file.with_examples([("a", "y"), ("a", "x"), (OFF_TOPIC, "w"), ("gone", "v")]);
        assert_eq!(grown.intent[0].examples, ["x", "y"]);
        assert_eq!(grown.oos_examples, ["z", "w"]);
    }
}
