//! Messages, who wrote them, and the turn that a reply is made for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::scope::Scope;
use crate::tasks::Standing;

/// Names one conversation: 128 random bits, written as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConversationId(pub u128);

/// The text was not 32 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a conversation id is 32 hexadecimal digits")]
pub struct BadId;

impl FromStr for ConversationId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex {
            return Err(BadId);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| BadId)
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConversationId({self})")
    }
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person on the website.
    Visitor,
    /// Porchlight's automatic reply.
    Bot,
    /// A person of the owner's side.
    Owner,
    /// A line about the conversation itself ("Ada joined").
    System,
}

impl Speaker {
    /// The word used in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Bot => "bot",
            Self::Owner => "owner",
            Self::System => "system",
        }
    }
}

impl FromStr for Speaker {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Ok(match word {
            "visitor" => Self::Visitor,
            "bot" => Self::Bot,
            "owner" => Self::Owner,
            "system" => Self::System,
            _ => return Err(()),
        })
    }
}

/// One stored message, as far as a reply needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who wrote it.
    pub speaker: Speaker,
    /// What it says, plain text.
    pub text: String,
}

/// What a reply is made for: the newest visitor message and what came before it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Turn {
    /// The visitor's newest words; several quick messages are joined by newlines.
    pub question: String,
    /// Earlier messages of the conversation, oldest first, without `question`.
    pub history: Vec<Message>,
    /// Automatic replies already sent since a person last held the conversation.
    pub bot_turns: u32,
    /// Where the visitor asks from.
    pub scope: Scope,
    /// What stands beside the words.
    pub standing: Standing,
}

impl Turn {
    /// A first question, asked from nowhere in particular.
    pub fn asking(question: impl Into<String>) -> Self {
        Self { question: question.into(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_reject_all_else() {
        let id = ConversationId(0xabc);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in
            ["", "xyz", "+0000000000000000000000000000abc", "00000000000000000000000000000abcd"]
        {
            assert_eq!(bad.parse::<ConversationId>(), Err(BadId), "{bad:?}");
        }
    }
}
