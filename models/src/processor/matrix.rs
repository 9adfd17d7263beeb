//! A layer of weights, packed for the kernels: `y = x · Wᵀ + b`.

use std::ops::Range;
use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use half::f16;

use super::arena::Arena;
use super::blocks::{self, Block, EIGHT, Kind};
use super::level::Level;
use super::loops;
use super::pool::Pool;
use super::product::{self, GROUP, GROUPS, Inputs, PANEL, block_bytes};
use super::rows::{BLOCK, Rows};

/// Outputs stand side by side in sheets of this many: all rows of the first sheet, then all of the second.
pub(crate) const SHEET: usize = PANEL;

/// Packed weights.
#[derive(Debug)]
pub(crate) struct Matrix {
    kind: Kind,
    inputs: usize,
    outputs: usize,
    /// Bytes of a panel.
    panel: usize,
    panels: Panels,
    /// What each output starts from; as many as the panels have.
    bias: Vec<[f32; PANEL]>,
}

/// Where the packed bytes are.
#[derive(Debug)]
enum Panels {
    /// Being filled.
    Own(Vec<u8>),
    /// Beside all others.
    Settled(Arc<Arena>, Range<usize>),
}

impl Matrix {
    /// An empty matrix for `outputs` rows of `inputs` numbers, a multiple of [`BLOCK`].
    pub(crate) fn new(kind: Kind, inputs: usize, outputs: usize) -> Self {
        debug_assert!(inputs.is_multiple_of(BLOCK));
        let panel = inputs / BLOCK * block_bytes(kind.bits, kind.mins);
        let panels = outputs.div_ceil(PANEL);
        Self {
            kind,
            inputs,
            outputs,
            panel,
            panels: Panels::Own(vec![0; panels * panel]),
            bias: vec![[0.0; PANEL]; panels],
        }
    }

    /// Numbers of a row of inputs.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Numbers of a row of outputs.
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Sheets of outputs; the last may hold fewer than [`SHEET`], then zeros.
    pub(crate) fn sheets(&self) -> usize {
        self.bias.len()
    }

    /// Bytes of the weights in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.packed().len()
    }

    /// Moves the weights of all matrices into one stretch of memory.
    pub(crate) fn settle(matrices: &mut [&mut Self]) {
        let mut arena = Arena::new(matrices.iter().map(|matrix| matrix.bytes()));
        let mut places = Vec::with_capacity(matrices.len());
        for matrix in &mut *matrices {
            places.push(arena.put(matrix.packed()));
            matrix.panels = Panels::Own(Vec::new());
        }
        let arena = Arc::new(arena);
        for (matrix, place) in matrices.iter_mut().zip(places) {
            matrix.panels = Panels::Settled(arena.clone(), place);
        }
    }

    fn packed(&self) -> &[u8] {
        match &self.panels {
            Panels::Own(bytes) => bytes,
            Panels::Settled(arena, place) => arena.get(place),
        }
    }

    /// Puts a row of stored weights at `output`.
    ///
    /// # Panics
    /// When the row has another width.
    pub(crate) fn put(&mut self, output: usize, stored: GgmlDType, bytes: &[u8]) {
        let mut at = 0;
        blocks::read(stored, bytes, &mut |block| {
            self.put_block(output, at, &block);
            at += 1;
        });
        assert_eq!(at * BLOCK, self.inputs, "a row of another width");
    }

    /// Rounds a row of numbers to 8 bits and puts it at `output`; the matrix is of the kind [`EIGHT`].
    pub(crate) fn put_numbers(&mut self, output: usize, numbers: &[f32]) {
        debug_assert_eq!(self.kind, EIGHT);
        let mut at = 0;
        blocks::round(numbers, &mut |block| {
            self.put_block(output, at, &block);
            at += 1;
        });
    }

    /// Sets what `output` starts from.
    pub(crate) fn put_bias(&mut self, output: usize, bias: f32) {
        self.bias[output / PANEL][output % PANEL] = bias;
    }

    fn put_block(&mut self, output: usize, at: usize, block: &Block) {
        let Kind { bits, mins } = self.kind;
        let size = block_bytes(bits, mins);
        let lane = output % PANEL;
        // Settled weights are not written any more.
        let Panels::Own(panels) = &mut self.panels else { return };
        let bytes = &mut panels[output / PANEL * self.panel + at * size..][..size];
        let mut row = 0;
        let mut put = |factor: f16| {
            bytes[(row * PANEL + lane) * 2..][..2].copy_from_slice(&factor.to_le_bytes());
            row += 1;
        };
        put(block.scales[0]);
        if bits == 6 {
            put(block.scales[1]);
        }
        if mins {
            put(block.min);
        }
        let codes = &mut bytes[row * PANEL * 2..];
        for (group, four) in block.codes.as_chunks::<GROUP>().0.iter().enumerate() {
            for (n, code) in four.iter().enumerate() {
                let byte = lane * GROUP + n;
                if bits == 8 {
                    codes[group * 64 + byte] = *code;
                    continue;
                }
                codes[group / 2 * 64 + byte] |= (code & 15) << (group % 2 * 4);
                match bits {
                    5 => codes[256 + group * 8 + byte / 8] |= (code >> 4) << (byte % 8),
                    6 => codes[256 + group / 4 * 64 + byte] |= (code >> 4) << (group % 4 * 2),
                    _ => {}
                }
            }
        }
    }

    /// The weights of an output as numbers.
    pub(crate) fn row(&self, output: usize, out: &mut [f32]) {
        let Kind { bits, mins } = self.kind;
        let panel = &self.packed()[output / PANEL * self.panel..][..self.panel];
        let lane = output % PANEL;
        for (block, out) in
            panel.chunks_exact(block_bytes(bits, mins)).zip(out.chunks_exact_mut(BLOCK))
        {
            let groups: [[u8; PANEL * GROUP]; GROUPS] = match (bits, mins) {
                (4, false) => product::unpack::<4, false>(block),
                (4, true) => product::unpack::<4, true>(block),
                (5, false) => product::unpack::<5, false>(block),
                (5, true) => product::unpack::<5, true>(block),
                (6, _) => product::unpack::<6, false>(block),
                _ => product::unpack::<8, false>(block),
            };
            let min = if mins { product::factor(block, 1, lane) } else { 0.0 };
            for (at, x) in out.iter_mut().enumerate() {
                let code = groups[at / GROUP][lane * GROUP + at % GROUP];
                let half = if bits == 6 { at / (BLOCK / 2) } else { 0 };
                *x = (i32::from(code) - self.kind.offset()) as f32
                    * product::factor(block, half, lane)
                    + min;
            }
        }
    }

    /// Multiplies all rows with the panels from `first` on; `out` is one or more whole sheets.
    fn sheets_of(&self, level: Level, inputs: Inputs<'_>, first: usize, out: &mut [f32]) {
        let rows = inputs.codes.len() / self.inputs;
        for (n, out) in out.chunks_exact_mut(rows * PANEL).enumerate() {
            let panel = &self.packed()[(first + n) * self.panel..][..self.panel];
            let bias = &self.bias[first + n];
            match (self.kind.bits, self.kind.mins) {
                (4, false) => product::multiply::<4, false>(level, inputs, panel, bias, out),
                (4, true) => product::multiply::<4, true>(level, inputs, panel, bias, out),
                (5, false) => product::multiply::<5, false>(level, inputs, panel, bias, out),
                (5, true) => product::multiply::<5, true>(level, inputs, panel, bias, out),
                (6, _) => product::multiply::<6, false>(level, inputs, panel, bias, out),
                _ => product::multiply::<8, false>(level, inputs, panel, bias, out),
            }
        }
    }
}

