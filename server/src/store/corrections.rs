//! Tags that the owner has put right: examples that teach the intents.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const PUT: &str = "INSERT INTO corrections (id, conversation, seq, intent, label, text, at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (conversation, seq) DO UPDATE SET id = excluded.id, \
    intent = excluded.intent, label = excluded.label, text = excluded.text, at = excluded.at";
const TEACHING: &str = "SELECT id, conversation, seq, intent, label, text, at FROM (SELECT id, conversation, seq, intent, label, \
    text, at, ROW_NUMBER() OVER (PARTITION BY intent ORDER BY at DESC, id DESC) AS place FROM corrections) AS ranked \
    WHERE place <= $1 ORDER BY at DESC, id DESC";
const OF: &str = "SELECT id, conversation, seq, intent, label, text, at FROM corrections \
    WHERE conversation = $1 AND seq >= $2 ORDER BY seq";
const BY_ID: &str =
    "SELECT id, conversation, seq, intent, label, text, at FROM corrections WHERE id = $1";
const REMOVE: &str = "DELETE FROM corrections WHERE id = $1";

/// Examples of one intent that are learned from; the newest win.
pub const MAX_PER_INTENT: i64 = 20;

/// A tag that the owner has put right.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Correction {
    /// 32 hex digits.
    pub id: String,
    /// The conversation.
    pub conversation: String,
    /// The visitor's message.
    pub seq: i64,
    /// Id of the intent that it belongs to, or `off_topic`.
    pub intent: String,
    /// Its label at the time.
    pub label: String,
    /// The words that were read.
    pub text: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

impl Store {
    /// Those that teach, the newest first: [`MAX_PER_INTENT`] of each intent.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn corrections(&self) -> Result<Vec<Correction>, StoreError> {
        Ok(sqlx::query_as(TEACHING).bind(MAX_PER_INTENT).fetch_all(&self.readers).await?)
    }

    /// Those of a conversation's messages from `seq` on.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn corrections_of(
        &self,
        conversation: &str,
        seq: i64,
    ) -> Result<Vec<Correction>, StoreError> {
        Ok(sqlx::query_as(OF).bind(conversation).bind(seq).fetch_all(&self.readers).await?)
    }
}

impl Tx {
    /// Stores one in place of an earlier one about the same message.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn correct(&mut self, correction: &Correction) -> Result<(), StoreError> {
        sqlx::query(PUT)
            .bind(&correction.id)
            .bind(&correction.conversation)
            .bind(correction.seq)
            .bind(&correction.intent)
            .bind(&correction.label)
            .bind(&correction.text)
            .bind(correction.at)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Removes one; `None` when there is none with this id.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn forget_correction(&mut self, id: &str) -> Result<Option<Correction>, StoreError> {
        let correction = sqlx::query_as(BY_ID).bind(id).fetch_optional(self.conn()).await?;
        sqlx::query(REMOVE).bind(id).execute(self.conn()).await?;
        Ok(correction)
    }
}
