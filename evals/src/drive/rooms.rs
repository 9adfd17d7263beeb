//! `rooms`: two windows of each visitor, messages at a steady rate; how long until the other window shows them.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::time::sleep_until;

use super::bench::{Beat, Bench, Common, on_one_thread};
use super::crowd::{self, Begin, Plan};

/// How long stragglers are waited for.
const TAIL: Duration = Duration::from_secs(30);

/// Options of `drive rooms`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// Rooms of two windows.
    #[arg(long, default_value_t = 5_000)]
    rooms: u32,
    /// Messages a second, of all rooms together.
    #[arg(long, default_value_t = 500.0)]
    rate: f64,
    /// Seconds for which messages are sent.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Leave the conversations in the bot's hands.
    #[arg(long)]
    bot: bool,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(options.rooms > 0 && options.rate > 0.0, "--rooms and --rate are above 0");
    on_one_thread(drive(options))
}

async fn drive(options: &Options) -> Result<()> {
    let mut bench = Bench::open("rooms", &options.common).await?;
    let begin = if options.bot { Begin::Bot } else { Begin::Person };
    let plan = Plan { rooms: options.rooms, windows: 2, begin };
    let mut crowd = crowd::open(&bench.setup, plan).await;
    let ready = crowd.rooms.iter().filter(|room| room.ready).count();
    let start = bench.setup.start;
    let watch = bench.watch();
    let (mut beat, mut sent) = (Beat::new(options.rate), 0_usize);
    let end = Instant::now() + Duration::from_secs(options.seconds);
    while Instant::now() < end {
        let due = beat.next();
        sleep_until(due.into()).await;
        let room = sent % crowd.rooms.len();
        // The windows take turns.
        let window = sent / crowd.rooms.len() % 2;
        crowd.rooms[room].send(window, due, start);
        sent += 1;
    }
    crowd.settle(TAIL).await;
    bench.result.figure("rooms", crowd.rooms.len() as f64);
    bench.result.figure("rooms_ready", ready as f64);
    bench.result.figure("opening_s", crowd.opening_s);
    let (mut all, other) = crowd.end().await;
    all.add(other);
    bench.measured(watch, all.shown.len());
    bench.result.figure("delivered_share", all.shown.len() as f64 / sent as f64);
    all.report(&mut bench.result);
    bench.finish(&options.common).await
}
