//! What is to be done later: one row for each kind and subject, gone in the transaction that does it.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const MOVE: &str = "UPDATE due SET due_at = $3, body = $4, tries = 0, try_at = 0, parked = 0, error = NULL \
    WHERE kind = $1 AND subject = $2";
const PLAN: &str = "INSERT INTO due (kind, subject, due_at, body, tries, try_at, parked, error) \
    SELECT $1, $2, $3, $4, 0, 0, 0, NULL WHERE (SELECT COUNT(*) FROM due) < $5";
const MOVE_FROM: &str = "UPDATE due SET due_at = $4, body = $5, tries = 0, try_at = 0, parked = 0, error = NULL \
    WHERE kind = $1 AND subject = $2 AND due_at = $3";
const DROP: &str = "DELETE FROM due WHERE kind = $1 AND subject = $2";
const TAKE: &str =
    "DELETE FROM due WHERE kind = $1 AND subject = $2 AND due_at = $3 AND parked = 0";
const FAIL: &str = "UPDATE due SET tries = $4, try_at = $5, parked = $6, error = $7 \
    WHERE kind = $1 AND subject = $2 AND due_at = $3";
// What waits for longer than any pause was put off before the clock was set back.
const NOW: &str = "SELECT kind, subject, due_at, body, tries FROM due WHERE parked = 0 AND due_at <= $1 \
    AND (try_at <= $1 OR try_at > $2) ORDER BY due_at, kind, subject LIMIT $3";
const ONE: &str =
    "SELECT kind, subject, due_at, body, tries FROM due WHERE kind = $1 AND subject = $2";
const PARKED: &str = "SELECT COUNT(*) FROM due WHERE parked = 1";

/// Rows at most; what comes beyond them is not planned.
pub const MAX: i64 = 100_000;

/// Something that is to be done later.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Due {
    /// What is done.
    pub kind: String,
    /// What it is about, for most kinds the id of a conversation.
    pub subject: String,
    /// When, in milliseconds since 1970.
    pub due_at: i64,
    /// JSON that the kind understands.
    pub body: String,
}

/// Something that is due, with how often it was tried in vain.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Item {
    /// What is to be done.
    #[sqlx(flatten)]
    pub due: Due,
    /// Tries so far.
    pub tries: i64,
}

/// What comes of a try in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Tries so far.
    pub tries: i64,
    /// When it may be tried again; `None` when it is tried no more.
    pub try_at: Option<i64>,
    /// What was wrong.
    pub error: String,
}

impl Store {
    /// What is due at `now` and may be tried, `limit` at most. No pause between two tries is longer than `pause_ms`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn due(
        &self,
        (now, pause_ms): (i64, i64),
        limit: i64,
    ) -> Result<Vec<Item>, StoreError> {
        let query = sqlx::query_as(NOW).bind(now).bind(now.saturating_add(pause_ms)).bind(limit);
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// What is planned of a kind for a subject.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn planned(&self, kind: &str, subject: &str) -> Result<Option<Item>, StoreError> {
        Ok(sqlx::query_as(ONE).bind(kind).bind(subject).fetch_optional(&self.readers).await?)
    }

    /// Number of rows that were tried in vain too often.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn due_parked(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(PARKED).fetch_one(&self.readers).await?)
    }
}

impl Tx {
    /// Plans it, or moves what is planned of its kind for its subject; false when there are [`MAX`] rows already.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn plan_due(&mut self, due: &Due) -> Result<bool, StoreError> {
        let moved = sqlx::query(MOVE)
            .bind(&due.kind)
            .bind(&due.subject)
            .bind(due.due_at)
            .bind(&due.body)
            .execute(self.conn())
            .await?;
        if moved.rows_affected() > 0 {
            return Ok(true);
        }
        let planned = sqlx::query(PLAN)
            .bind(&due.kind)
            .bind(&due.subject)
            .bind(due.due_at)
            .bind(&due.body)
            .bind(MAX)
            .execute(self.conn())
            .await?;
        Ok(planned.rows_affected() > 0)
    }

    /// Moves what is planned as `before` to another moment, also when it was tried in vain too often; false when it is planned
    /// otherwise by now.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn move_due(&mut self, before: &Due, after: &Due) -> Result<bool, StoreError> {
        let moved = sqlx::query(MOVE_FROM)
            .bind(&before.kind)
            .bind(&before.subject)
            .bind(before.due_at)
            .bind(after.due_at)
            .bind(&after.body)
            .execute(self.conn())
            .await?;
        Ok(moved.rows_affected() == 1)
    }

    /// Plans it no more.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn drop_due(&mut self, kind: &str, subject: &str) -> Result<(), StoreError> {
        sqlx::query(DROP).bind(kind).bind(subject).execute(self.conn()).await?;
        Ok(())
    }

    /// Takes it away, to be done in this transaction; false when somebody else has, or it was moved.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn take_due(&mut self, due: &Due) -> Result<bool, StoreError> {
        let query = sqlx::query(TAKE).bind(&due.kind).bind(&due.subject).bind(due.due_at);
        Ok(query.execute(self.conn()).await?.rows_affected() == 1)
    }

    /// Notes that it was tried in vain.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn fail_due(&mut self, due: &Due, failure: &Failure) -> Result<(), StoreError> {
        sqlx::query(FAIL)
            .bind(&due.kind)
            .bind(&due.subject)
            .bind(due.due_at)
            .bind(failure.tries)
            .bind(failure.try_at.unwrap_or(0))
            .bind(i64::from(failure.try_at.is_none()))
            .bind(&failure.error)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
