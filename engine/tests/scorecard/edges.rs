//! Rows of cases at the edges: nothing at all, sharp limits, clocks that are set back.

use engine::metrics::event::{By, What};
use engine::metrics::{Case, Kind, Trend};
use engine::turn::Speaker::{Bot, Owner, System, Visitor};

use crate::stream::{DAY, HOUR, answer, card, mail, read, resolved, said, started};

const MINUTE: i64 = 60_000;

type Happenings = Vec<(i64, What)>;

/// What is looked at of a case, as text that is easily compared.
fn check(name: &str, events: &[(i64, What)], look: fn(&Case) -> String, expect: &[&str]) {
    let cases = read(events.to_vec());
    let got: Vec<String> = cases.iter().map(look).collect();
    assert_eq!(got, expect, "{name}: {cases:#?}");
}

fn rated(score: u8, scale: u8, comment: Option<&str>) -> What {
    What::CsatSubmitted { case: None, score, scale, comment: comment.map(Into::into) }
}

fn decided(for_seq: i64, frustration: f32, tags: &[&str]) -> What {
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let (action, rule, reason) = ("send".into(), String::new(), String::new());
    What::ReplyDecided { for_seq, action, rule, reason, confidence: 0.9, frustration, tags }
}

fn times(case: &Case) -> String {
    let ms = |ms: Option<i64>| ms.map_or("-".to_owned(), |ms| ms.to_string());
    let waits = [&case.latency_bot_ms, &case.latency_person_ms];
    format!(
        "bot {} person {} resolved {} handled {} waits {waits:?} turns {}",
        ms(case.frt_bot_ms),
        ms(case.frt_person_ms),
        ms(case.resolution_ms()),
        ms(case.handling_ms),
        case.turns
    )
}

#[test]
fn timers_are_right_when_the_clock_is_not() {
    let rows: [(&str, Happenings, &str); 8] = [
        (
            "nobody replied",
            vec![(7, said(Visitor))],
            "bot - person - resolved - handled - waits [[], []] turns 1",
        ),
        (
            "the clock is set back",
            vec![
                (HOUR, said(Visitor)),
                (10, said(Bot)),
                (20, said(Owner)),
                (30, resolved(By::Owner)),
            ],
            "bot 0 person 0 resolved 0 handled 0 waits [[0], []] turns 3",
        ),
        (
            "a mail was written before it came",
            vec![(0, said(Visitor)), (HOUR, mail(Owner, MINUTE)), (HOUR, resolved(By::Owner))],
            "bot - person 60000 resolved 3600000 handled 60000 waits [[], [60000]] turns 2",
        ),
        (
            "a mail was written before the message",
            vec![(HOUR, said(Visitor)), (2 * HOUR, mail(Owner, 5))],
            "bot - person 0 resolved - handled 0 waits [[], [0]] turns 2",
        ),
        (
            "a mail was written between two messages",
            vec![(0, said(Visitor)), (9_000, said(Visitor)), (10_000, mail(Owner, 4_000))],
            "bot - person 4000 resolved - handled 4000 waits [[], [4000]] turns 3",
        ),
        (
            "a chat lay open: 15 minutes count, from the last of message and take-over",
            vec![
                (0, said(Visitor)),
                (10 * HOUR, said(Owner)),
                (10 * HOUR + 5, said(Visitor)),
                (10 * HOUR + 10, What::TakenOver { by: "Ada".into() }),
                (10 * HOUR + 30, said(Owner)),
            ],
            "bot - person 36000000 resolved - handled 900020 waits [[], [36000000, 25]] turns 4",
        ),
        (
            "two resolves in one millisecond",
            vec![
                (0, said(Visitor)),
                (5, said(Bot)),
                (9, resolved(By::Visitor)),
                (9, resolved(By::Silence)),
            ],
            "bot 5 person - resolved 9 handled - waits [[5], []] turns 2",
        ),
        (
            "what is said to a resolved case counts nowhere",
            vec![
                (0, said(Visitor)),
                (5, resolved(By::Silence)),
                (9, said(System)),
                (10, said(Owner)),
            ],
            "bot - person - resolved 5 handled - waits [[], []] turns 1",
        ),
    ];
    for (name, events, expect) in rows {
        check(name, &events, times, &[expect]);
    }
}

