//! Waiting for a visitor's further words: when the reply to what they wrote is due, and how typing puts it off.

use engine::settle::{self, LONGEST_MS};

use crate::app::App;
use crate::store::StoreError;
use crate::store::jobs::Due;

/// When the reply to a message that came at `now` is due. Words that come before the last reply was begun or ended share its limit,
/// `unfinished_by`.
pub(crate) fn due(app: &App, unfinished_by: Option<i64>, (text, now): (&str, i64)) -> Due {
    let by = unfinished_by.unwrap_or(now + LONGEST_MS);
    Due { at: settle::due(text, (now, by), app.mind.settle_ms), by }
}

/// The visitor types, or has stopped: a reply that nobody has begun waits for them, as long as its limit allows.
pub(crate) async fn typing(app: &App, conversation: &str, on: bool) -> Result<(), StoreError> {
    if app.mind.settle_ms == 0 {
        return Ok(());
    }
    let Some(due) = app.store.waiting_job(conversation).await? else { return Ok(()) };
    let silent = app.clock.now_ms() + app.mind.settle_ms;
    let at = if on { due.by } else { silent.min(due.by) };
    if at == due.at {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    tx.put_off_job(conversation, at).await?;
    tx.commit().await?;
    app.desk.ring();
    Ok(())
}
