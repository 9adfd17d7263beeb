//! Products of 8-bit rows with a panel of packed weights: the innermost loops of everything.
//!
//! A panel holds 16 outputs. For each block of 32 inputs it has, one after the other: the scales of the 16 outputs (two
//! rows of them for codes of 6 bits), their minimums where the kind has some, and the codes. Codes stand in groups of
//! four inputs: 16 outputs times 4 bytes, what one `vpdpbusd` adds up. Of groups `2j` and `2j + 1`, the low and the high
//! nibbles share 64 bytes; fifth bits follow as eight masks of 64 bits, fifth and sixth bits as two times 64 bytes in
//! which group `g` has bits `2 (g % 4)` and the next.
#![expect(
    unsafe_code,
    reason = "registers that safe code cannot name; each use says why it is sound"
)]

use super::level::{Level, madd};
use super::rows::BLOCK;
use half::f16;

/// Outputs of a panel.
pub(super) const PANEL: usize = 16;
/// Inputs that one instruction adds up.
pub(super) const GROUP: usize = 4;
/// Groups of a block.
pub(super) const GROUPS: usize = BLOCK / GROUP;
/// Rows that are multiplied at once at most.
pub(super) const TILE_ROWS: usize = 12;

/// How far before they are needed weights are asked for, in bytes: the processor looks ahead by itself, but no further
/// than the page.
const AHEAD: usize = 4_096;

/// Bytes that a block of a panel takes.
pub(super) const fn block_bytes(bits: u8, mins: bool) -> usize {
    let scales = if bits == 6 { 2 } else { 1 };
    let codes = match bits {
        4 => 4,
        5 => 5,
        6 => 6,
        _ => 8,
    };
    (scales + mins as usize) * PANEL * 2 + codes * 64
}

/// Rows to multiply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inputs<'a> {
    /// Numbers of a row.
    pub(super) width: usize,
    pub(super) codes: &'a [i8],
    pub(super) scales: &'a [f32],
    /// Kinds without minimums: minus the offset times the sum of the codes, of each half of each block.
    pub(super) starts: &'a [[i32; 2]],
    /// Kinds with minimums: the sum of the numbers of each block.
    pub(super) sums: &'a [f32],
}

/// Multiplies all rows with a panel; `out` gets 16 sums a row. A sum begins with `first` and runs from block 0 on. For each block,
/// `sum = fma(dot * row scale, weight scale, sum)` of the first and then of the second scale, then `fma(row sum, min, sum)`.
///
/// # Panics
/// When a slice is shorter than the sizes say.
pub(super) fn multiply<const BITS: u8, const MINS: bool>(
    level: Level,
    inputs: Inputs<'_>,
    panel: &[u8],
    first: &[f32; PANEL],
    out: &mut [f32],
) {
    let (width, blocks) = (inputs.width, inputs.width / BLOCK);
    let rows = inputs.codes.len() / width;
    assert!(
        inputs.scales.len() >= rows * blocks && panel.len() >= blocks * block_bytes(BITS, MINS)
    );
    assert!(if MINS { inputs.sums.len() } else { inputs.starts.len() } >= rows * blocks);
    assert!(out.len() >= rows * PANEL);
    let mut row = 0;
    while row < rows {
        let tile = Tile { inputs, panel, first, row };
        // SAFETY: `Level::detect` gives a level only where the processor has its features; the sizes were held above, and
        // each call gets at most the rows that are left.
        row += unsafe {
            match (level, rows - row) {
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, TILE_ROWS..) => avx512::<BITS, MINS, TILE_ROWS>(tile, out),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, 8..) => avx512::<BITS, MINS, 8>(tile, out),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, 6..) => avx512::<BITS, MINS, 6>(tile, out),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, 4..) => avx512::<BITS, MINS, 4>(tile, out),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, 3) => avx512::<BITS, MINS, 3>(tile, out),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, 2) => avx512::<BITS, MINS, 2>(tile, out),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, _) => avx512::<BITS, MINS, 1>(tile, out),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx2, _) => avx2::<BITS, MINS>(tile, out),
                _ => safe::<BITS, MINS, { cfg!(target_arch = "aarch64") }>(tile, out),
            }
        };
    }
}

/// What a kernel works on, from row `row` on.
#[derive(Clone, Copy)]
struct Tile<'a> {
    inputs: Inputs<'a>,
    panel: &'a [u8],
    first: &'a [f32; PANEL],
    row: usize,
}

