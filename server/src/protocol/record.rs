//! Records that frames and the console's answers share, and how stored rows become them.

use engine::draft::Piece;
use engine::entities::Kind;
use engine::scope::Scope;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::prompts::Intent;
use crate::store::conversations::Overview;
use crate::store::{messages, suggestions, surveys};

/// A place in the owner's documents, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// Pieces name it by this number, from 1.
    pub number: usize,
    /// Path of the document.
    pub doc: String,
    /// Its title.
    pub title: String,
    /// Headings above the passage.
    pub heading: Vec<String>,
    /// The passage as plain text.
    pub excerpt: String,
    /// The part that supports the piece, in UTF-16 units of `excerpt`.
    pub mark: [usize; 2],
    /// Page that shows the place.
    pub url: String,
}

/// A stored message.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// Its conversation.
    pub conversation: String,
    /// Its place, dense from 1.
    pub seq: i64,
    /// `visitor`, `bot`, `owner` or `system`.
    pub from: String,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Plain text.
    pub text: String,
    /// The text in pieces, for replies with citations.
    pub pieces: Box<RawValue>,
    /// What the pieces cite.
    pub citations: Box<RawValue>,
    /// The draft that it ends.
    pub draft_id: Option<String>,
    /// The sender's own id for it.
    pub client_msg_id: Option<String>,
    /// Name of the person who wrote it.
    pub author: Option<String>,
    /// What is shown beside the text.
    pub card: Option<Box<RawValue>>,
}

impl From<messages::Message> for Message {
    fn from(row: messages::Message) -> Self {
        Self {
            conversation: row.conversation,
            seq: row.seq,
            from: row.speaker,
            at: row.at,
            text: row.text,
            pieces: raw(row.pieces),
            citations: raw(row.citations),
            draft_id: row.draft_id,
            client_msg_id: row.client_msg_id,
            author: row.author,
            card: row.card.map(raw),
        }
    }
}

/// A line of the owner's list.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Id of the conversation.
    pub id: String,
    /// `bot`, `waiting`, `owner` or `closed`.
    pub state: String,
    /// Rises with every change of holder.
    pub generation: i64,
    /// Newest seq.
    pub head: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// Beginning of the newest message.
    pub last_text: String,
    /// Who wrote it.
    pub last_from: String,
    /// Name of the person who holds it.
    pub author: Option<String>,
    /// Whether the visitor's page is open.
    pub visitor_online: bool,
    /// Primary intent.
    pub tag: Option<String>,
    /// Why it waits.
    pub reason: Option<String>,
    /// Visitor's messages that no owner has seen.
    pub unread: i64,
    /// Newest seq that has reached the visitor's page.
    pub visitor_delivered: i64,
    /// Newest seq that the visitor has seen.
    pub visitor_read: i64,
    /// How the visitor has rated the newest case that was rated: score and best score.
    pub rating: Option<[i64; 2]>,
}

/// Characters of the newest message that the list shows.
const PREVIEW: usize = 160;

impl Summary {
    /// The line for a stored conversation.
    pub fn of(overview: Overview, visitor_online: bool) -> Self {
        let row = overview.conversation;
        Self {
            id: row.id,
            state: row.state,
            generation: row.generation,
            head: row.head,
            created_at: row.created_at,
            updated_at: row.updated_at,
            last_text: overview.last_text.chars().take(PREVIEW).collect(),
            last_from: overview.last_from,
            author: row.author,
            visitor_online,
            tag: row.tag,
            reason: row.reason,
            unread: overview.unread,
            visitor_delivered: row.visitor_delivered,
            visitor_read: row.visitor_read,
            rating: overview.csat.zip(overview.csat_scale).map(|(score, scale)| [score, scale]),
        }
    }
}

