//! Sends parcels: a few at once and one for each target, again after a failure, and each until it is sent or given up.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Unsent, digest};
use crate::app::App;
use crate::notify;
use crate::store::StoreError;
use crate::store::outbox::Row;

/// Parcels that are sent at once.
const AT_ONCE: usize = 4;
/// Of these at most so many that have failed before: targets that answer do not wait for those that do not.
const RETRIES_AT_ONCE: usize = 2;
/// How often the rows are looked at when nobody rings: the clock may have jumped.
const LOOK: Duration = Duration::from_secs(5);
/// Milliseconds until the next try after the first failure, the second one, and so on; after the last one a parcel is given up.
const BACKOFF: [i64; 6] = [5_000, 30_000, 120_000, 600_000, 3_600_000, 21_600_000];
/// What ended is forgotten after these milliseconds: 14 days.
const KEPT: i64 = 14 * 24 * 60 * 60 * 1_000;
/// How often that is looked at.
const FORGET: Duration = Duration::from_secs(3_600);
/// Until what became of a parcel is tried to be stored again.
const MARK_AGAIN: Duration = Duration::from_secs(1);
/// How long a stop waits for what is on its way; what is cut off is sent again at the next start.
const PATIENCE: Duration = Duration::from_secs(5);

/// Puts back what an earlier run had begun, then sends until the server stops.
///
/// # Errors
/// When the database fails.
pub async fn start(app: &Arc<App>) -> Result<(), StoreError> {
    if app.store.begun_parcels().await? > 0 {
        let mut tx = app.store.begin().await?;
        tx.requeue_parcels().await?;
        tx.commit().await?;
    }
    let own = Arc::clone(app);
    app.doors.sockets.spawn(async move { run(&own).await });
    Ok(())
}

/// A parcel on its way.
struct Sent {
    row: Row,
    lease: String,
    outcome: Result<(), Unsent>,
}

async fn run(app: &Arc<App>) {
    let mut running: JoinSet<Sent> = JoinSet::new();
    let mut retries = 0;
    let mut forgotten = tokio::time::interval(FORGET);
    let mut rung = false;
    while !app.shutdown.is_cancelled() {
        // Who rings may not have committed yet; the transaction that takes parcels comes after theirs. A quiet outbox costs no write.
        if (std::mem::take(&mut rung) || wait(app).await.is_none())
            && let Err(error) = fill(app, &mut running, &mut retries).await
        {
            tracing::error!(%error, "no parcel could be taken from the outbox");
        }
        let wait = wait(app).await.unwrap_or(LOOK);
        tokio::select! {
            () = app.shutdown.cancelled() => break,
            () = app.outbox.bell.notified() => rung = true,
            Some(sent) = running.join_next() => end(app, sent, &mut retries).await,
            _ = forgotten.tick() => forget(app).await,
            () = tokio::time::sleep(wait) => {}
        }
    }
    let rest = async {
        while let Some(sent) = running.join_next().await {
            end(app, sent, &mut retries).await;
        }
    };
    // What is cut off stays leased, and the next start puts it back.
    let _ = tokio::time::timeout(PATIENCE, rest).await;
}

/// How long it is until the outbox is looked at again; none when something is due.
async fn wait(app: &App) -> Option<Duration> {
    let now = app.clock.now_ms();
    match app.store.next_parcel(now).await {
        Ok(None) => Some(LOOK),
        Ok(Some(due)) if due <= now => None,
        Ok(Some(due)) => {
            Some(Duration::from_millis(u64::try_from(due - now).unwrap_or(0)).min(LOOK))
        }
        // It is said when parcels are taken.
        Err(_) => None,
    }
}