/// What kinds of weights want to know of the rows beside their codes.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    starts: Vec<[i32; 2]>,
    sums: Vec<f32>,
}

impl Extra {
    fn fill(&mut self, rows: &Rows, kind: Kind) {
        if kind.mins {
            let all = rows.sums.iter().zip(&rows.scales);
            self.sums.clear();
            self.sums.extend(all.map(|(sums, scale)| (sums[0] + sums[1]) as f32 * scale));
        } else {
            let offset = kind.offset();
            self.starts.clear();
            self.starts.extend(rows.sums.iter().map(|sums| sums.map(|sum| -offset * sum)));
        }
    }
}

/// Multiplies rows with matrices on a pool.
#[derive(Clone, Copy)]
pub(crate) struct Multiplier<'a> {
    pub(crate) level: Level,
    pub(crate) pool: &'a Pool,
}

/// Items of work for each thread: enough that one that lags behind leaves its share to the others.
const SHARES: usize = 6;

impl Multiplier<'_> {
    /// Each `out` gets its matrix's sheets, each of as many rows as there are.
    ///
    /// # Panics
    /// When the rows have another width than a matrix, or there are fewer extras than matrices.
    pub(crate) fn apply_all<const N: usize>(
        self,
        wanted: [(&Matrix, &mut Vec<f32>); N],
        rows: &Rows,
        extras: &mut [Extra],
    ) {
        assert!(N <= extras.len());
        let sheet = rows.count * PANEL;
        let share = self.share(wanted.iter().map(|(matrix, _)| matrix.sheets()).sum());
        let mut items = Vec::new();
        for ((matrix, out), extra) in wanted.into_iter().zip(extras) {
            let inputs = fitting(matrix, rows, extra);
            out.resize(matrix.sheets() * sheet, 0.0);
            let parts = out.chunks_mut(share * sheet).enumerate();
            items.extend(parts.map(|(n, out)| (matrix, inputs, n * share, out)));
        }
        self.pool.each(&mut items, |(matrix, inputs, first, out)| {
            matrix.sheets_of(self.level, *inputs, *first, out)
        });
    }

    /// `out` gets what the first matrix gives as gates of what the second gives, in sheets. Both have the same shape.
    ///
    /// # Panics
    /// As [`Multiplier::apply_all`], and when the shapes differ.
    pub(crate) fn apply_gated(
        self,
        (gate, up): (&Matrix, &Matrix),
        rows: &Rows,
        extras: &mut [Extra; 3],
        out: &mut Vec<f32>,
    ) {
        assert_eq!(gate.outputs, up.outputs, "gates of another shape");
        let [first, second, _] = extras;
        let (gates, ups) = (fitting(gate, rows, first), fitting(up, rows, second));
        let sheet = rows.count * PANEL;
        out.resize(gate.sheets() * sheet, 0.0);
        let share = self.share(gate.sheets());
        let mut items: Vec<_> = out.chunks_mut(share * sheet).enumerate().collect();
        self.pool.each(&mut items, |(n, out)| {
            let mut both = vec![0.0; 2 * out.len()];
            let (x, y) = both.split_at_mut(out.len());
            gate.sheets_of(self.level, gates, *n * share, x);
            up.sheets_of(self.level, ups, *n * share, y);
            loops::gated(self.level, x, y, out);
        });
    }

    /// How many of `sheets` make an item.
    fn share(self, sheets: usize) -> usize {
        sheets.div_ceil(self.pool.threads() * SHARES).max(1)
    }
}

