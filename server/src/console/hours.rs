//! The owner's office hours, the switch that says they are away, and what is promised.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use engine::hours::{Availability, DAYS, Hours, Span};
use serde::{Deserialize, Serialize};

use super::account::unreadable;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::{hours, promises};

/// The longest that an owner may be away with an end.
const LONGEST_MS: i64 = 366 * 24 * 60 * 60 * 1_000;

#[derive(Debug, Serialize)]
pub(super) struct View {
    zone: String,
    /// Empty when no hours are set.
    week: Vec<Day>,
    holidays: Vec<Holiday>,
    /// In words; empty when no hours are set.
    text: String,
    open: bool,
    opens: Option<String>,
    away_until: Option<i64>,
    promise: Promise,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Day {
    day: String,
    spans: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Holiday {
    date: String,
    name: String,
    spans: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Promise {
    minutes: Option<i64>,
    samples: usize,
}

/// `GET /console/api/hours`.
pub(super) async fn show(State(app): State<Arc<App>>, _: SignedIn) -> Result<Json<View>, ApiError> {
    Ok(Json(view(&app).await?))
}

async fn view(app: &App) -> Result<View, ApiError> {
    let now = app.clock.now_ms();
    let prompts = app.mind.prompts();
    let set: &Hours = &prompts.books.hours;
    let figures = promises::figures(app, now).await?;
    let availability = hours::availability(app, now).await?;
    let problem = app.mind.prompts.status().borrow().problem.clone();
    Ok(View {
        zone: set.zone().into(),
        week: week(set),
        holidays: holidays(set),
        text: set.describe(),
        open: availability == Availability::Open,
        opens: match availability {
            Availability::Closed { opens } => Some(opens).filter(|opens| !opens.is_empty()),
            Availability::Open => None,
        },
        away_until: hours::away_until(app, now).await?,
        promise: Promise {
            minutes: set.usual_minutes(&figures).filter(|_| set.is_set()),
            samples: figures.len(),
        },
        problem: problem.filter(|problem| problem.contains("hours.toml")),
    })
}

fn week(hours: &Hours) -> Vec<Day> {
    let days = DAYS.iter().zip(hours.week().into_iter().flatten());
    days.map(|(day, spans)| Day {
        day: day.to_lowercase(),
        spans: spans.iter().map(Span::to_string).collect(),
    })
    .collect()
}

fn holidays(hours: &Hours) -> Vec<Holiday> {
    let all = hours.holidays().iter().map(|holiday| Holiday {
        date: holiday.day.to_string(),
        name: holiday.name.clone(),
        spans: holiday.hours(),
    });
    all.collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Away {
    /// Null is back, 0 until they say otherwise.
    until: Option<i64>,
}

/// `POST /console/api/hours/away`.
pub(super) async fn away(
    State(app): State<Arc<App>>,
    _: SignedIn,
    body: Result<Json<Away>, JsonRejection>,
) -> Result<Json<View>, ApiError> {
    let Json(Away { until }) = body.map_err(unreadable)?;
    let now = app.clock.now_ms();
    if until.is_some_and(|until| until != 0 && !(now..now + LONGEST_MS).contains(&until)) {
        let message = "`until` is a moment within the next year, 0 until you say otherwise, or null when you are back.";
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message));
    }
    hours::set_away(&app, until).await?;
    Ok(Json(view(&app).await?))
}
