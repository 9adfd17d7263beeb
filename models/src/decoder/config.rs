//! Sizes and constants of a decoder, read from GGUF metadata.

use candle_core::quantized::gguf_file::{Content, Value};

/// Families that differ in how heads are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Llama, SmolLM2, Mistral.
    Llama,
    /// Qwen2, Qwen2.5, Qwen3.
    Qwen,
}

/// What the arithmetic needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How heads are stored.
    pub family: Family,
    /// Layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub key_heads: usize,
    /// Numbers in one head; even.
    pub head_size: usize,
    /// Numbers of a token between two layers.
    pub width: usize,
    /// Added below the root of the RMS norm.
    pub epsilon: f32,
    /// Base of the rotary frequencies.
    pub rope_base: f32,
    /// Positions are divided by this.
    pub rope_stretch: f32,
    /// Tokens of one text at most.
    pub context: usize,
}

/// Why the metadata describes no decoder that runs here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The architecture is not of a known family.
    #[error("the architecture `{0}` is not supported; llama, qwen2 and qwen3 are")]
    Architecture(String),
    /// A key is missing or of another type.
    #[error("the metadata key `{0}` is missing or no number")]
    Missing(String),
    /// What is known by name and does not run here.
    #[error("{what} `{name}` is not supported; {known}")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// What the file says.
        name: String,
        /// What would run.
        known: &'static str,
    },
    /// Numbers that do not fit together.
    #[error("{0}")]
    Inconsistent(String),
}

/// No decoder that runs on one machine is larger than this in any size.
const SANE: usize = 1 << 20;

/// Numbers of a head at most.
const WIDEST_HEAD: usize = 512;
/// Positions times numbers of a head at most: what is kept of their angles stays below half a gigabyte.
const MOST_ANGLES: usize = 1 << 26;

impl Config {
    /// Reads the metadata; `context` is cut to what the file allows.
    ///
    /// # Errors
    /// [`ConfigError`] for unknown architectures and numbers that are missing or do not fit together.
    pub fn read(content: &Content, context: usize) -> Result<Self, ConfigError> {
        let architecture = content.metadata.get("general.architecture");
        let architecture = architecture.and_then(|v| v.to_string().ok()).map_or("", String::as_str);
        let family = match architecture {
            "llama" => Family::Llama,
            "qwen2" | "qwen3" => Family::Qwen,
            other => return Err(ConfigError::Architecture(other.into())),
        };
        let get = |key: &str| content.metadata.get(&format!("{architecture}.{key}"));
        let missing = |key: &str| ConfigError::Missing(format!("{architecture}.{key}"));
        let size = |key: &str| get(key).and_then(whole).ok_or_else(|| missing(key));
        let heads = size("attention.head_count")?;
        let width = size("embedding_length")?;
        let epsilon = "attention.layer_norm_rms_epsilon";
        let rope_stretch = stretch(&get)?;
        let head_size = size("attention.key_length").unwrap_or(width / heads.max(1));
        for (key, wanted, known) in [
            ("rope.dimension_count", head_size, "all numbers of a head are turned"),
            ("attention.value_length", head_size, "keys and values are of one size"),
            ("expert_count", 0, "models without experts are"),
        ] {
            if let Some(found) = get(key).and_then(whole).filter(|found| *found != wanted) {
                return Err(ConfigError::Unknown {
                    what: "the size",
                    name: format!("{architecture}.{key} = {found}"),
                    known,
                });
            }
        }
        let config = Self {
            family,
            layers: size("block_count")?,
            heads,
            key_heads: size("attention.head_count_kv").unwrap_or(heads),
            head_size,
            width,
            epsilon: get(epsilon).and_then(|v| v.to_f32().ok()).ok_or_else(|| missing(epsilon))?,
            rope_base: get("rope.freq_base").and_then(|v| v.to_f32().ok()).unwrap_or(10_000.0),
            rope_stretch,
            context: context.min(size("context_length")?),
        };
        config.check()
    }

    fn check(self) -> Result<Self, ConfigError> {
        let sizes =
            [self.layers, self.heads, self.key_heads, self.head_size, self.width, self.context];
        if sizes.iter().any(|size| *size == 0 || *size > SANE) {
            return Err(ConfigError::Inconsistent(format!(
                "a size of the model is 0 or above {SANE}"
            )));
        }
        if self.head_size > WIDEST_HEAD || self.context * self.head_size > MOST_ANGLES {
            let (size, context) = (self.head_size, self.context);
            return Err(ConfigError::Inconsistent(format!(
                "heads of {size} numbers over {context} tokens are more than any model here has"
            )));
        }
        if !self.heads.is_multiple_of(self.key_heads) || !self.head_size.is_multiple_of(2) {
            let (heads, keys, size) = (self.heads, self.key_heads, self.head_size);
            let problem =
                format!("{heads} heads, {keys} key heads and head size {size} do not fit together");
            return Err(ConfigError::Inconsistent(problem));
        }
        Ok(self)
    }

