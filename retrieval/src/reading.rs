//! Reads a knowledge folder that is being edited: a file that cannot be read keeps its last good text.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::corpus::{CorpusError, Skipped};
use crate::{Corpus, Document};

/// Folders inside folders at most, as in [`Corpus::read`].
const MAX_DEPTH: usize = 16;

/// What a folder says now.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The documents, those of bad files as they were last.
    pub corpus: Corpus,
    /// The bad files.
    pub problems: Vec<Problem>,
}

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path below the knowledge folder, with `/` between parts.
    pub path: String,
    /// Why, with the line where there is one.
    pub problem: String,
    /// Whether its last good text still answers; else nothing of it does.
    pub kept: bool,
}

/// Reads all documents of a folder and says what was left out: [`Corpus::read`] or one that knows more formats.
pub type ReadAll<'a> = dyn Fn(&Path) -> Result<(Corpus, Vec<Skipped>), CorpusError> + 'a;

/// Reads `folder` with `all`. What cannot be read is taken from `before`, which is asked for only then.
///
/// # Errors
/// [`CorpusError`] when the folder cannot be listed, or when neither it nor `before` gives a document for its files.
pub fn read(
    folder: &Path,
    all: &ReadAll<'_>,
    before: &dyn Fn() -> Option<Corpus>,
) -> Result<Reading, CorpusError> {
    let (fresh, skipped) = match all(folder) {
        Ok(read) => read,
        Err(CorpusError::Empty { skipped, .. }) if !skipped.is_empty() => {
            (Corpus::default(), skipped)
        }
        Err(error) => return Err(error),
    };
    if skipped.is_empty() {
        return Ok(Reading { corpus: fresh, problems: Vec::new() });
    }
    let before = before().unwrap_or_default();
    let mut documents: Vec<Document> = fresh.documents().to_vec();
    let mut problems = Vec::new();
    for Skipped { path, problem } in &skipped {
        let path = below(folder, path);
        // A folder that cannot be listed stands for everything below it.
        let inside = format!("{path}/");
        let held = before.documents().iter();
        let held: Vec<Document> =
            held.filter(|doc| doc.path == path || doc.path.starts_with(&inside)).cloned().collect();
        problems.push(Problem { path, problem: problem.clone(), kept: !held.is_empty() });
        documents.extend(held);
    }
    if documents.is_empty() {
        return Err(CorpusError::Empty { path: folder.into(), skipped });
    }
    Ok(Reading { corpus: Corpus::new(documents), problems })
}

/// Which files a folder holds and when each was written, read without opening them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    files: BTreeMap<String, Stamp>,
    /// Documents that lie elsewhere.
    others: BTreeMap<String, Stamp>,
}

/// What changes when a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified_ns: u128,
}

impl Snapshot {
    /// The files below `folder`; hidden ones are skipped.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn of(folder: &Path) -> std::io::Result<Self> {
        let mut snapshot = Self::default();
        snapshot.walk(folder, folder, 0)?;
        Ok(snapshot)
    }

    fn walk(&mut self, root: &Path, folder: &Path, depth: usize) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let path = entry.path();
            // A file that vanishes while the folder is read is no longer one of its files.
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() && depth < MAX_DEPTH {
                // What cannot be listed looks empty here; the full reading says why.
                if self.walk(root, &path, depth + 1).is_err() {
                    self.files.insert(below(root, &path), Stamp { bytes: 0, modified_ns: 0 });
                }
            } else if !meta.is_dir() {
                self.files.insert(below(root, &path), stamp(&meta));
            }
        }
        Ok(())
    }

    /// Notes a document that lies elsewhere; `modified_ms` is in milliseconds since 1970.
    pub fn add(&mut self, path: &str, modified_ms: i64) {
        let modified_ns = u128::try_from(modified_ms.max(1)).unwrap_or(1) * 1_000_000;
        self.others.insert(path.to_owned(), Stamp { bytes: 0, modified_ns });
    }

    /// Files that were there in `before` and are gone now, or whose folder is.
    pub fn gone_since<'a>(&self, before: &'a Self) -> impl Iterator<Item = &'a str> {
        let unlisted: Vec<String> = self
            .files
            .iter()
            .filter(|(_, stamp)| stamp.modified_ns == 0)
            .map(|(path, _)| format!("{path}/"))
            .collect();
        let now = self.clone();
        let all = before.files.keys().chain(before.others.keys());
        all.map(String::as_str).filter(move |path| {
            let there = now.files.contains_key(*path) || now.others.contains_key(*path);
            !there && !unlisted.iter().any(|folder| path.starts_with(folder))
        })
    }

    /// When a file was last written, in milliseconds since 1970.
    pub fn modified_ms(&self, path: &str) -> Option<i64> {
        let stamp = self.files.get(path).or_else(|| self.others.get(path))?;
        i64::try_from(stamp.modified_ns / 1_000_000).ok()
    }

    /// Number of files in the folder.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file in the folder.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

fn stamp(meta: &fs::Metadata) -> Stamp {
    let since = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Stamp { bytes: meta.len(), modified_ns: since.map_or(1, |since| since.as_nanos()) }
}

/// The path of a file below the folder, with `/` between parts.
fn below(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}
