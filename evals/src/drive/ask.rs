//! `drive` without a shape: visitors who ask, each message sent when it was meant to be, whatever the server does.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use engine::metrics::percentile;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::data::{self, DemoCase};
use crate::run::{RunOptions, RunResult, Setting};
use crate::wire::{self, Visitor};

/// How long after the last message replies are waited for.
const TAIL: Duration = Duration::from_secs(60);
/// Wait for a single frame; a quiet socket is no error while others speak.
const QUIET: Duration = Duration::from_millis(200);

/// Options of `drive`. The server has to allow the load from one address: see `[limits]` of its settings.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Options {
    #[command(flatten)]
    run: RunOptions,
    /// Address of the server.
    #[arg(long, default_value = "127.0.0.1:7878")]
    server: String,
    /// Visitors who are connected at once.
    #[arg(long, default_value_t = 20)]
    visitors: usize,
    /// Messages a second, of all visitors together.
    #[arg(long, default_value_t = 2.0)]
    rate: f64,
    /// Seconds for which messages are sent.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// JSON lines with `text`.
    #[arg(long, default_value = "evals/cases/demo/answerable.jsonl")]
    cases: std::path::PathBuf,
}

/// What one visitor saw.
#[derive(Debug, Default)]
struct Seen {
    sent: usize,
    /// Milliseconds from the intended time.
    acks: Vec<f64>,
    deliveries: Vec<f64>,
    firsts: Vec<f64>,
    completes: Vec<f64>,
    doubled: usize,
    reordered: usize,
    errors: usize,
}

/// A message that is due.
struct Due {
    at: Instant,
    text: String,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(options.visitors > 0 && options.rate > 0.0, "--visitors and --rate are above 0");
    let cases: Vec<DemoCase> = data::lines(&options.cases)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = runtime.block_on(drive(options, &cases))?;
    let mut result = RunResult::new("drive", &options.cases, &options.run, Setting::here());
    report(&seen, &mut result);
    result.finish(&options.run)
}

async fn drive(options: &Options, cases: &[DemoCase]) -> Result<Vec<Seen>> {
    let mut lanes = Vec::new();
    let mut tasks = Vec::new();
    for _ in 0..options.visitors {
        let (visitor, _) = Visitor::open(&options.server).await?;
        let (lane, due) = mpsc::unbounded_channel();
        lanes.push(lane);
        tasks.push(tokio::spawn(attend(visitor, due)));
    }
    let start = Instant::now();
    let count = (options.rate * options.seconds as f64).round() as usize;
    for number in 0..count {
        let at = start + Duration::from_secs_f64(number as f64 / options.rate);
        sleep_until(at.into()).await;
        let text = cases[number % cases.len()].text.clone();
        // A visitor whose socket has ended is counted by what it did not see.
        let _ = lanes[number % lanes.len()].send(Due { at, text });
    }
    drop(lanes);
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await?);
    }
    Ok(seen)
}

/// Sends what is due and notes what comes, until every message has its reply or nobody waits any longer.
async fn attend(mut visitor: Visitor, mut due: mpsc::UnboundedReceiver<Due>) -> Seen {
    let mut log = Log::default();
    let mut end: Option<Instant> = None;
    loop {
        let waiting = log.seen.sent > log.seen.completes.len();
        if end.is_some_and(|end| !waiting || end.elapsed() > TAIL) {
            break;
        }
        tokio::select! {
            biased;
            message = due.recv(), if end.is_none() => match message {
                Some(message) => match visitor.say(&message.text).await {
                    Ok(id) => log.sent(id, message.at),
                    Err(_) => break,
                },
                None => end = Some(Instant::now()),
            },
            frame = visitor.next(QUIET) => match frame {
                Ok((frame, at)) => log.frame(&frame, at),
                Err(error) if error.to_string().starts_with("no frame within") => {}
                Err(_) => break,
            },
        }
    }
    log.seen
}

