//! Attention of a few queries to the keys and values of one text, kept in 16 bits.
//!
//! Positions stand in blocks of 16. A block holds, for each key head, the keys column by column (16 positions of the
//! first number, 16 of the second, ...), and the values row by row.
#![expect(
    unsafe_code,
    reason = "registers that safe code cannot name; each use says why it is sound"
)]

use half::f16;

use super::level::{LANES, Level, madd};
use super::loops::softmax;

/// Positions of a block.
pub(crate) const POSITIONS: usize = 16;
/// Queries that are worked on at once at most.
pub(crate) const QUERIES: usize = 8;

/// Keys and values of one layer of a text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) keys: Vec<u16>,
    pub(crate) values: Vec<u16>,
}

/// How many heads of keys there are, and how many numbers one has: a multiple of 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heads {
    pub(crate) count: usize,
    pub(crate) size: usize,
}

impl Heads {
    /// Numbers of a block, of keys and of values each.
    pub(crate) fn block(self) -> usize {
        self.count * self.size * POSITIONS
    }

    /// Writes key and value (all heads, one after the other) of a position of a block.
    pub(crate) fn put(
        self,
        (keys, values): (&mut [u16], &mut [u16]),
        position: usize,
        (key, value): (&[f32], &[f32]),
    ) {
        let head = self.size * POSITIONS;
        for (n, x) in key.iter().enumerate() {
            let at = n / self.size * head + n % self.size * POSITIONS + position;
            keys[at] = kept(*x);
        }
        for (n, x) in value.iter().enumerate() {
            let at = n / self.size * head + position * self.size + n % self.size;
            values[at] = kept(*x);
        }
    }
}

/// In 16 bits. Beyond their range the largest number stands, so that a token which nobody is to see yet adds nothing.
fn kept(x: f32) -> u16 {
    f16::from_f32(x.clamp(f16::MIN.to_f32(), f16::MAX.to_f32())).to_bits()
}

/// Queries of one key head: `size` numbers each, scaled; each sees the positions before its own end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Queries<'a> {
    pub(crate) heads: Heads,
    pub(crate) numbers: &'a [f32],
    /// One a query: how many positions it sees, at least 1.
    pub(crate) seen: &'a [usize],
    /// Which head of keys.
    pub(crate) head: usize,
}

/// What each query gathers goes to `out`, `size` numbers each.
///
/// A score is the sum over the head's numbers from the first on, each added by a fused multiplication; a gathered number
/// is the sum over the positions from the first on.
///
/// # Panics
/// When there are more than [`QUERIES`] queries, or a slice is shorter than the sizes say.
pub(crate) fn attend(level: Level, memory: &Memory, queries: Queries<'_>, out: &mut [f32]) {
    let heads = queries.heads;
    let count = queries.seen.len();
    let most = queries.seen.iter().copied().max().unwrap_or(0);
    let padded = most.next_multiple_of(POSITIONS);
    assert!(count <= QUERIES && heads.size.is_multiple_of(LANES) && queries.head < heads.count);
    assert!(queries.numbers.len() >= count * heads.size && out.len() >= count * heads.size);
    let blocks = padded / POSITIONS;
    assert!(
        memory.keys.len() >= blocks * heads.block()
            && memory.values.len() >= blocks * heads.block()
    );
    let mut scores = vec![0.0; QUERIES * padded];
    let task = Task { memory, queries, padded };
    score(level, task, &mut scores);
    for (row, seen) in scores.chunks_exact_mut(padded).zip(queries.seen) {
        softmax(level, row, *seen);
    }
    gather(level, task, most, &scores, out);
}

#[derive(Clone, Copy)]
struct Task<'a> {
    memory: &'a Memory,
    queries: Queries<'a>,
    /// Positions of a row of scores.
    padded: usize,
}

macro_rules! by_count {
    ($function:ident, $count:expr, $($arg:expr),*) => {
        match $count {
            0 => {}
            1 => $function::<1>($($arg),*),
            2 => $function::<2>($($arg),*),
            3 => $function::<3>($($arg),*),
            4 => $function::<4>($($arg),*),
            5 => $function::<5>($($arg),*),
            6 => $function::<6>($($arg),*),
            7 => $function::<7>($($arg),*),
            _ => $function::<8>($($arg),*),
        }
    };
}

fn score(level: Level, task: Task<'_>, scores: &mut [f32]) {
    match level {
        // SAFETY: `Level::detect` gives a level only where the processor has its features; `attend` held the sizes.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { by_count!(score_avx512, task.queries.seen.len(), task, scores) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { score_avx2(task, scores) },
        _ => score_safe::<{ cfg!(target_arch = "aarch64") }>(task, scores),
    }
}

