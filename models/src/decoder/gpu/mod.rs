//! The decoder on a GPU, in candle's tensors. On the processor it is the reference that tests hold ours against.

mod cache;
mod linear;

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::thread;

use candle_core::quantized::QTensor;
use candle_core::quantized::gguf_file::Content;
use candle_core::{D, DType, Device, IndexOp, Tensor};
use candle_nn::{ops, rotary_emb};

pub(super) use cache::TensorCache;

use super::config::{Config, Family};
use super::{DecoderError, Want};
use linear::Linear;

/// The weights. Cheap to share, changed by nobody; the state of a text lives in [`Cache`].
pub(super) struct GpuDecoder {
    config: Config,
    embedding: QTensor,
    layers: Vec<Layer>,
    norm: Tensor,
    output: Linear,
    cos: Tensor,
    sin: Tensor,
    device: Device,
}

struct Layer {
    attention_norm: Tensor,
    query: Linear,
    key: Linear,
    value: Linear,
    query_norm: Option<Tensor>,
    key_norm: Option<Tensor>,
    output: Linear,
    feed_norm: Tensor,
    gate: Linear,
    up: Linear,
    down: Linear,
}

impl GpuDecoder {
    /// Reads the weights.
    ///
    /// # Errors
    /// [`DecoderError`] when a tensor is missing or cannot be read.
    pub(super) fn load(
        content: &Content,
        path: &Path,
        config: &Config,
        device: &Device,
    ) -> Result<Self, DecoderError> {
        let config = config.clone();
        let mut tensors = Tensors::open(content, path, device)?;
        // Converting the weights is most of a start, so the layers are read by two threads.
        let half = config.layers / 2;
        let read = |range: Range<usize>| -> candle_core::Result<Vec<Layer>> {
            let mut tensors = Tensors::open(content, path, device)?;
            let layers = range.map(|n| tensors.layer(n)).collect();
            // A GPU has a queue for each thread: what this one copies there has to have arrived before others read it.
            device.synchronize()?;
            layers
        };
        let (first, second) = thread::scope(|scope| {
            let second = scope.spawn(|| read(half..config.layers));
            let failed =
                || candle_core::Error::Msg("a thread that read the weights has ended".into());
            (read(0..half), second.join().unwrap_or_else(|_| Err(failed())))
        });
        let mut layers = first?;
        layers.extend(second?);
        let embedding = linear::fast(tensors.quantized("token_embd.weight")?)?;
        let norm = tensors.dense("output_norm.weight")?;
        let tied = !content.tensor_infos.contains_key("output.weight");
        let name = if tied { "token_embd.weight" } else { "output.weight" };
        let output = Linear::new(tensors.quantized(name)?, None)?;
        let factors = tensors.optional("rope_freqs.weight")?.map(|t| t.to_vec1()).transpose()?;
        let (cos, sin) = angles(&config, factors.as_deref(), device)?;
        Ok(Self { config, embedding, layers, norm, output, cos, sin, device: device.clone() })
    }

    pub(super) fn vocabulary(&self) -> usize {
        self.embedding.shape().dims().first().copied().unwrap_or(0)
    }

    /// An empty text.
    pub(super) fn cache(&self) -> TensorCache {
        TensorCache::new(self.layers.len())
    }

    /// Appends `tokens` to the text in `cache` and gives the logits that follow them.
    ///
    /// # Errors
    /// When the text would outgrow the context, or arithmetic fails; the cache is then not usable any more.
    pub(super) fn forward(
        &self,
        tokens: &[u32],
        cache: &mut TensorCache,
        want: Want,
    ) -> candle_core::Result<Tensor> {
        let (count, start) = (tokens.len(), cache.len());
        if count == 0 || start + count > self.config.context {
            candle_core::bail!("{count} tokens after {start} do not fit {}", self.config.context);
        }
        let ids = Tensor::new(tokens, &self.device)?;
        let mut x = self.embedding.embedding(&ids)?.to_dtype(DType::F32)?;
        let angles = (self.cos.i(start..start + count)?, self.sin.i(start..start + count)?);
        let mask = (count > 1).then(|| causal(count, start, &self.device)).transpose()?;
        let step = Step { config: &self.config, angles: &angles, mask: mask.as_ref() };
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&step, &x, (index, cache))?;
        }
        cache.advance(count);
        let x = if want == Want::All { x } else { x.i(count - 1..count)?.contiguous()? };
        self.output.forward(&ops::rms_norm(&x, &self.norm, self.config.epsilon)?)
    }
}

/// What all layers share while some tokens pass.
struct Step<'a> {
    config: &'a Config,
    /// Cosines and sines of the tokens' positions.
    angles: &'a (Tensor, Tensor),
    /// Which positions each token may see; none for a single token, which sees all.
    mask: Option<&'a Tensor>,
}

impl Layer {
    /// `x` has the shape (tokens, width).
    fn forward(
        &self,
        step: &Step<'_>,
        x: &Tensor,
        (index, cache): (usize, &mut TensorCache),
    ) -> candle_core::Result<Tensor> {
        let config = step.config;
        let h = ops::rms_norm(x, &self.attention_norm, config.epsilon)?;
        let attended = self.attend(step, &h, (index, cache))?;
        let x = (x + self.output.forward(&attended)?)?;
        let h = ops::rms_norm(&x, &self.feed_norm, config.epsilon)?;
        let h = (ops::silu(&self.gate.forward(&h)?)? * self.up.forward(&h)?)?;
        &x + self.down.forward(&h)?
    }

