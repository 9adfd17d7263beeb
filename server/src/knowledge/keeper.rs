//! The thread that keeps the knowledge as the folder has it: looks often, reads what changed, publishes it whole.
//!
//! Events of the file system only wake it sooner. What counts is the look at all files' times and sizes, and now and
//! then a reading of them all: mounts that lose events, clocks that jump and editors that rename lose no edit.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use engine::search::Search;
use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use retrieval::index::Progress;
use retrieval::reading::Snapshot;
use retrieval::versions::SHORT;
use retrieval::{Corpus, Index};
use tokio_util::sync::CancellationToken;

use super::status::Problem;
use super::{Edition, KnowledgeError, Library, log_built};
/// Looks take at most one part in this many of the thread's time.
const SHARE: u32 = 50;
/// How often the folder may prove restless before it is read all the same.
const RESTLESS: usize = 6;
/// Looks between two tries to publish what could not be published.
const RETRY: u32 = 10;

/// What the keeper remembers between two rounds.
#[derive(Default)]
struct Seen {
    /// The files when they were read last.
    files: Option<Snapshot>,
    /// The files as they were published last.
    published: Option<Snapshot>,
    pinned: Option<String>,
    /// When all files were read last.
    full: Option<Instant>,
    /// How long a look takes.
    cost: Duration,
    /// Looks until a failed publication is tried again.
    wait: u32,
}

/// Starts the thread; it ends when `stop` is cancelled and the bell rung.
///
/// # Errors
/// When the thread cannot be started, or was started before.
pub fn start(
    library: &Arc<Library>,
    stop: CancellationToken,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    let taken = library.ear.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let ear = taken.ok_or_else(|| std::io::Error::other("the knowledge is kept already"))?;
    let library = Arc::clone(library);
    std::thread::Builder::new()
        .name("knowledge".into())
        .spawn(move || Keeper { library: &library, ear: &ear, stop: &stop }.work())
}

struct Keeper<'a> {
    library: &'a Library,
    ear: &'a Receiver<()>,
    stop: &'a CancellationToken,
}

