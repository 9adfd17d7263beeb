//! `ask`: puts questions to a running Porchlight over its own WebSocket, one after the other, and times what a visitor sees.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use engine::metrics::percentile;

use crate::data::{self, DemoCase};
use crate::resident;
use crate::wire::{self, Visitor};

/// Longest wait for one frame.
const PATIENCE: Duration = Duration::from_secs(60);

/// Options of `ask`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Address of the server, `127.0.0.1:7878`.
    #[arg(long, default_value = "127.0.0.1:7878")]
    server: String,
    /// JSON lines with `qid` and `text`.
    #[arg(long, default_value = "evals/cases/demo/answerable.jsonl")]
    cases: PathBuf,
    /// How many of them.
    #[arg(long, default_value_t = 10)]
    count: usize,
    /// Process whose resident memory is reported.
    #[arg(long)]
    pid: Option<u32>,
}

/// Milliseconds from sending until each thing was seen.
struct Times {
    ack: f64,
    first: f64,
    complete: f64,
    from: String,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let cases: Vec<DemoCase> = data::lines(&options.cases)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut seen = Vec::new();
    for case in cases.iter().take(options.count) {
        let times = runtime.block_on(one(&options.server, &case.text))?;
        crate::print_line(&format!(
            "{:<12} ack {:>6.1} ms   first text {:>7.1} ms   complete {:>7.1} ms   {}",
            case.qid, times.ack, times.first, times.complete, times.from
        ));
        seen.push(times);
    }
    summary("ack", seen.iter().map(|t| t.ack).collect());
    summary("first text", seen.iter().map(|t| t.first).collect());
    summary("complete", seen.iter().map(|t| t.complete).collect());
    if let Some(pid) = options.pid {
        let mib = resident::mib(&pid.to_string())
            .with_context(|| format!("the system tells no resident memory of process {pid}"))?;
        crate::print_line(&format!("resident memory of process {pid}: {mib:.0} MiB"));
    }
    Ok(())
}

fn summary(name: &str, values: Vec<f64>) {
    let at = |q| percentile(&values, q).unwrap_or(f64::NAN);
    crate::print_line(&format!(
        "{name:<11} p50 {:.1} ms   p95 {:.1} ms   max {:.1} ms",
        at(0.5),
        at(0.95),
        at(1.0)
    ));
}

async fn one(server: &str, question: &str) -> Result<Times> {
    let (mut visitor, _) = Visitor::open(server).await?;
    let start = Instant::now();
    let ms = |at: Instant| (at - start).as_secs_f64() * 1000.0;
    visitor.say(question).await?;
    let (_, ack) = visitor.until(PATIENCE, |frame| frame["type"] == "ack").await?;
    let (mut frame, first) = visitor.until(PATIENCE, wire::shows_text).await?;
    let mut complete = first;
    if !wire::is_reply(&frame) {
        (frame, complete) = visitor.until(PATIENCE, wire::is_reply).await?;
    }
    let from = frame["from"].as_str().unwrap_or("?").to_owned();
    visitor.close().await?;
    Ok(Times { ack: ms(ack), first: ms(first), complete: ms(complete), from })
}
