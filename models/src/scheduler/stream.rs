//! One request on the drafter's thread: a reply being written, or known words being scored.

use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use engine::model::{ModelError, Sampling, Stop, Token};

use super::shelf::Text;
use super::{Job, Step};
use crate::decoder::{Decoder, DecoderError, Logits, Want};
use crate::sampler::{self, Sampler};
use crate::speculate::{self, Pace};
use crate::tokenizer::{self, Tokenizer};

/// A reply that ends with the same words over and over has this many tokens of them, and at least [`ROUNDS`] rounds.
const REPEATED: usize = 64;
/// Times that the same words follow each other before they count as endless.
const ROUNDS: usize = 4;
/// Tokens of a span that a pass scores, for each of which it gives logits for all words.
const SPAN_CHUNK: usize = 64;
/// How long a reader may take nothing of what is said to him.
const PATIENCE: Duration = Duration::from_secs(30);
/// Tokens of words that may repeat, at most.
const LONGEST_ROUND: usize = 48;

/// A request with the text it works on.
pub(super) struct Stream {
    prompt: Vec<u32>,
    pub(super) text: Text,
    task: Task,
    broken: bool,
}

enum Task {
    Write(Write),
    Score(Score),
    /// Nobody waits for anything more.
    Over,
}

/// A reply being written.
struct Write {
    steps: SyncSender<Step>,
    /// What the reader has not taken yet.
    unsent: VecDeque<Step>,
    /// Since when the reader takes nothing.
    stuck: Option<Instant>,
    sampler: Sampler,
    greedy: bool,
    pace: Pace,
    /// Characters that are still in pieces.
    pieces: tokenizer::Stream,
    /// Tokens written.
    written: Vec<u32>,
    /// Tokens to write at most.
    limit: usize,
}

/// Known words being scored.
struct Score {
    spans: Vec<Vec<u32>>,
    scores: Vec<f32>,
    /// The logits after the prompt.
    first: Vec<f32>,
    /// Of the span at hand: the logits after what was read of it, the sum so far.
    last: Vec<f32>,
    total: f32,
    reply: SyncSender<Result<Vec<f32>, ModelError>>,
}

/// What a stream wants to be read next.
pub(super) struct Plan {
    pub(super) tokens: Vec<u32>,
    pub(super) want: Want,
}

impl Stream {
    pub(super) fn new(job: Job, text: Text, context: usize) -> Self {
        let (prompt, task) = match job {
            Job::Score { prompt, spans, reply } => (prompt, Task::Score(Score::new(spans, reply))),
            Job::Generate { prompt, sampling, steps } => {
                let limit = sampling.max_tokens.min(context.saturating_sub(prompt.len()));
                (prompt, Task::Write(Write::new(&sampling, limit, steps)))
            }
        };
        Self { prompt, text, task, broken: false }
    }

    /// Hands over what the reader takes now; false when the stream has ended and the text may be put back.
    pub(super) fn deliver(&mut self) -> bool {
        if let Task::Write(write) = &mut self.task {
            while let Some(step) = write.unsent.pop_front() {
                let last = matches!(step, Step::Done(_));
                match write.steps.try_send(step) {
                    Ok(()) if last => self.task = Task::Over,
                    Ok(()) => {
                        write.stuck = None;
                        continue;
                    }
                    // One who takes nothing for so long holds a place that others wait for.
                    Err(TrySendError::Full(_))
                        if write.stuck.get_or_insert_with(Instant::now).elapsed() > PATIENCE =>
                    {
                        self.task = Task::Over;
                    }
                    Err(TrySendError::Full(step)) => write.unsent.push_front(step),
                    // Nobody waits for the rest.
                    Err(TrySendError::Disconnected(_)) => self.task = Task::Over,
                }
                break;
            }
        }
        !matches!(self.task, Task::Over)
    }

    /// Whether the reader has to take something first.
    pub(super) fn waits(&self) -> bool {
        matches!(&self.task, Task::Write(write) if !write.unsent.is_empty())
    }

    /// Whether the prompt is still being read.
    pub(super) fn reads_prompt(&self) -> bool {
        self.text.ids.len() < self.prompt.len()
    }

    /// Tokens of the prompt that are not read yet.
    pub(super) fn unread(&self) -> usize {
        self.prompt.len().saturating_sub(self.text.ids.len())
    }

    /// Whoever waits for his turn is asked whether he is still there.
    pub(super) fn probe(&mut self) {
        if let Task::Write(write) = &mut self.task
            && write.unsent.is_empty()
        {
            write.unsent.push_back(Step::Probe);
        }
    }

