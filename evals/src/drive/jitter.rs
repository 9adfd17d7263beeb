//! `jitter`: every client loses its connection again and again, without a word; what reaches it all the same, and when.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::time::sleep_until;

use super::bench::{Beat, Bench, Common, on_one_thread};
use super::client::Order;
use super::crowd::{self, Begin, Crowd, Plan};

/// How long stragglers are waited for.
const TAIL: Duration = Duration::from_secs(30);

/// Options of `drive jitter`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// Clients that are cut, each in a room of its own.
    #[arg(long, default_value_t = 5_000)]
    clients: u32,
    /// Seconds between a client's messages.
    #[arg(long, default_value_t = 10.0)]
    every: f64,
    /// Seconds between a client's cuts.
    #[arg(long, default_value_t = 15.0)]
    cut_every: f64,
    /// Milliseconds that it stays away.
    #[arg(long, default_value_t = 2_000)]
    offline_ms: u64,
    /// Seconds for which it goes on.
    #[arg(long, default_value_t = 160)]
    seconds: u64,
    /// A second window of each room, which is never cut, sends; the one that is cut receives.
    #[arg(long)]
    second: bool,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(
        options.clients > 0 && options.every > 0.0 && options.cut_every > 0.0,
        "--clients, --every and --cut-every are above 0"
    );
    on_one_thread(drive(options))
}

async fn drive(options: &Options) -> Result<()> {
    let mut bench = Bench::open("jitter", &options.common).await?;
    let windows = if options.second { 2 } else { 1 };
    let plan = Plan { rooms: options.clients, windows, begin: Begin::Person };
    let mut crowd = crowd::open(&bench.setup, plan).await;
    let ready = crowd.rooms.iter().filter(|room| room.ready).count();
    let watch = bench.watch();
    let (sent, cuts) = send_and_cut(options, &mut crowd, bench.setup.start).await;
    crowd.settle(TAIL).await;
    bench.result.figure("clients", f64::from(options.clients));
    bench.result.figure("clients_ready", ready as f64);
    bench.result.figure("cuts", cuts as f64);
    let (mut cut, other) = crowd.end().await;
    // The windows that were cut are those that are looked at, clients that never connected included.
    let delivered = if options.second { cut.shown.len() } else { cut.own.len() };
    bench.measured(watch, delivered);
    bench.result.figure("delivered_share", delivered as f64 / sent as f64);
    cut.add(other);
    bench.result.figure("acked_share", cut.acks.len() as f64 / sent as f64);
    cut.report(&mut bench.result);
    bench.finish(&options.common).await
}

/// Messages and cuts, each spread evenly over the clients; how many of both.
async fn send_and_cut(options: &Options, crowd: &mut Crowd, start: Instant) -> (usize, usize) {
    let count = crowd.rooms.len();
    let mut sends = Beat::new(count as f64 / options.every);
    let mut cuts = Beat::new(count as f64 / options.cut_every);
    let sender = usize::from(options.second);
    let away = Duration::from_millis(options.offline_ms);
    let (mut sent, mut cut) = (0, 0);
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let (mut send, mut snap) = (sends.next(), cuts.next());
    while send.min(snap) < end {
        sleep_until(send.min(snap).into()).await;
        if send <= snap {
            crowd.rooms[sent % count].send(sender, send, start);
            sent += 1;
            send = sends.next();
        } else {
            crowd.rooms[cut % count].windows[0].order(Order::Cut(away));
            cut += 1;
            snap = cuts.next();
        }
    }
    (sent, cut)
}
