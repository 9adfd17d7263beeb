//! Office hours held against cases and properties.

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;

const SPLIT: &str = r#"
zone = "Europe/Berlin"
follow_up = "09:15"
priority_words = ["urgent|emergency", "site is down"]
[week]
monday = ["09:00-12:30", "13:30-18:00"]
tuesday = ["09:00-12:30", "13:30-18:00"]
wednesday = ["09:00-12:30", "13:30-18:00"]
thursday = ["09:00-12:30", "13:30-18:00"]
friday = ["22:00-02:00"]
[[holiday]]
date = "12-25"
name = "Christmas"
[[holiday]]
date = "2026-12-28"
name = "Stocktaking"
spans = ["10:00-11:00"]
"#;

fn hours(text: &str) -> Hours {
    Hours::parse(text).unwrap()
}

/// A moment from "2026-11-23T09:00+01".
fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn week(zone: &str, day: &str, spans: &str) -> Hours {
    hours(&format!("zone = \"{zone}\"\n[week]\n{day} = [{spans}]"))
}

#[test]
fn somebody_is_there_when_the_wall_says_so() {
    let split = hours(SPLIT);
    for (now, open, opens, closes) in [
        ("2026-11-23T08:59:59+01", false, "2026-11-23T09:00+01", None),
        ("2026-11-23T09:00+01", true, "2026-11-23T13:30+01", Some("2026-11-23T12:30+01")),
        ("2026-11-23T12:30+01", false, "2026-11-23T13:30+01", None),
        ("2026-11-23T18:00+01", false, "2026-11-24T09:00+01", None),
        // Over midnight, into the next day.
        ("2026-11-27T23:00+01", true, "2026-11-30T09:00+01", Some("2026-11-28T02:00+01")),
        ("2026-11-28T01:59+01", true, "2026-11-30T09:00+01", Some("2026-11-28T02:00+01")),
        ("2026-11-28T02:00+01", false, "2026-11-30T09:00+01", None),
        // A holiday every year, whose eve has nothing on it, and a single one with hours of its own.
        ("2026-12-24T18:00+01", false, "2026-12-28T10:00+01", None),
        ("2026-12-25T23:00+01", false, "2026-12-28T10:00+01", None),
        ("2027-12-23T18:00+01", false, "2027-12-24T22:00+01", None),
    ] {
        let now = at(now);
        assert_eq!(split.is_open(now), open, "{now}");
        assert_eq!(split.next_opening(now), Some(at(opens)), "{now}");
        assert_eq!(split.closes_at(now), closes.map(at), "{now}");
    }
}

#[test]
fn without_a_week_somebody_is_always_there() {
    for text in ["", "zone = 'Asia/Tokyo'", "[[holiday]]\ndate = '12-25'"] {
        let always = hours(text);
        assert!(!always.is_set());
        assert_eq!(always.availability(0, None), Availability::Open);
        assert_eq!((always.next_opening(0), always.closes_at(0)), (None, None));
        assert_eq!(always.open_ms_between(5, 12), 7);
        assert_eq!(always.describe(), "");
    }
}

#[test]
fn days_that_are_an_hour_shorter_or_longer() {
    let hour = 3_600_000;
    for (zone, spans, from, to, open_ms) in [
        // Berlin skips 02:00 to 03:00 on 29 March 2026 and has it twice on 25 October.
        ("Europe/Berlin", "'00:00-24:00'", "2026-03-29T00:00+01", "2026-03-30T00:00+02", 23 * hour),
        ("Europe/Berlin", "'00:00-24:00'", "2026-10-25T00:00+02", "2026-10-26T00:00+01", 25 * hour),
        ("Europe/Berlin", "'02:15-02:45'", "2026-03-29T00:00+01", "2026-03-30T00:00+02", 0),
        ("Europe/Berlin", "'02:30-04:00'", "2026-03-29T00:00+01", "2026-03-30T00:00+02", hour),
        ("Europe/Berlin", "'02:15-02:45'", "2026-10-25T00:00+02", "2026-10-26T00:00+01", hour / 2),
        ("Europe/Berlin", "'01:00-03:00'", "2026-10-25T00:00+02", "2026-10-26T00:00+01", 3 * hour),
        // New York skips 02:00 to 03:00 on 8 March and has 01:00 to 02:00 twice on 1 November.
        (
            "America/New_York",
            "'01:00-04:00'",
            "2026-03-08T00:00-05",
            "2026-03-09T00:00-04",
            2 * hour,
        ),
        (
            "America/New_York",
            "'01:30-02:00'",
            "2026-11-01T00:00-04",
            "2026-11-02T00:00-05",
            3 * hour / 2,
        ),
        (
            "America/New_York",
            "'09:00-17:00'",
            "2026-11-01T00:00-04",
            "2026-11-02T00:00-05",
            8 * hour,
        ),
    ] {
        let open = week(zone, "sunday", spans);
        assert_eq!(open.open_ms_between(at(from), at(to)), open_ms, "{zone} {spans} {from}");
    }
    let berlin = week("Europe/Berlin", "sunday", "'09:00-17:00'");
    let friday = at("2026-10-23T12:00+02");
    assert_eq!(berlin.next_opening(friday), Some(at("2026-10-25T09:00+01")));
}

