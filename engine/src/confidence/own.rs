//! The confidence fitted to one owner: what became of suggestions tells how sure the bot may be here.

use super::{Calibration, Signals};

/// Newton steps; the sum is convex in two unknowns, six already change nothing in the fifth digit.
const STEPS: usize = 12;
/// Prior precision of the slope around 1: a standard deviation of 0.25.
const SLOPE: f64 = 16.0;
/// Prior precision of the offset around 0: a standard deviation of 0.5. The best offsets of seven public knowledge bases
/// lie between -0.13 and 0.44 (`porchlight-evals calibration`), so a few verdicts must not move it further.
const OFFSET: f64 = 4.0;

/// Log-odds beyond which a verdict tells no more: one that contradicts near certainty must not turn everything.
const REACH: f64 = 3.0;

/// What replies to one owner's visitors are decided with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tuned {
    /// From signals to a probability.
    pub calibration: Calibration,
    /// Confidence from which a draft is sent, where the owner has chosen how many wrong answers may be; else the
    /// policy's own. 0 to 1.
    pub send_at: Option<f32>,
}

impl Default for Tuned {
    fn default() -> Self {
        Self { calibration: super::SHIPPED, send_at: None }
    }
}

/// A draft that the owner has judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// What its confidence was computed from.
    pub signals: Signals,
    /// Whether it was sent as it was, or nearly.
    pub right: bool,
}

impl Calibration {
    /// This calibration, its log-odds stretched and shifted as the owner's verdicts ask for: Platt scaling (Platt 1999) with
    /// normal priors around no change, so that none gives the same again and one changes little.
    pub fn with_verdicts(&self, verdicts: &[Judged]) -> Self {
        let (mut slope, mut offset) = (1.0_f64, 0.0_f64);
        for _ in 0..STEPS {
            let mut gradient = [SLOPE * (slope - 1.0), OFFSET * offset];
            let mut hessian = [[SLOPE, 0.0], [0.0, OFFSET]];
            for judged in verdicts {
                let z = f64::from(self.log_odds(&judged.signals)).clamp(-REACH, REACH);
                let p = 1.0 / (1.0 + (-(slope * z + offset)).exp());
                let (error, curve) = (p - f64::from(u8::from(judged.right)), p * (1.0 - p));
                gradient = [gradient[0] + error * z, gradient[1] + error];
                hessian[0][0] += curve * z * z;
                hessian[0][1] += curve * z;
                hessian[1][1] += curve;
            }
            let [[a, b], [_, d]] = hessian;
            // The priors keep it above SLOPE * OFFSET.
            let determinant = a * d - b * b;
            slope -= (d * gradient[0] - b * gradient[1]) / determinant;
            offset -= (a * gradient[1] - b * gradient[0]) / determinant;
        }
        let (slope, offset) = (slope as f32, offset as f32);
        Self {
            weights: self.weights.map(|weight| slope * weight),
            bias: slope * self.bias + offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::SHIPPED;
    use super::*;
    use proptest::prelude::*;

    fn signals(unit: f32) -> Signals {
        Signals { cosine: unit, unit, coverage: 0.5, typical: 0.3, sentence: unit, support: 1.0 }
    }

    fn judged(unit: f32, right: bool) -> Judged {
        Judged { signals: signals(unit), right }
    }

    /// The confidence of a middling draft after `verdicts`.
    fn after(verdicts: &[Judged]) -> f32 {
        SHIPPED.with_verdicts(verdicts).confidence(signals(0.6)).value
    }

    #[test]
    fn verdicts_move_the_confidence_their_way() {
        let before = after(&[]);
        assert!((before - SHIPPED.confidence(signals(0.6)).value).abs() < 1e-6);
        assert!((after(&[judged(0.6, false)]) - before).abs() < 0.1, "one verdict moves little");
        let wrong: Vec<Judged> = (0..60).map(|_| judged(0.6, false)).collect();
        assert!(after(&wrong) < 0.5 * before, "{} {before}", after(&wrong));
        let right: Vec<Judged> = (0..60).map(|_| judged(0.6, true)).collect();
        assert!(after(&right) > before + 0.1, "{} {before}", after(&right));
    }

    proptest! {
        #[test]
        fn any_verdicts_leave_a_probability_that_rises_with_the_evidence(
            verdicts in proptest::collection::vec((-1.0_f32..1.0, any::<bool>()), 0..200),
        ) {
            let verdicts: Vec<Judged> = verdicts.iter().map(|(unit, right)| judged(*unit, *right)).collect();
            let tuned = SHIPPED.with_verdicts(&verdicts);
            let value = tuned.confidence(signals(0.6)).value;
            prop_assert!((0.0..=1.0).contains(&value));
            prop_assert!(tuned.bias.is_finite() && tuned.weights.iter().all(|weight| weight.is_finite()));
        }
    }
}
