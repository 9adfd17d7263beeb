//! What the drafter's thread does: reads prompts into a cache that it keeps, scores, decodes.

use std::ops::ControlFlow;
use std::sync::Arc;

use candle_core::{Device, Tensor};
use engine::model::{ModelError, Sampling, Stop, Token};

use crate::decoder::{Cache, Decoder, Want};
use crate::sampler::{self, Sampler};
use crate::tokenizer::{Stream, Tokenizer};

/// Tokens read at once; between two chunks a caller who left is noticed.
const CHUNK: usize = 256;

/// A decoder with the text it read last, so that a prompt with the same beginning costs only what is new.
pub(super) struct Drafter {
    decoder: Decoder,
    tokenizer: Arc<Tokenizer>,
    device: Device,
    read: Vec<u32>,
    cache: Cache,
}

impl Drafter {
    pub(super) fn new(decoder: Decoder, tokenizer: Arc<Tokenizer>, device: Device) -> Self {
        let cache = decoder.cache();
        Self { decoder, tokenizer, device, read: Vec::new(), cache }
    }

    /// Packs the weights for the kernels, which the first pass over many tokens pays for.
    pub(super) fn warm_up(&mut self) -> Result<(), ModelError> {
        let many = vec![0; 32.min(self.decoder.config().context - 1)];
        self.prefill(&many, &mut || ControlFlow::Continue(()))?;
        self.prefill(&many[..1], &mut || ControlFlow::Continue(()))?;
        Ok(())
    }

    /// Mean log-probability per token of each span after `prompt`; 0 for an empty span.
    pub(super) fn score(
        &mut self,
        prompt: &[u32],
        spans: &[Vec<u32>],
    ) -> Result<Vec<f32>, ModelError> {
        let Some(first) = self.prefill(prompt, &mut || ControlFlow::Continue(()))? else {
            return Err(ModelError::Failed("an empty prompt cannot be scored".into()));
        };
        spans.iter().map(|span| self.score_span(&first, span)).collect()
    }

    fn score_span(&self, first: &[f32], span: &[u32]) -> Result<f32, ModelError> {
        let Some(id) = span.first() else { return Ok(0.0) };
        let mut total = logprob(first, *id)?;
        if span.len() > 1 {
            let mut fork = self.cache.clone();
            let logits = self.pass(&span[..span.len() - 1], &mut fork, Want::All)?;
            let rows: Vec<Vec<f32>> = logits.to_vec2().map_err(failed)?;
            for (row, id) in rows.iter().zip(&span[1..]) {
                total += logprob(row, *id)?;
            }
        }
        Ok(total / span.len() as f32)
    }

    /// Decodes until the model ends its message, the limit is reached or `on_token` says stop.
    pub(super) fn generate(
        &mut self,
        prompt: &[u32],
        sampling: &Sampling,
        on_token: &mut dyn FnMut(Token) -> ControlFlow<()>,
    ) -> Result<Stop, ModelError> {
        let mut probe = || on_token(Token { text: String::new(), logprob: 0.0 });
        let Some(mut logits) = self.prefill(prompt, &mut probe)? else {
            return Ok(Stop::Cancelled);
        };
        let mut sampler = Sampler::new(sampling);
        let mut stream = Stream::default();
        let room = self.decoder.config().context - prompt.len();
        for _ in 0..sampling.max_tokens.min(room) {
            let pick = sampler
                .pick(&logits)
                .ok_or_else(|| ModelError::Failed("the logits are not finite".into()))?;
            if self.tokenizer.stops.contains(&pick.id) {
                return Ok(Stop::End);
            }
            let text = stream.push(self.tokenizer.bytes(pick.id));
            if on_token(Token { text, logprob: pick.logprob }).is_break() {
                return Ok(Stop::Cancelled);
            }
            if self.cache.len() < self.decoder.config().context {
                logits = self.extend(&[pick.id])?;
            }
        }
        Ok(Stop::Length)
    }

    /// Reads `prompt`, keeping what was read before as far as it is the same; gives the logits after it, or `None`
    /// when `go_on` said stop.
    fn prefill(
        &mut self,
        prompt: &[u32],
        go_on: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Option<Vec<f32>>, ModelError> {
        let shared = self.read.iter().zip(prompt).take_while(|(a, b)| a == b).count();
        // The last token is read again, for its logits are what is asked for.
        let keep = shared.min(prompt.len().saturating_sub(1));
        self.cache.truncate(keep).map_err(failed)?;
        self.read.truncate(keep);
        let mut logits = None;
        for chunk in prompt[keep..].chunks(CHUNK) {
            if go_on().is_break() {
                return Ok(None);
            }
            logits = Some(self.extend(chunk)?);
        }
        Ok(logits)
    }

    /// Reads more tokens; on failure the text starts anew.
    fn extend(&mut self, tokens: &[u32]) -> Result<Vec<f32>, ModelError> {
        let mut cache = std::mem::replace(&mut self.cache, self.decoder.cache());
        let before = std::mem::take(&mut self.read);
        let logits = self.pass(tokens, &mut cache, Want::Last)?;
        let row = logits.squeeze(0).and_then(|row| row.to_vec1()).map_err(failed)?;
        self.cache = cache;
        self.read = before;
        self.read.extend_from_slice(tokens);
        Ok(row)
    }

    fn pass(&self, tokens: &[u32], cache: &mut Cache, want: Want) -> Result<Tensor, ModelError> {
        self.device.with_context(|| self.decoder.forward(tokens, cache, want)).map_err(failed)
    }
}

fn logprob(logits: &[f32], id: u32) -> Result<f32, ModelError> {
    sampler::logprob(logits, id)
        .ok_or_else(|| ModelError::Failed("the logits are not finite".into()))
}

fn failed(error: candle_core::Error) -> ModelError {
    ModelError::Failed(error.to_string())
}
