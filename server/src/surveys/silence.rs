//! Silence: a chat in which nobody writes any more counts as resolved, unless anything is open in it.

use engine::conversation::State;
use engine::surveys::{Quiet, Silence, silence};
use engine::turn::Speaker;

use crate::app::App;
use crate::closing;
use crate::conversation::Refusal;
use crate::jobs::{self, Due};
use crate::publish::Changes;
use crate::store::conversations::Conversation;
use crate::store::{StoreError, Tx};

/// Somebody of the owner's side has spoken, or something in the conversation has come to its end: it is looked again after a silence.
///
/// # Errors
/// When the database fails.
pub async fn listen(app: &App, tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    let Some(hours) = app.mind.prompts().surveys.silence_hours else { return Ok(()) };
    plan(tx, id, app.clock.now_ms() + i64::from(hours) * 3_600_000).await
}

async fn plan(tx: &mut Tx, id: &str, due_at: i64) -> Result<(), StoreError> {
    let due = Due { kind: jobs::SILENCE.into(), subject: id.into(), due_at, body: "{}".into() };
    jobs::plan(tx, due).await
}

/// Due work: the silence has lasted. When in doubt the chat stays open; the next answer plans another look.
///
/// # Errors
/// When the database fails.
pub async fn due(app: &App, tx: &mut Tx, id: &str) -> Result<Vec<Changes>, StoreError> {
    let Some(mut row) = tx.conversation(id).await? else { return Ok(vec![]) };
    let quiet = quiet(tx, &row).await?;
    match silence(&app.mind.prompts().surveys, quiet, app.clock.now_ms()) {
        Silence::Keeps => Ok(vec![]),
        Silence::Until(at) => {
            plan(tx, id, at).await?;
            Ok(vec![])
        }
        Silence::Resolves => match closing::fall_silent(app, tx, &mut row).await {
            Ok(()) => Ok(vec![Changes { conversation: row, messages: vec![], passed: true }]),
            Err(Refusal::Store(error)) => Err(error),
            Err(_) => Ok(vec![]),
        },
    }
}

async fn quiet(tx: &mut Tx, row: &Conversation) -> Result<Quiet, StoreError> {
    let last = tx.last_word(&row.id).await?;
    let loose = tx.loose_ends(&row.id).await?;
    let state: State = row.holder()?;
    let last_at = last.as_ref().map_or(row.updated_at, |(_, at, _)| *at);
    let asks = last.as_ref().is_some_and(|(_, _, text)| text.trim_end().ends_with('?'));
    let last: Option<Speaker> = last.and_then(|(speaker, _, _)| speaker.parse().ok());
    Ok(Quiet { state, last, asks, last_at, open: u32::try_from(loose).unwrap_or(u32::MAX) })
}