    /// What to read next: of a prompt no more than `budget`; of a reply the last token and, where `guesses` are allowed,
    /// what may follow. `None` while the reader has to take something first, or there is no budget.
    pub(super) fn plan(&self, budget: usize, context: usize, guesses: bool) -> Option<Plan> {
        if self.waits() {
            return None;
        }
        if self.reads_prompt() {
            let rest = &self.prompt[self.text.ids.len()..];
            let tokens = rest[..rest.len().min(budget)].to_vec();
            let want = if tokens.len() == rest.len() { Want::Last } else { Want::Nothing };
            return (!tokens.is_empty()).then_some(Plan { tokens, want });
        }
        match &self.task {
            Task::Over => None,
            Task::Score(score) => {
                // The last token of a span is asked for, not read.
                let span = score.spans.get(score.scores.len())?.split_last()?.1;
                let read = self.text.ids.len() - self.prompt.len();
                let tokens = span[read..].iter().copied().take(SPAN_CHUNK).collect();
                Some(Plan { tokens, want: Want::All })
            }
            Task::Write(write) => {
                let last = *write.written.last()?;
                let mut tokens = vec![last];
                if write.greedy && guesses {
                    let left = (write.limit - write.written.len()).saturating_sub(1);
                    let room = context.saturating_sub(self.text.ids.len() + 1).min(left);
                    let mut all = self.text.ids.clone();
                    all.push(last);
                    tokens.extend_from_slice(speculate::guess(&all, write.pace, room));
                }
                Some(Plan { tokens, want: Want::All })
            }
        }
    }

    /// Takes what a pass gave.
    pub(super) fn take(&mut self, plan: &Plan, logits: &Logits, words: &Tokenizer) {
        let reading = self.reads_prompt();
        self.text.ids.extend_from_slice(&plan.tokens);
        let taken = match &mut self.task {
            Task::Over => Ok(()),
            Task::Write(write) if reading && plan.want == Want::Nothing => {
                write.unsent.push_back(Step::Probe);
                Ok(())
            }
            Task::Write(write) if reading => write.pick(logits.last(), words).map(|_| ()),
            Task::Write(write) => write.go_on(plan, logits, words, &mut self.text),
            Task::Score(_) if reading && plan.want == Want::Nothing => Ok(()),
            Task::Score(score) => {
                score.go_on(plan, logits, reading, (&mut self.text, self.prompt.len()))
            }
        };
        match taken {
            Err(error) => self.end(error),
            Ok(()) => self.finish_score(),
        }
    }

    /// Answers a score that is complete.
    fn finish_score(&mut self) {
        if let Task::Score(score) = &mut self.task
            && !score.first.is_empty()
            && score.scores.len() == score.spans.len()
        {
            // Nobody waits any more when this fails.
            let _ = score.reply.send(Ok(std::mem::take(&mut score.scores)));
            self.task = Task::Over;
        }
    }

    /// Ends the request with an error. What is kept of its text is not to be trusted: see [`Stream::is_broken`].
    pub(super) fn end(&mut self, error: ModelError) {
        self.broken = true;
        match &mut self.task {
            Task::Over => {}
            Task::Write(write) => write.unsent.push_back(Step::Done(Err(error))),
            Task::Score(score) => {
                // Nobody waits any more when this fails.
                let _ = score.reply.send(Err(error));
                self.task = Task::Over;
            }
        }
    }

    /// Whether the request failed.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }
}

impl Write {
    fn new(sampling: &Sampling, limit: usize, steps: SyncSender<Step>) -> Self {
        Self {
            steps,
            unsent: VecDeque::new(),
            stuck: None,
            sampler: Sampler::new(sampling),
            greedy: sampling.temperature <= 0.0,
            pace: Pace::default(),
            pieces: tokenizer::Stream::default(),
            written: Vec::new(),
            limit,
        }
    }

    /// Picks the next token and hands it on; `None` when the reply ends here.
    fn pick(&mut self, logits: &[f32], words: &Tokenizer) -> Result<Option<u32>, ModelError> {
        if self.limit == 0 {
            self.unsent.push_back(Step::Done(Ok(Stop::Length)));
            return Ok(None);
        }
        let pick = self.sampler.pick(logits).ok_or_else(not_finite)?;
        if words.stops.contains(&pick.id) {
            self.unsent.push_back(Step::Done(Ok(Stop::End)));
            return Ok(None);
        }
        self.written.push(pick.id);
        if repeats(&self.written) {
            return Err(ModelError::Failed("it repeats itself without end".into()));
        }
        let text = self.pieces.push(words.bytes(pick.id));
        self.unsent.push_back(Step::Token(Token { text, logprob: pick.logprob }));
        if self.written.len() == self.limit {
            self.unsent.push_back(Step::Done(Ok(Stop::Length)));
            return Ok(None);
        }
        Ok(Some(pick.id))
    }

