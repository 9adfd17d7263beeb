//! Cases that deserve a second look, what the owner has made of them, and whether anything is left to do in a conversation.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const ONE: &str = "SELECT conversation, place, why, status, clarity, correctness, empathy, note, queued_at FROM reviews \
    WHERE conversation = $1 AND place = $2";
const PUT: &str = "INSERT INTO reviews (conversation, place, why, status, clarity, correctness, empathy, note, queued_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (conversation, place) DO UPDATE SET why = excluded.why, \
    status = excluded.status, clarity = excluded.clarity, correctness = excluded.correctness, empathy = excluded.empathy, \
    note = excluded.note, queued_at = excluded.queued_at";
const FORGET: &str = "DELETE FROM reviews WHERE conversation = $1 AND place = $2";
const LISTED: &str = "SELECT r.conversation, r.place, r.why, r.status, r.clarity, r.correctness, r.empathy, r.note, r.queued_at, \
    c.tag, s.score AS csat, s.scale AS csat_scale, s.comment AS csat_comment, n.score AS nps, n.comment AS nps_comment \
    FROM reviews r JOIN conversations c ON c.id = r.conversation \
    LEFT JOIN surveys s ON s.conversation = r.conversation AND s.place = r.place AND s.kind = 'csat' \
    LEFT JOIN surveys n ON n.conversation = r.conversation AND n.place = r.place AND n.kind = 'nps' \
    WHERE r.status = $1 ORDER BY r.queued_at DESC, r.conversation, r.place LIMIT $2";
const WAITING: &str = "SELECT COUNT(*) FROM reviews WHERE status = 'open'";
const LAST: &str = "SELECT speaker, at, text FROM messages WHERE conversation = $1 AND speaker <> 'system' ORDER BY seq DESC LIMIT 1";
const LOOSE: &str = "SELECT (SELECT COUNT(*) FROM jobs WHERE conversation = $1 AND status <> 'done') \
    + (SELECT COUNT(*) FROM suggestions WHERE conversation = $1 AND status = 'open') \
    + (SELECT COUNT(*) FROM promises WHERE conversation = $1 AND kept_at IS NULL AND dropped_at IS NULL) \
    + (SELECT COUNT(*) FROM tickets WHERE conversation = $1 AND status <> 'solved') \
    + (SELECT COUNT(*) FROM calls WHERE conversation = $1 AND status IN ('waiting_owner', 'ready', 'running')) \
    + (SELECT COUNT(*) FROM tasks WHERE conversation = $1 AND task IS NOT NULL) \
    + (SELECT COUNT(*) FROM due WHERE kind = 'follow_up' AND subject = $1)";

/// A case that deserves a second look, or got one.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Review {
    /// The conversation.
    pub conversation: String,
    /// The case, from 1.
    pub place: i64,
    /// Word of an [`engine::surveys::Why`]; none where the owner has chosen the case.
    pub why: Option<String>,
    /// `open` or `done`.
    pub status: String,
    /// How clear the answers were, 1 to 3.
    pub clarity: Option<i64>,
    /// How right, 1 to 3.
    pub correctness: Option<i64>,
    /// How kind, 1 to 3.
    pub empathy: Option<i64>,
    /// The owner's note.
    pub note: String,
    /// When it was queued or chosen, in milliseconds since 1970.
    pub queued_at: i64,
}

/// A case of the list, with what the visitor has said.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Listed {
    /// The case.
    #[sqlx(flatten)]
    pub review: Review,
    /// Primary intent of the conversation.
    pub tag: Option<String>,
    /// Satisfaction.
    pub csat: Option<i64>,
    /// Its best score.
    pub csat_scale: Option<i64>,
    /// What was said beside it.
    pub csat_comment: Option<String>,
    /// Recommendation, 0 to 10.
    pub nps: Option<i64>,
    /// What was said beside it.
    pub nps_comment: Option<String>,
}

impl Store {
    /// One case's review.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn review(
        &self,
        conversation: &str,
        place: i64,
    ) -> Result<Option<Review>, StoreError> {
        let query = sqlx::query_as(ONE).bind(conversation).bind(place);
        Ok(query.fetch_optional(&self.readers).await?)
    }

    /// Reviews of a status, the newest first, `limit` at most.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn reviews(&self, status: &str, limit: i64) -> Result<Vec<Listed>, StoreError> {
        Ok(sqlx::query_as(LISTED).bind(status).bind(limit).fetch_all(&self.readers).await?)
    }

    /// How many cases wait for a second look.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn reviews_waiting(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(WAITING).fetch_one(&self.readers).await?)
    }
}

impl Tx {
    /// One case's review, as it is inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn review(
        &mut self,
        conversation: &str,
        place: i64,
    ) -> Result<Option<Review>, StoreError> {
        let query = sqlx::query_as(ONE).bind(conversation).bind(place);
        Ok(query.fetch_optional(self.conn()).await?)
    }

    /// Keeps a case's review.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_review(&mut self, review: &Review) -> Result<(), StoreError> {
        sqlx::query(PUT)
            .bind(&review.conversation)
            .bind(review.place)
            .bind(&review.why)
            .bind(&review.status)
            .bind(review.clarity)
            .bind(review.correctness)
            .bind(review.empathy)
            .bind(&review.note)
            .bind(review.queued_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// A case deserves no second look any more.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn forget_review(
        &mut self,
        conversation: &str,
        place: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(FORGET).bind(conversation).bind(place).execute(self.conn()).await?;
        Ok(())
    }

    /// Who wrote last in a conversation, lines of the system aside, and when.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn last_word(
        &mut self,
        conversation: &str,
    ) -> Result<Option<(String, i64, String)>, StoreError> {
        Ok(sqlx::query_as(LAST).bind(conversation).fetch_optional(self.conn()).await?)
    }

    /// How many things in a conversation wait for somebody: replies on their way, drafts, promises, tickets, calls, steps, a follow-up.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn loose_ends(&mut self, conversation: &str) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(LOOSE).bind(conversation).fetch_one(self.conn()).await?)
    }
}
