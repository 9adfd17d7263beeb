//! Writes a file from pieces that are already on this machine.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::download::{Job, copy, settle};
use super::error::{Failure, StoreError};
use super::source::Progress;
use crate::manifest::ModelFile;

/// A file that grows next to its final place.
pub(super) struct Joined<'j, 'a> {
    job: &'j mut Job<'a>,
    wanted: &'j ModelFile,
    path: PathBuf,
    file: File,
    done_bytes: u64,
}

impl<'j, 'a> Joined<'j, 'a> {
    /// Starts an empty file.
    pub(super) fn create(job: &'j mut Job<'a>, wanted: &'j ModelFile) -> Result<Self, StoreError> {
        let path = unfinished_path(job.dir, &wanted.name);
        let file = File::create(&path).map_err(|error| StoreError::disk("create", &path, error))?;
        Ok(Self { job, wanted, path, file, done_bytes: 0 })
    }

    /// Adds a piece, one byte more than the whole file has at most; the inner error is a failed read.
    pub(super) fn add(&mut self, piece: &mut dyn Read) -> Result<io::Result<()>, StoreError> {
        let most = self.wanted.bytes.saturating_sub(self.done_bytes) + 1;
        let Self { job, wanted, path, file, done_bytes } = self;
        let copied = copy(&mut piece.take(most), file, |read| {
            *done_bytes += read;
            (job.progress)(Progress {
                source: &job.source,
                file: &wanted.name,
                done_bytes: *done_bytes,
                total_bytes: Some(wanted.bytes),
            });
        });
        copied.map_err(|error| StoreError::disk("write", path, error))
    }

    /// Checks the whole and moves it into place.
    pub(super) fn finish(self) -> Result<(), Failure> {
        settle(self.job.dir, &self.wanted.name, Some(&self.wanted.sha256), &self.path).map(|_| ())
    }
}

/// Where a file grows while it is put together.
pub(super) fn unfinished_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.new"))
}
