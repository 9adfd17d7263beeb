//! The scorecard's requests: the figures of a period, what is assumed, the one thing to do, and the week's mail at once.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use engine::metrics::item::Measure;
use engine::metrics::{Assumptions, Filter, Period};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::unreadable;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::scorecard::boards::{self, Whole};
use crate::scorecard::items::Shown;
use crate::scorecard::{assumptions, items, weekly};

const DAY_MS: i64 = 86_400_000;
/// Days of a period unless it is said.
const USUAL: i64 = 7;
/// Days of a period at most.
const LONGEST: i64 = 400;
/// The last moment that a period may end at: the year 9000.
const LATEST: i64 = 221_845_392_000_000;
/// Bytes of a filter, characters of an item.
const MAX_FILTER: usize = 500;
const MAX_TEXT: usize = 300;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    from: Option<i64>,
    to: Option<i64>,
    tag: Option<String>,
    page: Option<String>,
    campaign: Option<String>,
}

fn bad(message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message)
}

/// `GET /console/api/scorecard?from=MS&to=MS&tag=&page=&campaign=`; without times the last seven days.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _: SignedIn,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Whole>, ApiError> {
    let Query(wanted) = wanted.map_err(|_| {
        bad("`from` and `to` are milliseconds since 1970; `tag`, `page` and `campaign` are words. There is nothing else to choose.")
    })?;
    let (period, filter) = read(wanted, app.clock.now_ms())?;
    Ok(Json(boards::whole(&app, period, filter).await?))
}

fn read(wanted: Wanted, now: i64) -> Result<(Period, Filter), ApiError> {
    let Wanted { from, to, tag, page, campaign } = wanted;
    let to = to.unwrap_or(now);
    if !(0..=LATEST).contains(&to) {
        return Err(bad("`to` is a moment between 1970 and the year 9000, in milliseconds."));
    }
    let from = from.unwrap_or(to - USUAL * DAY_MS);
    if from >= to {
        return Err(bad("`from` comes before `to`."));
    }
    if to.saturating_sub(from) > LONGEST * DAY_MS || from < 0 {
        return Err(bad(format!("A period has {LONGEST} days at most, and begins after 1970.")));
    }
    let filter = Filter { tag, page, campaign };
    let long = [&filter.tag, &filter.page, &filter.campaign].into_iter().flatten();
    if long.into_iter().any(|word| word.len() > MAX_FILTER) {
        return Err(bad(format!("A filter has {MAX_FILTER} bytes at most.")));
    }
    Ok((Period { from, to }, filter))
}

/// `GET /console/api/scorecard/assumptions`.
pub(super) async fn assumed(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Assumptions>, ApiError> {
    Ok(Json(assumptions::read(&app.store).await?))
}

/// `POST /console/api/scorecard/assumptions`: all of them.
pub(super) async fn assume(
    State(app): State<Arc<App>>,
    _: SignedIn,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Assumptions>, ApiError> {
    let Json(body) = body.map_err(unreadable)?;
    let known = serde_json::to_value(Assumptions::default()).unwrap_or_default();
    let given = body.as_object().ok_or_else(|| bad("The assumptions are an object."))?;
    if let Some(name) = given.keys().find(|name| known.get(name.as_str()).is_none()) {
        return Err(bad(format!("There is no assumption `{name}`.")));
    }
    let read: Assumptions = serde_json::from_value(body.clone())
        .map_err(|error| bad(format!("An assumption cannot be read: {error}.")))?;
    if let Some(problem) = assumptions::problem(&read) {
        return Err(bad(problem));
    }
    assumptions::keep(&app, &read).await?;
    Ok(Json(read))
}

#[derive(Debug, Serialize)]
pub(super) struct Items {
    items: Vec<Shown>,
}

/// `GET /console/api/scorecard/items`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Items>, ApiError> {
    Ok(Json(Items { items: items::list(&app).await? }))
}

/// What becomes of a week's item: done or not, or the owner's own words with what they are measured by.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    week: String,
    done: Option<bool>,
    text: Option<String>,
    measure: Option<String>,
}

/// `POST /console/api/scorecard/items`.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    _: SignedIn,
    body: Result<Json<Change>, JsonRejection>,
) -> Result<Json<Items>, ApiError> {
    let Json(Change { week, done, text, measure }) = body.map_err(unreadable)?;
    items::this_week(&app).await?;
    let row = app.store.item(&week).await?;
    let row = row.ok_or_else(|| {
        ApiError::new(StatusCode::NOT_FOUND, "no_such_week", "There is no item of this week.")
    })?;
    if let Some(text) = text {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let fits =
            (1..=MAX_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        let measure =
            measure.as_deref().and_then(Measure::of).filter(|one| *one != Measure::HandOff);
        let (true, Some(measure)) = (fits, measure) else {
            return Err(bad(format!(
                "An item has 1 to {MAX_TEXT} characters and is measured by `csat`, `fast`, `contained` or `reopened`."
            )));
        };
        items::replace(&app, row, (text, measure)).await?;
    } else if row.measure.is_empty() {
        return Err(bad("Nothing was chosen in this week; say what to do in `text`."));
    }
    if let Some(done) = done {
        items::set_done(&app, &week, done).await?;
    }
    Ok(Json(Items { items: items::list(&app).await? }))
}

#[derive(Debug, Serialize)]
pub(super) struct Mailed {
    to: Vec<String>,
}

/// `POST /console/api/scorecard/mail`.
pub(super) async fn mail(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Mailed>, ApiError> {
    let to = weekly::now(&app).await?;
    if to.is_empty() {
        let message = "Nobody gets it yet: name an address under [[mail]] and a route for the event weekly_scorecard in notify.toml.";
        return Err(ApiError::new(StatusCode::CONFLICT, "no_route", message));
    }
    Ok(Json(Mailed { to }))
}
