//! Which documents answers have cited so far.

use std::collections::HashSet;

use serde::Deserialize;
use sqlx::FromRow;

use super::{Store, StoreError};

const SENT: &str = "SELECT conversation, seq, citations FROM messages WHERE citations <> '[]' \
    AND (conversation > $1 OR (conversation = $1 AND seq > $2)) ORDER BY conversation, seq LIMIT $3";
const HELD: &str = "SELECT id AS conversation, for_seq AS seq, citations FROM suggestions WHERE citations <> '[]' \
    AND id > $1 ORDER BY id LIMIT $2";
/// Rows that are read at once.
const PAGE: i64 = 1_000;

#[derive(FromRow)]
struct Row {
    conversation: String,
    seq: i64,
    citations: String,
}

#[derive(Deserialize)]
struct Cited {
    doc: String,
}

impl Store {
    /// Documents that sent answers or suggestions have cited.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn cited(&self) -> Result<HashSet<String>, StoreError> {
        let mut found = HashSet::new();
        let mut after = (String::new(), 0);
        loop {
            let page = sqlx::query_as(SENT).bind(&after.0).bind(after.1).bind(PAGE);
            let rows: Vec<Row> = page.fetch_all(&self.readers).await?;
            let Some(last) = rows.last() else { break };
            after = (last.conversation.clone(), last.seq);
            found.extend(rows.iter().flat_map(documents));
        }
        let mut after = String::new();
        loop {
            let page = sqlx::query_as(HELD).bind(&after).bind(PAGE);
            let rows: Vec<Row> = page.fetch_all(&self.readers).await?;
            let Some(last) = rows.last() else { return Ok(found) };
            after.clone_from(&last.conversation);
            found.extend(rows.iter().flat_map(documents));
        }
    }
}

/// The documents of one list of citations; a damaged list names none.
fn documents(row: &Row) -> Vec<String> {
    let cited: Vec<Cited> = serde_json::from_str(&row.citations).unwrap_or_default();
    cited.into_iter().map(|citation| citation.doc).collect()
}
