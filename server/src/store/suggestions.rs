//! Drafts that were not sent by themselves, and the decision over every draft.

use serde::Serialize;
use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const INSERT: &str = "INSERT INTO suggestions (id, conversation, for_seq, text, pieces, citations, confidence, status, \
    created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8)";
const KEPT: &str = "SELECT COUNT(*) FROM suggestions WHERE id = $1";
const TEXT: &str = "SELECT text FROM suggestions WHERE id = $1 AND conversation = $2";
const OPEN: &str = "SELECT id, conversation, for_seq, text, pieces, citations, confidence FROM suggestions \
    WHERE conversation = $1 AND status = 'open' ORDER BY for_seq DESC LIMIT 1";
const BY_ID: &str = "SELECT id, conversation, for_seq, text, pieces, citations, confidence FROM suggestions \
    WHERE id = $1 AND conversation = $2 AND status = 'open'";
const SENT: &str = "SELECT id, conversation, for_seq, text, pieces, citations, confidence FROM suggestions \
    WHERE id = $1 AND conversation = $2 AND status IN ('accepted', 'edited')";
const MARK: &str =
    "UPDATE suggestions SET status = $2, sent = $3, distance = $4, settled_at = $5 WHERE id = $1";
const VERDICTS: &str = "SELECT id, for_seq, text, status, sent, distance, confidence FROM suggestions \
    WHERE conversation = $1 AND settled_at IS NOT NULL ORDER BY for_seq, settled_at, id";
const JUDGED: &str = "SELECT s.conversation, s.for_seq, m.text AS question, s.text AS suggestion, s.confidence, s.status, \
    s.distance, s.sent, s.settled_at FROM suggestions s \
    JOIN messages m ON m.conversation = s.conversation AND m.seq = s.for_seq \
    WHERE s.settled_at IS NOT NULL ORDER BY s.settled_at DESC, s.id LIMIT $1";
const OUTDATE: &str =
    "UPDATE suggestions SET status = 'outdated' WHERE conversation = $1 AND status = 'open'";
const DECIDE: &str = "INSERT INTO decisions (conversation, for_seq, at, body) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (conversation, for_seq) DO UPDATE SET at = excluded.at, body = excluded.body";
const DECISIONS: &str =
    "SELECT for_seq, body FROM decisions WHERE conversation = $1 ORDER BY for_seq";
const DECIDED: &str = "SELECT MAX(for_seq) FROM decisions WHERE conversation = $1 AND for_seq < $2";
const DECISION: &str =
    "SELECT body FROM decisions WHERE conversation = $1 ORDER BY for_seq DESC LIMIT 1";

/// A draft that the owner may accept, edit or discard.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Suggestion {
    /// 32 hex digits.
    pub id: String,
    /// The conversation.
    pub conversation: String,
    /// The visitor's message that it answers.
    pub for_seq: i64,
    /// Plain text.
    pub text: String,
    /// JSON list of pieces as in the protocol.
    pub pieces: String,
    /// JSON list of citations as in the protocol.
    pub citations: String,
    /// 0 to 1.
    pub confidence: f64,
}

/// What became of a suggestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Sent as it was.
    Accepted,
    /// Sent with other words.
    Edited,
    /// Thrown away.
    Discarded,
}

impl Fate {
    fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Edited => "edited",
            Self::Discarded => "discarded",
        }
    }
}

/// A suggestion with what the owner made of it.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Settled {
    /// 32 hex digits.
    pub id: String,
    /// The visitor's message that it answers.
    pub for_seq: i64,
    /// The draft, plain text.
    pub text: String,
    /// `accepted`, `edited` or `discarded`.
    pub status: String,
    /// What was sent instead or as it stood; `None` when nothing was.
    pub sent: Option<String>,
    /// Characters to insert, delete or replace between the two.
    pub distance: Option<i64>,
    /// Confidence in the draft, 0 to 1.
    pub confidence: f64,
}

/// What an owner made of a suggestion, beside the question that it answers.
#[derive(Debug, Clone, PartialEq, FromRow, Serialize)]
pub struct Verdict {
    /// The conversation.
    pub conversation: String,
    /// The visitor's message that it answers.
    pub for_seq: i64,
    /// What that says.
    pub question: String,
    /// The draft, plain text.
    pub suggestion: String,
    /// Confidence in the draft, 0 to 1.
    pub confidence: f64,
    /// `accepted`, `edited` or `discarded`.
    pub status: String,
    /// Characters to insert, delete or replace between draft and what was sent; `None` when nothing was.
    pub distance: Option<i64>,
    /// What was sent.
    pub sent: Option<String>,
    /// When, in milliseconds since 1970.
    pub settled_at: i64,
}

