//! Porchlight's own side of the measurement: the decoder as the scheduler drives it, and a clock.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use candle_core::quantized::gguf_file::Content;
use engine::model::{Prompt, Sampling};
use models::chat;
use models::decoder::{Cache, Decoder, Part, Want};
use models::device::{self, Place};
use models::gguf;
use models::sampler::{Sampler, logprob};
use models::tokenizer::Tokenizer;

use super::Jobs;

/// Tokens read at once, as in the scheduler.
const CHUNK: usize = 256;
/// Tokens of the first, unmeasured pass, as in the scheduler.
const WARM_UP: usize = 32;

/// Figures of one round by their names.
pub(super) type Figures = BTreeMap<String, f64>;

/// A loaded decoder.
pub(super) struct Ours {
    decoder: Decoder,
    /// Text to ids, for the jobs.
    pub(super) tokenizer: Tokenizer,
    /// Milliseconds that loading took, the warm-up included.
    pub(super) load_ms: f64,
}

impl Ours {
    /// Loads the file as the scheduler does. `context` bounds prompt and reply together, in tokens.
    pub(super) fn load(path: &Path, context: usize, place: Place) -> Result<Self> {
        let start = Instant::now();
        let device = device::open(place).map_err(anyhow::Error::msg)?;
        gguf::validate(path)?;
        let refused = || format!("{} cannot be run", path.display());
        let mut file = std::fs::File::open(path).with_context(refused)?;
        let content = Content::read(&mut file).with_context(refused)?;
        let tokenizer = Tokenizer::from_gguf(&content).with_context(refused)?;
        let decoder = Decoder::load(&content, path, context, device::threads(), &device)
            .with_context(refused)?;
        let mut ours = Self { decoder, tokenizer, load_ms: 0.0 };
        ours.read(&vec![0; WARM_UP.min(ours.context() - 1).max(1)])?;
        ours.read(&[0])?;
        ours.load_ms = start.elapsed().as_secs_f64() * 1000.0;
        Ok(ours)
    }

    /// Tokens of prompt and reply together at most.
    pub(super) fn context(&self) -> usize {
        self.decoder.config().context
    }

    /// Measures every job once. Tokens per second, but for names that end in `_ms` and `_mib`.
    pub(super) fn round(&self, jobs: &Jobs) -> Result<Figures> {
        let mut figures = Figures::new();
        for prompt in &jobs.prompts {
            let (length, start) = (prompt.len(), Instant::now());
            let (mut cache, row) = self.read(prompt)?;
            let seconds = start.elapsed().as_secs_f64();
            let first = likeliest(&row)?;
            let ttft = start.elapsed().as_secs_f64() * 1000.0;
            figures.insert(format!("prefill_{length}"), length as f64 / seconds);
            figures.insert(format!("ttft_{length}_ms"), ttft);
            let seconds = self.steps(&mut cache, first, jobs.decode)?;
            figures.insert(format!("decode_{length}"), jobs.decode as f64 / seconds);
        }
        if !jobs.grounded.is_empty() {
            figures.insert("quote".into(), self.grounded(jobs)?);
        }
        figures.insert("rss_mib".into(), crate::resident::mib("self").unwrap_or(f64::NAN));
        for texts in &jobs.batches {
            figures.insert(format!("batch_{}", texts.len()), self.batch(texts, jobs.decode)?);
        }
        Ok(figures)
    }

    /// Tokens per second of all texts together, a token of each in every pass.
    fn batch(&self, texts: &[Vec<u32>], decode: usize) -> Result<f64> {
        let mut caches = Vec::new();
        let mut ids = Vec::new();
        for text in texts {
            let (cache, row) = self.read(text)?;
            caches.push(cache);
            ids.push(likeliest(&row)?);
        }
        let start = Instant::now();
        for _ in 0..decode {
            let pairs = caches.iter_mut().zip(ids.chunks(1));
            let mut parts: Vec<Part<'_>> =
                pairs.map(|(cache, tokens)| Part { tokens, cache, want: Want::Last }).collect();
            let logits = self.decoder.read(&mut parts)?;
            ids = logits.iter().map(|row| likeliest(row.last())).collect::<Result<_>>()?;
        }
        Ok((texts.len() * decode) as f64 / start.elapsed().as_secs_f64())
    }

