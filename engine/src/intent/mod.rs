//! What a visitor wants: intents learned from the owner's examples, one primary tag and at most two secondary.

mod file;
mod head;
mod letters;
mod matrix;

use serde::{Deserialize, Serialize};

use crate::model::{Model, ModelError};
use crate::spelling::{self, Vocabulary};
use head::{Head, Labelled};
use letters::Letters;

pub use file::{IntentError, IntentFile, IntentSource, OFF_TOPIC};
pub(crate) use matrix::dot;

/// Weight of the letters beside the meaning in how alike two texts are. 0.3 to 0.6 differ by less than a point; without
/// letters hint3 loses 3 points and slips of the pen cost 2 more on banking77.
const LETTERS: f32 = 0.5;
/// What people read for [`OFF_TOPIC`].
pub const OFF_TOPIC_LABEL: &str = "Off topic";
/// A secondary tag needs this share of the primary's score.
const SECONDARY_SHARE: f32 = 0.6;

/// The owner's intents, learned from their examples.
#[derive(Debug, Clone)]
pub struct IntentBook {
    intents: Vec<(String, String)>,
    /// Number of the intent of each example; those that belong to none come last, with a number of their own.
    classes: Vec<usize>,
    /// Unit-length vectors of the examples.
    vectors: Vec<Vec<f32>>,
    letters: Letters,
    /// The words of the examples.
    vocabulary: Vocabulary,
    head: Head,
}

/// An intent with its share of the belief.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Id of the intent.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Probability among all intents and "none of them", calibrated on the owner's examples, 0 to 1.
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

    /// Puts an intent first that is known in another way; two others stay behind it.
    pub fn lead_with(&mut self, id: &str, label: &str) {
        self.tags.retain(|tag| tag.id != id);
        self.tags.truncate(2);
        self.tags.insert(0, Scored { id: id.into(), label: label.into(), score: 1.0 });
    }

    /// The tags as people see them: a message that belongs to no intent has the one tag [`OFF_TOPIC`]. Empty when nothing was read.
    pub fn shown(&self) -> Vec<Scored> {
        if self.tags.is_empty() && self.out_of_scope > 0.0 {
            let (id, label) = (OFF_TOPIC.to_owned(), OFF_TOPIC_LABEL.to_owned());
            return vec![Scored { id, label, score: self.out_of_scope }];
        }
        self.tags.clone()
    }
}

impl IntentBook {
    /// Embeds the examples and learns from them. The same file and encoder give the same book.
    ///
    /// # Errors
    /// [`IntentError::Model`] when the encoder fails.
    pub fn learn(file: &IntentFile, model: &dyn Model) -> Result<Self, IntentError> {
        Ok(Self::learn_by::<ModelError>(file, |texts| model.embed(texts))?)
    }

    /// Learns from the examples and the unit-length vectors that `embed` gives for them, one each.
    ///
    /// # Errors
    /// Those of `embed`.
    pub fn learn_by<E>(
        file: &IntentFile,
        embed: impl FnOnce(&[&str]) -> Result<Vec<Vec<f32>>, E>,
    ) -> Result<Self, E> {
        let mut texts: Vec<&str> = Vec::new();
        let mut classes = Vec::new();
        let of_intents = file.intent.iter().map(|intent| &intent.examples);
        for (class, examples) in of_intents.chain([&file.oos_examples]).enumerate() {
            let told = examples.iter().map(String::as_str).filter(|text| !text.trim().is_empty());
            texts.extend(told);
            classes.resize(texts.len(), class);
        }
        let vectors = embed(&texts)?;
        let intents = file.intent.iter().map(|intent| (intent.id.clone(), intent.label.clone()));
        let mut book = Self {
            intents: intents.collect(),
            classes,
            letters: Letters::new(&texts),
            vocabulary: Vocabulary::of(texts.iter().copied()),
            vectors,
            head: Head::default(),
        };
        book.head = Head::learn(book.labels(), |at| book.similar(texts[at], &book.vectors[at]));
        Ok(book)
    }

    /// The message with slips of the pen replaced, by words of the documents first (`spelled` there), then of the examples;
    /// `None` when there are none. Words that the encoder knows are none.
    pub fn mended(
        &self,
        text: &str,
        model: &dyn Model,
        spelled: &dyn Fn(&str) -> Option<String>,
    ) -> Option<String> {
        let meant = |word: &str| spelled(word).or_else(|| self.vocabulary.spelled(word));
        spelling::mended(text, &|word| model.knows_word(word), &meant)
    }

