//! Shares with their intervals, CSAT and NPS.

use serde::{Deserialize, Serialize};

use super::evals::interval;

/// Fewest answers at which an NPS is shown (mission text: "at least 40 to 60 responses").
pub const NPS_LEAST: u64 = 40;
/// Standard normal quantile of a two-sided 95 % interval.
const Z: f64 = 1.959_964;

/// How often something happened of how often it could have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// How often it did.
    pub hits: u64,
    /// How often it could have.
    pub of: u64,
}

impl Counts {
    /// Counts one more that could have been, and whether it was.
    pub fn count(&mut self, hit: bool) {
        self.hits += u64::from(hit);
        self.of += 1;
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.hits += other.hits;
        self.of += other.of;
    }

    /// The share with its interval.
    pub fn share(self) -> Share {
        let Self { hits, of } = self;
        if of == 0 {
            return Share { hits, of, ..Share::default() };
        }
        let (low, high) = interval(hits as usize, of as usize);
        Share {
            hits,
            of,
            share: Some(hits as f64 / of as f64),
            low: Some(low.max(0.0)),
            high: Some(high.min(1.0)),
        }
    }
}

/// A share: `hits / of`, 0 to 1, with its 95 % interval (Wilson 1927, the score interval). All none at n = 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// How often it happened.
    pub hits: u64,
    /// How often it could have.
    pub of: u64,
    /// 0 to 1.
    pub share: Option<f64>,
    /// Lower end of the interval, 0 to 1.
    pub low: Option<f64>,
    /// Upper end of the interval, 0 to 1.
    pub high: Option<f64>,
}

/// The arithmetic mean, in the unit of the values; none at n = 0.
pub fn mean(sum: f64, n: u64) -> Option<f64> {
    (n > 0).then(|| sum / n as f64)
}

/// A rating on the scale from 1 to 5: one of 1 to 5 stays, 1, 2, 3 of three become 1, 3, 5 (product notes: raw scores are
/// kept, averages are made of the same scale only). None for what is no rating.
pub fn normalised(score: u8, scale: u8) -> Option<u8> {
    match (score, scale) {
        (1..=5, 5) => Some(score),
        (1..=3, 3) => Some(2 * score - 1),
        _ => None,
    }
}

/// Ratings as they are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CsatCounts {
    pub(super) asked: u64,
    pub(super) declined: u64,
    /// How many gave 1, 2, 3, 4, 5.
    pub(super) counts: [u64; 5],
}

impl CsatCounts {
    pub(super) fn merge(&mut self, other: &Self) {
        self.asked += other.asked;
        self.declined += other.declined;
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }

    pub(super) fn n(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Mean rating, 1 to 5; none at n = 0.
    pub(super) fn mean(&self) -> Option<f64> {
        let sum: u64 = (1..=5).zip(self.counts).map(|(score, count)| score * count).sum();
        mean(sum as f64, self.n())
    }

    pub(super) fn csat(&self) -> Csat {
        let n = self.n();
        Csat {
            n,
            asked: self.asked,
            declined: self.declined,
            mean: self.mean(),
            positive: Counts { hits: self.counts[3] + self.counts[4], of: n }.share(),
            counts: self.counts,
        }
    }
}

/// Customer satisfaction (mission text: positive responses, 4 or 5, over all responses). Ratings of both scales are brought to
/// 1 to 5 by [`normalised`]. The response rate is `n / asked`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Csat {
    /// Chats that were rated.
    pub n: u64,
    /// Chats whose visitor was asked.
    pub asked: u64,
    /// Chats whose visitor did not want to answer.
    pub declined: u64,
    /// Mean rating, 1 to 5; none at n = 0.
    pub mean: Option<f64>,
    /// Share of the ratings that are 4 or 5.
    pub positive: Share,
    /// How many gave 1, 2, 3, 4, 5.
    pub counts: [u64; 5],
}

/// Answers to "would you recommend us", as they are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct NpsCounts {
    pub(super) asked: u64,
    pub(super) promoters: u64,
    pub(super) passives: u64,
    pub(super) detractors: u64,
}

impl NpsCounts {
    /// Counts an answer, 0 to 10.
    pub(super) fn count(&mut self, score: u8) {
        match score {
            0..=6 => self.detractors += 1,
            7..=8 => self.passives += 1,
            _ => self.promoters += 1,
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.asked += other.asked;
        self.promoters += other.promoters;
        self.passives += other.passives;
        self.detractors += other.detractors;
    }

    pub(super) fn nps(&self) -> Nps {
        let Self { asked, promoters, passives, detractors } = *self;
        let n = promoters + passives + detractors;
        let known = net(promoters, detractors, n).filter(|_| n >= NPS_LEAST);
        let (score, low, high) = known.map_or((None, None, None), |(score, half)| {
            let end = |value: f64| Some(value.clamp(-100.0, 100.0));
            (Some(score), end(score - half), end(score + half))
        });
        Nps { n, promoters, passives, detractors, score, low, high, asked }
    }
}

/// The net share of promoters, in points from -100 to 100, and half its 95 % interval: the normal approximation for the
/// difference of two shares of one multinomial sample, variance `(p + d - (p - d)²) / n`. None at n = 0.
fn net(promoters: u64, detractors: u64, n: u64) -> Option<(f64, f64)> {
    let p = mean(promoters as f64, n)?;
    let d = mean(detractors as f64, n)?;
    let variance = (p + d - (p - d).powi(2)).max(0.0) / n as f64;
    Some((100.0 * (p - d), 100.0 * Z * variance.sqrt()))
}

/// Net promoter score (mission text: share of 9 and 10 less share of 0 to 6), of the four weeks up to the end of the period.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Nps {
    /// Answers.
    pub n: u64,
    /// Those of 9 and 10.
    pub promoters: u64,
    /// Those of 7 and 8.
    pub passives: u64,
    /// Those of 0 to 6.
    pub detractors: u64,
    /// Points, -100 to 100; none below [`NPS_LEAST`] answers.
    pub score: Option<f64>,
    /// Lower end of its 95 % interval; none as the score is.
    pub low: Option<f64>,
    /// Upper end of its 95 % interval; none as the score is.
    pub high: Option<f64>,
    /// Chats whose visitor was asked.
    pub asked: u64,
}
