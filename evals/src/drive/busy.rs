//! `busy`: people write to each other while other visitors keep the bot at work; whether the people notice.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::time::sleep_until;

use super::bench::{Beat, Bench, Common, on_one_thread};
use super::client::{self, Handle, Order};
use super::crowd::{self, Begin, Plan};
use super::session::{Peer, Ticket};
use crate::data::{self, DemoCase};

/// How long stragglers are waited for.
const TAIL: Duration = Duration::from_secs(30);
/// Numbers of those who ask begin here, above all rooms.
const ASKERS: u32 = 1_000_000;

/// Options of `drive busy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// Rooms of two windows, out of the bot's hands.
    #[arg(long, default_value_t = 50)]
    rooms: u32,
    /// Messages of people a second, of all rooms together.
    #[arg(long, default_value_t = 10.0)]
    rate: f64,
    /// Visitors who ask the bot.
    #[arg(long, default_value_t = 20)]
    askers: u32,
    /// Questions a second, of all of them together.
    #[arg(long, default_value_t = 2.0)]
    questions: f64,
    /// Seconds for which it goes on.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Questions: JSON lines with `text`.
    #[arg(long, default_value = "evals/cases/demo/answerable.jsonl")]
    cases: PathBuf,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let above = options.rooms > 0 && options.rate > 0.0 && options.questions > 0.0;
    ensure!(above && options.askers > 0, "--rooms, --rate, --askers and --questions are above 0");
    ensure!(options.common.peer == Peer::Porchlight, "peers have no bot to keep busy");
    let cases: Vec<DemoCase> = data::lines(&options.cases)?;
    on_one_thread(drive(options, &cases))
}

async fn drive(options: &Options, cases: &[DemoCase]) -> Result<()> {
    let mut bench = Bench::open("busy", &options.common).await?;
    let plan = Plan { rooms: options.rooms, windows: 2, begin: Begin::Person };
    let mut crowd = crowd::open(&bench.setup, plan).await;
    let askers: Vec<Handle> = (0..options.askers)
        .map(|number| client::start(&bench.setup, ASKERS + number, Ticket::default(), ""))
        .collect();
    let (watch, start) = (bench.watch(), bench.setup.start);
    let (mut talk, mut ask) = (Beat::new(options.rate), Beat::new(options.questions));
    let (mut said, mut asked) = (0_usize, 0_usize);
    let (mut word, mut question) = (talk.next(), ask.next());
    let (end, count) = (Instant::now() + Duration::from_secs(options.seconds), crowd.rooms.len());
    while word.min(question) < end {
        sleep_until(word.min(question).into()).await;
        if word <= question {
            crowd.rooms[said % count].send(said / count % 2, word, start);
            said += 1;
            word = talk.next();
        } else {
            let text = cases[asked % cases.len()].text.clone();
            askers[asked % askers.len()].order(Order::Send { text, due: question });
            asked += 1;
            question = ask.next();
        }
    }
    crowd.settle(TAIL).await;
    let (mut people, other) = crowd.end().await;
    people.add(other);
    bench.measured(watch, people.shown.len());
    bench.result.figure("questions", asked as f64);
    bench.result.figure("delivered_share", people.shown.len() as f64 / said as f64);
    people.report(&mut bench.result);
    for asker in askers {
        asker.leave().await?;
    }
    bench.finish(&options.common).await
}
