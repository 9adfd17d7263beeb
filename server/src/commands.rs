//! What the commands do, and what they print.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use engine::metrics::Period;
use models::manifest::{Manifest, ModelEntry};
use models::store::Store as ModelStore;

use crate::auth;
use crate::cli::{Cli, Command, Models};
use crate::clock::Clock;
use crate::config::{self, Loaded, Settings, Sources};
use crate::startup::{self, Outside, data, knowledge, weights};
use crate::{reader, shutdown, telemetry};

/// How far the models' threads stand back, on the system's scale from 0 to 19.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// Runs the command line.
///
/// # Errors
/// What went wrong, for people.
pub fn run(cli: &Cli) -> Result<()> {
    // Before anything else is touched: this process reads what nobody vouches for.
    if let Some(Command::ReadDocument { kind }) = &cli.command {
        return reader::child::run(kind);
    }
    telemetry::start();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider is set already");
    }
    let env: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let options = cli.options.settings();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let sources =
        Sources { file: cli.options.config.as_deref(), env: &env, options: &options, home };
    let loaded = config::load(&sources)?;
    let folder = cli.options.models_dir.as_deref();
    match cli.command.clone().unwrap_or(Command::Serve) {
        Command::ReadDocument { kind } => reader::child::run(&kind),
        Command::Serve => {
            let runtime = runtime()?;
            let served = runtime.block_on(serve(&loaded.settings, folder));
            // A thread that is deep in a model's arithmetic is not waited for.
            runtime.shutdown_timeout(Duration::from_secs(1));
            served
        }
        Command::Models(Models::Pull { id }) => pull(&loaded.settings, id.as_deref(), folder),
        Command::Models(Models::List) => list(&loaded.settings),
        Command::Models(Models::Verify { id }) => verify(&loaded.settings, id.as_deref()),
        Command::Index => index(&loaded.settings, folder),
        Command::Knowledge(command) => {
            crate::knowledge::commands::run(&command, &loaded.settings, folder)
        }
        Command::PrintConfig => print_config(&loaded),
        Command::Export => runtime()?.block_on(export(&loaded.settings)),
        Command::Dump => runtime()?.block_on(dump(&loaded.settings)),
        Command::MeasureScorecard { from, to } => {
            runtime()?.block_on(measure_scorecard(&loaded.settings, Period { from, to }))
        }
        Command::ResetOwner => runtime()?.block_on(reset_owner(&loaded.settings)),
    }
}

/// The async threads.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.context("the threads of the server could not be started")
}

async fn serve(settings: &Settings, folder: Option<&Path>) -> Result<()> {
    let lock = data::lock(settings)?;
    let bound = startup::bind(settings).await?;
    let (own, folder) = (settings.clone(), folder.map(Path::to_owned));
    let loading = apart(move || {
        // Before any download: documents that cannot be read end the start here.
        knowledge::readable(&own)?;
        weights::ready(&own, folder.as_deref())
    })?;
    let stopping = shutdown::requested();
    tokio::pin!(stopping);
    let (handle, mode) = tokio::select! {
        loaded = loading => loaded.context("loading the models ended in a panic")??,
        // Nothing was accepted yet; a download goes on where it stopped at the next start.
        _ = &mut stopping => std::process::exit(130),
    };
    let model = (Arc::new(handle) as Arc<dyn engine::model::Model>, mode);
    let running = tokio::select! {
        opened = startup::open(settings, bound, lock, model, Outside::system()?) => opened?,
        _ = &mut stopping => std::process::exit(130),
    };
    print(&addresses(&running))?;
    tokio::select! {
        stopped = &mut stopping => stopped.context("signals cannot be listened to")?,
        () = running.app.store.broken() => shutdown::end_broken(&settings.server.data_dir),
    }
    shutdown::end_at_second();
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

/// Loads the models on a thread of low priority. The threads that do their arithmetic are its children and have the same: what people
/// write to each other goes before what a model computes.
fn apart<T: Send + 'static>(
    load: impl FnOnce() -> T + Send + 'static,
) -> Result<tokio::sync::oneshot::Receiver<T>> {
    let (done, loaded) = tokio::sync::oneshot::channel();
    let work = move || {
        // Where the system refuses, the models compute at the common priority.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(NICE);
        // A stop that comes first waits for nothing.
        let _ = done.send(load());
    };
    std::thread::Builder::new()
        .name("models".into())
        .spawn(work)
        .context("the thread that loads the models could not be started")?;
    Ok(loaded)
}

/// The three addresses.
fn addresses(running: &startup::Running) -> String {
    let base = running.app.origins.base();
    let console = match &running.setup {
        Some(secret) => format!("{base}/console/#setup={secret}   (set-up link, good once)"),
        None => format!("{base}/console/"),
    };
    let mind = &running.app.mind;
    let card = mind.model.card();
    let edition = mind.knowledge.edition();
    format!(
        "Porchlight is ready: {} documents, {} passages, {} drafts with {}.\n\n  \
         Demo site      {base}/\n  Owner console  {console}\n  Health         {base}/healthz\n\n\
         Stop with Ctrl+C.\n",
        edition.index().documents().len(),
        edition.index().len(),
        card.drafter,
        mind.mode.as_str(),
    )
}

