//! Reply jobs: a worker thread leases one, drafts it, and finishes it in one fenced transaction.

mod cite;
mod finish;
mod stream;
pub mod turn;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use engine::breaker::Breaker;
use engine::conversation::State;
use engine::fence::{Claim, is_void};
use engine::intent::Reading;
use engine::language::of_visitor;
use engine::reply::{Event, Outcome, reply, suggest};
use engine::turn::{Speaker, Turn};
use tokio::runtime::Handle;

use crate::app::App;
use crate::knowledge::Edition;
use crate::protocol::record::LiveDraft;
use crate::store::StoreError;
use crate::store::conversations::Conversation;
use crate::store::jobs::Job;
use crate::{tags, tasks};

pub use cite::page_url;
use stream::Show;

/// How long a lease outlives the longest reply.
const GRACE: Duration = Duration::from_secs(30);
/// How often lost jobs are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// Messages of a conversation that are read for a turn.
const HISTORY: i64 = 1_000;
/// A job that was begun this often and never finished goes to a person.
const MAX_ATTEMPTS: i64 = 2;

/// Drafts on their way, and the bell that wakes the worker.
#[derive(Debug)]
pub struct Desk {
    bell: SyncSender<()>,
    /// Taken by the worker when it starts.
    ear: Mutex<Option<Receiver<()>>>,
    running: Mutex<HashMap<String, Running>>,
    breaker: Mutex<Breaker>,
}

/// A draft on its way.
#[derive(Debug)]
struct Running {
    claim: Claim,
    stop: Arc<AtomicBool>,
    live: LiveDraft,
}

impl Default for Desk {
    fn default() -> Self {
        // One ring is enough: the worker takes jobs until none is left.
        let (bell, ear) = sync_channel(1);
        Self {
            bell,
            ear: Mutex::new(Some(ear)),
            running: Mutex::default(),
            breaker: Mutex::default(),
        }
    }
}

