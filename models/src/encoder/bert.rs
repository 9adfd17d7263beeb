//! BERT on the processor: weights in 8 bits, texts of different lengths side by side without padding.

use candle_core::Tensor;
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{Config, HiddenAct};

use super::kernels::{self, Heads};
use super::linear::{Linear, Scratch};
use crate::processor::level::{LANES, Level};

/// The model.
#[derive(Debug)]
pub(super) struct Bert {
    level: Level,
    hidden: usize,
    heads: usize,
    epsilon: f32,
    /// Rows of the vocabulary.
    words: Vec<f32>,
    /// Rows of the positions, with the row of the first segment added.
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Norm {
    gain: Vec<f32>,
    bias: Vec<f32>,
}

#[derive(Debug)]
struct Layer {
    /// Query, key and value.
    qkv: Linear,
    attended: Linear,
    attended_norm: Norm,
    wide: Linear,
    narrow: Linear,
    narrow_norm: Norm,
}

impl Bert {
    /// Takes the weights by their names in the checkpoint.
    ///
    /// # Errors
    /// When a weight is missing or of another shape, or the configuration asks for what is not there.
    pub(super) fn load(weights: &VarBuilder<'_>, config: &Config) -> candle_core::Result<Self> {
        let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
        if config.hidden_act != HiddenAct::Gelu
            || heads == 0
            || !hidden.is_multiple_of(heads)
            || !(hidden / heads).is_multiple_of(LANES)
        {
            candle_core::bail!(
                "hidden_act {:?} with {heads} heads in {hidden} numbers: only `gelu` and heads of a multiple of {LANES} \
                 numbers are known",
                config.hidden_act
            );
        }
        let table = |name: &str, rows: usize| -> candle_core::Result<Vec<f32>> {
            weights
                .pp("embeddings")
                .get((rows, hidden), &format!("{name}.weight"))?
                .flatten_all()?
                .to_vec1()
        };
        let mut positions = table("position_embeddings", config.max_position_embeddings)?;
        let segment = table("token_type_embeddings", config.type_vocab_size)?;
        for row in positions.chunks_exact_mut(hidden) {
            row.iter_mut().zip(&segment).for_each(|(x, y)| *x += y);
        }
        let layers = (0..config.num_hidden_layers)
            .map(|n| Layer::load(&weights.pp(format!("encoder.layer.{n}")), config));
        Ok(Self {
            level: Level::detect(),
            hidden,
            heads,
            epsilon: config.layer_norm_eps as f32,
            words: table("word_embeddings", config.vocab_size)?,
            positions,
            norm: Norm::load(&weights.pp("embeddings.LayerNorm"), hidden)?,
            layers: layers.collect::<candle_core::Result<_>>()?,
        })
    }

    /// The mean of each text's last rows, scaled to length 1. Every text has at least one token and at most as
    /// many as there are positions; ids beyond the vocabulary read as its first row.
    pub(super) fn embed(&self, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let mut rows = self.start(texts);
        let count = rows.len() / self.hidden;
        let mut scratch = Scratch::default();
        let mut keys = Vec::new();
        let mut gathered = vec![0.0; rows.len()];
        let mut out = vec![0.0; rows.len()];
        let mut qkv = vec![0.0; 3 * rows.len()];
        let mut wide = Vec::new();
        let (level, width) = (self.level, self.hidden / self.heads);
        for layer in &self.layers {
            layer.qkv.apply(level, &rows, &mut scratch, &mut qkv);
            let mut first = 0;
            for text in texts {
                let next = first + text.len() * self.hidden;
                let heads = Heads { qkv: &qkv[3 * first..3 * next], count: self.heads, width };
                kernels::attend(level, heads, &mut keys, &mut gathered[first..next]);
                first = next;
            }
            layer.attended.apply(level, &gathered, &mut scratch, &mut out);
            self.add_norm(&mut rows, &out, &layer.attended_norm);
            wide.resize(count * layer.wide.outputs(), 0.0);
            layer.wide.apply(level, &rows, &mut scratch, &mut wide);
            kernels::gelu(level, &mut wide);
            layer.narrow.apply(level, &wide, &mut scratch, &mut out);
            self.add_norm(&mut rows, &out, &layer.narrow_norm);
        }
        self.means(texts, &rows)
    }

    fn start(&self, texts: &[&[u32]]) -> Vec<f32> {
        let mut rows = Vec::with_capacity(texts.iter().map(|text| text.len() * self.hidden).sum());
        for text in texts {
            for (id, position) in text.iter().zip(self.positions.chunks_exact(self.hidden)) {
                let from = *id as usize * self.hidden;
                let word = self.words.get(from..from + self.hidden);
                let word = word.unwrap_or(&self.words[..self.hidden]);
                rows.extend(word.iter().zip(position).map(|(x, y)| x + y));
            }
        }
        let nothing = vec![0.0; rows.len()];
        self.add_norm(&mut rows, &nothing, &self.norm);
        rows
    }

    fn add_norm(&self, rows: &mut [f32], other: &[f32], norm: &Norm) {
        let norm = kernels::Norm { gain: &norm.gain, bias: &norm.bias, epsilon: self.epsilon };
        kernels::add_norm(self.level, rows, other, norm);
    }

    fn means(&self, texts: &[&[u32]], rows: &[f32]) -> Vec<Vec<f32>> {
        let mut rows = rows.chunks_exact(self.hidden);
        let mean = |text: &&[u32]| {
            let mut sum = vec![0.0_f32; self.hidden];
            for row in rows.by_ref().take(text.len()) {
                sum.iter_mut().zip(row).for_each(|(x, y)| *x += y);
            }
            let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            sum.iter_mut().for_each(|x| *x /= length);
            sum
        };
        texts.iter().map(mean).collect()
    }
}

impl Norm {
    fn load(weights: &VarBuilder<'_>, width: usize) -> candle_core::Result<Self> {
        let row = |name: &str| weights.get(width, name)?.to_vec1();
        Ok(Self { gain: row("weight")?, bias: row("bias")? })
    }
}

impl Layer {
    fn load(weights: &VarBuilder<'_>, config: &Config) -> candle_core::Result<Self> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let read =
            |name: &str, outputs: usize, inputs: usize| -> candle_core::Result<(Tensor, Tensor)> {
                let layer = weights.pp(name);
                Ok((layer.get((outputs, inputs), "weight")?, layer.get(outputs, "bias")?))
            };
        let own = |name: &str| read(&format!("attention.self.{name}"), hidden, hidden);
        Ok(Self {
            qkv: Linear::new(&[own("query")?, own("key")?, own("value")?])?,
            attended: Linear::new(&[read("attention.output.dense", hidden, hidden)?])?,
            attended_norm: Norm::load(&weights.pp("attention.output.LayerNorm"), hidden)?,
            wide: Linear::new(&[read("intermediate.dense", wide, hidden)?])?,
            narrow: Linear::new(&[read("output.dense", hidden, wide)?])?,
            narrow_norm: Norm::load(&weights.pp("output.LayerNorm"), hidden)?,
        })
    }
}