    /// Grouped-query attention: the query heads of one key head stand below each other in one matrix.
    fn attend(
        &self,
        step: &Step<'_>,
        h: &Tensor,
        (index, cache): (usize, &mut TensorCache),
    ) -> candle_core::Result<Tensor> {
        let &Step { config, angles, mask } = step;
        let (tokens, _) = h.dims2()?;
        let (heads, groups, size) = (config.heads, config.key_heads, config.head_size);
        let query = split(&self.query.forward(h)?, heads, size)?;
        let key = split(&self.key.forward(h)?, groups, size)?;
        let value = split(&self.value.forward(h)?, groups, size)?;
        let query =
            turn(config, &normed(query, self.query_norm.as_ref(), config.epsilon)?, angles)?;
        let key = turn(config, &normed(key, self.key_norm.as_ref(), config.epsilon)?, angles)?;
        let (key, value) = cache.append(index, &key, &value)?;
        let seen = key.dim(1)?;
        let query = query.reshape((groups, heads / groups * tokens, size))?;
        let mut scores = (query.matmul(&key.t()?)? / (size as f64).sqrt())?;
        if let Some(mask) = mask {
            let rows = (heads, tokens, seen);
            scores = scores.reshape(rows)?.broadcast_add(mask)?.reshape((groups, (), seen))?;
        }
        let mixed = ops::softmax_last_dim(&scores)?.matmul(&value)?;
        mixed
            .reshape((heads, tokens, size))?
            .transpose(0, 1)?
            .contiguous()?
            .reshape((tokens, heads * size))
    }
}

/// (tokens, heads · size) to (heads, tokens, size).
fn split(x: &Tensor, heads: usize, size: usize) -> candle_core::Result<Tensor> {
    let tokens = x.dim(0)?;
    x.reshape((tokens, heads, size))?.transpose(0, 1)?.contiguous()
}

/// Qwen3 normalises each head's query and key.
fn normed(x: Tensor, weight: Option<&Tensor>, epsilon: f32) -> candle_core::Result<Tensor> {
    weight.map_or(Ok(x.clone()), |weight| ops::rms_norm(&x, weight, epsilon))
}

/// Rotary position embedding (Su et al. 2021). GGUF stores Llama's heads with pairs side by side, Qwen's in halves.
fn turn(config: &Config, x: &Tensor, (cos, sin): &(Tensor, Tensor)) -> candle_core::Result<Tensor> {
    let x = x.unsqueeze(0)?;
    let turned = match config.family {
        Family::Llama => rotary_emb::rope_i(&x, cos, sin)?,
        Family::Qwen => rotary_emb::rope(&x, cos, sin)?,
    };
    turned.squeeze(0)
}

/// Cosines and sines of all positions: each of shape (context, head size / 2).
fn angles(
    config: &Config,
    factors: Option<&[f32]>,
    device: &Device,
) -> candle_core::Result<(Tensor, Tensor)> {
    let frequencies = Tensor::from_iter(config.frequencies(factors), device)?.unsqueeze(0)?;
    let positions = Tensor::arange(0, config.context as u32, device)?.to_dtype(DType::F32)?;
    let angles = positions.unsqueeze(D::Minus1)?.matmul(&frequencies)?;
    Ok((angles.cos()?, angles.sin()?))
}

/// 0 where a token may look, minus infinity after it; shape (tokens, start + tokens).
fn causal(tokens: usize, start: usize, device: &Device) -> candle_core::Result<Tensor> {
    let cell =
        |row: usize, column: usize| if column > start + row { f32::NEG_INFINITY } else { 0.0 };
    let cells =
        (0..tokens).flat_map(|row| (0..start + tokens).map(move |column| cell(row, column)));
    Tensor::from_iter(cells, device)?.reshape((tokens, start + tokens))
}

/// Reads tensors by name.
struct Tensors<'a> {
    content: &'a Content,
    file: File,
    device: &'a Device,
}

impl<'a> Tensors<'a> {
    fn open(content: &'a Content, path: &Path, device: &'a Device) -> candle_core::Result<Self> {
        Ok(Self { content, file: File::open(path)?, device })
    }

    /// As stored.
    fn quantized(&mut self, name: &str) -> candle_core::Result<QTensor> {
        self.content.tensor(&mut self.file, name, self.device)
    }

    fn dense(&mut self, name: &str) -> candle_core::Result<Tensor> {
        self.content.tensor(&mut self.file, name, self.device)?.dequantize(self.device)
    }

    fn optional(&mut self, name: &str) -> candle_core::Result<Option<Tensor>> {
        self.content.tensor_infos.contains_key(name).then(|| self.dense(name)).transpose()
    }

    fn linear(&mut self, layer: usize, name: &str) -> candle_core::Result<Linear> {
        let bias = self.optional(&format!("blk.{layer}.{name}.bias"))?;
        Linear::new(self.quantized(&format!("blk.{layer}.{name}.weight"))?, bias)
    }

    fn layer(&mut self, n: usize) -> candle_core::Result<Layer> {
        Ok(Layer {
            attention_norm: self.dense(&format!("blk.{n}.attn_norm.weight"))?,
            query: self.linear(n, "attn_q")?,
            key: self.linear(n, "attn_k")?,
            value: self.linear(n, "attn_v")?,
            query_norm: self.optional(&format!("blk.{n}.attn_q_norm.weight"))?,
            key_norm: self.optional(&format!("blk.{n}.attn_k_norm.weight"))?,
            output: self.linear(n, "attn_output")?,
            feed_norm: self.dense(&format!("blk.{n}.ffn_norm.weight"))?,
            gate: self.linear(n, "ffn_gate")?,
            up: self.linear(n, "ffn_up")?,
            down: self.linear(n, "ffn_down")?,
        })
    }
}