    /// Tokens per second of known texts, each read and scored in one pass after its prompt.
    fn grounded(&self, jobs: &Jobs) -> Result<f64> {
        let (mut tokens, mut seconds) = (0, 0.0);
        for row in &jobs.grounded {
            let (mut cache, first) = self.read(&row.prompt)?;
            let start = Instant::now();
            self.score(&first, &row.text, &mut cache)?;
            seconds += start.elapsed().as_secs_f64();
            tokens += row.text.len();
        }
        Ok(tokens as f64 / seconds)
    }

    /// Sum of the log-probabilities of `text` after what `cache` holds; `first` are the logits that follow it.
    fn score(&self, first: &[f32], text: &[u32], cache: &mut Cache) -> Result<f32> {
        let logits = self.decoder.forward(&text[..text.len() - 1], cache, Want::All)?;
        let all = std::iter::once(first).chain(logits.rows());
        let scores = all.zip(text).map(|(row, id)| logprob(row, *id));
        scores.sum::<Option<f32>>().context("the logits are not finite")
    }

    /// Reads a prompt into an empty cache; gives the logits after it.
    fn read(&self, ids: &[u32]) -> Result<(Cache, Vec<f32>)> {
        let mut cache = self.decoder.cache();
        let mut row = Vec::new();
        for chunk in ids.chunks(CHUNK) {
            row = self.decoder.forward(chunk, &mut cache, Want::Last)?.last().to_vec();
        }
        Ok((cache, row))
    }

    /// Takes greedy steps from the token `id` on; gives the seconds they take.
    fn steps(&self, cache: &mut Cache, mut id: u32, count: usize) -> Result<f64> {
        let start = Instant::now();
        for _ in 0..count {
            id = likeliest(self.decoder.forward(&[id], cache, Want::Last)?.last())?;
        }
        Ok(start.elapsed().as_secs_f64())
    }

    /// A greedy reply a token at a time, without guesses: its text, its tokens but the first, and the seconds they took.
    pub(super) fn plain(&self, prompt: &Prompt, most: usize) -> Result<(String, usize, f64)> {
        let ids = chat::encode(&self.tokenizer, prompt)?;
        let (mut cache, mut row) = self.read(&ids)?;
        let (mut bytes, mut tokens, mut start) = (Vec::new(), 0, Instant::now());
        while tokens < most {
            let id = likeliest(&row)?;
            if self.tokenizer.stops.contains(&id) {
                break;
            }
            bytes.extend_from_slice(self.tokenizer.bytes(id));
            tokens += 1;
            if tokens == 1 {
                start = Instant::now();
            }
            row = self.decoder.forward(&[id], &mut cache, Want::Last)?.last().to_vec();
        }
        let seconds = start.elapsed().as_secs_f64();
        Ok((String::from_utf8_lossy(&bytes).into_owned(), tokens.saturating_sub(1), seconds))
    }

    /// Ids of a text.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let ids = self.tokenizer.encode(text)?;
        ensure!(!ids.is_empty(), "the text is empty");
        Ok(ids)
    }
}

fn likeliest(logits: &[f32]) -> Result<u32> {
    let greedy = Sampling { max_tokens: 1, temperature: 0.0, seed: 0 };
    let pick = Sampler::new(&greedy).pick(logits);
    Ok(pick.context("the logits are not finite")?.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_token_is_the_first_of_the_largest() {
        assert_eq!(likeliest(&[0.5, 2.0, 2.0]).unwrap(), 1);
        assert!(likeliest(&[f32::NAN]).is_err());
    }
}