/// One visitor's messages on their way.
#[derive(Default)]
struct Log {
    seen: Seen,
    /// Intended times of messages by their `client_msg_id`; those without an ack are lost.
    unacknowledged: HashMap<String, Instant>,
    undelivered: HashMap<String, Instant>,
    /// Intended time of the oldest message that shows no reply, and of the oldest without a whole one.
    unanswered: Vec<Instant>,
    unshown: Vec<Instant>,
    last_seq: i64,
    seqs: std::collections::HashSet<i64>,
}

impl Log {
    fn sent(&mut self, id: String, at: Instant) {
        self.seen.sent += 1;
        self.unacknowledged.insert(id.clone(), at);
        self.undelivered.insert(id, at);
        self.unanswered.push(at);
        self.unshown.push(at);
    }

    fn frame(&mut self, frame: &Value, now: Instant) {
        let ms = |at: Instant| (now - at).as_secs_f64() * 1000.0;
        let id = frame["client_msg_id"].as_str().unwrap_or_default();
        match frame["type"].as_str() {
            Some("ack") => match self.unacknowledged.remove(id) {
                Some(at) => self.seen.acks.push(ms(at)),
                None => self.seen.doubled += 1,
            },
            Some("error") => self.seen.errors += 1,
            _ => {}
        }
        if wire::shows_text(frame) && !self.unshown.is_empty() {
            self.seen.firsts.extend(self.unshown.drain(..).map(ms));
        }
        if frame["type"] != "message" {
            return;
        }
        let seq = frame["seq"].as_i64().unwrap_or(0);
        self.seen.doubled += usize::from(!self.seqs.insert(seq));
        self.seen.reordered += usize::from(seq < self.last_seq);
        self.last_seq = seq.max(self.last_seq);
        if let Some(at) = self.undelivered.remove(id) {
            self.seen.deliveries.push(ms(at));
        }
        if wire::is_reply(frame) {
            // One reply answers all that was written before it.
            self.seen.completes.extend(self.unanswered.drain(..).map(ms));
        }
    }
}

fn report(all: &[Seen], result: &mut RunResult) {
    let gather =
        |of: fn(&Seen) -> &Vec<f64>| all.iter().flat_map(of).copied().collect::<Vec<f64>>();
    let sum = |of: fn(&Seen) -> usize| all.iter().map(of).sum::<usize>() as f64;
    for (name, values) in [
        ("ack", gather(|s| &s.acks)),
        ("first_text", gather(|s| &s.firsts)),
        ("complete", gather(|s| &s.completes)),
        ("delivery", gather(|s| &s.deliveries)),
    ] {
        for (share, q) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            result
                .figure(&format!("{name}_{share}_ms"), percentile(&values, q).unwrap_or(f64::NAN));
        }
    }
    result.figure("sent", sum(|s| s.sent));
    result.figure("lost", sum(|s| s.sent) - sum(|s| s.acks.len()));
    result.figure("unanswered", sum(|s| s.sent) - sum(|s| s.completes.len()));
    result.figure("doubled", sum(|s| s.doubled));
    result.figure("reordered", sum(|s| s.reordered));
    result.figure("errors", sum(|s| s.errors));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_lost_doubled_or_out_of_order_is_counted() {
        let now = Instant::now();
        let message = |seq: i64, from: &str, id: &str| json!({"type": "message", "seq": seq, "from": from, "client_msg_id": id});
        let ack = |id: &str| json!({"type": "ack", "client_msg_id": id});
        let mut log = Log::default();
        log.sent("a".into(), now);
        log.sent("b".into(), now);
        for frame in [
            ack("a"),
            ack("a"),
            message(1, "visitor", "a"),
            message(3, "bot", ""),
            message(2, "visitor", "b"),
            message(3, "bot", ""),
        ] {
            log.frame(&frame, now);
        }
        let seen = &log.seen;
        assert_eq!(
            (seen.sent, seen.acks.len(), seen.deliveries.len(), seen.completes.len()),
            (2, 1, 2, 2)
        );
        assert_eq!((seen.doubled, seen.reordered), (2, 1));
    }
}
