//! When to stop: the terminal's interrupt or the system's request. A second one ends at once.

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