/// One row by plain loops, which the others have to agree with.
#[inline(always)]
fn safe<const BITS: u8, const MINS: bool, const FUSED: bool>(
    tile: Tile<'_>,
    out: &mut [f32],
) -> usize {
    let Tile { inputs, panel, first, row } = tile;
    let blocks = inputs.width / BLOCK;
    let mut sums = *first;
    for (n, block) in panel.chunks_exact(block_bytes(BITS, MINS)).take(blocks).enumerate() {
        let at = row * blocks + n;
        let scale = inputs.scales[at];
        let codes = &inputs.codes[at * BLOCK..][..BLOCK];
        let mut dots =
            if MINS { [[0; PANEL]; 2] } else { inputs.starts[at].map(|start| [start; PANEL]) };
        if BITS != 6 {
            dots[0] = std::array::from_fn(|lane| dots[0][lane] + dots[1][lane]);
            dots[1] = [0; PANEL];
        }
        let unpacked = unpack::<BITS, MINS>(block);
        for (group, (weights, four)) in unpacked.iter().zip(codes.chunks_exact(GROUP)).enumerate() {
            let dots = &mut dots[if BITS == 6 { group / (GROUPS / 2) } else { 0 }];
            for (dot, weights) in dots.iter_mut().zip(weights.chunks_exact(GROUP)) {
                for (weight, code) in weights.iter().zip(four) {
                    *dot += i32::from(*weight) * i32::from(*code);
                }
            }
        }
        for (half, dots) in dots.iter().enumerate().take(if BITS == 6 { 2 } else { 1 }) {
            for (lane, sum) in sums.iter_mut().enumerate() {
                *sum = madd::<FUSED>(dots[lane] as f32 * scale, factor(block, half, lane), *sum);
            }
        }
        if MINS {
            for (lane, sum) in sums.iter_mut().enumerate() {
                *sum = madd::<FUSED>(inputs.sums[at], factor(block, 1, lane), *sum);
            }
        }
    }
    out[row * PANEL..][..PANEL].copy_from_slice(&sums);
    1
}

