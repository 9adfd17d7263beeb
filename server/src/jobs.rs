//! Due work: what is planned for later is done once, however often the server restarts or the clock jumps.
//!
//! A row of the database says what is to be done and when. The transaction that does it takes the row away, so that it is done with all
//! that belongs to it or not at all, and never twice. What cannot be done is tried again after a pause and holds up nothing else.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::app::App;
use crate::publish::{self, Changes};
use crate::store::due::{Failure, Item, MAX};
use crate::store::{StoreError, Tx};
use crate::surveys::silence;
use crate::{follow_ups, gaps, notify, promises, scorecard};

pub use crate::store::due::Due;

/// A visitor of the night is followed up in the morning; the subject is the conversation.
pub const FOLLOW_UP: &str = "follow_up";
/// A promise is about to break; the subject is the conversation.
pub const PROMISE: &str = "promise";
/// Nobody has answered for a while; the subject is the conversation.
pub const UNANSWERED: &str = "unanswered";
/// The mail of the week; there is one subject.
pub const WEEKLY: &str = "weekly";
/// Nobody has written for long; the subject is the conversation.
pub const SILENCE: &str = "silence";
/// What the documents did not answer is gathered; there is one.
pub const GAPS: &str = "gaps";

/// How often it is looked for what is due. The clock may jump, so no longer wait is trusted.
const EVERY: Duration = Duration::from_secs(2);
/// Rows that are read at once.
const AT_ONCE: i64 = 100;
/// Pauses after the tries; after the last try nothing is tried any more.
const PAUSES_MS: [i64; 4] = [10_000, 60_000, 300_000, 900_000];

/// Why something that is due could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Undone {
    /// The database failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// This version does nothing of the kind.
    #[error("nothing is done for the kind `{0}`")]
    Unknown(String),
    /// It ended in a panic.
    #[error("it ended in a panic")]
    Panic,
}

/// Does what is due inside the transaction that has taken it away; what changed is told after the commit.
pub type Act =
    for<'a> fn(&'a App, &'a mut Tx, &'a Due) -> BoxFuture<'a, Result<Vec<Changes>, Undone>>;

/// Plans something for later, in the transaction that it follows from. There is one of a kind for a subject: planning again moves it.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn plan(tx: &mut Tx, due: Due) -> Result<(), StoreError> {
    if !tx.plan_due(&due).await? {
        tracing::error!(
            kind = due.kind,
            "{MAX} things are planned for later already; this one is not"
        );
    }
    Ok(())
}

/// Plans it no more.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn drop(tx: &mut Tx, kind: &str, subject: &str) -> Result<(), StoreError> {
    tx.drop_due(kind, subject).await
}

/// Does what is due, soon after it is, until the server stops.
pub async fn keep(app: Arc<App>) {
    while !app.shutdown.is_cancelled() {
        if let Err(error) = work_off_now(&app).await {
            tracing::error!(%error, "it could not be looked for what is due");
        }
        let rung = tokio::time::timeout(EVERY, app.due.notified());
        app.shutdown.run_until_cancelled(rung).await;
    }
}

/// Does all that is due now.
///
/// # Errors
/// As [`work_off`].
pub async fn work_off_now(app: &Arc<App>) -> Result<(), StoreError> {
    work_off(app, act).await
}

/// Does by `act` all that is due now. Several may do so at once: each thing is done by one of them.
///
/// # Errors
/// When the database cannot be read, or a try in vain cannot be noted.
pub async fn work_off(app: &Arc<App>, act: Act) -> Result<(), StoreError> {
    while !app.shutdown.is_cancelled() {
        let longest = PAUSES_MS[PAUSES_MS.len() - 1];
        let items = app.store.due((app.clock.now_ms(), longest), AT_ONCE).await?;
        if items.is_empty() {
            break;
        }
        for item in items {
            if app.shutdown.is_cancelled() {
                break;
            }
            work(app, act, item).await?;
        }
    }
    Ok(())
}

/// Does one thing. A panic ends this one and nothing else.
async fn work(app: &Arc<App>, act: Act, item: Item) -> Result<(), StoreError> {
    let (own, due) = (Arc::clone(app), item.due.clone());
    let done = tokio::spawn(async move { do_once(&own, act, &due).await });
    let Err(undone) = done.await.unwrap_or(Err(Undone::Panic)) else { return Ok(()) };
    let tries = item.tries + 1;
    let pause = usize::try_from(item.tries).ok().and_then(|tried| PAUSES_MS.get(tried));
    let failure = Failure {
        tries,
        try_at: pause.map(|pause| app.clock.now_ms() + pause),
        error: undone.to_string(),
    };
    let (kind, gives_up) = (&item.due.kind, failure.try_at.is_none());
    tracing::error!(%undone, kind, tries, gives_up, "what was due could not be done");
    let mut tx = app.store.begin().await?;
    tx.fail_due(&item.due, &failure).await?;
    tx.commit().await
}

async fn do_once(app: &App, act: Act, due: &Due) -> Result<(), Undone> {
    let mut tx = app.store.begin().await?;
    if !tx.take_due(due).await? {
        return Ok(());
    }
    let changes = act(app, &mut tx, due).await?;
    tx.commit().await?;
    changes.into_iter().for_each(|changes| publish::changes(app, changes));
    Ok(())
}

/// What this version does, by kind.
fn act<'a>(
    app: &'a App,
    tx: &'a mut Tx,
    due: &'a Due,
) -> BoxFuture<'a, Result<Vec<Changes>, Undone>> {
    Box::pin(async move {
        let subject = due.subject.as_str();
        match due.kind.as_str() {
            FOLLOW_UP => return Ok(follow_ups::due(app, tx, subject).await?),
            SILENCE => return Ok(silence::due(app, tx, subject).await?),
            PROMISE => promises::warn(app, tx, subject).await?,
            UNANSWERED => notify::unanswered(app, tx, subject).await?,
            GAPS => gaps::due(app, tx).await?,
            WEEKLY => scorecard::weekly::send(app, tx, &due.body).await?,
            unknown => return Err(Undone::Unknown(unknown.into())),
        }
        Ok(vec![])
    })
}
