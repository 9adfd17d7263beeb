//! Notices a database that was put back to an older copy: what visitors have seen since is not stored any more, and their widgets must
//! not go on as if it were.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::app::App;
use crate::clock::Ids;
use crate::store::Store;

/// Name of the file in the data folder that says how new the database was: milliseconds since 1970.
const FILE: &str = "newest";
/// How often it is brought up to date.
const EVERY: Duration = Duration::from_secs(10);

/// Gives all histories new names when the database is older than the one that was served from this folder before.
///
/// # Errors
/// When the database or the folder fails.
pub async fn check(folder: &Path, store: &Store, ids: &Ids) -> Result<()> {
    let newest = store.newest_change().await?;
    // Without the file, or with a damaged one, nothing is known of earlier times.
    let known: i64 = fs::read_to_string(folder.join(FILE))
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    if newest < known {
        tracing::warn!(
            "the database in {} is older than the one that was served from there before; \
             visitors' widgets are told that the history was restored",
            folder.display()
        );
        store.renew_epochs(&ids.id()).await?;
    }
    write(&folder.join(FILE), newest).with_context(|| {
        format!("{} cannot be written; check the folder's permissions", folder.join(FILE).display())
    })
}

fn write(path: &Path, newest: i64) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    fs::write(&beside, newest.to_string())?;
    fs::rename(beside, path)
}

/// Keeps the file up to date until the server stops.
pub(super) async fn keep(app: Arc<App>, folder: PathBuf) {
    let (path, mut written) = (folder.join(FILE), 0);
    loop {
        let stopped = tokio::time::timeout(EVERY, app.shutdown.cancelled()).await.is_ok();
        match app.store.newest_change().await {
            Ok(newest) if newest != written => match write(&path, newest) {
                Ok(()) => written = newest,
                Err(error) => tracing::warn!(%error, "{} could not be written", path.display()),
            },
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the database could not say how new it is"),
        }
        if stopped {
            return;
        }
    }
}
