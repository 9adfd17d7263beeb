//! Mails whose answers belong into a conversation, and how far a mailbox has been read.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const ADD: &str = "INSERT INTO mail_threads (token_hash, conversation, side, recipient, created_at) VALUES ($1, $2, $3, $4, $5)";
const BY_TOKEN: &str = "SELECT token_hash, conversation, side, recipient, created_at FROM mail_threads WHERE token_hash = $1";
const READ: &str = "SELECT uid_validity, last_uid FROM mailboxes WHERE name = $1";
const NOTE: &str = "INSERT INTO mailboxes (name, uid_validity, last_uid) VALUES ($1, $2, $3) \
    ON CONFLICT (name) DO UPDATE SET uid_validity = excluded.uid_validity, last_uid = excluded.last_uid";

/// Whose answer is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The owner's.
    Owner,
    /// The visitor's.
    Visitor,
}

impl Side {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Visitor => "visitor",
        }
    }
}

/// A mail that may be answered.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Thread {
    /// Hex SHA-256 of the secret in its Message-ID.
    pub token_hash: String,
    /// Where answers belong.
    pub conversation: String,
    /// Word of a [`Side`].
    pub side: String,
    /// Who may answer, in lower case.
    pub recipient: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// How far a mailbox has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Progress {
    /// Changes when the numbers of the mails have a new meaning.
    pub uid_validity: i64,
    /// Number of the newest mail that was looked at.
    pub last_uid: i64,
}

impl Store {
    /// The mail that carries this secret.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn mail_thread(&self, token_hash: &str) -> Result<Option<Thread>, StoreError> {
        Ok(sqlx::query_as(BY_TOKEN).bind(token_hash).fetch_optional(&self.readers).await?)
    }

    /// How far a mailbox has been read; none before the first time.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn mailbox(&self, name: &str) -> Result<Option<Progress>, StoreError> {
        Ok(sqlx::query_as(READ).bind(name).fetch_optional(&self.readers).await?)
    }
}

impl Tx {
    /// Keeps a mail that may be answered.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn add_mail_thread(&mut self, thread: &Thread) -> Result<(), StoreError> {
        sqlx::query(ADD)
            .bind(&thread.token_hash)
            .bind(&thread.conversation)
            .bind(&thread.side)
            .bind(&thread.recipient)
            .bind(thread.created_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Notes how far a mailbox has been read.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn note_mailbox(&mut self, name: &str, progress: Progress) -> Result<(), StoreError> {
        let query = sqlx::query(NOTE).bind(name);
        query.bind(progress.uid_validity).bind(progress.last_uid).execute(self.conn()).await?;
        Ok(())
    }
}
