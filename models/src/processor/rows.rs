//! Rows of inputs in 8 bits: blocks of 32 numbers share a scale.
#![expect(unsafe_code, reason = "calls of functions compiled for one kind of processor")]

use super::level::for_every_level;
use super::loops::ROUNDER;

/// Inputs that share a scale.
pub(crate) const BLOCK: usize = 32;

/// Rows in 8 bits: `number = code * scale of its block`.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// Rows there are.
    pub(super) count: usize,
    /// Numbers of a row, a multiple of [`BLOCK`].
    pub(super) width: usize,
    /// -127 to 127, row after row.
    pub(super) codes: Vec<i8>,
    /// One a block.
    pub(super) scales: Vec<f32>,
    /// Sums of the codes of each half of a block.
    pub(super) sums: Vec<[i32; 2]>,
}

impl Rows {
    /// Makes room for `count` rows of `width` numbers; what they hold is not said.
    pub(crate) fn shape(&mut self, count: usize, width: usize) {
        debug_assert!(width.is_multiple_of(BLOCK));
        (self.count, self.width) = (count, width);
        self.codes.resize(count * width, 0);
        self.scales.resize(count * width / BLOCK, 0.0);
        self.sums.resize(count * width / BLOCK, [0; 2]);
    }

    /// Parts of `rows` rows each, the last perhaps fewer.
    pub(crate) fn parts(&mut self, rows: usize) -> impl Iterator<Item = RowsPart<'_>> {
        let (codes, blocks) = ((rows * self.width).max(1), (rows * self.width / BLOCK).max(1));
        let codes = self.codes.chunks_mut(codes);
        let rest = self.scales.chunks_mut(blocks).zip(self.sums.chunks_mut(blocks));
        codes.zip(rest).map(|(codes, (scales, sums))| RowsPart { codes, scales, sums })
    }
}

/// Some of the rows, to be written.
#[derive(Debug)]
pub(crate) struct RowsPart<'a> {
    codes: &'a mut [i8],
    scales: &'a mut [f32],
    sums: &'a mut [[i32; 2]],
}

for_every_level!(
    /// Rounds as many numbers as the part has codes: to the nearest of 255 steps between the largest number of a block
    /// and its negative, halves to even. A block with a number that is not finite has a scale that is not.
    quantise, quantise_avx512, quantise_avx2, quantise_body,
    (numbers: &[f32], part: RowsPart<'_>)
);

#[inline(always)]
fn quantise_body<const FUSED: bool>(numbers: &[f32], part: RowsPart<'_>) {
    let (blocks, _) = numbers.as_chunks::<BLOCK>();
    let (codes, _) = part.codes.as_chunks_mut::<BLOCK>();
    let rest = part.scales.iter_mut().zip(part.sums);
    for ((block, codes), (scale, sums)) in blocks.iter().zip(codes).zip(rest) {
        let mut bits = 0_u32;
        for x in block {
            // The order of floats without a sign is that of their bits; not-a-number is above all.
            bits = bits.max(x.to_bits() & 0x7fff_ffff);
        }
        let top = f32::from_bits(bits);
        *scale = top / 127.0;
        let inverse = if top > 0.0 { 127.0 / top } else { 0.0 };
        for (x, code) in block.iter().zip(codes.iter_mut()) {
            *code = (x * inverse + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits()) as i8;
        }
        let (halves, _) = codes.as_chunks::<{ BLOCK / 2 }>();
        for (half, sum) in halves.iter().zip(sums) {
            *sum = half.iter().map(|code| i32::from(*code)).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::level::Level;
    use super::*;

    proptest! {
        #[test]
        fn codes_come_back_as_the_numbers(numbers in proptest::collection::vec(-9.0_f32..9.0, 1..5 * BLOCK)) {
            let mut numbers = numbers;
            numbers.resize(numbers.len().next_multiple_of(BLOCK), 0.0);
            for level in Level::all() {
                let mut rows = Rows::default();
                rows.shape(1, numbers.len());
                rows.parts(1).for_each(|part| quantise(level, &numbers, part));
                for (at, x) in numbers.iter().enumerate() {
                    let scale = rows.scales[at / BLOCK];
                    let back = f32::from(rows.codes[at]) * scale;
                    prop_assert!((x - back).abs() <= scale * 0.5001, "{} for {}", back, x);
                }
                for (codes, sums) in rows.codes.chunks(BLOCK).zip(&rows.sums) {
                    let sum = |half: &[i8]| half.iter().map(|code| i32::from(*code)).sum::<i32>();
                    prop_assert_eq!([sum(&codes[..BLOCK / 2]), sum(&codes[BLOCK / 2..])], *sums);
                }
            }
        }
    }

    #[test]
    fn a_block_that_is_not_finite_says_so() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut numbers = vec![1.0; 2 * BLOCK];
            numbers[40] = bad;
            let mut rows = Rows::default();
            rows.shape(1, numbers.len());
            rows.parts(1).for_each(|part| quantise(Level::detect(), &numbers, part));
            assert!(rows.scales[0].is_finite() && !rows.scales[1].is_finite(), "{bad}");
        }
    }
}
