//! The sentence encoder: text to unit-length vectors (BERT family, mean pooling).

use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use tokenizers::{PaddingParams, Tokenizer, TruncationParams};

/// Tokens of a text that are read; all-MiniLM-L6-v2 was trained on 256 at most.
const MAX_TOKENS: usize = 256;
/// Bytes of a text that are tokenized: 256 tokens never need more.
const MAX_BYTES: usize = 8 * 1024;
/// Texts of one pass.
const BATCH: usize = 16;

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
    model: BertModel,
    tokenizer: Tokenizer,
    dimension: usize,
    device: Device,
}

impl Encoder {
    /// Loads `config.json`, `tokenizer.json` and `model.safetensors` from `dir`.
    ///
    /// # Errors
    /// [`EncoderError`] naming the file.
    pub fn load(dir: &Path, device: &Device) -> Result<Self, EncoderError> {
        let file = |name: &str| dir.join(name);
        let text = |path: &PathBuf| std::fs::read(path).map_err(|e| bad(path, &e));
        let path = file("config.json");
        let config: Config = serde_json::from_slice(&text(&path)?).map_err(|e| bad(&path, &e))?;
        let path = file("tokenizer.json");
        let mut tokenizer = Tokenizer::from_bytes(text(&path)?).map_err(|e| bad(&path, &e))?;
        let truncation = TruncationParams { max_length: MAX_TOKENS, ..Default::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| bad(&path, &e))?;
        tokenizer.with_padding(Some(PaddingParams::default()));
        let path = file("model.safetensors");
        let weights = VarBuilder::from_buffered_safetensors(text(&path)?, DType::F32, device)
            .map_err(|e| bad(&path, &e))?;
        let dimension = config.hidden_size;
        let model = BertModel::load(weights, &config).map_err(|e| bad(&path, &e))?;
        Ok(Self { model, tokenizer, dimension, device: device.clone() })
    }

    /// Length of the vectors.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// One unit-length vector per text, in order. Texts of like length share a pass.
    ///
    /// # Errors
    /// [`EncoderError`] when tokenizing or arithmetic fails.
    pub fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, EncoderError> {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|index| texts[*index].len());
        let mut vectors = vec![Vec::new(); texts.len()];
        for batch in order.chunks(BATCH) {
            let rows = self.pass(batch.iter().map(|index| clip(&texts[*index])).collect())?;
            for (index, row) in batch.iter().zip(rows) {
                vectors[*index] = row;
            }
        }
        Ok(vectors)
    }

    fn pass(&self, texts: Vec<&str>) -> Result<Vec<Vec<f32>>, EncoderError> {
        let rows = texts.len();
        let encodings = self.tokenizer.encode_batch_fast(texts, true);
        let encodings = encodings.map_err(|e| EncoderError::Tokenizer(e.to_string()))?;
        let ids = encodings.iter().flat_map(|e| e.get_ids().to_vec());
        let ids = Tensor::from_iter(ids, &self.device)?.reshape((rows, ()))?;
        let mask = encodings.iter().flat_map(|e| e.get_attention_mask().to_vec());
        let mask = Tensor::from_iter(mask, &self.device)?.reshape((rows, ()))?;
        let hidden = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        let sum = hidden.broadcast_mul(&mask)?.sum(1)?;
        let mean = sum.broadcast_div(&mask.sum(1)?)?;
        let norm = mean.sqr()?.sum_keepdim(1)?.sqrt()?;
        Ok(mean.broadcast_div(&norm)?.to_vec2()?)
    }
}

/// At most [`MAX_BYTES`] of `text`, cut between characters.
fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_BYTES)]
}

fn bad(path: &Path, problem: &dyn std::fmt::Display) -> EncoderError {
    EncoderError::File { path: path.into(), problem: problem.to_string() }
}
