//! What is counted of cases that have something in common: a tag, a page, a kind.

use std::collections::HashMap;

use super::case::{Case, Survey};
use super::rates::{Counts, CsatCounts, NpsCounts, normalised};
use super::timers::Values;

/// Cases of one page, campaign, day or bucket.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Segment {
    pub(super) n: u64,
    pub(super) csat: CsatCounts,
    pub(super) frt: Values,
    pub(super) contained: Counts,
}

impl Segment {
    pub(super) fn add(&mut self, case: &Case) {
        self.n += 1;
        rate(&mut self.csat, &case.csat);
        self.frt.add(case.frt_ms());
        if case.by().is_some() {
            self.contained.count(case.contained());
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.n += other.n;
        self.csat.merge(&other.csat);
        self.frt.merge(other.frt);
        self.contained.merge(other.contained);
    }
}

/// Cases of one tag or kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Group {
    pub(super) segment: Segment,
    pub(super) resolution: Values,
    pub(super) turns: i64,
    pub(super) reopened: Counts,
    pub(super) hand_offs: Keyed<u64>,
}

impl Group {
    pub(super) fn add(&mut self, case: &Case, now: i64) {
        self.segment.add(case);
        self.resolution.add(case.resolution_ms());
        self.turns += case.turns;
        if let Some(came_back) = case.came_back(now) {
            self.reopened.count(came_back);
        }
        for reason in &case.hand_offs {
            self.hand_offs.update(reason, |n| *n += 1);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.segment.merge(other.segment);
        self.resolution.merge(other.resolution);
        self.turns += other.turns;
        self.reopened.merge(other.reopened);
        self.hand_offs.merge(other.hand_offs, |n, more| *n += more);
    }
}

/// Cases that people answered, with a saved reply or without.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answered {
    pub(super) n: u64,
    pub(super) turns: i64,
    pub(super) resolution: Values,
}

impl Answered {
    pub(super) fn add(&mut self, case: &Case) {
        self.n += 1;
        self.turns += case.turns;
        self.resolution.add(case.resolution_ms());
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.n += other.n;
        self.turns += other.turns;
        self.resolution.merge(other.resolution);
    }

    /// The cases that are not among `part`, which are some of these.
    pub(super) fn without(&self, part: &Self) -> Self {
        Self {
            n: self.n.saturating_sub(part.n),
            turns: self.turns - part.turns,
            resolution: self.resolution.without(&part.resolution),
        }
    }
}

/// Cases by the time to their first reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Bucket {
    pub(super) n: u64,
    pub(super) csat: CsatCounts,
    pub(super) nps: NpsCounts,
}

impl Bucket {
    pub(super) fn add(&mut self, case: &Case) {
        self.n += 1;
        rate(&mut self.csat, &case.csat);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.csat.merge(&other.csat);
        self.nps.merge(&other.nps);
    }
}

/// Groups by a word.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Keyed<T>(pub(super) HashMap<String, T>);

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Default> Keyed<T> {
    pub(super) fn update(&mut self, key: &str, change: impl FnOnce(&mut T)) {
        // A key is copied only when it is new: most cases have one that is known.
        match self.0.get_mut(key) {
            Some(value) => change(value),
            None => change(self.0.entry(key.to_owned()).or_default()),
        }
    }

    pub(super) fn merge(&mut self, other: Self, merge: impl Fn(&mut T, T)) {
        for (key, value) in other.0 {
            merge(self.0.entry(key).or_default(), value);
        }
    }

    /// The groups, the largest first; of equal size in the order of their names.
    pub(super) fn by_size(&mut self, size: impl Fn(&T) -> u64) -> Vec<(&String, &mut T)> {
        let mut groups: Vec<_> = self.0.iter_mut().collect();
        groups.sort_by(|a, b| size(b.1).cmp(&size(a.1)).then_with(|| a.0.cmp(b.0)));
        groups
    }
}

/// Counts a survey of satisfaction.
pub(super) fn rate(csat: &mut CsatCounts, survey: &Survey<(u8, u8)>) {
    csat.asked += u64::from(survey.asked);
    csat.declined += u64::from(survey.declined);
    let rating = survey.answer.and_then(|(score, scale)| normalised(score, scale));
    if let Some(count) = rating.and_then(|rating| csat.counts.get_mut(usize::from(rating) - 1)) {
        *count += 1;
    }
}

/// Counts a survey of recommendation.
pub(super) fn recommend(nps: &mut NpsCounts, survey: &Survey<u8>) {
    nps.asked += u64::from(survey.asked);
    if let Some(score) = survey.answer {
        nps.count(score);
    }
}
