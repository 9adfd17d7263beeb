//! A decoder of the Llama and Qwen2/3 families, run from GGUF files.

mod config;
mod gpu;
mod kept;
mod layer;
mod native;
mod sheets;
mod weights;

use std::path::Path;

use candle_core::Device;
use candle_core::quantized::gguf_file::Content;

pub use config::{Config, ConfigError, Family};
use gpu::{GpuDecoder, TensorCache};
use kept::Kept;
use native::Native;

/// Why a file could not be loaded as a decoder, or a text not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecoderError {
    /// The metadata does not describe a decoder of a known family.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A weight is missing, of another shape, or of a type that does not run here.
    #[error("the weight `{name}` {problem}")]
    Weight {
        /// Its name in the file.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file cannot be read.
    #[error("reading failed: {0}")]
    Io(#[from] std::io::Error),
    /// A text would outgrow the context.
    #[error("{tokens} tokens after {length} do not fit {context}")]
    Full {
        /// Tokens to add.
        tokens: usize,
        /// Tokens of the text.
        length: usize,
        /// Tokens of a text at most.
        context: usize,
    },
    /// An id that the vocabulary does not have.
    #[error("the token {0} is not in the vocabulary")]
    Token(u32),
    /// Candle's arithmetic failed, or a text belongs to another place.
    #[error("{0}")]
    Tensor(#[from] candle_core::Error),
}

/// Which positions' logits are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// None.
    Nothing,
    /// The last position's.
    Last,
    /// All of them.
    All,
}

impl Want {
    /// Rows of logits that `tokens` give.
    fn rows(self, tokens: usize) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Last => 1,
            Self::All => tokens,
        }
    }
}

/// Some tokens to add to a text.
#[derive(Debug)]
pub struct Part<'a> {
    /// At least one.
    pub tokens: &'a [u32],
    /// The text.
    pub cache: &'a mut Cache,
    /// Which logits are wanted.
    pub want: Want,
}

/// Rows of one number for each word of the vocabulary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logits {
    numbers: Vec<f32>,
    vocabulary: usize,
}

impl Logits {
    fn new(rows: usize, vocabulary: usize) -> Self {
        Self { numbers: vec![0.0; rows * vocabulary], vocabulary }
    }

    /// The rows in order.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &[f32]> + ExactSizeIterator {
        self.numbers.chunks_exact(self.vocabulary.max(1))
    }

    /// The last row; empty without one.
    pub fn last(&self) -> &[f32] {
        self.rows().next_back().unwrap_or_default()
    }
}

/// The weights. Cheap to share, changed by nobody; the state of a text lives in [`Cache`].
pub struct Decoder {
    config: Config,
    body: Body,
}

/// Where the arithmetic is done.
enum Body {
    Processor(Box<Native>),
    Gpu(Box<GpuDecoder>, Device),
}

/// Keys and values of a text that was read. A copy costs memory as the text does; texts never see each other's changes.
#[derive(Debug, Clone)]
pub struct Cache(State);

#[derive(Debug, Clone)]
enum State {
    Processor(Kept),
    Gpu(TensorCache),
}

impl Cache {
    /// Tokens read.
    pub fn len(&self) -> usize {
        match &self.0 {
            State::Processor(kept) => kept.len(),
            State::Gpu(cache) => cache.len(),
        }
    }

    /// Whether nothing was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of keys and values in main memory.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            State::Processor(kept) => kept.bytes(),
            State::Gpu(_) => 0,
        }
    }

    /// Forgets all but the first `length` tokens.
    ///
    /// # Errors
    /// When a tensor on the GPU cannot be cut, which no length below [`Cache::len`] causes.
    pub fn truncate(&mut self, length: usize) -> Result<(), DecoderError> {
        match &mut self.0 {
            State::Processor(kept) => kept.truncate(length),
            State::Gpu(cache) => cache.truncate(length)?,
        }
        Ok(())
    }

    /// Gives back the memory behind the text's end.
    pub fn shrink(&mut self) {
        if let State::Processor(kept) = &mut self.0 {
            kept.shrink();
        }
    }

    /// A text of the first `length` tokens of this one.
    ///
    /// # Errors
    /// As [`Cache::truncate`].
    pub fn prefix(&self, length: usize) -> Result<Self, DecoderError> {
        Ok(Self(match &self.0 {
            State::Processor(kept) => State::Processor(kept.prefix(length)),
            State::Gpu(cache) => {
                let mut cache = cache.clone();
                cache.truncate(length)?;
                State::Gpu(cache)
            }
        }))
    }
}

