//! The stream of events: each is written in the transaction of what causes it, and told to the webhooks that want it.

pub mod check;
pub mod convert;
pub mod visits;
pub mod wire;

use engine::metrics::event::{By, What};

use crate::app::App;
use crate::outbox::{self, Channel, Parcel};
use crate::store::conversations::Conversation;
use crate::store::{StoreError, Tx};

/// Events that may wait for one webhook; notices have room beside them.
const STREAMED: i64 = 2_000;

/// Writes what has happened in a conversation, within the transaction of its cause.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn record(
    app: &App,
    tx: &mut Tx,
    conversation: Option<&str>,
    what: What,
) -> Result<(), StoreError> {
    record_in(app, tx, (conversation, None), what).await
}

/// Writes what has happened in a visit; without one, in the visit in which the conversation began.
async fn record_in(
    app: &App,
    tx: &mut Tx,
    place: (Option<&str>, Option<&str>),
    what: What,
) -> Result<(), StoreError> {
    let (id, now) = (app.ids.id(), app.clock.now_ms());
    let event = tx.insert_event((&id, now), place, &what).await?;
    app.measured.notify_one();
    let prompts = app.mind.prompts();
    // Most owners stream nothing, and this stands on the way of every message.
    if prompts.notify.webhook.iter().all(|hook| hook.stream.is_empty()) {
        return Ok(());
    }
    let name = wire::name(&event.what);
    for hook in prompts.notify.webhook.iter().filter(|hook| hook.streams(name)) {
        let parcel = Parcel {
            channel: Channel::Webhook,
            target: hook.id.clone(),
            event: name.into(),
            conversation: event.conversation.clone().unwrap_or_default(),
            body: wire::body(&event),
            digest_at: None,
        };
        outbox::put_some(app, tx, (parcel, STREAMED), now).await?;
    }
    Ok(())
}

/// A case is resolved: its timers stop. Where none is open nothing is written.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn resolved(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    by: By,
) -> Result<(), StoreError> {
    let tags = tx.intents_of(&row.id).await?;
    let mut running = row.running();
    let what = running.resolved(by, app.clock.now_ms(), tags);
    row.timers = running.into();
    match what {
        Some(what) => record(app, tx, Some(&row.id), what).await,
        None => Ok(()),
    }
}
