//! How late the driver itself is: a late driver would be measured as a slow server.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::sleep_until;

/// Time between two looks.
const BEAT: Duration = Duration::from_millis(10);

/// Measures until it is ended.
#[derive(Debug)]
pub(crate) struct Lag {
    task: JoinHandle<()>,
    samples: std::sync::Arc<std::sync::Mutex<Vec<f64>>>,
}

impl Lag {
    /// Begins. A sample is the time from when a task was to wake up to when it did, the timer's own millisecond included.
    pub(crate) fn start() -> Self {
        let samples = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let kept = std::sync::Arc::clone(&samples);
        let task = tokio::spawn(async move {
            let mut due = Instant::now();
            loop {
                due += BEAT;
                sleep_until(due.into()).await;
                let late = due.elapsed();
                kept.lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .push(late.as_secs_f64() * 1_000.0);
                // Beats that were slept through are one long one.
                due = due.max(Instant::now());
            }
        });
        Self { task, samples }
    }

    /// The samples in milliseconds.
    pub(crate) fn end(self) -> Vec<f64> {
        self.task.abort();
        std::mem::take(&mut self.samples.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