#[test]
fn limits_are_sharp() {
    let talk = |later: Happenings| {
        let mut events = vec![(0, said(Visitor)), (5, answer()), (10, resolved(By::Visitor))];
        events.extend(later);
        events
    };
    let look = |case: &Case| {
        let known = |known: Option<bool>| known.map_or("?", |yes| if yes { "yes" } else { "no" });
        let now = 30 * DAY;
        let (back, durable) = (known(case.came_back(now)), known(case.durable(now)));
        format!("reopened {back} durable {durable} sold {}", case.conversions.len())
    };
    let sold =
        || What::Converted { by_page: false, kind: "purchase".into(), value: None, currency: None };
    let quiet = "reopened no durable yes sold 0";
    check(
        "72 h sharp",
        &talk(vec![(10 + 72 * HOUR, said(Visitor))]),
        look,
        &["reopened yes durable no sold 0"],
    );
    let back = talk(vec![(10 + 72 * HOUR, said(Visitor)), (11 + 72 * HOUR, resolved(By::Owner))]);
    check("72 h sharp, resolved again", &back, look, &["reopened yes durable yes sold 0"]);
    let open = "reopened ? durable ? sold 0";
    check(
        "72 h and 1 ms",
        &talk(vec![(11 + 72 * HOUR, said(Visitor))]),
        look,
        &["reopened no durable no sold 0", open],
    );
    check(
        "7 d sharp",
        &talk(vec![(10 + 7 * DAY, said(Visitor))]),
        look,
        &["reopened no durable no sold 0", open],
    );
    check("7 d and 1 ms", &talk(vec![(11 + 7 * DAY, said(Visitor))]), look, &[quiet, open]);
    check(
        "2 h sharp",
        &talk(vec![(10 + 2 * HOUR, sold())]),
        look,
        &["reopened no durable yes sold 1"],
    );
    check("2 h and 1 ms", &talk(vec![(11 + 2 * HOUR, sold())]), look, &[quiet]);
    let silent = [(0, said(Visitor)), (5, resolved(By::Silence)), (6, sold())];
    let silent = silent.into_iter().chain([(7, said(Visitor)), (8, resolved(By::Owner))]);
    check(
        "sold after a silence",
        &silent.collect::<Happenings>(),
        look,
        &["reopened yes durable yes sold 0"],
    );
    check(
        "opened by hand",
        &talk(vec![(11, What::ChatReopened { after_ms: 1 })]),
        look,
        &["reopened yes durable no sold 0"],
    );
    for (now, expect) in [
        (72 * HOUR - 1, (None, None)),
        (72 * HOUR, (Some(false), None)),
        (7 * DAY - 1, (Some(false), None)),
        (7 * DAY, (Some(false), Some(true))),
    ] {
        let cases = read(talk(vec![]));
        assert_eq!((cases[0].came_back(10 + now), cases[0].durable(10 + now)), expect, "{now}");
    }
}

#[test]
fn surveys_belong_to_the_case_that_was_resolved() {
    let talk = |later: Happenings| {
        let mut events = vec![(0, said(Visitor)), (10, resolved(By::Visitor))];
        events.extend(later);
        events
    };
    let look = |case: &Case| {
        format!("{:?} {:?} {:?}", case.csat.answer, case.rating(), case.csat.declined)
    };
    let (asked, declined) = (|| What::CsatAsked {}, || What::CsatDeclined {});
    let none = "None None false";
    for (name, later, expect) in [
        ("nobody was asked", vec![], vec![none]),
        (
            "the comment follows the tap",
            vec![(11, asked()), (12, rated(2, 3, None)), (20, rated(3, 3, Some("so")))],
            vec!["Some((3, 3)) Some(5) false"],
        ),
        (
            "rated after reopening",
            vec![(11, asked()), (20, said(Visitor)), (30, rated(4, 5, None))],
            vec!["Some((4, 5)) Some(4) false"],
        ),
        (
            "rated while the next case is open",
            vec![(5 * DAY, said(Visitor)), (5 * DAY + 1, rated(1, 5, None))],
            vec!["Some((1, 5)) Some(1) false", none],
        ),
        (
            "declined, then rated after all",
            vec![(11, declined()), (12, rated(5, 5, None))],
            vec!["Some((5, 5)) Some(5) false"],
        ),
        ("declined twice", vec![(11, declined()), (12, declined())], vec!["None None true"]),
        (
            "no rating at all",
            vec![(12, rated(0, 5, None)), (13, rated(4, 3, None)), (14, rated(9, 9, None))],
            vec![none],
        ),
    ] {
        check(name, &talk(later), look, &expect);
    }
}

