//! Tells whether files on disk are the ones the manifest pins, and remembers it for the next start.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::{BadFile, Flaw, StoreError};
use crate::manifest::{ModelEntry, ModelFile};

/// Remembers in the model's folder which files were hashed and how they looked then.
const STAMP: &str = ".verified";

/// Large enough that reading is limited by the disk, not by calls.
const READ_BYTES: usize = 256 * 1024;

/// Hex SHA-256 of a file, and its length in bytes; for models that are given by path.
///
/// # Errors
/// What the operating system says when the file cannot be read.
pub fn hash_file(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            let digest = hasher.finalize();
            return Ok((digest.iter().map(|byte| format!("{byte:02x}")).collect(), bytes));
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Whether the files of `model` are in `dir` with the right length.
pub(super) fn sizes(dir: &Path, model: &ModelEntry) -> Result<(), StoreError> {
    judge(dir, model, |path, file| size_flaw(path, file).err())
}

/// Whether the files of `model` in `dir` hash to what the manifest pins.
///
/// A file whose looks are on the stamp is not read again unless `reread`.
pub(super) fn hashes(dir: &Path, model: &ModelEntry, reread: bool) -> Result<(), StoreError> {
    let old = if reread { Stamp::default() } else { Stamp::read(dir) };
    let mut new = Stamp::default();
    let mut hashed = false;
    judge(dir, model, |path, file| {
        let looks = match size_flaw(path, file) {
            Ok(looks) => looks,
            Err(flaw) => return Some(flaw),
        };
        let entry = StampEntry { name: file.name.clone(), sha256: file.sha256.clone(), looks };
        let known = old.covers(&entry);
        new.files.push(entry);
        hashed |= !known;
        if known { None } else { hash_flaw(path, file) }
    })?;
    if hashed {
        new.write(dir);
    }
    Ok(())
}

fn judge(
    dir: &Path,
    model: &ModelEntry,
    mut flaw_of: impl FnMut(&Path, &ModelFile) -> Option<Flaw>,
) -> Result<(), StoreError> {
    let mut bad = Vec::new();
    for file in &model.files {
        if let Some(flaw) = flaw_of(&dir.join(&file.name), file) {
            bad.push(BadFile { file: file.clone(), flaw });
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(model.unusable(dir, bad)) }
}

fn size_flaw(path: &Path, file: &ModelFile) -> Result<Looks, Flaw> {
    match fs::metadata(path) {
        Ok(found) if found.len() == file.bytes => Ok(Looks::of(&found)),
        Ok(found) => Err(Flaw::Size(found.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Flaw::Missing),
        Err(error) => Err(Flaw::Unreadable(error)),
    }
}

fn hash_flaw(path: &Path, file: &ModelFile) -> Option<Flaw> {
    match hash_file(path) {
        Ok((sha256, _)) if sha256 == file.sha256 => None,
        Ok((sha256, _)) => Some(Flaw::Hash(sha256)),
        Err(error) => Some(Flaw::Unreadable(error)),
    }
}

/// What a file looks like without reading it; writing to it or replacing it changes that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Looks {
    bytes: u64,
    /// Nanoseconds since 1970.
    modified_ns: i64,
    /// When the inode changed, which a program cannot set back; the same as `modified_ns` where there is none.
    changed_ns: i64,
}

impl Looks {
    #[cfg(unix)]
    fn of(found: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let ns =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            bytes: found.len(),
            modified_ns: ns(found.mtime(), found.mtime_nsec()),
            changed_ns: ns(found.ctime(), found.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    fn of(found: &Metadata) -> Self {
        let since =
            found.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let modified_ns = since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Self { bytes: found.len(), modified_ns, changed_ns: modified_ns }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StampEntry {
    name: String,
    sha256: String,
    looks: Looks,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Stamp {
    files: Vec<StampEntry>,
    /// When the stamp was written, by the file system's clock.
    #[serde(skip)]
    written_ns: i64,
}

impl Stamp {
    /// An unreadable or foreign stamp counts as none: the files are then hashed.
    fn read(dir: &Path) -> Self {
        let path = dir.join(STAMP);
        let (Ok(text), Ok(found)) = (fs::read(&path), fs::metadata(&path)) else {
            return Self::default();
        };
        let mut stamp: Self = serde_json::from_slice(&text).unwrap_or_default();
        stamp.written_ns = Looks::of(&found).modified_ns;
        stamp
    }

    /// Clocks of file systems tick in milliseconds, so a file touched in the tick of the stamp, or after it,
    /// may have changed since it was hashed and is not covered.
    fn covers(&self, entry: &StampEntry) -> bool {
        let touched = entry.looks.modified_ns.max(entry.looks.changed_ns);
        touched < self.written_ns && self.files.contains(entry)
    }

    /// A folder that cannot be written, such as read-only media, only means hashing again next time.
    fn write(&self, dir: &Path) {
        let path = dir.join(STAMP);
        let written = serde_json::to_vec(self).map_err(io::Error::other);
        if let Err(error) = written.and_then(|text| fs::write(&path, text)) {
            tracing::debug!(path = %path.display(), %error, "could not remember verified files");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::manifest::Manifest;

    /// A folder whose stamp vouches for a file that does not hash right, written this long after the file.
    fn stamped(after: Duration) -> (tempfile::TempDir, ModelEntry) {
        let text = format!(
            "[[model]]\nid = \"m\"\nuse = \"encoder\"\nlicence = \"\"\nabout = \"\"\n[[model.file]]\n\
             name = \"f\"\nbytes = 1\nsha256 = \"{}\"\nhub = {{ repo = \"r\", revision = \"r\", path = \"f\" }}",
            "0".repeat(64)
        );
        let model = Manifest::parse(&text).unwrap().models()[0].clone();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, b"x").unwrap();
        let found = fs::metadata(&path).unwrap();
        let file = &model.files[0];
        let (name, sha256) = (file.name.clone(), file.sha256.clone());
        let files = vec![StampEntry { name, sha256, looks: Looks::of(&found) }];
        Stamp { files, written_ns: 0 }.write(dir.path());
        let stamp = File::options().write(true).open(dir.path().join(STAMP)).unwrap();
        stamp.set_modified(found.modified().unwrap() + after).unwrap();
        (dir, model)
    }

    #[test]
    fn a_stamp_saves_reading_a_file_unless_it_is_as_young_as_the_file() {
        let rows = [(Duration::from_secs(60), true), (Duration::ZERO, false)];
        for (after, trusted) in rows {
            let (dir, model) = stamped(after);
            assert_eq!(hashes(dir.path(), &model, false).is_ok(), trusted, "{after:?}");
            assert!(hashes(dir.path(), &model, true).is_err(), "reread: {after:?}");
        }
    }

    #[test]
    fn a_broken_stamp_counts_as_none() {
        for text in ["", "{", "{\"files\": 1}", "[]", "\u{0}"] {
            let (dir, model) = stamped(Duration::from_secs(60));
            fs::write(dir.path().join(STAMP), text).unwrap();
            assert!(hashes(dir.path(), &model, false).is_err(), "{text}");
        }
    }
}
