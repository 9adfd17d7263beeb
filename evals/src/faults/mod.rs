//! `faults`: breaks the real server in every way of the table in `server/RELIABILITY.md`; every round ends in the ledger.

mod crowd;
mod disk;
mod kills;
mod network;
mod odd;
mod place;
mod program;
mod proxy;
mod shim;
mod stage;
mod visitor;

pub(crate) use program::porchlight;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::{BoxFuture, FutureExt};
use serde::Serialize;

use crate::run::{RunOptions, RunResult, Setting};

/// Options of `faults`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    run: RunOptions,
    /// Every fault under few seeds, in minutes.
    #[arg(long)]
    quick: bool,
    /// Only this fault, under the one seed of --seed unless --seeds says more.
    #[arg(long, value_name = "FAULT")]
    only: Option<String>,
    /// Seeds of each fault instead of its own number.
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// Leave the folders of the rounds where they are: settings, data, output of the server, ledger.
    #[arg(long)]
    keep: bool,
}

/// One round of a fault.
#[derive(Debug, Clone)]
struct Scene {
    case: &'static str,
    seed: u64,
    /// Whether its folder stays.
    keep: bool,
}

impl Scene {
    /// Name of its folder.
    fn name(&self) -> String {
        format!("{} {}", self.case, self.seed).replace(' ', "-")
    }
}

/// What a round that passed has to say.
#[derive(Debug, Default)]
struct Outcome {
    what: String,
    /// The longest time from a start to ready.
    ready: Duration,
    /// Most memory of the server that was seen, in KiB.
    memory: u64,
}

/// A fault, its seeds in a quick and in a full run, and one round of it.
struct Fault {
    name: &'static str,
    seeds: (u64, u64),
    round: for<'a> fn(&'a Scene) -> BoxFuture<'a, Result<Outcome>>,
}

const fn fault(
    name: &'static str,
    seeds: (u64, u64),
    round: for<'a> fn(&'a Scene) -> BoxFuture<'a, Result<Outcome>>,
) -> Fault {
    Fault { name, seeds, round }
}

/// The crash points of `server/src/failpoint.rs`.
const POINTS: [&str; 17] = [
    "K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "K10", "K11", "K12", "K13", "K14", "K21",
    "K22", "K25",
];

fn table() -> Vec<Fault> {
    let points = POINTS.map(|name| fault(name, (1, 20), |scene| kills::at_point(scene).boxed()));
    let others = [
        fault("kill at random", (1, 20), |scene| kills::at_random(scene).boxed()),
        fault("torn log", (2, 20), |scene| disk::torn_write(scene).boxed()),
        fault("torn checkpoint", (1, 10), |scene| disk::torn_write(scene).boxed()),
        fault("power loss", (2, 20), |scene| disk::power_loss(scene).boxed()),
        fault("shm deleted", (1, 3), |scene| disk::shm_deleted(scene).boxed()),
        fault("log head zeroed", (1, 3), |scene| disk::log_head_zeroed(scene).boxed()),
        fault("disk full", (1, 5), |scene| disk::refuses(scene).boxed()),
        fault("EIO on write", (1, 5), |scene| disk::refuses(scene).boxed()),
        fault("EIO on read", (1, 5), |scene| disk::refuses(scene).boxed()),
        fault("EIO on sync", (1, 10), |scene| disk::sync_fails(scene).boxed()),
        fault("read-only", (1, 3), |scene| disk::refuses(scene).boxed()),
        fault("read-only start", (1, 1), |scene| disk::read_only_start(scene).boxed()),
        fault("no more files", (1, 3), |scene| network::no_files(scene).boxed()),
        fault("slow socket", (1, 3), |scene| network::bad(scene).boxed()),
        fault("dead network", (1, 3), |scene| network::bad(scene).boxed()),
        fault("reset mid-frame", (1, 5), |scene| network::bad(scene).boxed()),
        fault("every client cut", (1, 5), |scene| network::cut(scene).boxed()),
        fault("sent ten times", (1, 5), |scene| network::doubles(scene).boxed()),
        fault("restart avalanche", (1, 3), |scene| network::avalanche(scene).boxed()),
        fault("clock jumps", (1, 5), |scene| odd::clock(scene).boxed()),
        fault("paused process", (1, 3), |scene| odd::away(scene).boxed()),
        fault("paused holder", (1, 3), |scene| odd::away(scene).boxed()),
        fault("spoiled index", (2, 30), |scene| odd::index(scene).boxed()),
        fault("second process", (1, 3), |scene| odd::second(scene).boxed()),
    ];
    points.into_iter().chain(others).collect()
}

/// A fault's line in the table.
#[derive(Debug, Serialize)]
struct Row {
    fault: &'static str,
    rounds: u64,
    passed: u64,
    /// The longest start, in milliseconds.
    ready_ms: u128,
    /// Most memory of the server, in MiB.
    memory_mib: u64,
    seconds: f64,
    /// What the last round said.
    outcome: String,
    failures: Vec<String>,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut result =
        RunResult::new("faults", Path::new("server/RELIABILITY.md"), &options.run, Setting::here());
    let chosen = |name: &str| {
        let only = options.only.as_deref();
        only.is_none_or(|only| name == only)
    };
    let faults: Vec<Fault> = table().into_iter().filter(|fault| chosen(fault.name)).collect();
    let names: Vec<&str> = table().iter().map(|fault| fault.name).collect();
    ensure!(!faults.is_empty(), "there is no such fault; there are {}", names.join(", "));
    let mut failed = Vec::new();
    for fault in faults {
        let row = rounds(&runtime, options, &fault);
        result.detail(fault.name, &row).context("the table")?;
        failed.extend(row.failures);
    }
    result.figure("failed", failed.len() as f64);
    result.finish(&options.run)?;
    if !failed.is_empty() {
        bail!(
            "{} rounds failed; each names the seed that repeats it:\n{}",
            failed.len(),
            failed.join("\n")
        );
    }
    Ok(())
}

fn rounds(runtime: &tokio::runtime::Runtime, options: &Options, fault: &Fault) -> Row {
    let began = Instant::now();
    let count = if options.quick { fault.seeds.0 } else { fault.seeds.1 };
    // A seed with one fault repeats one round.
    let count = options.seeds.unwrap_or(if options.only.is_some() { 1 } else { count });
    let mut row = Row {
        fault: fault.name,
        rounds: count,
        passed: 0,
        ready_ms: 0,
        memory_mib: 0,
        seconds: 0.0,
        outcome: String::new(),
        failures: Vec::new(),
    };
    for seed in options.run.seed..options.run.seed + count {
        let scene = Scene { case: fault.name, seed, keep: options.keep };
        match runtime.block_on((fault.round)(&scene)) {
            Ok(outcome) => {
                row.passed += 1;
                row.ready_ms = row.ready_ms.max(outcome.ready.as_millis());
                row.memory_mib = row.memory_mib.max(outcome.memory / 1_024);
                row.outcome = outcome.what;
            }
            Err(error) => {
                let line = format!("--only {:?} --seed {seed}: {error:#}", fault.name);
                crate::print_line(&line);
                row.failures.push(line);
            }
        }
    }
    row.seconds = began.elapsed().as_secs_f64();
    crate::print_line(&format!(
        "{:<26} {:>3} of {:>3}  ready {:>5} ms  {:>5} MiB  {:>6.1} s  {}",
        row.fault, row.passed, row.rounds, row.ready_ms, row.memory_mib, row.seconds, row.outcome
    ));
    row
}
