//! The one thing to do in a week: chosen once, kept with its figure, and measured again while the week goes on.

use std::cmp::Ordering;

use engine::metrics::item::{self, Measure};
use engine::metrics::scorecard::Scorecard;
use engine::metrics::{Counts, Period};
use serde::Serialize;

use super::boards::{self, plain};
use super::week::{self, Week};
use crate::app::App;
use crate::store::StoreError;
use crate::store::items::ItemRow;

/// Items that are listed.
const LISTED: i64 = 26;
/// Weeks that ended unseen and are measured at once.
const OVER: i64 = 8;

/// An item as the console has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// The Monday on which it was chosen.
    pub week: String,
    /// What to do.
    pub text: String,
    /// Word of its [`Measure`].
    pub measure: String,
    /// A tag or a reason; empty for all cases.
    pub subject: String,
    /// What is counted, for people.
    pub metric: String,
    /// Whether more is better.
    pub rising: bool,
    /// The week before it was chosen.
    pub before: Counted,
    /// The week since; none while nothing of it is known.
    pub after: Option<Counted>,
    /// `better` or `worse`; none while the difference may be chance.
    pub verdict: Option<&'static str>,
    /// Whether these are the owner's own words.
    pub own: bool,
    /// When it was done, in milliseconds since 1970.
    pub done_at: Option<i64>,
}

/// How often it was so, of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// How often.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
}

impl From<Counts> for Counted {
    fn from(Counts { hits, of }: Counts) -> Self {
        Self { hits, of }
    }
}

/// The week that it is now for the owner.
pub fn week(app: &App) -> Week {
    let prompts = app.mind.prompts();
    week::of(app.clock.now_ms(), prompts.books.hours.time_zone())
}

/// The item of this week; one is chosen when there is none yet. Without a measure when nothing stood out.
///
/// # Errors
/// When the database fails.
pub async fn this_week(app: &App) -> Result<Option<ItemRow>, StoreError> {
    end(app).await?;
    let week = week(app);
    if let Some(row) = app.store.item(&week.name).await? {
        return Ok(Some(row));
    }
    let last = boards::before(week.period);
    let cards = plain(app, &[last, boards::before(last)]).await?;
    let chosen = cards.first().and_then(|card| item::choose(card, cards.get(1)));
    let (measure, subject, text, before) = match chosen {
        Some(item) => (item.measure.as_str(), item.subject, item.text, item.before),
        None => ("", String::new(), String::new(), Counts::default()),
    };
    let row = ItemRow {
        week: week.name,
        from_at: week.period.from,
        to_at: week.period.to,
        measure: measure.into(),
        subject,
        text,
        own: 0,
        before_hits: stored(before.hits),
        before_of: stored(before.of),
        after_hits: None,
        after_of: None,
        done_at: None,
    };
    let mut tx = app.store.begin().await?;
    tx.put_item(&row).await?;
    tx.commit().await?;
    app.store.item(&row.week).await
}

/// Keeps the figures of weeks that are over.
async fn end(app: &App) -> Result<(), StoreError> {
    for row in app.store.items_over(app.clock.now_ms(), OVER).await? {
        let Some(measure) = Measure::of(&row.measure) else { continue };
        let cards = plain(app, &[Period { from: row.from_at, to: row.to_at }]).await?;
        let Some(card) = cards.first() else { continue };
        let after = measure.count(&row.subject, card);
        let mut tx = app.store.begin().await?;
        tx.end_item(&row, (stored(after.hits), stored(after.of))).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What of its week there is already; none when it needs no measuring.
pub fn since(row: &ItemRow, now: i64) -> Option<Period> {
    let period = Period { from: row.from_at, to: row.to_at.min(now) };
    (!row.measure.is_empty() && row.after_of.is_none() && period.from < period.to).then_some(period)
}

/// An item with the figure of its week, from that week's scorecard as far as there is one; none where nothing stood out.
pub fn shown(row: ItemRow, card: Option<&Scorecard>) -> Option<Shown> {
    let measure = Measure::of(&row.measure)?;
    let counts = |hits: i64, of: i64| Counts { hits: read(hits), of: read(of) };
    let before = counts(row.before_hits, row.before_of);
    let kept = row.after_hits.zip(row.after_of).map(|(hits, of)| counts(hits, of));
    let after = kept.or_else(|| card.map(|card| measure.count(&row.subject, card)));
    let verdict = after.and_then(|after| measure.verdict(before, after));
    Some(Shown {
        metric: measure.title(&row.subject),
        rising: measure.is_rising(),
        before: before.into(),
        after: after.map(Counted::from),
        verdict: verdict.and_then(|verdict| match verdict {
            Ordering::Greater => Some("better"),
            Ordering::Less => Some("worse"),
            Ordering::Equal => None,
        }),
        own: row.own != 0,
        week: row.week,
        text: row.text,
        measure: row.measure,
        subject: row.subject,
        done_at: row.done_at,
    })
}

/// The newest items with their figures, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App) -> Result<Vec<Shown>, StoreError> {
    this_week(app).await?;
    let mut all = Vec::new();
    for row in app.store.items(LISTED).await? {
        all.extend(one(app, row).await?);
    }
    Ok(all)
}

/// One item with its figure.
///
/// # Errors
/// When the database fails.
pub async fn one(app: &App, row: ItemRow) -> Result<Option<Shown>, StoreError> {
    let card = match since(&row, app.clock.now_ms()) {
        Some(period) => plain(app, &[period]).await?.into_iter().next(),
        None => None,
    };
    Ok(shown(row, card.as_ref()))
}

/// Puts the owner's own words in the place of a week's item; its figure before is that of the week before.
///
/// # Errors
/// When the database fails.
pub async fn replace(
    app: &App,
    row: ItemRow,
    (text, measure): (String, Measure),
) -> Result<(), StoreError> {
    let week = Period { from: row.from_at, to: row.to_at };
    let cards = plain(app, &[boards::before(week)]).await?;
    let before = cards.first().map(|card| measure.count("", card)).unwrap_or_default();
    let row = ItemRow {
        measure: measure.as_str().into(),
        subject: String::new(),
        text,
        own: 1,
        before_hits: stored(before.hits),
        before_of: stored(before.of),
        ..row
    };
    let mut tx = app.store.begin().await?;
    tx.replace_item(&row).await?;
    tx.commit().await
}

/// Notes that an item is done, or that it is not.
///
/// # Errors
/// When the database fails.
pub async fn set_done(app: &App, week: &str, done: bool) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    tx.do_item(week, done.then(|| app.clock.now_ms())).await?;
    tx.commit().await
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn read(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