fn pull(settings: &Settings, id: Option<&str>, folder: Option<&Path>) -> Result<()> {
    let manifest = Manifest::builtin();
    let wanted = match id {
        Some(id) => vec![weights::entry(&manifest, id)?],
        None => weights::chosen(&manifest, settings)?.to_vec(),
    };
    let store = ModelStore::new(settings.models.dir.clone());
    for model in wanted {
        let found = weights::pull(&store, model, folder)?;
        print(&format!("{} is in {}\n", model.id, found.dir().display()))?;
    }
    Ok(())
}

fn list(settings: &Settings) -> Result<()> {
    let manifest = Manifest::builtin();
    let store = ModelStore::new(settings.models.dir.clone());
    let mut out = String::new();
    for model in manifest.models() {
        let state = if store.find(model).is_ok() { "on disk" } else { "not here" };
        let in_use = [&settings.models.encoder, &settings.models.drafter].contains(&&model.id);
        let role = model
            .draft()
            .map_or("encoder".to_owned(), |mode| format!("drafter ({})", mode.as_str()));
        let megabytes = model.bytes() / 1_000_000;
        let mark = if in_use { "*" } else { " " };
        writeln!(
            out,
            "{mark} {:<20} {role:<18} {megabytes:>5} MB  {state:<9} {}",
            model.id, model.about
        )?;
    }
    writeln!(out, "\n* in use. Folder: {}", settings.models.dir.display())?;
    print(&out)
}

fn verify(settings: &Settings, id: Option<&str>) -> Result<()> {
    let manifest = Manifest::builtin();
    let store = ModelStore::new(settings.models.dir.clone());
    let wanted: Vec<&ModelEntry> = match id {
        Some(id) => vec![weights::entry(&manifest, id)?],
        None => manifest
            .models()
            .iter()
            .filter(|model| settings.models.dir.join(&model.id).exists())
            .collect(),
    };
    if wanted.is_empty() {
        bail!(
            "no model is in {}. `porchlight models pull` fetches those in use.",
            settings.models.dir.display()
        );
    }
    let mut bad = 0;
    for model in wanted {
        match store.verify(model) {
            Ok(_) => print(&format!("{} is whole\n", model.id))?,
            Err(error) => {
                bad += 1;
                print(&format!("{error}\n"))?;
            }
        }
    }
    if bad > 0 {
        bail!("{bad} of the models cannot be used");
    }
    Ok(())
}

fn index(settings: &Settings, folder: Option<&Path>) -> Result<()> {
    let _lock = data::lock(settings)?;
    // Before any download: documents that cannot be read end it here.
    knowledge::readable(settings)?;
    let (handle, _) = weights::ready(settings, folder)?;
    let library = knowledge::library(settings, (Arc::new(handle), Clock::system()))?;
    let status = library.status().borrow().clone();
    print(&format!(
        "{} documents, {} passages, version {}\n",
        status.documents, status.passages, status.version
    ))?;
    if let Some(pinned) = status.pinned {
        print(&format!(
            "Version {pinned} is pinned and was indexed, not the folder. `porchlight knowledge release` ends that.\n"
        ))?;
    }
    if !status.problems.is_empty() {
        bail!("{} files could not be read; they are named above", status.problems.len());
    }
    Ok(())
}

fn print_config(loaded: &Loaded) -> Result<()> {
    print(&loaded.describe())
}

async fn export(settings: &Settings) -> Result<()> {
    let store = data::database(settings).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let count = crate::export::write(&store, &mut out).await?;
    out.flush().context("standard output")?;
    tracing::info!(turns = count, "exported");
    store.close().await;
    Ok(())
}

async fn dump(settings: &Settings) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    crate::dump::write(settings, &mut out).await?;
    out.flush().context("standard output")
}

async fn measure_scorecard(settings: &Settings, period: Period) -> Result<()> {
    let lines = std::io::stdin().lock();
    let measured = crate::scorecard::measure::run(settings, lines, period).await?;
    print(&format!("{measured}\n"))
}

async fn reset_owner(settings: &Settings) -> Result<()> {
    let store = data::database(settings).await?;
    let mut tx = store.begin().await?;
    tx.remove_owners().await?;
    tx.commit().await?;
    let outside = Outside::system()?;
    let secret = auth::new_link(&store, &outside.ids, &outside.clock).await?;
    store.close().await;
    let origins = crate::origin::Origins::new(
        settings.server.listen,
        settings.server.public_url.clone(),
        vec![],
    );
    print(&format!(
        "The old password and all sessions have ended. Choose a new one here; the link is good once, \
         and a new start of the server replaces it:\n\n  {}/console/#setup={secret}\n",
        origins.base()
    ))
}

/// Writes to standard output; a closed pipe is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("standard output")
        }
        _ => Ok(()),
    }
}
