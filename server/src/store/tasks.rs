//! What is being done in a conversation step by step.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const BY_ID: &str =
    "SELECT task, collected, upload_what, upload_until FROM tasks WHERE conversation = $1";
const PUT: &str = "INSERT INTO tasks (conversation, task, collected, upload_what, upload_until, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (conversation) DO UPDATE SET task = excluded.task, \
    collected = excluded.collected, upload_what = excluded.upload_what, upload_until = excluded.upload_until, \
    updated_at = excluded.updated_at";

/// The tasks of one conversation as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Tasks {
    /// JSON of an [`engine::tasks::Task`]; `None` when none is on.
    pub task: Option<String>,
    /// JSON list of [`engine::tasks::Row`]s.
    pub collected: String,
    /// The file that the visitor was asked for.
    pub upload_what: String,
    /// Until when a file may be sent, in milliseconds since 1970; 0 when none may.
    pub upload_until: i64,
}

impl Default for Tasks {
    fn default() -> Self {
        Self { task: None, collected: "[]".into(), upload_what: String::new(), upload_until: 0 }
    }
}

impl Store {
    /// What is being done in a conversation.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn tasks(&self, conversation: &str) -> Result<Tasks, StoreError> {
        let query = sqlx::query_as(BY_ID).bind(conversation);
        Ok(query.fetch_optional(&self.readers).await?.unwrap_or_default())
    }
}

impl Tx {
    /// What is being done in a conversation, as it is inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn tasks(&mut self, conversation: &str) -> Result<Tasks, StoreError> {
        let query = sqlx::query_as(BY_ID).bind(conversation);
        Ok(query.fetch_optional(self.conn()).await?.unwrap_or_default())
    }

    /// Keeps what is being done.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_tasks(
        &mut self,
        conversation: &str,
        tasks: &Tasks,
        now: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(PUT)
            .bind(conversation)
            .bind(&tasks.task)
            .bind(&tasks.collected)
            .bind(&tasks.upload_what)
            .bind(tasks.upload_until)
            .bind(now)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
