//! Fits the logistic regression behind the confidence: full-batch Newton steps with an L2 penalty, deterministic.

use engine::confidence::{Calibration, FEATURES};

/// Newton steps; six already change nothing in the fourth digit.
const STEPS: usize = 25;
/// Penalty on each squared weight, in examples: small, as features that vary little need large weights.
const L2: f64 = 0.05;
/// Weights and the intercept.
const N: usize = FEATURES + 1;

/// One example: the signals' features, and whether the top passage answered; `weight` levels sets of unequal size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Example {
    pub(crate) features: [f32; FEATURES],
    pub(crate) right: bool,
    pub(crate) weight: f64,
}

/// The calibration that fits `examples` best.
pub(crate) fn fit(examples: &[Example]) -> Calibration {
    let mut beta = [0.0_f64; N];
    for _ in 0..STEPS {
        let (gradient, hessian) = slope(examples, &beta);
        let step = solve(hessian, gradient);
        for (b, s) in beta.iter_mut().zip(step) {
            *b -= s;
        }
    }
    let mut weights = [0.0; FEATURES];
    for (weight, b) in weights.iter_mut().zip(beta) {
        *weight = b as f32;
    }
    Calibration { weights, bias: beta[FEATURES] as f32 }
}

/// Gradient and Hessian of the penalised negative log-likelihood.
fn slope(examples: &[Example], beta: &[f64; N]) -> ([f64; N], [[f64; N]; N]) {
    let mut gradient = [0.0; N];
    let mut hessian = [[0.0; N]; N];
    for i in 0..N {
        let penalty = if i == FEATURES { 1e-6 } else { L2 };
        gradient[i] = penalty * beta[i];
        hessian[i][i] = penalty;
    }
    for example in examples {
        let x = input(example);
        let z: f64 = x.iter().zip(beta).map(|(x, b)| x * b).sum();
        let p = 1.0 / (1.0 + (-z).exp());
        let error = example.weight * (p - f64::from(u8::from(example.right)));
        let curve = example.weight * p * (1.0 - p);
        for i in 0..N {
            gradient[i] += error * x[i];
            for j in 0..N {
                hessian[i][j] += curve * x[i] * x[j];
            }
        }
    }
    (gradient, hessian)
}

fn input(example: &Example) -> [f64; N] {
    let mut x = [1.0; N];
    for (x, feature) in x.iter_mut().zip(example.features) {
        *x = f64::from(feature);
    }
    x
}

/// Gauss-Jordan with pivoting; the penalty keeps the matrix regular.
fn solve(mut a: [[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    for column in 0..N {
        let below = (column..N).max_by(|i, j| a[*i][column].abs().total_cmp(&a[*j][column].abs()));
        let pivot = below.unwrap_or(column);
        a.swap(column, pivot);
        b.swap(column, pivot);
        let scale = a[column][column];
        a[column].iter_mut().for_each(|value| *value /= scale);
        b[column] /= scale;
        let (row, right) = (a[column], b[column]);
        for i in (0..N).filter(|i| *i != column) {
            let factor = a[i][column];
            a[i].iter_mut().zip(row).for_each(|(value, r)| *value -= factor * r);
            b[i] -= factor * right;
        }
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovers_the_weights_that_made_the_labels() {
        let mut examples = Vec::new();
        for i in 0..4000_u32 {
            let x = f64::from(i % 100) / 100.0;
            let p = 1.0 / (1.0 + (-(6.0 * x - 3.0)).exp());
            let right = f64::from((i * 7919) % 1000) / 1000.0 < p;
            let mut features = [0.0; FEATURES];
            features[0] = x as f32;
            examples.push(Example { features, right, weight: 1.0 });
        }
        let fitted = fit(&examples);
        assert!((fitted.weights[0] - 6.0).abs() < 0.6, "{fitted:?}");
        assert!((fitted.bias + 3.0).abs() < 0.4, "{fitted:?}");
    }
}
