//! The published states of the knowledge: each with an id, a time and its documents' text, so that one can be taken again.
//!
//! A version is one small file beside the texts of its documents, which versions share by hash. A text is written
//! before the version that names it and removed after the last one, so that a crash leaves every version whole.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::disk::{self, DiskError};
use crate::{Corpus, Document};

/// Versions that are kept at least; fewer could not be rolled back to.
pub const FEWEST: usize = 2;
/// Digits of an id that tell versions apart for people.
pub const SHORT: usize = 12;
/// Digits that a person has to give at least.
const LEAST_DIGITS: usize = 4;
const DOCUMENTS: &str = "documents";
const PIN: &str = "pin";
const LOCK: &str = "lock";
const ENDING: &str = "json";

/// Why a version cannot be kept or taken again.
#[derive(Debug, thiserror::Error)]
pub enum VersionsError {
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file says nothing that makes sense.
    #[error("{path} is damaged: {problem}. Publish the documents again to replace it.", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Nobody knows it.
    #[error(
        "there is no kept version `{0}`. `porchlight knowledge versions` lists those there are."
    )]
    Unknown(String),
    /// Several begin so.
    #[error("`{0}` is the beginning of several versions; give more of its digits")]
    Ambiguous(String),
}

/// One published state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Hash of the corpus: what replies record as the knowledge's version.
    pub id: String,
    /// When it was published last, in milliseconds since 1970.
    pub at: i64,
    /// Hash of each document by its path.
    pub documents: BTreeMap<String, String>,
    /// Paths that the version before did not have.
    pub added: Vec<String>,
    /// Paths whose text is another than in the version before.
    pub changed: Vec<String>,
    /// Paths that are gone since the version before.
    pub removed: Vec<String>,
}

impl Version {
    /// The digits that replies and people name it by.
    pub fn short(&self) -> &str {
        self.id.get(..SHORT).unwrap_or(&self.id)
    }
}

/// The kept versions in one folder.
#[derive(Debug, Clone)]
pub struct Versions {
    folder: PathBuf,
}

impl Versions {
    /// Those in `folder`, which is made when something is first written.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All kept versions, the newest first. One whose file is damaged is left out with a warning.
    ///
    /// # Errors
    /// [`VersionsError::Disk`] when the folder cannot be listed.
    pub fn list(&self) -> Result<Vec<Version>, VersionsError> {
        let mut found: Vec<Version> = Vec::new();
        for name in disk::names(&self.folder)? {
            let path = self.folder.join(&name);
            if path.extension().is_some_and(|end| end == ENDING) {
                match disk::read(&path).map_err(Into::into).and_then(|text| parse(&path, &text)) {
                    Ok(version) => found.push(version),
                    Err(error) => tracing::warn!("a version of the knowledge is lost: {error}"),
                }
            }
        }
        found.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
        Ok(found)
    }

    /// The version whose id begins with `digits`.
    ///
    /// # Errors
    /// [`VersionsError::Unknown`] and [`VersionsError::Ambiguous`].
    pub fn find(&self, digits: &str) -> Result<Version, VersionsError> {
        let unknown = || VersionsError::Unknown(digits.into());
        if digits.len() < LEAST_DIGITS {
            return Err(unknown());
        }
        let mut fitting = self.list()?.into_iter().filter(|version| version.id.starts_with(digits));
        let found = fitting.next().ok_or_else(unknown)?;
        if fitting.next().is_some() {
            return Err(VersionsError::Ambiguous(digits.into()));
        }
        Ok(found)
    }

    /// The documents of a version as they were.
    ///
    /// # Errors
    /// [`VersionsError`] when the version is unknown or one of its texts is not what was written.
    pub fn corpus(&self, id: &str) -> Result<Corpus, VersionsError> {
        let version = self.find(id)?;
        let mut documents = Vec::with_capacity(version.documents.len());
        for hash in version.documents.values() {
            let path = self.text(hash);
            documents.push(parse::<Document>(&path, &disk::read(&path)?)?);
        }
        let corpus = Corpus::new(documents);
        if corpus.hash() == version.id {
            return Ok(corpus);
        }
        let problem = "its documents' texts are not those that were published".into();
        Err(VersionsError::Damaged { path: self.entry(&version.id), problem })
    }

