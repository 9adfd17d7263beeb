//! Cases that deserve a second look: listed, scored, done with.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::account::unreadable;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::store::reviews::Listed;
use crate::surveys::review::{self, DONE, OPEN, Rubric, Scored};

/// Cases of the list.
const LIST: i64 = 200;
/// Characters of a note.
const NOTE: usize = 1_000;

#[derive(Debug, Serialize)]
pub(super) struct List {
    reviews: Vec<View>,
    /// How many wait in all.
    waiting: i64,
    /// What is wrong with `surveys.toml`.
    problem: Option<String>,
}

/// A case as the console has it.
#[derive(Debug, Serialize)]
struct View {
    conversation: String,
    case: i64,
    why: Option<String>,
    csat: Option<i64>,
    scale: Option<i64>,
    /// Words beside the scores, those on satisfaction first.
    comment: Option<String>,
    nps: Option<i64>,
    tag: Option<String>,
    at: i64,
    rubric: Option<Rubric>,
    status: String,
}

impl From<Listed> for View {
    fn from(row: Listed) -> Self {
        let Listed { review, tag, csat, csat_scale, csat_comment, nps, nps_comment } = row;
        Self {
            rubric: Rubric::of(&review),
            conversation: review.conversation,
            case: review.place,
            why: review.why,
            csat,
            scale: csat_scale.filter(|_| csat.is_some()),
            comment: csat_comment.or(nps_comment),
            nps,
            tag,
            at: review.queued_at,
            status: review.status,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Open,
    Done,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    status: Status,
}

/// `GET /console/api/reviews`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: SignedIn,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<List>, ApiError> {
    let Query(Wanted { status }) = wanted.map_err(|_| {
        let message = format!("`status` is {OPEN} or {DONE}.");
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
    })?;
    let status = match status {
        Status::Open => OPEN,
        Status::Done => DONE,
    };
    let rows = app.store.reviews(status, LIST).await?;
    let problem = app.mind.prompts.status().borrow().problem.clone();
    Ok(Json(List {
        reviews: rows.into_iter().map(View::from).collect(),
        waiting: app.store.reviews_waiting().await?,
        problem: problem.filter(|problem| problem.contains("surveys.toml")),
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    clarity: u8,
    correctness: u8,
    empathy: u8,
    #[serde(default)]
    note: String,
}

impl Body {
    fn checked(self) -> Result<Scored, ApiError> {
        let invalid =
            |message: String| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message);
        let Self { clarity, correctness, empathy, note } = self;
        if [clarity, correctness, empathy].iter().any(|score| !(1..=3).contains(score)) {
            return Err(invalid(
                "`clarity`, `correctness` and `empathy` lie between 1 and 3.".into(),
            ));
        }
        let note = note.trim().to_owned();
        if note.chars().count() > NOTE || note.contains('\0') {
            return Err(invalid(format!("A note has {NOTE} characters at most.")));
        }
        Ok(Scored { clarity, correctness, empathy, note })
    }
}

/// `POST /console/api/reviews/CONVERSATION/CASE`.
pub(super) async fn score(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path((id, case)): Path<(String, i64)>,
    body: Result<Json<Body>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(body) = body.map_err(unreadable)?;
    review::score(&app, &id, case, body.checked()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /console/api/reviews/CONVERSATION/CASE/done`.
pub(super) async fn done(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path((id, case)): Path<(String, i64)>,
) -> Result<StatusCode, ApiError> {
    review::done(&app, &id, case).await?;
    Ok(StatusCode::NO_CONTENT)
}
