//! From what a board has counted to the scorecard.

use std::collections::HashMap;

use super::board::{Board, DAY_MS, Period, Sums, Times};
use super::case::Kind;
use super::group::{Answered, Bucket, Group, Keyed, Segment};
use super::money::{Work, savings};
use super::rates::{Counts, mean};
use super::scorecard::{
    Assist, Day, DeepDive, Effect, Frt, FrtBucket, Handling, Judged, Latency, OfKind, OfTag, Part,
    Quality, Reason, Resolution, Resolved, Scorecard, Segments, Sentiment, Step, Suggestions,
    Template, Value,
};
use super::timers::Values;

/// Parts of the cases that are shown for pages, campaigns and tags.
const PARTS: usize = 20;
/// Days that are shown; of a longer period the last ones.
const DAYS: i64 = 1_100;
const LABELS: [&str; 4] = ["0–30 s", "31–60 s", "61–180 s", "> 180 s"];
const KINDS: [Kind; 3] = [Kind::BotOnly, Kind::Assisted, Kind::PersonOnly];

impl Board {
    /// The scorecard of what was counted.
    pub fn finish(mut self) -> Scorecard {
        let savings = savings(&self.assumptions, &self.work());
        let deep_dive = deep_dive(&mut self.sums.tags, self.period.to);
        let days = days(&mut self.sums, self.period);
        let funnel = funnel(&self.sums, self.opened);
        let sums = &mut self.sums;
        let [owner, visitor, silence, open] = sums.by;
        let [accepted, edited, discarded] = sums.suggestions;
        let times = &mut sums.times;
        Scorecard {
            from: self.period.from,
            to: self.period.to,
            cases: sums.whole.segment.n,
            frt: frt(times),
            frt_buckets: LABELS.iter().zip(&sums.buckets).map(frt_bucket).collect(),
            latency: Latency {
                bot: times.latency_bot.timer(),
                person: times.latency_person.timer(),
            },
            turns: times.turns.spread(),
            handling: handling(&mut times.handling),
            resolution: Resolution {
                all: sums.whole.resolution.timer(),
                by_tag: by_tag(&mut sums.tags),
            },
            csat: sums.whole.segment.csat.csat(),
            nps: sums.nps.nps(),
            reopened: sums.whole.reopened.share(),
            durable: sums.durable.share(),
            containment: sums.whole.segment.contained.share(),
            deflection: sums.deflected.share(),
            resolved: Resolved { owner, visitor, silence, open },
            kinds: KINDS.into_iter().zip(&mut sums.kinds).map(of_kind).collect(),
            hand_offs: reasons(&mut sums.whole.hand_offs),
            templates: templates(sums),
            segments: segments(sums),
            assist: assist(sums),
            savings,
            assumptions: self.assumptions,
            funnel,
            quality: quality(sums),
            suggestions: Suggestions { accepted, edited, discarded },
            drafts_cancelled: sums.drafts_cancelled,
            deep_dive,
            days,
        }
    }

    fn work(&self) -> Work<'_> {
        let sums = &self.sums;
        Work {
            period_ms: self.period.to.saturating_sub(self.period.from).max(0),
            person_cases: sums.kinds[1].segment.n + sums.kinds[2].segment.n,
            handling_mean_ms: sums.times.handling.mean(),
            spared: sums.spared,
            converted: sums.converted,
            sales: &sums.sales,
        }
    }
}

fn frt(times: &mut Times) -> Frt {
    Frt {
        bot: times.frt_bot.timer(),
        person: times.frt_person.timer(),
        person_open: times.frt_person_open.timer(),
    }
}

fn handling(times: &mut Values) -> Handling {
    Handling { n: times.n(), mean_ms: times.mean(), median_ms: times.median() }
}

fn frt_bucket((label, bucket): (&&str, &Bucket)) -> FrtBucket {
    let (csat, nps) = (bucket.csat.csat(), bucket.nps.nps());
    FrtBucket { label: (*label).to_owned(), n: bucket.n, csat, nps }
}

fn by_tag(tags: &mut Keyed<Group>) -> Vec<OfTag> {
    let tags = tags.by_size(|group| group.segment.n).into_iter();
    tags.map(|(tag, group)| OfTag { tag: tag.clone(), timer: group.resolution.timer() }).collect()
}

fn of_kind((kind, group): (Kind, &mut Group)) -> OfKind {
    OfKind {
        kind,
        n: group.segment.n,
        csat: group.segment.csat.csat(),
        frt: group.segment.frt.timer(),
        resolution: group.resolution.timer(),
        turns_mean: mean(group.turns as f64, group.segment.n),
        reopened: group.reopened.share(),
    }
}

fn reasons(hand_offs: &mut Keyed<u64>) -> Vec<Reason> {
    let reasons = hand_offs.by_size(|n| *n).into_iter();
    reasons.map(|(reason, n)| Reason { reason: reason.clone(), n: *n }).collect()
}

