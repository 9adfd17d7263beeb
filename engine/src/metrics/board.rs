//! Where cases are counted: in parts if need be, that are put together in the end.

use std::collections::{BTreeMap, HashMap};

use super::case::{Case, Kind, Trend};
use super::event::By;
use super::group::{Answered, Bucket, Group, Keyed, Segment, recommend};
use super::money::{Assumptions, Sales};
use super::rates::{Counts, NpsCounts};
use super::timers::Values;

/// How far back NPS looks from the end of the period: four weeks, in milliseconds (mission text: "rolling four-week windows").
pub const NPS_MS: i64 = 28 * DAY_MS;
pub(super) const DAY_MS: i64 = 86_400_000;
/// Upper ends of the buckets of first response times, in milliseconds (mission text: 0-30 s, 31-60 s, 61-180 s, over 3 minutes).
const BUCKETS_MS: [i64; 3] = [30_000, 60_000, 180_000];

/// From when to when, in milliseconds since 1970: `from` is in it, `to` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub from: i64,
    /// The moment after the last.
    pub to: i64,
}

/// Which cases are looked at; none: all. An empty word stands for cases that have none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The primary tag.
    pub tag: Option<String>,
    /// The page on which the conversation began.
    pub page: Option<String>,
    /// The campaign that brought the visitor.
    pub campaign: Option<String>,
}

impl Filter {
    /// Whether a case is looked at.
    pub fn takes(&self, case: &Case) -> bool {
        let fits =
            |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        fits(&self.tag, case.tag())
            && fits(&self.page, &case.page)
            && fits(&self.campaign, &case.campaign)
    }
}

/// Cases as they are counted. A case belongs to the period in which it began, with all that came of it; NPS looks at the cases that began
/// in the four weeks up to the end of the period. [`Board::finish`] makes the scorecard.
#[derive(Debug, Clone)]
pub struct Board {
    pub(super) period: Period,
    pub(super) now: i64,
    pub(super) assumptions: Assumptions,
    filter: Filter,
    pub(super) opened: u64,
    pub(super) sums: Sums,
}

/// What is added up.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    pub(super) whole: Group,
    pub(super) kinds: [Group; 3],
    pub(super) tags: Keyed<Group>,
    pub(super) pages: Keyed<Segment>,
    pub(super) campaigns: Keyed<Segment>,
    pub(super) days: BTreeMap<i64, Segment>,
    pub(super) buckets: [Bucket; 4],
    pub(super) nps: NpsCounts,
    pub(super) times: Times,
    /// Cases by who resolved them: owner, visitor, silence, nobody.
    pub(super) by: [u64; 4],
    pub(super) durable: Counts,
    pub(super) deflected: Counts,
    pub(super) answered: u64,
    pub(super) rated: u64,
    pub(super) converted: Counts,
    pub(super) sales: Sales,
    pub(super) leads: u64,
    /// Cases that the bot answered and that were resolved without a person.
    pub(super) spared: u64,
    /// Sums of clarity, correctness and empathy, and of how many cases.
    pub(super) rubric: ([u64; 3], u64),
    /// Cases whose visitors' mood got better, stayed, got worse.
    pub(super) sentiment: [u64; 3],
    pub(super) suggestions: [u64; 3],
    pub(super) drafts_cancelled: u64,
    /// Cases that a person answered, by tag.
    pub(super) people: Keyed<Answered>,
    /// Those with a saved reply: by reply, then by tag.
    pub(super) templates: HashMap<String, Keyed<Answered>>,
}

/// Times and counts of which percentiles are asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    pub(super) frt_bot: Values,
    pub(super) frt_person: Values,
    pub(super) frt_person_open: Values,
    pub(super) latency_bot: Values,
    pub(super) latency_person: Values,
    pub(super) handling: Values,
    pub(super) turns: Values,
}

impl Board {
    /// An empty board. `now`, in milliseconds since 1970, decides what is known yet of reopening and durability.
    pub fn new(period: Period, now: i64, assumptions: Assumptions, filter: Filter) -> Self {
        Self { period, now, assumptions, filter, opened: 0, sums: Sums::default() }
    }

    /// Counts a case, when it belongs here.
    pub fn add(&mut self, case: &Case) {
        let Period { from, to } = self.period;
        if case.began_at >= to || !self.filter.takes(case) {
            return;
        }
        if case.began_at >= to.saturating_sub(NPS_MS) {
            self.sums.recommended(case);
        }
        if case.began_at >= from {
            self.sums.count(case, self.now);
        }
    }

    /// Counts visits in which the chat was opened.
    pub fn opened(&mut self, sessions: u64) {
        self.opened += sessions;
    }

    /// Adds what another board of the same period, moment, assumptions and filter has counted.
    pub fn merge(&mut self, other: Self) {
        self.opened += other.opened;
        self.sums.merge(other.sums);
    }
}

/// The bucket of a case by the time to its first reply.
fn bucket(case: &Case) -> Option<usize> {
    let frt = case.frt_ms()?;
    Some(BUCKETS_MS.iter().position(|end| frt <= *end).unwrap_or(BUCKETS_MS.len()))
}

