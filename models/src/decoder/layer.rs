//! One layer of the decoder on the processor.

use super::DecoderError;
use super::config::{Config, Family};
use super::weights::Weights;
use crate::processor::matrix::Matrix;

/// Its weights.
pub(super) struct Layer {
    pub(super) attention_norm: Vec<f32>,
    pub(super) query: Matrix,
    pub(super) key: Matrix,
    pub(super) value: Matrix,
    /// Qwen3 norms each head's queries and keys.
    pub(super) query_norm: Option<Vec<f32>>,
    pub(super) key_norm: Option<Vec<f32>>,
    pub(super) output: Matrix,
    pub(super) feed_norm: Vec<f32>,
    pub(super) gate: Matrix,
    pub(super) up: Matrix,
    pub(super) down: Matrix,
}

impl Layer {
    pub(super) fn load(
        weights: &mut Weights<'_>,
        n: usize,
        config: &Config,
    ) -> Result<Self, DecoderError> {
        let &Config { width, heads, key_heads, head_size: size, family, .. } = config;
        let name = |part: &str| format!("blk.{n}.{part}");
        let wide = weights.outputs(&name("ffn_gate.weight"))?;
        let plain = |row: usize| row;
        // Llama's files hold the two numbers of a pair side by side; here halves of a head stand side by side.
        let halves = |row: usize| row / size * size + row % size / 2 + row % 2 * (size / 2);
        let turned: &dyn Fn(usize) -> usize =
            if family == Family::Llama { &halves } else { &plain };
        Ok(Self {
            attention_norm: weights.row(&name("attn_norm.weight"), width)?,
            query: weights.matrix(&name("attn_q"), (heads * size, width), turned)?,
            key: weights.matrix(&name("attn_k"), (key_heads * size, width), turned)?,
            value: weights.matrix(&name("attn_v"), (key_heads * size, width), &plain)?,
            query_norm: weights.optional(&name("attn_q_norm.weight"), size)?,
            key_norm: weights.optional(&name("attn_k_norm.weight"), size)?,
            output: weights.matrix(&name("attn_output"), (width, heads * size), &plain)?,
            feed_norm: weights.row(&name("ffn_norm.weight"), width)?,
            gate: weights.matrix(&name("ffn_gate"), (wide, width), &plain)?,
            up: weights.matrix(&name("ffn_up"), (wide, width), &plain)?,
            down: weights.matrix(&name("ffn_down"), (width, wide), &plain)?,
        })
    }

    /// In the order in which a pass reads them.
    pub(super) fn matrices(&mut self) -> [&mut Matrix; 7] {
        let Self { query, key, value, output, gate, up, down, .. } = self;
        [query, key, value, output, gate, up, down]
    }

    /// Bytes of the weights in memory.
    pub(super) fn bytes(&self) -> usize {
        let Self { query, key, value, output, gate, up, down, .. } = self;
        [query, key, value, output, gate, up, down].map(Matrix::bytes).iter().sum()
    }
}
