//! What a visitor wants: intents learned from the owner's examples, one primary tag and at most two secondary.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::model::{Model, ModelError};

/// Softmax temperature over cosines: at 0.05 a lead of 0.1 in cosine is a factor of 7 in score.
const TEMPERATURE: f32 = 0.05;
/// Weight of the nearest example against the mean of the three nearest.
const NEAREST_SHARE: f32 = 0.5;
/// A secondary tag needs this share of the primary's score.
const SECONDARY_SHARE: f32 = 0.6;
/// Below this cosine to every example the message belongs to no intent.
const OWN_FLOOR: f32 = 0.35;

/// The owner's intents as written in `prompts/intents.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntentFile {
    /// The intents, each with a handful of examples.
    pub intent: Vec<IntentSource>,
    /// Sentences that belong to none of them.
    #[serde(default)]
    pub oos_examples: Vec<String>,
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
    /// Not TOML, or a key is unknown.
    #[error("{0}")]
    Toml(String),
    /// Two intents share an id.
    #[error("the intent `{0}` stands twice; give each its own id")]
    Twice(String),
    /// An intent has no example.
    #[error("the intent `{0}` has no examples; give it at least one sentence")]
    NoExamples(String),
    /// The encoder failed on the examples.
    #[error("the intent examples could not be read by the encoder: {0}")]
    Model(#[from] ModelError),
}

impl IntentFile {
    /// Reads the TOML text.
    ///
    /// # Errors
    /// [`IntentError`] with line and column for bad TOML and unknown keys; ids that stand twice; intents without examples.
    pub fn parse(text: &str) -> Result<Self, IntentError> {
        let file: Self = toml::from_str(text).map_err(|e| IntentError::Toml(e.to_string()))?;
        let mut seen = HashSet::new();
        for intent in &file.intent {
            if !seen.insert(intent.id.as_str()) {
                return Err(IntentError::Twice(intent.id.clone()));
            }
            if intent.examples.is_empty() {
                return Err(IntentError::NoExamples(intent.id.clone()));
            }
        }
        Ok(file)
    }
}

/// The owner's intents with the vectors of their examples.
#[derive(Debug, Clone)]
pub struct IntentBook {
    entries: Vec<Entry>,
    outside: Vec<Vec<f32>>,
}

#[derive(Debug, Clone)]
struct Entry {
    id: String,
    label: String,
    examples: Vec<Vec<f32>>,
}

/// An intent with its share of the belief.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Id of the intent.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Softmax score over all intents and "none of them", 0 to 1.
    pub score: f32,
}

/// What a message was read as.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Best first: the primary tag and at most two secondary ones. Empty when out of scope.
    pub tags: Vec<Scored>,
    /// Score of "none of the owner's intents", 0 to 1.
    pub out_of_scope: f32,
    /// Cosine of the nearest example of any intent, -1 to 1.
    pub nearest: f32,
}

impl Reading {
    /// The primary tag.
    pub fn primary(&self) -> Option<&Scored> {
        self.tags.first()
    }
}

impl IntentBook {
    /// Embeds the examples.
    ///
    /// # Errors
    /// [`IntentError::Model`] when the encoder fails.
    pub fn learn(file: &IntentFile, model: &dyn Model) -> Result<Self, IntentError> {
        let mut entries = Vec::with_capacity(file.intent.len());
        for source in &file.intent {
            entries.push(Entry {
                id: source.id.clone(),
                label: source.label.clone(),
                examples: model.embed(&refs(&source.examples))?,
            });
        }
        Ok(Self { entries, outside: model.embed(&refs(&file.oos_examples))? })
    }

