//! The end of a conversation: everything that was going on in it ends with it, and its case is resolved.

use engine::conversation::{Event, State, next};
use engine::metrics::event::By;
use engine::turn::Speaker;

use crate::app::App;
use crate::conversation::{Refusal, Visitor, changed};
use crate::publish::Changes;
use crate::store::Tx;
use crate::store::conversations::Conversation;
use crate::store::messages::Message;
use crate::{events, jobs, promises, surveys, tasks};

/// An owner closes the conversation.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn close(app: &App, id: &str) -> Result<Changes, Refusal> {
    let mut tx = app.store.begin().await?;
    let mut row = tx.conversation(id).await?.ok_or(Refusal::Unknown)?;
    end(app, &mut tx, &mut row, By::Owner).await?;
    let line = Message::plain(Speaker::System, "The conversation was closed.");
    changed(app, tx, row, vec![line]).await
}

/// The visitor ends the conversation. Nothing changes where none has begun, or it has ended.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn leave(app: &App, visitor: &Visitor) -> Result<Option<Changes>, Refusal> {
    let Some(id) = &visitor.conversation else { return Ok(None) };
    let mut tx = app.store.begin().await?;
    let row = tx.conversation(id).await?.filter(|row| row.token_hash == visitor.token_hash);
    let mut row = row.ok_or(Refusal::Unknown)?;
    if row.holder()? == State::Closed {
        return Ok(None);
    }
    end(app, &mut tx, &mut row, By::Visitor).await?;
    let line = Message::plain(Speaker::System, "Chat ended by the visitor.");
    Ok(Some(changed(app, tx, row, vec![line]).await?))
}

/// Silence ends the conversation, within a transaction that may do more. It says nothing: nobody is to be disturbed.
///
/// # Errors
/// [`Refusal`].
pub(crate) async fn fall_silent(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
) -> Result<(), Refusal> {
    end(app, tx, row, By::Silence).await?;
    Ok(tx.update_conversation(row).await?)
}

/// Ends a conversation within a transaction that may do more; the row is still to be written.
///
/// # Errors
/// [`Refusal`].
pub(crate) async fn end(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    by: By,
) -> Result<(), Refusal> {
    let now = app.clock.now_ms();
    row.pass_to(next(row.holder()?, Event::Close)?, now);
    promises::ended(tx, &row.id, now).await?;
    tasks::drop_task(tx, &row.id, now).await?;
    tx.outdate_jobs(&row.id).await?;
    tx.outdate_suggestions(&row.id).await?;
    jobs::drop(tx, jobs::SILENCE, &row.id).await?;
    let running = row.running();
    events::resolved(app, tx, row, by).await?;
    if running.began_at.is_some() && running.resolved_at.is_none() {
        surveys::resolved(app, tx, row, by).await?;
    }
    Ok(())
}
