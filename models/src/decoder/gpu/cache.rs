//! Keys and values of a text that was read: may be shortened, and copied for the price of a pointer.

use candle_core::Tensor;

/// The state of one text. Its tensors are never written to, so clones share them safely.
#[derive(Debug, Clone)]
pub(in crate::decoder) struct TensorCache {
    layers: Vec<Option<(Tensor, Tensor)>>,
    length: usize,
}

impl TensorCache {
    pub(super) fn new(layers: usize) -> Self {
        Self { layers: vec![None; layers], length: 0 }
    }

    /// Tokens read.
    pub(in crate::decoder) fn len(&self) -> usize {
        self.length
    }

    /// Forgets all but the first `length` tokens.
    ///
    /// # Errors
    /// When a tensor cannot be cut, which no length below [`TensorCache::len`] causes.
    pub(in crate::decoder) fn truncate(&mut self, length: usize) -> candle_core::Result<()> {
        if length >= self.length {
            return Ok(());
        }
        for layer in &mut self.layers {
            *layer = match layer.take() {
                Some((key, value)) if length > 0 => Some((
                    key.narrow(1, 0, length)?.contiguous()?,
                    value.narrow(1, 0, length)?.contiguous()?,
                )),
                _ => None,
            };
        }
        self.length = length;
        Ok(())
    }

    /// Adds keys and values of shape (heads, tokens, size) to a layer; gives back all of them.
    pub(super) fn append(
        &mut self,
        layer: usize,
        key: &Tensor,
        value: &Tensor,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        let all = match &self.layers[layer] {
            Some((keys, values)) => {
                (Tensor::cat(&[keys, key], 1)?, Tensor::cat(&[values, value], 1)?)
            }
            None => (key.clone(), value.clone()),
        };
        self.layers[layer] = Some(all.clone());
        Ok(all)
    }

    pub(super) fn advance(&mut self, tokens: usize) {
        self.length += tokens;
    }
}
