//! What every shape of load shares: its options, the server it drives, and what is measured around it.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use engine::metrics::percentile;

use super::client::Setup;
use super::lag::Lag;
use super::server::{self, Process, Server};
use super::session::Peer;
use crate::ledger::{Keeper, Log};
use crate::run::{RunOptions, RunResult, Setting};

/// A driver that is later than this measures itself.
const MOST_LAG_MS: f64 = 2.0;

/// Options of every shape. The server has to allow the load from one address: evals/cases/load/porchlight.toml.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) run: RunOptions,
    /// Address of the server.
    #[arg(long, default_value = "127.0.0.1:7878")]
    pub(crate) server: String,
    /// Which kind of server it is.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) peer: Peer,
    /// Start the server with these words and end it afterwards.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) server_command: Option<String>,
    /// Process id of a server that runs already, for what it costs.
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Write the ledger's log into this folder; syncs cost time, so latencies are better measured without.
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    /// What to call this run in the report, beside the shape.
    #[arg(long)]
    pub(crate) label: Option<String>,
}

/// A run of one shape.
pub(crate) struct Bench {
    pub(crate) setup: Arc<Setup>,
    /// The server, if this program has started it.
    pub(crate) server: Option<Server>,
    /// Its process, if it is known.
    pub(crate) process: Option<Process>,
    keeper: Option<Keeper>,
    pub(crate) result: RunResult,
}

/// What runs beside the part of a shape that is measured.
pub(crate) struct Watch {
    process: Option<Process>,
    cpu_ms: f64,
    own_ms: f64,
    began: Instant,
    lag: Lag,
}

impl Bench {
    /// Prepares a run, and starts the server where that is asked for.
    ///
    /// # Errors
    /// When the server does not start, or the ledger cannot be written.
    pub(crate) async fn open(shape: &str, common: &Common) -> Result<Self> {
        ensure!(
            common.ledger.is_none() || common.peer == Peer::Porchlight,
            "only Porchlight has a ledger; leave --ledger out"
        );
        let files = server::open_many_files()?;
        let server = match &common.server_command {
            Some(command) => Some(Server::start(command, &common.server).await?),
            None => None,
        };
        let (ledger, keeper) = match &common.ledger {
            Some(folder) => {
                let (log, keeper) = Log::start(folder)?;
                (Some(log), Some(keeper))
            }
            None => (None, None),
        };
        let setup = Arc::new(Setup {
            server: common.server.clone(),
            peer: common.peer,
            start: Instant::now(),
            ledger,
            seed: common.run.seed,
            salt: RandomState::new().hash_one(std::process::id()),
        });
        let data = Path::new("evals/cases/load");
        let mut result = RunResult::new("drive", data, &common.run, Setting::here());
        result.variant(shape);
        if let Some(label) = &common.label {
            result.variant(label);
        }
        result.figure("open_files_limit", files as f64);
        let pid = server.as_ref().map(Server::pid).or(common.pid);
        Ok(Self { setup, server, process: pid.map(Process), keeper, result })
    }

    /// The server, for shapes that end it.
    ///
    /// # Errors
    /// When this program has not started it.
    pub(crate) fn server(&mut self) -> Result<&mut Server> {
        self.server.as_mut().context("this shape ends the server: name it with --server-command")
    }

    /// Begins to measure.
    pub(crate) fn watch(&self) -> Watch {
        let cpu_ms = self.process.map_or(f64::NAN, Process::cpu_ms);
        let own_ms = Process(std::process::id()).cpu_ms();
        Watch { process: self.process, cpu_ms, own_ms, began: Instant::now(), lag: Lag::start() }
    }

    /// Adds what was measured since `watch`, in which `delivered` messages were displayed:
    /// CPU cost = server's CPU milliseconds ÷ delivered · 1,000.
    pub(crate) fn measured(&mut self, watch: Watch, delivered: usize) {
        let seconds = watch.began.elapsed().as_secs_f64();
        let cpu_ms = watch.process.map_or(f64::NAN, |process| process.cpu_ms() - watch.cpu_ms);
        let own_ms = Process(std::process::id()).cpu_ms() - watch.own_ms;
        let per_thousand =
            if delivered == 0 { f64::NAN } else { cpu_ms / delivered as f64 * 1_000.0 };
        let lag = percentile(&watch.lag.end(), 0.99).unwrap_or(f64::NAN);
        if lag > MOST_LAG_MS {
            crate::print_line(&format!(
                "The driver itself was late by {lag:.1} ms (p99): the latencies below say little."
            ));
        }
        let result = &mut self.result;
        result.figure("delivered", delivered as f64);
        result.figure("server_cpu_share", cpu_ms / 1_000.0 / seconds);
        result.figure("server_cpu_ms_per_1000_delivered", per_thousand);
        result.figure("driver_cpu_share", own_ms / 1_000.0 / seconds);
        result.figure("driver_lag_p99_ms", lag);
    }

    /// Prints and writes the result once the ledger's log is on the disk. All clients must have left.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub(crate) async fn finish(self, common: &Common) -> Result<()> {
        drop(self.setup);
        if let Some(mut server) = self.server {
            server.end(server::Signal::Term).await?;
        }
        if let Some(keeper) = self.keeper {
            keeper.finish()?;
        }
        self.result.finish(&common.run)
    }
}

/// Runs a shape on one thread: what the driver itself costs stays on one core.
///
/// # Errors
/// Those of the shape.
pub(crate) fn on_one_thread<T>(shape: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(shape)
}

/// When events are due: event n, from 0, at start + n ÷ rate. A late driver does not move the times that follow.
pub(crate) struct Beat {
    start: Instant,
    rate: f64,
    count: u64,
}

impl Beat {
    /// `rate` events a second from now on.
    pub(crate) fn new(rate: f64) -> Self {
        Self { start: Instant::now(), rate, count: 0 }
    }

    /// When the next one is due.
    pub(crate) fn next(&mut self) -> Instant {
        let due = self.start + Duration::from_secs_f64(self.count as f64 / self.rate);
        self.count += 1;
        due
    }
}