impl Decoder {
    /// Reads the weights. `context` bounds the tokens of one text, prompt and reply together; `threads` share the
    /// arithmetic on the processor.
    ///
    /// # Errors
    /// [`DecoderError`] for an unknown family, missing metadata or tensors.
    pub fn load(
        content: &Content,
        path: &Path,
        context: usize,
        threads: usize,
        device: &Device,
    ) -> Result<Self, DecoderError> {
        let config = Config::read(content, context)?;
        let body = if device.is_cpu() {
            Body::Processor(Box::new(Native::load(content, path, &config, threads)?))
        } else {
            Body::Gpu(Box::new(GpuDecoder::load(content, path, &config, device)?), device.clone())
        };
        Ok(Self { config, body })
    }

    /// Sizes and constants.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Words of the vocabulary; logits have as many numbers.
    pub fn vocabulary(&self) -> usize {
        match &self.body {
            Body::Processor(native) => native.vocabulary(),
            Body::Gpu(gpu, _) => gpu.vocabulary(),
        }
    }

    /// Whether a text gets the same to the last bit however its tokens are cut.
    pub fn is_exact(&self) -> bool {
        matches!(self.body, Body::Processor(_))
    }

    /// Bytes of the weights in memory; 0 on a GPU.
    pub fn bytes(&self) -> usize {
        match &self.body {
            Body::Processor(native) => native.bytes(),
            Body::Gpu(..) => 0,
        }
    }

    /// An empty text.
    pub fn cache(&self) -> Cache {
        Cache(match &self.body {
            Body::Processor(native) => State::Processor(native.kept()),
            Body::Gpu(gpu, _) => State::Gpu(gpu.cache()),
        })
    }

    /// Appends to each text its tokens, and gives the wanted logits that follow them, part by part. On the processor a
    /// text gets the same to the last bit whatever stands beside it and however its tokens are cut.
    ///
    /// # Errors
    /// When a text would outgrow the context, a token is unknown, or arithmetic fails; before arithmetic begins no text
    /// has changed, after it failed none of them is usable any more.
    pub fn read(&self, parts: &mut [Part<'_>]) -> Result<Vec<Logits>, DecoderError> {
        let context = self.config.context;
        for part in &*parts {
            let (tokens, length) = (part.tokens.len(), part.cache.len());
            if tokens == 0 || length + tokens > context {
                return Err(DecoderError::Full { tokens, length, context });
            }
        }
        match &self.body {
            Body::Processor(native) => native.read(parts),
            Body::Gpu(gpu, device) => {
                device.with_context(|| parts.iter_mut().map(|part| one(gpu, part)).collect())
            }
        }
    }

    /// [`Decoder::read`] of one text.
    ///
    /// # Errors
    /// As there.
    pub fn forward(
        &self,
        tokens: &[u32],
        cache: &mut Cache,
        want: Want,
    ) -> Result<Logits, DecoderError> {
        let logits = self.read(&mut [Part { tokens, cache, want }])?;
        Ok(logits.into_iter().next().unwrap_or_default())
    }
}

fn one(gpu: &GpuDecoder, part: &mut Part<'_>) -> Result<Logits, DecoderError> {
    let State::Gpu(cache) = &mut part.cache.0 else {
        return Err(DecoderError::Tensor(candle_core::Error::Msg(
            "a text of the processor".into(),
        )));
    };
    let logits = gpu.forward(part.tokens, cache, part.want)?;
    let (_, vocabulary) = logits.dims2()?;
    let numbers =
        if part.want == Want::Nothing { Vec::new() } else { logits.flatten_all()?.to_vec1()? };
    Ok(Logits { numbers, vocabulary })
}
