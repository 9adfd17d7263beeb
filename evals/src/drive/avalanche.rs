//! `avalanche`: the server ends under all of its clients and starts again; how long until each of them is back.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::bench::{Bench, Common, on_one_thread};
use super::crowd::{self, Begin, Crowd, Plan};
use super::server::Signal;

/// How often is looked who is back.
const LOOK: Duration = Duration::from_millis(20);

/// Options of `drive avalanche`; `--server-command` is needed.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// Clients.
    #[arg(long, default_value_t = 5_000)]
    clients: u32,
    /// Seconds after which those who are not back never come.
    #[arg(long, default_value_t = 60)]
    patience: u64,
    /// Only greet; no conversation begins.
    #[arg(long)]
    plain: bool,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(options.clients > 0, "--clients is above 0");
    on_one_thread(drive(options))
}

async fn drive(options: &Options) -> Result<()> {
    let mut bench = Bench::open("avalanche", &options.common).await?;
    let begin = if options.plain { Begin::No } else { Begin::Person };
    let crowd = crowd::open(&bench.setup, Plan { rooms: options.clients, windows: 1, begin }).await;
    let watch = bench.watch();
    bench.result.figure("clients", f64::from(options.clients));
    bench.result.figure("clients_ready", crowd.online() as f64);
    for (name, signal) in [("kill", Signal::Kill), ("term", Signal::Term)] {
        restart(&mut bench, options, (name, signal), &crowd).await?;
    }
    crowd.settle(Duration::from_secs(5)).await;
    let (all, _) = crowd.end().await;
    bench.measured(watch, 0);
    all.report(&mut bench.result);
    bench.finish(&options.common).await
}

/// Ends and starts the server. Times count from when it says that it is ready; a client is back with its welcome.
async fn restart(
    bench: &mut Bench,
    options: &Options,
    (name, signal): (&str, Signal),
    crowd: &Crowd,
) -> Result<()> {
    let server = bench.server()?;
    let ending = server.end(signal).await?;
    let starting = server.again().await?;
    let (ready, all) = (Instant::now(), crowd.clients());
    let at_once = crowd.online();
    let patience = Duration::from_secs(options.patience);
    let (mut most, mut whole) = (f64::NAN, f64::NAN);
    while whole.is_nan() && ready.elapsed() < patience {
        let (online, passed) = (crowd.online(), ready.elapsed().as_secs_f64());
        if most.is_nan() && online * 100 >= all * 95 {
            most = passed;
        }
        if online == all {
            whole = passed;
        }
        tokio::time::sleep(LOOK).await;
    }
    let result = &mut bench.result;
    result.grouped(name, "end_s", ending.as_secs_f64());
    result.grouped(name, "start_s", starting.as_secs_f64());
    result.grouped(name, "online_when_ready", at_once as f64);
    result.grouped(name, "back_95_s", most);
    result.grouped(name, "back_all_s", whole);
    result.grouped(name, "never_back", (all - crowd.online().min(all)) as f64);
    Ok(())
}
