//! The data folder: made, locked against a second start, and the database in it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::config::Settings;
use crate::store::Store;

/// Name of the database in the data folder.
const DATABASE: &str = "porchlight.db";
const LOCK: &str = "lock";
/// Folder of the index in the data folder.
pub const INDEX: &str = "index";
/// Folder of the files that visitors have sent, in the data folder.
pub const UPLOADS: &str = "uploads";
/// Folder of the published states in the data folder.
pub const VERSIONS: &str = "versions";

/// Holds the data folder; the system lets go when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Makes the data folder and takes it.
///
/// # Errors
/// When it cannot be made or another Porchlight has it.
pub fn lock(settings: &Settings) -> Result<Lock> {
    let folder = &settings.server.data_dir;
    make(folder)?;
    let path = folder.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| {
        format!("{} cannot be written; check the folder's permissions", path.display())
    })?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => bail!(
            "another Porchlight uses the data folder {}. Stop it, or start this one with another --data-dir.",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).context(format!("{} cannot be locked", path.display()))
        }
    }
}

/// Whether a Porchlight is at work on the data folder.
pub fn is_in_use(settings: &Settings) -> bool {
    let file = File::options().write(true).open(settings.server.data_dir.join(LOCK));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Makes the folder; others on the machine may not look into it.
fn make(folder: &Path) -> Result<()> {
    let failed = || {
        format!(
            "the data folder {} cannot be made; choose another with --data-dir",
            folder.display()
        )
    };
    fs::create_dir_all(folder).with_context(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).with_context(failed)?;
    }
    Ok(())
}

/// Opens the database.
///
/// # Errors
/// When the file is none, or of a newer version.
pub async fn database(settings: &Settings) -> Result<Store> {
    Ok(Store::open(&path(settings)).await?)
}

/// File of the database.
pub fn path(settings: &Settings) -> PathBuf {
    settings.server.data_dir.join(DATABASE)
}
