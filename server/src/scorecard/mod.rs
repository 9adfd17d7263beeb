//! The scorecard: every figure follows from the events, by a cache of cases that is filled soon after they happen.

pub mod assumptions;
pub mod boards;
pub mod items;
mod letter;
pub mod measure;
pub mod week;
pub mod weekly;

use std::sync::Arc;
use std::time::Duration;

use engine::metrics::cases;

use crate::app::App;
use crate::store::cases::Mark;
use crate::store::{Store, StoreError};

/// In which form cases are written. It rises whenever a case of the same events would be another one; all are made anew then.
const FORM: i64 = 1;
/// Events that are read at once: their cases are written in one short transaction.
const EVENTS: i64 = 2_000;
/// How often it is looked, even when nothing rings: the week's mail has its hour.
const EVERY: Duration = Duration::from_secs(20);
/// Events that come close together are read together.
const GATHER: Duration = Duration::from_secs(2);

/// What the scorecards of a running server share.
#[derive(Debug, Default)]
pub struct Desk {
    /// Held while the cases are brought up to date, so that nobody does it twice.
    reading: tokio::sync::Mutex<()>,
}

/// Keeps the cases up to date and plans the week's mail, until the server stops.
pub async fn keep(app: Arc<App>) {
    while !app.shutdown.is_cancelled() {
        if let Err(error) = look(&app).await {
            tracing::error!(%error, "the scorecard could not be brought up to date; it is tried again");
        }
        let rung = tokio::time::timeout(EVERY, app.measured.notified());
        app.shutdown.run_until_cancelled(rung).await;
        app.shutdown.run_until_cancelled(tokio::time::sleep(GATHER)).await;
    }
}

/// Does once what [`keep`] does all the time.
///
/// # Errors
/// When the database fails.
pub async fn look(app: &App) -> Result<(), StoreError> {
    refresh(app).await?;
    weekly::look(app).await
}

/// Brings the cases up to the newest event.
///
/// # Errors
/// When the database fails; what was brought up to date stays so.
pub async fn refresh(app: &App) -> Result<(), StoreError> {
    let _one = app.scorecard.reading.lock().await;
    while !app.shutdown.is_cancelled() && step(&app.store).await? {}
    Ok(())
}

/// Reads some more of the stream into the cases; false when there is no more. Safe when several do so at once: whoever comes second
/// changes nothing.
///
/// # Errors
/// When the database fails; nothing has changed then.
pub async fn step(store: &Store) -> Result<bool, StoreError> {
    let before = store.cases_mark().await?;
    let from = if before.form == FORM { before.n } else { 0 };
    let Some((upto, changed)) = store.changed_conversations(from, EVENTS).await? else {
        return Ok(false);
    };
    let mut written = Vec::with_capacity(changed.len());
    for conversation in changed {
        // Whole conversations: an event changes cases that began long before it. What comes after `upto` is read again later.
        let all = cases(&store.events_of(&conversation).await?);
        let bodies = all
            .iter()
            .map(|case| ((case.place, case.began_at), crate::protocol::record::json(case)));
        written.push((conversation, bodies.collect::<Vec<_>>()));
    }
    let mut tx = store.begin().await?;
    if !tx.move_cases_mark(before, Mark { n: upto, form: FORM }).await? {
        return Ok(true);
    }
    for (conversation, bodies) in written {
        for (at, body) in &bodies {
            tx.put_case(&conversation, *at, body).await?;
        }
        let last = bodies.last().map_or(0, |((place, _), _)| *place);
        tx.forget_cases(&conversation, last).await?;
    }
    tx.commit().await?;
    Ok(true)
}