fn fitting<'a>(matrix: &Matrix, rows: &'a Rows, extra: &'a mut Extra) -> Inputs<'a> {
    assert_eq!(rows.width, matrix.inputs, "rows of another width");
    extra.fill(rows, matrix.kind);
    Inputs {
        width: rows.width,
        codes: &rows.codes,
        scales: &rows.scales,
        starts: &extra.starts,
        sums: &extra.sums,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::blocks::TYPES;
    use super::super::rows::quantise;
    use super::*;

    fn noise(seed: u64, count: usize) -> Vec<f32> {
        let mut state = seed | 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn packed(stored: GgmlDType, inputs: usize, outputs: usize, seed: u64) -> Matrix {
        use candle_core::quantized::QTensor;
        use candle_core::{Device, Tensor};
        let dense =
            Tensor::from_vec(noise(seed, inputs * outputs), (outputs, inputs), &Device::Cpu)
                .unwrap();
        let weight = QTensor::quantize(&dense, stored).unwrap();
        let bytes = weight.data().unwrap();
        let mut matrix = Matrix::new(Kind::of(stored).unwrap(), inputs, outputs);
        for (output, row) in bytes.chunks_exact(bytes.len() / outputs).enumerate() {
            matrix.put(output, stored, row);
            matrix.put_bias(output, output as f32 / 64.0);
        }
        matrix
    }

    fn rows_of(numbers: &[f32], width: usize) -> Rows {
        let mut rows = Rows::default();
        rows.shape(numbers.len() / width, width);
        rows.parts(usize::MAX / width / 2)
            .for_each(|part| quantise(Level::detect(), numbers, part));
        rows
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn products_are_the_same_to_the_bit_however_they_are_made(
            kind in 0..TYPES.len(), blocks in 1_usize..3, outputs in 1_usize..50, count in 1_usize..31, seed in any::<u64>()
        ) {
            let width = blocks * 256;
            let matrix = packed(TYPES[kind], width, outputs, seed);
            let numbers = noise(seed ^ 99, count * width);
            let rows = rows_of(&numbers, width);
            let mut reference = Vec::new();
            for level in Level::all() {
                for threads in [1, 3] {
                    let pool = Pool::new(threads).unwrap();
                    let multiplier = Multiplier { level, pool: &pool };
                    let mut out = vec![f32::NAN; matrix.sheets() * count * SHEET];
                    multiplier.apply_all([(&matrix, &mut out)], &rows, &mut [Extra::default()]);
                    if reference.is_empty() {
                        reference.clone_from(&out);
                    }
                    if level != Level::Portable {
                        prop_assert_eq!(&out, &reference, "{:?} {}", level, threads);
                    }
                    for (at, x) in out.iter().enumerate() {
                        let off = 1e-4 * (1.0 + reference[at].abs());
                        prop_assert!((x - reference[at]).abs() < off, "{:?}: {} for {}", level, x, reference[at]);
                    }
                }
            }
            // One row alone gives what it gives among others.
            let (row, pool) = (count / 2, Pool::new(1).unwrap());
            let alone = rows_of(&numbers[row * width..(row + 1) * width], width);
            let mut out = Vec::new();
            let multiplier = Multiplier { level: Level::detect(), pool: &pool };
            multiplier.apply_all([(&matrix, &mut out)], &alone, &mut [Extra::default()]);
            for (sheet, sums) in out.chunks_exact(SHEET).enumerate() {
                prop_assert_eq!(sums, &reference[(sheet * count + row) * SHEET..][..SHEET]);
            }
            // And what the weights as numbers give, but for the rounding of the inputs.
            let mut weights = vec![0.0; width];
            for output in 0..outputs {
                matrix.row(output, &mut weights);
                let numbers = &numbers[row * width..(row + 1) * width];
                let sum: f32 = numbers.iter().zip(&weights).map(|(x, w)| x * w).sum();
                let got = out[output / SHEET * SHEET + output % SHEET];
                let expect = sum + output as f32 / 64.0;
                prop_assert!((got - expect).abs() < 0.15, "{}: {} for {}", output, got, expect);
            }
        }
    }
}
