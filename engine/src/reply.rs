//! The one verb: from a turn to a draft, a confidence and a decision.

use std::ops::ControlFlow;

use crate::confidence::Confidence;
use crate::draft::{Citation, Draft, Mode, Piece};
use crate::intent::{IntentBook, Reading};
use crate::model::Model;
use crate::prompt::Templates;
use crate::rules::{Decision, Policy};
use crate::search::{Hit, Search};
use crate::turn::Turn;

/// All that a reply is made from.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// The owner's documents.
    pub search: &'a dyn Search,
    /// Encoder and drafter.
    pub model: &'a dyn Model,
    /// The owner's intents.
    pub intents: &'a IntentBook,
    /// The owner's policy.
    pub policy: &'a Policy,
    /// The texts around answers.
    pub templates: &'a Templates,
    /// How to draft.
    pub mode: Mode,
}

/// What happens on the way, in this order; `Token` and `Piece` repeat.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The message was read.
    Read(&'a Reading),
    /// Passages were found.
    Found(&'a [Hit]),
    /// Drafting starts.
    Started(Mode),
    /// A token of a sentence that is not checked yet. Owners may see it at once.
    Token(&'a str),
    /// A sentence was checked and may be shown to the visitor.
    Piece {
        /// The sentence with the white space before it.
        piece: &'a Piece,
        /// All citations so far; `piece.cite` counts into it.
        citations: &'a [Citation],
        /// Confidence with this piece.
        confidence: f32,
    },
    /// A sentence that no passage supports; the draft ends here.
    Unsupported(&'a str),
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What becomes of it.
    pub decision: Decision,
    /// The draft, when one was made. With [`crate::rules::Action::Send`] always there.
    pub draft: Option<Draft>,
    /// What the visitor is told when the draft is not sent.
    pub say: Option<String>,
    /// What the message was read as.
    pub reading: Reading,
    /// Confidence in the draft, or in there being an answer.
    pub confidence: Confidence,
    /// Whether the caller stopped it; nothing of a cancelled turn may be sent.
    pub cancelled: bool,
    /// What failed, for the log, when `decision.reason` is [`crate::rules::Reason::Fault`].
    pub fault: Option<String>,
}

/// Makes a reply to `turn`. `on_event` may say `Break` at any event: the draft stops at the next token.
pub fn reply(
    parts: &Parts<'_>,
    turn: &Turn,
    on_event: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Outcome {
    let _ = (parts, turn, on_event);
    unimplemented!()
}
