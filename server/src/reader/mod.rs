//! Reads the owner's documents; those of foreign formats in a process of their own, each once.

mod cache;
pub mod child;
mod spawn;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use retrieval::Corpus;
use retrieval::corpus::{CorpusError, MAX_BYTES, Skipped};
use retrieval::readers::foreign::Kind;
use retrieval::readers::sitemap::Sitemap;

use self::cache::Cache;
use self::spawn::Failure;

/// Folder of converted documents in the data folder.
const CONVERTED: &str = "converted";

/// What one document may take.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// How long the reading process may live.
    pub wall: Duration,
    /// Bytes that it may give back.
    pub output: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        // A machine with other work may need several times the seconds of computing that the child allows itself.
        Self { wall: Duration::from_secs(60), output: MAX_BYTES }
    }
}

/// Turns files of foreign formats into Markdown.
#[derive(Debug)]
pub struct Reader {
    program: PathBuf,
    cache: Cache,
    allowance: Allowance,
}

impl Reader {
    /// A reader that starts this very program, and remembers results below the data folder.
    ///
    /// # Errors
    /// When the program's own file cannot be named.
    pub fn new(data_dir: &Path) -> std::io::Result<Self> {
        // Through this link the running program is found even after its file was replaced by an update.
        let link = PathBuf::from("/proc/self/exe");
        let program = if link.exists() { link } else { std::env::current_exe()? };
        Ok(Self::with_program(program, data_dir, Allowance::default()))
    }

    /// A reader that starts `program`.
    pub fn with_program(program: PathBuf, data_dir: &Path, allowance: Allowance) -> Self {
        Self { cache: Cache::open(&data_dir.join(CONVERTED), &program), program, allowance }
    }

    /// Markdown of a file, from an earlier reading where the very same bytes were read before.
    ///
    /// # Errors
    /// Why it cannot be had, for people.
    pub fn read(&self, kind: Kind, bytes: &[u8]) -> Result<String, String> {
        let key = self.cache.key(kind, bytes);
        if let Some(known) = self.cache.get(&key) {
            return known;
        }
        let start = Instant::now();
        let read = spawn::read(&self.program, kind.ending(), bytes, self.allowance);
        tracing::debug!(
            kind = kind.ending(),
            ms = start.elapsed().as_millis() as u64,
            ok = read.is_ok(),
            "a document was converted"
        );
        let (result, lasting) = match read {
            Ok(markdown) => (Ok(markdown), true),
            Err(Failure::Lasting(problem)) => (Err(problem), true),
            Err(Failure::Passing(problem)) => (Err(problem), false),
        };
        if lasting {
            self.cache.put(&key, &result);
        }
        result
    }

    /// What a sitemap lists.
    ///
    /// # Errors
    /// Why it cannot be had, for people.
    pub fn sitemap(&self, bytes: &[u8]) -> Result<Sitemap, String> {
        match spawn::read(&self.program, child::SITEMAP, bytes, self.allowance) {
            Ok(lines) => Ok(Sitemap::from_lines(&lines)),
            Err(Failure::Lasting(problem) | Failure::Passing(problem)) => Err(problem),
        }
    }

    /// All documents of a folder, as [`Corpus::read_with`] gives them.
    ///
    /// # Errors
    /// [`CorpusError`] when the folder cannot be listed or holds no document.
    pub fn corpus(&self, folder: &Path) -> Result<(Corpus, Vec<Skipped>), CorpusError> {
        let read = Corpus::read_with(folder, &|kind, bytes| self.read(kind, bytes));
        self.cache.prune();
        read
    }
}

/// Logs what was left out: whole files, and parts of documents.
pub fn warn(corpus: &Corpus, skipped: &[Skipped]) {
    for file in skipped {
        tracing::warn!("left out: {file}");
    }
    for document in corpus.documents() {
        if let Some(parts) = &document.matter.left_out {
            tracing::warn!("left out of {}: {parts}", document.path);
        }
    }
}
