//! Which cases a scorecard takes, how they are told apart, and what follows in money.

use engine::metrics::event::By;
use engine::metrics::{Assumptions, Board, Case, Conversion, Filter, Period, Scorecard};

use crate::stream::{DAY, HOUR};

const WEEK: Period = Period { from: 28 * DAY, to: 35 * DAY };

fn case(began_at: i64, tag: &str, page: &str) -> Case {
    let tags = if tag.is_empty() { vec![] } else { vec![tag.to_owned(), "second".into()] };
    let resolved = Some((began_at + HOUR, By::Visitor));
    Case { place: 1, began_at, tags, page: page.into(), resolved, turns: 2, ..Case::default() }
}

fn card(cases: &[Case], assumptions: Assumptions, filter: Filter) -> Scorecard {
    let mut board = Board::new(WEEK, 90 * DAY, assumptions, filter);
    cases.iter().for_each(|case| board.add(case));
    board.finish()
}

#[test]
fn a_case_counts_in_the_period_in_which_it_began_and_nps_in_four_weeks() {
    for (began_at, counts, recommended) in [
        (7 * DAY - 1, 0, 0),
        (7 * DAY, 0, 1),
        (28 * DAY - 1, 0, 1),
        (28 * DAY, 1, 1),
        (35 * DAY - 1, 1, 1),
        (35 * DAY, 0, 0),
    ] {
        let mut case = case(began_at, "", "");
        case.nps.answer = Some(9);
        case.csat.answer = Some((4, 5));
        let card = card(&[case], Assumptions::default(), Filter::default());
        assert_eq!((card.cases, card.csat.n, card.nps.n), (counts, counts, recommended));
    }
}

#[test]
fn a_filter_takes_the_primary_tag_the_page_and_the_campaign() {
    let cases = [case(WEEK.from, "a", "/x"), case(WEEK.from, "b", "/x"), case(WEEK.from, "", "")];
    let word = |word: &str| Some(word.to_owned());
    for (filter, expect) in [
        (Filter::default(), 3),
        (Filter { tag: word("a"), ..Filter::default() }, 1),
        (Filter { tag: word("second"), ..Filter::default() }, 0),
        (Filter { tag: word(""), ..Filter::default() }, 1),
        (Filter { page: word("/x"), ..Filter::default() }, 2),
        (Filter { tag: word("b"), page: word("/x"), ..Filter::default() }, 1),
        (Filter { campaign: word(""), ..Filter::default() }, 3),
        (Filter { campaign: word("c"), ..Filter::default() }, 0),
    ] {
        let got = card(&cases, Assumptions::default(), filter.clone()).cases;
        assert_eq!(got, expect, "{filter:?}");
    }
}

#[test]
fn segments_are_the_twenty_most_frequent_and_tags_take_turns() {
    let cases: Vec<Case> = (0..30)
        .flat_map(|page| {
            let name = format!("/{page:02}");
            (0..=page).map(move |_| case(WEEK.from, &name, &name))
        })
        .collect();
    let card = card(&cases, Assumptions::default(), Filter::default());
    let keys: Vec<&str> = card.segments.page.iter().map(|part| part.key.as_str()).collect();
    assert_eq!((keys.len(), keys[0], keys[19]), (20, "/29", "/10"));
    assert_eq!((card.segments.campaign.len(), card.resolution.by_tag.len()), (1, 30));
    // Each week another tag, until all had their turn.
    let mut seen: Vec<String> = (0..30)
        .map(|week| {
            let (from, to) = (WEEK.from, WEEK.to + week * 7 * DAY);
            let period = Period { from, to };
            let mut board =
                Board::new(period, 900 * DAY, Assumptions::default(), Filter::default());
            cases.iter().for_each(|case| board.add(case));
            board.finish().deep_dive.unwrap().tag
        })
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 30);
}

