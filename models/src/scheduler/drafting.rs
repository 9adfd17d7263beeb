//! What the drafter's thread does: serves several requests at once, each pass with a token or more of every one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use engine::model::ModelError;

use super::shelf::{Shelf, Text};
use super::stream::{self, Plan, Stream};
use super::{Job, guarded};
use crate::decoder::{Decoder, Part};
use crate::tokenizer::Tokenizer;

/// Requests that are served at once; more wait in the queue.
pub const SLOTS: usize = 8;
/// Texts that are kept after their requests.
const KEPT_TEXTS: usize = 8;
/// Tokens of prompts that a pass reads when nobody waits for a token of a reply; the buffers of the decoder grow to them.
const WHOLE_CHUNK: usize = 256;
/// Tokens of prompts that a pass reads beside replies, whose readers see it as a short pause.
const SHARED_CHUNK: usize = 64;
/// How long to wait for readers when all of them are behind.
const PAUSE: Duration = Duration::from_millis(2);

/// A decoder with the requests that it serves.
pub(super) struct Drafter {
    decoder: Decoder,
    tokenizer: Arc<Tokenizer>,
    shelf: Shelf,
    streams: Vec<Stream>,
    /// Tokens read so far.
    read: Arc<AtomicU64>,
}

impl Drafter {
    pub(super) fn new(decoder: Decoder, tokenizer: Arc<Tokenizer>, read: Arc<AtomicU64>) -> Self {
        Self { decoder, tokenizer, shelf: Shelf::new(KEPT_TEXTS), streams: Vec::new(), read }
    }

    /// Runs the model once.
    pub(super) fn warm_up(&self) -> Result<(), ModelError> {
        guarded(|| stream::warm_up(&self.decoder))
    }

    /// Serves until all senders are gone and all requests are done.
    pub(super) fn serve(mut self, jobs: &Receiver<Job>) {
        loop {
            self.hand_over();
            if self.streams.is_empty() {
                let Ok(job) = jobs.recv() else { return };
                self.begin(job);
            } else if self.streams.iter().all(Stream::waits) {
                thread::park_timeout(PAUSE);
            }
            while self.streams.len() < SLOTS
                && let Ok(job) = jobs.try_recv()
            {
                self.begin(job);
            }
            self.pass();
        }
    }

    fn begin(&mut self, job: Job) {
        let prompt = match &job {
            Job::Score { prompt, .. } | Job::Generate { prompt, .. } => prompt,
        };
        let found = if prompt.is_empty() {
            Err(ModelError::Failed("an empty prompt has no continuation".into()))
        } else {
            let in_use =
                self.streams.iter().filter(|stream| !stream.is_broken()).map(|stream| &stream.text);
            let shelf = &mut self.shelf;
            guarded(|| shelf.take(prompt, in_use, &self.decoder).map_err(|e| stream::failed(&e)))
        };
        let (text, failed) = match found {
            Ok(text) => (text, None),
            Err(error) => (Text::empty(&self.decoder), Some(error)),
        };
        let mut stream = Stream::new(job, text, self.decoder.config().context);
        if let Some(error) = failed {
            stream.end(error);
        }
        self.streams.push(stream);
    }

    /// Reads once what every request wants. A panic ends the requests of the pass, not the thread.
    fn pass(&mut self) {
        let plans = self.plan();
        if plans.iter().all(Option::is_none) {
            return;
        }
        if let Err(error) = guarded(|| self.read(&plans)) {
            for (stream, _) in
                self.streams.iter_mut().zip(&plans).filter(|(_, plan)| plan.is_some())
            {
                stream.end(error.clone());
            }
        }
    }

    /// Hands over what is done; texts of requests that have ended go on the shelf.
    fn hand_over(&mut self) {
        for mut stream in std::mem::take(&mut self.streams) {
            if stream.deliver() {
                self.streams.push(stream);
            } else if !stream.is_broken() && !stream.text.ids.is_empty() {
                self.shelf.put(stream.text);
            }
        }
    }

    /// What each request reads next. Of prompts, the oldest gets a quarter of what a pass may read, and then the one with
    /// the least left comes first: short questions do not wait for long ones, and long ones go on.
    fn plan(&mut self) -> Vec<Option<Plan>> {
        let (context, guesses) = (self.decoder.config().context, self.decoder.is_exact());
        let replying = self.streams.iter().any(|stream| !stream.reads_prompt() && !stream.waits());
        let whole = if replying { SHARED_CHUNK } else { WHOLE_CHUNK };
        let mut left = whole;
        let mut budgets = vec![0; self.streams.len()];
        let mut order: Vec<usize> = (0..self.streams.len())
            .filter(|at| self.streams[*at].reads_prompt() && !self.streams[*at].waits())
            .collect();
        if let Some(oldest) = order.first() {
            budgets[*oldest] = self.streams[*oldest].unread().min(whole / 4);
            left -= budgets[*oldest];
        }
        order.sort_by_key(|at| self.streams[*at].unread());
        for at in order {
            let more = (self.streams[at].unread() - budgets[at]).min(left);
            budgets[at] += more;
            left -= more;
        }
        let plans = self.streams.iter_mut().zip(budgets).map(|(stream, budget)| {
            let plan = stream.plan(budget, context, guesses);
            if plan.is_none() {
                stream.probe();
            }
            plan
        });
        plans.collect()
    }

    fn read(&mut self, plans: &[Option<Plan>]) -> Result<(), ModelError> {
        let planned = self.streams.iter_mut().zip(plans);
        let mut parts: Vec<Part<'_>> = planned
            .filter_map(|(stream, plan)| {
                let Plan { tokens, want } = plan.as_ref()?;
                Some(Part { tokens, cache: &mut stream.text.cache, want: *want })
            })
            .collect();
        let tokens: usize = parts.iter().map(|part| part.tokens.len()).sum();
        self.read.fetch_add(tokens as u64, Ordering::Relaxed);
        let logits = self.decoder.read(&mut parts).map_err(|e| stream::failed(&e))?;
        let planned = self.streams.iter_mut().zip(plans);
        let planned = planned.filter_map(|(stream, plan)| Some((stream, plan.as_ref()?)));
        for ((stream, plan), logits) in planned.zip(&logits) {
            stream.take(plan, logits, &self.tokenizer);
        }
        Ok(())
    }
}
