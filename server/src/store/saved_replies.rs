//! Texts that the owner sends again and again.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const ALL: &str =
    "SELECT id, title, text, intent, updated_at FROM saved_replies ORDER BY title, id";
const COUNT: &str = "SELECT COUNT(*) FROM saved_replies";
const INSERT: &str =
    "INSERT INTO saved_replies (id, title, text, intent, updated_at) VALUES ($1, $2, $3, $4, $5)";
const EDIT: &str =
    "UPDATE saved_replies SET title = $2, text = $3, intent = $4, updated_at = $5 WHERE id = $1";
const DELETE: &str = "DELETE FROM saved_replies WHERE id = $1";

/// Saved replies at most.
pub const MAX: i64 = 200;

/// A text of the owner's.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SavedReply {
    /// 32 hex digits.
    pub id: String,
    /// What the owner looks for.
    pub title: String,
    /// Plain text with slots such as `{email}`.
    pub text: String,
    /// Id of the intent that it belongs to.
    pub intent: Option<String>,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

impl Store {
    /// All of them, by title.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn saved_replies(&self) -> Result<Vec<SavedReply>, StoreError> {
        Ok(sqlx::query_as(ALL).fetch_all(&self.readers).await?)
    }
}

impl Tx {
    /// Adds one; false when there are [`MAX`] already.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn add_saved_reply(&mut self, reply: &SavedReply) -> Result<bool, StoreError> {
        let count: i64 = sqlx::query_scalar(COUNT).fetch_one(self.conn()).await?;
        if count < MAX {
            self.write_saved_reply(INSERT, reply).await?;
        }
        Ok(count < MAX)
    }

    /// Puts one in the place of what it was; false when there is none with its id.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn edit_saved_reply(&mut self, reply: &SavedReply) -> Result<bool, StoreError> {
        self.write_saved_reply(EDIT, reply).await
    }

    async fn write_saved_reply(
        &mut self,
        statement: &'static str,
        reply: &SavedReply,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(statement).bind(&reply.id).bind(&reply.title).bind(&reply.text);
        let query = query.bind(&reply.intent).bind(reply.updated_at);
        Ok(query.execute(self.conn()).await?.rows_affected() > 0)
    }

    /// Removes one; false when there is none with this id.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn delete_saved_reply(&mut self, id: &str) -> Result<bool, StoreError> {
        Ok(sqlx::query(DELETE).bind(id).execute(self.conn()).await?.rows_affected() > 0)
    }
}
