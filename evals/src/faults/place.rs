//! A fresh folder with settings, a few documents and a data folder; it goes when it is dropped.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result, bail};

/// Limits that no test meets, and replies that begin soon.
const SETTINGS: &str = "[limits]\nmessages_a_minute = 1000000\nconversations_a_minute = 1000000\n\
    sockets_a_minute = 1000000\n\n[replies]\nsettle_ms = 100\n\n";
/// What the bot answers from.
pub(super) const DOCUMENTS: [(&str, &str); 2] = [
    (
        "port.md",
        "# Ports\n\n## Which port does Porchlight listen on?\n\n\
         Porchlight listens on port 7878 unless you change the port.\n",
    ),
    (
        "backup.md",
        "# Backups\n\n## How do I make a backup?\n\nA backup is a copy of the data folder.\n",
    ),
];
/// Below the ports that the system gives to outgoing connections: a client that knocks at a closed one of those may be
/// connected with itself.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// Where one test happens.
#[derive(Debug)]
pub(super) struct Place {
    root: PathBuf,
    port: u16,
    keep: bool,
}

impl Place {
    pub(super) fn new(name: &str, keep: bool) -> Result<Self> {
        let root =
            std::env::temp_dir().join(format!("porchlight-faults-{}-{name}", std::process::id()));
        // What a killed run with the same id has left.
        let _ = std::fs::remove_dir_all(&root);
        let place = Self { port: free_port()?, root, keep };
        let knowledge = place.knowledge();
        std::fs::create_dir_all(&knowledge)
            .with_context(|| format!("{} cannot be made", knowledge.display()))?;
        for (name, text) in DOCUMENTS {
            std::fs::write(knowledge.join(name), text)?;
        }
        let knowledge = format!("[knowledge]\ndir = {:?}\n", knowledge.display().to_string());
        std::fs::write(place.settings(), format!("{SETTINGS}{knowledge}"))?;
        Ok(place)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.root.join("porchlight.toml")
    }

    pub(super) fn knowledge(&self) -> PathBuf {
        self.root.join("knowledge")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(super) fn ledger(&self) -> PathBuf {
        self.root.join("ledger")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

fn free_port() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 9_000).unwrap_or(0);
    for _ in PORTS {
        let port = PORTS.start + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {} to {} is free", PORTS.start, PORTS.end)
}
