//! Brings one file from a source to the disk: resumed where it broke off, checked, then moved into place.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::check::hash_file;
use super::error::{Failure, Reason, StoreError};
use super::source::{Fetch, Progress, Request, Response, shown};

/// A broken connection is taken up again at once this often, as long as each one brought bytes.
const RESUMES: usize = 5;

/// One read from the network; a progress report follows each.
const CHUNK_BYTES: usize = 128 * 1024;

/// One pull's way to the outside.
pub(super) struct Job<'a> {
    /// The model's folder.
    pub(super) dir: &'a Path,
    /// Name of the source, for progress.
    pub(super) source: String,
    /// The caller's HTTP client.
    pub(super) fetch: Fetch<'a>,
    /// Told after every chunk.
    pub(super) progress: &'a mut dyn FnMut(Progress<'_>),
}

/// A file to download.
pub(super) struct Wanted<'a> {
    /// Where it is.
    pub(super) url: &'a str,
    /// Name in the model's folder.
    pub(super) name: &'a str,
    /// Its length, where known.
    pub(super) bytes: Option<u64>,
    /// More bytes than this are refused when its length is not known.
    pub(super) most_bytes: u64,
    /// Its SHA-256, where known.
    pub(super) sha256: Option<&'a str>,
}

/// Downloads a file into the model's folder.
///
/// Bytes of an earlier try may be the start of another file. So when a resumed file turns out wrong it is
/// fetched once more from its first byte before the source is blamed.
pub(super) fn download(job: &mut Job<'_>, wanted: &Wanted<'_>) -> Result<PathBuf, Failure> {
    let part = part_path(job.dir, wanted.name);
    let resumed = length_of(&part) > 0;
    fill(job, wanted, &part)?;
    match settle(job.dir, wanted.name, wanted.sha256, &part) {
        Err(Failure::Source(Reason::Hash { .. })) if resumed => {
            fill(job, wanted, &part)?;
            settle(job.dir, wanted.name, wanted.sha256, &part)
        }
        other => other,
    }
}

/// Where the bytes of an unfinished download are kept.
pub(super) fn part_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.part"))
}

/// Checks the finished file at `from` and moves it to its name; a wrong one is removed.
pub(super) fn settle(
    dir: &Path,
    name: &str,
    sha256: Option<&str>,
    from: &Path,
) -> Result<PathBuf, Failure> {
    let to = dir.join(name);
    let (got, bytes) = hash_file(from).map_err(|error| StoreError::disk("read", from, error))?;
    if let Some(expected) = sha256.filter(|&expected| expected != got) {
        fs::remove_file(from).map_err(|error| StoreError::disk("remove", from, error))?;
        let (file, expected) = (name.to_owned(), expected.to_owned());
        return Err(Reason::Hash { file, expected, got, bytes }.into());
    }
    fs::rename(from, &to).map_err(|error| StoreError::disk("create", &to, error))?;
    // Makes the new name last through a power cut; file systems without this keep names safe by themselves.
    if let Err(error) = File::open(dir).and_then(|dir| dir.sync_all()) {
        tracing::debug!(dir = %dir.display(), %error, "the folder could not be synced");
    }
    Ok(to)
}

/// Copies until `from` ends; a failed read is `Ok(Err(..))`, a failed write is the outer error.
pub(super) fn copy(
    from: &mut dyn Read,
    to: &mut File,
    mut copied: impl FnMut(u64),
) -> io::Result<Result<(), io::Error>> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                to.sync_all()?;
                return Ok(Err(error));
            }
        };
        to.write_all(&buffer[..read])?;
        copied(read as u64);
    }
    to.sync_all()?;
    Ok(Ok(()))
}

fn length_of(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// Adds to the part until it is whole.
fn fill(job: &mut Job<'_>, wanted: &Wanted<'_>, part: &Path) -> Result<(), Failure> {
    let mut broken = 0;
    loop {
        let had = length_of(part);
        if wanted.bytes == Some(had) {
            return Ok(());
        }
        let (response, start) = ask(job, wanted, part, had)?;
        let total = wanted.bytes.or_else(|| Some(start + response.length?));
        receive(job, wanted, Rest { part, start, total }, response)?;
        let have = length_of(part);
        if total.is_none_or(|total| have >= total) {
            return Ok(());
        }
        broken += 1;
        if have <= had || broken > RESUMES {
            let expected = total.map_or_else(|| "unknown".to_owned(), |total| total.to_string());
            return Err(Reason::Truncated { file: wanted.name.to_owned(), have, expected }.into());
        }
    }
}

/// Asks for what is missing; says from which byte the answer starts.
fn ask(
    job: &Job<'_>,
    wanted: &Wanted<'_>,
    part: &Path,
    had: u64,
) -> Result<(Response, u64), Failure> {
    let get = |range_from| {
        let request = Request { url: wanted.url.to_owned(), accept: None, range_from };
        (job.fetch)(&request).map_err(|error| Reason::Unreachable(error.0))
    };
    let mut response = get((had > 0).then_some(had))?;
    if had > 0 && response.status == 416 {
        fs::remove_file(part).map_err(|error| StoreError::disk("remove", part, error))?;
        response = get(None)?;
    }
    let start = match response.status {
        206 => had,
        200 => 0,
        status => return Err(Reason::Status { status, url: shown(wanted.url) }.into()),
    };
    let Some(length) = response.length else { return Ok((response, start)) };
    let (file, offered) = (wanted.name.to_owned(), start.saturating_add(length));
    match wanted.bytes {
        Some(expected) if offered != expected => {
            Err(Reason::Length { file, offered, expected }.into())
        }
        None if offered > wanted.most_bytes => {
            Err(Reason::TooLarge { file, most: wanted.most_bytes }.into())
        }
        _ => Ok((response, start)),
    }
}

/// What is still to come of a file.
struct Rest<'a> {
    part: &'a Path,
    start: u64,
    total: Option<u64>,
}

/// Writes the body behind the bytes that are there. A connection that breaks leaves what came.
fn receive(
    job: &mut Job<'_>,
    wanted: &Wanted<'_>,
    rest: Rest<'_>,
    response: Response,
) -> Result<(), Failure> {
    let failed = |error| StoreError::disk("write", rest.part, error);
    let mut options = File::options();
    let options = options.create(true).write(true).append(rest.start > 0);
    let mut file = options.truncate(rest.start == 0).open(rest.part).map_err(failed)?;
    // One byte more than right is let in, so that the hash shows a file that is too long.
    let most = rest.total.unwrap_or(wanted.most_bytes).saturating_sub(rest.start) + 1;
    let mut done_bytes = rest.start;
    let Job { source, progress, .. } = job;
    let mut report = |read| {
        done_bytes += read;
        progress(Progress { source, file: wanted.name, done_bytes, total_bytes: rest.total });
    };
    report(0);
    let ended = copy(&mut response.body.take(most), &mut file, &mut report).map_err(failed)?;
    match ended {
        Err(error) if rest.total.is_none() => {
            let (file, expected) = (wanted.name.to_owned(), "unknown".to_owned());
            tracing::debug!(%error, "the connection broke");
            Err(Reason::Truncated { file, have: done_bytes, expected }.into())
        }
        _ => Ok(()),
    }
}
