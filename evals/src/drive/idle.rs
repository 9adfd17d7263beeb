//! `idle`: as many quiet sockets as the machine holds; what each costs, and whether any is lost.

use std::time::Duration;

use anyhow::Result;

use super::bench::{Bench, Common, on_one_thread};
use super::crowd::{self, Begin, Plan};
use super::server::{Process, kernel_memory};

/// How long the memory may take to settle after the last connection.
const SETTLE: Duration = Duration::from_secs(5);

/// Options of `drive idle`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// Sockets.
    #[arg(long, default_value_t = 19_000)]
    sockets: u32,
    /// Seconds for which they are held.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Only greet; no conversation begins.
    #[arg(long)]
    plain: bool,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    on_one_thread(drive(options))
}

async fn drive(options: &Options) -> Result<()> {
    let mut bench = Bench::open("idle", &options.common).await?;
    let process = bench.process;
    let memory = || process.map_or(f64::NAN, Process::memory);
    let (before, kernel) = (memory(), kernel_memory());
    let watch = bench.watch();
    let begin = if options.plain { Begin::No } else { Begin::Person };
    let crowd = crowd::open(&bench.setup, Plan { rooms: options.sockets, windows: 1, begin }).await;
    tokio::time::sleep(SETTLE).await;
    let (opened, open_kernel, online) = (memory(), kernel_memory(), crowd.online());
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    let (held, left) = (memory(), crowd.online());
    let per = |bytes: f64| if online == 0 { f64::NAN } else { bytes / online as f64 };
    let result = &mut bench.result;
    result.figure("sockets", f64::from(options.sockets));
    result.figure("sockets_online", online as f64);
    result.figure("sockets_online_at_the_end", left as f64);
    result.figure("opening_s", crowd.opening_s);
    result.figure("connects_a_second", online as f64 / crowd.opening_s);
    result.figure("server_bytes_before", before);
    result.figure("server_bytes_open", opened);
    result.figure("server_bytes_held", held);
    result.figure("server_bytes_a_socket", per(held - before));
    result.figure("kernel_bytes_a_socket_both_ends", per(open_kernel - kernel));
    result.figure("server_files", process.map_or(f64::NAN, Process::files));
    let (all, _) = crowd.end().await;
    bench.measured(watch, 0);
    all.report(&mut bench.result);
    bench.finish(&options.common).await
}
