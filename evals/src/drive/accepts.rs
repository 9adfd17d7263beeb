//! `accepts`: as many messages as are made durable in a second, beside what the disk itself can do in the same run.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::spawn_blocking;

use super::bench::{Bench, Common, on_one_thread};
use super::crowd::{self, Begin, Plan, Room};
use super::disk;

/// Seconds for which the disk is measured, before and after.
const DISK: Duration = Duration::from_secs(3);
/// A writer that waits longer for one acknowledgement writes no more.
const PATIENCE: Duration = Duration::from_secs(30);

/// Options of `drive accepts`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// Writers; one socket may send 20 frames a second, so there have to be many.
    #[arg(long, default_value_t = 400)]
    writers: u32,
    /// Seconds for which they write.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Folder on the disk of the server's database, for what that disk can do.
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Writes that share one sync when the disk is measured.
    #[arg(long, default_value_t = 16)]
    batch: usize,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(options.writers > 0 && options.batch > 0, "--writers and --batch are above 0");
    on_one_thread(drive(options))
}

async fn drive(options: &Options) -> Result<()> {
    let mut bench = Bench::open("accepts", &options.common).await?;
    let plan = Plan { rooms: options.writers, windows: 1, begin: Begin::Person };
    let crowd = crowd::open(&bench.setup, plan).await;
    let before = measure_disk(options).await?;
    let (watch, start) = (bench.watch(), bench.setup.start);
    let (began, time) = (Instant::now(), Duration::from_secs(options.seconds));
    let (mut writing, mut written) = (Vec::new(), Vec::new());
    for room in crowd.rooms {
        writing.push(tokio::spawn(write(room, start, began + time)));
    }
    for task in writing {
        written.push(task.await?);
    }
    let seconds = began.elapsed().as_secs_f64();
    let mut all = super::tally::Tally::default();
    for room in written {
        for window in room.windows {
            all.add(window.leave().await.unwrap_or_default());
        }
    }
    bench.measured(watch, all.own.len());
    let (accepts, after) = (all.acks.len() as f64 / seconds, measure_disk(options).await?);
    let ceiling = (before + after) / 2.0;
    bench.result.figure("accepts_a_second", accepts);
    bench.result.figure("disk_writes_a_second", ceiling);
    bench.result.figure("share_of_disk", accepts / ceiling);
    all.report(&mut bench.result);
    bench.finish(&options.common).await
}

async fn measure_disk(options: &Options) -> Result<f64> {
    let (folder, batch) = (options.data_dir.clone(), options.batch);
    spawn_blocking(move || disk::ceiling(&folder, batch, DISK)).await?
}

/// Sends the next message when the last one is acknowledged.
async fn write(mut room: Room, start: Instant, end: Instant) -> Room {
    let mut news = room.windows[0].news.clone();
    let mut acked = news.borrow().acked;
    while Instant::now() < end {
        room.send(0, Instant::now(), start);
        let next = news.wait_for(|news| news.acked > acked);
        match tokio::time::timeout(PATIENCE, next).await {
            Ok(Ok(news)) => acked = news.acked,
            Ok(Err(_)) | Err(_) => break,
        }
    }
    room
}
