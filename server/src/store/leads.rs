//! Leads: what visitors have left in flows that ask for it.

use sqlx::FromRow;

use super::{Store, StoreError, Tx};

const NEWEST: &str = "SELECT id, conversation, flow, title, level, status, slots, urgent, created_at, updated_at \
    FROM leads ORDER BY updated_at DESC, id LIMIT $1";
const ONE: &str = "SELECT id, conversation, flow, title, level, status, slots, urgent, created_at, updated_at \
    FROM leads WHERE conversation = $1 AND flow = $2";
const PUT: &str = "INSERT INTO leads (id, conversation, flow, title, level, status, slots, urgent, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (conversation, flow) DO UPDATE SET \
    title = excluded.title, level = excluded.level, status = excluded.status, slots = excluded.slots, \
    urgent = excluded.urgent, updated_at = excluded.updated_at";

/// A lead as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LeadRow {
    /// 32 hex digits.
    pub id: String,
    /// Its conversation.
    pub conversation: String,
    /// Id of the flow.
    pub flow: String,
    /// Name of the flow for people.
    pub title: String,
    /// Word of an [`engine::flows::Level`].
    pub level: String,
    /// Word of an [`engine::flows::LeadStatus`].
    pub status: String,
    /// JSON list of [`engine::tasks::Row`]s.
    pub slots: String,
    /// 1 when the owner wants to be told at once.
    pub urgent: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

impl Store {
    /// The leads that changed last, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn leads(&self, limit: i64) -> Result<Vec<LeadRow>, StoreError> {
        Ok(sqlx::query_as(NEWEST).bind(limit).fetch_all(&self.readers).await?)
    }
}

impl Tx {
    /// The lead of a conversation and flow.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn lead(
        &mut self,
        conversation: &str,
        flow: &str,
    ) -> Result<Option<LeadRow>, StoreError> {
        let query = sqlx::query_as(ONE).bind(conversation).bind(flow);
        Ok(query.fetch_optional(self.conn()).await?)
    }

    /// Keeps a lead in the place of what the conversation and flow had; that one's id and beginning stay.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn put_lead(&mut self, lead: &LeadRow) -> Result<(), StoreError> {
        sqlx::query(PUT)
            .bind(&lead.id)
            .bind(&lead.conversation)
            .bind(&lead.flow)
            .bind(&lead.title)
            .bind(&lead.level)
            .bind(&lead.status)
            .bind(&lead.slots)
            .bind(lead.urgent)
            .bind(lead.created_at)
            .bind(lead.updated_at)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}
