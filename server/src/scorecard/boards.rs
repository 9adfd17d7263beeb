//! Scorecards out of the cache of cases: read in slices by two readers at once, so that neither core nor memory is filled up.

use std::collections::BTreeMap;

use engine::metrics::scorecard::Scorecard;
use engine::metrics::{Board, Case, Filter, NPS_MS, Period, Share};
use serde::Serialize;
use tokio::sync::Mutex;

use super::{assumptions, items, refresh};
use crate::app::App;
use crate::store::{Store, StoreError};

/// Cases of a slice.
const SLICE: i64 = 4_000;

/// A scorecard with what the console shows around it.
#[derive(Debug, Clone, Serialize)]
pub struct Whole {
    /// The figures of the period.
    #[serde(flatten)]
    pub card: Scorecard,
    /// The period of the same length before.
    pub previous: Previous,
    /// Visits in which the chat was opened; none where a topic is chosen, as a visit has none before somebody writes.
    pub sessions: Option<i64>,
    /// Titles of saved replies by their ids.
    pub titles: BTreeMap<String, String>,
    /// The Monday of the week that it is now.
    pub week: String,
    /// The one thing to do this week.
    pub action_item: Option<items::Shown>,
}

/// Some figures of an earlier period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Previous {
    from: i64,
    to: i64,
    cases: u64,
    csat_mean: Option<f64>,
    csat_n: u64,
    frt_bot_ms: Option<i64>,
    frt_person_ms: Option<i64>,
    containment: Share,
    reopened: Share,
}

impl From<Scorecard> for Previous {
    fn from(card: Scorecard) -> Self {
        Self {
            from: card.from,
            to: card.to,
            cases: card.cases,
            csat_mean: card.csat.mean,
            csat_n: card.csat.n,
            frt_bot_ms: card.frt.bot.median_ms,
            frt_person_ms: card.frt.person.median_ms,
            containment: card.containment,
            reopened: card.reopened,
        }
    }
}

/// Which cases a scorecard is made of.
#[derive(Debug, Clone)]
struct Asked {
    period: Period,
    filter: Filter,
    /// Visits that opened the chat.
    visits: u64,
}

impl Asked {
    /// All cases of a period; their visits are not looked at.
    fn of(period: Period) -> Self {
        Self { period, filter: Filter::default(), visits: 0 }
    }
}

/// The scorecard of a period, of the cases that `filter` takes, as it is now.
///
/// # Errors
/// When the database fails.
pub async fn whole(app: &App, period: Period, filter: Filter) -> Result<Whole, StoreError> {
    refresh(app).await?;
    let now = app.clock.now_ms();
    let item = items::this_week(app).await?;
    let sessions = match filter.tag {
        Some(_) => None,
        None => {
            let from = (filter.page.as_deref(), filter.campaign.as_deref());
            Some(app.store.visits_from((period.from, period.to), from).await?)
        }
    };
    let visits = sessions.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    let earlier = Asked { filter: filter.clone(), ..Asked::of(before(period)) };
    let mut asked = vec![Asked { period, filter, visits }, earlier];
    asked.extend(item.as_ref().and_then(|item| items::since(item, now)).map(Asked::of));
    let mut cards = read(&app.store, now, asked).await?.into_iter();
    let (Some(mut card), Some(earlier)) = (cards.next(), cards.next()) else {
        return Err(StoreError::Meaning { what: "a scorecard", value: "nothing".into() });
    };
    if sessions.is_none() {
        card.funnel.retain(|step| step.step != "opened");
    }
    let action_item = item.and_then(|item| items::shown(item, cards.next().as_ref()));
    let replies = app.store.saved_replies().await?;
    let titles = replies.into_iter().map(|reply| (reply.id, reply.title)).collect();
    Ok(Whole {
        card,
        previous: earlier.into(),
        sessions,
        titles,
        week: items::week(app).name,
        action_item,
    })
}

/// The period of the same length before.
pub fn before(Period { from, to }: Period) -> Period {
    Period { from: from - (to - from), to: from }
}

