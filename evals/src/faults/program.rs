//! The real `porchlight` as a child: started, looked at, stopped in every way there is.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::place::Place;
use crate::transcripts::owner::health;

/// A start that takes longer has failed.
const START: Duration = Duration::from_secs(300);
/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// How to start it.
#[derive(Debug, Clone, Default)]
pub(super) struct Launch {
    /// `K5:3:abort`.
    pub(super) failpoint: Option<String>,
    /// Library to load before all others, and the file that tells it what to do.
    pub(super) shim: Option<(PathBuf, PathBuf)>,
    /// Another data folder than the place's own.
    pub(super) data: Option<PathBuf>,
}

/// The running program.
pub(super) struct Program {
    child: Child,
    /// `HOST:PORT`.
    pub(super) address: String,
    output: PathBuf,
}

/// The file beside this program.
pub(crate) fn porchlight() -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program's folder cannot be read")?;
    let program = own.with_file_name(format!("porchlight{}", std::env::consts::EXE_SUFFIX));
    ensure!(
        program.exists(),
        "{} is not there; build it with `cargo build --workspace --features server/failpoints`",
        program.display()
    );
    Ok(program)
}

impl Program {
    /// Starts it; it is not ready yet.
    pub(super) fn start(place: &Place, launch: &Launch) -> Result<Self> {
        let output = place.root().join("output.log");
        let out = File::options().create(true).append(true).open(&output)?;
        let mut command = Command::new(porchlight()?);
        let address = format!("127.0.0.1:{}", place.port());
        command.args(["serve", "--listen", &address, "--config"]).arg(place.settings());
        command.arg("--data-dir").arg(launch.data.as_deref().unwrap_or(&place.data()));
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        if let Some(failpoint) = &launch.failpoint {
            command.env("PORCHLIGHT_FAILPOINT", failpoint);
        }
        if let Some((library, orders)) = &launch.shim {
            command.env("LD_PRELOAD", library).env("PORCHLIGHT_SHIM", orders);
        }
        let child = command.spawn().context("porchlight cannot be started")?;
        Ok(Self { child, address, output })
    }

    /// Waits until it answers; how long that took. An error when it ends before.
    pub(super) async fn ready(&mut self) -> Result<Duration> {
        let began = Instant::now();
        while began.elapsed() < START {
            if let Some(status) = self.child.try_wait()? {
                bail!("porchlight ended with {status} before it was ready:\n{}", self.said());
            }
            if health(&self.address).await.is_ok() {
                return Ok(began.elapsed());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("porchlight was not ready within {} s:\n{}", START.as_secs(), self.said())
    }

    /// Whether it has ended.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits until it ends by itself.
    pub(super) async fn end(&mut self, patience: Duration) -> Result<Option<ExitStatus>> {
        let began = Instant::now();
        while began.elapsed() < patience {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            tokio::time::sleep(LOOK).await;
        }
        self.ended()
    }

    /// As kill -9.
    pub(super) fn kill(&mut self) -> Result<()> {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait()?;
        Ok(())
    }

    pub(super) fn pid(&self) -> Result<Pid> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        pid.context("the program has no process id")
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(self.pid()?, signal)?)
    }

    /// Letter of the process's state: `T` when it was stopped.
    pub(super) fn state(&self) -> Option<char> {
        let stat = self.proc("stat");
        stat.rsplit(") ").next().and_then(|rest| rest.chars().next())
    }

    /// Milliseconds of processor time.
    pub(super) fn cpu_ms(&self) -> u64 {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or("").split(' ').collect();
        // utime and stime, in hundredths of a second on every Linux.
        let ticks = |at: usize| fields.get(at).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        (ticks(11) + ticks(12)) * 10
    }

    /// Memory in KiB.
    pub(super) fn memory(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// Open files.
    pub(super) fn files(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.child.id());
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    }

    fn proc(&self, name: &str) -> String {
        std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join(name))
            .unwrap_or_default()
    }

    /// The last lines of all that it has printed.
    pub(super) fn said(&self) -> String {
        let text = std::fs::read_to_string(&self.output).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
