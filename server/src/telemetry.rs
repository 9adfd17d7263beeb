//! The log: to standard error, without a word of what visitors write.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise.
const DEFAULT: &str = "warn,server=info,models=info,retrieval=info";

/// Whatever `RUST_LOG` says: this library logs what it sends, passwords too.
const SILENT: &str = "async_imap=warn";

/// Starts the log. A second start in one process is ignored.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let colours = std::io::stderr().is_terminal();
    let started = tracing_subscriber::fmt()
        .with_env_filter(without_secrets(filter))
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .try_init();
    if started.is_err() {
        tracing::debug!("the log runs already");
    }
}

/// The filter, without what would log a secret.
pub fn without_secrets(filter: EnvFilter) -> EnvFilter {
    match SILENT.parse() {
        Ok(silent) => filter.add_directive(silent),
        Err(_) => filter,
    }
}
