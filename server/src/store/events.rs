//! The stream of events, and the visits that they happen in.

use engine::metrics::event::{Event, Visit, What};
use sqlx::FromRow;

use super::{Store, StoreError, Tx};
use crate::events::convert::Told;

const INSERT: &str = "INSERT INTO events (n, id, at, conversation, session, name, data) \
    SELECT COALESCE(MAX(n), 0) + 1, $1, $2, $3, \
    COALESCE($4, (SELECT session FROM conversations WHERE id = $3)), $5, $6 FROM events \
    RETURNING n, session";
const AFTER: &str = "SELECT n, id, at, conversation, session, name, data FROM events WHERE n > $1 \
    AND ($2 = '' OR name = $2) AND ($3 = '' OR conversation = $3) AND at >= $4 AND at < $5 ORDER BY n LIMIT $6";
const BEFORE: &str = "SELECT n, id, at, conversation, session, name, data FROM events WHERE n < $1 \
    AND ($2 = '' OR name = $2) AND ($3 = '' OR conversation = $3) AND at >= $4 AND at < $5 ORDER BY n DESC LIMIT $6";
const CONVERSIONS: &str =
    "SELECT data FROM events WHERE conversation = $1 AND name = 'converted' AND at > $2";
const OF: &str = "SELECT n, id, at, conversation, session, name, data FROM events WHERE conversation = $1 ORDER BY n";
const OF_VISIT: &str = "SELECT n, id, at, conversation, session, name, data FROM events WHERE conversation IS NULL \
    AND name = 'chat_opened' AND session = $1 AND at >= $2 ORDER BY n";
const NEW_VISIT: &str = "INSERT INTO visits (session, visitor, page, referrer, campaign, staging, opened_at) \
    VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT (session) DO NOTHING";
const STAGED_VISIT: &str = "INSERT INTO visits (session, visitor, page, referrer, campaign, staging, opened_at) \
    VALUES ($1, '', '', '', '', 1, 0)";
const OPEN_STAGED: &str = "UPDATE visits SET visitor = $2, page = $3, referrer = $4, campaign = $5, opened_at = $6 \
    WHERE session = $1 AND staging = 1 AND opened_at = 0";
const VISIT: &str = "SELECT session, visitor, page, referrer, campaign, staging, opened_at FROM visits WHERE session = $1";
const BY_SESSION: &str =
    "SELECT id FROM conversations WHERE session = $1 ORDER BY created_at DESC, id LIMIT 1";
const BY_VISITOR: &str =
    "SELECT id FROM conversations WHERE visitor = $1 ORDER BY created_at DESC, id LIMIT 1";
const HEAD: &str = "SELECT COALESCE(MAX(n), 0) FROM events";

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
struct Row {
    n: i64,
    id: String,
    at: i64,
    conversation: Option<String>,
    session: Option<String>,
    name: String,
    data: String,
}

/// A visit as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct VisitRow {
    /// 32 hex digits.
    pub session: String,
    /// The browser; empty for unknown.
    pub visitor: String,
    /// Address of the page.
    pub page: String,
    /// Address of the page before.
    pub referrer: String,
    /// `source / medium / campaign`.
    pub campaign: String,
    /// 1 when the owner tries out the measuring.
    pub staging: i64,
    /// Milliseconds since 1970, 0 while nothing was opened.
    pub opened_at: i64,
}

impl VisitRow {
    /// Where it came from.
    pub fn visit(&self) -> Visit {
        Visit {
            page: self.page.clone(),
            referrer: self.referrer.clone(),
            campaign: self.campaign.clone(),
            visitor: self.visitor.clone(),
        }
    }
}

/// Which events are wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Name of the event, empty for all.
    pub name: String,
    /// The conversation, empty for all.
    pub conversation: String,
    /// The earliest moment, in milliseconds since 1970.
    pub from: i64,
    /// The moment before which they happened.
    pub to: i64,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { name: String::new(), conversation: String::new(), from: i64::MIN, to: i64::MAX }
    }
}

/// From which place of the stream, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// Those after it, the oldest first.
    After(i64),
    /// Those before it, the newest first.
    Before(i64),
}

fn read(row: Row) -> Result<Event, StoreError> {
    let Row { n, id, at, conversation, session, name, data } = row;
    let meaning =
        |data: &str| StoreError::Meaning { what: "an event", value: format!("{name} {data}") };
    let value: serde_json::Value = serde_json::from_str(&data).map_err(|_| meaning(&data))?;
    let tagged = serde_json::json!({ "name": name, "data": value });
    let what: What = serde_json::from_value(tagged).map_err(|_| meaning(&data))?;
    Ok(Event { n, id, at, conversation, session, what })
}

