//! Reply jobs: made with the visitor's message, leased by a worker, fenced by a token.

use engine::fence::Claim;
use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const INSERT: &str = "INSERT INTO jobs (id, conversation, for_seq, generation, status, lease, leased_until, attempts, \
    created_at) VALUES ($1, $2, $3, $4, 'queued', NULL, 0, 0, $5)";
const AGAIN: &str = "INSERT INTO jobs (id, conversation, for_seq, generation, status, lease, leased_until, attempts, \
    created_at) VALUES ($1, $2, $3, $4, 'queued', NULL, 0, 0, $5) ON CONFLICT (conversation, for_seq) DO UPDATE SET \
    id = excluded.id, generation = excluded.generation, status = 'queued', lease = NULL, leased_until = 0, attempts = 0, \
    created_at = excluded.created_at";
const OUTDATE: &str =
    "UPDATE jobs SET status = 'done', lease = NULL WHERE conversation = $1 AND status <> 'done'";
const WAITING: &str = "SELECT COUNT(*) FROM jobs WHERE status = 'queued'";
const OLDEST: &str = "SELECT id, conversation, for_seq, generation, attempts, created_at FROM jobs \
    WHERE status = 'queued' ORDER BY created_at, id LIMIT 1";
const LEASE: &str = "UPDATE jobs SET status = 'leased', lease = $2, leased_until = $3, attempts = attempts + 1 WHERE id = $1";
const HELD: &str = "SELECT COUNT(*) FROM jobs WHERE id = $1 AND lease = $2 AND status = 'leased'";
const FINISH: &str = "UPDATE jobs SET status = 'done', lease = NULL WHERE id = $1";
const REQUEUE: &str = "UPDATE jobs SET status = 'queued', lease = NULL \
    WHERE id = $1 AND status = 'leased' AND leased_until <= $2";
const IS_LOST: &str =
    "SELECT COUNT(*) FROM jobs WHERE id = $1 AND status = 'leased' AND leased_until <= $2";
const LOST: &str = "SELECT id, conversation, for_seq, generation, attempts, created_at FROM jobs \
    WHERE status = 'leased' AND leased_until <= $1 ORDER BY created_at, id";

/// A reply that is due.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Job {
    /// 32 hex digits; also the draft's id.
    pub id: String,
    /// The conversation.
    pub conversation: String,
    /// The visitor's message that is answered.
    pub for_seq: i64,
    /// Generation of the conversation when the job was made.
    pub generation: i64,
    /// How often a worker has begun it before.
    pub attempts: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

impl Job {
    /// What its draft is begun for.
    pub fn claim(&self) -> Claim {
        Claim { for_seq: self.for_seq, generation: self.generation }
    }
}

impl Store {
    /// Number of jobs that nobody has begun.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn jobs_waiting(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(WAITING).fetch_one(&self.readers).await?)
    }

    /// Begun jobs whose lease ended before `now`; `i64::MAX` finds all that are leased.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn jobs_lost(&self, now: i64) -> Result<Vec<Job>, StoreError> {
        Ok(sqlx::query_as(LOST).bind(now).fetch_all(&self.readers).await?)
    }

    /// Gives the oldest waiting job to the holder of `lease`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn lease_job(&self, lease: &str, until: i64) -> Result<Option<Job>, StoreError> {
        let mut tx = self.begin().await?;
        let job: Option<Job> = sqlx::query_as(OLDEST).fetch_optional(tx.conn()).await?;
        if let Some(job) = &job {
            sqlx::query(LEASE).bind(&job.id).bind(lease).bind(until).execute(tx.conn()).await?;
        }
        tx.commit().await?;
        Ok(job)
    }
}

impl Tx {
    /// Number of jobs that nobody has begun, as it is inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn jobs_waiting(&mut self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(WAITING).fetch_one(self.conn()).await?)
    }

    /// Makes a job; unfinished jobs of the same conversation are outdated by it.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn insert_job(&mut self, job: &Job) -> Result<(), StoreError> {
        self.queue(INSERT, job).await
    }

    /// Makes a job for a message that may have had one before, which it replaces.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn insert_job_again(&mut self, job: &Job) -> Result<(), StoreError> {
        self.queue(AGAIN, job).await
    }

    async fn queue(&mut self, statement: &'static str, job: &Job) -> Result<(), StoreError> {
        self.outdate_jobs(&job.conversation).await?;
        sqlx::query(statement)
            .bind(&job.id)
            .bind(&job.conversation)
            .bind(job.for_seq)
            .bind(job.generation)
            .bind(job.created_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Ends all unfinished jobs of a conversation.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn outdate_jobs(&mut self, conversation: &str) -> Result<(), StoreError> {
        sqlx::query(OUTDATE).bind(conversation).execute(self.conn()).await?;
        Ok(())
    }

    /// Whether `lease` still holds the job.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn holds_job(&mut self, job: &str, lease: &str) -> Result<bool, StoreError> {
        let count: i64 =
            sqlx::query_scalar(HELD).bind(job).bind(lease).fetch_one(self.conn()).await?;
        Ok(count == 1)
    }

    /// Ends a job.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn finish_job(&mut self, job: &str) -> Result<(), StoreError> {
        sqlx::query(FINISH).bind(job).execute(self.conn()).await?;
        Ok(())
    }

    /// Puts a job whose lease ended before `now` back among those that wait.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn requeue_job(&mut self, job: &str, now: i64) -> Result<(), StoreError> {
        sqlx::query(REQUEUE).bind(job).bind(now).execute(self.conn()).await?;
        Ok(())
    }

    /// Whether a job is begun and its lease ended before `now`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn job_is_lost(&mut self, job: &str, now: i64) -> Result<bool, StoreError> {
        let count: i64 =
            sqlx::query_scalar(IS_LOST).bind(job).bind(now).fetch_one(self.conn()).await?;
        Ok(count == 1)
    }
}
