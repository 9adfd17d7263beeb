//! A Porchlight of our own, over a fresh data folder; it ends when it is dropped.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// The running program.
pub(super) struct Spawned {
    child: Child,
    data: PathBuf,
    /// `HOST:PORT`.
    pub(super) address: String,
    /// Secret of the link that signs the owner up.
    pub(super) secret: String,
}

impl Spawned {
    /// Starts the `porchlight` that stands beside this program and waits until it is ready.
    pub(super) fn start() -> Result<Self> {
        let own = std::env::current_exe().context("this program's folder cannot be read")?;
        let program = own.with_file_name(format!("porchlight{}", std::env::consts::EXE_SUFFIX));
        ensure!(
            program.exists(),
            "{} is not there; build it with `cargo build --workspace`",
            program.display()
        );
        let data =
            std::env::temp_dir().join(format!("porchlight-transcripts-{}", std::process::id()));
        std::fs::create_dir(&data)
            .with_context(|| format!("{} cannot be made afresh", data.display()))?;
        let child = Command::new(&program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let mut spawned = Self { child, data, address: String::new(), secret: String::new() };
        let out = spawned.child.stdout.take().context("its output cannot be read")?;
        spawned.read_addresses(out)?;
        Ok(spawned)
    }

    /// Reads what it prints once it is ready.
    fn read_addresses(&mut self, out: ChildStdout) -> Result<()> {
        for line in BufReader::new(out).lines() {
            let line = line?;
            let line = line.trim();
            if let Some(base) = line.strip_prefix("Demo site") {
                let base = base.trim().trim_start_matches("http://").trim_end_matches('/');
                self.address = base.to_owned();
            } else if let Some((_, rest)) = line.split_once("#setup=") {
                self.secret = rest.split_whitespace().next().unwrap_or_default().to_owned();
            } else if line.starts_with("Health") {
                let whole = !self.address.is_empty() && !self.secret.is_empty();
                ensure!(whole, "porchlight printed no address or no set-up link");
                return Ok(());
            }
        }
        bail!("porchlight ended before it was ready; its errors stand above")
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
