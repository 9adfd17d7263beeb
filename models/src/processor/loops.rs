//! The loops between the products, each once in safe Rust and compiled for the widest registers of the machine.
#![expect(unsafe_code, reason = "calls of functions compiled for one kind of processor")]

use super::level::{LANES, for_every_level, madd};

/// Adding and taking it away rounds a number below 2^22 to a whole one, halves to even.
pub(crate) const ROUNDER: f32 = 12_582_912.0;

/// How rows are normed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RootNorm<'a> {
    /// Factors, one a column.
    pub(crate) gain: &'a [f32],
    /// Added to the mean of the squares.
    pub(crate) epsilon: f32,
}

for_every_level!(
    /// Each row divided by the root of its mean square, times the gain (Zhang and Sennrich 2019).
    root_norm, root_norm_avx512, root_norm_avx2, root_norm_body,
    (rows: &[f32], norm: RootNorm<'_>, out: &mut [f32])
);

#[inline(always)]
fn root_norm_body<const FUSED: bool>(rows: &[f32], norm: RootNorm<'_>, out: &mut [f32]) {
    let width = norm.gain.len();
    for (row, out) in rows.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let mut sums = [0.0_f32; LANES];
        let (chunks, rest) = row.as_chunks::<LANES>();
        for chunk in chunks {
            for lane in 0..LANES {
                sums[lane] = madd::<FUSED>(chunk[lane], chunk[lane], sums[lane]);
            }
        }
        for (lane, x) in rest.iter().enumerate() {
            sums[lane] = madd::<FUSED>(*x, *x, sums[lane]);
        }
        let scale = 1.0 / (total(&sums) / width as f32 + norm.epsilon).sqrt();
        for ((out, x), gain) in out.iter_mut().zip(row).zip(norm.gain) {
            *out = x * scale * gain;
        }
    }
}

for_every_level!(
    /// `gate / (1 + e^-gate) * up`, number by number.
    gated, gated_avx512, gated_avx2, gated_body,
    (gates: &[f32], ups: &[f32], out: &mut [f32])
);

#[inline(always)]
fn gated_body<const FUSED: bool>(gates: &[f32], ups: &[f32], out: &mut [f32]) {
    for ((out, gate), up) in out.iter_mut().zip(gates).zip(ups) {
        // Of a positive and a negative gate, the power is at most 1.
        let power = exp::<FUSED>(-gate.abs());
        let upper = if *gate < 0.0 { power } else { 1.0 };
        *out = gate * upper / (1.0 + power) * up;
    }
}

for_every_level!(
    /// Shares that sum to one: `row[..seen]` becomes e^x over the sum of all, the rest zero.
    softmax, softmax_avx512, softmax_avx2, softmax_body,
    (row: &mut [f32], seen: usize)
);

#[inline(always)]
fn softmax_body<const FUSED: bool>(row: &mut [f32], seen: usize) {
    let (row, rest) = row.split_at_mut(seen);
    rest.fill(0.0);
    let top = largest(row);
    let mut sums = [0.0_f32; LANES];
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            chunk[lane] = exp::<FUSED>(chunk[lane] - top);
            sums[lane] += chunk[lane];
        }
    }
    for (lane, x) in rest.iter_mut().enumerate() {
        *x = exp::<FUSED>(*x - top);
        sums[lane] += *x;
    }
    let inverse = 1.0 / total(&sums);
    for x in row {
        *x *= inverse;
    }
}

for_every_level!(
    /// The largest of the numbers and, above it, the natural logarithm of the sum of e^(x / temperature); minus infinity
    /// and not-a-number when there are none or one of them is not-a-number or infinite.
    log_sum_exp, log_sum_exp_avx512, log_sum_exp_avx2, log_sum_exp_body,
    (numbers: &[f32], temperature: f32, top: &mut f32, log: &mut f32)
);

#[inline(always)]
fn log_sum_exp_body<const FUSED: bool>(
    numbers: &[f32],
    temperature: f32,
    top: &mut f32,
    log: &mut f32,
) {
    *top = largest(numbers);
    let inverse = 1.0 / temperature;
    // Sums of short stretches first: 32 bits keep seven digits of each.
    let mut sum = 0.0_f64;
    let mut odd = 0.0_f32;
    for stretch in numbers.chunks(64 * LANES) {
        let mut sums = [0.0_f32; LANES];
        let (chunks, rest) = stretch.as_chunks::<LANES>();
        for chunk in chunks {
            for lane in 0..LANES {
                sums[lane] += exp::<FUSED>((chunk[lane] - *top) * inverse);
                odd += chunk[lane] * 0.0;
            }
        }
        for (lane, x) in rest.iter().enumerate() {
            sums[lane] += exp::<FUSED>((x - *top) * inverse);
            odd += x * 0.0;
        }
        sum += f64::from(total(&sums));
    }
    *log = if odd == 0.0 && !numbers.is_empty() { sum.ln() as f32 } else { f32::NAN };
}

