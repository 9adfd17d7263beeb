//! Hand-offs, what was promised about the time until a person replies, and what became of it.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const INSERT: &str = "INSERT INTO promises (id, conversation, made_at, minutes, due_at, kept_at, dropped_at) \
    VALUES ($1, $2, $3, $4, $5, NULL, NULL)";
const KEEP: &str = "UPDATE promises SET kept_at = CASE WHEN $2 < made_at THEN made_at ELSE $2 END \
    WHERE conversation = $1 AND kept_at IS NULL AND dropped_at IS NULL";
const END: &str = "UPDATE promises SET dropped_at = $2 \
    WHERE conversation = $1 AND kept_at IS NULL AND dropped_at IS NULL";
const NEWEST: &str = "SELECT made_at, minutes, due_at, kept_at, dropped_at FROM promises WHERE conversation = $1 \
    ORDER BY made_at DESC, id LIMIT 1";
const KEPT: &str =
    "SELECT made_at, kept_at FROM promises WHERE kept_at > $1 ORDER BY kept_at DESC, id LIMIT $2";

/// What was promised at a hand-off. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Promised {
    /// When a person was asked for.
    pub made_at: i64,
    /// The minutes that the visitor was told.
    pub minutes: Option<i64>,
    /// When a reply was promised for; none when nothing was.
    pub due_at: Option<i64>,
    /// When a person's first words were written.
    pub kept_at: Option<i64>,
    /// When it ended without any.
    pub dropped_at: Option<i64>,
}

impl Store {
    /// What was promised in a conversation last.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn promised(&self, conversation: &str) -> Result<Option<Promised>, StoreError> {
        Ok(sqlx::query_as(NEWEST).bind(conversation).fetch_optional(&self.readers).await?)
    }

    /// When a person was asked for and when one replied, of the newest that came after `since`, `limit` at most.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn replied(&self, since: i64, limit: i64) -> Result<Vec<(i64, i64)>, StoreError> {
        Ok(sqlx::query_as(KEPT).bind(since).bind(limit).fetch_all(&self.readers).await?)
    }
}

impl Tx {
    /// What was promised in a conversation last, as it is inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn promised(&mut self, conversation: &str) -> Result<Option<Promised>, StoreError> {
        Ok(sqlx::query_as(NEWEST).bind(conversation).fetch_optional(self.conn()).await?)
    }

    /// Notes that a person is asked for, and what was promised.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn promise(
        &mut self,
        (id, conversation): (&str, &str),
        made_at: i64,
        (minutes, due_at): (Option<i64>, Option<i64>),
    ) -> Result<(), StoreError> {
        sqlx::query(INSERT)
            .bind(id)
            .bind(conversation)
            .bind(made_at)
            .bind(minutes)
            .bind(due_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Notes that a person has replied at `at`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn keep_promises(&mut self, conversation: &str, at: i64) -> Result<(), StoreError> {
        sqlx::query(KEEP).bind(conversation).bind(at).execute(self.conn()).await?;
        Ok(())
    }

    /// Notes that nobody is waited for any more.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn end_promises(&mut self, conversation: &str, at: i64) -> Result<(), StoreError> {
        sqlx::query(END).bind(conversation).bind(at).execute(self.conn()).await?;
        Ok(())
    }
}