#[test]
fn who_is_away_is_not_there() {
    let split = hours(SPLIT);
    let opens = |text: &str| Availability::Closed { opens: text.into() };
    let monday = at("2026-11-23T10:00+01");
    for (now, until, expect) in [
        (monday, None, Availability::Open),
        (monday, Some(at("2026-11-23T11:00+01")), opens("today at 11:00")),
        (monday, Some(at("2026-11-23T13:00+01")), opens("today at 13:30")),
        (monday, Some(at("2026-11-23T19:00+01")), opens("tomorrow at 09:00")),
        (monday, Some(monday), Availability::Open),
        (monday, Some(0), opens("")),
        (at("2026-11-28T12:00+01"), None, opens("Monday at 09:00")),
        (at("2026-12-18T12:00+01"), None, opens("today at 22:00")),
        (
            at("2026-12-19T12:00+01"),
            Some(at("2027-01-03T00:00+01")),
            opens("Monday 4 January at 09:00"),
        ),
    ] {
        assert_eq!(split.availability(now, until), expect, "{now} {until:?}");
    }
    let until = Some(at("2026-11-23T10:30Z"));
    assert_eq!(Hours::default().availability(monday, until), opens("today at 10:30"));
}

#[test]
fn hours_in_words() {
    let office = "zone = 'Europe/Berlin'\n[week]\n";
    let days = |names: &[&str], spans: &str| {
        names.iter().map(|day| format!("{day} = [{spans}]\n")).collect::<String>()
    };
    let five = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    for (text, expect) in [
        (
            format!("{office}{}", days(&five, "'09:00-18:00'")),
            "Monday to Friday, 09:00 to 18:00 (Europe/Berlin)",
        ),
        (
            format!(
                "{office}{}{}",
                days(&five, "'09:00-18:00'"),
                days(&["saturday", "sunday"], "'22:00-02:00'")
            ),
            "Monday to Friday, 09:00 to 18:00; Saturday and Sunday, 22:00 to 02:00 (Europe/Berlin)",
        ),
        (
            SPLIT.to_owned(),
            "Monday to Thursday, 09:00 to 12:30 and 13:30 to 18:00; Friday, 22:00 to 02:00 (Europe/Berlin)",
        ),
        (
            format!("{office}{}", days(&["sunday"], "'00:00-24:00'")),
            "Sunday, all day (Europe/Berlin)",
        ),
        (
            format!(
                "{office}{}{}",
                days(&five, "'08:00-24:00'"),
                days(&["saturday", "sunday"], "'08:00-24:00'")
            ),
            "every day, 08:00 to 24:00 (Europe/Berlin)",
        ),
    ] {
        assert_eq!(hours(&text).describe(), expect);
    }
}

#[test]
fn the_past_in_words() {
    let berlin = hours("zone = 'Europe/Berlin'");
    let now = at("2026-11-23T09:00+01");
    for (then, expect) in [
        ("2026-11-23T08:00+01", "earlier today"),
        ("2026-11-23T02:00+01", "last night"),
        ("2026-11-22T23:00+01", "last night"),
        ("2026-11-22T13:00+01", "yesterday"),
        ("2026-11-21T13:00+01", "on Saturday"),
        ("2026-11-02T13:00+01", "on 2 November"),
        ("2026-11-24T13:00+01", "earlier today"),
    ] {
        assert_eq!(berlin.since(now, at(then)), expect, "{then}");
    }
    let greetings = ["03", "09", "15", "21"]
        .map(|hour| berlin.greeting(at(&format!("2026-11-23T{hour}:00+01"))));
    assert_eq!(greetings, ["Good evening", "Good morning", "Good afternoon", "Good evening"]);
}

