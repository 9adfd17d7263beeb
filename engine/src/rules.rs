//! The owner's policy: what is decided before a word is drafted, and what becomes of a finished draft.

use serde::{Deserialize, Serialize};

use crate::confidence::Confidence;
use crate::intent::Reading;
use crate::text;
use crate::turn::Turn;

/// `prompts/policy.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Confidence from which a draft is sent, 0 to 1.
    pub send_at: f32,
    /// Confidence from which a draft is held for the owner; below it the bot hands off. 0 to `send_at`.
    pub hold_at: f32,
    /// Cosine that the best passage, or the nearest of its heading and sentences, needs before anything is drafted, 0 to 1.
    pub passage_floor: f32,
    /// Automatic replies in a row before a person is asked for.
    pub turn_cap: u32,
    /// Rules tried in order before drafting; the first that matches decides.
    #[serde(default)]
    pub rule: Vec<Rule>,
}

/// A rule of the owner: matches words or an intent of the newest message.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Name that records show: `money-words`.
    pub id: String,
    /// What happens.
    pub action: RuleAction,
    /// Why, in the field's words.
    pub reason: Reason,
    /// Words or phrases; `refund*` matches every word that starts so. Any one suffices.
    #[serde(default)]
    pub words: Vec<String>,
    /// Ids of intents. Any one suffices when it is the primary tag with at least `score`.
    #[serde(default)]
    pub intents: Vec<String>,
    /// Score that a matching intent needs, 0 to 1.
    #[serde(default = "half")]
    pub score: f32,
    /// The message may have at most this many words for the rule to match; 0 is no limit.
    #[serde(default)]
    pub at_most_words: usize,
    /// Id of the text in `prompts/templates.toml` that the visitor is told; empty takes the action's own.
    #[serde(default)]
    pub say: String,
}

fn half() -> f32 {
    0.5
}

/// What a rule may do before drafting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// A person is asked for, nothing is drafted.
    HandOff,
    /// A draft is made for the owner, the visitor does not get it.
    Hold,
    /// The visitor gets the text named by `say`, nothing is drafted.
    Say,
}

/// What becomes of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The visitor gets the draft.
    Send,
    /// The owner gets the draft as a suggestion, the visitor waits.
    Hold,
    /// A person is asked for.
    HandOff,
}

impl Action {
    /// The word used in records and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Hold => "hold",
            Self::HandOff => "hand_off",
        }
    }
}

/// Why it was decided so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The draft is supported and its confidence is high enough.
    Confident,
    /// Greeting, thanks or good-bye.
    SmallTalk,
    /// The visitor asked for a person.
    AskedForPerson,
    /// A legal, medical or otherwise regulated topic.
    RegulatedTopic,
    /// Words about the visitor's money.
    MoneyWords,
    /// The visitor is annoyed.
    Frustration,
    /// The bot has answered often enough.
    TurnCap,
    /// Not about the owner's business.
    OffTopic,
    /// No passage answers.
    NoPassage,
    /// The passages answer, but not surely enough.
    LowConfidence,
    /// A sentence of the draft is not in the passages.
    Unsupported,
    /// The message cannot be read (no words, or not in a language of the knowledge).
    Unreadable,
    /// A model or the index failed.
    Fault,
}