#[test]
fn a_case_says_who_answered_and_what_it_is_about() {
    let look = |case: &Case| {
        format!(
            "{:?} {} {} {:?} {:?}",
            case.kind(),
            case.contained(),
            case.deflected(),
            case.tags,
            case.sentiment
        )
    };
    let end = (99, resolved(By::Owner));
    let correct = |seq: i64| What::TagCorrected { seq, tag: "billing".into() };
    for (name, events, expect) in [
        (
            "the bot answered",
            vec![(0, said(Visitor)), (1, answer()), end.clone()],
            "BotOnly true true [] None",
        ),
        (
            "the bot said something",
            vec![(0, said(Visitor)), (1, said(Bot)), end.clone()],
            "BotOnly true false [] None",
        ),
        (
            "a person wrote",
            vec![(0, said(Visitor)), (1, said(Owner)), end.clone()],
            "PersonOnly false false [] None",
        ),
        (
            "a suggestion was sent",
            vec![
                (0, said(Visitor)),
                (1, said(Owner)),
                (1, What::SuggestionAccepted { for_seq: 1 }),
                end.clone(),
            ],
            "Assisted false false [] None",
        ),
        (
            "an edited suggestion was sent",
            vec![
                (0, said(Visitor)),
                (1, said(Owner)),
                (1, What::SuggestionEdited { for_seq: 1, distance: 9 }),
                end.clone(),
            ],
            "Assisted false false [] None",
        ),
        (
            "a suggestion was thrown away",
            vec![
                (0, said(Visitor)),
                (1, What::SuggestionDiscarded { for_seq: 1 }),
                (1, said(Owner)),
                end.clone(),
            ],
            "PersonOnly false false [] None",
        ),
        (
            "a ticket was opened",
            vec![
                (0, said(Visitor)),
                (1, answer()),
                (2, What::TicketOpened { number: 1 }),
                end.clone(),
            ],
            "BotOnly false false [] None",
        ),
        (
            "a correction stays, and the mood rose by a tenth sharp",
            vec![
                (0, said(Visitor)),
                (1, decided(1, 0.2, &["general", "pricing"])),
                (2, correct(1)),
                (3, decided(1, 0.3, &["general"])),
                end.clone(),
            ],
            "BotOnly true false [\"billing\", \"pricing\"] Some(Same)",
        ),
        (
            "the newest message that has tags gives them",
            vec![
                (0, said(Visitor)),
                (1, decided(3, 0.9, &["a"])),
                (2, correct(1)),
                (3, decided(5, 0.2, &[])),
                end,
            ],
            "BotOnly true false [\"a\"] Some(Better)",
        ),
    ] {
        check(name, &events, look, &[expect]);
    }
    assert_eq!(Trend::Worse, serde_json::from_str("\"worse\"").unwrap());
    assert_eq!(serde_json::to_string(&Kind::BotOnly).unwrap(), "\"bot_only\"");
}

#[test]
fn nothing_has_no_figures_and_no_division_by_zero() {
    let scorecard = card(&[]);
    let value = serde_json::to_value(&scorecard).unwrap();
    for place in [
        "/frt/bot/median_ms",
        "/latency/person/p90_ms",
        "/resolution/all/median_ms",
        "/turns/mean",
        "/handling/mean_ms",
        "/csat/mean",
        "/csat/positive/share",
        "/nps/score",
        "/nps/low",
        "/reopened/share",
        "/durable/low",
        "/containment/high",
        "/deflection/share",
        "/kinds/2/turns_mean",
        "/assist/conversions/share",
        "/savings/roi",
        "/quality/clarity/mean",
        "/deep_dive",
        "/days/27/frt_median_ms",
    ] {
        assert_eq!(value.pointer(place), Some(&serde_json::Value::Null), "{place}");
    }
    assert_eq!((scorecard.savings.hours_saved, scorecard.savings.uplift), (Some(0.0), Some(0.0)));
    assert_eq!((scorecard.days.len(), scorecard.frt_buckets.len()), (28, 4));
    assert!(read([(0, started("https://shop.example/", false)), (5, said(Owner))]).is_empty());
    assert!(read([(0, started("", true)), (5, said(Visitor))]).is_empty(), "a trial");
}