fn gather(level: Level, task: Task<'_>, most: usize, shares: &[f32], out: &mut [f32]) {
    match level {
        // SAFETY: as in `score`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe {
            by_count!(gather_avx512, task.queries.seen.len(), task, most, shares, out)
        },
        // SAFETY: as in `score`.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { gather_avx2(task, most, shares, out) },
        _ => gather_safe::<{ cfg!(target_arch = "aarch64") }>(task, most, shares, out),
    }
}

#[inline(always)]
fn score_safe<const FUSED: bool>(task: Task<'_>, scores: &mut [f32]) {
    let Task { memory, queries, padded } = task;
    let heads = queries.heads;
    let head = heads.size * POSITIONS;
    for (query, row) in queries
        .numbers
        .chunks_exact(heads.size)
        .zip(scores.chunks_exact_mut(padded))
        .take(queries.seen.len())
    {
        for (block, out) in
            memory.keys.chunks_exact(heads.block()).zip(row.chunks_exact_mut(POSITIONS))
        {
            let mut sums = [0.0_f32; POSITIONS];
            let columns = block[queries.head * head..][..head].chunks_exact(POSITIONS);
            for (x, column) in query.iter().zip(columns) {
                for (sum, key) in sums.iter_mut().zip(column) {
                    *sum = madd::<FUSED>(*x, f16::from_bits(*key).to_f32(), *sum);
                }
            }
            out.copy_from_slice(&sums);
        }
    }
}

