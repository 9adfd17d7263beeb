//! Tickets, and what became of them.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const NUMBER: &str = "UPDATE ticket_numbers SET newest = newest + 1 WHERE one = 1 RETURNING newest";
const INSERT: &str = "INSERT INTO tickets (id, number, conversation, subject, summary, tags, priority, status, email, \
    made_by, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const UPDATE: &str = "UPDATE tickets SET subject = $2, summary = $3, tags = $4, priority = $5, status = $6, email = $7, \
    updated_at = $8 WHERE id = $1";
const BY_ID: &str = "SELECT id, number, conversation, subject, summary, tags, priority, status, email, made_by, \
    created_at, updated_at FROM tickets WHERE id = $1";
const OF: &str = "SELECT id, number, conversation, subject, summary, tags, priority, status, email, made_by, \
    created_at, updated_at FROM tickets WHERE conversation = $1 ORDER BY number DESC LIMIT 1";
const NEWEST: &str = "SELECT id, number, conversation, subject, summary, tags, priority, status, email, made_by, \
    created_at, updated_at FROM tickets WHERE ($1 = '' OR status = $1) AND ($2 = '' OR priority = $2) \
    ORDER BY number DESC LIMIT $3";
const LOG: &str = "INSERT INTO ticket_events (ticket, place, at, made_by, what, detail) \
    SELECT $1, COALESCE(MAX(place), 0) + 1, $2, $3, $4, $5 FROM ticket_events WHERE ticket = $1";
const EVENTS: &str =
    "SELECT at, made_by, what, detail FROM ticket_events WHERE ticket = $1 ORDER BY place";

/// A ticket as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Ticket {
    /// 32 hex digits.
    pub id: String,
    /// From 1, for people.
    pub number: i64,
    /// The conversation that it came of.
    pub conversation: String,
    /// What it is about, in one line.
    pub subject: String,
    /// What to know first, lines.
    pub summary: String,
    /// JSON list of labels.
    pub tags: String,
    /// Word of an [`engine::tickets::Priority`].
    pub priority: String,
    /// `open`, `pending` or `solved`.
    pub status: String,
    /// Where the visitor can be reached.
    pub email: Option<String>,
    /// `bot`, or the name of an owner.
    pub made_by: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

/// Something that became of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Change {
    /// Milliseconds since 1970.
    pub at: i64,
    /// `bot`, or the name of an owner.
    pub made_by: String,
    /// `made`, `added`, `replied`, or the name of what was changed.
    pub what: String,
    /// What it is now.
    pub detail: String,
}

impl Store {
    /// One ticket.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn ticket(&self, id: &str) -> Result<Option<Ticket>, StoreError> {
        Ok(sqlx::query_as(BY_ID).bind(id).fetch_optional(&self.readers).await?)
    }

    /// The newest ticket of a conversation.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn ticket_of(&self, conversation: &str) -> Result<Option<Ticket>, StoreError> {
        Ok(sqlx::query_as(OF).bind(conversation).fetch_optional(&self.readers).await?)
    }

    /// The newest tickets of a status and a priority, each of any when it is empty, `limit` at most.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn tickets(
        &self,
        (status, priority): (&str, &str),
        limit: i64,
    ) -> Result<Vec<Ticket>, StoreError> {
        let query = sqlx::query_as(NEWEST).bind(status).bind(priority).bind(limit);
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// What became of a ticket, in order.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn ticket_changes(&self, ticket: &str) -> Result<Vec<Change>, StoreError> {
        Ok(sqlx::query_as(EVENTS).bind(ticket).fetch_all(&self.readers).await?)
    }
}

impl Tx {
    /// One ticket, as it is inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn ticket(&mut self, id: &str) -> Result<Option<Ticket>, StoreError> {
        Ok(sqlx::query_as(BY_ID).bind(id).fetch_optional(self.conn()).await?)
    }

    /// The newest ticket of a conversation, as it is inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn ticket_of(&mut self, conversation: &str) -> Result<Option<Ticket>, StoreError> {
        Ok(sqlx::query_as(OF).bind(conversation).fetch_optional(self.conn()).await?)
    }

    /// Adds a ticket under the next number, which it is given.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn add_ticket(&mut self, ticket: Ticket) -> Result<Ticket, StoreError> {
        let number = sqlx::query_scalar(NUMBER).fetch_one(self.conn()).await?;
        let ticket = Ticket { number, ..ticket };
        sqlx::query(INSERT)
            .bind(&ticket.id)
            .bind(ticket.number)
            .bind(&ticket.conversation)
            .bind(&ticket.subject)
            .bind(&ticket.summary)
            .bind(&ticket.tags)
            .bind(&ticket.priority)
            .bind(&ticket.status)
            .bind(&ticket.email)
            .bind(&ticket.made_by)
            .bind(ticket.created_at)
            .bind(ticket.updated_at)
            .execute(self.conn())
            .await?;
        Ok(ticket)
    }

    /// Writes all that may change of a ticket.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn update_ticket(&mut self, ticket: &Ticket) -> Result<(), StoreError> {
        sqlx::query(UPDATE)
            .bind(&ticket.id)
            .bind(&ticket.subject)
            .bind(&ticket.summary)
            .bind(&ticket.tags)
            .bind(&ticket.priority)
            .bind(&ticket.status)
            .bind(&ticket.email)
            .bind(ticket.updated_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Notes what became of a ticket; nothing is ever taken away again.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn log_ticket(&mut self, ticket: &str, change: &Change) -> Result<(), StoreError> {
        sqlx::query(LOG)
            .bind(ticket)
            .bind(change.at)
            .bind(&change.made_by)
            .bind(&change.what)
            .bind(&change.detail)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