#[test]
fn mistakes_are_named_with_their_line() {
    let week = "zone = 'Europe/Berlin'\n[week]\n";
    for (text, parts) in [
        (
            "zone = 'Europe/Belrin'".to_owned(),
            vec!["line 1: there is no time zone `Europe/Belrin`", "Europe/Berlin"],
        ),
        ("\nzone = 'Berlin'".into(), vec!["line 2", "Europe/Berlin"]),
        ("[week]\nmonday = ['09:00-18:00']".into(), vec!["line 1: [week] needs a time zone"]),
        (week.to_string(), vec!["line 2: [week] names no hours"]),
        (
            format!("{week}monday = ['9-18']"),
            vec!["line 3: `9-18` are no hours; write them as \"09:00-18:00\""],
        ),
        (format!("{week}monday = ['09:00-25:00']"), vec!["line 3", "are no hours"]),
        (format!("{week}monday = ['24:00-25:00']"), vec!["line 3", "are no hours"]),
        (format!("{week}monday = ['09:60-10:00']"), vec!["line 3", "are no hours"]),
        (format!("{week}monday = ['09:00-09:00']"), vec!["line 3: `09:00-09:00` is empty"]),
        (
            format!("{week}monday = [\n'09:00-12:30',\n'12:00-18:00']"),
            vec!["line 5: the hours 09:00-12:30 and 12:00-18:00 overlap"],
        ),
        (
            format!("{week}monday = ['22:00-02:00']\ntuesday = ['01:00-03:00']"),
            vec!["line 4: the hours 22:00-02:00 and 01:00-03:00 overlap"],
        ),
        (
            format!("{week}monday = ['01:00-03:00']\nsunday = ['22:00-02:00']"),
            vec!["line 4: the hours 22:00-02:00 and 01:00-03:00 overlap"],
        ),
        (format!("{week}moonday = ['09:00-18:00']"), vec!["line 3", "moonday"]),
        ("[[holiday]]\ndate = '02-30'".into(), vec!["line 2: there is no date `02-30`"]),
        ("[[holiday]]\ndate = '2026-2-3'".into(), vec!["line 2: there is no date"]),
        (
            "[[holiday]]\ndate = '12-25'\n[[holiday]]\ndate = '12-25'".into(),
            vec!["line 4", "twice"],
        ),
        ("follow_up = '25:00'".into(), vec!["line 1: follow_up"]),
        ("follow_up = '24:00'".into(), vec!["line 1: follow_up"]),
        ("priority_words = ['a||b']".into(), vec!["line 1", "empty word"]),
        ("[promise]\npercentile = 0".into(), vec!["line 2: percentile is 0"]),
        ("[promise]\nsamples = 0".into(), vec!["line 2: samples is 0"]),
        ("nonsense = 1".into(), vec!["line 1", "nonsense"]),
        ("zone = ".into(), vec!["line 1"]),
    ] {
        let error = Hours::parse(&text).unwrap_err().to_string();
        parts.iter().for_each(|part| assert!(error.contains(part), "{text:?}: {error}"));
    }
}

#[test]
fn nights_end_in_the_morning() {
    let split = hours(SPLIT);
    for (now, expect) in [
        ("2026-11-23T03:00+01", "2026-11-23T09:15+01"),
        ("2026-11-23T13:00+01", "2026-11-23T13:30+01"),
        ("2026-11-27T03:00+01", "2026-11-27T22:00+01"),
    ] {
        assert_eq!(split.follow_up_at(at(now)), Some(at(expect)), "{now}");
    }
    let closed = |opens: &str| Availability::Closed { opens: opens.into() };
    for (availability, words, expect) in [
        (Availability::Open, "urgent", AfterHours::AsAlways),
        (closed("x"), "It is URGENT!", AfterHours::Urgent),
        (closed("x"), "Hello. Our site is down", AfterHours::Urgent),
        (closed("x"), "How do I change my plan?", AfterHours::Ticket { opens: "x".into() }),
        (closed(""), "", AfterHours::Ticket { opens: String::new() }),
    ] {
        assert_eq!(after_hours(&split, &availability, words), expect, "{words}");
    }
}

#[test]
fn promises_come_from_figures() {
    let split = hours(SPLIT);
    let minutes = |figures: &[i64]| figures.iter().map(|m| m * 60_000).collect::<Vec<_>>();
    let within = |now: i64, minutes| Promise::Within { minutes, due_at: now + minutes * 60_000 };
    let monday = at("2026-11-23T10:00+01");
    let late = at("2026-11-23T17:50+01");
    for (now, took, expect) in [
        (monday, minutes(&[1, 2, 3, 4]), Promise::Soon),
        (monday, minutes(&[1, 2, 3, 4, 90]), within(monday, 5)),
        (monday, minutes(&[1, 2, 3, 11, 12]), within(monday, 15)),
        (monday, minutes(&[0, 0, 0, 0, 0]), within(monday, 5)),
        (monday, minutes(&[300; 6]), Promise::Soon),
        (late, minutes(&[10; 5]), within(late, 10)),
        (
            late,
            minutes(&[20; 5]),
            Promise::By { when: "tomorrow at 09:30".into(), due_at: at("2026-11-24T09:30+01") },
        ),
        (
            at("2026-11-21T12:00+01"),
            minutes(&[20; 5]),
            Promise::By { when: "Monday at 09:30".into(), due_at: at("2026-11-23T09:30+01") },
        ),
    ] {
        assert_eq!(split.promise(now, &took), expect, "{now} {took:?}");
    }
    assert_eq!(Hours::default().promise(monday, &minutes(&[3; 5])), within(monday, 5));
}

