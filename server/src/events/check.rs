//! Whether the stream of events of a conversation is whole: what a trial of the owner is judged by.

use engine::metrics::audit::{self, Check};
use engine::metrics::event::Event;
use serde::Serialize;

use super::wire;
use crate::app::App;
use crate::store::StoreError;

/// What a conversation's events come to.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The conversation; none while it has not begun.
    pub conversation: Option<String>,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// The events, in their order.
    pub events: Vec<serde_json::Value>,
}

/// Judges a trial by its ticket; none when there is no such trial.
///
/// # Errors
/// [`StoreError`].
pub async fn trial(app: &App, ticket: &str) -> Result<Option<Report>, StoreError> {
    let Some(visit) = app.store.visit(ticket).await?.filter(|visit| visit.staging == 1) else {
        return Ok(None);
    };
    let mut events = match visit.opened_at {
        0 => vec![],
        _ => app.store.events_of_visit(&visit).await?,
    };
    let conversation = app.store.conversation_of_session(ticket).await?;
    if let Some(id) = &conversation {
        events.extend(app.store.events_of(id).await?);
    }
    Ok(Some(report(conversation, &events)))
}

/// Judges a conversation; none when there is no such conversation.
///
/// # Errors
/// [`StoreError`].
pub async fn conversation(app: &App, id: &str) -> Result<Option<Report>, StoreError> {
    let Some(row) = app.store.conversation(id).await? else { return Ok(None) };
    let mut events = Vec::new();
    if let Some(session) = &row.session
        && let Some(visit) = app.store.visit(session).await?
    {
        events = app.store.events_of_visit(&visit).await?;
    }
    events.extend(app.store.events_of(id).await?);
    Ok(Some(report(Some(row.id), &events)))
}

fn report(conversation: Option<String>, events: &[Event]) -> Report {
    let checks = audit::audit(events);
    Report { conversation, checks, events: events.iter().map(wire::value).collect() }
}
