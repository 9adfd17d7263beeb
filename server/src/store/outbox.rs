//! Parcels: what is to leave the machine, who sends it, and what became of it.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const INSERT: &str = "INSERT INTO parcels (id, channel, target, event, conversation, body, created_at, due_at, attempts, \
    status, error, lease, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, '', NULL, NULL)";
const OPEN: &str = "SELECT COUNT(*) FROM parcels WHERE status IN ('queued', 'leased') \
    OR (status = 'digest' AND ended_at IS NULL)";
/// No more are counted than matter.
const FOR: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM parcels WHERE status IN ('queued', 'leased') AND channel = $1 AND target = $2 \
    LIMIT $3) AS waiting";
/// A parcel is due at its time, and when it is due later than anything waits: the clock was set back then.
const LEASE: &str = "UPDATE parcels SET status = 'leased', lease = $4, attempts = attempts + 1 WHERE id = ( \
    SELECT p.id FROM parcels p WHERE p.status = 'queued' AND (p.due_at <= $1 OR p.due_at > $2) AND p.attempts <= $3 \
    AND NOT EXISTS (SELECT 1 FROM parcels o WHERE o.status = 'leased' AND o.channel = p.channel AND o.target = p.target) \
    ORDER BY p.due_at, p.created_at, p.id LIMIT 1) \
    RETURNING id, channel, target, event, conversation, body, created_at, due_at, attempts, status, error";
/// What is due later than anything waits was put up before the clock was set back, and is due now.
const NEXT: &str = "SELECT MIN(CASE WHEN due_at > $2 THEN $1 ELSE due_at END) FROM parcels WHERE status = 'queued'";
const NEXT_DIGEST: &str = "SELECT MIN(CASE WHEN due_at > $2 THEN $1 ELSE due_at END) FROM parcels \
    WHERE status = 'digest' AND ended_at IS NULL";
const BEGUN: &str = "SELECT COUNT(*) FROM parcels WHERE status = 'leased'";
const OLD: &str = "SELECT COUNT(*) FROM parcels WHERE ended_at < $1";
const END: &str = "UPDATE parcels SET status = $3, error = $4, body = '', lease = NULL, ended_at = $5 \
    WHERE id = $1 AND lease = $2";
const AGAIN: &str = "UPDATE parcels SET status = 'queued', error = $3, due_at = $4, lease = NULL WHERE id = $1 AND lease = $2";
const PUT_OFF: &str = "UPDATE parcels SET due_at = $3 WHERE channel = $1 AND target = $2 AND status = 'queued' AND due_at < $3";
const HURRY: &str = "UPDATE parcels SET due_at = $3 WHERE channel = $1 AND target = $2 AND status = 'queued' AND attempts > 0 AND due_at > $3";
const LOST: &str = "UPDATE parcels SET status = 'queued', lease = NULL WHERE status = 'leased'";
const FAIL_ALL: &str = "UPDATE parcels SET status = 'failed', error = $3, body = '', ended_at = $4 \
    WHERE channel = $1 AND target = $2 AND (status = 'queued' OR (status = 'digest' AND ended_at IS NULL))";
const HELD: &str = "SELECT id, channel, target, event, conversation, body, created_at, due_at, attempts, status, error \
    FROM parcels WHERE status = 'digest' AND ended_at IS NULL AND (due_at <= $1 OR due_at > $2) \
    ORDER BY channel, target, created_at, id LIMIT $3";
const MERGED: &str = "UPDATE parcels SET body = '', ended_at = $2 WHERE id = $1";
const RECENT: &str = "SELECT id, channel, target, event, conversation, '' AS body, created_at, due_at, attempts, status, \
    error FROM parcels ORDER BY created_at DESC, id LIMIT $1";
const FORGET: &str = "DELETE FROM parcels WHERE ended_at < $1";
const STOP: &str =
    "INSERT INTO stopped_targets (channel, target, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const RESUME: &str = "DELETE FROM stopped_targets WHERE channel = $1 AND target = $2";
const STOPPED: &str = "SELECT channel, target FROM stopped_targets";

/// Longest that a parcel waits for its next try or for the end of the quiet hours, in milliseconds.
const LONGEST: i64 = 25 * 60 * 60 * 1000;

/// A parcel as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Row {
    /// 32 hex digits; what the receiver may tell doubles by.
    pub id: String,
    /// `mail`, `webhook`, `ntfy` or `browser`.
    pub channel: String,
    /// Address, id of the webhook, topic.
    pub target: String,
    /// What happened.
    pub event: String,
    /// The conversation it is about; empty for none.
    pub conversation: String,
    /// What to send.
    pub body: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// When it is sent.
    pub due_at: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// `queued`, `leased`, `sent`, `failed` or `digest`.
    pub status: String,
    /// Why it was not sent the last time.
    pub error: String,
}

