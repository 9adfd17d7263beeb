//! BERT on a GPU, in 32-bit numbers by candle's own model.

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};

/// Texts of one pass.
const BATCH: usize = 64;

/// The model.
pub(super) struct GpuBert {
    model: BertModel,
    device: Device,
    pad: u32,
}

impl GpuBert {
    /// Takes the weights by their names in the checkpoint.
    ///
    /// # Errors
    /// When a weight is missing or of another shape.
    pub(super) fn load(
        weights: VarBuilder<'_>,
        config: &Config,
        device: &Device,
    ) -> candle_core::Result<Self> {
        let pad = u32::try_from(config.pad_token_id).unwrap_or(0);
        Ok(Self { model: BertModel::load(weights, config)?, device: device.clone(), pad })
    }

    /// The mean of each text's last rows, scaled to length 1. Texts of like length share a pass.
    ///
    /// # Errors
    /// When the arithmetic fails.
    pub(super) fn embed(&self, texts: &[&[u32]]) -> candle_core::Result<Vec<Vec<f32>>> {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|index| texts[*index].len());
        let mut vectors = vec![Vec::new(); texts.len()];
        for batch in order.chunks(BATCH) {
            let rows = self.pass(&batch.iter().map(|index| texts[*index]).collect::<Vec<_>>())?;
            for (index, row) in batch.iter().zip(rows) {
                vectors[*index] = row;
            }
        }
        Ok(vectors)
    }

    fn pass(&self, texts: &[&[u32]]) -> candle_core::Result<Vec<Vec<f32>>> {
        let (rows, width) = (texts.len(), texts.iter().map(|text| text.len()).max().unwrap_or(0));
        let ids = texts.iter().flat_map(|text| {
            text.iter().copied().chain(std::iter::repeat_n(self.pad, width - text.len()))
        });
        let ids = Tensor::from_iter(ids, &self.device)?.reshape((rows, width))?;
        let mask = texts.iter().flat_map(|text| (0..width).map(|at| u32::from(at < text.len())));
        let mask = Tensor::from_iter(mask, &self.device)?.reshape((rows, width))?;
        let hidden = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
        let sum = hidden.broadcast_mul(&mask)?.sum(1)?;
        let mean = sum.broadcast_div(&mask.sum(1)?)?;
        let norm = mean.sqr()?.sum_keepdim(1)?.sqrt()?;
        mean.broadcast_div(&norm)?.to_vec2()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::encoder::bert::Bert;

    /// Weights of a small model, made up but the same every time.
    fn weights(config: &Config) -> VarBuilder<'static> {
        let mut tensors = std::collections::HashMap::new();
        let mut put = |name: String, shape: &[usize], around: f32| {
            let seed = name.bytes().fold(7_usize, |sum, byte| sum * 31 % 9973 + byte as usize);
            let count: usize = shape.iter().product();
            let numbers =
                (0..count).map(|n| around + ((n * 37 + seed) % 211) as f32 / 700.0 - 0.15);
            tensors.insert(
                name,
                Tensor::from_iter(numbers, &Device::Cpu).unwrap().reshape(shape).unwrap(),
            );
        };
        let (h, w) = (config.hidden_size, config.intermediate_size);
        put("embeddings.word_embeddings.weight".into(), &[config.vocab_size, h], 0.0);
        put(
            "embeddings.position_embeddings.weight".into(),
            &[config.max_position_embeddings, h],
            0.0,
        );
        put("embeddings.token_type_embeddings.weight".into(), &[config.type_vocab_size, h], 0.0);
        put("embeddings.LayerNorm.weight".into(), &[h], 1.0);
        put("embeddings.LayerNorm.bias".into(), &[h], 0.0);
        for n in 0..config.num_hidden_layers {
            let own =
                ["query", "key", "value"].map(|part| (format!("attention.self.{part}"), h, h));
            let rest = [
                ("attention.output.dense", h, h),
                ("intermediate.dense", w, h),
                ("output.dense", h, w),
            ];
            let rest = rest.map(|(name, outputs, inputs)| (name.to_owned(), outputs, inputs));
            for (name, outputs, inputs) in own.into_iter().chain(rest) {
                put(format!("encoder.layer.{n}.{name}.weight"), &[outputs, inputs], 0.0);
                put(format!("encoder.layer.{n}.{name}.bias"), &[outputs], 0.0);
            }
            for norm in ["attention.output.LayerNorm", "output.LayerNorm"] {
                put(format!("encoder.layer.{n}.{norm}.weight"), &[h], 1.0);
                put(format!("encoder.layer.{n}.{norm}.bias"), &[h], 0.0);
            }
        }
        VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu)
    }

    #[test]
    fn both_models_say_the_same_of_texts_of_any_length() {
        let config = Config {
            vocab_size: 90,
            hidden_size: 64,
            num_hidden_layers: 3,
            num_attention_heads: 2,
            intermediate_size: 160,
            max_position_embeddings: 64,
            ..Config::default()
        };
        let gpu = GpuBert::load(weights(&config), &config, &Device::Cpu).unwrap();
        let bert = Bert::load(&weights(&config), &config).unwrap();
        let texts: Vec<Vec<u32>> =
            [1, 2, 17, 40, 3].map(|n| (0..n).map(|at| (at * 7 + n) % 90).collect()).to_vec();
        let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let (wanted, got) = (gpu.embed(&texts).unwrap(), bert.embed(&texts));
        for (at, (a, b)) in wanted.iter().zip(&got).enumerate() {
            let cosine: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
            assert!(cosine > 0.999, "text {at}: cosine {cosine}");
            assert_eq!(*b, bert.embed(&texts[at..=at])[0], "neighbours change text {at}");
        }
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "the figure is what one wants to see")]
    fn eight_bits_keep_the_meaning() {
        let models = std::env::var_os("PORCHLIGHT__MODELS__DIR").map(PathBuf::from);
        let dir = models
            .or_else(|| {
                Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/porchlight/models"))
            })
            .unwrap()
            .join("minilm-l6");
        let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
        let config: Config = serde_json::from_slice(&read("config.json")).unwrap();
        let vars = || {
            VarBuilder::from_buffered_safetensors(
                read("model.safetensors"),
                DType::F32,
                &Device::Cpu,
            )
            .unwrap()
        };
        let gpu = GpuBert::load(vars(), &config, &Device::Cpu).unwrap();
        let bert = Bert::load(&vars(), &config).unwrap();
        let tokenizer = tokenizers::Tokenizer::from_bytes(read("tokenizer.json")).unwrap();
        let texts = [
            "How do I get a refund?",
            "Refunds are paid within five working days to the card that was used.",
            "hi",
            "What happens at the first start?",
            "Das Paket ist nicht angekommen 😀",
        ];
        let ids: Vec<Vec<u32>> =
            texts.iter().map(|t| tokenizer.encode(*t, true).unwrap().get_ids().to_vec()).collect();
        let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        for ((a, b), text) in gpu.embed(&ids).unwrap().iter().zip(bert.embed(&ids)).zip(texts) {
            let cosine: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
            eprintln!("{cosine:.5} {text}");
            assert!(cosine > 0.99, "{text}: {cosine}");
        }
    }
}
