//! The thread that keeps the prompts as the owner's folder and corrections have them. A bad edit leaves what was in force.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use notify::RecursiveMode;
use tokio::runtime::Handle;

use super::files::Sources;
use super::{Prompter, Prompts, PromptsError, learn};
use crate::app::App;
use crate::knowledge::{Pace, watch};

/// How often the folder may prove restless before it is read all the same.
const RESTLESS: usize = 6;

/// Starts the thread; it ends when the server stops and the bell is rung.
///
/// # Errors
/// When the thread cannot be started, or was started before.
pub fn start(app: &Arc<App>) -> std::io::Result<std::thread::JoinHandle<()>> {
    let prompter = &app.mind.prompts;
    let taken = prompter.ear.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let ear = taken.ok_or_else(|| std::io::Error::other("the prompts are kept already"))?;
    let (app, runtime) = (Arc::clone(app), Handle::current());
    std::thread::Builder::new().name("prompts".into()).spawn(move || {
        Keeper { app: &app, runtime: &runtime, ear: &ear, pace: Pace::default() }.work();
    })
}

/// What the keeper remembers between two rounds.
struct Seen {
    /// The files when they were read last.
    files: Result<Sources, PromptsError>,
    /// The files that are in force.
    good: Sources,
    /// What is wrong with the files that were read last.
    problem: Option<String>,
}

struct Keeper<'a> {
    app: &'a App,
    runtime: &'a Handle,
    ear: &'a Receiver<()>,
    pace: Pace,
}

impl Keeper<'_> {
    fn prompter(&self) -> &Prompter {
        &self.app.mind.prompts
    }

    fn work(&self) {
        let prompter = self.prompter();
        // Held as long as the thread works.
        let _watcher = prompter
            .folder
            .as_deref()
            .and_then(|folder| watch(folder, RecursiveMode::NonRecursive, &prompter.bell));
        let good = prompter.sources.clone();
        let mut seen = Seen { files: Ok(good.clone()), good, problem: None };
        while !self.app.shutdown.is_cancelled() {
            let round = catch_unwind(AssertUnwindSafe(|| self.round(&mut seen)));
            if round.is_err() {
                tracing::error!(
                    "learning the prompts ended in a panic; what was in force still is"
                );
            }
            if self.ear.recv_timeout(self.pace.look) == Err(RecvTimeoutError::Disconnected) {
                break;
            }
        }
    }

    /// Looks at the files and the corrections, and puts into force what has changed. Corrections count beside a bad file too.
    fn round(&self, seen: &mut Seen) {
        let files = Sources::read(self.prompter().folder.as_deref());
        let mut corrected = self.prompter().corrected.swap(false, Ordering::AcqRel);
        if files != seen.files {
            seen.files = self.settled(files);
            match seen.files.clone().and_then(|files| Ok((self.learn(&files)?, files))) {
                Ok((prompts, files)) => {
                    (seen.good, seen.problem, corrected) = (files, None, false);
                    self.publish(prompts, None);
                }
                Err(error) => {
                    if seen.files.as_ref().is_ok_and(|files| files.parse().is_ok()) {
                        // It is not for the files; the next look tries again.
                        seen.files = Err(error.clone());
                    }
                    seen.problem = self.fail(&error);
                }
            }
        }
        if corrected {
            match self.learn(&seen.good) {
                Ok(prompts) => self.publish(prompts, seen.problem.clone()),
                Err(error) => {
                    self.prompter().corrected.store(true, Ordering::Release);
                    self.fail(&error);
                }
            }
        }
    }

    /// Waits until the files stay as they are for a moment: who saves several, or one in parts, is let finish.
    fn settled(&self, mut files: Result<Sources, PromptsError>) -> Result<Sources, PromptsError> {
        for _ in 0..RESTLESS {
            let until = Instant::now() + self.pace.settle;
            while let Some(left) = until.checked_duration_since(Instant::now()) {
                // Rings within the moment are of the same saving; the reading below sees what they tell of.
                if self.app.shutdown.is_cancelled() || self.ear.recv_timeout(left).is_err() {
                    break;
                }
            }
            let now = Sources::read(self.prompter().folder.as_deref());
            if now == files {
                break;
            }
            files = now;
        }
        files
    }

    fn learn(&self, sources: &Sources) -> Result<Prompts, PromptsError> {
        let prompter = self.prompter();
        let parsed = sources.parse()?;
        let corrections = self.runtime.block_on(self.app.store.corrections());
        let corrections = corrections.map_err(|error| PromptsError::of("corrections", &error))?;
        let go_on = || match self.app.shutdown.is_cancelled() {
            true => Err("the server stops".to_owned()),
            false => Ok(()),
        };
        let (began, with) = (Instant::now(), (&*prompter.model, &prompter.vectors));
        let prompts = learn((sources, parsed), with, &corrections, &go_on)?;
        tracing::info!(took_ms = began.elapsed().as_millis(), "the prompts were learned anew");
        Ok(prompts)
    }

    fn publish(&self, prompts: Prompts, problem: Option<String>) {
        let intents = prompts.choices();
        self.prompter().now.store(Arc::new(prompts));
        self.prompter().status.send_modify(|status| {
            (status.intents, status.problem) = (intents, problem);
            status.edition += 1;
        });
    }

    /// What was in force stays; the owner is told, once for each problem.
    fn fail(&self, error: &PromptsError) -> Option<String> {
        if self.app.shutdown.is_cancelled() {
            return None;
        }
        let problem = error.to_string();
        let changed = self.prompter().status.send_if_modified(|status| {
            let same = status.problem.as_ref() == Some(&problem);
            status.problem = Some(problem.clone());
            !same
        });
        if changed {
            tracing::error!("the prompts were not changed, what was in force still is: {problem}");
        }
        Some(problem)
    }
}
