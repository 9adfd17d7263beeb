//! What only a check of the whole database asks for: whether the file is sound, and a conversation's jobs.

use sqlx::FromRow;

use super::{Store, StoreError};

const INTEGRITY: &str = "PRAGMA integrity_check";
const JOBS: &str =
    "SELECT for_seq, status, leased_until FROM jobs WHERE conversation = $1 ORDER BY for_seq";

/// A reply job as it stands.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Standing {
    /// The visitor's message that is answered.
    pub for_seq: i64,
    /// `queued`, `leased` or `done`.
    pub status: String,
    /// End of the lease in milliseconds since 1970, 0 before the first.
    pub leased_until: i64,
}

impl Store {
    /// What SQLite says of its own file: the one line `ok`, or what is wrong with it.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn integrity(&self) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(INTEGRITY).fetch_all(&self.readers).await?)
    }

    /// All reply jobs that a conversation ever had, done ones as well.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn jobs_of(&self, conversation: &str) -> Result<Vec<Standing>, StoreError> {
        Ok(sqlx::query_as(JOBS).bind(conversation).fetch_all(&self.readers).await?)
    }
}
