//! How cases were resolved, what visitors were asked after them, and what they said.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

macro_rules! columns {
    ($after:literal) => {
        concat!(
            "SELECT id, conversation, place, kind, scale, look, question, comment_question, status, score, comment, finished, \
             asked_at, answered_at FROM surveys ",
            $after
        )
    };
}

const RESOLVE: &str = "INSERT INTO resolves (conversation, place, made_by, at, frustration) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (conversation, place) DO UPDATE SET made_by = excluded.made_by, at = excluded.at, \
    frustration = excluded.frustration";
const RESOLVED: &str =
    "SELECT place, made_by, at, frustration FROM resolves WHERE conversation = $1 AND place = $2";
const CONFIRMED: &str = "SELECT COUNT(*) FROM resolves r JOIN conversations c ON c.id = r.conversation \
    WHERE r.made_by <> 'silence' AND (c.id = $1 OR c.visitor = (SELECT visitor FROM conversations WHERE id = $1))";
const NPS_AT: &str = "SELECT MAX(s.asked_at) FROM surveys s JOIN conversations c ON c.id = s.conversation \
    WHERE s.kind = 'nps' AND (c.id = $1 OR c.visitor = (SELECT visitor FROM conversations WHERE id = $1))";
const ASK: &str = "INSERT INTO surveys (id, conversation, place, kind, scale, look, question, comment_question, status, \
    score, comment, finished, asked_at, answered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, NULL, 0, $10, NULL)";
const BY_ID: &str = columns!("WHERE id = $1");
const OF: &str = columns!("WHERE conversation = $1 ORDER BY place, asked_at, kind");
const EXPIRE: &str = "UPDATE surveys SET status = 'expired' WHERE conversation = $1 AND place < $2 AND status = 'open'";
const RATE: &str = "UPDATE surveys SET status = $2, score = $3, comment = $4, finished = $5, answered_at = $6 WHERE id = $1";

/// How a case was resolved last.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Resolved {
    /// The case, from 1.
    pub place: i64,
    /// Word of a [`engine::metrics::event::By`].
    pub made_by: String,
    /// Milliseconds since 1970.
    pub at: i64,
    /// How annoyed the visitor's last words sounded, 0 to 1.
    pub frustration: Option<f64>,
}

/// A question to a visitor, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Survey {
    /// 32 hex digits.
    pub id: String,
    /// The conversation.
    pub conversation: String,
    /// The case, from 1.
    pub place: i64,
    /// Word of an [`engine::surveys::Kind`].
    pub kind: String,
    /// The best score.
    pub scale: i64,
    /// `stars`, `faces` or `numbers`.
    pub look: String,
    /// The question as it was put.
    pub question: String,
    /// What was asked beside it.
    pub comment_question: String,
    /// Word of an [`engine::surveys::Status`].
    pub status: String,
    /// What the visitor has said.
    pub score: Option<i64>,
    /// In their own words.
    pub comment: Option<String>,
    /// 1 when no more follows.
    pub finished: i64,
    /// Milliseconds since 1970.
    pub asked_at: i64,
    /// When there was a score for the first time, in milliseconds since 1970.
    pub answered_at: Option<i64>,
}

impl Store {
    /// All that was asked in a conversation, in its order.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn surveys(&self, conversation: &str) -> Result<Vec<Survey>, StoreError> {
        Ok(sqlx::query_as(OF).bind(conversation).fetch_all(&self.readers).await?)
    }
}

impl Tx {
    /// Notes how a case was resolved.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn resolve_case(
        &mut self,
        conversation: &str,
        resolved: &Resolved,
    ) -> Result<(), StoreError> {
        sqlx::query(RESOLVE)
            .bind(conversation)
            .bind(resolved.place)
            .bind(&resolved.made_by)
            .bind(resolved.at)
            .bind(resolved.frustration)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// How a case was resolved last.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn case_resolved(
        &mut self,
        conversation: &str,
        place: i64,
    ) -> Result<Option<Resolved>, StoreError> {
        let query = sqlx::query_as(RESOLVED).bind(conversation).bind(place);
        Ok(query.fetch_optional(self.conn()).await?)
    }

    /// How many cases of a conversation's visitor were resolved by a person's word, and when that visitor was last asked for a
    /// recommendation. Where the browser is not known only the conversation counts.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn asked_before(
        &mut self,
        conversation: &str,
    ) -> Result<(i64, Option<i64>), StoreError> {
        let resolved = sqlx::query_scalar(CONFIRMED).bind(conversation).fetch_one(self.conn());
        let resolved = resolved.await?;
        let nps_at = sqlx::query_scalar(NPS_AT).bind(conversation).fetch_one(self.conn()).await?;
        Ok((resolved, nps_at))
    }

    /// Keeps a question that waits for its answer.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn ask(&mut self, survey: &Survey) -> Result<(), StoreError> {
        sqlx::query(ASK)
            .bind(&survey.id)
            .bind(&survey.conversation)
            .bind(survey.place)
            .bind(&survey.kind)
            .bind(survey.scale)
            .bind(&survey.look)
            .bind(&survey.question)
            .bind(&survey.comment_question)
            .bind(&survey.status)
            .bind(survey.asked_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// One question.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn survey(&mut self, id: &str) -> Result<Option<Survey>, StoreError> {
        Ok(sqlx::query_as(BY_ID).bind(id).fetch_optional(self.conn()).await?)
    }

    /// All that was asked in a conversation, as it is inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn surveys(&mut self, conversation: &str) -> Result<Vec<Survey>, StoreError> {
        Ok(sqlx::query_as(OF).bind(conversation).fetch_all(self.conn()).await?)
    }

    /// Questions of earlier cases wait no longer.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn expire_surveys(
        &mut self,
        conversation: &str,
        place: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(EXPIRE).bind(conversation).bind(place).execute(self.conn()).await?;
        Ok(())
    }

    /// Keeps what has become of a question.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn rate(&mut self, survey: &Survey) -> Result<(), StoreError> {
        sqlx::query(RATE)
            .bind(&survey.id)
            .bind(&survey.status)
            .bind(survey.score)
            .bind(&survey.comment)
            .bind(survey.finished)
            .bind(survey.answered_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
