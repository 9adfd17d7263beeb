//! What can go wrong between a model's manifest entry and its files on disk, in words a person can act on.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::manifest::{ModelEntry, ModelFile};

/// Why a model cannot be used or fetched.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Files are missing or are not the ones the manifest pins.
    #[error("{}", unusable_text(.id, .dir, .files))]
    Unusable {
        /// The model's id.
        id: String,
        /// Folder the files belong in.
        dir: PathBuf,
        /// At least one file.
        files: Vec<BadFile>,
    },
    /// No source gave the files; what arrived is kept for the next try.
    #[error("{}", no_source_text(.id, .dir, .tried, .missing))]
    NoSource {
        /// The model's id.
        id: String,
        /// Folder the files belong in.
        dir: PathBuf,
        /// Every source with its reason, in the order tried.
        tried: Vec<Tried>,
        /// Files still missing.
        missing: Vec<ModelFile>,
    },
    /// Another process is fetching this model.
    #[error(
        "another Porchlight process is fetching model {id} (it holds {}); \
         wait for it to finish, then try again", .lock.display()
    )]
    Busy {
        /// The model's id.
        id: String,
        /// The lock file; it may stay there when nobody holds it.
        lock: PathBuf,
    },
    /// The disk is full; what arrived is kept.
    #[error(
        "the disk is full: could not write {}; free some space and try again, \
         a download resumes where it stopped", .path.display()
    )]
    DiskFull {
        /// The file being written.
        path: PathBuf,
    },
    /// The disk refused.
    #[error(
        "could not {action} {}: {source}; check that Porchlight may write in that folder",
        .path.display()
    )]
    Disk {
        /// What was tried: `write`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl StoreError {
    /// A failed disk operation on `path`.
    pub(super) fn disk(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Disk { action, path, source },
        }
    }
}

/// A file that is not what the manifest pins.
#[derive(Debug)]
pub struct BadFile {
    /// What the file should be.
    pub file: ModelFile,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What is wrong with a file on disk.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// It is not there.
    #[error("is missing")]
    Missing,
    /// It has this many bytes.
    #[error("has {0} bytes")]
    Size(u64),
    /// It has this SHA-256.
    #[error("is damaged: its sha256 is {0}")]
    Hash(String),
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
}

/// A source that did not give the files.
#[derive(Debug, thiserror::Error)]
#[error("{source_name}: {reason}")]
pub struct Tried {
    /// The source's name, without credentials: `hub https://huggingface.co`.
    pub source_name: String,
    /// Why not.
    pub reason: Reason,
}

/// Why a source did not give a file.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// No connection, in the words of the fetch function.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The configured address is no URL.
    #[error("\"{address}\" is not an address: {problem}")]
    Address {
        /// The address, without credentials.
        address: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It answered, with a status other than success.
    #[error("answered {status} for {url}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The address asked for, without credentials.
        url: String,
    },
    /// It offers something of another length: an error page or another file.
    #[error("offers {offered} bytes for {file}, {expected} are expected")]
    Length {
        /// The file.
        file: String,
        /// Bytes announced.
        offered: u64,
        /// Bytes of the right file.
        expected: u64,
    },
    /// It offers far more than the model's files could need.
    #[error("{file} is larger than the {most} bytes it may have")]
    TooLarge {
        /// The file.
        file: String,
        /// Bytes allowed.
        most: u64,
    },
    /// The connection broke; the bytes are kept.
    #[error("{file} broke off after {have} of {expected} bytes; the next try resumes there")]
    Truncated {
        /// The file.
        file: String,
        /// Bytes on disk.
        have: u64,
        /// Bytes of the whole file, or `unknown`.
        expected: String,
    },
    /// It served other bytes; they were thrown away.
    #[error("{file} is not the right file: expected sha256 {expected}, got {got} ({bytes} bytes)")]
    Hash {
        /// The file.
        file: String,
        /// The SHA-256 expected.
        expected: String,
        /// The SHA-256 of what came.
        got: String,
        /// How much came.
        bytes: u64,
    },
    /// The local folder does not have the file.
    #[error("{0} is not there")]
    Absent(String),
    /// Something about reading a local file.
    #[error("{path} cannot be read: {problem}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system said.
        problem: String,
    },
    /// The manifest names no wheel for the file.
    #[error("no wheel carries {0}")]
    NoWheel(String),
    /// The index does not list the pinned wheel.
    #[error("lists no wheel of {package} {version}")]
    NotListed {
        /// The package.
        package: String,
        /// The pinned version.
        version: String,
    },
    /// The index page cannot be understood.
    #[error("the page of {package} cannot be read: {problem}")]
    Page {
        /// The package.
        package: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The wheel is no archive, or lacks the member.
    #[error("{member} cannot be taken out of {wheel}: {problem}")]
    Archive {
        /// File name of the wheel.
        wheel: String,
        /// Path in the wheel.
        member: String,
        /// What the archive reader said.
        problem: String,
    },
}

/// How an attempt at one source ends badly: try the next source, or give up because of our own disk.
#[derive(Debug)]
pub(super) enum Failure {
    /// The source's fault.
    Source(Reason),
    /// Ours: no other source would help.
    Here(StoreError),
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Source(reason)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Here(error)
    }
}

impl ModelEntry {
    /// The error that says these files of this model are unusable.
    pub(super) fn unusable(&self, dir: &Path, files: Vec<BadFile>) -> StoreError {
        StoreError::Unusable { id: self.id.clone(), dir: dir.to_owned(), files }
    }
}

/// The line that lets a person fetch and check a file by hand.
struct ByHand<'a>(&'a ModelFile);

impl fmt::Display for ByHand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes, sha256 {})", self.0.name, self.0.bytes, self.0.sha256)
    }
}

fn unusable_text(id: &str, dir: &Path, files: &[BadFile]) -> String {
    let mut text = format!("model {id} is not ready in {}:", dir.display());
    for bad in files {
        text.push_str(&format!("\n  {} {}", bad.file.name, bad.flaw));
    }
    text.push_str(&format!(
        "\nRun `porchlight models pull {id}`, or put these files there by hand:"
    ));
    for bad in files {
        text.push_str(&format!("\n  {}", ByHand(&bad.file)));
    }
    text
}

fn no_source_text(id: &str, dir: &Path, tried: &[Tried], missing: &[ModelFile]) -> String {
    let mut text = format!("model {id} could not be fetched. Tried in this order:");
    if tried.is_empty() {
        text.push_str("\n  nothing, because no source is configured");
    }
    for tried in tried {
        text.push_str(&format!("\n  {tried}"));
    }
    text.push_str(&format!(
        "\nCheck the network and try again, or set HF_ENDPOINT or PIP_INDEX_URL to a mirror that \
         can be reached, or put these files into {} by hand:",
        dir.display()
    ));
    for file in missing {
        text.push_str(&format!("\n  {}", ByHand(file)));
    }
    text
}