/// A question to the visitor after a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// 32 hex digits.
    pub id: String,
    /// `csat` or `nps`.
    pub kind: String,
    /// The best score; the worst is 1 for `csat` and 0 for `nps`.
    pub scale: i64,
    /// `stars`, `faces` or `numbers`.
    pub look: String,
    /// The question.
    pub question: String,
    /// What is asked beside it.
    pub comment_question: String,
    /// What was said, and may still be changed.
    pub score: Option<i64>,
    /// Whether it may be answered.
    pub open: bool,
}

impl From<surveys::Survey> for Asked {
    fn from(row: surveys::Survey) -> Self {
        let surveys::Survey { id, kind, scale, look, question, comment_question, score, .. } = row;
        Self { id, kind, scale, look, question, comment_question, score, open: true }
    }
}

/// A draft that waits for the owner.
#[derive(Debug, Clone, Serialize)]
pub struct Suggestion {
    /// 32 hex digits.
    pub id: String,
    /// Plain text.
    pub text: String,
    /// The text in pieces.
    pub pieces: Box<RawValue>,
    /// What they cite.
    pub citations: Box<RawValue>,
    /// 0 to 1.
    pub confidence: f64,
    /// The visitor's message that it answers.
    pub for_seq: i64,
}

impl From<suggestions::Suggestion> for Suggestion {
    fn from(row: suggestions::Suggestion) -> Self {
        Self {
            id: row.id,
            text: row.text,
            pieces: raw(row.pieces),
            citations: raw(row.citations),
            confidence: row.confidence,
            for_seq: row.for_seq,
        }
    }
}

/// What a visitor's message was read as.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// The message.
    pub seq: i64,
    /// Best first: the primary tag and at most two secondary ones; `off_topic` alone when it belongs to no intent. Empty when the
    /// owner has said what it is about before it was read.
    pub tags: Vec<engine::intent::Scored>,
    /// What the owner has put in place of the primary tag.
    pub corrected: Option<Intent>,
}

/// Something that the visitor has named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// What it is.
    pub kind: Kind,
    /// As the visitor wrote it.
    pub text: String,
    /// The same whatever way it is written.
    pub value: String,
    /// The newest message that names it.
    pub seq: i64,
}

/// A decision with all that led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// `send`, `hold` or `hand_off`.
    pub action: String,
    /// Id of the rule.
    pub rule: String,
    /// Short reason.
    pub reason: String,
    /// The reason as a sentence.
    pub why: String,
    /// 0 to 1.
    pub confidence: f32,
    /// Confidence from which a draft for this kind of message is sent, 0 to 1; 0 in records from before it was kept.
    #[serde(default)]
    pub send_at: f32,
    /// Confidence from which it is held for the owner, 0 to 1; likewise.
    #[serde(default)]
    pub hold_at: f32,
    /// What the confidence was computed from, and how annoyed the message sounds.
    pub signals: std::collections::BTreeMap<String, f32>,
    /// What the message was read as.
    pub intents: Vec<engine::intent::Scored>,
    /// The visitor's message.
    pub for_seq: i64,
    /// `quote` or `compose`.
    pub mode: String,
    /// The drafter and the first digits of its hash.
    pub drafter: String,
    /// Version of the knowledge.
    pub knowledge: String,
    /// Times of the stages.
    pub timings_ms: std::collections::BTreeMap<String, i64>,
}

/// A draft on its way, for a console that comes later.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LiveDraft {
    /// 32 hex digits.
    pub draft_id: String,
    /// Finished pieces.
    pub pieces: Vec<Piece>,
    /// Tokens since the last piece.
    pub tail: String,
    /// What the pieces cite.
    pub citations: Vec<Citation>,
    /// 0 to 1.
    pub confidence: f32,
}

/// A visitor's scope as it is stored: JSON, empty for nowhere in particular.
pub fn scope(scope: &Scope) -> String {
    if scope.is_open() { String::new() } else { serde_json::to_string(scope).unwrap_or_default() }
}

/// JSON of values that always have one.
pub fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".into())
}

/// JSON that was stored as it goes over the wire; damaged rows read as empty lists.
pub fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).unwrap_or_default()
}
