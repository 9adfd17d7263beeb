//! What documents were converted to, by the hash of their bytes, so that a restart does not convert them again.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use retrieval::readers::foreign::Kind;
use sha2::{Digest, Sha256};

/// Bytes of all results from which those that are no longer used are removed.
const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Number of results from which those that are no longer used are removed.
const MAX_FILES: usize = 4_000;
/// First word of a stored document.
const READ: &str = "read";
/// First word of a stored reason.
const REFUSED: &str = "refused";

/// A folder of results. What cannot be stored is converted again; nothing else depends on it.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    /// Which build of the program converts; another one may convert better.
    program: String,
    /// Keys that were asked for since the last pruning.
    used: Mutex<HashSet<String>>,
}

impl Cache {
    /// Results of `program` in `folder`, which is made when there is something to store.
    pub(super) fn open(folder: &Path, program: &Path) -> Self {
        let build = fs::metadata(program).map(|meta| {
            let changed = meta
                .modified()
                .ok()
                .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            format!("{} {:?}", meta.len(), changed)
        });
        Self {
            folder: folder.into(),
            program: format!("{} {}", env!("CARGO_PKG_VERSION"), build.unwrap_or_default()),
            used: Mutex::default(),
        }
    }

    /// The name of a result.
    pub(super) fn key(&self, kind: Kind, bytes: &[u8]) -> String {
        let start = Sha256::new().chain_update(&self.program).chain_update([0]);
        hex(start.chain_update(kind.ending()).chain_update([0]).chain_update(bytes))
    }

    /// A stored result; nothing where there is none, or one that was damaged.
    pub(super) fn get(&self, key: &str) -> Option<Result<String, String>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        let stored = fs::read_to_string(self.folder.join(key)).ok()?;
        let (head, text) = stored.split_once('\n')?;
        let (word, hash) = head.split_once(' ')?;
        // A crash of the machine may leave a file of the right name with other content.
        if hash != hex(Sha256::new().chain_update(text)) {
            return None;
        }
        match word {
            READ => Some(Ok(text.to_owned())),
            REFUSED => Some(Err(text.to_owned())),
            _ => None,
        }
    }

    /// Stores a result as a whole or not at all.
    pub(super) fn put(&self, key: &str, result: &Result<String, String>) {
        let (word, text) = match result {
            Ok(text) => (READ, text),
            Err(text) => (REFUSED, text),
        };
        let stored = format!("{word} {}\n{text}", hex(Sha256::new().chain_update(text)));
        let part = self.folder.join(format!("{key}.part"));
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(&part, stored))
            .and_then(|()| fs::rename(&part, self.folder.join(key)));
        if let Err(error) = written {
            tracing::warn!("{} cannot be written: {error}", self.folder.display());
        }
    }

    /// Removes what was not asked for since the last time, once there is too much of it.
    pub(super) fn prune(&self) {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        match self.pruned(&used) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("{} cannot be tidied: {error}", self.folder.display());
            }
            _ => {}
        }
    }

    fn pruned(&self, used: &HashSet<String>) -> io::Result<()> {
        let entries = fs::read_dir(&self.folder)?.collect::<io::Result<Vec<_>>>()?;
        let bytes: u64 =
            entries.iter().filter_map(|entry| Some(entry.metadata().ok()?.len())).sum();
        let full = bytes > MAX_BYTES || entries.len() > MAX_FILES;
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".part") || full && !used.contains(&name) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_last_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("converted");
        let cache = Cache::open(&at, Path::new("none"));
        let key = cache.key(Kind::Pdf, b"a");
        assert_ne!(key, cache.key(Kind::Docx, b"a"));
        assert_ne!(key, cache.key(Kind::Pdf, b"b"));
        assert_eq!(cache.get(&key), None);
        cache.prune();
        for result in [Ok("# A\n\nb".to_owned()), Err("is empty".to_owned())] {
            cache.put(&key, &result);
            assert_eq!(Cache::open(&at, Path::new("none")).get(&key), Some(result));
        }
        fs::write(at.join(&key), "read 00\n# B").unwrap();
        assert_eq!(cache.get(&key), None);
        let program = folder.path().join("program");
        fs::write(&program, "another build").unwrap();
        assert_ne!(Cache::open(&at, &program).key(Kind::Pdf, b"a"), key);
    }

    #[test]
    fn what_is_not_used_goes_when_there_is_too_much() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), Path::new("none"));
        (0..MAX_FILES).for_each(|n| fs::write(folder.path().join(n.to_string()), "").unwrap());
        fs::write(folder.path().join("x.part"), "").unwrap();
        let count = || fs::read_dir(folder.path()).unwrap().count();
        cache.get("7");
        cache.prune();
        assert_eq!(count(), 1, "it was one too many");
        cache.prune();
        assert_eq!(count(), 1, "below the bound nothing goes");
    }
}
