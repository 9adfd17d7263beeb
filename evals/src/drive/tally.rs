//! What one client, or all of them, saw of the messages.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use engine::metrics::percentile;

use super::stamp::Stamp;
use crate::run::RunResult;

/// Counts and raw samples; all times in milliseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Messages that were meant to be sent.
    pub(crate) sent: usize,
    /// From the intended time to the acknowledgement.
    pub(crate) acks: Vec<f64>,
    /// From the intended time to the display at another client, and at the sender's own.
    pub(crate) shown: Vec<f64>,
    pub(crate) own: Vec<f64>,
    /// Messages that one client displayed twice.
    pub(crate) doubled: usize,
    /// Messages that a client displayed after a later one of the same sender.
    pub(crate) reordered: usize,
    /// Frames that were dropped because their seq was displayed already.
    pub(crate) known: usize,
    /// Refusals and connection errors by their code.
    pub(crate) errors: BTreeMap<String, usize>,
    /// Connections that were welcomed, that could not be opened, and that ended without the driver's doing.
    pub(crate) welcomes: usize,
    pub(crate) failed: usize,
    pub(crate) dropped: usize,
    seen: HashSet<(u32, u32)>,
    newest: HashMap<u32, u32>,
}

impl Tally {
    /// Notes what the client `me` displays, of a run that began at `start`.
    pub(crate) fn show(&mut self, me: u32, text: &str, (now, start): (Instant, Instant)) {
        let Some(stamp) = Stamp::read(text) else { return };
        let Stamp { sender, number, .. } = stamp;
        if !self.seen.insert((sender, number)) {
            self.doubled += 1;
            return;
        }
        let newest = self.newest.entry(sender).or_default();
        self.reordered += usize::from(number < *newest);
        *newest = number.max(*newest);
        let late = stamp.late_ms(now, start);
        if sender == me { self.own.push(late) } else { self.shown.push(late) }
    }

    /// Notes an acknowledgement that came this long after the intended time.
    pub(crate) fn ack(&mut self, late: Duration) {
        self.acks.push(late.as_secs_f64() * 1_000.0);
    }

    /// Notes a refusal.
    pub(crate) fn error(&mut self, code: &str) {
        *self.errors.entry(code.to_owned()).or_default() += 1;
    }

    /// Adds another client's: samples are put together, never averages.
    pub(crate) fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.acks.extend(other.acks);
        self.shown.extend(other.shown);
        self.own.extend(other.own);
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.known += other.known;
        self.welcomes += other.welcomes;
        self.failed += other.failed;
        self.dropped += other.dropped;
        for (code, count) in other.errors {
            *self.errors.entry(code).or_default() += count;
        }
    }

    /// Puts what was counted into the result.
    pub(crate) fn report(&self, result: &mut RunResult) {
        for (name, samples) in [("ack", &self.acks), ("shown", &self.shown), ("own", &self.own)] {
            times(result, name, samples);
        }
        for (name, count) in [
            ("sent", self.sent),
            ("acked", self.acks.len()),
            ("doubled", self.doubled),
            ("reordered", self.reordered),
            ("dropped_as_known", self.known),
            ("welcomes", self.welcomes),
            ("failed_connects", self.failed),
            ("lost_connections", self.dropped),
        ] {
            result.figure(name, count as f64);
        }
        for (code, count) in &self.errors {
            result.grouped("errors", code, *count as f64);
        }
    }
}

/// Percentiles of raw samples in milliseconds as a group; nothing without samples.
pub(crate) fn times(result: &mut RunResult, name: &str, samples: &[f64]) {
    let group = format!("{name}_ms");
    for (share, q) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)] {
        if let Some(value) = percentile(samples, q) {
            result.grouped(&group, share, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_and_reordered_messages_are_counted_apart_for_each_sender() {
        let start = Instant::now();
        let text = |sender, number| Stamp { sender, number, due_us: 0 }.text();
        let mut tally = Tally::default();
        for (sender, number) in [(1, 1), (2, 1), (2, 3), (2, 2), (2, 3), (1, 2)] {
            tally.show(1, &text(sender, number), (start, start));
        }
        tally.show(1, "You asked for a person.", (start, start));
        assert_eq!((tally.own.len(), tally.shown.len()), (2, 3));
        assert_eq!((tally.doubled, tally.reordered), (1, 1));
    }
}
