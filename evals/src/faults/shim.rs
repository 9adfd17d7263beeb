//! Orders to the library that is loaded before all others: which calls on the database fail, and what time it is.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

const SOURCE: &str = include_str!("../../faults/shim.c");
/// Fields of a rule, of which there are four after the clock's.
const RULE: u64 = 5;
const HITS: u64 = 4;
const SYNCED: u64 = 1 + 4 * RULE + 1;
const FIELDS: u64 = SYNCED + 1;

/// No space left on the device.
pub(super) const ENOSPC: i64 = 28;
/// The device failed.
pub(super) const EIO: i64 = 5;
/// The file system may not be written.
pub(super) const EROFS: i64 = 30;
/// Not an error: the process ends there as with kill -9.
pub(super) const KILL: i64 = -1;

/// A call that fails.
#[derive(Debug, Clone, Copy)]
pub(super) enum Call {
    Read,
    Write,
    Sync,
    /// Opening for writing, below the data folder.
    Open,
}

/// One of the database's files.
#[derive(Debug, Clone, Copy)]
pub(super) enum On {
    Any,
    Main,
    Log,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) call: Call,
    pub(super) error: i64,
    /// Calls that are let through first.
    pub(super) skip: u64,
    pub(super) on: On,
    /// Half of a write reaches the file before it fails.
    pub(super) torn: bool,
}

impl Rule {
    pub(super) fn all(call: Call, error: i64) -> Self {
        Self { call, error, skip: 0, on: On::Any, torn: false }
    }
}

/// The built library and its orders.
#[derive(Debug)]
pub(super) struct Shim {
    library: PathBuf,
    path: PathBuf,
    orders: File,
}

impl Shim {
    /// Builds it in `folder`.
    pub(super) fn build(folder: &Path) -> Result<Self> {
        let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
        std::fs::write(&source, SOURCE)?;
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl");
        let output = cc.output().context("the shim needs a C compiler, `cc`")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let path = folder.join("shim.orders");
        let orders =
            File::options().create(true).truncate(true).read(true).write(true).open(&path)?;
        orders.set_len(FIELDS * 8)?;
        Ok(Self { library, path, orders })
    }

    /// What a program that is started gets in its environment.
    pub(super) fn launch(&self) -> (PathBuf, PathBuf) {
        (self.library.clone(), self.path.clone())
    }

    fn set(&self, field: u64, value: i64) -> Result<()> {
        Ok(self.orders.write_all_at(&value.to_ne_bytes(), field * 8)?)
    }

    fn get(&self, field: u64) -> Result<i64> {
        let mut bytes = [0; 8];
        self.orders.read_exact_at(&mut bytes, field * 8)?;
        Ok(i64::from_ne_bytes(bytes))
    }

    /// From here on the rule holds.
    pub(super) fn rule(&self, rule: Rule) -> Result<()> {
        let first = 1 + rule.call as u64 * RULE;
        self.set(first + 1, i64::try_from(rule.skip)?)?;
        self.set(first + 2, rule.on as i64)?;
        self.set(first + 3, i64::from(rule.torn))?;
        self.set(first + HITS, 0)?;
        self.set(first, rule.error)
    }

    /// From here on nothing fails.
    pub(super) fn lift(&self) -> Result<()> {
        [Call::Read, Call::Write, Call::Sync, Call::Open]
            .into_iter()
            .try_for_each(|call| self.set(1 + call as u64 * RULE, 0))
    }

    /// How many calls have failed by the newest rule of this kind.
    pub(super) fn hits(&self, call: Call) -> Result<i64> {
        self.get(1 + call as u64 * RULE + HITS)
    }

    /// Sets the clock off by so much.
    pub(super) fn clock(&self, offset_ms: i64) -> Result<()> {
        self.set(0, offset_ms)
    }

    /// End of the part of the log that has been synced.
    pub(super) fn synced(&self) -> Result<u64> {
        Ok(u64::try_from(self.get(SYNCED)?)?)
    }
}