impl Keeper<'_> {
    fn work(&self) {
        let shelf = &self.library.shelf;
        // Held as long as the thread works.
        let _watchers = [
            watch(&shelf.folder, RecursiveMode::Recursive, &self.library.bell),
            watch(shelf.versions.folder(), RecursiveMode::NonRecursive, &self.library.bell),
        ];
        let mut seen = Seen::default();
        while !self.stop.is_cancelled() {
            let round = catch_unwind(AssertUnwindSafe(|| self.round(&mut seen)));
            let failed =
                round.unwrap_or_else(|_| Err("reading the documents ended in a panic".into()));
            if let Err(error) = failed {
                self.fail(&mut seen, error);
            }
            let wait = self.library.pace.look.max(seen.cost * SHARE);
            if self.ear.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
                break;
            }
        }
    }

    /// What answers stays; the owner is told.
    fn fail(&self, seen: &mut Seen, error: String) {
        seen.wait = RETRY;
        let changed = self.library.status.send_if_modified(|status| {
            let same = status.error.as_ref() == Some(&error);
            status.error = Some(error.clone());
            status.embedding = None;
            !same
        });
        if changed && !self.stop.is_cancelled() {
            tracing::error!(
                "the documents were not published, what answered before still does: {error}"
            );
        }
    }

    fn round(&self, seen: &mut Seen) -> Result<(), String> {
        let shelf = &self.library.shelf;
        let pinned = shelf.versions.pinned().map_err(|error| error.to_string())?;
        let files = self.look(seen, pinned.is_some())?;
        let due = seen.full.is_none_or(|at| at.elapsed() >= self.library.pace.full);
        let same = seen.files.as_ref() == Some(&files) && seen.pinned == pinned && !due;
        if same && seen.wait == 0 {
            return Ok(());
        }
        seen.wait = seen.wait.saturating_sub(1);
        if same && seen.wait > 0 {
            return Ok(());
        }
        let files = self.settled(seen, files, pinned.is_some())?;
        let done = match &pinned {
            Some(id) => self.hold(id, seen),
            None => self.follow(seen),
        };
        // What was deleted stays struck for as long as the index that still has it answers.
        if done.is_ok() {
            seen.published = Some(files.clone());
        }
        (seen.files, seen.pinned, seen.full) = (Some(files), pinned, Some(Instant::now()));
        seen.wait = 0;
        done.map_err(|error| error.to_string())
    }

    /// The files as they are now. What was deleted since they were read answers no more, from here on.
    fn look(&self, seen: &mut Seen, pinned: bool) -> Result<Snapshot, String> {
        let began = Instant::now();
        let folder = &self.library.shelf.folder;
        let files = self.library.shelf.snapshot().map_err(|error| {
            format!("the knowledge folder {} cannot be read: {error}", folder.display())
        })?;
        seen.cost = began.elapsed();
        // An emptied folder is more likely a lost mount than a wish to answer nothing.
        if let (Some(before), false, false) = (&seen.published, pinned, files.is_empty()) {
            let gone: HashSet<String> = files.gone_since(before).map(str::to_owned).collect();
            self.library.edition().strike(gone);
        }
        Ok(files)
    }

    /// Waits until the files stay as they are for a moment: who saves many files, or one in parts, is let finish.
    fn settled(
        &self,
        seen: &mut Seen,
        mut files: Snapshot,
        pinned: bool,
    ) -> Result<Snapshot, String> {
        for _ in 0..RESTLESS {
            let until = Instant::now() + self.library.pace.settle;
            while let Some(left) = until.checked_duration_since(Instant::now()) {
                // Rings within the moment are of the same saving; the look below sees what they tell of.
                if self.stop.is_cancelled() || self.ear.recv_timeout(left).is_err() {
                    break;
                }
            }
            let now = self.look(seen, pinned)?;
            if now == files {
                break;
            }
            files = now;
        }
        Ok(files)
    }

    /// Publishes what the folder says.
    fn follow(&self, seen: &mut Seen) -> Result<(), KnowledgeError> {
        let library = self.library;
        let edition = library.edition();
        let was_pinned = library.status.borrow().pinned.is_some();
        let good = || match was_pinned {
            true => library.shelf.newest(),
            false => Some(edition.index().corpus().clone()),
        };
        let reading = library.shelf.read(&good)?;
        let problems: Vec<Problem> = reading.problems.into_iter().map(Problem::from).collect();
        self.report(&problems);
        if was_pinned || reading.corpus.hash() != edition.knowledge_version() {
            self.publish(reading.corpus, false, seen)?;
        } else if library.status.borrow().error.is_some() {
            library.settle(false)?;
        }
        self.read(problems, false);
        Ok(())
    }

    /// Lets the pinned version answer, and looks whether the folder says something else.
    fn hold(&self, id: &str, seen: &mut Seen) -> Result<(), KnowledgeError> {
        let library = self.library;
        let pinned = library.status.borrow().pinned.is_some();
        if !pinned || library.edition().knowledge_version() != id {
            let corpus = library.shelf.versions.corpus(id).map_err(KnowledgeError::Pin)?;
            self.publish(corpus, true, seen)?;
            tracing::warn!(
                version = id.get(..SHORT),
                "this version is pinned: edits are not published until `porchlight knowledge release`"
            );
        }
        let reading = library.shelf.read(&|| library.shelf.newest())?;
        let behind = reading.corpus.hash() != id;
        if behind && !library.status.borrow().behind {
            tracing::warn!(
                "the documents were edited while a version is pinned; they are not published"
            );
        }
        let problems: Vec<Problem> = reading.problems.into_iter().map(Problem::from).collect();
        self.report(&problems);
        self.read(problems, behind);
        Ok(())
    }

    /// Names the bad files in the log, each time they change.
    fn report(&self, problems: &[Problem]) {
        if self.library.status.borrow().problems != problems {
            problems.iter().for_each(|file| tracing::warn!("{file}"));
        }
    }

    fn read(&self, problems: Vec<Problem>, behind: bool) {
        let now = self.library.clock.now_ms();
        self.library.status.send_modify(|status| {
            (status.problems, status.behind, status.read_at) = (problems, behind, now);
            status.error = None;
        });
    }

    fn publish(&self, corpus: Corpus, pinned: bool, seen: &Seen) -> Result<(), KnowledgeError> {
        let library = self.library;
        let mut looked = Instant::now();
        let mut embed = |texts: &[&str], progress: Progress| {
            library.status.send_modify(|status| status.embedding = Some(progress.into()));
            let vectors = self.embed(texts)?;
            failpoint!("K25");
            if looked.elapsed() >= library.pace.look && !pinned {
                looked = Instant::now();
                self.strike_meanwhile(seen);
            }
            Ok(vectors)
        };
        let (index, built) =
            Index::build(&library.shelf.index, corpus, &library.embedder, &mut embed)?;
        log_built(&index, built);
        library.edition.store(Arc::new(Edition::new(index)));
        library.settle(pinned)
    }

    /// What is deleted while many passages are being embedded does not answer until they are done.
    fn strike_meanwhile(&self, seen: &Seen) {
        let files = self.library.shelf.snapshot();
        if let (Some(before), Ok(files)) = (&seen.published, files)
            && !files.is_empty()
        {
            let gone = files.gone_since(before).map(str::to_owned).collect();
            self.library.edition().strike(gone);
        }
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        self.library.embed_gently(texts, &|| match self.stop.is_cancelled() {
            true => Err("the server stops".into()),
            false => Ok(()),
        })
    }
}

/// Rings when something below `folder` is written, moved or removed. Without it looks alone see the edits.
pub(crate) fn watch(
    folder: &Path,
    mode: RecursiveMode,
    bell: &SyncSender<()>,
) -> Option<RecommendedWatcher> {
    let bell = bell.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading the files causes events too.
        let reading = event.as_ref().is_ok_and(|event| match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
            EventKind::Access(_) => true,
            _ => false,
        });
        if !reading {
            // A full bell rings already.
            let _ = bell.try_send(());
        }
    });
    let watched = watcher.and_then(|mut watcher| watcher.watch(folder, mode).map(|()| watcher));
    watched
        .inspect_err(|error| {
            tracing::info!(
                "{} sends no events, it is looked at instead: {error}",
                folder.display()
            );
        })
        .ok()
}
