//! Messages: stored once, in order, never changed.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::conversations::Conversation;
use super::{Store, StoreError, Tx};

const INSERT: &str = "INSERT INTO messages (conversation, seq, speaker, at, text, pieces, citations, draft_id, \
    client_msg_id, author, reply_to, scope, card, \
    written_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const AFTER: &str = "SELECT conversation, seq, speaker, at, text, pieces, citations, draft_id, client_msg_id, author, \
    reply_to, scope, card, written_at FROM messages WHERE conversation = $1 AND seq > $2 ORDER BY seq LIMIT $3";
const SENT: &str = "SELECT conversation, seq, speaker, at, text, pieces, citations, draft_id, client_msg_id, author, \
    reply_to, scope, card, written_at FROM messages WHERE conversation = $1 AND speaker = $2 AND client_msg_id = $3";
const KNOWN: &str = "SELECT seq FROM messages WHERE conversation = $1 AND speaker = 'visitor' AND client_msg_id = $2";
const NEWEST: &str =
    "SELECT COALESCE(MAX(seq), 0) FROM messages WHERE conversation = $1 AND speaker = $2";

const NEWEST_TEXT: &str =
    "SELECT text FROM messages WHERE conversation = $1 AND speaker = $2 ORDER BY seq DESC LIMIT 1";

/// A message as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Message {
    /// Its conversation.
    pub conversation: String,
    /// Its place, dense from 1.
    pub seq: i64,
    /// Word of an [`engine::turn::Speaker`].
    pub speaker: String,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Plain text.
    pub text: String,
    /// JSON list of pieces as in the protocol.
    pub pieces: String,
    /// JSON list of citations as in the protocol.
    pub citations: String,
    /// The draft it was.
    pub draft_id: Option<String>,
    /// The sender's own id for it.
    pub client_msg_id: Option<String>,
    /// Name of the person who wrote it.
    pub author: Option<String>,
    /// The visitor's message it answers.
    pub reply_to: Option<i64>,
    /// Where the visitor wrote it from: JSON of an [`engine::scope::Scope`], empty for nowhere in particular.
    pub scope: String,
    /// What is shown beside the text: JSON of an [`engine::tasks::Card`].
    pub card: Option<String>,
    /// When it was written, where it came by mail and that is not when it was stored: milliseconds since 1970.
    pub written_at: Option<i64>,
}

impl Message {
    /// A message of plain text, not yet placed.
    pub fn plain(speaker: engine::turn::Speaker, text: &str) -> Self {
        Self {
            conversation: String::new(),
            seq: 0,
            speaker: speaker.as_str().into(),
            at: 0,
            text: text.into(),
            pieces: "[]".into(),
            citations: "[]".into(),
            draft_id: None,
            client_msg_id: None,
            author: None,
            reply_to: None,
            scope: String::new(),
            card: None,
            written_at: None,
        }
    }
}

impl Store {
    /// Messages after `seq` in order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn messages(
        &self,
        conversation: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let query = sqlx::query_as(AFTER).bind(conversation).bind(after).bind(limit);
        Ok(query.fetch_all(&self.readers).await?)
    }
}

impl Store {
    /// Seqs of those messages that the visitor has sent under one of these ids.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn known(
        &self,
        conversation: &str,
        ids: &[String],
    ) -> Result<BTreeMap<String, i64>, StoreError> {
        let mut known = BTreeMap::new();
        for id in ids {
            let query = sqlx::query_scalar(KNOWN).bind(conversation).bind(id);
            if let Some(seq) = query.fetch_optional(&self.readers).await? {
                known.insert(id.clone(), seq);
            }
        }
        Ok(known)
    }
}

impl Tx {
    /// Gives a message the next place and stores it; the conversation's head and time move with it, to be written by
    /// [`Tx::update_conversation`].
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn append(
        &mut self,
        conversation: &mut Conversation,
        message: Message,
        now: i64,
    ) -> Result<Message, StoreError> {
        conversation.head += 1;
        // A clock that was set back makes nothing older than it was.
        conversation.updated_at = conversation.updated_at.max(now);
        let message = Message {
            conversation: conversation.id.clone(),
            seq: conversation.head,
            at: now,
            ..message
        };
        sqlx::query(INSERT)
            .bind(&message.conversation)
            .bind(message.seq)
            .bind(&message.speaker)
            .bind(message.at)
            .bind(&message.text)
            .bind(&message.pieces)
            .bind(&message.citations)
            .bind(&message.draft_id)
            .bind(&message.client_msg_id)
            .bind(&message.author)
            .bind(message.reply_to)
            .bind(&message.scope)
            .bind(&message.card)
            .bind(message.written_at)
            .execute(self.conn())
            .await?;
        failpoint!("K4");
        Ok(message)
    }

    /// The message that was stored under the sender's own id.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn sent(
        &mut self,
        conversation: &str,
        speaker: engine::turn::Speaker,
        client_msg_id: &str,
    ) -> Result<Option<Message>, StoreError> {
        let query =
            sqlx::query_as(SENT).bind(conversation).bind(speaker.as_str()).bind(client_msg_id);
        Ok(query.fetch_optional(self.conn()).await?)
    }

    /// Seq of the newest message of a speaker, 0 for none.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn newest(
        &mut self,
        conversation: &str,
        speaker: engine::turn::Speaker,
    ) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar(NEWEST).bind(conversation).bind(speaker.as_str());
        Ok(query.fetch_one(self.conn()).await?)
    }

    /// Text of the newest message of a speaker.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn newest_text(
        &mut self,
        conversation: &str,
        speaker: engine::turn::Speaker,
    ) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_scalar(NEWEST_TEXT).bind(conversation).bind(speaker.as_str());
        Ok(query.fetch_optional(self.conn()).await?)
    }
}
