//! What holds of every figure, whatever happens in the chats.

use std::cmp::Ordering;

use engine::metrics::audit::audit;
use engine::metrics::clock::REOPEN_MS;
use engine::metrics::event::{By, Event, Visit, What};
use engine::metrics::{
    Board, Case, Counts, Scorecard, Share, cases, differ, interval, normalised, percentile,
};
use engine::turn::Speaker;
use proptest::prelude::*;
use serde_json::Value;

use crate::stream::{DAY, HOUR, board, card, said, stream};

type Happenings = Vec<(i64, What)>;

fn speaker() -> impl Strategy<Value = Speaker> {
    use Speaker::{Bot, Owner, System, Visitor};
    prop_oneof![5 => Just(Visitor), 4 => Just(Bot), 3 => Just(Owner), 1 => Just(System)]
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("billing".into()),
        Just("pricing".into()),
        Just("x".into())
    ]
}

fn message() -> impl Strategy<Value = What> {
    let written = prop::option::weighted(0.1, 0..30 * DAY);
    (1..20_i64, speaker(), any::<bool>(), written, prop::option::weighted(0.2, word())).prop_map(
        |(seq, from, answer, written_at, template)| {
            let answer = answer && from == Speaker::Bot;
            let open_ms = None;
            What::MessageSent { seq, from, answers: None, answer, written_at, open_ms, template }
        },
    )
}

fn decided() -> impl Strategy<Value = What> {
    (1..20_i64, 0.0..1.0_f32, prop::collection::vec(word(), 0..3)).prop_map(
        |(for_seq, frustration, tags)| {
            let (action, rule, reason) = ("send".into(), String::new(), String::new());
            What::ReplyDecided { for_seq, action, rule, reason, confidence: 0.5, frustration, tags }
        },
    )
}

fn survey() -> impl Strategy<Value = What> {
    let score = (any::<u8>(), prop_oneof![Just(3), Just(5), Just(7)]).prop_map(|(score, scale)| {
        What::CsatSubmitted { case: None, score: score % 8, scale, comment: None }
    });
    let nps = (0..13_u8).prop_map(|score| What::NpsSubmitted { case: None, score, comment: None });
    let rubric = (1..4_u8).prop_map(|judged| {
        let (clarity, correctness, empathy) = (judged, 4 - judged, 2);
        What::RubricScored { case: None, clarity, correctness, empathy }
    });
    let plain = prop::sample::select(vec![
        What::CsatAsked {},
        What::CsatDeclined {},
        What::NpsAsked {},
        What::NpsDeclined {},
    ]);
    prop_oneof![2 => score, 2 => nps, 1 => rubric, 2 => plain]
}

fn beside() -> impl Strategy<Value = What> {
    let sold = (prop::option::of(0..99_999_i64), word()).prop_map(|(value, currency)| {
        What::Converted { by_page: false, kind: "purchase".into(), value, currency: Some(currency) }
    });
    let plain = prop::sample::select(vec![
        What::HandedOff { reason: "asked".into() },
        What::TakenOver { by: "Ada".into() },
        What::HandedBack {},
        What::DraftCancelled { for_seq: 1 },
        What::SuggestionAccepted { for_seq: 1 },
        What::SuggestionEdited { for_seq: 1, distance: 3 },
        What::SuggestionDiscarded { for_seq: 1 },
        What::LeadCaptured { flow: "lead".into(), level: "hot".into() },
        What::TicketOpened { number: 1 },
        What::TagCorrected { seq: 3, tag: "billing".into() },
        What::FirstResponse { from: Speaker::Owner, ms: 5, open_ms: Some(3) },
        What::ChatReopened { after_ms: 5 },
    ]);
    prop_oneof![1 => sold, 4 => plain]
}

fn resolve() -> impl Strategy<Value = What> {
    let by = prop::sample::select(vec![By::Owner, By::Visitor, By::Silence]);
    (by, prop::collection::vec(word(), 0..2)).prop_map(|(by, tags)| What::ChatResolved {
        by,
        resolution_time_ms: 0,
        turns: 0,
        tags,
    })
}

