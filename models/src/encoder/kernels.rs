//! The encoder's inner loops, each once in safe Rust and compiled for the widest registers of the machine.
//!
//! Numbers are rounded alike wherever the processor fuses multiplication and addition.
#![expect(unsafe_code, reason = "calls of functions compiled for one kind of processor")]

use crate::processor::level::{LANES, for_every_level, madd};
use crate::processor::loops::{ROUNDER, exp, largest, total};

/// Added to a quantised input, so that it is an unsigned byte.
pub(super) const ZERO: i32 = 128;

for_every_level!(
    /// Rows of numbers to rows of bytes: `byte = round(number / scale) + 128`, one scale a row.
    quantise, quantise_avx512, quantise_avx2, quantise_body,
    (numbers: &[f32], width: usize, bytes: &mut [u8], scales: &mut [f32])
);

#[inline(always)]
fn quantise_body<const FUSED: bool>(
    numbers: &[f32],
    width: usize,
    bytes: &mut [u8],
    scales: &mut [f32],
) {
    let rows = numbers.chunks_exact(width).zip(bytes.chunks_exact_mut(width));
    for ((row, bytes), scale) in rows.zip(scales) {
        let mut tops = [0.0_f32; LANES];
        let (chunks, rest) = row.as_chunks::<LANES>();
        for chunk in chunks {
            for lane in 0..LANES {
                tops[lane] = tops[lane].max(chunk[lane].abs());
            }
        }
        let mut top = 0.0_f32;
        for x in tops.iter().chain(rest) {
            top = top.max(x.abs());
        }
        *scale = top / 127.0;
        let inverse = if top > 0.0 { 127.0 / top } else { 0.0 };
        for (byte, x) in bytes.iter_mut().zip(row) {
            let rounded = (x * inverse + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits());
            *byte = rounded.wrapping_add(ZERO as u32) as u8;
        }
    }
}

for_every_level!(
    /// `x * (1 + erf(x / sqrt 2)) / 2` of every number; erf by Abramowitz and Stegun 7.1.26, off by 1.5e-7 at most.
    gelu, gelu_avx512, gelu_avx2, gelu_body,
    (numbers: &mut [f32])
);

#[inline(always)]
fn gelu_body<const FUSED: bool>(numbers: &mut [f32]) {
    const P: [f32; 5] = [0.254_829_6, -0.284_496_74, 1.421_413_8, -1.453_152, 1.061_405_4];
    for x in numbers {
        let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
        let t = 1.0 / madd::<FUSED>(0.327_591_1, z, 1.0);
        let mut sum = P[4];
        for p in [P[3], P[2], P[1], P[0]] {
            sum = madd::<FUSED>(sum, t, p);
        }
        let erf = 1.0 - sum * t * exp::<FUSED>(-z * z);
        *x = 0.5 * *x * (1.0 + erf.copysign(*x));
    }
}

/// What a row is scaled to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Norm<'a> {
    /// Factors, one a column.
    pub(super) gain: &'a [f32],
    /// What is added then, one a column.
    pub(super) bias: &'a [f32],
    /// Added to the variance.
    pub(super) epsilon: f32,
}

for_every_level!(
    /// Adds `other` to each row and scales it to mean 0 and variance 1, then by the norm.
    add_norm, add_norm_avx512, add_norm_avx2, add_norm_body,
    (rows: &mut [f32], other: &[f32], norm: Norm<'_>)
);

#[inline(always)]
fn add_norm_body<const FUSED: bool>(rows: &mut [f32], other: &[f32], norm: Norm<'_>) {
    let Norm { gain, bias, epsilon } = norm;
    let width = gain.len();
    for (row, other) in rows.chunks_exact_mut(width).zip(other.chunks_exact(width)) {
        for (x, y) in row.iter_mut().zip(other) {
            *x += y;
        }
        let mean = distance::<false>(row, 0.0) / width as f32;
        let variance = distance::<true>(row, mean) / width as f32;
        let scale = 1.0 / (variance + epsilon).sqrt();
        for (x, (gain, bias)) in row.iter_mut().zip(gain.iter().zip(bias)) {
            *x = madd::<FUSED>((*x - mean) * scale, *gain, *bias);
        }
    }
}

/// Sum of the differences from `mean`, or of their squares; in [`LANES`] parts, so that its order does not depend on
/// the registers.
#[inline(always)]
fn distance<const SQUARED: bool>(row: &[f32], mean: f32) -> f32 {
    let of = |x: f32| if SQUARED { (x - mean) * (x - mean) } else { x - mean };
    let mut sums = [0.0_f32; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += of(chunk[lane]);
        }
    }
    for (lane, x) in rest.iter().enumerate() {
        sums[lane] += of(*x);
    }
    total(&sums)
}