    /// Radians that each pair of numbers of a head turns by from one position to the next (Su et al. 2021). `factors`
    /// slow pairs down, as Llama 3 does for long texts; one a pair.
    pub(super) fn frequencies(&self, factors: Option<&[f32]>) -> Vec<f32> {
        let size = self.head_size as f32;
        let factor = |pair: usize| factors.and_then(|all| all.get(pair)).copied().unwrap_or(1.0);
        let base = |pair: usize| self.rope_base.powf(-(2.0 * pair as f32) / size);
        (0..self.head_size / 2).map(|pair| base(pair) / factor(pair) / self.rope_stretch).collect()
    }
}

/// By what the file says that positions are to be divided.
fn stretch<'a>(get: &impl Fn(&str) -> Option<&'a Value>) -> Result<f32, ConfigError> {
    let kind =
        get("rope.scaling.type").and_then(|v| v.to_string().ok()).map_or("none", String::as_str);
    match kind {
        "none" => Ok(1.0),
        "linear" => {
            let factor = get("rope.scaling.factor").and_then(|v| v.to_f32().ok()).unwrap_or(1.0);
            let sane = factor.is_finite() && factor >= 1.0;
            let problem = || ConfigError::Inconsistent(format!("rope.scaling.factor is {factor}"));
            sane.then_some(factor).ok_or_else(problem)
        }
        other => Err(ConfigError::Unknown {
            what: "the rope scaling",
            name: other.into(),
            known: "none, linear and Llama 3's factors are",
        }),
    }
}

fn whole(value: &Value) -> Option<usize> {
    let number = value.to_u64().or_else(|_| value.to_u32().map(u64::from)).ok()?;
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::quantized::gguf_file::VersionedMagic;

    use super::*;

    /// A small model's metadata with some of it changed.
    fn read(changes: &[(&str, Value)]) -> Result<Config, ConfigError> {
        let mut metadata: HashMap<String, Value> = [
            ("general.architecture", Value::String("llama".into())),
            ("llama.block_count", Value::U32(2)),
            ("llama.attention.head_count", Value::U32(4)),
            ("llama.attention.head_count_kv", Value::U32(2)),
            ("llama.embedding_length", Value::U32(64)),
            ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
            ("llama.context_length", Value::U32(512)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        for (key, value) in changes {
            metadata.insert((*key).into(), value.clone());
        }
        let content = Content {
            magic: VersionedMagic::GgufV3,
            metadata,
            tensor_infos: HashMap::new(),
            tensor_data_offset: 0,
        };
        Config::read(&content, 4_096)
    }

    #[test]
    fn what_does_not_run_is_refused_by_name() {
        let word = |text: &str| Value::String(text.into());
        let rows = [
            ("general.architecture", word("mamba"), "the architecture `mamba` is not supported"),
            ("llama.rope.scaling.type", word("yarn"), "the rope scaling `yarn` is not supported"),
            ("llama.rope.scaling.type", word("longrope"), "`longrope`"),
            ("llama.expert_count", Value::U32(8), "`llama.expert_count = 8` is not supported"),
            ("llama.rope.dimension_count", Value::U32(8), "`llama.rope.dimension_count = 8`"),
            ("llama.attention.value_length", Value::U32(32), "`llama.attention.value_length = 32`"),
            ("llama.attention.head_count", Value::U32(0), "is 0 or above"),
            ("llama.block_count", Value::U32(u32::MAX), "is 0 or above"),
            ("llama.attention.head_count", Value::U32(3), "do not fit together"),
            ("llama.attention.key_length", Value::U32(2048), "more than any model here has"),
            ("llama.block_count", word("two"), "`llama.block_count` is missing or no number"),
        ];
        for (key, value, expect) in rows {
            let error = read(&[(key, value)]).unwrap_err().to_string();
            assert!(error.contains(expect), "{key}: {error}");
        }
    }

    #[test]
    fn positions_are_stretched_and_pairs_slowed_down() {
        let plain = read(&[]).unwrap();
        assert_eq!((plain.context, plain.head_size, plain.rope_stretch), (512, 16, 1.0));
        let linear = [
            ("llama.rope.scaling.type", Value::String("linear".into())),
            ("llama.rope.scaling.factor", Value::F32(4.0)),
        ];
        let stretched = read(&linear).unwrap();
        let (a, b) = (plain.frequencies(None), stretched.frequencies(None));
        assert_eq!(a.len(), 8);
        for (a, b) in a.iter().zip(&b) {
            assert!((a / 4.0 - b).abs() < 1e-9);
        }
        let factors: Vec<f32> = (1..=8).map(|n| n as f32).collect();
        for (pair, x) in plain.frequencies(Some(&factors)).iter().enumerate() {
            assert!((x * factors[pair] - a[pair]).abs() < 1e-7);
        }
        let bad = [linear[0].clone(), ("llama.rope.scaling.factor", Value::F32(f32::NAN))];
        assert!(read(&bad).unwrap_err().to_string().contains("rope.scaling.factor"));
    }
}
