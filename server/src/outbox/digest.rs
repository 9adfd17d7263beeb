//! What the quiet hours have held leaves as one parcel for each target.

use serde_json::Value;

use super::Channel;
use crate::app::App;
use crate::store::outbox::Row;
use crate::store::{StoreError, Tx};

/// Parcels that are merged at once; more come in the next digest, a moment later.
const MOST: i64 = 200;
/// Bytes of a digest's text at most.
const MAX_TEXT: usize = 64 * 1024;

/// Puts up one parcel for each target whose quiet hours have ended.
///
/// # Errors
/// [`StoreError::Sql`].
pub(super) async fn gather(app: &App, tx: &mut Tx, now: i64) -> Result<(), StoreError> {
    let held = tx.held_parcels(now, MOST).await?;
    for group in held.chunk_by(|a, b| a.channel == b.channel && a.target == b.target) {
        for row in group {
            tx.merge_parcel(&row.id, now).await?;
        }
        if let Some(row) = merged(app, group, now) {
            tx.insert_parcel(&row).await?;
        }
    }
    Ok(())
}

/// The digest of what waits for one target.
fn merged(app: &App, group: &[Row], now: i64) -> Option<Row> {
    let first = group.first()?;
    let mut body: Value = serde_json::from_str(&first.body).ok()?;
    let heading = match Channel::of(&first.channel)? {
        Channel::Mail => "subject",
        _ => "title",
    };
    if let [_, _, ..] = group {
        let parts: Vec<Value> =
            group.iter().filter_map(|row| serde_json::from_str(&row.body).ok()).collect();
        let text = |part: &Value, key: &str| part[key].as_str().unwrap_or_default().to_owned();
        let mut all = String::new();
        for (number, part) in parts.iter().enumerate() {
            let part = format!(
                "{}. {}\n{}\n\n",
                number + 1,
                text(part, heading),
                text(part, "text").trim_end()
            );
            if all.len() + part.len() > MAX_TEXT {
                all.push_str("More stand in the console.\n");
                break;
            }
            all.push_str(&part);
        }
        body[heading] = format!("{} notices of the quiet hours", parts.len()).into();
        body["text"] = all.trim_end().into();
        for key in ["about", "conversation"] {
            if body.get(key).is_some() {
                body[key] = "".into();
            }
        }
    }
    let several = group.len() > 1;
    Some(Row {
        id: app.ids.id(),
        event: if several { "digest".into() } else { first.event.clone() },
        conversation: if several { String::new() } else { first.conversation.clone() },
        body: body.to_string(),
        created_at: now,
        due_at: now,
        attempts: 0,
        status: "queued".into(),
        ..first.clone()
    })
}
