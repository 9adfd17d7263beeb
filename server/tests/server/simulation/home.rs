//! Where the simulation happens, and a count of what happened there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use server::config::Settings;
use tempfile::TempDir;

use crate::house::prompts;

/// A folder whose index all seeds share.
pub(crate) struct Home {
    folder: TempDir,
    pub(super) settings: Settings,
}

impl Home {
    pub(crate) fn new() -> Self {
        // In memory where there is such a place: what is played here is order, not the disk.
        let memory = PathBuf::from("/dev/shm");
        let folder = tempfile::tempdir_in(&memory).or_else(|_| tempfile::tempdir()).unwrap();
        let knowledge = folder.path().join("knowledge");
        std::fs::create_dir(&knowledge).unwrap();
        std::fs::write(
            knowledge.join("port.md"),
            "# Ports\n\n## Which port does Porchlight listen on?\n\nPorchlight listens on port 7878 unless you change the port.\n",
        )
        .unwrap();
        prompts(folder.path());
        let mut settings = Settings::default();
        settings.server.data_dir = folder.path().join("data");
        settings.knowledge.dir = knowledge;
        settings.replies.prompts = Some(folder.path().join("prompts"));
        std::fs::create_dir(&settings.server.data_dir).unwrap();
        Self { folder, settings }
    }

    /// No database, and no memory of one.
    pub(super) fn clear(&self) {
        for name in ["porchlight.db", "porchlight.db-wal", "porchlight.db-shm", "newest"] {
            let _ = std::fs::remove_file(self.folder.path().join("data").join(name));
        }
    }
}

/// How often what happened: seeds that reach nothing prove nothing.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    pub(super) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, times)| *self.0.entry(what).or_default() += times);
    }

    pub(crate) fn has_everything(&self) {
        for what in [
            "accepted",
            "known already",
            "cut",
            "crash",
            "taken",
            "written",
            "handed back",
            "closed",
            "person asked for",
            "reply",
            "held twice",
            "lease lost",
        ] {
            assert!(self.0.get(what).is_some_and(|times| *times > 20), "{what}: {:?}", self.0);
        }
    }
}