/// Where the heads of one text's attention stand: rows of `stride` numbers, query, key and value side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads<'a> {
    /// The rows.
    pub(super) qkv: &'a [f32],
    /// Number of heads.
    pub(super) count: usize,
    /// Numbers of a head, a multiple of [`LANES`].
    pub(super) width: usize,
}

for_every_level!(
    /// What each row of a text gathers from all of its rows; `scratch` is overwritten.
    attend, attend_avx512, attend_avx2, attend_body,
    (heads: Heads<'_>, scratch: &mut Vec<f32>, out: &mut [f32])
);

/// Rows whose scores are computed at once.
const QUERIES: usize = 4;

#[inline(always)]
fn attend_body<const FUSED: bool>(heads: Heads<'_>, scratch: &mut Vec<f32>, out: &mut [f32]) {
    let hidden = heads.count * heads.width;
    let rows = heads.qkv.len() / (3 * hidden);
    let padded = rows.next_multiple_of(LANES);
    scratch.clear();
    scratch.resize(heads.width * padded + QUERIES * padded, 0.0);
    let (keys, scores) = scratch.split_at_mut(heads.width * padded);
    for head in 0..heads.count {
        let at = |row: usize, part: usize| row * 3 * hidden + part * hidden + head * heads.width;
        for row in 0..rows {
            for (d, x) in heads.qkv[at(row, 1)..][..heads.width].iter().enumerate() {
                keys[d * padded + row] = *x;
            }
        }
        for first in (0..rows).step_by(QUERIES) {
            // The last rows are done again rather than fewer at once; the result is the same.
            let rows_here: [usize; QUERIES] = std::array::from_fn(|n| (first + n).min(rows - 1));
            let queries = rows_here.map(|row| &heads.qkv[at(row, 0)..][..heads.width]);
            score::<FUSED>(&queries, keys, padded, scores);
            let scale = 1.0 / (heads.width as f32).sqrt();
            for row in scores.chunks_exact_mut(padded) {
                softmax::<FUSED>(&mut row[..rows], scale);
            }
            for lane in (0..heads.width).step_by(LANES) {
                let mut sums = [[0.0_f32; LANES]; QUERIES];
                for row in 0..rows {
                    let values = &heads.qkv[at(row, 2) + lane..][..LANES];
                    for n in 0..QUERIES {
                        let share = scores[n * padded + row];
                        for l in 0..LANES {
                            sums[n][l] = madd::<FUSED>(share, values[l], sums[n][l]);
                        }
                    }
                }
                for (row, sums) in rows_here.iter().zip(&sums) {
                    out[row * hidden + head * heads.width + lane..][..LANES].copy_from_slice(sums);
                }
            }
        }
    }
}

/// Products of four queries with all keys, which stand column by column.
#[inline(always)]
fn score<const FUSED: bool>(
    queries: &[&[f32]; QUERIES],
    keys: &[f32],
    padded: usize,
    scores: &mut [f32],
) {
    for lane in (0..padded).step_by(LANES) {
        let mut sums = [[0.0_f32; LANES]; QUERIES];
        for (d, column) in keys.chunks_exact(padded).enumerate() {
            let column = &column[lane..lane + LANES];
            for n in 0..QUERIES {
                let x = queries[n][d];
                for l in 0..LANES {
                    sums[n][l] = madd::<FUSED>(x, column[l], sums[n][l]);
                }
            }
        }
        for (n, sums) in sums.iter().enumerate() {
            scores[n * padded + lane..][..LANES].copy_from_slice(sums);
        }
    }
}

/// Shares that sum to one, from scores times `scale`.
#[inline(always)]
fn softmax<const FUSED: bool>(row: &mut [f32], scale: f32) {
    let top = largest(row);
    let mut sums = [0.0_f32; LANES];
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            chunk[lane] = exp::<FUSED>((chunk[lane] - top) * scale);
            sums[lane] += chunk[lane];
        }
    }
    for (lane, x) in rest.iter_mut().enumerate() {
        *x = exp::<FUSED>((*x - top) * scale);
        sums[lane] += *x;
    }
    let inverse = 1.0 / total(&sums);
    for x in row {
        *x *= inverse;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::processor::level::Level;

    fn near(a: &[f32], b: &[f32], off: f32) {
        assert_eq!(a.len(), b.len());
        for (at, (x, y)) in a.iter().zip(b).enumerate() {
            assert!((x - y).abs() <= off * (1.0 + y.abs()), "{at}: {x} for {y}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back_as_the_numbers(row in proptest::collection::vec(-9.0_f32..9.0, 1..70)) {
            for level in Level::all() {
                let (mut bytes, mut scales) = (vec![0; row.len()], vec![0.0]);
                quantise(level, &row, row.len(), &mut bytes, &mut scales);
                for (x, byte) in row.iter().zip(&bytes) {
                    let back = (i32::from(*byte) - ZERO) as f32 * scales[0];
                    prop_assert!((x - back).abs() <= scales[0] * 0.51, "{} for {}", back, x);
                }
            }
        }
    }

    #[test]
    fn curves_follow_their_formulas() {
        let xs: Vec<f32> = (-400..=400).map(|n| n as f32 / 40.0).collect();
        // Simpson's rule over the normal density: nothing in common with the polynomial.
        let erf = |z: f64| {
            let (steps, f) = (400, |t: f64| (-t * t).exp());
            let h = z / f64::from(steps);
            let inner =
                (1..steps).map(|n| f(h * f64::from(n)) * if n % 2 == 1 { 4.0 } else { 2.0 });
            (f(0.0) + inner.sum::<f64>() + f(z)) * h / 3.0 * 2.0 / std::f64::consts::PI.sqrt()
        };
        let gelus: Vec<f32> = xs
            .iter()
            .map(|x| f64::from(*x))
            .map(|x| (0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2))) as f32)
            .collect();
        for level in Level::all() {
            let mut out = xs.clone();
            gelu(level, &mut out);
            near(&out, &gelus, 3e-6);
        }
    }

    #[test]
    fn attention_follows_its_formula() {
        let (count, width) = (2, 32);
        let hidden = count * width;
        for rows in [1, 2, 5, 16, 37] {
            let qkv: Vec<f32> =
                (0..rows * 3 * hidden).map(|n| ((n * 37 % 101) as f32 - 50.0) / 25.0).collect();
            let part = |row: usize, part: usize, head: usize, d: usize| {
                f64::from(qkv[row * 3 * hidden + part * hidden + head * width + d])
            };
            let mut expect = vec![0.0_f32; rows * hidden];
            for (row, head) in (0..rows).flat_map(|row| (0..count).map(move |head| (row, head))) {
                let weight = |other: usize| {
                    let dot: f64 =
                        (0..width).map(|d| part(row, 0, head, d) * part(other, 1, head, d)).sum();
                    (dot / (width as f64).sqrt()).exp()
                };
                let total: f64 = (0..rows).map(weight).sum();
                for d in 0..width {
                    let sum: f64 = (0..rows).map(|o| weight(o) / total * part(o, 2, head, d)).sum();
                    expect[row * hidden + head * width + d] = sum as f32;
                }
            }
            for level in Level::all() {
                let mut out = vec![0.0; rows * hidden];
                attend(level, Heads { qkv: &qkv, count, width }, &mut vec![5.0], &mut out);
                near(&out, &expect, 2e-5);
            }
        }
    }

    #[test]
    fn rows_are_normed() {
        for level in Level::all() {
            let mut row = vec![1.0, 2.0, 3.0, 4.0];
            let norm = Norm { gain: &[2.0; 4], bias: &[0.5; 4], epsilon: 0.0 };
            add_norm(level, &mut row, &[1.0, 0.0, 0.0, -1.0], norm);
            let unit = 1.0 / 0.25_f32.sqrt();
            near(&row, &[0.5 - unit, 0.5 - unit, 0.5 + unit, 0.5 + unit], 1e-6);
        }
    }
}
