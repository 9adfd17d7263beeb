//! The owner's weeks: from Monday to Monday on the wall of their time zone, with a mail on Monday morning.

use engine::metrics::Period;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The hour of the week's mail.
const MAIL: Time = Time::constant(8, 0, 0, 0);

/// A week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// Its Monday: `2026-11-16`.
    pub name: String,
    /// From its first moment to that of the next one.
    pub period: Period,
}

/// The week that `now` lies in, in milliseconds since 1970.
pub fn of(now: i64, zone: &TimeZone) -> Week {
    week(monday(now, zone), zone)
}

/// The week before.
pub fn last(now: i64, zone: &TimeZone) -> Week {
    week(monday(now, zone).saturating_sub(7.days()), zone)
}

/// When the next mail of the week leaves after `now`, in milliseconds since 1970: Monday at 08:00.
pub fn mail_at(now: i64, zone: &TimeZone) -> i64 {
    let monday = monday(now, zone);
    let at = moment(monday, MAIL, zone);
    if at > now { at } else { moment(monday.saturating_add(7.days()), MAIL, zone) }
}

fn week(monday: Date, zone: &TimeZone) -> Week {
    let start = |date: Date| moment(date, Time::midnight(), zone);
    let period = Period { from: start(monday), to: start(monday.saturating_add(7.days())) };
    Week { name: monday.to_string(), period }
}

fn monday(now: i64, zone: &TimeZone) -> Date {
    let date = Timestamp::from_millisecond(now).unwrap_or_default().to_zoned(zone.clone()).date();
    date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days())
}

/// When the clock on the wall shows that; a time that is left out is the moment after, one that comes twice the first.
fn moment(date: Date, time: Time, zone: &TimeZone) -> i64 {
    let zoned = date.to_datetime(time).to_zoned(zone.clone());
    zoned.map_or(i64::MAX, |zoned| zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn weeks_begin_on_monday_on_the_wall() {
        let zone = |name| jiff::tz::TimeZoneDatabase::bundled().get(name).unwrap();
        let (berlin, utc, tokyo) = (zone("Europe/Berlin"), TimeZone::UTC, zone("Asia/Tokyo"));
        for (zone, now, name, from, to, mail) in [
            (
                &utc,
                "2026-11-22T02:00:00Z",
                "2026-11-16",
                "2026-11-16T00:00:00Z",
                "2026-11-23T00:00:00Z",
                "2026-11-23T08:00:00Z",
            ),
            (
                &utc,
                "2026-11-23T07:59:59Z",
                "2026-11-23",
                "2026-11-23T00:00:00Z",
                "2026-11-30T00:00:00Z",
                "2026-11-23T08:00:00Z",
            ),
            (
                &utc,
                "2026-11-23T08:00:00Z",
                "2026-11-23",
                "2026-11-23T00:00:00Z",
                "2026-11-30T00:00:00Z",
                "2026-11-30T08:00:00Z",
            ),
            // It is Monday in Tokyo already.
            (
                &tokyo,
                "2026-11-22T15:00:00Z",
                "2026-11-23",
                "2026-11-22T15:00:00Z",
                "2026-11-29T15:00:00Z",
                "2026-11-22T23:00:00Z",
            ),
            // Berlin puts the clock forward, then back, on a Sunday: weeks of 167 and of 169 hours, and the mail at 08:00 all the same.
            (
                &berlin,
                "2026-03-25T12:00:00Z",
                "2026-03-23",
                "2026-03-22T23:00:00Z",
                "2026-03-29T22:00:00Z",
                "2026-03-30T06:00:00Z",
            ),
            (
                &berlin,
                "2026-10-21T12:00:00Z",
                "2026-10-19",
                "2026-10-18T22:00:00Z",
                "2026-10-25T23:00:00Z",
                "2026-10-26T07:00:00Z",
            ),
        ] {
            let week = of(ms(now), zone);
            assert_eq!(week.name, name, "{now}");
            assert_eq!(week.period, Period { from: ms(from), to: ms(to) }, "{now}");
            assert_eq!(mail_at(ms(now), zone), ms(mail), "{now}");
            assert_eq!(last(ms(now), zone).period.to, week.period.from, "{now}");
        }
        for now in [i64::MIN, 0, i64::MAX] {
            let _ = (of(now, &utc), last(now, &utc), mail_at(now, &berlin));
        }
    }
}
