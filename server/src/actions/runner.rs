//! Makes the calls: the intent is committed before a request goes out, and what came of it afterwards. Several conversations are
//! served at once, one call a conversation. A write that may have arrived is never sent again.

use std::sync::Arc;
use std::time::Duration;

use engine::actions::{Action, said};
use engine::conversation::State;
use engine::metrics::event::What;
use engine::tasks::{Card, Row};
use tokio::sync::Semaphore;

use super::judge::{ATTEMPTS, Verdict, judge, sentence};
use super::{codes, end, json, outgoing, tell, text};
use crate::app::App;
use crate::events::record;
use crate::publish::{self, Changes};
use crate::store::calls::Call;
use crate::store::conversations::Conversation;
use crate::store::messages::Message;
use crate::store::{StoreError, Tx};

/// Calls under way at once.
const AT_ONCE: usize = 8;
/// How often calls that are due are looked for at least.
const LOOK: Duration = Duration::from_secs(2);
/// Pauses before a call is begun again, in milliseconds.
const PAUSES: [i64; 2] = [1_000, 4_000];

/// Takes up what an earlier run left, then makes calls and sends codes until the server stops.
///
/// # Errors
/// When the database fails.
pub async fn start(app: &Arc<App>) -> Result<(), StoreError> {
    take_up(app).await?;
    codes::take_up(app).await?;
    app.doors.sockets.spawn(keep(Arc::clone(app)));
    app.doors.sockets.spawn(codes::keep(Arc::clone(app)));
    Ok(())
}

/// What an earlier run had begun: reads are begun again, writes may have arrived.
async fn take_up(app: &App) -> Result<(), StoreError> {
    for call in app.store.calls_left().await? {
        let writes = writes(app, &call);
        let verdict = match writes {
            true => Verdict::Unknown,
            false if call.attempts < ATTEMPTS => Verdict::Again,
            false => Verdict::Failed,
        };
        let lease = call.lease.clone().unwrap_or_default();
        settle(app, (&call, &lease), &verdict, "the server was stopped while it was under way")
            .await?;
    }
    Ok(())
}

/// Whether a call changes something; one whose action is gone may.
fn writes(app: &App, call: &Call) -> bool {
    app.mind.prompts().books.actions.named(&call.action).is_none_or(Action::writes)
}