/// Scorecards of all cases of periods, in their order; only the first one's NPS is right.
///
/// # Errors
/// When the database fails.
pub async fn plain(app: &App, periods: &[Period]) -> Result<Vec<Scorecard>, StoreError> {
    at(&app.store, app.clock.now_ms(), periods).await
}

/// The same of a database that no server is at work on, as it is at `now`.
///
/// # Errors
/// When the database fails.
pub async fn at(store: &Store, now: i64, periods: &[Period]) -> Result<Vec<Scorecard>, StoreError> {
    let mut asked = Vec::with_capacity(periods.len());
    for period in periods {
        let visits = store.visits_from((period.from, period.to), (None, None)).await?;
        asked.push(Asked { visits: u64::try_from(visits).unwrap_or(0), ..Asked::of(*period) });
    }
    read(store, now, asked).await
}

/// Counts the cases of all scorecards in one go. The first one's NPS looks further back than its period.
async fn read(store: &Store, now: i64, asked: Vec<Asked>) -> Result<Vec<Scorecard>, StoreError> {
    let assumed = assumptions::read(store).await?;
    let boards: Vec<Board> = asked
        .iter()
        .map(|one| Board::new(one.period, now, assumed.clone(), one.filter.clone()))
        .collect();
    let nps = asked.first().map(|one| (one.period.to - NPS_MS, one.period.from));
    let periods = asked.iter().map(|one| (one.period.from, one.period.to));
    let slices = Mutex::new(Slices(joined(periods.chain(nps).collect())));
    // Each of the two has boards of its own, and takes the next slice when it has counted one.
    let (one, other) =
        tokio::try_join!(count(store, &slices, boards.clone()), count(store, &slices, boards))?;
    let finish = move || {
        let both = one.into_iter().zip(other).zip(asked);
        both.map(|((mut board, more), asked)| {
            board.merge(more);
            board.opened(asked.visits);
            board.finish()
        })
        .collect()
    };
    apart(finish).await
}

/// Counts slices until none is left.
async fn count(
    store: &Store,
    slices: &Mutex<Slices>,
    mut boards: Vec<Board>,
) -> Result<Vec<Board>, StoreError> {
    loop {
        let slice = slices.lock().await.next(store).await?;
        let Some((from, to)) = slice else { return Ok(boards) };
        let text = store.cases_between(from, to).await?;
        boards = apart(move || {
            for case in serde_json::Deserializer::from_str(&text).into_iter::<Case>() {
                match case {
                    Ok(case) => boards.iter_mut().for_each(|board| board.add(&case)),
                    Err(error) => {
                        tracing::error!(%error, "a case cannot be read and is not counted");
                        break;
                    }
                }
            }
            boards
        })
        .await?;
    }
}

/// Works on a thread that may take its time.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Meaning { what: "the cases", value: error.to_string() })
}

/// What is still to be read, the earliest last.
struct Slices(Vec<(i64, i64)>);

impl Slices {
    /// The next slice of about [`SLICE`] cases.
    async fn next(&mut self, store: &Store) -> Result<Option<(i64, i64)>, StoreError> {
        let Some((from, to)) = self.0.pop() else { return Ok(None) };
        match store.cases_cut((from, to), SLICE).await? {
            Some(cut) => {
                // More than a slice may have begun in one millisecond.
                let cut = cut.max(from + 1);
                self.0.push((cut, to));
                Ok(Some((from, cut)))
            }
            None => Ok(Some((from, to))),
        }
    }
}

/// Stretches of time that do not overlap, the latest first.
fn joined(mut stretches: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    stretches.retain(|(from, to)| from < to);
    stretches.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (from, to) in stretches {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined.reverse();
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_read_once() {
        for (stretches, expect) in [
            (vec![], vec![]),
            (vec![(5, 5), (7, 6)], vec![]),
            (vec![(10, 20), (0, 10), (30, 40)], vec![(30, 40), (0, 20)]),
            (vec![(0, 50), (10, 20), (60, 61), (50, 55)], vec![(60, 61), (0, 55)]),
        ] {
            assert_eq!(joined(stretches), expect);
        }
        assert_eq!(before(Period { from: 10, to: 17 }), Period { from: 3, to: 10 });
    }
}