    /// Reads a message by its unit-length vector.
    pub fn read(&self, embedding: &[f32]) -> Reading {
        let close: Vec<f32> =
            self.entries.iter().map(|entry| closeness(embedding, &entry.examples)).collect();
        let nearest = close.iter().copied().fold(-1.0, f32::max);
        let outside = closeness(embedding, &self.outside).max(OWN_FLOOR);
        let top = nearest.max(outside);
        let weight = |cosine: f32| ((cosine - top) / TEMPERATURE).exp();
        let total: f32 = close.iter().map(|c| weight(*c)).sum::<f32>() + weight(outside);
        let mut scored: Vec<Scored> = self
            .entries
            .iter()
            .zip(&close)
            .map(|(entry, cosine)| Scored {
                id: entry.id.clone(),
                label: entry.label.clone(),
                score: weight(*cosine) / total,
            })
            .collect();
        scored.sort_by(|a, b| b.score.total_cmp(&a.score));
        let out_of_scope = weight(outside) / total;
        Reading { tags: tags(scored, out_of_scope), out_of_scope, nearest }
    }
}

/// Keeps the primary tag and at most two that come close to it; none when "no intent" is likelier.
fn tags(scored: Vec<Scored>, out_of_scope: f32) -> Vec<Scored> {
    let Some(best) = scored.first().map(|s| s.score).filter(|best| *best > out_of_scope) else {
        return Vec::new();
    };
    scored.into_iter().take(3).filter(|s| s.score >= best * SECONDARY_SHARE).collect()
}

/// Cosine to a class: half the nearest example, half the mean of its three nearest.
fn closeness(embedding: &[f32], examples: &[Vec<f32>]) -> f32 {
    let mut cosines: Vec<f32> = examples.iter().map(|e| dot(embedding, e)).collect();
    cosines.sort_by(|a, b| b.total_cmp(a));
    cosines.truncate(3);
    let Some(nearest) = cosines.first() else { return -1.0 };
    let mean = cosines.iter().sum::<f32>() / cosines.len() as f32;
    NEAREST_SHARE * nearest + (1.0 - NEAREST_SHARE) * mean
}

/// Dot product; the cosine when both vectors have unit length.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn refs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> IntentBook {
        let entry = |id: &str, examples: Vec<Vec<f32>>| Entry {
            id: id.into(),
            label: id.to_uppercase(),
            examples,
        };
        IntentBook {
            entries: vec![
                entry("pricing", vec![vec![1.0, 0.0, 0.0], vec![0.98, 0.199, 0.0]]),
                entry("refund", vec![vec![0.0, 1.0, 0.0]]),
            ],
            outside: vec![vec![0.0, 0.0, 1.0]],
        }
    }

    #[test]
    fn reads_the_nearest_intent_or_none() {
        for (vector, expect) in [
            ([1.0, 0.0, 0.0], vec!["pricing"]),
            ([0.0, 1.0, 0.0], vec!["refund"]),
            ([0.0, 0.0, 1.0], vec![]),
            ([0.1, 0.1, 0.2], vec![]),
        ] {
            let reading = book().read(&vector);
            let ids: Vec<&str> = reading.tags.iter().map(|t| t.id.as_str()).collect();
            assert_eq!(ids, expect, "{vector:?} {reading:?}");
        }
    }

    #[test]
    fn scores_add_up_to_one() {
        let reading = book().read(&[0.66, 0.75, 0.1]);
        let sum: f32 = reading.tags.iter().map(|t| t.score).sum::<f32>() + reading.out_of_scope;
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    }

    #[test]
    fn bad_files_say_what_and_where() {
        for (text, expect) in [
            ("[[intent]]\nid='a'\nlabel='A'\nexamples=[]\n", "no examples"),
            ("[[intent]]\nid='a'\nlabel='A'\nexamples=['x']\ncolour='red'\n", "line 5"),
            (
                "[[intent]]\nid='a'\nlabel='A'\nexamples=['x']\n[[intent]]\nid='a'\nlabel='A'\nexamples=['x']\n",
                "stands twice",
            ),
        ] {
            let error = IntentFile::parse(text).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        }
    }
}
