//! A layer of weights in 8-bit whole numbers: one scale for each output, one for each row of inputs.

use candle_core::Tensor;

use super::kernels::{self, ZERO};
use super::product::{self, GROUP, PANEL, Rows};
use crate::processor::level::Level;

/// `out = input * weights^T + bias`, with inputs rounded to 8 bits row by row.
#[derive(Debug)]
pub(super) struct Linear {
    /// Numbers of an input row, a multiple of [`GROUP`].
    inputs: usize,
    outputs: usize,
    /// Panels of [`PANEL`] outputs; in a panel, for each [`GROUP`] of inputs, the weights of each output.
    panels: Vec<i8>,
    /// Scale of each output's weights.
    scales: Vec<f32>,
    /// What the offset of the inputs adds to each output's sum.
    offsets: Vec<i32>,
    bias: Vec<f32>,
}

/// Buffers that all layers of a pass share.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    bytes: Vec<u8>,
    scales: Vec<f32>,
    sums: Vec<i32>,
}

impl Linear {
    /// Takes weights (outputs x inputs) and biases of one or more layers that read the same input, one under the other.
    ///
    /// # Errors
    /// When a tensor cannot be read or the shapes do not fit.
    pub(super) fn new(layers: &[(Tensor, Tensor)]) -> candle_core::Result<Self> {
        let (mut rows, mut bias) = (Vec::new(), Vec::new());
        for (weights, b) in layers {
            rows.extend(weights.to_vec2::<f32>()?);
            bias.extend(b.to_vec1::<f32>()?);
        }
        let inputs = rows.first().map_or(0, Vec::len);
        if inputs == 0 || !inputs.is_multiple_of(GROUP) || rows.len() != bias.len() {
            candle_core::bail!("a layer of {} x {inputs} with {} biases", rows.len(), bias.len());
        }
        let outputs = rows.len();
        let mut layer = Self {
            inputs,
            outputs,
            panels: vec![0; outputs.next_multiple_of(PANEL) * inputs],
            scales: Vec::with_capacity(outputs),
            offsets: Vec::with_capacity(outputs),
            bias,
        };
        rows.iter().enumerate().for_each(|(output, row)| layer.pack(output, row));
        Ok(layer)
    }

    fn pack(&mut self, output: usize, row: &[f32]) {
        let top = row.iter().fold(0.0_f32, |top, x| top.max(x.abs()));
        let inverse = if top > 0.0 { 127.0 / top } else { 0.0 };
        let panel = output / PANEL * PANEL * self.inputs;
        let mut sum = 0;
        for (input, x) in row.iter().enumerate() {
            let weight = (x * inverse).round_ties_even() as i8;
            let at = (input / GROUP * PANEL + output % PANEL) * GROUP + input % GROUP;
            self.panels[panel + at] = weight;
            sum += i32::from(weight);
        }
        self.scales.push(top / 127.0);
        self.offsets.push(ZERO * sum);
    }

    /// Numbers of an output row.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Applies the layer to each row of `input`; `out` holds as many rows of [`Linear::outputs`] numbers.
    pub(super) fn apply(
        &self,
        level: Level,
        input: &[f32],
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let rows = input.len() / self.inputs;
        let Scratch { bytes, scales, sums } = scratch;
        bytes.resize(input.len(), 0);
        scales.resize(rows, 0.0);
        sums.resize(rows * PANEL, 0);
        kernels::quantise(level, input, self.inputs, bytes, scales);
        let rows = Rows { bytes, width: self.inputs };
        for (index, panel) in self.panels.chunks_exact(PANEL * self.inputs).enumerate() {
            product::multiply(level, rows, panel, sums);
            let columns = index * PANEL..((index + 1) * PANEL).min(self.outputs);
            let (offsets, weights) =
                (&self.offsets[columns.clone()], &self.scales[columns.clone()]);
            let bias = &self.bias[columns.clone()];
            let wanted = out.chunks_exact_mut(self.outputs).zip(sums.chunks_exact(PANEL));
            for ((out, sums), scale) in wanted.zip(scales.iter()) {
                let out = &mut out[columns.clone()];
                for at in 0..out.len() {
                    out[at] = (sums[at] - offsets[at]) as f32 * (scale * weights[at]) + bias[at];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn layers_side_by_side_give_what_each_gives() {
        let number = |n: usize| ((n * 29 % 83) as f32 - 41.0) / 40.0;
        let (inputs, outputs, rows) = (24, 70, 9);
        let tensor = |from: usize, count: usize| {
            Tensor::from_iter((from..from + count).map(number), &Device::Cpu).unwrap()
        };
        let layer = |from: usize| {
            let weights = tensor(from, inputs * outputs).reshape((outputs, inputs)).unwrap();
            (weights, tensor(from + 5, outputs))
        };
        let layers = [layer(0), layer(11)];
        let input: Vec<f32> = (3..3 + rows * inputs).map(number).collect();
        let linear = Linear::new(&layers).unwrap();
        let mut out = vec![0.0; rows * 2 * outputs];
        linear.apply(Level::detect(), &input, &mut Scratch::default(), &mut out);
        for (at, got) in out.iter().enumerate() {
            let (row, output) = (at / (2 * outputs), at % (2 * outputs));
            let (from, column) =
                if output < outputs { (0, output) } else { (11, output - outputs) };
            let weight = |k: usize| number(from + column * inputs + k);
            let sum: f32 = (0..inputs).map(|k| weight(k) * input[row * inputs + k]).sum();
            let expect = sum + number(from + 5 + column);
            assert!((got - expect).abs() < 0.06, "{at}: {got} for {expect}");
        }
        assert!(Linear::new(&[(tensor(0, 6).reshape((2, 3)).unwrap(), tensor(0, 2))]).is_err());
    }
}