impl Reason {
    /// The word used in records and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confident => "confident",
            Self::SmallTalk => "small_talk",
            Self::AskedForPerson => "asked_for_person",
            Self::RegulatedTopic => "regulated_topic",
            Self::MoneyWords => "money_words",
            Self::Frustration => "frustration",
            Self::TurnCap => "turn_cap",
            Self::OffTopic => "off_topic",
            Self::NoPassage => "no_passage",
            Self::LowConfidence => "low_confidence",
            Self::Unsupported => "unsupported",
            Self::Unreadable => "unreadable",
            Self::Fault => "fault",
        }
    }

    /// A sentence for the owner.
    pub fn why(self) -> &'static str {
        match self {
            Self::Confident => "The documents answer this, and every sentence is supported.",
            Self::SmallTalk => "A greeting, thanks or good-bye; nothing to look up.",
            Self::AskedForPerson => "The visitor asked for a person.",
            Self::RegulatedTopic => "The topic is one that a person has to answer.",
            Self::MoneyWords => {
                "The message is about the visitor's money, so a person decides what is sent."
            }
            Self::Frustration => "The visitor sounds annoyed.",
            Self::TurnCap => "The bot has answered as often in a row as the policy allows.",
            Self::OffTopic => "The question does not seem to be about this business.",
            Self::NoPassage => "Nothing in the documents answers this.",
            Self::LowConfidence => "The documents may answer this, but not surely enough.",
            Self::Unsupported => "A sentence of the draft is not supported by the documents.",
            Self::Unreadable => "The message holds no words that can be looked up.",
            Self::Fault => "A model or the index failed; the log says more.",
        }
    }
}

/// A decision with the rule that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What happens.
    pub action: Action,
    /// Id of the rule: the owner's, or one of the engine's own (`confident`, `unsure`, `low-confidence`, …).
    pub rule: String,
    /// Why.
    pub reason: Reason,
}

/// Why a policy cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, or a key is unknown.
    #[error("{0}")]
    Toml(String),
    /// A threshold is out of its range.
    #[error("`{key}` is {value}; it has to lie between {low} and {high}")]
    Range {
        /// The key.
        key: &'static str,
        /// What it is.
        value: f32,
        /// Lower bound.
        low: f32,
        /// Upper bound.
        high: f32,
    },
    /// A rule that can never match or says nothing.
    #[error("the rule `{id}` {problem}")]
    Rule {
        /// Its id.
        id: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Policy {
    /// Reads the TOML text.
    ///
    /// # Errors
    /// [`PolicyError`] with line and column for bad TOML and unknown keys; thresholds out of range; rules that cannot match.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text).map_err(|e| PolicyError::Toml(e.to_string()))?;
        for (key, value, high) in [
            ("send_at", policy.send_at, 1.0),
            ("hold_at", policy.hold_at, policy.send_at),
            ("passage_floor", policy.passage_floor, 1.0),
        ] {
            if !(0.0..=high).contains(&value) {
                return Err(PolicyError::Range { key, value, low: 0.0, high });
            }
        }
        for rule in &policy.rule {
            let problem = if rule.words.is_empty() && rule.intents.is_empty() {
                "names neither words nor intents, so it can never match"
            } else if rule.action == RuleAction::Say && rule.say.is_empty() {
                "has the action `say` but no text under `say`"
            } else {
                continue;
            };
            return Err(PolicyError::Rule { id: rule.id.clone(), problem });
        }
        Ok(policy)
    }

    /// The first rule that matches the turn before drafting.
    pub fn before(&self, turn: &Turn, reading: &Reading) -> Option<&Rule> {
        let words = text::words(&turn.question);
        self.rule.iter().find(|rule| rule.matches(&words, reading))
    }

    /// What becomes of a finished, fully supported draft.
    pub fn after(&self, confidence: &Confidence) -> Decision {
        let (action, rule, reason) = if confidence.value >= self.send_at {
            (Action::Send, "confident", Reason::Confident)
        } else if confidence.value >= self.hold_at {
            (Action::Hold, "unsure", Reason::LowConfidence)
        } else {
            (Action::HandOff, "low-confidence", Reason::LowConfidence)
        };
        Decision { action, rule: rule.into(), reason }
    }
}

impl Rule {
    fn matches(&self, words: &[String], reading: &Reading) -> bool {
        if self.at_most_words > 0 && words.len() > self.at_most_words {
            return false;
        }
        let by_intent = reading
            .primary()
            .is_some_and(|tag| tag.score >= self.score && self.intents.contains(&tag.id));
        by_intent || self.words.iter().any(|phrase| text::contains_phrase(words, phrase))
    }
}
