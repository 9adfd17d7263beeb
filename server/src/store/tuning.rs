//! What the confidence is fitted to: verdicts, the newest decisions, and the owner's own choice.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const JUDGED: &str = "SELECT suggestions.status, suggestions.text, suggestions.distance, decisions.body AS decision \
    FROM suggestions JOIN decisions ON decisions.conversation = suggestions.conversation \
    AND decisions.for_seq = suggestions.for_seq WHERE suggestions.settled_at IS NOT NULL \
    ORDER BY suggestions.settled_at DESC, suggestions.id LIMIT $1";
const DECISIONS: &str = "SELECT body FROM (SELECT body, at, conversation, for_seq, \
    ROW_NUMBER() OVER (PARTITION BY conversation ORDER BY for_seq DESC) AS place FROM decisions) AS ranked \
    WHERE place <= $1 ORDER BY at DESC, conversation, for_seq LIMIT $2";
const CHOICE: &str = "SELECT value FROM choices WHERE name = $1";
const CHOOSE: &str = "INSERT INTO choices (name, value, at) VALUES ($1, $2, $3) \
    ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at";

/// A suggestion that the owner has judged, with the decision that it came of.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct JudgedDecision {
    /// `accepted`, `edited` or `discarded`.
    pub status: String,
    /// The draft.
    pub text: String,
    /// Characters to insert, delete or replace to get what was sent; `None` when nothing was.
    pub distance: Option<i64>,
    /// JSON as in the protocol.
    pub decision: String,
}

impl Store {
    /// The newest verdicts with the decisions they are about, `limit` at most.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn judged_decisions(&self, limit: i64) -> Result<Vec<JudgedDecision>, StoreError> {
        Ok(sqlx::query_as(JUDGED).bind(limit).fetch_all(&self.readers).await?)
    }

    /// The newest decisions of all conversations, JSON as in the protocol; `of_one` of each and `limit` in all at most.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn newest_decisions(
        &self,
        of_one: i64,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(DECISIONS).bind(of_one).bind(limit).fetch_all(&self.readers).await?)
    }

    /// What the owner has chosen under a name, as JSON.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn choice(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(CHOICE).bind(name).fetch_optional(&self.readers).await?)
    }
}

impl Tx {
    /// Keeps what the owner has chosen, as JSON.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn choose(&mut self, name: &str, value: &str, now: i64) -> Result<(), StoreError> {
        sqlx::query(CHOOSE).bind(name).bind(value).bind(now).execute(self.conn()).await?;
        Ok(())
    }
}