/// A scale or minimum of a block.
pub(super) fn factor(block: &[u8], row: usize, lane: usize) -> f32 {
    let at = (row * PANEL + lane) * 2;
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

/// The codes of a block of a panel, group by group.
#[inline(always)]
pub(super) fn unpack<const BITS: u8, const MINS: bool>(
    block: &[u8],
) -> [[u8; PANEL * GROUP]; GROUPS] {
    let codes = &block
        [block_bytes(BITS, MINS) - block_bytes(BITS, false) + if BITS == 6 { 64 } else { 32 }..];
    let (codes, rest) = codes.split_at(if BITS == 8 { 512 } else { 256 });
    std::array::from_fn(|group| {
        std::array::from_fn(|at| {
            if BITS == 8 {
                return codes[group * 64 + at];
            }
            let nibble = codes[group / 2 * 64 + at] >> (group % 2 * 4) & 15;
            match BITS {
                5 => nibble | (rest[group * 8 + at / 8] >> (at % 8) & 1) << 4,
                6 => nibble | (rest[group / 4 * 64 + at] >> (group % 4 * 2) & 3) << 4,
                _ => nibble,
            }
        })
    })
}

/// `R` rows with one panel, all sums in registers.
///
/// # Safety
/// The processor has the features; `tile` has `R` rows from its first on, and all slices have the lengths that
/// [`multiply`] asserts.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")]
unsafe fn avx512<const BITS: u8, const MINS: bool, const R: usize>(
    tile: Tile<'_>,
    out: &mut [f32],
) -> usize {
    use std::arch::x86_64::*;
    let Tile { inputs, panel, first, row } = tile;
    let blocks = inputs.width / BLOCK;
    // SAFETY: all reads below stay in the slices: `blocks` blocks of the panel, rows `row..row + R` of the inputs.
    unsafe {
        let (mut at, low) = (panel.as_ptr(), _mm512_set1_epi8(15));
        let codes_of = inputs.codes.as_ptr().add(row * inputs.width);
        let scales = inputs.scales.as_ptr().add(row * blocks);
        let (starts, sums_of) = (
            inputs.starts.as_ptr().wrapping_add(row * blocks),
            inputs.sums.as_ptr().wrapping_add(row * blocks),
        );
        let mut sums = [_mm512_loadu_ps(first.as_ptr()); R];
        for n in 0..blocks {
            let half = |p: *const u8| _mm512_cvtph_ps(_mm256_loadu_si256(p.cast()));
            let whole = |p: *const u8| _mm512_loadu_si512(p.cast());
            for line in 0..block_bytes(BITS, MINS).div_ceil(64) {
                _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(AHEAD + line * 64).cast());
            }
            let scale = half(at);
            let second = if BITS == 6 || MINS { half(at.add(32)) } else { scale };
            let codes = at.add(
                block_bytes(BITS, MINS) - block_bytes(BITS, false)
                    + if BITS == 6 { 64 } else { 32 },
            );
            let mut groups = [_mm512_setzero_si512(); GROUPS];
            for (g, group) in groups.iter_mut().enumerate() {
                if BITS == 8 {
                    *group = whole(codes.add(g * 64));
                    continue;
                }
                let pair = whole(codes.add(g / 2 * 64));
                let nibble = _mm512_and_si512(
                    if g % 2 == 0 { pair } else { _mm512_srli_epi16::<4>(pair) },
                    low,
                );
                *group = match BITS {
                    5 => {
                        let mask = codes.add(256 + g * 8).cast::<u64>().read_unaligned();
                        add_sixteen(nibble, mask)
                    }
                    6 => {
                        let bits = whole(codes.add(256 + g / 4 * 64));
                        let bits = match g % 4 {
                            0 => _mm512_slli_epi16::<4>(bits),
                            1 => _mm512_slli_epi16::<2>(bits),
                            2 => bits,
                            _ => _mm512_srli_epi16::<2>(bits),
                        };
                        _mm512_or_si512(nibble, _mm512_and_si512(bits, _mm512_set1_epi8(0x30)))
                    }
                    _ => nibble,
                };
            }
            for (r, sum) in sums.iter_mut().enumerate() {
                let row_codes = codes_of.add(r * inputs.width + n * BLOCK);
                let four = |g: usize| {
                    _mm512_set1_epi32(row_codes.add(g * GROUP).cast::<i32>().read_unaligned())
                };
                let row_scale = _mm512_set1_ps(*scales.add(r * blocks + n));
                let start = if MINS { [0; 2] } else { *starts.add(r * blocks + n) };
                if BITS == 6 {
                    let mut dots = [_mm512_set1_epi32(start[0]), _mm512_set1_epi32(start[1])];
                    for (g, group) in groups.iter().enumerate() {
                        let dot = &mut dots[g / (GROUPS / 2)];
                        *dot = _mm512_dpbusd_epi32(*dot, *group, four(g));
                    }
                    let product = |dot| _mm512_mul_ps(_mm512_cvtepi32_ps(dot), row_scale);
                    *sum = _mm512_fmadd_ps(product(dots[0]), scale, *sum);
                    *sum = _mm512_fmadd_ps(product(dots[1]), second, *sum);
                } else {
                    let mut dot = _mm512_set1_epi32(start[0] + start[1]);
                    for (g, group) in groups.iter().enumerate() {
                        dot = _mm512_dpbusd_epi32(dot, *group, four(g));
                    }
                    *sum = _mm512_fmadd_ps(
                        _mm512_mul_ps(_mm512_cvtepi32_ps(dot), row_scale),
                        scale,
                        *sum,
                    );
                }
                if MINS {
                    *sum =
                        _mm512_fmadd_ps(_mm512_set1_ps(*sums_of.add(r * blocks + n)), second, *sum);
                }
            }
            at = at.add(block_bytes(BITS, MINS));
        }
        for (r, sum) in sums.iter().enumerate() {
            _mm512_storeu_ps(out.as_mut_ptr().add((row + r) * PANEL), *sum);
        }
    }
    R
}

/// Adds 16 to the bytes that the mask names.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn add_sixteen(bytes: std::arch::x86_64::__m512i, mask: u64) -> std::arch::x86_64::__m512i {
    use std::arch::x86_64::{_mm512_mask_add_epi8, _mm512_set1_epi8};
    _mm512_mask_add_epi8(bytes, mask, bytes, _mm512_set1_epi8(16))
}