/// Name and JSON of what happened.
fn written(what: &What) -> (String, String) {
    let mut value = serde_json::to_value(what).unwrap_or_default();
    let name = value["name"].as_str().unwrap_or_default().to_owned();
    (name, value["data"].take().to_string())
}

impl Store {
    /// Events that are wanted, `limit` at most.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events(
        &self,
        wanted: &Wanted,
        cursor: Cursor,
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let (query, n) = match cursor {
            Cursor::After(n) => (AFTER, n),
            Cursor::Before(n) => (BEFORE, n),
        };
        let rows: Vec<Row> = sqlx::query_as(query)
            .bind(n)
            .bind(&wanted.name)
            .bind(&wanted.conversation)
            .bind(wanted.from)
            .bind(wanted.to)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(read).collect()
    }

    /// All events of a conversation, in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_of(&self, conversation: &str) -> Result<Vec<Event>, StoreError> {
        let query = sqlx::query_as(OF).bind(conversation);
        query.fetch_all(&self.readers).await?.into_iter().map(read).collect()
    }

    /// Events of a visit before its conversation began.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_of_visit(&self, visit: &VisitRow) -> Result<Vec<Event>, StoreError> {
        let query = sqlx::query_as(OF_VISIT).bind(&visit.session).bind(visit.opened_at);
        query.fetch_all(&self.readers).await?.into_iter().map(read).collect()
    }

    /// The newest place of the stream, 0 for none.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn events_head(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(HEAD).fetch_one(&self.readers).await?)
    }

    /// A visit.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn visit(&self, session: &str) -> Result<Option<VisitRow>, StoreError> {
        Ok(sqlx::query_as(VISIT).bind(session).fetch_optional(&self.readers).await?)
    }

    /// The newest conversation that began in a visit.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn conversation_of_session(
        &self,
        session: &str,
    ) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(BY_SESSION).bind(session).fetch_optional(&self.readers).await?)
    }

    /// The newest conversation that began in a browser.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn conversation_of_visitor(
        &self,
        visitor: &str,
    ) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(BY_VISITOR).bind(visitor).fetch_optional(&self.readers).await?)
    }
}

impl Tx {
    /// What the visitor of a conversation has done since a moment that the owner hopes for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn conversions(
        &mut self,
        conversation: &str,
        since: i64,
    ) -> Result<Vec<Told>, StoreError> {
        let query = sqlx::query_scalar(CONVERSIONS).bind(conversation).bind(since);
        let told: Vec<String> = query.fetch_all(self.conn()).await?;
        let read = |data: String| {
            let meaning = |_| StoreError::Meaning { what: "a conversion", value: data.clone() };
            serde_json::from_str(&data).map_err(meaning)
        };
        told.into_iter().map(read).collect()
    }

    /// Puts an event behind all others; its place and its visit come back. A conversation's own visit is taken where none is named.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn insert_event(
        &mut self,
        (id, at): (&str, i64),
        (conversation, session): (Option<&str>, Option<&str>),
        what: &What,
    ) -> Result<Event, StoreError> {
        let (name, data) = written(what);
        let (n, session): (i64, Option<String>) = sqlx::query_as(INSERT)
            .bind(id)
            .bind(at)
            .bind(conversation)
            .bind(session)
            .bind(&name)
            .bind(&data)
            .fetch_one(self.conn())
            .await?;
        let conversation = conversation.map(str::to_owned);
        Ok(Event { n, id: id.into(), at, conversation, session, what: what.clone() })
    }

    /// Notes that a visit has opened the chat; whether that is news.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn open_visit(
        &mut self,
        session: &str,
        visit: &Visit,
        now: i64,
    ) -> Result<bool, StoreError> {
        for query in [NEW_VISIT, OPEN_STAGED] {
            let done = sqlx::query(query)
                .bind(session)
                .bind(&visit.visitor)
                .bind(&visit.page)
                .bind(&visit.referrer)
                .bind(&visit.campaign)
                .bind(now)
                .execute(self.conn())
                .await?;
            if done.rows_affected() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes a visit for trying out.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn stage_visit(&mut self, session: &str) -> Result<(), StoreError> {
        sqlx::query(STAGED_VISIT).bind(session).execute(self.conn()).await?;
        Ok(())
    }

    /// A visit, as it is inside this transaction.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn visit(&mut self, session: &str) -> Result<Option<VisitRow>, StoreError> {
        Ok(sqlx::query_as(VISIT).bind(session).fetch_optional(self.conn()).await?)
    }
}
