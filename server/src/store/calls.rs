//! Calls of the owner's actions, and what happened to each.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

macro_rules! columns {
    ($after:literal) => {
        concat!(
            "SELECT id, conversation, request, action, title, status, subject, arguments, shown_arguments, result, \
             attempts, due_at, lease, created_at FROM calls",
            $after
        )
    };
}

const INSERT: &str = "INSERT INTO calls (id, conversation, request, action, title, status, subject, arguments, \
    shown_arguments, result, attempts, due_at, lease, created_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '[]', 0, $10, NULL, $10) ON CONFLICT (conversation, request) DO NOTHING";
const BY_ID: &str = columns!(" WHERE id = $1");
const NEWEST: &str = columns!(" ORDER BY created_at DESC, id LIMIT $1");
const OF: &str = columns!(" WHERE conversation = $1 ORDER BY created_at DESC, id LIMIT $2");
const LEFT: &str = columns!(" WHERE status = 'running' ORDER BY created_at, id");
const OPEN: &str =
    "SELECT COUNT(*) FROM calls WHERE status IN ('waiting_owner', 'ready', 'running')";
const OPEN_IN: &str = "SELECT COUNT(*) FROM calls WHERE conversation = $1 \
    AND status IN ('waiting_owner', 'ready', 'running')";
const DUE: &str = columns!(
    " AS c WHERE status = 'ready' AND (due_at <= $1 OR due_at > $2) \
    AND NOT EXISTS (SELECT 1 FROM calls o WHERE o.conversation = c.conversation AND o.status = 'running') \
    ORDER BY due_at, created_at, id LIMIT 1"
);
const NEXT_DUE: &str = "SELECT MIN(due_at) FROM calls WHERE status = 'ready'";
const LEASE: &str =
    "UPDATE calls SET status = 'running', lease = $2, attempts = attempts + 1 WHERE id = $1";
const HELD: &str = "SELECT COUNT(*) FROM calls WHERE id = $1 AND lease = $2 AND status = 'running'";
const SETTLE: &str =
    "UPDATE calls SET status = $2, result = $3, lease = NULL, due_at = $4 WHERE id = $1";
const EVENT: &str = "INSERT INTO call_events (call_id, n, at, what, detail) \
    SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, $4 FROM call_events WHERE call_id = $1";
const EVENTS: &str = "SELECT at, what, detail FROM call_events WHERE call_id = $1 ORDER BY n";

/// A call as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Call {
    /// 32 hex digits; also its `Idempotency-Key`.
    pub id: String,
    /// The conversation.
    pub conversation: String,
    /// The visitor's request.
    pub request: String,
    /// Id of the action.
    pub action: String,
    /// Its title when it was asked for.
    pub title: String,
    /// `waiting_owner`, `ready`, `running`, `done`, `failed`, `unknown` or `refused`.
    pub status: String,
    /// Whose account it is.
    pub subject: Option<String>,
    /// JSON object.
    pub arguments: String,
    /// JSON list of rows for people.
    pub shown_arguments: String,
    /// JSON list of rows for people.
    pub result: String,
    /// How often it was begun.
    pub attempts: i64,
    /// When it is begun, in milliseconds since 1970.
    pub due_at: i64,
    /// Who has begun it.
    pub lease: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// Something that happened to a call.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Event {
    /// Milliseconds since 1970.
    pub at: i64,
    /// `asked`, `proof`, `confirmed`, `approved`, `sent`, `answered` and the like.
    pub what: String,
    /// A sentence or a value.
    pub detail: String,
}

impl Store {
    /// The newest calls, of one conversation or of all.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn calls(
        &self,
        conversation: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Call>, StoreError> {
        let query = match conversation {
            Some(id) => sqlx::query_as(OF).bind(id).bind(limit),
            None => sqlx::query_as(NEWEST).bind(limit),
        };
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// What happened to a call, in order.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn call_events(&self, id: &str) -> Result<Vec<Event>, StoreError> {
        Ok(sqlx::query_as(EVENTS).bind(id).fetch_all(&self.readers).await?)
    }

    /// Calls that an earlier run had begun.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn calls_left(&self) -> Result<Vec<Call>, StoreError> {
        Ok(sqlx::query_as(LEFT).fetch_all(&self.readers).await?)
    }

    /// When the next call is begun.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn next_call(&self) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(NEXT_DUE).fetch_one(&self.readers).await?)
    }
}

impl Tx {
    /// Keeps a call; false when the request was called before.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn insert_call(&mut self, call: &Call) -> Result<bool, StoreError> {
        let done = sqlx::query(INSERT)
            .bind(&call.id)
            .bind(&call.conversation)
            .bind(&call.request)
            .bind(&call.action)
            .bind(&call.title)
            .bind(&call.status)
            .bind(&call.subject)
            .bind(&call.arguments)
            .bind(&call.shown_arguments)
            .bind(call.created_at)
            .execute(self.conn())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The call with this id.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn call(&mut self, id: &str) -> Result<Option<Call>, StoreError> {
        Ok(sqlx::query_as(BY_ID).bind(id).fetch_optional(self.conn()).await?)
    }

    /// Calls that have not come to their end.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn calls_open(&mut self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(OPEN).fetch_one(self.conn()).await?)
    }

    /// Number of a conversation's calls that have no end yet.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn calls_open_in(&mut self, conversation: &str) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(OPEN_IN).bind(conversation).fetch_one(self.conn()).await?)
    }

    /// Begins the call that has been due longest in a conversation that has none under way, for the holder of `lease`. What is
    /// due later than `longest` from now was put off before the clock was set back.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn lease_call(
        &mut self,
        lease: &str,
        (now, longest): (i64, i64),
    ) -> Result<Option<Call>, StoreError> {
        let due = sqlx::query_as(DUE).bind(now).bind(now + longest);
        let Some(call): Option<Call> = due.fetch_optional(self.conn()).await? else {
            return Ok(None);
        };
        sqlx::query(LEASE).bind(&call.id).bind(lease).execute(self.conn()).await?;
        let lease = Some(lease.to_owned());
        Ok(Some(Call { status: "running".into(), attempts: call.attempts + 1, lease, ..call }))
    }

    /// Whether the holder of the lease still has the call.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn holds_call(&mut self, id: &str, lease: &str) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar(HELD).bind(id).bind(lease);
        let held: i64 = query.fetch_one(self.conn()).await?;
        Ok(held > 0)
    }

    /// Gives a call another status, with what was shown of its answer and when it is begun again.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn settle_call(
        &mut self,
        id: &str,
        (status, result): (&str, &str),
        due: i64,
    ) -> Result<(), StoreError> {
        let settle = sqlx::query(SETTLE).bind(id).bind(status).bind(result).bind(due);
        settle.execute(self.conn()).await?;
        Ok(())
    }

    /// Notes what happened to a call.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn call_event(
        &mut self,
        id: &str,
        (what, detail): (&str, &str),
        now: i64,
    ) -> Result<(), StoreError> {
        let note = sqlx::query(EVENT).bind(id).bind(now).bind(what).bind(detail);
        note.execute(self.conn()).await?;
        Ok(())
    }
}