impl Sums {
    /// NPS has a time of its own.
    fn recommended(&mut self, case: &Case) {
        recommend(&mut self.nps, &case.nps);
        if let Some(bucket) = bucket(case) {
            recommend(&mut self.buckets[bucket].nps, &case.nps);
        }
    }

    fn count(&mut self, case: &Case, now: i64) {
        self.whole.add(case, now);
        self.kinds[kind_place(case.kind())].add(case, now);
        self.tags.update(case.tag(), |group| group.add(case, now));
        self.pages.update(&case.page, |segment| segment.add(case));
        self.campaigns.update(&case.campaign, |segment| segment.add(case));
        self.days.entry(case.began_at.div_euclid(DAY_MS)).or_default().add(case);
        if let Some(bucket) = bucket(case) {
            self.buckets[bucket].add(case);
        }
        self.times.add(case);
        self.outcome(case, now);
        self.quality(case);
        if case.person() {
            self.people.update(case.tag(), |people| people.add(case));
        }
        for template in &case.templates {
            let by_tag = self.templates.entry(template.clone()).or_default();
            by_tag.update(case.tag(), |with| with.add(case));
        }
    }

    fn outcome(&mut self, case: &Case, now: i64) {
        self.by[by_place(case.by())] += 1;
        if let Some(durable) = case.durable(now) {
            self.durable.count(durable);
        }
        self.deflected.count(case.deflected());
        self.answered += u64::from(case.frt_ms().is_some());
        self.rated += u64::from(case.rating().is_some());
        self.leads += u64::from(case.leads);
        self.spared += u64::from(case.contained() && case.answered);
        if case.confirmed() {
            self.converted.count(!case.conversions.is_empty());
            case.conversions.iter().for_each(|conversion| self.sales.count(conversion));
        }
    }

    fn quality(&mut self, case: &Case) {
        if let Some(scores) = case.rubric {
            self.rubric.1 += 1;
            for (sum, score) in self.rubric.0.iter_mut().zip(scores) {
                *sum += u64::from(score);
            }
        }
        if let Some(trend) = case.sentiment {
            self.sentiment[trend_place(trend)] += 1;
        }
        for (sum, n) in self.suggestions.iter_mut().zip(case.suggestions) {
            *sum += u64::from(n);
        }
        self.drafts_cancelled += u64::from(case.drafts_cancelled);
    }

    fn merge(&mut self, other: Self) {
        self.whole.merge(other.whole);
        self.kinds.iter_mut().zip(other.kinds).for_each(|(kind, more)| kind.merge(more));
        self.tags.merge(other.tags, Group::merge);
        self.pages.merge(other.pages, Segment::merge);
        self.campaigns.merge(other.campaigns, Segment::merge);
        for (day, more) in other.days {
            self.days.entry(day).or_default().merge(more);
        }
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(bucket, more)| bucket.merge(more));
        self.nps.merge(&other.nps);
        self.times.merge(other.times);
        self.durable.merge(other.durable);
        self.deflected.merge(other.deflected);
        self.converted.merge(other.converted);
        self.sales.merge(other.sales);
        add(&mut self.by, &other.by);
        add(&mut self.rubric.0, &other.rubric.0);
        add(&mut self.sentiment, &other.sentiment);
        add(&mut self.suggestions, &other.suggestions);
        self.rubric.1 += other.rubric.1;
        self.answered += other.answered;
        self.rated += other.rated;
        self.leads += other.leads;
        self.spared += other.spared;
        self.drafts_cancelled += other.drafts_cancelled;
        self.people.merge(other.people, Answered::merge);
        for (template, by_tag) in other.templates {
            self.templates.entry(template).or_default().merge(by_tag, Answered::merge);
        }
    }
}

impl Times {
    fn add(&mut self, case: &Case) {
        self.frt_bot.add(case.frt_bot_ms);
        self.frt_person.add(case.frt_person_ms);
        self.frt_person_open.add(case.frt_person_open_ms);
        self.latency_bot.add(case.latency_bot_ms.iter().copied());
        self.latency_person.add(case.latency_person_ms.iter().copied());
        self.handling.add(case.handling_ms);
        self.turns.add([case.turns]);
    }

    fn merge(&mut self, other: Self) {
        self.frt_bot.merge(other.frt_bot);
        self.frt_person.merge(other.frt_person);
        self.frt_person_open.merge(other.frt_person_open);
        self.latency_bot.merge(other.latency_bot);
        self.latency_person.merge(other.latency_person);
        self.handling.merge(other.handling);
        self.turns.merge(other.turns);
    }
}

fn add<const N: usize>(sums: &mut [u64; N], more: &[u64; N]) {
    for (sum, n) in sums.iter_mut().zip(more) {
        *sum += n;
    }
}

const fn kind_place(kind: Kind) -> usize {
    match kind {
        Kind::BotOnly => 0,
        Kind::Assisted => 1,
        Kind::PersonOnly => 2,
    }
}

const fn by_place(by: Option<By>) -> usize {
    match by {
        Some(By::Owner) => 0,
        Some(By::Visitor) => 1,
        Some(By::Silence) => 2,
        None => 3,
    }
}

const fn trend_place(trend: Trend) -> usize {
    match trend {
        Trend::Better => 0,
        Trend::Same => 1,
        Trend::Worse => 2,
    }
}
