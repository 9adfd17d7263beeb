//! What may be promised about the time until a person replies: figures from earlier replies, and no others.

use super::{Hours, PromiseRules};
use crate::metrics::percentile;

const MINUTE_MS: i64 = 60_000;
/// Minutes that a figure is rounded up to.
const STEP_MINUTES: i64 = 5;
/// Minutes of the clock that "by Monday at 09:30" is rounded up to.
const CLOCK_MINUTES: i64 = 30;

/// What a visitor is told about when a person replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promise {
    /// "within 10 minutes"
    Within {
        /// From now on.
        minutes: i64,
        /// The moment, in milliseconds since 1970.
        due_at: i64,
    },
    /// "by Monday at 10:00": it would no longer fit before somebody leaves.
    By {
        /// The moment in words.
        when: String,
        /// The moment, in milliseconds since 1970.
        due_at: i64,
    },
    /// "as soon as possible": there are no figures, or none worth telling.
    Soon,
}

impl Promise {
    /// When a reply is promised for, in milliseconds since 1970.
    pub fn due_at(&self) -> Option<i64> {
        match self {
            Self::Within { due_at, .. } | Self::By { due_at, .. } => Some(*due_at),
            Self::Soon => None,
        }
    }
}

impl Hours {
    /// The minutes within which the owner replies, from how many milliseconds of open time earlier replies took; `None` when
    /// they are too few, or it would take too long to say so.
    pub fn usual_minutes(&self, took_ms: &[i64]) -> Option<i64> {
        let PromiseRules { percentile: share, samples, at_most_minutes } = self.promise;
        if took_ms.len() < usize::try_from(samples).unwrap_or(usize::MAX) {
            return None;
        }
        let took: Vec<f64> = took_ms.iter().map(|ms| *ms as f64).collect();
        let took_ms = percentile(&took, f64::from(share) / 100.0)? as i64;
        let minutes = up_to(took_ms.max(1), STEP_MINUTES * MINUTE_MS) / MINUTE_MS;
        (minutes <= i64::from(at_most_minutes)).then_some(minutes)
    }

    /// What a visitor who is handed over at `now` is told, from how many milliseconds of open time earlier replies took.
    pub fn promise(&self, now: i64, took_ms: &[i64]) -> Promise {
        let Some(minutes) = self.usual_minutes(took_ms) else { return Promise::Soon };
        let due_at = now.saturating_add(minutes * MINUTE_MS);
        if self.is_open(now) && self.closes_at(now).is_none_or(|closes| due_at <= closes) {
            return Promise::Within { minutes, due_at };
        }
        match self.after_open_ms(now, minutes * MINUTE_MS) {
            Some(at) => {
                let due_at = up_to(at, CLOCK_MINUTES * MINUTE_MS);
                Promise::By { when: self.when(now, due_at), due_at }
            }
            None => Promise::Soon,
        }
    }
}

/// `value` rounded up to a multiple of `step`.
fn up_to(value: i64, step: i64) -> i64 {
    let over = value.rem_euclid(step);
    if over == 0 { value } else { value.saturating_add(step - over) }
}
