//! Where the knowledge lies, and how it is read: the folder, and the copies of pages of the web.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use retrieval::corpus::{CorpusError, Skipped};
use retrieval::reading::{self, Reading, Snapshot};
use retrieval::{Corpus, Versions};

use super::KnowledgeError;
use super::pages::Pages;
use super::status::Status;
use crate::reader::Reader;

/// Where the knowledge lies and how much of its past is kept.
#[derive(Debug, Clone)]
pub struct Shelf {
    /// The owner's documents.
    pub folder: PathBuf,
    /// Turns those of foreign formats into Markdown.
    pub reader: Arc<Reader>,
    /// The pages of the web that are documents too.
    pub pages: Arc<Pages>,
    /// The indexes.
    pub index: PathBuf,
    /// The published states.
    pub versions: Versions,
    /// Published states that are kept.
    pub keep: usize,
    /// Days after which a document counts as old.
    pub stale_days: u32,
}

impl Shelf {
    /// Reads the folder and the pages of the web; what cannot be read is taken from `good`.
    ///
    /// # Errors
    /// [`CorpusError`] when there is nothing to answer from.
    pub fn read(&self, good: &dyn Fn() -> Option<Corpus>) -> Result<Reading, CorpusError> {
        reading::read(&self.folder, &|folder| self.all(folder, good), good)
    }

    /// All documents, those of the folder before pages of the same name.
    fn all(
        &self,
        folder: &Path,
        good: &dyn Fn() -> Option<Corpus>,
    ) -> Result<(Corpus, Vec<Skipped>), CorpusError> {
        let own = self.reader.corpus(folder);
        let (pages, bad) = self.pages.documents(folder, &self.reader);
        let (own, mut skipped) = match own {
            // An emptied folder is more likely a lost mount than a wish to answer from pages alone.
            Err(CorpusError::Empty { skipped, .. })
                if !pages.is_empty() && !good().is_some_and(|before| has_files(&before)) =>
            {
                (Corpus::default(), skipped)
            }
            own => own?,
        };
        skipped.extend(bad);
        let taken: HashSet<&str> = own.documents().iter().map(|doc| doc.path.as_str()).collect();
        let pages = pages.into_iter().filter(|page| !taken.contains(page.path.as_str()));
        let documents = own.documents().iter().cloned().chain(pages).collect();
        Ok((Corpus::new(documents), skipped))
    }

    /// The files of the folder and the copies of pages, with their times.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn snapshot(&self) -> std::io::Result<Snapshot> {
        let mut files = Snapshot::of(&self.folder)?;
        self.pages.stamp(&mut files);
        Ok(files)
    }

    /// The state that was published last.
    pub(super) fn newest(&self) -> Option<Corpus> {
        let newest = self.versions.list().ok()?.into_iter().next()?;
        match self.versions.corpus(&newest.id) {
            Ok(corpus) => Some(corpus),
            Err(error) => {
                tracing::warn!("the last good text of bad files is lost: {error}");
                None
            }
        }
    }

    /// The pinned version's documents. One that cannot be had is reported, and the folder answers.
    pub(super) fn pinned_corpus(&self, status: &mut Status) -> Option<Corpus> {
        let pinned = self.versions.pinned();
        let corpus = pinned.and_then(|id| id.map(|id| self.versions.corpus(&id)).transpose());
        corpus.unwrap_or_else(|error| {
            let error = KnowledgeError::Pin(error);
            tracing::error!("{error}");
            status.error = Some(error.to_string());
            None
        })
    }
}

/// Whether a document comes from the folder.
fn has_files(corpus: &Corpus) -> bool {
    corpus.documents().iter().any(|doc| doc.matter.url.is_none())
}