fn pause() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0..200_000_i64, 2 => 0..6 * HOUR, 1 => 0..9 * DAY, 1 => -HOUR..0]
}

/// Events of one conversation, with a visit first and a visitor's message next.
fn conversation() -> impl Strategy<Value = Happenings> {
    let what = prop_oneof![
        8 => message(),
        3 => resolve(),
        2 => survey(),
        2 => beside(),
        1 => decided()
    ];
    let began = 0..12 * DAY;
    let steps = prop::collection::vec((pause(), what), 0..25);
    (began, word(), word(), steps).prop_map(|(mut at, page, campaign, steps)| {
        let visit = Visit { page, campaign, ..Visit::default() };
        let started = What::ConversationStarted { visit, staging: false };
        let mut events = vec![(at, started), (at, said(Speaker::Visitor))];
        for (pause, what) in steps {
            at += pause;
            events.push((at, what));
        }
        events
    })
}

fn conversations() -> impl Strategy<Value = Vec<Happenings>> {
    prop::collection::vec(conversation(), 0..12)
}

fn all_cases(conversations: &[Happenings]) -> Vec<Case> {
    conversations.iter().flat_map(|events| cases(&stream(events.clone()))).collect()
}

fn fits(share: &Share) -> bool {
    let Share { hits, of, share, low, high } = *share;
    match (share, low, high) {
        (None, None, None) => hits == 0 && of == 0,
        (Some(share), Some(low), Some(high)) => {
            hits <= of && 0.0 <= low && low <= share + 1e-12 && share <= high + 1e-12 && high <= 1.0
        }
        _ => false,
    }
}

/// Every number that is called a time is none or not negative, every share within its bounds.
fn in_range(place: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("hits") {
                let share: Share = serde_json::from_value(value.clone()).unwrap();
                assert!(fits(&share), "{place}: {value}");
            }
            if let (Some(median), Some(p90)) = (fields.get("median_ms"), fields.get("p90_ms")) {
                assert!(median.as_i64() <= p90.as_i64(), "{place}: {value}");
            }
            fields.iter().for_each(|(name, value)| in_range(&format!("{place}.{name}"), value));
        }
        Value::Array(values) => values.iter().for_each(|value| in_range(place, value)),
        Value::Number(number) if place.ends_with("_ms") => {
            assert!(number.as_f64() >= Some(0.0), "{place}: {number}");
        }
        _ => {}
    }
}

fn adds_up(card: &Scorecard) {
    let n = card.cases;
    let sum = |parts: &mut dyn Iterator<Item = u64>| parts.sum::<u64>();
    let resolved = card.containment.of;
    assert_eq!(sum(&mut card.kinds.iter().map(|kind| kind.n)), n);
    assert_eq!(sum(&mut card.days.iter().map(|day| day.n)), n);
    assert_eq!(sum(&mut card.segments.page.iter().map(|part| part.n)), n);
    assert_eq!(sum(&mut card.segments.tag.iter().map(|part| part.csat.n)), card.csat.n);
    assert_eq!(sum(&mut card.kinds.iter().map(|kind| kind.resolution.n)), resolved);
    assert_eq!(card.resolved.owner + card.resolved.visitor + card.resolved.silence, resolved);
    assert_eq!(resolved + card.resolved.open, n);
    assert_eq!((card.deflection.of, card.turns.n, card.resolution.all.n), (n, n, resolved));
    assert_eq!(card.assist.conversions.of, card.resolved.owner + card.resolved.visitor);
    let steps: Vec<u64> = card.funnel.iter().map(|step| step.n).collect();
    assert_eq!((steps[1], steps[3], steps[4]), (n, resolved, card.csat.n));
    assert_eq!(steps[2], sum(&mut card.frt_buckets.iter().map(|bucket| bucket.n)));
    assert!(card.csat.mean.is_none_or(|mean| (1.0..=5.0).contains(&mean)));
    assert!(card.csat.asked >= card.csat.n + card.csat.declined);
    assert_eq!(card.nps.n, card.nps.promoters + card.nps.passives + card.nps.detractors);
    assert_eq!(card.nps.score.is_some(), card.nps.n >= 40);
    assert!(card.reopened.of <= n && card.durable.of <= n);
}

