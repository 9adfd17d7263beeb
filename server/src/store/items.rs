//! The one thing to do in each week.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const ONE: &str = "SELECT week, from_at, to_at, measure, subject, text, own, before_hits, before_of, after_hits, \
    after_of, done_at FROM weekly_items WHERE week = $1";
const NEWEST: &str = "SELECT week, from_at, to_at, measure, subject, text, own, before_hits, before_of, after_hits, \
    after_of, done_at FROM weekly_items WHERE measure <> '' ORDER BY week DESC LIMIT $1";
const OVER: &str = "SELECT week, from_at, to_at, measure, subject, text, own, before_hits, before_of, after_hits, \
    after_of, done_at FROM weekly_items WHERE measure <> '' AND after_of IS NULL AND to_at <= $1 ORDER BY week DESC LIMIT $2";
const FIRST: &str = "INSERT INTO weekly_items (week, from_at, to_at, measure, subject, text, own, before_hits, before_of, \
    after_hits, after_of, done_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, NULL, NULL) ON CONFLICT (week) DO NOTHING";
const INSTEAD: &str = "UPDATE weekly_items SET measure = $2, subject = $3, text = $4, own = $5, before_hits = $6, before_of = $7, \
    after_hits = NULL, after_of = NULL, done_at = NULL WHERE week = $1";
const AFTER: &str =
    "UPDATE weekly_items SET after_hits = $3, after_of = $4 WHERE week = $1 AND text = $2";
const DONE: &str = "UPDATE weekly_items SET done_at = $2 WHERE week = $1";

/// The one thing to do in a week, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ItemRow {
    /// The Monday on which it was chosen: `2026-11-16`.
    pub week: String,
    /// When that week begins, in milliseconds since 1970.
    pub from_at: i64,
    /// When it ends.
    pub to_at: i64,
    /// Word of an [`engine::metrics::item::Measure`]; empty when nothing stood out.
    pub measure: String,
    /// A tag or a reason; empty for all cases.
    pub subject: String,
    /// What to do.
    pub text: String,
    /// 1 for the owner's own words.
    pub own: i64,
    /// The figure of the week before: how often.
    pub before_hits: i64,
    /// Of how many.
    pub before_of: i64,
    /// The figure of this week, once it is over: how often.
    pub after_hits: Option<i64>,
    /// Of how many.
    pub after_of: Option<i64>,
    /// When the owner has done it, in milliseconds since 1970.
    pub done_at: Option<i64>,
}

impl Store {
    /// The item of a week, also where nothing stood out.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn item(&self, week: &str) -> Result<Option<ItemRow>, StoreError> {
        Ok(sqlx::query_as(ONE).bind(week).fetch_optional(&self.readers).await?)
    }

    /// The newest items, the newest first.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn items(&self, limit: i64) -> Result<Vec<ItemRow>, StoreError> {
        Ok(sqlx::query_as(NEWEST).bind(limit).fetch_all(&self.readers).await?)
    }

    /// Items whose week is over and whose figure of that week is not known yet.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn items_over(&self, now: i64, limit: i64) -> Result<Vec<ItemRow>, StoreError> {
        Ok(sqlx::query_as(OVER).bind(now).bind(limit).fetch_all(&self.readers).await?)
    }
}

impl Tx {
    /// Keeps the item of a week, unless it has one.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_item(&mut self, row: &ItemRow) -> Result<(), StoreError> {
        sqlx::query(FIRST)
            .bind(&row.week)
            .bind(row.from_at)
            .bind(row.to_at)
            .bind(&row.measure)
            .bind(&row.subject)
            .bind(&row.text)
            .bind(row.own)
            .bind(row.before_hits)
            .bind(row.before_of)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Puts another thing in the place of a week's item.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn replace_item(&mut self, row: &ItemRow) -> Result<(), StoreError> {
        sqlx::query(INSTEAD)
            .bind(&row.week)
            .bind(&row.measure)
            .bind(&row.subject)
            .bind(&row.text)
            .bind(row.own)
            .bind(row.before_hits)
            .bind(row.before_of)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Keeps the figure of the week that is over, unless another thing stands there meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn end_item(
        &mut self,
        row: &ItemRow,
        (hits, of): (i64, i64),
    ) -> Result<(), StoreError> {
        let query = sqlx::query(AFTER).bind(&row.week).bind(&row.text).bind(hits).bind(of);
        query.execute(self.conn()).await?;
        Ok(())
    }

    /// Notes when the owner has done it, or that they have not.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn do_item(&mut self, week: &str, done_at: Option<i64>) -> Result<(), StoreError> {
        sqlx::query(DONE).bind(week).bind(done_at).execute(self.conn()).await?;
        Ok(())
    }
}
