//! Frames that the server sends.

use std::sync::Arc;

use engine::draft::Piece;
use serde::Serialize;

use crate::knowledge::status::Status;
use crate::prompts;

use super::record::{Asked, Citation, Decision, Message, Named, Reading, Suggestion, Summary};

/// A frame in its final form, shared by all who get it.
pub type Text = Arc<str>;

/// What the server sends to widgets and consoles.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Frame {
    /// Answers a visitor's hello.
    Welcome(Box<Welcome>),
    /// A visitor's message is stored.
    Ack {
        /// The widget's own id for it.
        client_msg_id: String,
        /// Its conversation.
        conversation: String,
        /// Its place.
        seq: i64,
        /// Milliseconds since 1970.
        at: i64,
    },
    /// A stored message.
    Message(Box<Message>),
    /// A draft on its way.
    Draft(Box<Draft>),
    /// Who holds the conversation.
    State {
        /// `bot`, `waiting`, `owner` or `closed`.
        state: String,
        /// Rises with every change of holder.
        generation: i64,
        /// Name of the person who holds it.
        author: Option<String>,
    },
    /// Somebody types.
    Typing {
        /// Where; only for consoles.
        #[serde(skip_serializing_if = "Option::is_none")]
        conversation: Option<String>,
        /// `bot`, `owner` or `visitor`.
        from: &'static str,
        /// Whether.
        on: bool,
        /// Milliseconds after which it is over by itself.
        expires_ms: u32,
        /// What a visitor who has seen no text by then is shown meanwhile; only from the bot.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<Preamble>,
    },
    /// Whether a console is open.
    Presence {
        /// Whether.
        owner_online: bool,
    },
    /// How far each side has got.
    Receipts {
        /// Where; only for consoles.
        #[serde(skip_serializing_if = "Option::is_none")]
        conversation: Option<String>,
        /// Newest seq that has reached the visitor's page.
        visitor_delivered: i64,
        /// Newest seq that the visitor has seen.
        visitor_read: i64,
        /// Newest seq that an owner has seen.
        owner_read: i64,
    },
    /// The visitor's place among those who wait for a person.
    Queue {
        /// From 1; `None` when it does not wait.
        place: Option<i64>,
    },
    /// What the visitor is asked after a chat.
    Survey {
        /// The question; `None` when nothing is asked.
        survey: Option<Box<Asked>>,
    },
    /// Answers a ping.
    Pong {},
    /// Something is wrong with what was sent.
    Error {
        /// Code for programs.
        code: &'static str,
        /// Sentence for people.
        message: String,
        /// When to try again.
        retry_after_ms: Option<u64>,
        /// The message it is about.
        client_msg_id: Option<String>,
    },
    /// The server is about to stop.
    GoingAway {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// A line of the owner's list has changed.
    Conversation {
        /// The line.
        conversation: Box<Summary>,
    },
    /// Many lines of the owner's list have changed: it is to be read again.
    List {},
    /// A decision was made.
    Decision {
        /// Where.
        conversation: String,
        /// The decision.
        decision: Box<Decision>,
    },
    /// The documents stand differently: another version answers, a file has become bad or good, a reading has begun.
    Knowledge {
        /// How they stand.
        knowledge: Box<Status>,
    },
    /// A visitor's message was read, or the owner has said what it is about.
    Reading {
        /// Where.
        conversation: String,
        /// The message.
        seq: i64,
        /// What it is about now.
        reading: Option<Reading>,
        /// What the visitor has named so far, the newest first.
        named: Vec<Named>,
    },
    /// The prompts stand differently.
    Prompts {
        /// How they stand.
        prompts: Box<prompts::Status>,
    },
    /// Something happened that the owner wants to be told.
    Notice {
        /// What, as `notify.toml` names it.
        event: String,
        /// Where; empty for nowhere.
        conversation: String,
        /// One line.
        title: String,
        /// Some sentences.
        text: String,
    },
    /// A suggestion came or went.
    Suggestion {
        /// Where.
        conversation: String,
        /// The suggestion.
        suggestion: Option<Box<Suggestion>>,
    },
}

/// A line that fills a long wait; no message of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preamble {
    /// What it says.
    pub text: String,
    /// Milliseconds after which it is shown.
    pub after_ms: u32,
}

/// Fields of `welcome`; those for visitors and for owners stand beside each other, unused ones are left out.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Welcome {
    /// Version of the protocol.
    pub v: u32,
    /// For visitors.
    #[serde(flatten)]
    pub visitor: Option<VisitorWelcome>,
    /// For owners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerName>,
}

/// What a visitor's widget learns first.
#[derive(Debug, Clone, Serialize)]
pub struct VisitorWelcome {
    /// The secret to come back with.
    pub token: String,
    /// The conversation, if it has begun.
    pub conversation: Option<String>,
    /// Lineage of the history.
    pub epoch: String,
    /// Newest seq.
    pub head: i64,
    /// Who holds it.
    pub state: String,
    /// Rises with every change of holder.
    pub generation: i64,
    /// Name of the person who holds it.
    pub author: Option<String>,
    /// The site.
    pub site: SiteName,
    /// Whether a console is open.
    pub owner_online: bool,
    /// Whether the history is another one than the widget's: it starts again from nothing.
    pub restored: bool,
    /// Seqs of those messages of the widget's outbox that are stored.
    pub known: std::collections::BTreeMap<String, i64>,
    /// Newest seq that an owner has seen.
    pub owner_read: i64,
    /// Place among those who wait for a person, from 1.
    pub queue: Option<i64>,
    /// What is asked after the chat.
    pub survey: Option<Asked>,
    /// Whether visitors are asked below an answer if it has solved their matter.
    pub ask_solved: bool,
}

/// What the widget shows of the site.
#[derive(Debug, Clone, Serialize)]
pub struct SiteName {
    /// Title of the widget.
    pub name: String,
    /// First line.
    pub greeting: String,
}

/// The owner who is signed in.
#[derive(Debug, Clone, Serialize)]
pub struct OwnerName {
    /// Name that visitors see.
    pub name: String,
}

/// A draft's next step.
#[derive(Debug, Clone, Serialize)]
pub struct Draft {
    /// Where; only for consoles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// 32 hex digits.
    pub draft_id: String,
    /// Which step.
    pub phase: Phase,
    /// A finished piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece: Option<Piece>,
    /// A token of the next piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Citations that are new or have grown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    /// 0 to 1; only for consoles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
}

/// Steps of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It begins, or begins anew.
    Start,
    /// A token.
    Token,
    /// A piece.
    Piece,
    /// It ends without a message.
    Stop,
}

impl Frame {
    /// The frame as JSON text.
    pub fn text(&self) -> Text {
        let unwritable =
            r#"{"type":"error","code":"internal","message":"A frame could not be written."}"#;
        serde_json::to_string(self).map_or_else(|_| unwritable.into(), Into::into)
    }
}