/// The scorecard without what names days or weeks.
fn timeless(card: Scorecard) -> Value {
    let mut value = serde_json::to_value(card).unwrap();
    let fields = value.as_object_mut().unwrap();
    ["from", "to", "days", "deep_dive"].iter().for_each(|name| drop(fields.remove(*name)));
    value
}

proptest! {
    #[test]
    fn figures_stay_in_their_ranges_and_add_up(conversations in conversations()) {
        let cases = all_cases(&conversations);
        let card = card(&cases);
        adds_up(&card);
        let value = serde_json::to_value(&card).unwrap();
        in_range("", &value);
        let again: Scorecard = serde_json::from_value(value).unwrap();
        prop_assert_eq!(again, card);
    }

    #[test]
    fn parts_make_the_whole_in_any_order(conversations in conversations(), by in 1..5_usize) {
        let cases = all_cases(&conversations);
        let whole = card(&cases);
        let mut parts: Vec<Board> = (0..by).map(|_| board()).collect();
        for (number, case) in cases.iter().rev().enumerate() {
            // As it is read back from where it is kept.
            let text = serde_json::to_string(case).unwrap();
            parts[number % by].add(&serde_json::from_str(&text).unwrap());
        }
        let mut sum = parts.pop().unwrap();
        parts.into_iter().for_each(|part| sum.merge(part));
        prop_assert_eq!(sum.finish(), whole);
    }

    #[test]
    fn a_trial_changes_nothing(conversations in conversations(), mut trial in conversation()) {
        if let What::ConversationStarted { staging, .. } = &mut trial[0].1 {
            *staging = true;
        }
        let before = card(&all_cases(&conversations));
        let mut with = conversations;
        with.push(trial);
        prop_assert_eq!(card(&all_cases(&with)), before);
    }

    #[test]
    fn another_time_changes_nothing_but_dates(
        conversations in conversations(),
        later in -5_000_000_000_000..5_000_000_000_000_i64,
    ) {
        let mut moved = conversations.clone();
        for (at, what) in moved.iter_mut().flatten() {
            *at += later;
            if let What::MessageSent { written_at: Some(written), .. } = what {
                *written += later;
            }
        }
        let here = timeless(card(&all_cases(&conversations)));
        let mut there = crate::stream::board_at(later);
        all_cases(&moved).iter().for_each(|case| there.add(case));
        prop_assert_eq!(timeless(there.finish()), here);
    }

    #[test]
    fn coming_back_never_makes_a_resolve_more_durable(
        conversations in conversations(),
        after in 0..=REOPEN_MS,
        again in any::<bool>(),
    ) {
        let before = card(&all_cases(&conversations));
        let back: Vec<Happenings> = conversations.into_iter().map(|mut events| {
            if let Some(at) = resolved_at_the_end(&events) {
                events.push((at + after, said(Speaker::Visitor)));
                if again {
                    events.push((at + after + 1, crate::stream::resolved(By::Silence)));
                }
            }
            events
        }).collect();
        let card = card(&all_cases(&back));
        prop_assert!(card.durable.hits <= before.durable.hits);
        prop_assert!(card.reopened.hits >= before.reopened.hits);
        prop_assert_eq!(card.cases, before.cases);
    }

    #[test]
    fn events_in_any_order_and_time_are_survived(
        mut events in conversation().prop_shuffle(),
        times in prop::collection::vec(any::<i64>(), 30),
    ) {
        events.iter_mut().zip(times).for_each(|((at, _), time)| *at = time);
        let events = stream(events);
        let cases = cases(&events);
        adds_up(&card(&cases));
        prop_assert!(audit(&events).iter().all(|check| !check.detail.is_empty()));
        let texts: Vec<String> =
            events.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
        let read = |text: &String| serde_json::from_str::<Event>(text).unwrap();
        prop_assert_eq!(texts.iter().map(read).collect::<Vec<_>>(), events);
    }

    #[test]
    fn shares_are_symmetric_and_grow_with_their_hits(of in 1..5_000_u64, part in 0.0..=1.0_f64) {
        let hits = ((of - 1) as f64 * part) as u64;
        let share = |hits: u64| Counts { hits, of }.share();
        let (here, mirrored, more) = (share(hits), share(of - hits), share(hits + 1));
        prop_assert!(fits(&here));
        prop_assert!((here.low.unwrap() - (1.0 - mirrored.high.unwrap())).abs() < 1e-9);
        prop_assert!(more.low > here.low && more.high > here.high);
        let wide = |share: Share| share.high.unwrap() - share.low.unwrap();
        let tenfold = Counts { hits: hits * 10, of: of * 10 }.share();
        prop_assert!(wide(tenfold) < wide(here));
        prop_assert_eq!(interval(hits as usize, of as usize).0.max(0.0), here.low.unwrap());
    }

    #[test]
    fn differences_have_a_side_and_need_more_for_more_looks(
        a in 0..400_u64, b in 0..400_u64, n in 1..400_u64, m in 1..400_u64, looks in 1..500_u32,
    ) {
        let (x, y) = (Counts { hits: a.min(n), of: n }, Counts { hits: b.min(m), of: m });
        let found = differ(x, y, looks);
        prop_assert_eq!(found, differ(y, x, looks).map(Ordering::reverse));
        let misses = |c: Counts| Counts { hits: c.of - c.hits, ..c };
        prop_assert_eq!(found, differ(misses(x), misses(y), looks).map(Ordering::reverse));
        if found.is_some() {
            prop_assert_eq!(differ(x, y, 1), found);
        }
        let sides = (x.hits * m).cmp(&(y.hits * n));
        prop_assert!(found.is_none_or(|found| found == sides));
        if found == Some(Ordering::Greater) && x.hits < n {
            prop_assert_eq!(differ(Counts { hits: x.hits + 1, of: n }, y, looks), found);
        }
    }

    #[test]
    fn times_have_the_percentiles_of_all_values(values in prop::collection::vec(0..9_999_i64, 1..60)) {
        let made = values.iter().map(|frt| Case { frt_bot_ms: Some(*frt), ..Case::default() });
        let timer = card(&made.collect::<Vec<_>>()).frt.bot;
        let values: Vec<f64> = values.iter().map(|value| *value as f64).collect();
        prop_assert_eq!(timer.median_ms.map(|ms| ms as f64), percentile(&values, 0.5));
        prop_assert_eq!(timer.p90_ms.map(|ms| ms as f64), percentile(&values, 0.9));
    }

    #[test]
    fn ratings_come_to_one_to_five(score in any::<u8>(), scale in any::<u8>()) {
        let known = (scale == 3 || scale == 5) && (1..=scale).contains(&score);
        prop_assert_eq!(normalised(score, scale).is_some(), known);
        prop_assert!(normalised(score, scale).is_none_or(|rating| (1..=5).contains(&rating)));
    }

    #[test]
    fn a_better_answer_never_lowers_nps(scores in prop::collection::vec(0..=10_u8, 40..90), at in 0..40_usize) {
        let asked = |scores: &[u8]| {
            let case = |score: &u8| {
                let mut case = Case::default();
                case.nps.answer = Some(*score);
                case
            };
            card(&scores.iter().map(case).collect::<Vec<_>>()).nps
        };
        let here = asked(&scores);
        let (score, low, high) = (here.score.unwrap(), here.low.unwrap(), here.high.unwrap());
        prop_assert!(-100.0 <= low && low <= score && score <= high && high <= 100.0);
        let mut better = scores.clone();
        better[at] = (better[at] + 1).min(10);
        prop_assert!(asked(&better).score.unwrap() >= score);
        let mirrored: Vec<u8> = scores.iter().map(|score| match score {
            9..=10 => 0,
            7..=8 => 7,
            _ => 10,
        }).collect();
        prop_assert!((asked(&mirrored).score.unwrap() + score).abs() < 1e-9);
    }
}

/// When the last case of a conversation was resolved; none when it is open.
fn resolved_at_the_end(events: &Happenings) -> Option<i64> {
    let cases = cases(&stream(events.clone()));
    cases.last().filter(|case| case.by().is_some()).and_then(|case| Some(case.resolved?.0))
}