#[test]
fn a_week_begins_on_monday() {
    let cases = [("a", 2), ("b", 1)]
        .into_iter()
        .flat_map(|(tag, n)| (0..n).map(move |_| case(WEEK.from, tag, "")));
    let cases: Vec<Case> = cases.collect();
    // 1 February 1970 was a Sunday.
    for (day, expect) in [(30, "b"), (31, "b"), (32, "a"), (38, "a"), (39, "b")] {
        let period = Period { to: day * DAY, ..WEEK };
        let mut board = Board::new(period, 90 * DAY, Assumptions::default(), Filter::default());
        cases.iter().for_each(|case| board.add(case));
        assert_eq!(board.finish().deep_dive.unwrap().tag, expect, "day {day}");
    }
}

fn sold(began_at: i64, sales: &[(Option<i64>, &str)]) -> Case {
    let mut case = case(began_at, "", "");
    let conversion = |(value, currency): &(Option<i64>, &str)| Conversion {
        value: *value,
        currency: (*currency).into(),
    };
    case.conversions = sales.iter().map(conversion).collect();
    case
}

#[test]
fn orders_are_valued_by_what_is_known_of_them() {
    let euro = (Some(1_999), "EUR");
    let (yen, dollar, unknown) = ((Some(500), "JPY"), (Some(900), "USD"), (None, ""));
    let own = |currency: &str, average_order_value: Option<f64>| Assumptions {
        currency: currency.into(),
        average_order_value,
        attributed_share: 0.5,
        ..Assumptions::default()
    };
    for (sales, assumptions, expect) in [
        (vec![], own("EUR", None), Some(0.0)),
        (vec![euro], own("EUR", None), Some(9.995)),
        (vec![euro, unknown], own("EUR", None), None),
        (vec![euro, unknown], own("EUR", Some(10.0)), Some(14.995)),
        (vec![dollar], own("EUR", Some(10.0)), Some(5.0)),
        (vec![yen], own("JPY", None), Some(250.0)),
        (vec![(Some(1_500), "KWD")], own("KWD", None), Some(0.75)),
    ] {
        let card = card(&[sold(WEEK.from, &sales)], assumptions, Filter::default());
        let uplift = card.savings.uplift;
        let close = uplift.zip(expect).map_or(uplift == expect, |(a, b)| (a - b).abs() < 1e-9);
        assert!(close, "{sales:?}: {uplift:?} is not {expect:?}");
        assert_eq!(card.assist.conversions.hits, u64::from(!sales.is_empty()));
    }
}

#[test]
fn savings_follow_from_what_is_assumed() {
    let mut handled = case(WEEK.from, "", "");
    handled.handling_ms = Some(8 * 60_000);
    let answered = |case: Case| Case { answered: true, ..case };
    let plain = || answered(case(WEEK.from, "", ""));
    let cases = [answered(sold(WEEK.from, &[(None, "")])), handled, plain(), plain()];
    let check = |assumptions: Assumptions, expect: [Option<f64>; 5]| {
        let savings = card(&cases, assumptions.clone(), Filter::default()).savings;
        let got = [
            savings.minutes_saved,
            savings.cost_saved,
            savings.uplift,
            savings.tool_costs,
            savings.roi,
        ];
        for (got, expect) in got.into_iter().zip(expect) {
            let close = got.zip(expect).map_or(got == expect, |(a, b)| (a - b).abs() < 1e-9);
            assert!(close, "{assumptions:?}: {savings:?}");
        }
    };
    let plain = Assumptions::default;
    check(plain(), [Some(6.0), Some(3.0), None, Some(0.0), None]);
    // 12 minutes before, 8 now, one case; a week of a month's costs.
    let known = Assumptions {
        baseline_handling_minutes: Some(12.0),
        average_order_value: Some(50.0),
        tool_costs: 30.0,
        ..plain()
    };
    check(known.clone(), [Some(10.0), Some(3.0), Some(10.0), Some(7.0), Some(6.0 / 7.0)]);
    // One order of four where one of ten was usual: 0.6 orders more.
    let beside = Assumptions { baseline_conversion_rate: Some(0.1), ..known.clone() };
    check(beside, [Some(10.0), Some(3.0), Some(30.0), Some(7.0), Some(26.0 / 7.0)]);
    let slower = Assumptions { baseline_handling_minutes: Some(2.0), tool_costs: 0.0, ..known };
    check(slower, [Some(0.0), Some(3.0), Some(10.0), Some(0.0), None]);
}
