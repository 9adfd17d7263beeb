//! The product of rows of bytes with packed 8-bit weights.
//!
//! All of it is in whole numbers, so it is the same to the last bit on every processor.
#![expect(
    unsafe_code,
    reason = "registers that safe code cannot name; each use says why it is sound"
)]

use crate::processor::level::Level;

/// Rows that one tile of the product covers.
const TILE_ROWS: usize = 6;
/// Columns of a panel of packed weights.
pub(super) const PANEL: usize = 64;
/// Consecutive inputs that stand side by side in a panel: what one `vpdpbusd` adds up.
pub(super) const GROUP: usize = 4;
/// Inputs of a product: rows of `width` unsigned bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    /// The bytes, row after row.
    pub(super) bytes: &'a [u8],
    /// Bytes of a row, a multiple of [`GROUP`].
    pub(super) width: usize,
}

/// Sums of products of each row with each column of a packed panel; `out` holds [`PANEL`] sums a row.
pub(super) fn multiply(level: Level, rows: Rows<'_>, panel: &[i8], out: &mut [i32]) {
    match level {
        // SAFETY: `Level::detect` gives this level only where the processor has its features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { multiply_avx512(rows, panel, out) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { multiply_avx2(rows, panel, out) },
        _ => multiply_safe(rows, panel, out),
    }
}

/// The safe form, which the other has to agree with.
#[inline(always)]
fn multiply_safe(rows: Rows<'_>, panel: &[i8], out: &mut [i32]) {
    for (row, sums) in rows.bytes.chunks_exact(rows.width).zip(out.chunks_exact_mut(PANEL)) {
        sums.fill(0);
        for (inputs, weights) in row.chunks_exact(GROUP).zip(panel.chunks_exact(PANEL * GROUP)) {
            for (sum, group) in sums.iter_mut().zip(weights.chunks_exact(GROUP)) {
                let products = inputs.iter().zip(group).map(|(x, w)| i32::from(*x) * i32::from(*w));
                *sum += products.sum::<i32>();
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_avx2(rows: Rows<'_>, panel: &[i8], out: &mut [i32]) {
    multiply_safe(rows, panel, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")]
fn multiply_avx512(rows: Rows<'_>, panel: &[i8], out: &mut [i32]) {
    let inputs = rows.bytes.chunks(TILE_ROWS * rows.width);
    for (inputs, out) in inputs.zip(out.chunks_mut(TILE_ROWS * PANEL)) {
        match inputs.len() / rows.width {
            1 => tile::<1>(inputs, rows.width, panel, out),
            2 => tile::<2>(inputs, rows.width, panel, out),
            3 => tile::<3>(inputs, rows.width, panel, out),
            4 => tile::<4>(inputs, rows.width, panel, out),
            5 => tile::<5>(inputs, rows.width, panel, out),
            _ => tile::<TILE_ROWS>(inputs, rows.width, panel, out),
        }
    }
}

/// `R` rows times one panel, all sums in registers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")]
fn tile<const R: usize>(inputs: &[u8], width: usize, panel: &[i8], out: &mut [i32]) {
    use std::arch::x86_64::{
        _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512,
        _mm512_storeu_si512,
    };
    const VECTORS: usize = PANEL / 16;
    let groups = width / GROUP;
    assert!(inputs.len() >= R * width && panel.len() >= groups * PANEL * GROUP);
    assert!(out.len() >= R * PANEL);
    let mut sums = [[_mm512_setzero_si512(); VECTORS]; R];
    for group in 0..groups {
        let weights = std::array::from_fn::<_, VECTORS, _>(|vector| {
            let at = (group * VECTORS + vector) * 64;
            // SAFETY: `at + 64 <= groups * PANEL * GROUP <= panel.len()` by the assertion above.
            unsafe { _mm512_loadu_si512(panel.as_ptr().add(at).cast()) }
        });
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: `row < R` and `group < width / GROUP`, so the four bytes lie in `inputs` by the assertion above.
            let four = unsafe {
                inputs.as_ptr().add(row * width + group * GROUP).cast::<i32>().read_unaligned()
            };
            let four = _mm512_set1_epi32(four);
            for (sum, weights) in sums.iter_mut().zip(weights) {
                *sum = _mm512_dpbusd_epi32(*sum, four, weights);
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        for (vector, sum) in sums.iter().enumerate() {
            // SAFETY: `row * PANEL + vector * 16 + 16 <= R * PANEL <= out.len()` by the assertion above.
            unsafe {
                _mm512_storeu_si512(out.as_mut_ptr().add(row * PANEL + vector * 16).cast(), *sum)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_level_multiplies_like_plain_loops(rows in 1_usize..15, groups in 1_usize..40, seed in any::<u64>()) {
            let width = groups * GROUP;
            let mut state = seed | 1;
            let mut byte = || { state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1); (state >> 56) as u8 };
            let bytes: Vec<u8> = (0..rows * width).map(|_| byte()).collect();
            let panel: Vec<i8> = (0..width * PANEL).map(|_| byte() as i8).collect();
            let plain = |row: usize, column: usize| (0..width).map(|k| {
                let weight = panel[(k / GROUP * PANEL + column) * GROUP + k % GROUP];
                i32::from(bytes[row * width + k]) * i32::from(weight)
            }).sum::<i32>();
            let expect: Vec<i32> = (0..rows * PANEL).map(|at| plain(at / PANEL, at % PANEL)).collect();
            for level in Level::all() {
                let mut out = vec![7; rows * PANEL];
                multiply(level, Rows { bytes: &bytes, width }, &panel, &mut out);
                prop_assert_eq!(&out, &expect, "{:?}", level);
            }
        }
    }
}
