//! Office hours in words.

use std::fmt;

use jiff::civil::Weekday;

use super::{DAY, Holiday, HolidayDate, Hours, Span};

/// Days of the week from Monday.
pub const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Hours {
    /// "Monday to Friday, 09:00 to 18:00 (Europe/Berlin)"; empty when somebody is always there.
    pub fn describe(&self) -> String {
        let Some(week) = &self.week else { return String::new() };
        let mut parts: Vec<String> = Vec::new();
        let mut day = 0;
        while day < week.len() {
            let same = week[day..].iter().take_while(|spans| **spans == week[day]).count();
            if !week[day].is_empty() {
                parts.push(format!("{}, {}", days(day, same), times(&week[day])));
            }
            day += same;
        }
        format!("{} ({})", parts.join("; "), self.zone())
    }

    /// A moment as people name it at `now`: "today at 13:30", "tomorrow at 09:00", "Monday at 09:00", "Monday 4 January at 09:00".
    pub fn when(&self, now: i64, at: i64) -> String {
        let (today, wall) = (self.date(now), self.wall(at));
        let date = wall.date();
        let days = today.until(date).map_or(i32::MAX, |days| days.get_days());
        let time = format!("at {:02}:{:02}", wall.hour(), wall.minute());
        match days {
            0 => format!("today {time}"),
            1 => format!("tomorrow {time}"),
            2..=6 => format!("{} {time}", name(date.weekday())),
            _ => {
                let (day, month) = (date.day(), month(date.month()));
                format!("{} {day} {month} {time}", name(date.weekday()))
            }
        }
    }

    /// "Good morning", by the clock on the wall.
    pub fn greeting(&self, now: i64) -> &'static str {
        match self.wall(now).hour() {
            4..12 => "Good morning",
            12..18 => "Good afternoon",
            _ => "Good evening",
        }
    }

    /// When something was that happened at `at`, as it is said at `now`: "earlier today", "last night", "yesterday", "on Saturday".
    pub fn since(&self, now: i64, at: i64) -> String {
        let wall = self.wall(at);
        let days = wall.date().until(self.date(now)).map_or(0, |days| days.get_days());
        match (days, wall.hour()) {
            (..=0, 0..5) | (1, 17..) => "last night".into(),
            (..=0, _) => "earlier today".into(),
            (1, _) => "yesterday".into(),
            (2..=6, _) => format!("on {}", name(wall.date().weekday())),
            _ => format!("on {} {}", wall.day(), month(wall.month())),
        }
    }
}

fn month(month: i8) -> &'static str {
    let place = usize::try_from(month - 1).unwrap_or(0);
    MONTHS.get(place).copied().unwrap_or_default()
}

fn name(day: Weekday) -> &'static str {
    let place = usize::try_from(day.to_monday_zero_offset()).unwrap_or(0);
    DAYS.get(place).copied().unwrap_or_default()
}

/// "Monday", "Saturday and Sunday", "Monday to Friday".
fn days(first: usize, count: usize) -> String {
    let last = DAYS[(first + count - 1).min(6)];
    match count {
        7 => "every day".into(),
        1 => DAYS[first].into(),
        2 => format!("{} and {last}", DAYS[first]),
        _ => format!("{} to {last}", DAYS[first]),
    }
}

/// "09:00 to 12:30 and 13:30 to 18:00".
fn times(spans: &[Span]) -> String {
    if spans == [(Span { from: 0, to: DAY })] {
        return "all day".into();
    }
    let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    // A day ends at 24:00; what lies behind it is the next day's clock.
    let end = |minute: u16| time(if minute > DAY { minute - DAY } else { minute });
    let spans: Vec<String> =
        spans.iter().map(|span| format!("{} to {}", time(span.from), end(span.to))).collect();
    spans.join(" and ")
}

impl fmt::Display for Span {
    /// As the file writes it: "22:00-02:00".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.to > DAY { self.to - DAY } else { self.to };
        let (from, to) = ((self.from / 60, self.from % 60), (end / 60, end % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, to.0, to.1)
    }
}

impl fmt::Display for HolidayDate {
    /// As the file writes it: "2026-12-24", "12-25".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once(date) => write!(f, "{date}"),
            Self::Yearly(month, day) => write!(f, "{month:02}-{day:02}"),
        }
    }
}

impl Holiday {
    /// Its hours as the file writes them.
    pub fn hours(&self) -> Vec<String> {
        self.spans.iter().map(Span::to_string).collect()
    }
}