/// One row with one panel, in two registers of eight outputs.
///
/// # Safety
/// As [`avx512`], with one row.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn avx2<const BITS: u8, const MINS: bool>(tile: Tile<'_>, out: &mut [f32]) -> usize {
    use std::arch::x86_64::*;
    let Tile { inputs, panel, first, row } = tile;
    let blocks = inputs.width / BLOCK;
    // SAFETY: as in `avx512`; of each 64 bytes of codes, the first 32 are of the first eight outputs.
    unsafe {
        let (low, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
        let mut sums = [_mm256_loadu_ps(first.as_ptr()), _mm256_loadu_ps(first.as_ptr().add(8))];
        for n in 0..blocks {
            let block = panel.as_ptr().add(n * block_bytes(BITS, MINS));
            let codes = block.add(
                block_bytes(BITS, MINS) - block_bytes(BITS, false)
                    + if BITS == 6 { 64 } else { 32 },
            );
            let index = row * blocks + n;
            let row_codes = inputs.codes.as_ptr().add(index * BLOCK);
            let row_scale = _mm256_set1_ps(*inputs.scales.as_ptr().add(index));
            // Codes of 8 bits lose their offset before they are multiplied.
            let start = if MINS || BITS == 8 { [0; 2] } else { *inputs.starts.as_ptr().add(index) };
            for (side, sum) in sums.iter_mut().enumerate() {
                let half = |row: usize| {
                    _mm256_cvtph_ps(_mm_loadu_si128(block.add(row * 32 + side * 16).cast()))
                };
                let load = |at: usize| _mm256_loadu_si256(codes.add(at + side * 32).cast());
                let mut dots = if BITS == 6 {
                    [_mm256_set1_epi32(start[0]), _mm256_set1_epi32(start[1])]
                } else {
                    [_mm256_set1_epi32(start[0] + start[1]), _mm256_setzero_si256()]
                };
                for g in 0..GROUPS {
                    let four =
                        _mm256_set1_epi32(row_codes.add(g * GROUP).cast::<i32>().read_unaligned());
                    let dot = &mut dots[if BITS == 6 { g / (GROUPS / 2) } else { 0 }];
                    if BITS == 8 {
                        // Two products of a byte above 127 would not fit 16 bits: the input takes the code's sign.
                        let code = _mm256_xor_si256(load(g * 64), _mm256_set1_epi8(-128));
                        let pairs = _mm256_maddubs_epi16(
                            _mm256_abs_epi8(code),
                            _mm256_sign_epi8(four, code),
                        );
                        *dot = _mm256_add_epi32(*dot, _mm256_madd_epi16(pairs, ones));
                        continue;
                    }
                    let pair = load(g / 2 * 64);
                    let nibble = _mm256_and_si256(
                        if g % 2 == 0 { pair } else { _mm256_srli_epi16::<4>(pair) },
                        low,
                    );
                    let code = match BITS {
                        5 => {
                            let mask =
                                codes.add(256 + g * 8 + side * 4).cast::<i32>().read_unaligned();
                            // Each byte gets the byte of the mask that holds its bit, then keeps that bit alone.
                            let spread = _mm256_shuffle_epi8(
                                _mm256_set1_epi32(mask),
                                _mm256_set_epi64x(
                                    0x0303_0303_0303_0303,
                                    0x0202_0202_0202_0202,
                                    0x0101_0101_0101_0101,
                                    0,
                                ),
                            );
                            let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64 as i64);
                            let set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
                            _mm256_or_si256(nibble, _mm256_and_si256(set, _mm256_set1_epi8(16)))
                        }
                        6 => {
                            let bits = load(256 + g / 4 * 64);
                            let bits = match g % 4 {
                                0 => _mm256_slli_epi16::<4>(bits),
                                1 => _mm256_slli_epi16::<2>(bits),
                                2 => bits,
                                _ => _mm256_srli_epi16::<2>(bits),
                            };
                            _mm256_or_si256(nibble, _mm256_and_si256(bits, _mm256_set1_epi8(0x30)))
                        }
                        _ => nibble,
                    };
                    let pairs = _mm256_maddubs_epi16(code, four);
                    *dot = _mm256_add_epi32(*dot, _mm256_madd_epi16(pairs, ones));
                }
                let product = |dot| _mm256_mul_ps(_mm256_cvtepi32_ps(dot), row_scale);
                *sum = _mm256_fmadd_ps(product(dots[0]), half(0), *sum);
                if BITS == 6 {
                    *sum = _mm256_fmadd_ps(product(dots[1]), half(1), *sum);
                }
                if MINS {
                    *sum = _mm256_fmadd_ps(
                        _mm256_set1_ps(*inputs.sums.as_ptr().add(index)),
                        half(1),
                        *sum,
                    );
                }
            }
        }
        for (side, sum) in sums.iter().enumerate() {
            _mm256_storeu_ps(out.as_mut_ptr().add(row * PANEL + side * 8), *sum);
        }
    }
    1
}
