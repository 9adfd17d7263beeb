//! The server that is driven: started, killed and started again where a shape does that, and what it costs.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How long a start may take.
const START: Duration = Duration::from_secs(120);
/// How long a stop may take that was asked for kindly.
const STOP: Duration = Duration::from_secs(30);
/// Ticks of `/proc/PID/stat` a second: `sysconf(_SC_CLK_TCK)`, 100 on every Linux of today.
const TICKS: f64 = 100.0;
/// Bytes of a page, in which `/proc/net/sockstat` counts.
const PAGE: u64 = 4_096;

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// At once, as when the machine kills it.
    Kill,
    /// Kindly: it says good-bye first.
    Term,
}

/// A server that this program has started; it is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    command: String,
    address: String,
    child: Child,
}

impl Server {
    /// Runs `command` (words with spaces between) and waits until `http://ADDRESS/healthz` says that it is ready.
    ///
    /// # Errors
    /// When it cannot be run, ends early or is not ready within two minutes.
    pub(crate) async fn start(command: &str, address: &str) -> Result<Self> {
        ensure!(
            TcpStream::connect(address).await.is_err(),
            "something answers at {address} already; stop it first"
        );
        let mut server =
            Self { command: command.into(), address: address.into(), child: spawn(command)? };
        server.ready().await?;
        Ok(server)
    }

    /// Id of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it and waits until its process has gone; how long that took.
    ///
    /// # Errors
    /// When it does not end.
    pub(crate) async fn end(&mut self, signal: Signal) -> Result<Duration> {
        let began = Instant::now();
        match signal {
            Signal::Kill => self.child.kill()?,
            Signal::Term => terminate(self.pid())?,
        }
        while self.child.try_wait()?.is_none() {
            ensure!(began.elapsed() < STOP, "the server did not end within 30 s");
            sleep(Duration::from_millis(5)).await;
        }
        Ok(began.elapsed())
    }

    /// Starts it again; how long it took until it was ready.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub(crate) async fn again(&mut self) -> Result<Duration> {
        let began = Instant::now();
        self.child = spawn(&self.command)?;
        self.ready().await?;
        Ok(began.elapsed())
    }

    async fn ready(&mut self) -> Result<()> {
        let began = Instant::now();
        while !healthy(&self.address).await {
            if let Some(status) = self.child.try_wait()? {
                bail!("`{}` ended before it was ready: {status}", self.command);
            }
            let waited = began.elapsed();
            ensure!(waited < START, "`{}` is not ready after {} s", self.command, waited.as_secs());
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(command: &str) -> Result<Child> {
    let mut words = command.split_whitespace();
    let program = words.next().context("--server-command is empty")?;
    Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("`{program}` cannot be started"))
}

#[cfg(unix)]
fn terminate(pid: u32) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let pid = pid.context("the server has no process id")?;
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::TERM)?)
}

#[cfg(not(unix))]
fn terminate(_: u32) -> Result<()> {
    bail!("a kind end can be asked for on Unix only")
}

/// Whether `http://ADDRESS/healthz` answers 200.
async fn healthy(address: &str) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        let request =
            format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        Ok::<_, std::io::Error>(&head == b"HTTP/1.1 200")
    };
    matches!(timeout(Duration::from_secs(2), ask).await, Ok(Ok(true)))
}

/// A process that is watched, by `/proc`; figures are not-a-number where that cannot be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// Milliseconds that its threads have computed: user and system time of `/proc/PID/stat`.
    pub(crate) fn cpu_ms(self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        cpu_ticks(&stat).map_or(f64::NAN, |ticks| ticks as f64 * 1_000.0 / TICKS)
    }

    /// Bytes of memory that are its alone or shared: `Rss` of `/proc/PID/smaps_rollup`.
    pub(crate) fn memory(self) -> f64 {
        let path = format!("/proc/{}/smaps_rollup", self.0);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        field(&text, "Rss:").map_or(f64::NAN, |kib| kib as f64 * 1_024.0)
    }

    /// Files and sockets that it has open.
    pub(crate) fn files(self) -> f64 {
        std::fs::read_dir(format!("/proc/{}/fd", self.0)).map_or(f64::NAN, |fds| fds.count() as f64)
    }
}

/// Bytes that the kernel holds for TCP sockets, of both ends on one machine: `mem` of `/proc/net/sockstat`.
pub(crate) fn kernel_memory() -> f64 {
    let text = std::fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    field(&text, "mem").map_or(f64::NAN, |pages| (pages * PAGE) as f64)
}

/// The number behind the first word that is `name`.
fn field(text: &str, name: &str) -> Option<u64> {
    let mut words = text.split_whitespace();
    words.find(|word| *word == name)?;
    words.next()?.parse().ok()
}

/// Fields 14 and 15; the name before them may hold anything but ends with the last parenthesis.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Lets this process, and servers that it starts, open as many files as the machine allows; how many that are.
///
/// # Errors
/// When the limit cannot be changed.
#[cfg(unix)]
pub(crate) fn open_many_files() -> Result<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
        .context("the limit of open files cannot be raised")?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

#[cfg(not(unix))]
pub(crate) fn open_many_files() -> Result<u64> {
    Ok(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_figures_are_read() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 100 0 0";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("nonsense"), None);
        let sockstat =
            "sockets: used 9\nTCP: inuse 4 orphan 0 tw 1 alloc 5 mem 3\nUDP: inuse 1 mem 7\n";
        assert_eq!(field(sockstat, "mem"), Some(3));
        assert_eq!(field("Rss:   100 kB\nPss: 90 kB", "Rss:"), Some(100));
        assert_eq!(field("", "Rss:"), None);
    }
}
