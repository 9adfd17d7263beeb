//! What the documents did not answer, and the entries that are proposed for it.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const DECIDED: &str = "SELECT conversation FROM events WHERE name = 'reply_decided' AND at >= $1 AND conversation IS NOT NULL \
    GROUP BY conversation ORDER BY MAX(n) DESC LIMIT $2";
const RATED: &str = "SELECT conversation FROM events WHERE name = 'csat_submitted' AND at >= $1 AND conversation IS NOT NULL \
    GROUP BY conversation ORDER BY MAX(n) DESC LIMIT $2";
const GAPS: &str =
    "SELECT id, place, label, count, failure, rank, proposal FROM gaps ORDER BY place";
const QUESTIONS: &str =
    "SELECT gap, conversation, seq, place, text FROM gap_questions ORDER BY gap, place";
const PROPOSALS: &str = "SELECT id, question, answer, sources, status, learned, made_at FROM proposals \
    WHERE status <> 'expired' ORDER BY made_at DESC, id LIMIT $1";
const PROPOSAL: &str =
    "SELECT id, question, answer, sources, status, learned, made_at FROM proposals WHERE id = $1";
const FORGET: &str = "DELETE FROM gaps";
const ADD_GAP: &str = "INSERT INTO gaps (id, place, label, count, failure, rank, proposal) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
// The conversation may be gone meanwhile.
const ADD_QUESTION: &str = "INSERT INTO gap_questions (gap, conversation, seq, place, text) \
    SELECT $1, id, $3, $4, $5 FROM conversations WHERE id = $2";
const PROPOSE: &str = "INSERT INTO proposals (id, question, answer, sources, status, learned, made_at, settled_at) \
    VALUES ($1, $2, $3, $4, $5, 0, $6, NULL) ON CONFLICT (id) DO UPDATE SET question = excluded.question, \
    answer = excluded.answer, sources = excluded.sources, status = excluded.status, learned = 0, \
    made_at = excluded.made_at, settled_at = NULL";
const LINK: &str = "UPDATE gaps SET proposal = $2 WHERE id = $1";
const SETTLE: &str = "UPDATE proposals SET status = $2, question = $3, answer = $4, settled_at = $5 \
    WHERE id = $1 AND status = 'pending'";
const LEARNED: &str = "UPDATE proposals SET learned = 1 WHERE id = $1";
const EXPIRE: &str = "UPDATE proposals SET status = 'expired', settled_at = $2 WHERE status = 'pending' AND made_at < $1";

/// Proposals that are read at most, the newest.
const MOST: i64 = 1_000;

/// A gap as it is stored.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct GapRow {
    /// 32 hex digits that follow from the label.
    pub id: String,
    /// From 0, the greatest first.
    pub place: i64,
    /// The question that stands for all, masked.
    pub label: String,
    /// Visitors who asked.
    pub count: i64,
    /// Mean failure, 0 to 1.
    pub failure: f64,
    /// What there is to win: `count` times `failure`.
    pub rank: f64,
    /// Id of the proposal that answers it.
    pub proposal: Option<String>,
}

/// One of the questions of a gap.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct QuestionRow {
    /// The gap.
    pub gap: String,
    /// The conversation.
    pub conversation: String,
    /// The visitor's message.
    pub seq: i64,
    /// From 0, the nearest to the label first.
    pub place: i64,
    /// Masked.
    pub text: String,
}

/// An entry for the knowledge.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ProposalRow {
    /// 32 hex digits.
    pub id: String,
    /// The heading.
    pub question: String,
    /// The text below it.
    pub answer: String,
    /// JSON list of the conversations it was drafted from.
    pub sources: String,
    /// `pending`, `accepted`, `rejected` or `expired`.
    pub status: String,
    /// 1 when its question is a golden one.
    pub learned: i64,
    /// Milliseconds since 1970.
    pub made_at: i64,
}

impl Store {
    /// Conversations in which it was decided about a reply since a moment, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn decided_since(&self, since: i64, limit: i64) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(DECIDED).bind(since).bind(limit).fetch_all(&self.readers).await?)
    }

    /// Conversations that visitors have rated since a moment, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn rated_since(&self, since: i64, limit: i64) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(RATED).bind(since).bind(limit).fetch_all(&self.readers).await?)
    }

    /// The gaps with their questions, the greatest first.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn gaps(&self) -> Result<(Vec<GapRow>, Vec<QuestionRow>), StoreError> {
        let gaps = sqlx::query_as(GAPS).fetch_all(&self.readers).await?;
        Ok((gaps, sqlx::query_as(QUESTIONS).fetch_all(&self.readers).await?))
    }

    /// The proposals that have not expired, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn proposals(&self) -> Result<Vec<ProposalRow>, StoreError> {
        Ok(sqlx::query_as(PROPOSALS).bind(MOST).fetch_all(&self.readers).await?)
    }

    /// One proposal.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn proposal(&self, id: &str) -> Result<Option<ProposalRow>, StoreError> {
        Ok(sqlx::query_as(PROPOSAL).bind(id).fetch_optional(&self.readers).await?)
    }
}

impl Tx {
    /// Replaces all gaps.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn replace_gaps(
        &mut self,
        gaps: &[GapRow],
        questions: &[QuestionRow],
    ) -> Result<(), StoreError> {
        sqlx::query(FORGET).execute(self.conn()).await?;
        for gap in gaps {
            sqlx::query(ADD_GAP)
                .bind(&gap.id)
                .bind(gap.place)
                .bind(&gap.label)
                .bind(gap.count)
                .bind(gap.failure)
                .bind(gap.rank)
                .bind(&gap.proposal)
                .execute(self.conn())
                .await?;
        }
        for one in questions {
            sqlx::query(ADD_QUESTION)
                .bind(&one.gap)
                .bind(&one.conversation)
                .bind(one.seq)
                .bind(one.place)
                .bind(&one.text)
                .execute(self.conn())
                .await?;
        }
        Ok(())
    }

    /// Keeps a proposal; one of its id that has expired is replaced.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn propose(&mut self, proposal: &ProposalRow) -> Result<(), StoreError> {
        sqlx::query(PROPOSE)
            .bind(&proposal.id)
            .bind(&proposal.question)
            .bind(&proposal.answer)
            .bind(&proposal.sources)
            .bind(&proposal.status)
            .bind(proposal.made_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// A gap is answered by a proposal.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn link_gap(&mut self, gap: &str, proposal: &str) -> Result<(), StoreError> {
        sqlx::query(LINK).bind(gap).bind(proposal).execute(self.conn()).await?;
        Ok(())
    }

    /// Settles a pending proposal with the words that the owner chose; false when it was settled before.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn settle_proposal(
        &mut self,
        id: &str,
        (status, question, answer): (&str, &str, &str),
        now: i64,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(SETTLE).bind(id).bind(status).bind(question).bind(answer).bind(now);
        Ok(query.execute(self.conn()).await?.rows_affected() == 1)
    }

    /// The question of a proposal is a golden one.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn proposal_learned(&mut self, id: &str) -> Result<(), StoreError> {
        sqlx::query(LEARNED).bind(id).execute(self.conn()).await?;
        Ok(())
    }

    /// Lets pending proposals that were made before a moment expire.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn expire_proposals(&mut self, before: i64, now: i64) -> Result<(), StoreError> {
        sqlx::query(EXPIRE).bind(before).bind(now).execute(self.conn()).await?;
        Ok(())
    }
}
