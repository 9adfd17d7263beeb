//! Files that visitors send when they were asked for one: bounded, taken by their bytes, on the disk before they are known.
//!
//! A file is streamed into a part beside its place, synced and renamed; then its row and its message are stored in one transaction.
//! What a crash leaves on the disk without a row goes at the next start.

pub mod sniff;
mod take;

use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::flows;
use engine::tasks::Card;
use tokio::sync::Semaphore;

use crate::app::App;
use crate::clock::is_hex;
use crate::limits::Crowd;
use crate::store::StoreError;
use crate::store::files::File;

pub use take::take;

/// Where they are sent to.
pub const ADDRESS: &str = "/widget/upload";
/// How long one may take from its first byte to the answer.
pub const TAKES: Duration = Duration::from_secs(180);
/// Bytes of a file at most.
pub const MAX_BYTES: u64 = 10 << 20;
/// Files of a conversation at most.
pub const MAX_FILES: i64 = 5;
/// Bytes of all files together at most.
pub const MAX_TOTAL: i64 = 2 << 30;
/// Files that are taken at once.
const AT_ONCE: usize = 8;
/// Of one address.
const AT_ONCE_EACH: u32 = 2;
/// Digits of a file's id.
const ID_DIGITS: usize = 32;

/// Why no more files are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The conversation has enough.
    #[error("{MAX_FILES} files were sent in this conversation; that is the most.")]
    Files,
    /// All together have enough.
    #[error("There is no room for more files here. Please paste the text, or ask for a person.")]
    Room,
}

/// Refuses a file of so many bytes where there are files enough: those of its conversation, and the bytes of all.
///
/// # Errors
/// [`Full`].
pub fn full((files, total): (i64, i64), bytes: i64) -> Result<(), Full> {
    if files >= MAX_FILES {
        return Err(Full::Files);
    }
    if total.saturating_add(bytes) > MAX_TOTAL {
        return Err(Full::Room);
    }
    Ok(())
}

/// Where files lie, and who sends one now.
#[derive(Debug)]
pub struct Uploads {
    folder: PathBuf,
    turns: Semaphore,
    senders: Crowd,
}

impl Uploads {
    /// Over a folder, which is made when the first file comes.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, turns: Semaphore::new(AT_ONCE), senders: Crowd::new(AT_ONCE_EACH) }
    }

    /// Place of a file.
    fn place(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// The bytes of a file; `None` when they are gone from the disk.
    ///
    /// # Errors
    /// What the system says.
    pub async fn read(&self, file: &File) -> std::io::Result<Option<Vec<u8>>> {
        match tokio::fs::read(self.place(&file.id)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What a message with a file says.
pub fn text(file: &File) -> String {
    format!("{}{}", flows::FILE, file.name)
}

/// The card of a message with a file.
pub fn card(file: &File) -> Card {
    Card::File {
        id: file.id.clone(),
        name: file.name.clone(),
        bytes: u64::try_from(file.bytes).unwrap_or(0),
        media: file.media.clone(),
    }
}

/// Removes what a crash has left: parts, and files without a row. Returns how many.
///
/// # Errors
/// When the database fails; a file that cannot be removed is logged.
pub async fn sweep(app: &App) -> Result<usize, StoreError> {
    let known = app.store.file_ids().await?;
    let Ok(listed) = std::fs::read_dir(&app.uploads.folder) else { return Ok(0) };
    let mut removed = 0;
    for entry in listed.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // What an owner has put there is not ours.
        let own = is_hex(name.strip_prefix('.').unwrap_or(&name), ID_DIGITS);
        if !own || known.contains(&name) {
            continue;
        }
        match std::fs::remove_file(entry.path()) {
            Ok(()) => removed += 1,
            Err(error) => {
                tracing::warn!(%error, file = %entry.path().display(), "a file without a message could not be removed");
            }
        }
    }
    Ok(removed)
}

/// A part on its way; removed unless it is kept.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    kept: bool,
}

impl Part {
    fn path(&self) -> &Path {
        &self.path
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // It may not be there yet, or no more; the next start looks again.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
