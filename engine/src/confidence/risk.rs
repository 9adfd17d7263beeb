//! Risk and coverage: how many questions would be answered at once, and how many of those wrongly, for each threshold.

use serde::Serialize;

use super::{Calibration, Signals};

/// What a question that a document asks of itself is surer of than a visitor's, in log-odds, when its answer is there:
/// headings use the document's own words. Median difference over public knowledge bases (`porchlight-evals calibration`).
const OWN_WORDS_ANSWERED: f32 = 2.8;
/// The same when the answer is not there.
const OWN_WORDS_UNANSWERED: f32 = 0.9;

/// One threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Confidence from which a draft is sent, 0 to 1.
    pub send_at: f32,
    /// Share of the questions that would be answered at once, 0 to 1.
    pub sent: f32,
    /// Expected share of wrong answers among those, 0 to 1; 0 when none is sent.
    pub wrong: f32,
}

/// Confidences of a sample of questions. As a confidence is the probability of being right, the wrong ones can be counted
/// without knowing which they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RiskCurve {
    /// Highest first.
    confidences: Vec<f32>,
}

/// The confidence that a visitor's question like this one would have: a document's question of itself, asked while its answer
/// was there or left out.
pub fn as_visitor(calibration: &Calibration, signals: &Signals, answered: bool) -> f32 {
    let gap = if answered { OWN_WORDS_ANSWERED } else { OWN_WORDS_UNANSWERED };
    super::logistic(calibration.log_odds(signals) - gap)
}

impl RiskCurve {
    /// Of a sample's confidences, in any order.
    pub fn new(mut confidences: Vec<f32>) -> Self {
        confidences.retain(|value| value.is_finite());
        confidences.sort_unstable_by(|a, b| b.total_cmp(a));
        Self { confidences }
    }

    /// Questions of the sample.
    pub fn len(&self) -> usize {
        self.confidences.len()
    }

    /// Whether the sample has none.
    pub fn is_empty(&self) -> bool {
        self.confidences.is_empty()
    }

    /// What a threshold brings.
    pub fn at(&self, send_at: f32) -> Point {
        let sent = self.confidences.partition_point(|value| *value >= send_at);
        let wrong = self.confidences[..sent].iter().fold(0.0, |sum, value| sum + (1.0 - value));
        Point {
            send_at,
            sent: sent as f32 / self.len().max(1) as f32,
            wrong: wrong / sent.max(1) as f32,
        }
    }

    /// The curve at `count` + 1 thresholds, evenly from 0 to 1.
    pub fn points(&self, count: u8) -> Vec<Point> {
        (0..=count).map(|at| self.at(f32::from(at) / f32::from(count.max(1)))).collect()
    }

    /// The lowest threshold at which at most `wrong` of the answers that are sent are wrong, 0 to 1; 1, which no confidence
    /// reaches, when there is none.
    pub fn send_at(&self, wrong: f32) -> f32 {
        // The expected share rises as the threshold falls: the last that fits is the lowest.
        let fits = |value: &&f32| self.at(**value).wrong <= wrong;
        self.confidences.iter().take_while(fits).last().copied().unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_threshold_sends_what_reaches_it() {
        let curve = RiskCurve::new(vec![0.5, 0.9, 0.7, f32::NAN]);
        for (send_at, sent, wrong) in
            [(0.95, 0.0, 0.0), (0.9, 1.0 / 3.0, 0.1), (0.6, 2.0 / 3.0, 0.2), (0.0, 1.0, 0.3)]
        {
            let point = curve.at(send_at);
            assert!((point.sent - sent).abs() < 1e-6, "{send_at}: {point:?}");
            assert!((point.wrong - wrong).abs() < 1e-6, "{send_at}: {point:?}");
        }
        for (wrong, send_at) in [(0.05, 1.0), (0.1, 0.9), (0.2, 0.7), (0.9, 0.5)] {
            assert!((curve.send_at(wrong + 1e-6) - send_at).abs() < 1e-6, "{wrong}");
        }
        assert_eq!(RiskCurve::default().send_at(0.5), 1.0);
        assert_eq!(RiskCurve::default().at(0.5).sent, 0.0);
    }

    proptest! {
        #[test]
        fn a_chosen_share_is_kept_and_allowing_more_sends_no_less(
            confidences in proptest::collection::vec(0.0_f32..1.0, 0..80),
            wrong in 0.0_f32..0.5,
            more in 0.0_f32..0.5,
        ) {
            let curve = RiskCurve::new(confidences);
            let chosen = curve.at(curve.send_at(wrong));
            prop_assert!(chosen.wrong <= wrong, "{chosen:?}");
            prop_assert!(curve.send_at(wrong + more) <= curve.send_at(wrong));
        }
    }
}
