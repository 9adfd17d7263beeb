//! When a client that could not connect tries again.

use std::time::Duration;

use crate::run::Dice;

/// First window, the longest of the first tries, and the longest of all.
const FIRST: Duration = Duration::from_millis(500);
const NEAR: Duration = Duration::from_secs(4);
const LONGEST: Duration = Duration::from_secs(20);
/// Tries with short windows: as long as a restart takes.
const SOON: u32 = 12;

/// Full jitter, as the widget's: the wait before try n (from 0) is uniform in 0 to min(4 s, 0.5 s · 2ⁿ) for the first twelve, and to
/// min(20 s, 8 s · 2ⁿ⁻¹²) afterwards. It never gives up.
#[derive(Debug)]
pub(crate) struct Backoff {
    tries: u32,
    dice: Dice,
}

impl Backoff {
    /// One client's own; no two with other seeds wait alike.
    pub(crate) fn new(seed: u64) -> Self {
        Self { tries: 0, dice: Dice::new(seed) }
    }

    /// The wait before the next try.
    pub(crate) fn next(&mut self) -> Duration {
        let window = window(self.tries);
        self.tries += 1;
        // 53 bits are all that an f64 holds: 0 up to, but not including, 1.
        window.mul_f64((self.dice.roll() >> 11) as f64 / (1_u64 << 53) as f64)
    }

    /// The server was there: the next loss begins anew.
    pub(crate) fn calm(&mut self) {
        self.tries = 0;
    }
}

/// Longest wait before try `n`.
fn window(n: u32) -> Duration {
    let (steps, longest) = if n < SOON { (n, NEAR) } else { (n - SOON + 4, LONGEST) };
    FIRST.saturating_mul(2_u32.saturating_pow(steps)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_double_up_to_the_longest_and_begin_anew() {
        let mut all = vec![Duration::ZERO; 40];
        for seed in 0..200 {
            let mut backoff = Backoff::new(seed);
            all.iter_mut().for_each(|longest| *longest = backoff.next().max(*longest));
        }
        for (n, longest) in all.iter().enumerate() {
            let seconds: f64 = match n {
                0 => 0.5,
                1 => 1.0,
                2 => 2.0,
                3..12 => 4.0,
                12 => 8.0,
                13 => 16.0,
                _ => 20.0,
            };
            let window = Duration::from_secs_f64(seconds);
            assert!(
                *longest <= window && *longest > window / 2,
                "try {n}: {longest:?} of {window:?}"
            );
        }
        let mut backoff = Backoff::new(1);
        assert!((0..9).all(|_| backoff.next() <= LONGEST));
        backoff.calm();
        assert!(backoff.next() <= FIRST);
    }
}