#[inline(always)]
fn gather_safe<const FUSED: bool>(task: Task<'_>, most: usize, shares: &[f32], out: &mut [f32]) {
    let Task { memory, queries, padded } = task;
    let heads = queries.heads;
    let head = heads.size * POSITIONS;
    for (row, out) in
        shares.chunks_exact(padded).zip(out.chunks_exact_mut(heads.size)).take(queries.seen.len())
    {
        out.fill(0.0);
        let values = |position: usize| {
            let block = position / POSITIONS * heads.block() + queries.head * head;
            &memory.values[block + position % POSITIONS * heads.size..][..heads.size]
        };
        for (position, share) in row.iter().enumerate().take(most) {
            for (sum, value) in out.iter_mut().zip(values(position)) {
                *sum = madd::<FUSED>(*share, f16::from_bits(*value).to_f32(), *sum);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn score_avx2(task: Task<'_>, scores: &mut [f32]) {
    score_safe::<true>(task, scores);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn gather_avx2(task: Task<'_>, most: usize, shares: &[f32], out: &mut [f32]) {
    gather_safe::<true>(task, most, shares, out);
}

/// Products of `R` queries with all keys, two blocks at a time where `R` is small.
///
/// # Safety
/// The processor has the features; the sizes are those that [`attend`] asserts, with `R` queries.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
unsafe fn score_avx512<const R: usize>(task: Task<'_>, scores: &mut [f32]) {
    use std::arch::x86_64::*;
    let Task { memory, queries, padded } = task;
    let heads = queries.heads;
    let (head, step) = (heads.size * POSITIONS, heads.block());
    // SAFETY: each block that is read holds `head` keys from `queries.head * head` on, and there are `padded / 16` blocks;
    // a query has `heads.size` numbers; row `r` of the scores has `padded` numbers.
    unsafe {
        let keys = memory.keys.as_ptr().add(queries.head * head);
        let query = queries.numbers.as_ptr();
        let blocks = padded / POSITIONS;
        let mut at = 0;
        while at < blocks {
            // Two blocks keep enough sums in flight for few queries; more queries do so by themselves.
            let second = if R <= 4 && at + 1 < blocks { 1 } else { 0 };
            let (one, two) = (keys.add(at * step), keys.add((at + second) * step));
            let mut sums = [[_mm512_setzero_ps(); 2]; R];
            for d in 0..heads.size {
                let key = _mm512_cvtph_ps(_mm256_loadu_si256(one.add(d * POSITIONS).cast()));
                for (r, sums) in sums.iter_mut().enumerate() {
                    sums[0] = _mm512_fmadd_ps(
                        _mm512_set1_ps(*query.add(r * heads.size + d)),
                        key,
                        sums[0],
                    );
                }
                if R <= 4 {
                    let key = _mm512_cvtph_ps(_mm256_loadu_si256(two.add(d * POSITIONS).cast()));
                    for (r, sums) in sums.iter_mut().enumerate() {
                        sums[1] = _mm512_fmadd_ps(
                            _mm512_set1_ps(*query.add(r * heads.size + d)),
                            key,
                            sums[1],
                        );
                    }
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                let row = scores.as_mut_ptr().add(r * padded);
                _mm512_storeu_ps(row.add(at * POSITIONS), sums[0]);
                if second == 1 {
                    _mm512_storeu_ps(row.add((at + 1) * POSITIONS), sums[1]);
                }
            }
            at += 1 + second;
        }
    }
}

/// What `R` queries gather, 32 numbers of the values at a time.
///
/// # Safety
/// As [`score_avx512`]; `most` is at most `padded`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
unsafe fn gather_avx512<const R: usize>(
    task: Task<'_>,
    most: usize,
    shares: &[f32],
    out: &mut [f32],
) {
    use std::arch::x86_64::*;
    let Task { memory, queries, padded } = task;
    let heads = queries.heads;
    let head = heads.size * POSITIONS;
    // SAFETY: as in `score_avx512`; position `p` has `heads.size` values in block `p / 16`, and `out` has `R` rows.
    unsafe {
        let values = memory.values.as_ptr().add(queries.head * head);
        let mut d = 0;
        while d < heads.size {
            // The last 16 numbers of a head of odd sixteens are done twice, side by side, and stored once.
            let wide = d + 32 <= heads.size;
            let next = if wide { 16 } else { 0 };
            let mut sums = [[_mm512_setzero_ps(); 2]; R];
            for position in 0..most {
                let at = values.add(
                    position / POSITIONS * heads.block() + position % POSITIONS * heads.size + d,
                );
                let value = |n: usize| _mm512_cvtph_ps(_mm256_loadu_si256(at.add(n).cast()));
                let (one, two) = (value(0), value(next));
                for (r, sums) in sums.iter_mut().enumerate() {
                    let share = _mm512_set1_ps(*shares.as_ptr().add(r * padded + position));
                    sums[0] = _mm512_fmadd_ps(share, one, sums[0]);
                    sums[1] = _mm512_fmadd_ps(share, two, sums[1]);
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                let to = out.as_mut_ptr().add(r * heads.size + d);
                _mm512_storeu_ps(to, sums[0]);
                if wide {
                    _mm512_storeu_ps(to.add(16), sums[1]);
                }
            }
            d += 32;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn attention_follows_its_formula(
            count in 1_usize..=QUERIES, sixteens in 1_usize..5, length in 1_usize..70, keys in 1_usize..4, seed in any::<u64>()
        ) {
            let heads = Heads { count: keys, size: sixteens * 16 };
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                f16::from_f32((state >> 40) as f32 / (1_u32 << 22) as f32 - 2.0).to_f32()
            };
            let width = keys * heads.size;
            let mut take = |n: usize| (0..n).map(|_| next()).collect::<Vec<f32>>();
            let (all_keys, all_values) = (take(length * width), take(length * width));
            let numbers: Vec<f32> = take(count * heads.size).iter().map(|x| x / 8.0).collect();
            let room = length.div_ceil(POSITIONS) * heads.block();
            let mut memory = Memory { keys: vec![0; room], values: vec![0; room] };
            for position in 0..length {
                let block = position / POSITIONS * heads.block();
                let (key, value) = (&all_keys[position * width..][..width], &all_values[position * width..][..width]);
                let blocks = (&mut memory.keys[block..], &mut memory.values[block..]);
                heads.put(blocks, position % POSITIONS, (key, value));
            }
            let seen: Vec<usize> = (0..count).map(|n| length.saturating_sub(n).max(1)).collect();
            let queries = Queries { heads, numbers: &numbers, seen: &seen, head: keys - 1 };
            let mut reference: Vec<f32> = Vec::new();
            for level in Level::all() {
                let mut out = vec![f32::NAN; count * heads.size];
                attend(level, &memory, queries, &mut out);
                for (n, seen) in seen.iter().enumerate() {
                    let query = &numbers[n * heads.size..][..heads.size];
                    let part = |all: &[f32], p: usize, d: usize| f64::from(all[p * width + (keys - 1) * heads.size + d]);
                    let weight = |p: usize| (0..heads.size).map(|d| f64::from(query[d]) * part(&all_keys, p, d)).sum::<f64>().exp();
                    let total: f64 = (0..*seen).map(weight).sum();
                    for d in 0..heads.size {
                        let sum: f64 = (0..*seen).map(|p| weight(p) / total * part(&all_values, p, d)).sum();
                        let got = f64::from(out[n * heads.size + d]);
                        prop_assert!((got - sum).abs() < 2e-5 * (1.0 + sum.abs()), "{:?}: {} for {}", level, got, sum);
                    }
                    // A query alone gathers what it gathers among others.
                    let mut alone = vec![0.0; heads.size];
                    let one = Queries { heads, numbers: query, seen: &[*seen], head: keys - 1 };
                    attend(level, &memory, one, &mut alone);
                    prop_assert_eq!(&alone[..], &out[n * heads.size..][..heads.size]);
                }
                if reference.is_empty() {
                    reference.clone_from(&out);
                } else if level == Level::Avx2 {
                    prop_assert_eq!(&reference, &out);
                }
            }
        }
    }
}
