//! `--threads`: how many threads the arithmetic takes, in all libraries alike.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use models::device::THREADS;

/// Starts this program once more with the wanted number in its environment, where the libraries read it when they
/// start, and gives what that one ended with; `None` when the environment says it already or nothing is wanted.
///
/// # Errors
/// When the program cannot be started again.
pub(crate) fn start(wanted: Option<u16>) -> Result<Option<ExitCode>> {
    let Some(wanted) = wanted.map(|count| count.to_string()) else { return Ok(None) };
    if std::env::var(THREADS).is_ok_and(|set| set == wanted) {
        return Ok(None);
    }
    let program = std::env::current_exe().context("this program's own path")?;
    let mut again = Command::new(&program);
    again.args(std::env::args_os().skip(1)).env(THREADS, wanted);
    let status = again.status().with_context(|| format!("{} cannot be run", program.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(Some(ExitCode::from(code)))
}