impl Store {
    /// Text of a suggestion of this conversation, open or not.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn suggested_text(
        &self,
        id: &str,
        conversation: &str,
    ) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_scalar(TEXT).bind(id).bind(conversation);
        Ok(query.fetch_optional(&self.readers).await?)
    }

    /// What owners made of suggestions, the newest verdict first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn verdicts(&self, limit: i64) -> Result<Vec<Verdict>, StoreError> {
        Ok(sqlx::query_as(JUDGED).bind(limit).fetch_all(&self.readers).await?)
    }

    /// The suggestions of a conversation that an owner has judged.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn settled_suggestions(
        &self,
        conversation: &str,
    ) -> Result<Vec<Settled>, StoreError> {
        Ok(sqlx::query_as(VERDICTS).bind(conversation).fetch_all(&self.readers).await?)
    }

    /// The suggestion that waits for the owner.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn open_suggestion(
        &self,
        conversation: &str,
    ) -> Result<Option<Suggestion>, StoreError> {
        Ok(sqlx::query_as(OPEN).bind(conversation).fetch_optional(&self.readers).await?)
    }

    /// A suggestion that the owner sent, as it was or with other words.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn sent_suggestion(
        &self,
        id: &str,
        conversation: &str,
    ) -> Result<Option<Suggestion>, StoreError> {
        let query = sqlx::query_as(SENT).bind(id).bind(conversation);
        Ok(query.fetch_optional(&self.readers).await?)
    }

    /// All decisions with the visitor's messages they are about, JSON as in the protocol.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn decisions(&self, conversation: &str) -> Result<Vec<(i64, String)>, StoreError> {
        Ok(sqlx::query_as(DECISIONS).bind(conversation).fetch_all(&self.readers).await?)
    }

    /// Seq of the newest visitor's message before `seq` about which it was decided.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn decided_before(
        &self,
        conversation: &str,
        seq: i64,
    ) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query_scalar(DECIDED).bind(conversation).bind(seq);
        Ok(query.fetch_one(&self.readers).await?)
    }

    /// The newest decision, JSON as in the protocol.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn newest_decision(&self, conversation: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(DECISION).bind(conversation).fetch_optional(&self.readers).await?)
    }
}

impl Tx {
    /// Keeps a draft as the one open suggestion of its conversation. What another worker has kept of the same job stays as it
    /// is: a person may have judged it meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn suggest(&mut self, suggestion: &Suggestion, now: i64) -> Result<(), StoreError> {
        let kept: i64 =
            sqlx::query_scalar(KEPT).bind(&suggestion.id).fetch_one(self.conn()).await?;
        if kept > 0 {
            return Ok(());
        }
        self.outdate_suggestions(&suggestion.conversation).await?;
        sqlx::query(INSERT)
            .bind(&suggestion.id)
            .bind(&suggestion.conversation)
            .bind(suggestion.for_seq)
            .bind(&suggestion.text)
            .bind(&suggestion.pieces)
            .bind(&suggestion.citations)
            .bind(suggestion.confidence)
            .bind(now)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// An open suggestion of this conversation.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn suggestion(
        &mut self,
        id: &str,
        conversation: &str,
    ) -> Result<Option<Suggestion>, StoreError> {
        Ok(sqlx::query_as(BY_ID).bind(id).bind(conversation).fetch_optional(self.conn()).await?)
    }

    /// Records what became of a suggestion: the text that was sent, and how many characters it is away from the draft; `None`
    /// when nothing of it was.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn settle_suggestion(
        &mut self,
        id: &str,
        (fate, sent): (Fate, Option<(&str, i64)>),
        now: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(MARK)
            .bind(id)
            .bind(fate.as_str())
            .bind(sent.map(|(text, _)| text))
            .bind(sent.map(|(_, distance)| distance))
            .bind(now)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Open suggestions of a conversation no longer fit.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn outdate_suggestions(&mut self, conversation: &str) -> Result<(), StoreError> {
        sqlx::query(OUTDATE).bind(conversation).execute(self.conn()).await?;
        Ok(())
    }

    /// Records the decision over the reply to `for_seq`; `body` is JSON as in the protocol.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn decide(
        &mut self,
        conversation: &str,
        for_seq: i64,
        (now, body): (i64, &str),
    ) -> Result<(), StoreError> {
        sqlx::query(DECIDE)
            .bind(conversation)
            .bind(for_seq)
            .bind(now)
            .bind(body)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
