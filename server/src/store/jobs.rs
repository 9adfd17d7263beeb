//! Reply jobs: made with the visitor's message, leased by a worker, fenced by a token.

use engine::fence::Claim;
use engine::settle::LONGEST_MS;
use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const INSERT: &str = "INSERT INTO jobs (id, conversation, for_seq, generation, status, lease, leased_until, attempts, \
    created_at, due_at, due_by) VALUES ($1, $2, $3, $4, 'queued', NULL, 0, 0, $5, $6, $7)";
const AGAIN: &str = "INSERT INTO jobs (id, conversation, for_seq, generation, status, lease, leased_until, attempts, \
    created_at, due_at, due_by) VALUES ($1, $2, $3, $4, 'queued', NULL, 0, 0, $5, $6, $7) ON CONFLICT (conversation, for_seq) DO UPDATE SET \
    id = excluded.id, generation = excluded.generation, status = 'queued', lease = NULL, leased_until = 0, attempts = 0, \
    created_at = excluded.created_at, due_at = excluded.due_at, due_by = excluded.due_by";
const OUTDATE: &str =
    "UPDATE jobs SET status = 'done', lease = NULL WHERE conversation = $1 AND status <> 'done'";
const WAITING: &str = "SELECT COUNT(*) FROM jobs WHERE status = 'queued'";
const OLDEST: &str = "SELECT id, conversation, for_seq, generation, attempts, created_at, due_at, due_by FROM jobs \
    WHERE status = 'queued' AND (due_at <= $1 OR due_at > $2) ORDER BY due_at, created_at, id LIMIT 1";
const NEXT_DUE: &str = "SELECT MIN(due_at) FROM jobs WHERE status = 'queued'";
const WAITS: &str = "SELECT due_at, due_by FROM jobs WHERE conversation = $1 AND status = 'queued'";
const PUT_OFF: &str = "UPDATE jobs SET due_at = $2 WHERE conversation = $1 AND status = 'queued'";
const LEASE: &str = "UPDATE jobs SET status = 'leased', lease = $2, leased_until = $3, attempts = attempts + 1 WHERE id = $1";
const HELD: &str = "SELECT COUNT(*) FROM jobs WHERE id = $1 AND lease = $2 AND status = 'leased'";
const UNFINISHED: &str = "SELECT for_seq FROM jobs WHERE conversation = $1 AND status <> 'done' ORDER BY for_seq DESC LIMIT 1";
const FINISH: &str = "UPDATE jobs SET status = 'done', lease = NULL WHERE id = $1";
const REQUEUE: &str = "UPDATE jobs SET status = 'queued', lease = NULL \
    WHERE id = $1 AND status = 'leased' AND leased_until <= $2";
const IS_LOST: &str =
    "SELECT COUNT(*) FROM jobs WHERE id = $1 AND status = 'leased' AND leased_until <= $2";
const LOST: &str = "SELECT id, conversation, for_seq, generation, attempts, created_at, due_at, due_by FROM jobs \
    WHERE status = 'leased' AND leased_until <= $1 ORDER BY created_at, id";

/// When a reply is made, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Due {
    /// From when on.
    #[sqlx(rename = "due_at")]
    pub at: i64,
    /// The latest that more words of the visitor may put it off to.
    #[sqlx(rename = "due_by")]
    pub by: i64,
}

/// A reply that is to be made.
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
    /// When it is made.
    #[sqlx(flatten)]
    pub due: Due,
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

    /// When the next waiting job is due; `None` when none waits.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn next_due(&self) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(NEXT_DUE).fetch_one(&self.readers).await?)
    }

    /// When the conversation's job is due, if it has one that nobody has begun.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn waiting_job(&self, conversation: &str) -> Result<Option<Due>, StoreError> {
        Ok(sqlx::query_as(WAITS).bind(conversation).fetch_optional(&self.readers).await?)
    }

    /// Gives the job that has been due longest at `now` to the holder of `lease`. What is due later than any reply waits was
    /// put into the queue before the clock was set back, and is due as well.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn lease_job(
        &self,
        lease: &str,
        (now, until): (i64, i64),
    ) -> Result<Option<Job>, StoreError> {
        let mut tx = self.begin().await?;
        let job: Option<Job> = sqlx::query_as(OLDEST)
            .bind(now)
            .bind(now + LONGEST_MS)
            .fetch_optional(tx.conn())
            .await?;
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

    /// Makes a job. The conversation has no other that is unfinished, see [`Tx::outdate_jobs`].
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
        self.outdate_jobs(&job.conversation).await?;
        self.queue(AGAIN, job).await
    }

    async fn queue(&mut self, statement: &'static str, job: &Job) -> Result<(), StoreError> {
        sqlx::query(statement)
            .bind(&job.id)
            .bind(&job.conversation)
            .bind(job.for_seq)
            .bind(job.generation)
            .bind(job.created_at)
            .bind(job.due.at)
            .bind(job.due.by)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Changes when the conversation's waiting job is due.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_off_job(&mut self, conversation: &str, at: i64) -> Result<(), StoreError> {
        sqlx::query(PUT_OFF).bind(conversation).bind(at).execute(self.conn()).await?;
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

    /// The visitor's message that a reply is still to be made or finished for.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn unfinished_job(&mut self, conversation: &str) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar(UNFINISHED).bind(conversation).fetch_optional(self.conn()).await?)
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
