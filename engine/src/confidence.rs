//! Confidence: the probability that the answer is right and supported, from measured signals.

mod own;
mod risk;

use serde::{Deserialize, Serialize};

use crate::search::Hit;

pub use own::{Judged, Tuned};
pub use risk::{Point, RiskCurve, as_visitor};

/// A confidence with the signals that made it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// Probability that the answer is right and supported, 0 to 1.
    pub value: f32,
    /// The signals.
    pub signals: Signals,
}

/// What the confidence is computed from; each is 0 when unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signals {
    /// Cosine of question and best passage, -1 to 1.
    pub cosine: f32,
    /// Cosine of question and the nearest of its heading and sentences, -1 to 1.
    pub unit: f32,
    /// Share of the question's idf mass that the best passage holds, 0 to 1.
    pub coverage: f32,
    /// Mean cosine of the passages nearest to the question, -1 to 1: what it finds anyway in this knowledge.
    pub typical: f32,
    /// Cosine of question and best sentence under its heading, -1 to 1; recorded, it adds nothing to the others.
    pub sentence: f32,
    /// Share of the draft's sentences that the passages support, 0 to 1.
    pub support: f32,
}

/// Weights of a logistic regression over [`Signals`], in the order of [`Signals::features`], and its intercept.
///
/// Fitted by `porchlight-evals fit`; the sets and the figures stand in the README.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// One weight a feature.
    pub weights: [f32; FEATURES],
    /// Intercept.
    pub bias: f32,
}

/// Features of the regression.
pub const FEATURES: usize = 4;

/// The calibration that ships.
pub const SHIPPED: Calibration = Calibration { weights: [6.2, 5.4, 1.4, -7.8], bias: -4.8 };

impl Signals {
    /// Signals of what was found; `sentence` and `support` are filled in while drafting.
    pub fn of_hits(hits: &[Hit]) -> Self {
        let Some(first) = hits.first() else { return Self::default() };
        Self {
            cosine: first.cosine,
            unit: first.unit,
            coverage: first.coverage,
            typical: first.typical,
            sentence: 0.0,
            support: 0.0,
        }
    }

    /// The regression's input.
    pub fn features(&self) -> [f32; FEATURES] {
        [self.cosine, self.unit, self.coverage, self.typical]
    }

    /// The signals by name, for records and for people.
    pub fn named(&self) -> [(&'static str, f32); 6] {
        [
            ("cosine", self.cosine),
            ("unit", self.unit),
            ("coverage", self.coverage),
            ("typical", self.typical),
            ("sentence", self.sentence),
            ("support", self.support),
        ]
    }
}

impl Calibration {
    /// The confidence of `signals`: the regression's probability times the support.
    pub fn confidence(&self, signals: Signals) -> Confidence {
        let answerable = logistic(self.log_odds(&signals));
        Confidence { value: answerable * signals.support.clamp(0.0, 1.0), signals }
    }

    /// Log-odds that the passages answer, the support left out.
    pub fn log_odds(&self, signals: &Signals) -> f32 {
        let sum: f32 = self.weights.iter().zip(signals.features()).map(|(w, x)| w * x).sum();
        sum + self.bias
    }
}

fn logistic(log_odds: f32) -> f32 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_evidence_is_more_confidence() {
        let weak = Signals { cosine: 0.2, typical: 0.2, support: 1.0, ..Signals::default() };
        let strong = Signals {
            cosine: 0.8,
            unit: 0.8,
            coverage: 0.9,
            typical: 0.3,
            sentence: 0.8,
            support: 1.0,
        };
        let of = |signals| SHIPPED.confidence(signals).value;
        assert!(of(weak) < 0.3, "{}", of(weak));
        assert!(of(strong) > 0.8, "{}", of(strong));
        assert_eq!(of(Signals { support: 0.0, ..strong }), 0.0);
    }
}
