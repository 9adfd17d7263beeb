//! How the owner wants replies to be worded, and what no draft may say to a visitor: `[style]` and `[[guardrail]]` of `policy.toml`.

use serde::{Deserialize, Serialize};

use crate::phrase::Phrase;
use crate::rules::{Action, stands_in};
use crate::text;

/// Sentences of a reply that a style may ask for, at most.
pub const MAX_SENTENCES: usize = 20;

/// Characters of a greeting or a closing at most.
const MAX_FRAME: usize = 500;

/// How replies are worded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Style {
    /// Sentences of a reply at most, greeting and closing aside, 1 to [`MAX_SENTENCES`]; no limit unless set. The steps of one list
    /// count as one and stay together.
    pub sentences: Option<usize>,
    /// Stands before the first answer of a conversation.
    pub greeting: String,
    /// Stands after every answer.
    pub closing: String,
    /// Added to the instructions of a drafter that writes freely.
    pub instructions: String,
}

impl Style {
    /// The instructions of the drafter with the owner's own behind them.
    pub fn system(&self, system: &str) -> String {
        let own = self.instructions.trim();
        if own.is_empty() { system.to_owned() } else { format!("{}\n{own}", system.trim_end()) }
    }

    /// Sentences that a reply may still have after so many.
    pub(crate) fn left_after(&self, sentences: usize) -> usize {
        self.sentences.map_or(usize::MAX, |most| most.saturating_sub(sentences))
    }

    /// What is wrong with the figures.
    pub(crate) fn problem(&self) -> Option<String> {
        if let Some(most) = self.sentences.filter(|most| !(1..=MAX_SENTENCES).contains(most)) {
            return Some(format!(
                "sentences is {most}; it has to lie between 1 and {MAX_SENTENCES}; leave it out for no limit"
            ));
        }
        let long = |text: &str| text.chars().count() > MAX_FRAME;
        (long(&self.greeting) || long(&self.closing))
            .then(|| format!("has a greeting or closing of more than {MAX_FRAME} characters"))
    }
}

/// What a sentence of a draft must not say to a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guardrail {
    /// Name that records show: `no-delivery-dates`.
    pub id: String,
    /// What happens to the draft.
    pub action: GuardAction,
    /// Words or phrases in one sentence of the draft. Any one suffices.
    pub words: Vec<Phrase>,
    /// Phrases that take a match away.
    #[serde(default)]
    pub unless: Vec<Phrase>,
}

/// What becomes of a draft that says what it must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardAction {
    /// The owner gets it, sentence and all; the visitor does not.
    Hold,
    /// It ends before the sentence, and a person is asked for.
    HandOff,
}

impl From<GuardAction> for Action {
    fn from(action: GuardAction) -> Self {
        match action {
            GuardAction::Hold => Self::Hold,
            GuardAction::HandOff => Self::HandOff,
        }
    }
}

impl Guardrail {
    /// Whether the text says it.
    pub fn stops(&self, text: &str) -> bool {
        text::sentences(text).iter().any(|words| stands_in(words, &self.words, &self.unless))
    }

    /// What is wrong with it, beside those before it.
    pub(crate) fn problem(&self, before: &[Self]) -> Option<String> {
        if before.iter().any(|other| other.id == self.id) {
            return Some("has the id of another guardrail; give each its own".into());
        }
        if self.id.trim().is_empty() {
            return Some("has no id; name it for the records".into());
        }
        self.words.is_empty().then(|| "names no words, so it can never match".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guardrail_stops_what_it_names() {
        let guardrail: Guardrail = toml::from_str(
            "id = 'dates'\naction = 'hold'\nwords = ['deliver*|arrive* .. by|within|tomorrow']\nunless = ['arrives by mail']",
        )
        .unwrap();
        for (text, expect) in [
            ("It will be delivered within two days.", true),
            ("We deliver. It is here by Monday.", false),
            ("The code arrives by mail.", false),
            ("", false),
        ] {
            assert_eq!(guardrail.stops(text), expect, "{text}");
        }
    }

    #[test]
    fn instructions_stand_behind_the_drafters_own() {
        let style = Style { instructions: " Be brief.\n".into(), ..Style::default() };
        assert_eq!(style.system("You answer.\n"), "You answer.\nBe brief.");
        assert_eq!(Style::default().system("You answer.\n"), "You answer.\n");
        assert_eq!(Style::default().left_after(9), usize::MAX);
        let short = Style { sentences: Some(2), ..Style::default() };
        assert_eq!((short.left_after(1), short.left_after(3)), (1, 0));
    }
}
