//! What is read from the database for the tuning: verdicts on suggestions, and what visitors have asked.

use std::collections::HashSet;

use engine::confidence::{Judged, Signals};

use crate::protocol::record::Decision;
use crate::store::tuning::JudgedDecision;
use crate::store::{Store, StoreError};

/// Verdicts that count at most, newest first.
const VERDICTS: i64 = 1_000;
/// Decisions that are looked through for questions, newest first.
const DECISIONS: i64 = 500;
/// Decisions of one conversation among them at most.
const OF_ONE: i64 = 3;
/// Share of a draft's characters up to which an edit leaves it right.
const SLIGHT: f64 = 0.3;

/// Verdicts, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Drafts that were sent as they were, or nearly.
    pub right: usize,
    /// Drafts that were rewritten or thrown away.
    pub wrong: usize,
}

/// What the tuning is made from.
pub(super) struct Evidence {
    pub(super) judged: Vec<Judged>,
    pub(super) counted: Counted,
    /// Signals of visitors' questions for which something was looked for.
    pub(super) asked: Vec<Signals>,
}

impl Evidence {
    pub(super) async fn read(store: &Store) -> Result<Self, StoreError> {
        let verdicts = store.judged_decisions(VERDICTS).await?;
        let judged: Vec<Judged> = verdicts.iter().filter_map(judged).collect();
        let right = judged.iter().filter(|judged| judged.right).count();
        let decisions = store.newest_decisions(OF_ONE, DECISIONS).await?;
        // The same question over and over is one question: nobody moves the curve by repeating it.
        let mut seen = HashSet::new();
        let fresh = |signals: &Signals| seen.insert(signals.features().map(f32::to_bits));
        Ok(Self {
            counted: Counted { right, wrong: judged.len() - right },
            judged,
            asked: decisions.iter().filter_map(|body| signals(body)).filter(fresh).collect(),
        })
    }
}

fn judged(verdict: &JudgedDecision) -> Option<Judged> {
    let right = match (verdict.status.as_str(), verdict.distance) {
        ("accepted", _) => true,
        ("edited", Some(distance)) => {
            distance as f64 <= SLIGHT * verdict.text.chars().count() as f64
        }
        _ => false,
    };
    signals(&verdict.decision).map(|signals| Judged { signals, right })
}

/// The signals of a decision; none when nothing was found, so that there was nothing to be sure of.
fn signals(body: &str) -> Option<Signals> {
    let decision: Decision = serde_json::from_str(body).ok()?;
    let named = serde_json::to_value(decision.signals).ok()?;
    let signals: Signals = serde_json::from_value(named).ok()?;
    (signals.support > 0.0).then_some(signals)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECISION: &str = r#"{"action":"hold","rule":"unsure","reason":"low_confidence","why":"","confidence":0.4,
        "signals":{"cosine":0.5,"unit":0.6,"coverage":0.4,"typical":0.3,"sentence":0.5,"support":SUPPORT,"frustration":0.1},
        "intents":[],"for_seq":1,"mode":"quote","drafter":"","knowledge":"","timings_ms":{}}"#;

    fn check((status, distance, support): (&str, Option<i64>, &str), expect: Option<bool>) {
        let verdict = JudgedDecision {
            status: status.into(),
            text: "Ten chars.".into(),
            distance,
            decision: DECISION.replace("SUPPORT", support),
        };
        let found = judged(&verdict);
        assert_eq!(found.map(|judged| judged.right), expect, "{status} {distance:?} {support}");
        assert!(found.is_none_or(|judged| (judged.signals.unit - 0.6).abs() < 1e-6));
    }

    #[test]
    fn what_was_sent_nearly_as_it_stood_was_right() {
        check(("accepted", Some(0), "1.0"), Some(true));
        check(("edited", Some(3), "1.0"), Some(true));
        check(("edited", Some(4), "1.0"), Some(false));
        check(("discarded", None, "1.0"), Some(false));
        check(("accepted", Some(0), "0.0"), None);
        check(("accepted", Some(0), "oops"), None);
    }
}
