//! `transcripts`: scripted conversations over the real wire, checked and timed.

mod case;
mod judge;
pub(crate) mod owner;
mod play;
mod spawn;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use engine::metrics::percentile;
use serde_json::{Value, json};

use crate::run::{self, RunOptions, RunResult, Setting};
use owner::Owner;
use spawn::Spawned;

/// Options of `transcripts`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    run: RunOptions,
    /// Folder of the cases.
    #[arg(default_value = "evals/cases/transcripts")]
    folder: PathBuf,
    /// Address of a running server. What only its owner sees is not checked then.
    #[arg(long, conflicts_with = "spawn")]
    server: Option<String>,
    /// Start the `porchlight` that stands beside this program, over a fresh data folder.
    #[arg(long)]
    spawn: bool,
    /// Leave the time budgets out, as on a machine that does other work besides.
    #[arg(long)]
    untimed: bool,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut cases = case::read_all(&options.folder)?;
    if options.untimed {
        cases.iter_mut().flat_map(|case| &mut case.step).for_each(|step| step.within_ms = None);
    }
    let spawned = if options.spawn { Some(Spawned::start()?) } else { None };
    let server =
        spawned.as_ref().map(|spawned| spawned.address.clone()).or_else(|| options.server.clone());
    let server = server.context("give --server HOST:PORT or --spawn")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let owner = match &spawned {
        Some(spawned) => Some(runtime.block_on(Owner::sign_up(&server, &spawned.secret))?),
        None => None,
    };
    let mut tally = Tally::default();
    let bar = run::bar("transcripts", cases.len());
    for case in &cases {
        let played = runtime.block_on(played(&server, owner.as_ref(), case));
        let played = played.unwrap_or_else(|error| play::Played {
            failures: vec![format!("the wire broke: {error:#}")],
            ..play::Played::default()
        });
        bar.suspend(|| tally.add(case, played));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let setting = runtime.block_on(setting(&server))?;
    let mut result = RunResult::new("transcripts", &options.folder, &options.run, setting);
    tally.report(&mut result)?;
    result.finish(&options.run)?;
    ensure!(tally.failed == 0, "{} of {} conversations failed", tally.failed, cases.len());
    Ok(())
}

/// Plays a case, with the owner away where it says so.
async fn played(server: &str, owner: Option<&Owner>, case: &case::Case) -> Result<play::Played> {
    if !case.away {
        return play::play(server, owner, case).await;
    }
    let owner = owner.context("the owner has to be away, which only --spawn can see to")?;
    owner.away(true).await?;
    let played = play::play(server, Some(owner), case).await;
    owner.away(false).await?;
    played
}

/// What a running server tells of its models and documents.
async fn setting(server: &str) -> Result<Setting> {
    let health = owner::health(server).await?;
    let text = |name: &str| health[name].as_str().unwrap_or_default().to_owned();
    let (encoder, drafter) = (text("encoder"), text("drafter"));
    Ok(Setting { encoder, drafter, knowledge: text("knowledge"), ..Setting::here() })
}

/// Counts and times over all cases.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    pending: usize,
    unchecked: usize,
    acks: Vec<f64>,
    firsts: Vec<f64>,
    completes: Vec<f64>,
    /// For the JSON: each case with its outcome.
    cases: Vec<Value>,
}

impl Tally {
    fn add(&mut self, case: &case::Case, played: play::Played) {
        let good = played.failures.is_empty();
        let (word, count) = match (&case.pending, good) {
            (None, true) => ("passed", &mut self.passed),
            (None, false) => ("FAILED", &mut self.failed),
            (Some(_), _) => ("pending", &mut self.pending),
        };
        *count += 1;
        let would = if good { "would pass" } else { "would fail" };
        let note = case.pending.as_ref().map(|what| format!(" ({would}; waits for {what})"));
        let note = note.unwrap_or_default();
        crate::print_line(&format!("{word:<7} {}: {}{note}", case.name, case.title));
        let lines = played.failures.iter().map(|failure| format!("          {failure}"));
        lines.for_each(|line| crate::print_line(&line));
        self.cases.push(json!({
            "case": case.name, "outcome": word, "waits_for": case.pending, "failures": played.failures
        }));
        self.unchecked += played.unchecked;
        self.acks.extend(played.acks);
        self.firsts.extend(played.firsts);
        self.completes.extend(played.completes);
    }

    fn report(&self, result: &mut RunResult) -> Result<()> {
        let counts = [
            ("passed", self.passed),
            ("failed", self.failed),
            ("pending", self.pending),
            ("unchecked", self.unchecked),
        ];
        counts.iter().for_each(|(name, count)| result.figure(name, *count as f64));
        for (name, values) in [
            ("ack_ms", &self.acks),
            ("first_text_ms", &self.firsts),
            ("complete_ms", &self.completes),
        ] {
            for (share, q) in [("p50", 0.5), ("p95", 0.95)] {
                result.grouped(name, share, percentile(values, q).unwrap_or(f64::NAN));
            }
        }
        result.detail("cases", &self.cases)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_cases_never_pass_and_never_fail() {
        let mut tally = Tally::default();
        for (pending, failures) in
            [(None, vec![]), (None, vec!["x"]), (Some("y"), vec![]), (Some("y"), vec!["x"])]
        {
            let case = case::Case {
                title: "t".into(),
                pending: pending.map(str::to_owned),
                away: false,
                step: vec![],
                name: "n".into(),
            };
            let failures = failures.into_iter().map(str::to_owned).collect();
            tally.add(&case, play::Played { failures, ..play::Played::default() });
        }
        assert_eq!((tally.passed, tally.failed, tally.pending), (1, 1, 2));
    }
}
