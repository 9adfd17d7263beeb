//! Reads `prompts/hours.toml`; every mistake names its line and what to write instead.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::Deserialize;
use toml::Spanned;

use super::{DAY, Holiday, HolidayDate, Hours, PromiseRules, Span};
use crate::phrase::Phrase;
use crate::tasks::BookError;

/// Time zones that are offered in place of one that there is not.
const NEAR: usize = 3;

/// Where something stands, and what is wrong with it.
type Wrong = (usize, String);

type Spans = Option<Vec<Spanned<String>>>;

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    zone: Option<Spanned<String>>,
    week: Option<Spanned<Week>>,
    #[serde(default)]
    holiday: Vec<Day>,
    #[serde(default)]
    priority_words: Vec<Phrase>,
    #[serde(default)]
    asking: Vec<Phrase>,
    follow_up: Option<Spanned<String>>,
    #[serde(default)]
    promise: Promise,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Week {
    monday: Spans,
    tuesday: Spans,
    wednesday: Spans,
    thursday: Spans,
    friday: Spans,
    saturday: Spans,
    sunday: Spans,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Day {
    date: Spanned<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    spans: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Promise {
    percentile: Option<Spanned<u8>>,
    samples: Option<Spanned<u32>>,
    at_most_minutes: Option<Spanned<u32>>,
}

impl Hours {
    /// Reads the TOML text.
    ///
    /// # Errors
    /// [`BookError`] with the line: bad TOML, unknown keys, zones and dates that there are not, spans that are empty or overlap.
    pub fn parse(text: &str) -> Result<Self, BookError> {
        let file: File = toml::from_str(text).map_err(|e| BookError::Toml(e.to_string()))?;
        checked(file).map_err(|(start, problem)| {
            let line = text[..start].matches('\n').count() + 1;
            BookError::At { line, problem }
        })
    }
}

fn checked(file: File) -> Result<Hours, Wrong> {
    if let (Some(week), None) = (&file.week, &file.zone) {
        let problem = "[week] needs a time zone; write zone = \"Europe/Berlin\", or yours, at the top of the file";
        return Err((week.span().start, problem.into()));
    }
    let follow_up = file.follow_up.map(|at| {
        let minute = minute(at.get_ref()).filter(|minute| *minute < DAY);
        minute.ok_or_else(|| {
            (
                at.span().start,
                format!("follow_up is `{}`; write a time such as \"09:15\"", at.get_ref()),
            )
        })
    });
    Ok(Hours {
        zone: file.zone.map_or(Ok(TimeZone::UTC), zone)?,
        week: file.week.map(week).transpose()?,
        holidays: holidays(file.holiday)?,
        priority_words: file.priority_words,
        asking: file.asking,
        follow_up: follow_up.transpose()?,
        promise: promise(&file.promise)?,
    })
}

fn zone(name: Spanned<String>) -> Result<TimeZone, Wrong> {
    let bundled = TimeZoneDatabase::bundled();
    bundled.get(name.get_ref()).map_err(|_| {
        let near = near(&bundled, name.get_ref());
        let problem =
            format!("there is no time zone `{}`; the nearest names are {near}", name.get_ref());
        (name.span().start, problem)
    })
}

/// Names of zones that look like `name`, or whose city does.
fn near(bundled: &TimeZoneDatabase, name: &str) -> String {
    let wanted = name.to_lowercase().replace(' ', "_");
    let away = |known: &str| {
        let known = known.to_lowercase();
        let city = known.rsplit('/').next().unwrap_or_default();
        strsim::osa_distance(&wanted, &known).min(strsim::osa_distance(&wanted, city))
    };
    let mut names: Vec<String> = bundled.available().map(|name| name.to_string()).collect();
    names.sort_by_key(|name| (away(name), name.clone()));
    names.truncate(NEAR);
    names.join(", ")
}

/// A span with the place where it is written.
struct Placed {
    span: Span,
    start: usize,
    text: String,
}

impl Placed {
    /// Minutes from the midnight that `days` days come before.
    fn minutes(&self, days: usize) -> (usize, usize) {
        let midnight = days * usize::from(DAY);
        (midnight + usize::from(self.span.from), midnight + usize::from(self.span.to))
    }
}

fn week(written: Spanned<Week>) -> Result<[Vec<Span>; 7], Wrong> {
    let start = written.span().start;
    let Week { monday, tuesday, wednesday, thursday, friday, saturday, sunday } =
        written.into_inner();
    let mut days: [Vec<Placed>; 7] = Default::default();
    let written = [monday, tuesday, wednesday, thursday, friday, saturday, sunday];
    for (day, spans) in days.iter_mut().zip(written) {
        *day = placed(spans.unwrap_or_default())?;
    }
    let all: Vec<(usize, &Placed)> = (0..)
        .zip(&days)
        .flat_map(|(day, spans)| spans.iter().map(move |span| (day, span)))
        .collect();
    let Some((_, first)) = all.first() else {
        let problem =
            "[week] names no hours on any day; name some, or leave [week] out to be there always";
        return Err((start, problem.into()));
    };
    // The last night of the week may reach into its first morning.
    apart(all.iter().copied().chain([(7 + all[0].0, *first)]))?;
    Ok(days.map(bare))
}

/// The spans of a day in order.
fn placed(written: Vec<Spanned<String>>) -> Result<Vec<Placed>, Wrong> {
    let mut spans = Vec::with_capacity(written.len());
    for spanned in written {
        let (start, text) = (spanned.span().start, spanned.into_inner());
        let span = span(&text).map_err(|problem| (start, problem))?;
        spans.push(Placed { span, start, text });
    }
    spans.sort_by_key(|placed| placed.span);
    Ok(spans)
}

fn bare(spans: Vec<Placed>) -> Vec<Span> {
    spans.into_iter().map(|placed| placed.span).collect()
}

/// Whether spans, in order and each with its day, leave each other room.
fn apart<'a>(spans: impl Iterator<Item = (usize, &'a Placed)>) -> Result<(), Wrong> {
    let mut before: Option<(usize, &Placed)> = None;
    for (day, placed) in spans {
        if let Some((other_day, other)) = before
            && placed.minutes(day).0 < other.minutes(other_day).1
        {
            let problem = format!(
                "the hours {} and {} overlap; write them as one, or apart",
                other.text, placed.text
            );
            return Err((other.start.max(placed.start), problem));
        }
        before = Some((day, placed));
    }
    Ok(())
}