async fn keep(app: Arc<App>) {
    let free = Arc::new(Semaphore::new(AT_ONCE));
    while !app.shutdown.is_cancelled() {
        let Ok(place) = Arc::clone(&free).acquire_owned().await else { return };
        match lease(&app).await {
            Ok(Some(call)) => {
                let own = Arc::clone(&app);
                app.doors.sockets.spawn(async move {
                    make(&own, call).await;
                    drop(place);
                    own.actions.calls.notify_one();
                });
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "no call could be begun"),
        }
        drop(place);
        let wait = pause(&app, app.store.next_call().await.ok().flatten());
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = app.actions.calls.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// How long until something that is due then, by a clock that may jump.
pub(super) fn pause(app: &App, due: Option<i64>) -> Duration {
    let left = due.map(|due| u64::try_from(due - app.clock.now_ms()).unwrap_or(0));
    // What is due and was left out waits for another to end, which rings.
    let left = left.filter(|left| *left > 0).map(Duration::from_millis);
    left.map_or(LOOK, |left| left.min(LOOK))
}

async fn lease(app: &App) -> Result<Option<Call>, StoreError> {
    if app.store.next_call().await?.is_none() {
        return Ok(None);
    }
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    let lease = app.ids.id();
    let Some(call) = tx.lease_call(&lease, (now, PAUSES[1])).await? else { return Ok(None) };
    let detail = format!("begun for time {}", call.attempts);
    tx.call_event(&call.id, ("sent", &detail), now).await?;
    tx.commit().await?;
    failpoint!("K15");
    Ok(Some(call))
}

/// One call from the request to what came of it.
async fn make(app: &Arc<App>, call: Call) {
    let lease = call.lease.clone().unwrap_or_default();
    let prompts = app.mind.prompts();
    let action = prompts.books.actions.named(&call.action);
    let request = match action {
        Some(action) => outgoing::request(app, action, &call).await,
        None => Err("the action was taken out of actions.toml".to_owned()),
    };
    let (verdict, detail) = match request {
        Err(problem) => {
            tracing::error!(action = call.action, problem, "a call could not be made");
            (Verdict::Failed, problem)
        }
        Ok(request) => {
            let call_it = app.actions.client.call(request);
            // A stop leaves it begun: the next start takes it up.
            let Some(answer) = app.shutdown.run_until_cancelled(call_it).await else { return };
            failpoint!("K16");
            let writes = action.is_none_or(Action::writes);
            (judge(writes, call.attempts, &answer), sentence(&answer))
        }
    };
    if let Err(error) = settle(app, (&call, &lease), &verdict, &detail).await {
        // It stays begun; the next start takes it up.
        tracing::error!(%error, call = call.id, "what came of a call could not be stored");
    }
}

/// Stores what came of a call and tells it, if the lease still holds.
async fn settle(
    app: &App,
    (call, lease): (&Call, &str),
    verdict: &Verdict,
    detail: &str,
) -> Result<(), StoreError> {
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    if !tx.holds_call(&call.id, lease).await? {
        return Ok(());
    }
    let Some(mut row) = tx.conversation(&call.conversation).await? else { return Ok(()) };
    let before = row.state.clone();
    tx.call_event(&call.id, ("answered", detail), now).await?;
    let (status, due) = match verdict {
        Verdict::Done(_) => ("done", now),
        Verdict::Again => ("ready", now + put_off(call.attempts)),
        Verdict::Unknown => ("unknown", now),
        Verdict::Refused | Verdict::Missing | Verdict::Failed => ("failed", now),
    };
    let shown = rows(app, call, verdict);
    tx.settle_call(&call.id, (status, &json(&shown)), due).await?;
    if status != "ready" {
        let what = What::ActionCalled { action: call.action.clone(), status: status.into() };
        record(app, &mut tx, Some(&call.conversation), what).await?;
    }
    let messages = told(app, &mut tx, &mut row, (call, verdict, shown)).await?;
    if let Some(message) = messages.first() {
        tx.call_event(&call.id, ("told", &message.text), now).await?;
    }
    tx.update_conversation(&row).await?;
    tx.commit().await?;
    publish::changes(app, Changes { passed: row.state != before, conversation: row, messages });
    Ok(())
}

fn put_off(attempts: i64) -> i64 {
    let at = usize::try_from(attempts - 1).unwrap_or(0);
    PAUSES.get(at).copied().unwrap_or(PAUSES[1])
}

/// What may be shown of the answer.
fn rows(app: &App, call: &Call, verdict: &Verdict) -> Vec<Row> {
    let Verdict::Done(body) = verdict else { return vec![] };
    let prompts = app.mind.prompts();
    prompts.books.actions.named(&call.action).map(|action| action.rows(body)).unwrap_or_default()
}

/// What the visitor is told of the end of a call.
async fn told(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    (call, verdict, rows): (&Call, &Verdict, Vec<Row>),
) -> Result<Vec<Message>, StoreError> {
    let writes = writes(app, call);
    let id = match verdict {
        Verdict::Again => return Ok(vec![]),
        Verdict::Done(_) => {
            let id = if writes { "action_done" } else { "action_found" };
            let prompts = app.mind.prompts();
            let title = prompts.books.actions.named(&call.action).map(|action| action.card.clone());
            let title = title.unwrap_or_else(|| call.title.clone());
            let card = Card::Result { title, rows };
            let text = said(&prompts.templates, id, &[]);
            return Ok(vec![tell(app, tx, row, (&text, Some(&card))).await?]);
        }
        Verdict::Missing if row.holder()? == State::Bot => {
            let text = text(app, "action_missing");
            return Ok(vec![tell(app, tx, row, (&text, None)).await?]);
        }
        Verdict::Missing => "action_missing",
        Verdict::Unknown => "action_unknown",
        Verdict::Refused if writes => "action_refused",
        Verdict::Failed if writes => "action_unsent",
        Verdict::Refused | Verdict::Failed => "action_failed",
    };
    end(app, tx, row, id).await
}
