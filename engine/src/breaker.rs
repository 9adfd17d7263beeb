//! When to stop asking a model that keeps failing: visitors are given to a person at once instead of after a long wait.

use std::collections::VecDeque;

/// Failures within [`WINDOW_MS`] that open the breaker.
const FAILURES: usize = 3;
/// Milliseconds for which a failure counts.
const WINDOW_MS: i64 = 5 * 60_000;
/// Milliseconds without a failure after which one reply is tried again.
const REST_MS: i64 = 60_000;

/// Counts failures of the model; times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    failures: VecDeque<i64>,
}

impl Breaker {
    /// The model has failed, taken too long or panicked at `now`.
    pub fn failed(&mut self, now: i64) {
        self.failures.push_back(now);
        if self.failures.len() > FAILURES {
            self.failures.pop_front();
        }
    }

    /// The model has made a reply: it works.
    pub fn worked(&mut self) {
        self.failures.clear();
    }

    /// Whether no reply is to be tried at `now`. A clock that was set back opens nothing.
    pub fn is_open(&self, now: i64) -> bool {
        let recent = |at: &&i64| (0..WINDOW_MS).contains(&(now - **at));
        let rested = self.failures.back().is_none_or(|last| !(0..REST_MS).contains(&(now - last)));
        self.failures.iter().filter(recent).count() >= FAILURES && !rested
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(failures: &[i64], now: i64, open: bool) {
        let mut breaker = Breaker::default();
        failures.iter().for_each(|at| breaker.failed(*at));
        assert_eq!(breaker.is_open(now), open, "{failures:?} at {now}");
        breaker.worked();
        assert!(!breaker.is_open(now));
    }

    #[test]
    fn three_failures_in_five_minutes_open_it_for_one() {
        let minute = 60_000;
        check(&[], 0, false);
        check(&[0, 1], 2, false);
        check(&[0, 1, 2], 3, true);
        check(&[0, 1, 2], 2 + minute - 1, true);
        check(&[0, 1, 2], 2 + minute, false);
        check(&[0, 4 * minute, 6 * minute], 6 * minute, false);
        check(&[0, 2 * minute, 4 * minute], 4 * minute + 1, true);
        check(&[0, 1, 2, 3, 4], 5, true);
        check(&[9, 9, 9], 1, false);
    }
}
