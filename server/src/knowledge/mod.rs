//! The owner's documents as they answer now: indexed, published as a whole, read again when they change on disk.

pub mod check;
pub mod commands;
mod disk;
pub mod edit;
mod edition;
mod gentle;
mod keeper;
pub mod learn;
pub mod pages;
pub mod replay;
mod shelf;
pub mod status;
pub mod trials;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use engine::model::Model;
use engine::search::Search;
use retrieval::corpus::CorpusError;
use retrieval::index::{Built, Embed};
use retrieval::manifest::EmbedderId;
use retrieval::versions::{SHORT, Version, VersionsError};
use retrieval::{Corpus, Index, IndexError};
use tokio::sync::watch;

use crate::clock::Clock;
pub use edition::Edition;
pub use gentle::embed_gently;
pub use keeper::start;
pub(crate) use keeper::watch;
pub use shelf::Shelf;
use status::{Problem, Status};

/// Why documents cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// The folder holds nothing that answers.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The index could not be made.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A version could not be kept or listed.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// The pinned version could not be taken again.
    #[error(
        "the pinned version cannot answer: {0}. `porchlight knowledge release` ends the pin, then the folder answers."
    )]
    Pin(VersionsError),
}

/// Passages given to the encoder at once while visitors may wait for it: a question waits for no more than these.
const GENTLE: usize = 4;

/// How often the folder is looked at; events only make it sooner.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long the folder has to be quiet before it is read.
    pub settle: Duration,
    /// Between two looks at the files' times and sizes.
    pub look: Duration,
    /// Between two readings of all files, whatever their times say.
    pub full: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(150),
            look: Duration::from_secs(1),
            full: Duration::from_secs(60),
        }
    }
}

/// The documents of a running server. What answers is replaced as a whole, never in part.
pub struct Library {
    edition: ArcSwap<Edition>,
    status: watch::Sender<Status>,
    shelf: Shelf,
    embedder: EmbedderId,
    model: Arc<dyn Model>,
    clock: Clock,
    pace: Pace,
    bell: SyncSender<()>,
    /// Taken by the keeper when it starts.
    ear: Mutex<Option<Receiver<()>>>,
    /// Held while the documents are looked over.
    checking: Arc<tokio::sync::Mutex<()>>,
    /// Held while the golden questions grow.
    learning: Mutex<()>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").field("shelf", &self.shelf).finish_non_exhaustive()
    }
}

impl Library {
    /// Publishes what the folder says, or the pinned version. `embed` is asked for what is not indexed yet.
    ///
    /// # Errors
    /// [`KnowledgeError`] when there is nothing to answer from. Single bad files are left out with a warning.
    pub fn open(
        shelf: Shelf,
        (model, clock): (Arc<dyn Model>, Clock),
        pace: Pace,
        embed: &mut Embed<'_>,
    ) -> Result<Self, KnowledgeError> {
        let card = model.card();
        let embedder = EmbedderId { id: card.encoder.clone(), dimension: card.dimension };
        let mut status = Status { read_at: clock.now_ms(), ..Status::default() };
        let pinned = shelf.pinned_corpus(&mut status);
        let is_pinned = pinned.is_some();
        let corpus = match pinned {
            Some(corpus) => corpus,
            None => {
                let reading = shelf.read(&|| shelf.newest())?;
                status.problems = reading.problems.into_iter().map(Problem::from).collect();
                status.problems.iter().for_each(|file| tracing::warn!("{file}"));
                reading.corpus
            }
        };
        let index = match Index::open(&shelf.index, corpus.clone(), &embedder) {
            Ok(index) => index,
            Err(other) => {
                if !matches!(other, IndexError::Missing(_)) {
                    tracing::info!("{other}; it is built again");
                }
                let (index, built) = Index::build(&shelf.index, corpus, &embedder, embed)?;
                log_built(&index, built);
                index
            }
        };
        let (bell, ear) = sync_channel(1);
        let library = Self {
            edition: ArcSwap::from_pointee(Edition::new(index)),
            status: watch::Sender::new(status),
            shelf,
            embedder,
            model,
            clock,
            pace,
            bell,
            ear: Mutex::new(Some(ear)),
            checking: Arc::default(),
            learning: Mutex::default(),
        };
        if let Err(error) = library.settle(is_pinned) {
            tracing::error!("{error}");
            library.status.send_modify(|status| status.error = Some(error.to_string()));
        }
        Ok(library)
    }

