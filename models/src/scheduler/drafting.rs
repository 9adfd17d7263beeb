//! What the drafter's thread does: serves several requests at once, each pass with a token or more of every one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use engine::model::ModelError;

use super::shelf::Shelf;
use super::stream::{self, Plan, Stream};
use super::{Job, guarded};
use crate::decoder::{Decoder, Part};
use crate::tokenizer::Tokenizer;

/// Requests that are served at once; more wait in the queue.
pub const SLOTS: usize = 8;
/// Texts that are kept after their requests.
const KEPT_TEXTS: usize = 8;
/// Tokens of prompts that a pass reads when nobody waits for a token of a reply.
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
        let empty = prompt.is_empty();
        let in_use = self.streams.iter().map(|stream| &stream.text);
        let text = self.shelf.take(prompt, in_use, &self.decoder);
        let failed = text.as_ref().err().map(stream::failed);
        let text = text.unwrap_or_else(|_| super::shelf::Text {
            ids: Vec::new(),
            cache: self.decoder.cache(),
        });
        let mut stream = Stream::new(job, text, self.decoder.config().context);
        let empty = empty.then(|| ModelError::Failed("an empty prompt has no continuation".into()));
        if let Some(error) = failed.or(empty) {
            stream.end(Err(error));
        }
        self.streams.push(stream);
    }

    /// Hands over what is done, and reads once what every request wants.
    fn pass(&mut self) {
        for mut stream in std::mem::take(&mut self.streams) {
            if stream.deliver() {
                self.streams.push(stream);
            } else if !stream.text.ids.is_empty() {
                self.shelf.put(stream.text);
            }
        }
        let context = self.decoder.config().context;
        let replying = self.streams.iter().any(|stream| !stream.reads_prompt());
        let mut budget = if replying { SHARED_CHUNK } else { WHOLE_CHUNK };
        let plans: Vec<Option<Plan>> =
            self.streams.iter().map(|stream| stream.plan(&mut budget, context)).collect();
        let mut parts: Vec<Part<'_>> = self
            .streams
            .iter_mut()
            .zip(&plans)
            .filter_map(|(stream, plan)| {
                let Plan { tokens, want } = plan.as_ref()?;
                Some(Part { tokens, cache: &mut stream.text.cache, want: *want })
            })
            .collect();
        if parts.is_empty() {
            return;
        }
        let tokens: usize = parts.iter().map(|part| part.tokens.len()).sum();
        self.read.fetch_add(tokens as u64, Ordering::Relaxed);
        let read = guarded(|| self.decoder.read(&mut parts).map_err(|e| stream::failed(&e)));
        let planned = self
            .streams
            .iter_mut()
            .zip(&plans)
            .filter_map(|(stream, plan)| Some((stream, plan.as_ref()?)));
        match read {
            Ok(logits) => {
                for ((stream, plan), logits) in planned.zip(&logits) {
                    stream.take(plan, logits, &self.tokenizer);
                }
            }
            Err(error) => {
                for (stream, _) in planned {
                    // What is kept of it is not to be trusted any more.
                    stream.text.ids.clear();
                    stream.text.cache = self.decoder.cache();
                    stream.end(Err(error.clone()));
                }
            }
        }
    }
}
