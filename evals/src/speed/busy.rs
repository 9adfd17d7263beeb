//! Processes that want every core, for measurements of how a machine is shared.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// They end when this is dropped.
pub(super) struct Busy(Vec<Child>);

impl Busy {
    /// Starts as many processes that do nothing but compute.
    ///
    /// # Errors
    /// When there is no shell.
    pub(super) fn start(count: usize) -> Result<Self> {
        let mut busy = Self(Vec::new());
        for _ in 0..count {
            let mut shell = Command::new("sh");
            shell.args(["-c", "while :; do :; done"]).stdin(Stdio::null());
            busy.0.push(shell.spawn().context("`sh` cannot be started")?);
        }
        Ok(busy)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that has ended already is what was wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