/// The largest number; minus infinity of none.
#[inline(always)]
pub(crate) fn largest(numbers: &[f32]) -> f32 {
    let mut tops = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = numbers.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            tops[lane] = if chunk[lane] > tops[lane] { chunk[lane] } else { tops[lane] };
        }
    }
    let mut top = f32::NEG_INFINITY;
    for x in tops.iter().chain(rest) {
        top = if *x > top { *x } else { top };
    }
    top
}

/// The lanes from the first to the last.
#[inline(always)]
pub(crate) fn total(sums: &[f32; LANES]) -> f32 {
    let mut sum = 0.0;
    for x in sums {
        sum += x;
    }
    sum
}

/// e to the power of a number of at most 0: a power of two times a polynomial (Cephes, `expf`), off by 2e-7 of it at
/// most; 0 below -87.
#[inline(always)]
pub(crate) fn exp<const FUSED: bool>(x: f32) -> f32 {
    const C: [f32; 6] =
        [1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5];
    let low = x < -87.0;
    let x = if low { -87.0 } else { x };
    let whole = madd::<FUSED>(x, std::f32::consts::LOG2_E, ROUNDER);
    let power = whole.to_bits().wrapping_sub(ROUNDER.to_bits()) as i32;
    let whole = whole - ROUNDER;
    // ln 2 in two parts, so that the difference keeps its digits.
    let rest = madd::<FUSED>(whole, -0.693_359_4, x);
    let rest = madd::<FUSED>(whole, 2.121_944_4e-4, rest);
    let mut sum = C[0];
    for c in [C[1], C[2], C[3], C[4], C[5]] {
        sum = madd::<FUSED>(sum, rest, c);
    }
    let near = madd::<FUSED>(sum * rest, rest, rest) + 1.0;
    let scaled = near * f32::from_bits(((power + 127) << 23) as u32);
    if low { 0.0 } else { scaled }
}

#[cfg(test)]
mod tests {
    use super::super::level::Level;
    use super::*;

    fn near(a: &[f32], b: &[f64], off: f64) {
        assert_eq!(a.len(), b.len());
        for (at, (x, y)) in a.iter().zip(b).enumerate() {
            assert!((f64::from(*x) - y).abs() <= off * (1.0 + y.abs()), "{at}: {x} for {y}");
        }
    }

    #[test]
    fn powers_of_e() {
        for x in (0..2000).map(|n| -(n as f32) / 20.0) {
            let (got, wanted) = (exp::<true>(x), f64::from(x).exp() as f32);
            assert!((got - wanted).abs() <= wanted * 4e-7 + 1e-37, "{x}: {got} for {wanted}");
        }
    }

    #[test]
    fn loops_follow_their_formulas() {
        for (level, count) in
            Level::all().into_iter().flat_map(|level| [1, 16, 37, 300].map(|n| (level, n)))
        {
            let xs: Vec<f32> = (0..count).map(|n| ((n * 37 % 101) as f32 - 50.0) / 9.0).collect();
            let wide: Vec<f64> = xs.iter().map(|x| f64::from(*x)).collect();
            let ups = vec![2.0; count];
            let mut out = vec![0.0; count];
            gated(level, &xs, &ups, &mut out);
            near(
                &out,
                &wide.iter().map(|x| 2.0 * x / (1.0 + (-x).exp())).collect::<Vec<_>>(),
                1e-6,
            );

            let gain = vec![0.5; count];
            root_norm(level, &xs, RootNorm { gain: &gain, epsilon: 0.01 }, &mut out);
            let square = wide.iter().map(|x| x * x).sum::<f64>() / count as f64;
            near(
                &out,
                &wide.iter().map(|x| 0.5 * x / (square + 0.01).sqrt()).collect::<Vec<_>>(),
                1e-6,
            );

            let sum: f64 = wide.iter().map(|x| x.exp()).sum();
            let mut row = xs.clone();
            row.extend([9.0; 5]);
            softmax(level, &mut row, count);
            assert_eq!(row[count..], [0.0; 5]);
            near(&row[..count], &wide.iter().map(|x| x.exp() / sum).collect::<Vec<_>>(), 1e-6);

            let (mut top, mut log) = (0.0, 0.0);
            log_sum_exp(level, &xs, 2.0, &mut top, &mut log);
            let sum: f64 = wide.iter().map(|x| (x / 2.0).exp()).sum();
            near(&[top / 2.0 + log], &[sum.ln()], 1e-6);
            for bad in [f32::NAN, f32::INFINITY] {
                let mut bent = xs.clone();
                bent[count / 2] = bad;
                log_sum_exp(level, &bent, 1.0, &mut top, &mut log);
                assert!(log.is_nan(), "{bad}");
            }
        }
    }
}
