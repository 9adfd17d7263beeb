//! When to stop: the terminal's interrupt or the system's request, a second one at once; and a disk that cannot be believed.

use std::path::Path;

/// Exit status of a server whose disk failed (`EX_IOERR` of sysexits.h).
const DISK_FAILED: i32 = 74;

/// Waits for the first.
///
/// # Errors
/// When signals cannot be listened to.
pub async fn requested() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Ends the process at the second request; what was acknowledged is in the database already.
pub fn end_at_second() {
    tokio::spawn(async {
        if requested().await.is_ok() {
            std::process::exit(130);
        }
    });
}

/// Ends the process after a failed sync: what the system has dropped then, no later sync brings back, so only a start from what is on the
/// disk may be believed. Everything that was acknowledged was synced before.
pub fn end_broken(data_dir: &Path) -> ! {
    tracing::error!(
        "the disk could not sync the database in {}; the server ends here and nothing acknowledged is lost. \
         Check the disk, then start Porchlight again.",
        data_dir.display()
    );
    std::process::exit(DISK_FAILED)
}
