//! Confidence: the probability that the answer is right and supported, from measured signals.

use serde::{Deserialize, Serialize};

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
pub struct Signals {
    /// Cosine of the best passage.
    pub cosine: f32,
}

impl Signals {
    /// The signals by name, for records and for people.
    pub fn named(&self) -> Vec<(&'static str, f32)> {
        vec![("cosine", self.cosine)]
    }
}
