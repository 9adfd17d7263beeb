//! From settings to a running server: address, data, models, knowledge, then the doors open.

pub mod data;
pub mod knowledge;
pub mod lineage;
pub mod weights;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use engine::draft::Mode;
use engine::model::Model;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Mind};
use crate::auth::{self, Doors};
use crate::clock::{Clock, Ids};
use crate::config::Settings;
use crate::demo::Demo;
use crate::hub::{Hub, Item, Kind};
use crate::knowledge as library;
use crate::limits::Limits;
use crate::notify::inbox::{self, Inbox};
use crate::notify::mail::Mailer;
use crate::origin::Origins;
use crate::outbound::actions::ActionClient;
use crate::outbound::pages::system_lookup;
use crate::outbound::post::{Poster, WHOLE};
use crate::outbox::{self, Outbox};
use crate::prompts::Prompter;
use crate::protocol::server::Frame;
use crate::replies::{self, Desk};
use crate::socket::pipes::Pipes;
use crate::store::corrections::Correction;
use crate::tuning::{self, Tuning};
use crate::uploads::{self, Uploads};
use crate::{accept, actions, gaps, jobs, prompts, queue, routes, scorecard};

/// How often quiet addresses are forgotten.
const PRUNE: Duration = Duration::from_secs(60);
/// How long a stop waits for open sockets and requests.
const PATIENCE: Duration = Duration::from_secs(15);

/// A server that accepts connections.
pub struct Running {
    /// Its shared state.
    pub app: Arc<App>,
    /// Where it listens.
    pub address: SocketAddr,
    /// Secret of the set-up link, when no owner has signed up yet.
    pub setup: Option<String>,
    accepting: tokio::task::JoinHandle<()>,
    /// The worker on replies, and the keepers of the documents and of the prompts.
    threads: [std::thread::JoinHandle<()>; 3],
    _lock: data::Lock,
}

/// What a test may bring instead of the real thing.
pub struct Outside {
    /// The time.
    pub clock: Clock,
    /// Ids and secrets.
    pub ids: Ids,
    /// Certificates of mail servers that are trusted beside the system's, as PEM.
    pub trust: Vec<Vec<u8>>,
}

impl Outside {
    /// The machine's own.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn system() -> Result<Self> {
        Ok(Self {
            clock: Clock::system(),
            ids: Ids::system().context("the system gives no random bytes")?,
            trust: vec![],
        })
    }
}

/// A socket that listens already and answers "starting", so that a taken port is known before any long work.
pub struct Bound {
    address: SocketAddr,
    router: watch::Sender<Router>,
    accepting: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
}

/// Listens.
///
/// # Errors
/// When the address cannot be had, with what to do.
pub async fn bind(settings: &Settings) -> Result<Bound> {
    let wanted = settings.server.listen;
    let listener = accept::listen(wanted).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{wanted} is in use. Is Porchlight running already? Stop the other program, or choose another port with --listen."
        ),
        _ => anyhow::anyhow!("{wanted} cannot be listened on: {error}. Choose another address with --listen."),
    })?;
    let address = listener.local_addr().context("the listening address cannot be read")?;
    let stop = CancellationToken::new();
    let (router, current) = watch::channel(routes::starting());
    let accepting = tokio::spawn(accept::serve(listener, current, accept::HEADERS, stop.clone()));
    Ok(Bound { address, router, accepting, stop })
}

/// Opens the doors with this model over the knowledge of the settings.
///
/// # Errors
/// Whatever keeps the server from starting: the data folder, the database, the documents, the prompts.
pub async fn open(
    settings: &Settings,
    bound: Bound,
    lock: data::Lock,
    model: (Arc<dyn Model>, Mode),
    outside: Outside,
) -> Result<Running> {
    let doors = (bound.address, bound.stop.clone());
    let (app, setup) = assemble(settings, doors, model, outside).await?;
    uploads::sweep(&app).await?;
    let worker = replies::start(&app).await?;
    let keeper = library::start(&app.mind.knowledge, app.shutdown.clone())
        .context("the thread that reads the documents could not be started")?;
    library::pages::start(&app.mind.knowledge, &settings.knowledge, app.shutdown.clone())
        .context("the thread that fetches pages could not be started")?;
    let prompter =
        prompts::start(&app).context("the thread that learns the prompts could not be started")?;
    tokio::spawn(tell(Arc::clone(&app)));
    tokio::spawn(tuning::keep(Arc::clone(&app)));
    tokio::spawn(tell_prompts(Arc::clone(&app)));
    tokio::spawn(prune(Arc::clone(&app)));
    tokio::spawn(queue::keep(Arc::clone(&app)));
    outbox::start(&app).await?;
    inbox::start(&app);
    app.doors.sockets.spawn(jobs::keep(Arc::clone(&app)));
    app.doors.sockets.spawn(gaps::keep(Arc::clone(&app)));
    app.doors.sockets.spawn(scorecard::keep(Arc::clone(&app)));
    actions::start(&app).await?;
    app.doors.sockets.spawn(lineage::keep(Arc::clone(&app), settings.server.data_dir.clone()));
    // What answered "starting" goes.
    drop(bound.router.send_replace(routes::routes(Arc::clone(&app))));
    let Bound { address, accepting, .. } = bound;
    Ok(Running { app, address, setup, accepting, threads: [worker, keeper, prompter], _lock: lock })
}

