//! How a draft may be made, and what it is made of.

use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How the drafter may put words together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Only sentences of the found passages, chosen by the models.
    Quote,
    /// Free text, checked sentence by sentence against the passages.
    Compose,
}

impl Mode {
    /// The word used in configuration and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quote => "quote",
            Self::Compose => "compose",
        }
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "quote" => Ok(Self::Quote),
            "compose" => Ok(Self::Compose),
            _ => Err(()),
        }
    }
}

/// Text on its way to become a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// The pieces in order; their texts joined are the message.
    pub pieces: Vec<Piece>,
    /// What the pieces cite; `Piece::cite` counts into this list from 1.
    pub citations: Vec<Citation>,
}

impl Draft {
    /// The whole text.
    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// A sentence of a draft with the white space before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Plain text; line breaks are meant.
    pub text: String,
    /// Number of the citation that supports it, from 1; `None` for the frame around an answer.
    pub cite: Option<usize>,
}

/// A place in the owner's documents that supports a piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Citation {
    /// Path of the document below the knowledge folder.
    pub doc: String,
    /// Title of the document.
    pub title: String,
    /// Headings above the passage, outermost first.
    pub heading: Vec<String>,
    /// Bytes of the document that the passage covers.
    pub passage: Range<usize>,
    /// Bytes of the document that support the pieces.
    pub span: Range<usize>,
}