impl Store {
    /// When the next parcel, or the next digest, is due; `None` when none waits.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn next_parcel(&self, now: i64) -> Result<Option<i64>, StoreError> {
        let mut next = Vec::new();
        for query in [NEXT, NEXT_DIGEST] {
            let query = sqlx::query_scalar(query).bind(now).bind(now + LONGEST);
            let found: Option<i64> = query.fetch_one(&self.readers).await?;
            next.extend(found);
        }
        Ok(next.into_iter().min())
    }

    /// Number of parcels that somebody has begun to send.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn begun_parcels(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(BEGUN).fetch_one(&self.readers).await?)
    }

    /// Number of parcels that ended before `before`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn old_parcels(&self, before: i64) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(OLD).bind(before).fetch_one(&self.readers).await?)
    }

    /// The newest parcels, without their bodies.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn recent_parcels(&self, limit: i64) -> Result<Vec<Row>, StoreError> {
        Ok(sqlx::query_as(RECENT).bind(limit).fetch_all(&self.readers).await?)
    }

    /// Channels and targets that want nothing more.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn stopped_targets(&self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(sqlx::query_as(STOPPED).fetch_all(&self.readers).await?)
    }
}

impl Tx {
    /// Number of parcels that wait for a target, `most` at most.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn parcels_for(
        &mut self,
        channel: &str,
        target: &str,
        most: i64,
    ) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar(FOR).bind(channel).bind(target).bind(most);
        Ok(query.fetch_one(self.conn()).await?)
    }

    /// Number of parcels that are not at their end.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn open_parcels(&mut self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(OPEN).fetch_one(self.conn()).await?)
    }

    /// Keeps a parcel; its `status` is `queued` or `digest`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn insert_parcel(&mut self, row: &Row) -> Result<(), StoreError> {
        sqlx::query(INSERT)
            .bind(&row.id)
            .bind(&row.channel)
            .bind(&row.target)
            .bind(&row.event)
            .bind(&row.conversation)
            .bind(&row.body)
            .bind(row.created_at)
            .bind(row.due_at)
            .bind(&row.status)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Gives the parcel that has been due longest, of a target that nobody is busy with, to the holder of `lease`; of those that were
    /// tried more than `tries` times none.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn lease_parcel(
        &mut self,
        lease: &str,
        (now, tries): (i64, i64),
    ) -> Result<Option<Row>, StoreError> {
        let query = sqlx::query_as(LEASE).bind(now).bind(now + LONGEST).bind(tries).bind(lease);
        Ok(query.fetch_optional(self.conn()).await?)
    }

    /// Ends a parcel as `sent` or `failed`, if `lease` still holds it.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn end_parcel(
        &mut self,
        (id, lease): (&str, &str),
        (status, error): (&str, &str),
        now: i64,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(END).bind(id).bind(lease).bind(status).bind(error).bind(now);
        query.execute(self.conn()).await?;
        Ok(())
    }

    /// Puts a parcel back for another try at `at`, if `lease` still holds it.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn retry_parcel(
        &mut self,
        (id, lease): (&str, &str),
        error: &str,
        at: i64,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(AGAIN).bind(id).bind(lease).bind(error).bind(at);
        query.execute(self.conn()).await?;
        Ok(())
    }

    /// Lets all that waits for a target wait until `at`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_off_target(
        &mut self,
        (channel, target): (&str, &str),
        at: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(PUT_OFF).bind(channel).bind(target).bind(at).execute(self.conn()).await?;
        Ok(())
    }

    /// What has waited for a target that failed is tried at once: it works again.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn hurry_target(
        &mut self,
        (channel, target): (&str, &str),
        at: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(HURRY).bind(channel).bind(target).bind(at).execute(self.conn()).await?;
        Ok(())
    }

    /// Puts back what an earlier run had begun to send.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn requeue_parcels(&mut self) -> Result<(), StoreError> {
        sqlx::query(LOST).execute(self.conn()).await?;
        Ok(())
    }

    /// What waits for a target fails, and nothing more is put up for it.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn stop_target(
        &mut self,
        (channel, target): (&str, &str),
        error: &str,
        now: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(STOP).bind(channel).bind(target).bind(now).execute(self.conn()).await?;
        let query = sqlx::query(FAIL_ALL).bind(channel).bind(target).bind(error).bind(now);
        query.execute(self.conn()).await?;
        Ok(())
    }

    /// A target takes parcels again.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn resume_target(&mut self, channel: &str, target: &str) -> Result<(), StoreError> {
        sqlx::query(RESUME).bind(channel).bind(target).execute(self.conn()).await?;
        Ok(())
    }

    /// Channels and targets that want nothing more.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn stopped_targets(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(sqlx::query_as(STOPPED).fetch_all(self.conn()).await?)
    }

    /// What the quiet hours have held until `now`, by channel and target, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn held_parcels(&mut self, now: i64, limit: i64) -> Result<Vec<Row>, StoreError> {
        let query = sqlx::query_as(HELD).bind(now).bind(now + LONGEST).bind(limit);
        Ok(query.fetch_all(self.conn()).await?)
    }

    /// Notes that a held parcel went out with the others.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn merge_parcel(&mut self, id: &str, now: i64) -> Result<(), StoreError> {
        sqlx::query(MERGED).bind(id).bind(now).execute(self.conn()).await?;
        Ok(())
    }

    /// Forgets what ended before `before`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn forget_parcels(&mut self, before: i64) -> Result<(), StoreError> {
        sqlx::query(FORGET).bind(before).execute(self.conn()).await?;
        Ok(())
    }
}
