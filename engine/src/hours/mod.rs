//! The owner's office hours, `prompts/hours.toml`: when a person can be expected, and what may be promised.

mod file;
mod night;
mod open;
mod promise;
mod words;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::phrase::Phrase;

pub(crate) use night::answer;
pub use night::{AfterHours, after_hours};
pub use promise::Promise;
pub use words::DAYS;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Whether a person can be expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Availability {
    /// Somebody is there; also when no hours are set.
    #[default]
    Open,
    /// Nobody is.
    Closed {
        /// When somebody will be: "Monday at 09:00"; empty when nobody can tell.
        opens: String,
    },
}

/// `prompts/hours.toml`, checked. Without a week somebody is always there.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    zone: TimeZone,
    /// From Monday; `None` is always open.
    week: Option<[Vec<Span>; 7]>,
    holidays: Vec<Holiday>,
    priority_words: Vec<Phrase>,
    /// Questions whether anybody is there.
    asking: Vec<Phrase>,
    /// Minute of the day from which visitors of the night are answered.
    follow_up: Option<u16>,
    promise: PromiseRules,
}

/// A stretch of open time, in minutes from the midnight that its day begins with; it may end on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    from: u16,
    to: u16,
}

/// A day with hours of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// Which day.
    pub day: HolidayDate,
    /// What it is called.
    pub name: String,
    /// When somebody is there all the same, in order.
    pub spans: Vec<Span>,
}

/// Which day a holiday is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolidayDate {
    /// Once.
    Once(Date),
    /// Every year: month and day, from 1.
    Yearly(i8, i8),
}

/// What may be promised about the time until a person replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PromiseRules {
    /// Share of earlier replies that were as quick, 1 to 100.
    percentile: u8,
    /// Earlier replies that a figure needs.
    samples: u32,
    /// Minutes that are said at most.
    at_most_minutes: u32,
}

impl Default for PromiseRules {
    fn default() -> Self {
        Self { percentile: 80, samples: 5, at_most_minutes: 240 }
    }
}

impl Default for Hours {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            week: None,
            holidays: Vec::new(),
            priority_words: Vec::new(),
            asking: Vec::new(),
            follow_up: None,
            promise: PromiseRules::default(),
        }
    }
}

impl Hours {
    /// Name of the time zone, as in "Europe/Berlin".
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// The time zone; UTC unless one is set.
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether any hours are set.
    pub fn is_set(&self) -> bool {
        self.week.is_some()
    }

    /// When somebody is there, from Monday; `None` when that is always.
    pub fn week(&self) -> Option<&[Vec<Span>; 7]> {
        self.week.as_ref()
    }

    /// The days with hours of their own, as they are written.
    pub fn holidays(&self) -> &[Holiday] {
        &self.holidays
    }
}

#[cfg(test)]
mod tests;
