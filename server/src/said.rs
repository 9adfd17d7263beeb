//! The one way of every message: stored, timed, and written into the stream of events, in one transaction.

use engine::metrics::event::What;
use engine::turn::Speaker;

use crate::app::App;
use crate::events::record;
use crate::store::conversations::Conversation;
use crate::store::messages::Message;
use crate::store::{StoreError, Tx};
use crate::surveys::silence;

/// Gives a message the next place, stores and times it. The conversation's row moves with it, to be written by
/// [`Tx::update_conversation`].
///
/// # Errors
/// When the database fails.
pub async fn say(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    message: Message,
) -> Result<Message, StoreError> {
    say_from(app, tx, row, (message, None)).await
}

/// As [`say`], of words that began with a saved reply.
///
/// # Errors
/// When the database fails.
pub async fn say_from(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    (message, template): (Message, Option<String>),
) -> Result<Message, StoreError> {
    let message = tx.append(row, message, app.clock.now_ms()).await?;
    let from = speaker(&message)?;
    let moment = message.written_at.unwrap_or(message.at);
    let mut running = row.running();
    let timed = running.said(from, moment);
    row.timers = running.into();
    let hours = |since: i64| {
        let prompts = app.mind.prompts();
        let hours = &prompts.books.hours;
        hours.is_set().then(|| hours.open_ms_between(since, moment.max(since)))
    };
    let sent = What::MessageSent {
        seq: message.seq,
        from,
        answers: message.reply_to,
        answer: message.draft_id.is_some() && from == Speaker::Bot,
        written_at: message.written_at,
        open_ms: timed.waited_since.and_then(hours),
        template,
    };
    if let Some(after_ms) = timed.reopened_after {
        record(app, tx, Some(&row.id), What::ChatReopened { after_ms }).await?;
    }
    record(app, tx, Some(&row.id), sent).await?;
    if let Some(since) = timed.first_since {
        let ms = (moment - since).max(0);
        let first = What::FirstResponse { from, ms, open_ms: hours(since) };
        record(app, tx, Some(&row.id), first).await?;
    }
    if matches!(from, Speaker::Bot | Speaker::Owner) {
        silence::listen(app, tx, &row.id).await?;
    }
    Ok(message)
}

fn speaker(message: &Message) -> Result<Speaker, StoreError> {
    let unknown =
        |()| StoreError::Meaning { what: "who wrote a message", value: message.speaker.clone() };
    message.speaker.parse().map_err(|_| unknown(()))
}
