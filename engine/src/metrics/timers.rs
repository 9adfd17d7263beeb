//! Times and other whole numbers that are kept, and their median, 90th percentile and mean.

use serde::{Deserialize, Serialize};

use super::rates::mean;

/// Values of which percentiles are asked: all are kept, so that the percentiles are exact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Values(pub(super) Vec<i64>);

impl Values {
    pub(super) fn add(&mut self, value: impl IntoIterator<Item = i64>) {
        self.0.extend(value);
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        // The longer one is kept, the order of the values says nothing.
        if self.0.len() < other.0.len() {
            std::mem::swap(self, &mut other);
        }
        self.0.append(&mut other.0);
    }

    pub(super) fn n(&self) -> u64 {
        self.0.len() as u64
    }

    /// The value below which `tenths` of ten values lie: nearest rank, as [`super::percentile`]. None at n = 0.
    pub(super) fn tenths(&mut self, tenths: usize) -> Option<i64> {
        let rank = (self.0.len() * tenths).div_ceil(10).max(1);
        if self.0.is_empty() {
            return None;
        }
        Some(*self.0.select_nth_unstable(rank - 1).1)
    }

    pub(super) fn median(&mut self) -> Option<i64> {
        self.tenths(5)
    }

    /// None at n = 0.
    pub(super) fn mean(&self) -> Option<f64> {
        mean(self.0.iter().map(|value| *value as f64).sum(), self.n())
    }

    pub(super) fn timer(&mut self) -> Timer {
        Timer { n: self.n(), median_ms: self.median(), p90_ms: self.tenths(9) }
    }

    pub(super) fn spread(&mut self) -> Spread {
        let mean = self.mean();
        Spread { n: self.n(), median: self.median(), p90: self.tenths(9), mean }
    }

    /// The values that are left when those of `part`, each of which stands here, are taken away.
    pub(super) fn without(&self, part: &Self) -> Self {
        let (mut all, mut part) = (self.0.clone(), part.0.clone());
        all.sort_unstable();
        part.sort_unstable();
        let mut gone = part.into_iter().peekable();
        all.retain(|value| gone.next_if_eq(value).is_none());
        Self(all)
    }
}

/// Times in milliseconds: median and 90th percentile (mission text), nearest rank; none at n = 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// How many are known.
    pub n: u64,
    /// Half are at most this long.
    pub median_ms: Option<i64>,
    /// Nine in ten are at most this long.
    pub p90_ms: Option<i64>,
}

/// Counts of messages: median and 90th percentile by nearest rank, and mean; none at n = 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Of how many cases.
    pub n: u64,
    /// Half are at most this.
    pub median: Option<i64>,
    /// Nine in ten are at most this.
    pub p90: Option<i64>,
    /// The arithmetic mean.
    pub mean: Option<f64>,
}