    /// Picks token after token as long as the guesses were right; forgets those that were not.
    fn go_on(
        &mut self,
        plan: &Plan,
        logits: &Logits,
        words: &Tokenizer,
        text: &mut Text,
    ) -> Result<(), ModelError> {
        let before = text.ids.len() - plan.tokens.len();
        let guesses = plan.tokens.len() - 1;
        let mut right = 0;
        for (at, row) in logits.rows().enumerate() {
            let picked = self.pick(row, words)?;
            if picked.is_none() || plan.tokens.get(at + 1) != picked.as_ref() {
                break;
            }
            right += 1;
        }
        self.pace.learn(guesses, right);
        text.ids.truncate(before + 1 + right);
        text.cache.truncate(before + 1 + right).map_err(|e| failed(&e))
    }
}

impl Score {
    fn new(spans: Vec<Vec<u32>>, reply: SyncSender<Result<Vec<f32>, ModelError>>) -> Self {
        Self { spans, scores: Vec::new(), first: Vec::new(), last: Vec::new(), total: 0.0, reply }
    }

    fn go_on(
        &mut self,
        plan: &Plan,
        logits: &Logits,
        reading: bool,
        (text, prompt): (&mut Text, usize),
    ) -> Result<(), ModelError> {
        if reading {
            self.first = logits.last().to_vec();
            self.last.clone_from(&self.first);
        } else if let Some(span) = self.spans.get(self.scores.len()) {
            for (row, id) in std::iter::once(&self.last[..]).chain(logits.rows()).zip(&plan.tokens)
            {
                self.total += logprob(row, *id)?;
            }
            self.last = logits.last().to_vec();
            if text.ids.len() - prompt + 1 == span.len() {
                self.total += logprob(&self.last, span[span.len() - 1])?;
                self.scores.push(self.total / span.len() as f32);
                self.total = 0.0;
                self.last.clone_from(&self.first);
                text.ids.truncate(prompt);
                text.cache.truncate(prompt).map_err(|e| failed(&e))?;
            }
        }
        // Spans of no or one token need no pass of their own.
        while let Some(span) = self.spans.get(self.scores.len()).filter(|span| span.len() < 2) {
            let score = span.first().map_or(Ok(0.0), |id| logprob(&self.first, *id))?;
            self.scores.push(score);
        }
        Ok(())
    }
}

/// Whether a text ends with the same words over and over.
fn repeats(ids: &[u32]) -> bool {
    (1..=LONGEST_ROUND).any(|round| {
        let span = (round * ROUNDS).max(REPEATED).next_multiple_of(round);
        ids.len() >= span && {
            let end = &ids[ids.len() - span..];
            end.iter().zip(&end[round..]).all(|(a, b)| a == b)
        }
    })
}

fn logprob(logits: &[f32], id: u32) -> Result<f32, ModelError> {
    sampler::logprob(logits, id).ok_or_else(not_finite)
}

fn not_finite() -> ModelError {
    ModelError::Failed("the logits are not finite".into())
}

pub(super) fn failed(error: &DecoderError) -> ModelError {
    ModelError::Failed(error.to_string())
}

/// Reads the shortest and a longer text once, so that what a first pass needs is in memory.
pub(super) fn warm_up(decoder: &Decoder) -> Result<(), ModelError> {
    let many = vec![0; 32.min(decoder.config().context.saturating_sub(1)).max(1)];
    let mut cache = decoder.cache();
    let logits = decoder.forward(&many, &mut cache, Want::Last).map_err(|e| failed(&e))?;
    logprob(logits.last(), 0)?;
    cache.truncate(0).map_err(|e| failed(&e))?;
    decoder.forward(&many[..1], &mut cache, Want::Last).map_err(|e| failed(&e))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_on_and_on_repeats() {
        let rounds = |words: &[u32], times: usize| words.repeat(times);
        let rows = [
            (rounds(&[7], 63), false),
            (rounds(&[7], 64), true),
            (rounds(&[1, 2, 3], 21), false),
            (rounds(&[1, 2, 3], 22), true),
            (rounds(&(0..40).collect::<Vec<_>>(), 3), false),
            (rounds(&(0..40).collect::<Vec<_>>(), 4), true),
            ((0..500).collect(), false),
        ];
        for (ids, expect) in rows {
            assert_eq!(repeats(&ids), expect, "{} tokens", ids.len());
            let mut after: Vec<u32> = (900..950).collect();
            after.extend(&ids);
            assert_eq!(repeats(&after), expect, "after others");
        }
    }
}
