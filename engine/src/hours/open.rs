//! When somebody is there: from times on the wall to moments and back.
//!
//! A time on the wall that does not come because the clock is put forward is the moment when that happens; one that comes
//! twice is meant the first time. So hours never overlap that do not overlap on the wall.

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::AmbiguousOffset;
use jiff::{Span as Days, ToSpan};

use super::{Availability, DAY, HolidayDate, Hours, Span};

/// Days that are looked through for the next opening: a whole year and its neighbours may be one holiday.
const LOOK_DAYS: i64 = 800;
/// Days of open time after which it counts as never ending.
const ENDLESS_DAYS: i64 = 14;
/// Days around a moment whose hours may hold it.
const NEAR_DAYS: i64 = 2;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Moments that are told apart: from the year 1 to the year 9000. Outside of them it is as at their ends.
const MOMENTS: Range<i64> = -62_135_596_800_000..221_845_392_000_000;

impl Hours {
    /// Whether a person can be expected at `now`. The owner may be away all the same: until a moment, or with 0 until they say
    /// otherwise. All in milliseconds since 1970.
    pub fn availability(&self, now: i64, away_until: Option<i64>) -> Availability {
        match away_until {
            Some(0) => Availability::Closed { opens: String::new() },
            Some(until) if now < until => self.closed(now, self.open_from(until)),
            _ if self.is_open(now) => Availability::Open,
            _ => self.closed(now, self.next_opening(now)),
        }
    }

    fn closed(&self, now: i64, opens: Option<i64>) -> Availability {
        let opens = opens.map(|opens| self.when(now, opens)).unwrap_or_default();
        Availability::Closed { opens }
    }

    /// The first moment from `at` on at which somebody is there, in milliseconds since 1970.
    pub fn open_from(&self, at: i64) -> Option<i64> {
        if self.is_open(at) { Some(at) } else { self.next_opening(at) }
    }

    /// Whether somebody is there at a moment in milliseconds since 1970.
    pub fn is_open(&self, now: i64) -> bool {
        !self.is_set() || self.around(now).any(|open| open.contains(&now))
    }

    /// When the next stretch of open time after `now` begins, in milliseconds since 1970: nobody is there the moment before. `None`
    /// when somebody is always there, or nobody will be for two years.
    pub fn next_opening(&self, now: i64) -> Option<i64> {
        let from = if self.is_open(now) { self.closes_at(now)? } else { now };
        let first = self.date(from);
        (-NEAR_DAYS..LOOK_DAYS)
            .flat_map(|days| self.on(first, days))
            .map(|open| open.start)
            .find(|start| *start > from)
    }

    /// When somebody who is there at `now` will no longer be, in milliseconds since 1970. `None` when nobody is there, or
    /// nobody leaves for two weeks.
    pub fn closes_at(&self, now: i64) -> Option<i64> {
        let mut until = now;
        while self.is_set() && until < now.saturating_add(ENDLESS_DAYS * DAY_MS) {
            match self.around(until).filter(|open| open.contains(&until)).map(|open| open.end).max()
            {
                Some(end) => until = end,
                None => return (until > now).then_some(until),
            }
        }
        None
    }

    /// Milliseconds between two moments at which somebody was there; 0 when `b` does not come after `a`.
    pub fn open_ms_between(&self, a: i64, b: i64) -> i64 {
        if b <= a {
            return 0;
        }
        if !self.is_set() {
            return b.saturating_sub(a);
        }
        let (first, last) = (self.date(a), self.date(b));
        let days = days_between(first, last) + NEAR_DAYS;
        let (mut open_ms, mut counted) = (0, a);
        for open in (-NEAR_DAYS..=days).flat_map(|days| self.on(first, days)) {
            let (start, end) = (open.start.max(counted), open.end.min(b));
            if start < end {
                open_ms += end - start;
                counted = end;
            }
        }
        open_ms
    }

    /// The moment from which on somebody will have been there for `ms` milliseconds since `from`; `None` when that is not
    /// within two years.
    pub fn after_open_ms(&self, from: i64, ms: i64) -> Option<i64> {
        if !self.is_set() {
            return from.checked_add(ms);
        }
        let first = self.date(from);
        let (mut left, mut counted) = (ms, from);
        for open in (-NEAR_DAYS..LOOK_DAYS).flat_map(|days| self.on(first, days)) {
            let start = open.start.max(counted);
            if start < open.end {
                if open.end - start >= left {
                    return Some(start + left);
                }
                left -= open.end - start;
                counted = open.end;
            }
        }
        None
    }

    /// When visitors who wrote at `now`, while nobody was there, are followed up, in milliseconds since 1970: at the next opening, or
    /// later that day at the time that the owner has set. `None` when nobody will be there.
    pub fn follow_up_at(&self, now: i64) -> Option<i64> {
        let opens = self.open_from(now)?;
        let later = self.follow_up.map(|minute| self.moment(self.date(opens), minute));
        Some(later.filter(|later| *later > opens && self.is_open(*later)).unwrap_or(opens))
    }

    /// Hours that may hold `now`.
    fn around(&self, now: i64) -> impl Iterator<Item = Range<i64>> {
        let date = self.date(now);
        (-NEAR_DAYS..=NEAR_DAYS).flat_map(move |days| self.on(date, days))
    }

    /// The hours of the day that comes `days` after `first`, in moments and in order.
    fn on(&self, first: Date, days: i64) -> impl Iterator<Item = Range<i64>> {
        let date = first.saturating_add(Days::new().days(days.clamp(-100_000, 200_000)));
        let spans = self.spans(date).iter();
        spans
            .map(move |span| self.moment(date, span.from)..self.moment(date, span.to))
            .filter(|open| !open.is_empty())
    }

    /// The hours of a day as they are on the wall.
    fn spans(&self, date: Date) -> &[Span] {
        let once = HolidayDate::Once(date);
        let yearly = HolidayDate::Yearly(date.month(), date.day());
        let holiday = [once, yearly]
            .into_iter()
            .find_map(|day| self.holidays.iter().find(|holiday| holiday.day == day));
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        match (holiday, &self.week) {
            (Some(holiday), _) => &holiday.spans,
            (None, Some(week)) => week.get(weekday).map(Vec::as_slice).unwrap_or_default(),
            (None, None) => &[],
        }
    }

    /// The moment when the clock on the wall shows the minute `minute` counted from the midnight that `date` begins with.
    fn moment(&self, date: Date, minute: u16) -> i64 {
        let midnight = DateTime::from_parts(date, Time::midnight());
        let wall = midnight.saturating_add(i64::from(minute.min(2 * DAY)).minutes());
        let moment = match self.zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                let early = after.to_timestamp(wall).ok();
                early.and_then(|early| Some(self.zone.following(early).next()?.timestamp()))
            }
        };
        moment.map_or(MOMENTS.end, Timestamp::as_millisecond)
    }

    /// The date on the wall.
    pub(super) fn date(&self, at: i64) -> Date {
        self.wall(at).date()
    }

    /// What the clock and the calendar on the wall show.
    pub(super) fn wall(&self, at: i64) -> DateTime {
        let at = at.clamp(MOMENTS.start, MOMENTS.end);
        let moment = Timestamp::from_millisecond(at).unwrap_or_default();
        self.zone.to_datetime(moment)
    }
}

fn days_between(first: Date, last: Date) -> i64 {
    first.until(last).map_or(0, |days| i64::from(days.get_days()))
}