    /// Id and label of each intent, in the order of the file.
    pub fn intents(&self) -> &[(String, String)] {
        &self.intents
    }

    /// Reads a message by its words and their unit-length vector.
    pub fn read(&self, text: &str, embedding: &[f32]) -> Reading {
        if self.intents.is_empty() {
            return Reading { out_of_scope: 1.0, nearest: -1.0, ..Reading::default() };
        }
        let shares = self.head.read(self.labels(), &self.similar(text, embedding));
        let out_of_scope: f32 = shares[self.intents.len()..].iter().sum();
        let mut scored: Vec<Scored> = self
            .intents
            .iter()
            .zip(&shares)
            .map(|((id, label), score)| Scored {
                id: id.clone(),
                label: label.clone(),
                score: *score,
            })
            .collect();
        scored.sort_by(|a, b| b.score.total_cmp(&a.score));
        let own = self.vectors.iter().zip(&self.classes);
        let cosines = own.filter(|(_, class)| **class < self.intents.len());
        let nearest = cosines.map(|(vector, _)| dot(embedding, vector)).fold(-1.0, f32::max);
        Reading { tags: tags(scored, out_of_scope), out_of_scope, nearest }
    }

    fn labels(&self) -> Labelled<'_> {
        let own = self.intents.len();
        let classes = self.classes.last().map_or(0, |last| last + 1).max(own);
        Labelled { of: &self.classes, classes, own }
    }

    /// How alike a message is to each example, by meaning and by letters, -1 to 1.
    fn similar(&self, text: &str, embedding: &[f32]) -> Vec<f32> {
        let by_letters = self.letters.cosines(text);
        let both = self.vectors.iter().zip(by_letters);
        both.map(|(v, letters)| (dot(embedding, v) + LETTERS * letters) / (1.0 + LETTERS)).collect()
    }
}

/// Keeps the primary tag and at most two that come close to it; none when "no intent" is likelier than all together.
fn tags(scored: Vec<Scored>, out_of_scope: f32) -> Vec<Scored> {
    let Some(best) = scored.first().map(|s| s.score).filter(|_| out_of_scope <= 0.5) else {
        return Vec::new();
    };
    scored.into_iter().take(3).filter(|s| s.score >= best * SECONDARY_SHARE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ScriptedModel;

    fn book() -> IntentBook {
        let text = r#"
            oos_examples = ["weather tomorrow", "recipe for pancakes", "football last night"]
            [[intent]]
            id = "pricing"
            label = "Pricing"
            examples = ["how much does it cost", "what does it cost", "price per month", "cost per month"]
            [[intent]]
            id = "refund"
            label = "Refund"
            examples = ["I want my money back", "refund my payment", "give my money back", "refund please"]
        "#;
        IntentBook::learn(&IntentFile::parse(text).unwrap(), &ScriptedModel::default()).unwrap()
    }

    fn read(book: &IntentBook, text: &str) -> Reading {
        book.read(text, &ScriptedModel::default().embed(&[text]).unwrap()[0])
    }

    #[test]
    fn reads_the_intent_or_none() {
        let book = book();
        for (text, expect) in [
            ("how much does it cost per month", Some("pricing")),
            ("refund my money please", Some("refund")),
            ("recipe for tomorrow", None),
            ("football", None),
        ] {
            let reading = read(&book, text);
            assert_eq!(reading.primary().map(|tag| tag.id.as_str()), expect, "{text}: {reading:?}");
            let shown = reading.shown();
            assert!((1..=3).contains(&shown.len()), "{text}: {shown:?}");
            assert_eq!(shown[0].id, expect.unwrap_or(OFF_TOPIC), "{text}: {shown:?}");
        }
        assert_eq!(Reading::default().shown(), [], "nothing was read");
    }

    #[test]
    fn the_same_file_reads_the_same() {
        let (one, two) = (book(), book());
        for text in ["how much", "money", "tomorrow", ""] {
            assert_eq!(read(&one, text), read(&two, text));
        }
    }

    #[test]
    fn scores_add_up_to_one_at_most() {
        let reading = read(&book(), "how much money back");
        let sum: f32 = reading.tags.iter().map(|t| t.score).sum::<f32>() + reading.out_of_scope;
        assert!(sum < 1.0 + 1e-3, "{sum}");
    }

    #[test]
    fn without_intents_nothing_is_read() {
        let file =
            IntentFile { intent: vec![], oos_examples: vec!["a".into()], ..IntentFile::default() };
        let book = IntentBook::learn(&file, &ScriptedModel::default()).unwrap();
        assert_eq!(read(&book, "a").tags, []);
    }
}