/// Begins to send what is due, as far as there is room.
async fn fill(
    app: &Arc<App>,
    running: &mut JoinSet<Sent>,
    retries: &mut usize,
) -> Result<(), StoreError> {
    let now = app.clock.now_ms();
    let mut taken = Vec::new();
    let mut tx = app.store.begin().await?;
    digest::gather(app, &mut tx, now).await?;
    while running.len() + taken.len() < AT_ONCE {
        let tries = if *retries < RETRIES_AT_ONCE { i64::MAX } else { 0 };
        let lease = app.ids.id();
        let Some(row) = tx.lease_parcel(&lease, (now, tries)).await? else { break };
        *retries += usize::from(row.attempts > 1);
        taken.push((row, lease));
    }
    if let Err(error) = tx.commit().await {
        *retries -= taken.iter().filter(|(row, _)| row.attempts > 1).count();
        return Err(error);
    }
    for (row, lease) in taken {
        let app = Arc::clone(app);
        running.spawn(async move {
            let own = Arc::clone(&app);
            let sending = row.clone();
            // A task of its own: a panic ends this parcel's try and nothing else.
            let sent = tokio::spawn(async move { notify::deliver(&own, &sending).await });
            let outcome = sent.await.unwrap_or_else(|_| {
                Err(Unsent::Later("sending it ended in a panic; the log says more".into()))
            });
            Sent { row, lease, outcome }
        });
    }
    Ok(())
}

async fn end(app: &App, sent: Result<Sent, tokio::task::JoinError>, retries: &mut usize) {
    // The task only waits for another one and cannot fail itself.
    let Ok(Sent { row, lease, outcome }) = sent else { return };
    *retries -= usize::from(row.attempts > 1);
    if row.channel == "mail" {
        failpoint!("K18");
    } else {
        failpoint!("K16");
    }
    // While nothing can be marked nothing else can be taken either. What a stop cuts off is sent again at the next start, with the same id.
    while let Err(error) = mark(app, (&row, &lease), outcome.clone()).await {
        tracing::error!(%error, parcel = row.id, "a parcel could not be marked; it is tried again");
        if app.shutdown.run_until_cancelled(tokio::time::sleep(MARK_AGAIN)).await.is_none() {
            return;
        }
    }
}

async fn mark(
    app: &App,
    (row, lease): (&Row, &str),
    outcome: Result<(), Unsent>,
) -> Result<(), StoreError> {
    let (held, now) = ((row.id.as_str(), lease), app.clock.now_ms());
    let target = (row.channel.as_str(), row.target.as_str());
    let given_up = |error: &str| {
        tracing::error!(
            parcel = row.id,
            channel = row.channel,
            event = row.event,
            error,
            "a notice was given up"
        );
    };
    let mut tx = app.store.begin().await?;
    match outcome {
        Ok(()) => {
            tx.end_parcel(held, ("sent", ""), now).await?;
            tx.hurry_target(target, now).await?;
        }
        Err(Unsent::Final(error)) => {
            given_up(&error);
            tx.end_parcel(held, ("failed", &error), now).await?;
        }
        Err(Unsent::Stop(error)) => {
            given_up(&error);
            tx.end_parcel(held, ("failed", &error), now).await?;
            tx.stop_target(target, &error, now).await?;
        }
        Err(Unsent::Later(error)) => match next(app, row.attempts, now) {
            Some(at) => {
                tracing::warn!(
                    parcel = row.id,
                    channel = row.channel,
                    error,
                    "a notice could not be sent; it is tried again"
                );
                tx.retry_parcel(held, &error, at).await?;
                tx.put_off_target(target, at).await?;
            }
            None => {
                given_up(&error);
                tx.end_parcel(held, ("failed", &error), now).await?;
            }
        },
    }
    tx.commit().await
}

/// When a parcel that has failed so often is tried again, a fifth earlier or later by chance.
fn next(app: &App, attempts: i64, now: i64) -> Option<i64> {
    let usual = BACKOFF.get(usize::try_from(attempts - 1).ok()?)?;
    let fifth = usual / 5;
    let spread = app.ids.spread(u64::try_from(2 * fifth).unwrap_or(0));
    Some(now + usual - fifth + i64::try_from(spread).unwrap_or(0))
}

async fn forget(app: &App) {
    let before = app.clock.now_ms() - KEPT;
    let forget = async {
        if app.store.old_parcels(before).await? == 0 {
            return Ok(());
        }
        let mut tx = app.store.begin().await?;
        tx.forget_parcels(before).await?;
        tx.commit().await
    };
    let forgot: Result<(), StoreError> = forget.await;
    if let Err(error) = forgot {
        tracing::error!(%error, "old parcels could not be forgotten");
    }
}