fn effect(mut cases: Answered) -> Effect {
    Effect {
        n: cases.n,
        turns_mean: mean(cases.turns as f64, cases.n),
        resolution_median_ms: cases.resolution.median(),
    }
}

/// Each saved reply beside the cases of the same tags that a person answered without it, the most used one first.
fn templates(sums: &mut Sums) -> Vec<Template> {
    let people = &sums.people.0;
    let templates = std::mem::take(&mut sums.templates).into_iter();
    let mut shown: Vec<Template> =
        templates.map(|(template, by_tag)| compare(template, by_tag, people)).collect();
    shown.sort_by(|a, b| b.with.n.cmp(&a.with.n).then_with(|| a.template.cmp(&b.template)));
    shown
}

fn compare(
    template: String,
    by_tag: Keyed<Answered>,
    people: &HashMap<String, Answered>,
) -> Template {
    let (mut with, mut without) = (Answered::default(), Answered::default());
    for (tag, cases) in by_tag.0 {
        if let Some(all) = people.get(&tag) {
            without.merge(all.without(&cases));
        }
        with.merge(cases);
    }
    Template { template, with: effect(with), without: effect(without) }
}

fn part(key: &str, segment: &mut Segment) -> Part {
    Part {
        key: key.to_owned(),
        n: segment.n,
        csat: segment.csat.csat(),
        frt: segment.frt.timer(),
        containment: segment.contained.share(),
    }
}

fn segments(sums: &mut Sums) -> Segments {
    let parts = |segments: &mut Keyed<Segment>| {
        let largest = segments.by_size(|segment| segment.n).into_iter().take(PARTS);
        largest.map(|(key, segment)| part(key, segment)).collect()
    };
    let tags = sums.tags.by_size(|group| group.segment.n).into_iter().take(PARTS);
    Segments {
        tag: tags.map(|(key, group)| part(key, &mut group.segment)).collect(),
        page: parts(&mut sums.pages),
        campaign: parts(&mut sums.campaigns),
    }
}

fn assist(sums: &Sums) -> Assist {
    let values = sums.sales.values.iter();
    Assist {
        leads: sums.leads,
        conversions: sums.converted.share(),
        values: values
            .map(|(currency, value)| Value { currency: currency.clone(), value: *value })
            .collect(),
    }
}

fn funnel(sums: &Sums, opened: u64) -> Vec<Step> {
    let steps = [
        ("opened", opened),
        ("begun", sums.whole.segment.n),
        ("answered", sums.answered),
        ("resolved", sums.whole.segment.contained.of),
        ("rated", sums.rated),
    ];
    steps.into_iter().map(|(step, n)| Step { step: step.to_owned(), n }).collect()
}

fn quality(sums: &Sums) -> Quality {
    let (scores, n) = sums.rubric;
    let [clarity, correctness, empathy] = scores.map(|sum| Judged { n, mean: mean(sum as f64, n) });
    let [better, same, worse] = sums.sentiment;
    Quality { clarity, correctness, empathy, sentiment: Sentiment { better, same, worse } }
}

/// Whole weeks since Monday, 5 January 1970.
const fn week(moment: i64) -> i64 {
    (moment.div_euclid(DAY_MS) - 4).div_euclid(7)
}

/// The tag of the week in which the period ends: the tags take turns, the most frequent one first.
fn deep_dive(tags: &mut Keyed<Group>, to: i64) -> Option<DeepDive> {
    let mut tags = tags.by_size(|group| group.segment.n);
    tags.retain(|(tag, _)| !tag.is_empty());
    let turn = week(to).rem_euclid(i64::try_from(tags.len()).ok().filter(|len| *len > 0)?);
    let (tag, group) = tags.into_iter().nth(usize::try_from(turn).ok()?)?;
    let Part { key, n, csat, frt, containment } = part(tag, &mut group.segment);
    let resolution = group.resolution.timer();
    let (hand_offs, reopened) = (reasons(&mut group.hand_offs), group.reopened.share());
    Some(DeepDive { tag: key, n, csat, frt, resolution, containment, hand_offs, reopened })
}

/// The days of the period, those without a case as well.
fn days(sums: &mut Sums, period: Period) -> Vec<Day> {
    if period.to <= period.from {
        return Vec::new();
    }
    let last = (period.to - 1).div_euclid(DAY_MS);
    let first = period.from.div_euclid(DAY_MS).max(last - DAYS + 1);
    (first..=last).filter_map(|day| shown_day(day, sums.days.remove(&day))).collect()
}

fn shown_day(day: i64, segment: Option<Segment>) -> Option<Day> {
    let moment = jiff::Timestamp::from_millisecond(day.checked_mul(DAY_MS)?).ok()?;
    let mut segment = segment.unwrap_or_default();
    let Counts { hits: contained, of: resolved } = segment.contained;
    Some(Day {
        day: moment.strftime("%Y-%m-%d").to_string(),
        n: segment.n,
        frt_median_ms: segment.frt.median(),
        csat_mean: segment.csat.mean(),
        resolved,
        contained,
    })
}