/// Days of the week with hours, written so that they cannot overlap.
fn any_hours() -> impl Strategy<Value = Hours> {
    let zones: Vec<String> =
        TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    let span = (0_u16..11 * 60, 1_u16..12 * 60, any::<bool>());
    let days = proptest::collection::vec(proptest::option::of(span), 7);
    (proptest::sample::select(zones), days, 1_u8..13, 1_u8..29).prop_filter_map(
        "a week has hours",
        |(zone, days, month, day)| {
            let mut text = format!("zone = '{zone}'\n");
            text += "[week]\n";
            let names =
                ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
            for (name, span) in names.iter().zip(days) {
                let Some((from, long, night)) = span else { continue };
                // At night it begins in the evening and ends before the next day may begin.
                let (from, long) =
                    if night { (from / 2 + 18 * 60, long) } else { (from + 12 * 60 - 660, long) };
                let to = if night { (from + long).min(1440 + 50) } else { from + long };
                let clock = |m: u16| format!("{:02}:{:02}", m / 60, m % 60);
                let to = if to > 1440 { to - 1440 } else { to };
                text += &format!("{name} = ['{}-{}']\n", clock(from), clock(to));
            }
            text += &format!("[[holiday]]\ndate = '{month:02}-{day:02}'\n");
            Hours::parse(&text).ok()
        },
    )
}

/// 1900 to 2200.
fn any_moment() -> impl Strategy<Value = i64> {
    -2_208_988_800_000_i64..7_258_118_400_000
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn an_opening_is_one(hours in any_hours(), now in any_moment()) {
        if let Some(opens) = hours.next_opening(now) {
            prop_assert!(opens > now && hours.is_open(opens) && !hours.is_open(opens - 1));
            if !hours.is_open(now) {
                prop_assert_eq!(hours.open_ms_between(now, opens), 0);
            }
        }
        if let Some(closes) = hours.closes_at(now) {
            prop_assert!(closes > now && !hours.is_open(closes) && hours.is_open(closes - 1));
            prop_assert_eq!(hours.open_ms_between(now, closes), closes - now);
        }
        let _ = (hours.availability(now, Some(now + 1)), hours.describe(), hours.follow_up_at(now));
    }

    #[test]
    fn open_time_adds_up(hours in any_hours(), a in any_moment(), b in 0_i64..5_000_000_000, c in 0_i64..5_000_000_000) {
        let (b, c) = (a + b, a + b + c);
        let (first, second) = (hours.open_ms_between(a, b), hours.open_ms_between(b, c));
        prop_assert_eq!(first + second, hours.open_ms_between(a, c));
        prop_assert!((0..=b - a).contains(&first));
        if first > 0 {
            let there = hours.after_open_ms(a, first).unwrap();
            prop_assert!(there <= b && hours.open_ms_between(a, there) == first);
        }
    }

    #[test]
    fn no_file_is_a_panic(text in "(zone = '[A-Z][a-z]{1,6}/[A-Z][a-z]{1,6}'\n)?(\\[week\\]\n(monday = \\['[0-9:-]{0,12}'\\]\n)?)?(\\[\\[holiday\\]\\]\ndate = '[0-9-]{0,11}'\n)?\\PC{0,20}", now in any::<i64>()) {
        if let Ok(hours) = Hours::parse(&text) {
            let _ = (hours.availability(now, None), hours.next_opening(now), hours.closes_at(now));
        }
    }
}

#[test]
fn every_zone_has_every_year() {
    for name in TimeZoneDatabase::bundled().available() {
        let hours = week(&name.to_string(), "monday", "'00:30-02:30', '23:00-01:00'");
        for year in 1900..2200 {
            let now = (year - 1970) * 31_556_952_000;
            let opens = hours.next_opening(now).unwrap();
            assert!(hours.is_open(opens) && !hours.is_open(opens - 1), "{name} {year}");
        }
        for now in [i64::MIN, i64::MAX] {
            let _ = (
                hours.availability(now, None),
                hours.closes_at(now),
                hours.open_ms_between(now, now),
            );
        }
    }
}