    /// What answers now. A reply asks once and keeps it to its end.
    pub fn edition(&self) -> Arc<Edition> {
        self.edition.load_full()
    }

    /// How the knowledge stands, and every change of it.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Where it lies.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// Has the folder and the pin looked at now.
    pub fn ring(&self) {
        // A full bell rings already.
        let _ = self.bell.try_send(());
    }

    /// Lets a kept version answer until [`Library::release`]. Returns once it is written; it answers soon after.
    ///
    /// # Errors
    /// [`VersionsError`] when the version is not kept.
    pub fn pin(&self, digits: &str) -> Result<Version, VersionsError> {
        let version = self.shelf.versions.pin(digits)?;
        self.ring();
        Ok(version)
    }

    /// Ends the pin: the folder is published again.
    ///
    /// # Errors
    /// [`VersionsError`] when the pin cannot be removed.
    pub fn release(&self) -> Result<Option<String>, VersionsError> {
        let pinned = self.shelf.versions.release()?;
        self.ring();
        Ok(pinned)
    }

    /// Waits for one's turn to look the documents over.
    pub async fn checking(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.checking).lock_owned().await
    }

    /// The vector of a question.
    ///
    /// # Errors
    /// What the encoder says.
    pub fn embed(&self, text: &str) -> Result<Vec<f32>, engine::model::ModelError> {
        Ok(self.model.embed(&[text])?.pop().unwrap_or_default())
    }

    /// A few texts at a time, waiting where visitors keep the encoder busy; `go_on` says when to give up, and why.
    ///
    /// # Errors
    /// What `go_on` or the encoder says.
    pub fn embed_gently(
        &self,
        texts: &[&str],
        go_on: &dyn Fn() -> Result<(), String>,
    ) -> Result<Vec<Vec<f32>>, String> {
        embed_gently(self.model.as_ref(), texts, GENTLE, go_on)
    }

    /// Keeps what answers as a version, unless it is pinned, clears away what is no longer kept, and says what answers.
    fn settle(&self, pinned: bool) -> Result<(), KnowledgeError> {
        let edition = self.edition();
        let index = edition.index();
        let kept = self.keep_version(index.corpus(), pinned);
        let version = edition.short_version();
        let published = self.shelf.versions.find(index.knowledge_version());
        let published_at = published.map_or_else(|_| self.clock.now_ms(), |version| version.at);
        self.status.send_modify(|status| {
            status.pinned = pinned.then(|| version.clone());
            status.version = version;
            status.behind &= pinned;
            status.published_at = published_at;
            status.documents = index.documents().len();
            status.passages = index.len();
            status.embedding = None;
        });
        kept
    }

    fn keep_version(&self, corpus: &Corpus, pinned: bool) -> Result<(), KnowledgeError> {
        let versions = &self.shelf.versions;
        let kept: Vec<String> = match pinned {
            true => versions.list()?.into_iter().map(|version| version.id).collect(),
            false => versions.record(corpus, self.clock.now_ms(), self.shelf.keep)?,
        };
        Ok(Index::sweep(&self.shelf.index, &self.embedder, &kept)?)
    }
}

fn log_built(index: &Index, built: Built) {
    tracing::info!(
        documents = index.documents().len(),
        passages = index.len(),
        embedded = built.embedded,
        kept = built.reused,
        version = index.knowledge_version().get(..SHORT),
        "the index is built"
    );
}
