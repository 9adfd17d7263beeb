//! The loop that closes gaps: what was not answered is gathered once a day, answered by the owner, and published through the gate.

pub mod autonomy;
pub mod changes;
mod draft;
mod gather;
pub mod publish;
mod refresh;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify};

use crate::app::App;
use crate::jobs::{self, Due};
use crate::store::{StoreError, Tx};

pub use refresh::{RefreshError, refresh};

/// What is looked back at: four weeks, in milliseconds.
pub const WINDOW_MS: i64 = 28 * DAY_MS;
const DAY_MS: i64 = 24 * 3_600_000;
/// How soon after the first start the gaps are gathered.
const FIRST_MS: i64 = 3_600_000;
/// The one subject of the job.
const ALL: &str = "all";
/// Name under which it is kept when the gaps were gathered.
const AS_OF: &str = "gaps_as_of";
/// How long background work may wait for an encoder that visitors keep busy.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the gathering needs while the server runs.
#[derive(Debug, Default)]
pub struct Desk {
    bell: Notify,
    /// Held while the gaps are gathered: one at a time.
    turn: Mutex<()>,
}

/// Gathers the gaps whenever the job is due, until the server stops.
pub async fn keep(app: Arc<App>) {
    if let Err(error) = plan_first(&app).await {
        tracing::error!(%error, "it could not be planned to gather the gaps");
    }
    while app.shutdown.run_until_cancelled(app.gaps.bell.notified()).await.is_some() {
        match app.shutdown.run_until_cancelled(refresh(&app)).await {
            Some(Err(error)) => tracing::warn!("the gaps could not be gathered: {error}"),
            Some(Ok(())) => {}
            None => break,
        }
    }
}

async fn plan_first(app: &App) -> Result<(), StoreError> {
    if app.store.planned(jobs::GAPS, ALL).await?.is_some() {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    plan(&mut tx, app.clock.now_ms() + FIRST_MS).await?;
    tx.commit().await
}

async fn plan(tx: &mut Tx, due_at: i64) -> Result<(), StoreError> {
    let due = Due { kind: jobs::GAPS.into(), subject: ALL.into(), due_at, body: "{}".into() };
    jobs::plan(tx, due).await
}

/// It is time again. The work itself is done beside: it takes longer than a transaction may.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn due(app: &App, tx: &mut Tx) -> Result<(), StoreError> {
    plan(tx, app.clock.now_ms() + DAY_MS).await?;
    app.gaps.bell.notify_one();
    Ok(())
}

/// When the gaps were gathered last, in milliseconds since 1970.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn as_of(app: &App) -> Result<Option<i64>, StoreError> {
    Ok(app.store.choice(AS_OF).await?.and_then(|json| json.parse().ok()))
}

/// Says when background work has to give up: the server stops, or it waited for too long.
fn patience(app: &Arc<App>) -> impl Fn() -> Result<(), String> + use<> {
    let (app, until) = (Arc::clone(app), std::time::Instant::now() + PATIENCE);
    move || {
        if app.shutdown.is_cancelled() {
            return Err("the server stops".into());
        }
        let busy = "visitors keep the encoder busy; try again later";
        if std::time::Instant::now() > until { Err(busy.into()) } else { Ok(()) }
    }
}