    /// Notes that `corpus` was published at `now`, and forgets all but the `keep` newest versions and the pinned one.
    /// Gives the ids that are kept, the newest first.
    ///
    /// # Errors
    /// [`VersionsError`]; then what was kept before is still kept.
    pub fn record(
        &self,
        corpus: &Corpus,
        now: i64,
        keep: usize,
    ) -> Result<Vec<String>, VersionsError> {
        let _lock = self.lock()?;
        let mut versions = self.list()?;
        let newest = versions.first();
        if newest.is_none_or(|version| version.id != corpus.hash()) {
            self.write_texts(corpus)?;
            let at = newest.map_or(now, |version| now.max(version.at + 1));
            let version = version(corpus, at, newest);
            let text = encode(&self.entry(&version.id), &version)?;
            disk::replace(&self.entry(&version.id), &text)?;
            versions.retain(|other| other.id != version.id);
            versions.insert(0, version);
        }
        self.prune(versions, keep.max(FEWEST))
    }

    /// The version that answers until it is released, where there is one.
    ///
    /// # Errors
    /// [`VersionsError::Disk`].
    pub fn pinned(&self) -> Result<Option<String>, VersionsError> {
        let text = disk::read_if_there(&self.folder.join(PIN))?;
        let id = text.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        Ok(id.filter(|id| !id.is_empty()))
    }

    /// Lets the version whose id begins with `digits` answer until it is released.
    ///
    /// # Errors
    /// [`VersionsError`] when it is not kept or its texts are damaged.
    pub fn pin(&self, digits: &str) -> Result<Version, VersionsError> {
        let _lock = self.lock()?;
        let version = self.find(digits)?;
        self.corpus(&version.id)?;
        disk::replace(&self.folder.join(PIN), version.id.as_bytes())?;
        Ok(version)
    }

    /// Ends the pin; gives the version that was pinned.
    ///
    /// # Errors
    /// [`VersionsError::Disk`].
    pub fn release(&self) -> Result<Option<String>, VersionsError> {
        let _lock = self.lock()?;
        let pinned = self.pinned()?;
        disk::remove(&self.folder.join(PIN))?;
        Ok(pinned)
    }

    /// Held while versions are written, so that none is pinned while it is being forgotten.
    fn lock(&self) -> Result<File, VersionsError> {
        fs::create_dir_all(self.folder.join(DOCUMENTS)).map_err(disk::failed(&self.folder))?;
        let path = self.folder.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(disk::failed(&path))?;
        file.lock().map_err(disk::failed(&path))?;
        Ok(file)
    }

    fn entry(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.{ENDING}"))
    }

    fn text(&self, hash: &str) -> PathBuf {
        self.folder.join(DOCUMENTS).join(format!("{hash}.{ENDING}"))
    }

    fn write_texts(&self, corpus: &Corpus) -> Result<(), VersionsError> {
        for document in corpus.documents() {
            let path = self.text(&document.hash);
            if !path.exists() {
                disk::replace(&path, &encode(&path, document)?)?;
            }
        }
        Ok(())
    }

    /// Forgets what is too old: first the versions, then the texts that no version names.
    fn prune(&self, versions: Vec<Version>, keep: usize) -> Result<Vec<String>, VersionsError> {
        let pinned = self.pinned()?;
        let mut kept = Vec::new();
        let mut texts = HashSet::new();
        for (place, version) in versions.into_iter().enumerate() {
            if place < keep || pinned.as_ref() == Some(&version.id) {
                texts.extend(version.documents.into_values());
                kept.push(version.id);
            } else {
                disk::remove(&self.entry(&version.id))?;
            }
        }
        for name in disk::names(&self.folder.join(DOCUMENTS))? {
            let hash = name.split('.').next().unwrap_or_default();
            if !texts.contains(hash) {
                disk::remove(&self.folder.join(DOCUMENTS).join(&name))?;
            }
        }
        Ok(kept)
    }
}

/// A version of `corpus` after `before`.
fn version(corpus: &Corpus, at: i64, before: Option<&Version>) -> Version {
    let documents: BTreeMap<String, String> =
        corpus.documents().iter().map(|doc| (doc.path.clone(), doc.hash.clone())).collect();
    let none = BTreeMap::new();
    let old = before.map_or(&none, |version| &version.documents);
    let paths = |chosen: &dyn Fn(&String) -> bool, of: &BTreeMap<String, String>| {
        of.keys().filter(|path| chosen(path)).cloned().collect::<Vec<_>>()
    };
    Version {
        id: corpus.hash().into(),
        at,
        added: paths(&|path| !old.contains_key(path), &documents),
        changed: paths(
            &|path| old.get(path).is_some_and(|hash| Some(hash) != documents.get(path)),
            &documents,
        ),
        removed: paths(&|path| !documents.contains_key(path), old),
        documents,
    }
}

fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, VersionsError> {
    serde_json::from_slice(bytes)
        .map_err(|error| VersionsError::Damaged { path: path.into(), problem: error.to_string() })
}

fn encode<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, VersionsError> {
    serde_json::to_vec(value)
        .map_err(|error| VersionsError::Damaged { path: path.into(), problem: error.to_string() })
}