/// All that a server shares, before anything moves. The second value is the secret of the set-up link.
///
/// # Errors
/// As [`open`].
pub async fn assemble(
    settings: &Settings,
    (address, stop): (SocketAddr, CancellationToken),
    (model, mode): (Arc<dyn Model>, Mode),
    outside: Outside,
) -> Result<(Arc<App>, Option<String>)> {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider is set already");
    }
    let store = data::database(settings).await?;
    lineage::check(&settings.server.data_dir, &store, &outside.ids).await?;
    let tuning = Tuning::open(&store).await?;
    let corrections = store.corrections().await?;
    let mind = {
        let (settings, with) = (settings.clone(), (Arc::clone(&model), outside.clock.clone()));
        // Embedding takes a while and must not hold up the async threads.
        tokio::task::spawn_blocking(move || mind(&settings, with, (mode, tuning), &corrections))
            .await
            .context("reading the knowledge")??
    };
    let Outside { clock, ids, trust } = outside;
    let setup = match store.needs_setup().await? {
        true => Some(auth::new_link(&store, &ids, &clock).await?),
        false => None,
    };
    let server = &settings.server;
    let app = Arc::new(App {
        store,
        clock,
        queue: Notify::default(),
        measured: Notify::default(),
        gaps: gaps::Desk::default(),
        scorecard: scorecard::Desk::default(),
        due: Notify::default(),
        hub: Hub::default(),
        pipes: Pipes::default(),
        desk: Desk::default(),
        mind,
        outbox: Outbox::default(),
        mailer: Mailer::new(settings.mail.clone(), &trust),
        inbox: Inbox::new(settings.imap.clone(), &trust),
        poster: Poster::new(system_lookup(), WHOLE).context("the client of webhooks")?,
        actions: actions::Desk::new(
            ActionClient::new(settings.actions.allow_private.clone(), system_lookup())
                .context("the client of actions")?,
            settings.replies.prompts.clone().unwrap_or_default(),
        ),
        demo: settings.site.demo.then(|| Demo::new(&ids)),
        ids,
        site: settings.site.clone(),
        origins: Origins::new(address, server.public_url.clone(), server.allowed_origins.clone()),
        site_key: settings.api.key_file.clone(),
        uploads: Uploads::new(server.data_dir.join(data::UPLOADS)),
        limits: Limits::new(&settings.limits),
        doors: Doors::default(),
        shutdown: stop,
    });
    Ok((app, setup))
}

fn mind(
    settings: &Settings,
    (model, clock): (Arc<dyn Model>, Clock),
    (mode, tuning): (Mode, Tuning),
    corrections: &[Correction],
) -> Result<Mind> {
    let folder = settings.replies.prompts.clone();
    let prompts = Prompter::open(folder, Arc::clone(&model), corrections)?;
    tracing::debug!("the intents are read");
    let library = knowledge::library(settings, (Arc::clone(&model), clock))?;
    tracing::debug!("the index is open");
    Ok(Mind {
        knowledge: Arc::new(library),
        model,
        prompts: Arc::new(prompts),
        tuning,
        mode,
        stream: settings.replies.stream,
        suggest: settings.replies.suggest,
        settle_ms: i64::from(settings.replies.settle_ms),
        timeout: settings.replies.timeout(),
    })
}

/// Tells the consoles how the documents stand, whenever that changes.
async fn tell(app: Arc<App>) {
    let mut status = app.mind.knowledge.status();
    while let Some(Ok(())) = app.shutdown.run_until_cancelled(status.changed()).await {
        let knowledge = Box::new(status.borrow_and_update().clone());
        let text = Frame::Knowledge { knowledge }.text();
        app.hub.to_consoles("", &Item::Newest(Kind::Knowledge, text));
    }
}

/// Tells the consoles how the prompts stand, whenever that changes.
async fn tell_prompts(app: Arc<App>) {
    let mut status = app.mind.prompts.status();
    while let Some(Ok(())) = app.shutdown.run_until_cancelled(status.changed()).await {
        let prompts = Box::new(status.borrow_and_update().clone());
        let text = Frame::Prompts { prompts }.text();
        app.hub.to_consoles("", &Item::Newest(Kind::Prompts, text));
    }
}

async fn prune(app: Arc<App>) {
    while tokio::time::timeout(PRUNE, app.shutdown.cancelled()).await.is_err() {
        app.limits.prune();
    }
}

impl Running {
    /// Stops: no new connections, sockets told to come back, drafts cancelled, the database closed.
    pub async fn stop(self) {
        let Self { app, accepting, threads, .. } = self;
        app.shutdown.cancel();
        app.desk.stop_all();
        app.desk.ring();
        app.mind.knowledge.ring();
        app.mind.prompts.ring();
        app.doors.sockets.close();
        let all = async {
            app.doors.sockets.wait().await;
            // The accept loop has nothing to report but its end.
            let _ = accepting.await;
            let _ = tokio::task::spawn_blocking(move || threads.map(|thread| thread.join())).await;
        };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        app.store.close().await;
    }
}
