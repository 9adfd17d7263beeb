//! The cases that the scorecard is made of, and how far the stream of events has been read into them.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const MARK: &str = "SELECT n, form FROM cases_read WHERE one = 1";
const MOVE: &str = "UPDATE cases_read SET n = $3, form = $4 WHERE one = 1 AND n = $1 AND form = $2";
const UPTO: &str =
    "SELECT MAX(n) FROM (SELECT n FROM events WHERE n > $1 ORDER BY n LIMIT $2) AS next";
const CHANGED: &str = "SELECT DISTINCT conversation FROM events WHERE n > $1 AND n <= $2 AND conversation IS NOT NULL";
const PUT: &str = "INSERT INTO cases (conversation, place, began_at, body) \
    SELECT id, $2, $3, $4 FROM conversations WHERE id = $1 \
    ON CONFLICT (conversation, place) DO UPDATE SET began_at = excluded.began_at, body = excluded.body";
const FORGET: &str = "DELETE FROM cases WHERE conversation = $1 AND place > $2";
const ALL: &str =
    "SELECT conversation, place, began_at, body FROM cases ORDER BY conversation, place";
/// The beginning of the case that comes `$3` after the first one from `$1` on.
const BOUNDARY: &str = "SELECT began_at FROM cases WHERE began_at >= $1 AND began_at < $2 ORDER BY began_at LIMIT 1 OFFSET $3";
/// One row for many cases: each value of each row is copied once more on its way out.
const BODIES: &str =
    "SELECT string_agg(body, ' ') FROM cases WHERE began_at >= $1 AND began_at < $2";
const OPENED: &str = "SELECT COUNT(*) FROM visits WHERE staging = 0 AND opened_at >= $1 AND opened_at < $2 \
    AND (page = $3 OR $3 IS NULL) AND (campaign = $4 OR $4 IS NULL)";

/// How far the stream has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Mark {
    /// The newest event whose conversation has its cases.
    pub n: i64,
    /// In which form the cases are written.
    pub form: i64,
}

/// A case as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct CaseRow {
    /// Its conversation.
    pub conversation: String,
    /// From 1.
    pub place: i64,
    /// Milliseconds since 1970.
    pub began_at: i64,
    /// JSON of [`engine::metrics::Case`].
    pub body: String,
}

impl Store {
    /// How far the stream has been read into the cases.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn cases_mark(&self) -> Result<Mark, StoreError> {
        Ok(sqlx::query_as(MARK).fetch_one(&self.readers).await?)
    }

    /// The next `limit` events after `n`: the last of them, and whose conversations they are; none when there is none.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn changed_conversations(
        &self,
        n: i64,
        limit: i64,
    ) -> Result<Option<(i64, Vec<String>)>, StoreError> {
        let query = sqlx::query_scalar(UPTO).bind(n).bind(limit);
        let upto: Option<i64> = query.fetch_one(&self.readers).await?;
        let Some(upto) = upto else { return Ok(None) };
        let query = sqlx::query_scalar(CHANGED).bind(n).bind(upto);
        Ok(Some((upto, query.fetch_all(&self.readers).await?)))
    }

    /// Where to cut the cases that began in a stretch of time, so that about `most` stand before the cut; none when no more are left.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn cases_cut(
        &self,
        (from, to): (i64, i64),
        most: i64,
    ) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query_scalar(BOUNDARY).bind(from).bind(to).bind(most);
        Ok(query.fetch_optional(&self.readers).await?)
    }

    /// The cases that began in a stretch of time: JSON of each, a space between them; in no order.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn cases_between(&self, from: i64, to: i64) -> Result<String, StoreError> {
        let query = sqlx::query_scalar(BODIES).bind(from).bind(to);
        let bodies: Option<String> = query.fetch_one(&self.readers).await?;
        Ok(bodies.unwrap_or_default())
    }

    /// All cases.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn all_cases(&self) -> Result<Vec<CaseRow>, StoreError> {
        Ok(sqlx::query_as(ALL).fetch_all(&self.readers).await?)
    }

    /// Visits that opened the chat in a period, on a page and by a campaign where these are given.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn visits_from(
        &self,
        (from, to): (i64, i64),
        (page, campaign): (Option<&str>, Option<&str>),
    ) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar(OPENED).bind(from).bind(to).bind(page).bind(campaign);
        Ok(query.fetch_one(&self.readers).await?)
    }
}

impl Tx {
    /// Notes that the stream has been read further; false when somebody else has done so since `before`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn move_cases_mark(&mut self, before: Mark, now: Mark) -> Result<bool, StoreError> {
        let query = sqlx::query(MOVE).bind(before.n).bind(before.form).bind(now.n).bind(now.form);
        Ok(query.execute(self.conn()).await?.rows_affected() == 1)
    }

    /// Keeps a case in the place of what stood there, unless its conversation is gone.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_case(
        &mut self,
        conversation: &str,
        (place, began_at): (i64, i64),
        body: &str,
    ) -> Result<(), StoreError> {
        let query = sqlx::query(PUT).bind(conversation).bind(place).bind(began_at).bind(body);
        query.execute(self.conn()).await?;
        Ok(())
    }

    /// Forgets the cases of a conversation behind the place `last`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn forget_cases(&mut self, conversation: &str, last: i64) -> Result<(), StoreError> {
        sqlx::query(FORGET).bind(conversation).bind(last).execute(self.conn()).await?;
        Ok(())
    }
}