impl Desk {
    /// Wakes the worker.
    pub fn ring(&self) {
        // A full bell rings already.
        let _ = self.bell.try_send(());
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Stops the conversation's draft if another holder has it now, or the visitor has written again.
    pub fn void(&self, conversation: &str, generation: i64, head: i64) {
        let running = self.running();
        if let Some(draft) = running.get(conversation)
            && is_void(draft.claim, generation, head)
        {
            draft.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Stops all drafts.
    pub fn stop_all(&self) {
        self.running().values().for_each(|draft| draft.stop.store(true, Ordering::Relaxed));
    }

    /// The draft on its way, for a console that comes later.
    pub fn live(&self, conversation: &str) -> Option<LiveDraft> {
        self.running().get(conversation).map(|draft| draft.live.clone())
    }

    fn begin(&self, job: &Job) -> Arc<AtomicBool> {
        let stop = Arc::new(AtomicBool::new(false));
        let live = LiveDraft {
            draft_id: job.id.clone(),
            pieces: vec![],
            tail: String::new(),
            citations: vec![],
            confidence: 0.0,
        };
        let draft = Running { claim: job.claim(), stop: Arc::clone(&stop), live };
        self.running().insert(job.conversation.clone(), draft);
        stop
    }

    /// Does `send` unless the draft was stopped; whoever stops it knows that nothing is sent afterwards.
    fn unless_stopped(&self, conversation: &str, send: impl FnOnce()) {
        let running = self.running();
        if running.get(conversation).is_some_and(|draft| !draft.stop.load(Ordering::Relaxed)) {
            send();
        }
    }

    fn update(&self, conversation: &str, change: impl FnOnce(&mut LiveDraft)) {
        if let Some(draft) = self.running().get_mut(conversation) {
            change(&mut draft.live);
        }
    }

    fn end(&self, conversation: &str) {
        self.running().remove(conversation);
    }
}

/// Takes up what an earlier run left, then starts the worker thread and the sweeper.
///
/// # Errors
/// When the database cannot be read or the thread cannot be started.
pub async fn start(app: &Arc<App>) -> anyhow::Result<std::thread::JoinHandle<()>> {
    recover(app, i64::MAX).await?;
    let taken = app.desk.ear.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let ear = taken.ok_or_else(|| anyhow::anyhow!("the reply worker was started twice"))?;
    let sweeper = Arc::clone(app);
    tokio::spawn(async move {
        while !cancelled_within(&sweeper, SWEEP).await {
            if let Err(error) = recover(&sweeper, sweeper.clock.now_ms()).await {
                tracing::error!(%error, "lost jobs could not be looked for");
            }
        }
    });
    let (app, runtime) = (Arc::clone(app), Handle::current());
    app.desk.ring();
    Ok(std::thread::Builder::new()
        .name("replies".into())
        .spawn(move || work(&app, &runtime, &ear))?)
}

async fn cancelled_within(app: &App, time: Duration) -> bool {
    tokio::time::timeout(time, app.shutdown.cancelled()).await.is_ok()
}

/// Jobs whose worker is gone are begun again once, then given to a person. One that cannot be mended holds up no other.
///
/// # Errors
/// When the database cannot be read.
pub async fn recover(app: &App, now: i64) -> Result<(), StoreError> {
    for job in app.store.jobs_lost(now).await? {
        if let Err(error) = recover_one(app, &job, now).await {
            tracing::error!(%error, job = job.id, "a lost reply job could not be taken up");
        }
    }
    Ok(())
}

async fn recover_one(app: &App, job: &Job, now: i64) -> Result<(), StoreError> {
    if job.attempts >= MAX_ATTEMPTS {
        tracing::error!(
            job = job.id,
            "a reply was begun {} times and never finished",
            job.attempts
        );
        return finish::give_up(app, job, now).await;
    }
    let mut tx = app.store.begin().await?;
    tx.requeue_job(&job.id, now).await?;
    tx.commit().await?;
    app.desk.ring();
    Ok(())
}

fn work(app: &Arc<App>, runtime: &Handle, ear: &Receiver<()>) {
    while !app.shutdown.is_cancelled() {
        let wait = work_off(app, runtime).unwrap_or_else(|error| {
            tracing::error!(%error, "no reply job could be leased");
            SWEEP
        });
        // New jobs and those that are queued again ring; the wait is bounded so that a stop is seen.
        let _ = ear.recv_timeout(wait);
    }
}

/// Makes every reply that is due; how long it is until the next one.
fn work_off(app: &Arc<App>, runtime: &Handle) -> Result<Duration, StoreError> {
    while !app.shutdown.is_cancelled() {
        let Some(held) = runtime.block_on(lease(app))? else { break };
        failpoint!("K9");
        held.work(app, runtime);
    }
    let Some(due) = runtime.block_on(app.store.next_due())? else { return Ok(SWEEP) };
    let left = u64::try_from(due - app.clock.now_ms()).unwrap_or(0);
    Ok(Duration::from_millis(left).min(SWEEP))
}

/// A job that a worker holds until its lease ends.
#[derive(Debug)]
pub struct Held {
    job: Job,
    lease: String,
}

/// A draft that is not finished yet.
pub struct Drafted {
    before: Conversation,
    made: Made,
}

/// Leases the job that has been due longest, if one is due.
///
/// # Errors
/// When the database fails.
pub async fn lease(app: &App) -> Result<Option<Held>, StoreError> {
    let (lease, now) = (app.ids.id(), app.clock.now_ms());
    let until = now + millis(app.mind.timeout + GRACE);
    Ok(app.store.lease_job(&lease, (now, until)).await?.map(|job| Held { job, lease }))
}

impl Held {
    /// The whole job. A panic ends this job, and neither the worker nor the next one.
    fn work(&self, app: &Arc<App>, runtime: &Handle) {
        if app.desk.breaker().is_open(app.clock.now_ms()) {
            tracing::error!(job = self.job.id, "the model keeps failing; a person is asked for");
            return self.give_up(app, runtime);
        }
        let worked = catch_unwind(AssertUnwindSafe(|| {
            let drafted = self.draft(app, runtime)?;
            runtime.block_on(self.finish(app, &drafted))?;
            Ok::<_, StoreError>(drafted.made.timed_out || drafted.made.outcome.fault.is_some())
        }));
        app.desk.end(&self.job.conversation);
        match worked {
            Ok(Ok(false)) => app.desk.breaker().worked(),
            Ok(Ok(true)) => app.desk.breaker().failed(app.clock.now_ms()),
            Ok(Err(error)) => {
                tracing::error!(%error, "a reply could not be finished; it will be tried again")
            }
            Err(_) => {
                app.desk.breaker().failed(app.clock.now_ms());
                tracing::error!(job = self.job.id, "a reply ended in a panic");
                self.give_up(app, runtime);
            }
        }
    }

    /// Gives the job to a person.
    fn give_up(&self, app: &App, runtime: &Handle) {
        if let Err(error) = runtime.block_on(finish::give_up(app, &self.job, i64::MAX)) {
            tracing::error!(%error, "the person could not be asked for");
        }
    }

    /// Drafts, and shows the draft on its way. Must not be called by an async thread.
    ///
    /// # Errors
    /// When the database fails.
    pub fn draft(&self, app: &Arc<App>, runtime: &Handle) -> Result<Drafted, StoreError> {
        let job = &self.job;
        let stop = app.desk.begin(job);
        let (before, turn, newest) = runtime.block_on(turn_of(app, job))?;
        if before.generation != job.generation || newest != job.for_seq {
            stop.store(true, Ordering::Relaxed);
        }
        let made = draft((app, runtime), job, &before, (&turn, &stop));
        Ok(Drafted { before, made })
    }

    /// Stores what came of it, if it may still be said.
    ///
    /// # Errors
    /// When the database fails; nothing is stored then.
    pub async fn finish(&self, app: &App, drafted: &Drafted) -> Result<(), StoreError> {
        let Drafted { before, made } = drafted;
        let finished = finish::finish(app, (&self.job, &self.lease), before, made).await;
        if finished.is_err() {
            made.show.withdraw(app);
        }
        finished
    }
}

/// A draft with what there is to record about it.
struct Made {
    outcome: Outcome,
    show: Show,
    /// What it was made from.
    edition: Arc<Edition>,
    timed_out: bool,
    timings: std::collections::BTreeMap<String, i64>,
}

fn draft(
    (app, runtime): (&Arc<App>, &Handle),
    job: &Job,
    conversation: &Conversation,
    (turn, stop): (&Turn, &AtomicBool),
) -> Made {
    let began = app.clock.now_ms();
    let deadline = began + millis(app.mind.timeout);
    let bot_holds = conversation.state == State::Bot.as_str();
    // Edits that are published meanwhile are for the next reply.
    let edition = app.mind.knowledge.edition();
    let prompts = app.mind.prompts();
    let language = of_visitor(turn).unwrap_or_default();
    let mut show = Show::new(app, (job, &edition), (bot_holds, language), &prompts);
    let (mut timed_out, mut kept) = (false, None);
    let make = if bot_holds { reply } else { suggest };
    let outcome = make(&app.mind.parts(&edition, &prompts), turn, &mut |event| {
        if let Event::Read(reading) = &event {
            kept = Some(keep_tags((app, runtime), job, reading));
        }
        timed_out |= app.clock.now_ms() > deadline;
        if timed_out || stop.load(Ordering::Relaxed) || app.shutdown.is_cancelled() {
            return ControlFlow::Break(());
        }
        show.event(app, event);
        ControlFlow::Continue(())
    });
    // Long since done, unless the decision was quick: whoever sees the decision sees the tags.
    if kept.is_some_and(|kept| runtime.block_on(kept).is_err()) {
        tracing::error!("keeping the tags of a message ended in a panic");
    }
    let mut timings = show.timings(began);
    timings.insert("quiet".into(), job.due.at - job.created_at);
    timings.insert("queue".into(), began - job.due.at);
    timings.insert("total".into(), app.clock.now_ms() - began);
    Made { outcome, show, edition, timed_out, timings }
}

/// Keeps what the message was read as, whatever becomes of the draft, which goes on meanwhile.
fn keep_tags(
    (app, runtime): (&Arc<App>, &Handle),
    job: &Job,
    reading: &Reading,
) -> tokio::task::JoinHandle<()> {
    let (own, conversation, seq) = (Arc::clone(app), job.conversation.clone(), job.for_seq);
    let tags = reading.shown();
    let keep = async move { tags::keep(&own, &conversation, seq, &tags).await };
    app.doors.sockets.spawn_on(keep, runtime)
}

/// What the job's draft is made for, and the seq of the visitor's newest message.
async fn turn_of(app: &App, job: &Job) -> Result<(Conversation, Turn, i64), StoreError> {
    let unknown =
        || StoreError::Meaning { what: "conversation of a job", value: job.conversation.clone() };
    let conversation = app.store.conversation(&job.conversation).await?.ok_or_else(unknown)?;
    let after = (conversation.head - HISTORY).max(0);
    let mut rows = app.store.messages(&job.conversation, after, HISTORY).await?;
    let visitor = Speaker::Visitor.as_str();
    let newest = rows.iter().rfind(|row| row.speaker == visitor).map_or(0, |row| row.seq);
    // What came after the question, the end of a call for one, leaves it open.
    rows.retain(|row| row.seq <= job.for_seq || row.speaker == visitor);
    let decided = app.store.decided_before(&job.conversation, job.for_seq).await?;
    let turn = turn::turn(&rows, conversation.counted_from, decided.unwrap_or(0))?;
    let standing = tasks::standing(app, &job.conversation).await?;
    Ok((conversation, Turn { standing, ..turn }, newest))
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
