//! The log of one driving program: JSON lines that are on the disk before anybody relies on them.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow, bail};
use tokio::sync::{mpsc, oneshot};

use super::Event;

/// Events that may wait for the disk; more make their writers wait.
const WAITING: usize = 4_096;

type Entry = (Event, Option<oneshot::Sender<()>>);

/// The end that clients write to; clones share the file.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    lane: mpsc::Sender<Entry>,
}

/// The end that the disk is behind.
#[derive(Debug)]
pub(crate) struct Keeper {
    thread: JoinHandle<Result<()>>,
}

impl Log {
    /// Starts a log of this process in `folder`, which is made.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(crate) fn start(folder: &Path) -> Result<(Self, Keeper)> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let path = folder.join(format!("log-{}.jsonl", std::process::id()));
        let file = File::options().create(true).append(true).open(&path);
        let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
        let (lane, entries) = mpsc::channel(WAITING);
        let thread = std::thread::spawn(move || keep(&path, file, entries));
        Ok((Self { lane }, Keeper { thread }))
    }

    /// Writes an event and waits until it is on the disk.
    ///
    /// # Errors
    /// When it could not be written.
    pub(crate) async fn sure(&self, event: Event) -> Result<()> {
        let (done, kept) = oneshot::channel();
        self.send((event, Some(done))).await?;
        kept.await.map_err(|_| lost())
    }

    /// Writes an event; it is on the disk with the next one that somebody waits for.
    ///
    /// # Errors
    /// When the log has ended.
    pub(crate) async fn note(&self, event: Event) -> Result<()> {
        self.send((event, None)).await
    }

    async fn send(&self, entry: Entry) -> Result<()> {
        self.lane.send(entry).await.map_err(|_| lost())
    }
}

impl Keeper {
    /// Waits until all is on the disk. Every [`Log`] has to be dropped first.
    ///
    /// # Errors
    /// When something could not be written.
    pub(crate) fn finish(self) -> Result<()> {
        self.thread.join().map_err(|_| lost())?
    }
}

fn lost() -> anyhow::Error {
    anyhow!("the ledger's log could not be written; what follows would prove nothing")
}

/// Writes what comes. All that waits at once shares one sync.
fn keep(path: &Path, file: File, mut entries: mpsc::Receiver<Entry>) -> Result<()> {
    let failed = || format!("{} cannot be written", path.display());
    let mut out = BufWriter::new(file);
    let mut waiting = Vec::new();
    while let Some(mut entry) = entries.blocking_recv() {
        loop {
            let (event, done) = entry;
            serde_json::to_writer(&mut out, &event).with_context(failed)?;
            out.write_all(b"\n").with_context(failed)?;
            waiting.extend(done);
            match entries.try_recv() {
                Ok(next) => entry = next,
                Err(_) => break,
            }
        }
        out.flush().with_context(failed)?;
        if !waiting.is_empty() {
            out.get_ref().sync_data().with_context(failed)?;
        }
        for done in waiting.drain(..) {
            // Somebody who waits no longer needs no answer.
            let _ = done.send(());
        }
    }
    out.into_inner().map_err(|error| error.into_error()).and_then(|file| file.sync_data())?;
    Ok(())
}

/// Reads a log. A last line that was cut off is left out: nobody has relied on it.
///
/// # Errors
/// Naming file and line.
pub(crate) fn read(path: &Path) -> Result<Vec<Event>> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut reader = BufReader::new(file);
    let (mut events, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 || !line.ends_with(b"\n") {
            return Ok(events);
        }
        match serde_json::from_slice(&line) {
            Ok(event) => events.push(event),
            Err(error) => bail!("{}:{}: {error}", path.display(), events.len() + 1),
        }
    }
}