/// Reads "09:00-18:00". What ends no later than it begins ends on the next day.
fn span(text: &str) -> Result<Span, String> {
    let times = text.split_once('-').map(|(from, to)| (minute(from.trim()), minute(to.trim())));
    let Some((Some(from), Some(to))) = times.filter(|(from, _)| from.is_none_or(|from| from < DAY))
    else {
        return Err(format!(
            "`{text}` are no hours; write them as \"09:00-18:00\", midnight as 00:00 or 24:00"
        ));
    };
    if from == to {
        return Err(format!(
            "`{text}` is empty; write \"00:00-24:00\" for a whole day, and no hours at all for none"
        ));
    }
    Ok(Span { from, to: if to < from { to + DAY } else { to } })
}

/// Minute of the day; 24:00 is the midnight that ends it.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY).then_some(minute)
}

fn holidays(written: Vec<Day>) -> Result<Vec<Holiday>, Wrong> {
    let mut holidays: Vec<Holiday> = Vec::with_capacity(written.len());
    for Day { date, name, spans } in written {
        let (start, text) = (date.span().start, date.into_inner());
        let day = holiday_date(&text).ok_or_else(|| {
            let problem = format!(
                "there is no date `{text}`; write \"2026-12-24\", or \"12-25\" for every year"
            );
            (start, problem)
        })?;
        if holidays.iter().any(|other| other.day == day) {
            return Err((start, format!("the holiday {text} stands here twice; leave one out")));
        }
        let spans = placed(spans)?;
        apart(spans.iter().map(|span| (0, span)))?;
        holidays.push(Holiday { day, name, spans: bare(spans) });
    }
    Ok(holidays)
}

fn holiday_date(text: &str) -> Option<HolidayDate> {
    let mut numbers = text.split('-');
    let mut next = |digits: usize| {
        let part = numbers.next()?;
        let fits = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| part.parse::<i16>().ok()).flatten()
    };
    let once = text.len() == 10;
    // A leap year has every day that there is.
    let year = if once { next(4)? } else { 2_000 };
    let (month, day) = (i8::try_from(next(2)?).ok()?, i8::try_from(next(2)?).ok()?);
    let date = Date::new(year, month, day).ok().filter(|_| numbers.next().is_none())?;
    Some(if once { HolidayDate::Once(date) } else { HolidayDate::Yearly(month, day) })
}

fn promise(written: &Promise) -> Result<PromiseRules, Wrong> {
    let rules = PromiseRules::default();
    if let Some(percentile) = &written.percentile
        && !(1..=100).contains(percentile.get_ref())
    {
        let problem =
            format!("percentile is {}; it has to lie between 1 and 100", percentile.get_ref());
        return Err((percentile.span().start, problem));
    }
    for (key, figure) in
        [("samples", &written.samples), ("at_most_minutes", &written.at_most_minutes)]
    {
        if let Some(figure) = figure
            && !(1..=10_080).contains(figure.get_ref())
        {
            let problem =
                format!("{key} is {}; it has to lie between 1 and 10080", figure.get_ref());
            return Err((figure.span().start, problem));
        }
    }
    let or =
        |figure: &Option<Spanned<u32>>, own: u32| figure.as_ref().map_or(own, |own| *own.get_ref());
    Ok(PromiseRules {
        percentile: written.percentile.as_ref().map_or(rules.percentile, |own| *own.get_ref()),
        samples: or(&written.samples, rules.samples),
        at_most_minutes: or(&written.at_most_minutes, rules.at_most_minutes),
    })
}
