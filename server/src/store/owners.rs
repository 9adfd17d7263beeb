//! Owners, their sessions and the one-time links that let the first one in.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const COUNT: &str = "SELECT COUNT(*) FROM owners";
const BY_EMAIL: &str = "SELECT id, name, email, password_hash FROM owners WHERE email = $1";
const BY_SESSION: &str = "SELECT o.id, o.name, o.email, o.password_hash FROM owners o \
    JOIN sessions s ON s.owner_id = o.id WHERE s.token_hash = $1 AND s.expires_at > $2";
const INSERT: &str =
    "INSERT INTO owners (id, name, email, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)";
const DELETE_ALL: &str = "DELETE FROM owners";
const DELETE_SESSIONS: &str = "DELETE FROM sessions";
const INSERT_LINK: &str = "INSERT INTO setup_links (token_hash, created_at) VALUES ($1, $2)";
const DELETE_LINKS: &str = "DELETE FROM setup_links";
const LINK: &str = "SELECT COUNT(*) FROM setup_links WHERE token_hash = $1";
const INSERT_SESSION: &str =
    "INSERT INTO sessions (token_hash, owner_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
const DELETE_SESSION: &str = "DELETE FROM sessions WHERE token_hash = $1";
const DELETE_EXPIRED: &str = "DELETE FROM sessions WHERE expires_at <= $1";

/// A person of the owner's side.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Owner {
    /// 32 hex digits.
    pub id: String,
    /// Name that visitors see.
    pub name: String,
    /// Address to sign in with, in lower case.
    pub email: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
}

impl Store {
    /// Whether nobody has signed up yet.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn needs_setup(&self) -> Result<bool, StoreError> {
        let count: i64 = sqlx::query_scalar(COUNT).fetch_one(&self.readers).await?;
        Ok(count == 0)
    }

    /// The owner with this address.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn owner_by_email(&self, email: &str) -> Result<Option<Owner>, StoreError> {
        Ok(sqlx::query_as(BY_EMAIL).bind(email).fetch_optional(&self.readers).await?)
    }

    /// The owner whose session this is, unless it has expired.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn owner_by_session(
        &self,
        token_hash: &str,
        now: i64,
    ) -> Result<Option<Owner>, StoreError> {
        Ok(sqlx::query_as(BY_SESSION)
            .bind(token_hash)
            .bind(now)
            .fetch_optional(&self.readers)
            .await?)
    }
}

impl Tx {
    /// Whether this set-up link is good, and nobody has signed up with it yet.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn link_is_good(&mut self, token_hash: &str) -> Result<bool, StoreError> {
        let links: i64 = sqlx::query_scalar(LINK).bind(token_hash).fetch_one(self.conn()).await?;
        let owners: i64 = sqlx::query_scalar(COUNT).fetch_one(self.conn()).await?;
        Ok(links == 1 && owners == 0)
    }

    /// Makes this the one set-up link.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn replace_link(&mut self, token_hash: &str, now: i64) -> Result<(), StoreError> {
        sqlx::query(DELETE_LINKS).execute(self.conn()).await?;
        sqlx::query(INSERT_LINK).bind(token_hash).bind(now).execute(self.conn()).await?;
        Ok(())
    }

    /// Signs an owner up; all set-up links end.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn insert_owner(&mut self, owner: &Owner, now: i64) -> Result<(), StoreError> {
        sqlx::query(DELETE_LINKS).execute(self.conn()).await?;
        sqlx::query(INSERT)
            .bind(&owner.id)
            .bind(&owner.name)
            .bind(&owner.email)
            .bind(&owner.password_hash)
            .bind(now)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Removes all owners and their sessions; conversations stay.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn remove_owners(&mut self) -> Result<(), StoreError> {
        sqlx::query(DELETE_SESSIONS).execute(self.conn()).await?;
        sqlx::query(DELETE_ALL).execute(self.conn()).await?;
        Ok(())
    }

    /// Opens a session; those that have expired go.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn insert_session(
        &mut self,
        token_hash: &str,
        owner_id: &str,
        (now, expires_at): (i64, i64),
    ) -> Result<(), StoreError> {
        sqlx::query(DELETE_EXPIRED).bind(now).execute(self.conn()).await?;
        sqlx::query(INSERT_SESSION)
            .bind(token_hash)
            .bind(owner_id)
            .bind(now)
            .bind(expires_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn remove_session(&mut self, token_hash: &str) -> Result<(), StoreError> {
        sqlx::query(DELETE_SESSION).bind(token_hash).execute(self.conn()).await?;
        Ok(())
    }
}
