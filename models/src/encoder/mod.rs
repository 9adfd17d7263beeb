//! The sentence encoder: text to unit-length vectors (BERT family, mean pooling).

mod bert;
mod gpu;
mod kernels;
mod linear;
mod product;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::Config;
use tokenizers::{Tokenizer, TruncationParams};

use bert::Bert;
use gpu::GpuBert;

/// Tokens of a text that are read; all-MiniLM-L6-v2 was trained on 256 at most.
const MAX_TOKENS: usize = 256;
/// Bytes of a text that are tokenized: more than 256 tokens of ordinary text.
const MAX_BYTES: usize = 8 * 1024;
/// Tokens that one pass takes together: enough to read the weights seldom, few enough for the processor's cache.
const PASS_TOKENS: usize = 256;

/// Why an encoder could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// A file cannot be read or is not what it should be.
    #[error("{path}: {problem}", path = .path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Tokenizing failed.
    #[error("the encoder's tokenizer failed: {0}")]
    Tokenizer(String),
    /// Arithmetic failed.
    #[error("{0}")]
    Tensor(#[from] candle_core::Error),
}

/// An encoder with its tokenizer.
pub struct Encoder {
    body: Body,
    tokenizer: Tokenizer,
    dimension: usize,
    threads: usize,
}

/// Where the arithmetic is done.
enum Body {
    Processor(Bert),
    Gpu(GpuBert),
}

impl Encoder {
    /// Loads `config.json`, `tokenizer.json` and `model.safetensors` from `dir`; `threads` share the arithmetic on the
    /// processor.
    ///
    /// # Errors
    /// [`EncoderError`] naming the file.
    pub fn load(dir: &Path, device: &Device, threads: usize) -> Result<Self, EncoderError> {
        let file = |name: &str| dir.join(name);
        let text = |path: &PathBuf| std::fs::read(path).map_err(|e| bad(path, &e));
        let path = file("config.json");
        let config: Config = serde_json::from_slice(&text(&path)?).map_err(|e| bad(&path, &e))?;
        let path = file("tokenizer.json");
        let mut tokenizer = Tokenizer::from_bytes(text(&path)?).map_err(|e| bad(&path, &e))?;
        let truncation = TruncationParams { max_length: MAX_TOKENS, ..Default::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| bad(&path, &e))?;
        tokenizer.with_padding(None);
        let path = file("model.safetensors");
        let weights = VarBuilder::from_buffered_safetensors(text(&path)?, DType::F32, device)
            .map_err(|e| bad(&path, &e))?;
        let (positions, hidden) = (config.max_position_embeddings, config.hidden_size);
        if positions < MAX_TOKENS || hidden == 0 || config.vocab_size == 0 {
            let problem = format!(
                "{positions} positions, {hidden} numbers and {} words; {MAX_TOKENS} positions are needed, and some of each",
                config.vocab_size
            );
            return Err(bad(&dir.join("config.json"), &problem));
        }
        let body = if device.is_cpu() {
            Body::Processor(Bert::load(&weights, &config).map_err(|e| bad(&path, &e))?)
        } else {
            Body::Gpu(GpuBert::load(weights, &config, device).map_err(|e| bad(&path, &e))?)
        };
        Ok(Self { body, tokenizer, dimension: config.hidden_size, threads })
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The words that the encoder reads as one piece, in lower case.
    pub fn words(&self) -> std::collections::HashSet<String> {
        let whole = |word: &String| word.chars().all(char::is_alphabetic);
        self.tokenizer.get_vocab(false).into_keys().filter(whole).collect()
    }

    /// One unit-length vector per text, in order. A text's vector does not depend on the texts beside it.
    ///
    /// # Errors
    /// [`EncoderError`] when tokenizing or arithmetic fails.
    pub fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EncoderError> {
        let clipped: Vec<&str> = texts.iter().map(|text| clip(text)).collect();
        let encodings = self.tokenizer.encode_batch_fast(clipped, true);
        let encodings = encodings.map_err(|e| EncoderError::Tokenizer(e.to_string()))?;
        let ids: Vec<&[u32]> = encodings.iter().map(tokenizers::Encoding::get_ids).collect();
        if ids.iter().any(|ids| ids.is_empty()) {
            return Err(EncoderError::Tokenizer("it gave no token for a text".into()));
        }
        match &self.body {
            Body::Gpu(bert) => Ok(bert.embed(&ids)?),
            Body::Processor(bert) => Ok(self.on_processor(bert, &ids)),
        }
    }

    /// Passes of about [`PASS_TOKENS`] tokens, shared out among the cores.
    fn on_processor(&self, bert: &Bert, ids: &[&[u32]]) -> Vec<Vec<f32>> {
        let passes = passes(ids);
        let threads = self.threads.min(passes.len());
        if threads < 2 {
            return passes.iter().flat_map(|pass| bert.embed(&ids[pass.clone()])).collect();
        }
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some(pass) = passes.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((pass.start, bert.embed(&ids[pass.clone()])));
            }
            done
        };
        let mut parts = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut parts = work();
            for other in others {
                parts.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            parts
        });
        parts.sort_by_key(|(start, _)| *start);
        parts.into_iter().flat_map(|(_, vectors)| vectors).collect()
    }
}

/// Neighbours that share a pass.
fn passes(ids: &[&[u32]]) -> Vec<std::ops::Range<usize>> {
    let mut passes: Vec<std::ops::Range<usize>> = Vec::new();
    let mut tokens = PASS_TOKENS;
    for (at, text) in ids.iter().enumerate() {
        tokens += text.len();
        match passes.last_mut() {
            Some(pass) if tokens <= PASS_TOKENS => pass.end = at + 1,
            _ => {
                passes.push(at..at + 1);
                tokens = text.len();
            }
        }
    }
    passes
}

/// At most [`MAX_BYTES`] of `text`, cut between characters.
fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_BYTES)]
}

fn bad(path: &Path, problem: &dyn std::fmt::Display) -> EncoderError {
    EncoderError::File { path: path.into(), problem: problem.to_string() }
}
