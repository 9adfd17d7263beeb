//! Files that visitors have sent: what is known of them. Their bytes lie in the data folder.

use std::collections::HashSet;

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const BY_ID: &str = "SELECT id, conversation, name, media, bytes, at FROM files WHERE id = $1";
const IDS: &str = "SELECT id FROM files";
const SENT: &str = "SELECT COUNT(*) FROM files WHERE conversation = $1";
const TOTAL: &str = "SELECT COALESCE(SUM(bytes), 0) FROM files";
const INSERT: &str = "INSERT INTO files (id, conversation, name, media, bytes, at) VALUES ($1, $2, $3, $4, $5, $6)";

/// A file as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct File {
    /// 32 hex digits; its name in the data folder.
    pub id: String,
    /// Its conversation.
    pub conversation: String,
    /// Its name, cleaned.
    pub name: String,
    /// Its type, read from its content.
    pub media: String,
    /// Its size.
    pub bytes: i64,
    /// Milliseconds since 1970.
    pub at: i64,
}

impl Store {
    /// One file.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn file(&self, id: &str) -> Result<Option<File>, StoreError> {
        Ok(sqlx::query_as(BY_ID).bind(id).fetch_optional(&self.readers).await?)
    }

    /// Ids of all files.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn file_ids(&self) -> Result<HashSet<String>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar(IDS).fetch_all(&self.readers).await?;
        Ok(ids.into_iter().collect())
    }
}

impl Tx {
    /// How many files a conversation has, and the bytes of all conversations' files.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn files_kept(&mut self, conversation: &str) -> Result<(i64, i64), StoreError> {
        let sent = sqlx::query_scalar(SENT).bind(conversation).fetch_one(self.conn()).await?;
        Ok((sent, sqlx::query_scalar(TOTAL).fetch_one(self.conn()).await?))
    }

    /// Adds a file.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn add_file(&mut self, file: &File) -> Result<(), StoreError> {
        sqlx::query(INSERT)
            .bind(&file.id)
            .bind(&file.conversation)
            .bind(&file.name)
            .bind(&file.media)
            .bind(file.bytes)
            .bind(file.at)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
