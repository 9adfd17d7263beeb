//! A quantized matrix, stored so that candle's fast kernels take it.

use std::sync::Arc;

use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{D, Module, Tensor};

/// Columns that candle 0.11.1's tiled kernels want to be a multiple of.
const TILE: usize = 256;

/// `y = x · Wᵀ + b`.
pub(super) struct Linear {
    weight: QMatMul,
    /// Zero columns added to the weight, and so to each input.
    padding: usize,
    bias: Option<Tensor>,
}

impl Linear {
    /// Takes a weight of shape (outputs, inputs).
    ///
    /// On the processor, types that candle can only compute one number at a time become Q8_0. Q8_0 weights whose width
    /// is no multiple of 256 are widened with zeros, which changes no result: SmolLM2 is 576 wide, and its prefill runs
    /// 2.7 times as fast so (132 and 355 tokens a second on two cores with AVX512-VNNI).
    ///
    /// On a GPU weights stay as they are stored. Its kernels read past the last row of such a width, into bytes that
    /// candle 0.11.1 fills with zeros when it loads a weight, but leaves as they were when it converts one.
    pub(super) fn new(weight: QTensor, bias: Option<Tensor>) -> candle_core::Result<Self> {
        let (_, inputs) = weight.shape().dims2()?;
        let padding = match weight.dtype() {
            kind if slow(&weight) || (weight.device().is_cpu() && kind == GgmlDType::Q8_0) => {
                inputs.next_multiple_of(TILE) - inputs
            }
            _ => 0,
        };
        let weight = if padding > 0 {
            let dense = weight.dequantize(&weight.device())?;
            QTensor::quantize(&dense.pad_with_zeros(D::Minus1, 0, padding)?, GgmlDType::Q8_0)?
        } else {
            fast(weight)?
        };
        Ok(Self { weight: QMatMul::from_arc(Arc::new(weight))?, padding, bias })
    }

    pub(super) fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        let y = match self.padding {
            0 => self.weight.forward(x)?,
            padding => self.weight.forward(&x.pad_with_zeros(D::Minus1, 0, padding)?)?,
        };
        self.bias.as_ref().map_or(Ok(y.clone()), |bias| y.broadcast_add(bias))
    }
}

/// Whether candle computes with this weight one number at a time.
fn slow(weight: &QTensor) -> bool {
    let scalar = [GgmlDType::Q4_1, GgmlDType::Q5_0, GgmlDType::Q5_1, GgmlDType::Q8_1];
    weight.device().is_cpu() && scalar.contains(&weight.dtype())
}

/// The weight in a type that candle computes fast.
pub(super) fn fast(weight: QTensor) -> candle_core::Result<QTensor> {
    if slow(&weight) {
        return QTensor::quantize(&weight.dequantize(&weight.device())?, GgmlDType::Q8_0);
    }
    Ok(weight)
}
