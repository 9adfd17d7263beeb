//! Due work over a real server: once, whatever the clock does, however often it restarts and whoever else works it off.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use engine::draft::Mode;
use engine::model::Model;
use engine::testing::ScriptedModel;
use futures_util::future::BoxFuture;
use server::app::App;
use server::config::Settings;
use server::jobs::{self, Due, Undone};
use server::publish::Changes;
use server::startup::{self, Outside};
use server::store::Tx;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::house::Hands;

const HOUR: i64 = 3_600_000;
/// The longest pause between two tries.
const PAUSE: i64 = 900_000;

/// How often each subject was done, over all tests: each has names of its own.
static DONE: LazyLock<Mutex<BTreeMap<String, usize>>> = LazyLock::new(Mutex::default);
static TRIED: AtomicUsize = AtomicUsize::new(0);

fn done(subject: &str) -> usize {
    DONE.lock().unwrap().get(subject).copied().unwrap_or(0)
}

/// Counts what it does by subject. The effect is a choice of the owner's, named like the subject.
fn count<'a>(
    app: &'a App,
    tx: &'a mut Tx,
    due: &'a Due,
) -> BoxFuture<'a, Result<Vec<Changes>, Undone>> {
    Box::pin(async move {
        tx.choose(&due.subject, &due.body, app.clock.now_ms()).await?;
        *DONE.lock().unwrap().entry(due.subject.clone()).or_default() += 1;
        Ok(vec![])
    })
}

/// Fails where the body says so, after it has written.
fn fail<'a>(
    app: &'a App,
    tx: &'a mut Tx,
    due: &'a Due,
) -> BoxFuture<'a, Result<Vec<Changes>, Undone>> {
    Box::pin(async move {
        tx.choose(&due.subject, "half", app.clock.now_ms()).await?;
        match due.body.as_str() {
            "panic" => {
                TRIED.fetch_add(1, Ordering::SeqCst);
                panic!("as it was told")
            }
            "fail" => Err(Undone::Unknown("as it was told".into())),
            _ => count(app, tx, due).await,
        }
    })
}

fn due(subject: &str, due_at: i64, body: &str) -> Due {
    Due { kind: "test".into(), subject: subject.into(), due_at, body: body.into() }
}

/// A server on which nothing moves by itself.
struct Still {
    app: Arc<App>,
    folder: TempDir,
}

impl Still {
    async fn open(hands: &Hands) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("knowledge")).unwrap();
        std::fs::write(folder.path().join("knowledge/a.md"), "# A\n\nA house has a door.\n")
            .unwrap();
        Self::over(folder, hands).await
    }

    async fn over(folder: TempDir, hands: &Hands) -> Self {
        let mut settings = Settings::default();
        settings.server.data_dir = folder.path().join("data");
        settings.knowledge.dir = folder.path().join("knowledge");
        std::fs::create_dir_all(&settings.server.data_dir).unwrap();
        let doors = (SocketAddr::from(([127, 0, 0, 1], 7878)), CancellationToken::new());
        let outside = Outside { clock: hands.clock(), ..Outside::system().unwrap() };
        let model: (Arc<dyn Model>, _) = (Arc::new(ScriptedModel::default()), Mode::Quote);
        let (app, _) = startup::assemble(&settings, doors, model, outside).await.unwrap();
        Self { app, folder }
    }

    async fn again(self, hands: &Hands) -> Self {
        let Self { app, folder } = self;
        app.store.close().await;
        drop(app);
        Self::over(folder, hands).await
    }

    async fn plan(&self, due: Due) {
        let mut tx = self.app.store.begin().await.unwrap();
        jobs::plan(&mut tx, due).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn work(&self, act: jobs::Act) {
        jobs::work_off(&self.app, act).await.unwrap();
    }

    async fn written(&self, subject: &str) -> Option<String> {
        self.app.store.choice(subject).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_due_is_done_once_however_the_clock_jumps() {
    let hands = Hands::new();
    let start = hands.now();
    let mut still = Still::open(&hands).await;
    still.plan(due("jumps", start + HOUR, "a")).await;
    // The clock, whether the server starts anew, and how often it is done then.
    for (at, restarts, times) in [
        (start, false, 0),
        (start + HOUR - 1, false, 0),
        (start - 24 * HOUR, true, 0),
        (start + HOUR - 1, true, 0),
        (start + 48 * HOUR, false, 1),
        (start + HOUR, true, 1),
        (start + 96 * HOUR, true, 1),
    ] {
        hands.forward(at - hands.now());
        if restarts {
            still = still.again(&hands).await;
        }
        still.work(count).await;
        assert_eq!(done("jumps"), times, "{at}");
    }
}

#[tokio::test]
async fn planned_again_it_moves_and_dropped_it_is_gone() {
    let hands = Hands::new();
    let still = Still::open(&hands).await;
    still.plan(due("moved", hands.now() + HOUR, "a")).await;
    still.plan(due("moved", hands.now() + 3 * HOUR, "b")).await;
    still.plan(due("dropped", hands.now() + HOUR, "a")).await;
    hands.forward(2 * HOUR);
    let mut tx = still.app.store.begin().await.unwrap();
    jobs::drop(&mut tx, "test", "dropped").await.unwrap();
    tx.commit().await.unwrap();
    still.work(count).await;
    assert_eq!((done("moved"), done("dropped")), (0, 0));
    hands.forward(2 * HOUR);
    still.work(count).await;
    assert_eq!(still.written("moved").await.as_deref(), Some("b"));
    assert_eq!((done("moved"), done("dropped")), (1, 0));
}

#[tokio::test]
async fn two_runners_do_everything_once() {
    let hands = Hands::new();
    let still = Still::open(&hands).await;
    let names: Vec<String> = (0..250).map(|number| format!("both-{number}")).collect();
    for name in &names {
        still.plan(due(name, hands.now() - 1, "a")).await;
    }
    let runs = (0..4).map(|_| jobs::work_off(&still.app, count));
    futures_util::future::join_all(runs).await.into_iter().for_each(|ran| ran.unwrap());
    names.iter().for_each(|name| assert_eq!(done(name), 1, "{name}"));
}

#[tokio::test]
async fn what_fails_is_tried_again_and_then_parked() {
    let hands = Hands::new();
    let mut still = Still::open(&hands).await;
    for (subject, body) in [("p", "panic"), ("f", "fail"), ("fine", "a")] {
        still.plan(due(subject, hands.now(), body)).await;
    }
    for _ in 0..12 {
        still.work(fail).await;
        hands.forward(PAUSE);
    }
    assert_eq!(done("fine"), 1, "what fails holds up nothing else");
    assert_eq!(TRIED.load(Ordering::SeqCst), 5);
    assert_eq!((still.written("p").await, still.written("f").await), (None, None));
    still = still.again(&hands).await;
    still.work(count).await;
    assert_eq!((done("p"), done("f")), (0, 0));
    assert_eq!(still.app.store.due_parked().await.unwrap(), 2);
    // Planned anew it counts as new.
    still.plan(due("p", hands.now(), "a")).await;
    still.work(count).await;
    assert_eq!((done("p"), still.app.store.due_parked().await.unwrap()), (1, 1));
}

#[tokio::test]
async fn a_pause_does_not_grow_when_the_clock_is_put_back() {
    let hands = Hands::new();
    let still = Still::open(&hands).await;
    let long_ago = hands.now() - 96 * HOUR;
    still.plan(due("pause", long_ago, "fail")).await;
    still.work(fail).await;
    hands.forward(-48 * HOUR);
    still.work(count).await;
    assert_eq!(done("pause"), 1);
}
