//! The owner's page on gaps: what was not answered, entries to accept or reject, what edits changed, and how much to leave to the bot.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::gaps::autonomy::Suggestion;
use engine::mask::Kind;
use serde::{Deserialize, Serialize};

use super::account::unreadable;
use super::editing::{lost, refused};
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::gaps::publish::{self, Entry, PublishError};
use crate::gaps::{self, RefreshError};
use crate::knowledge::edit::EditError;
use crate::knowledge::replay::Changes;
use crate::store::gaps::{ProposalRow, QuestionRow};

#[derive(Debug, Serialize)]
pub(super) struct Overview {
    gaps: Vec<Gap>,
    /// When they were gathered, in milliseconds since 1970; none while they never were.
    as_of: Option<i64>,
    /// What they are gathered from, in milliseconds.
    window_ms: i64,
}

#[derive(Debug, Serialize)]
struct Gap {
    id: String,
    label: String,
    questions: Vec<Asked>,
    /// Visitors who asked.
    count: i64,
    /// 0 to 1.
    failure: f64,
    rank: f64,
    proposal: Option<Proposal>,
}

#[derive(Debug, Serialize)]
struct Asked {
    conversation: String,
    seq: i64,
    text: String,
}

#[derive(Debug, Serialize)]
struct Proposal {
    id: String,
    question: String,
    answer: String,
    from: Vec<String>,
    /// `pending`, `accepted` or `rejected`.
    status: String,
    /// What to look at before it is accepted.
    problem: Option<&'static str>,
}

impl From<ProposalRow> for Proposal {
    fn from(row: ProposalRow) -> Self {
        let placeholder =
            |text: &str| Kind::ALL.iter().any(|kind| text.contains(kind.placeholder()));
        let masked = placeholder(&row.question) || placeholder(&row.answer);
        let problem = masked.then_some(
            "A placeholder such as [phone] stands where personal data was. Write what every visitor may read, or take it out.",
        );
        let from = serde_json::from_str(&row.sources).unwrap_or_default();
        let ProposalRow { id, question, answer, status, .. } = row;
        Self { id, question, answer, from, status, problem }
    }
}

/// `GET /console/api/gaps`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Overview>, ApiError> {
    Ok(Json(overview(&app).await?))
}

async fn overview(app: &App) -> Result<Overview, ApiError> {
    let (rows, questions) = app.store.gaps().await?;
    let proposals = app.store.proposals().await?.into_iter();
    let mut proposals: HashMap<String, ProposalRow> =
        proposals.map(|one| (one.id.clone(), one)).collect();
    let mut asked: HashMap<String, Vec<Asked>> = HashMap::new();
    for QuestionRow { gap, conversation, seq, text, .. } in questions {
        asked.entry(gap).or_default().push(Asked { conversation, seq, text });
    }
    let gaps = rows.into_iter().filter_map(|row| {
        // Questions go with their conversations; a gap without any has nobody who asked.
        let questions = asked.remove(&row.id)?;
        let proposal = row.proposal.and_then(|id| proposals.remove(&id)).map(Proposal::from);
        let (label, count) = (row.label, row.count);
        let (failure, rank) = (row.failure, row.rank);
        Some(Gap { id: row.id, label, questions, count, failure, rank, proposal })
    });
    Ok(Overview {
        gaps: gaps.collect(),
        as_of: gaps::as_of(app).await?,
        window_ms: gaps::WINDOW_MS,
    })
}

/// `POST /console/api/gaps/refresh`.
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Overview>, ApiError> {
    gaps::refresh(&app).await.map_err(not_gathered)?;
    Ok(Json(overview(&app).await?))
}

fn not_gathered(error: RefreshError) -> ApiError {
    match error {
        RefreshError::Store(error) => error.into(),
        RefreshError::Failed(message) => {
            tracing::warn!("the gaps could not be gathered: {message}");
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verdict {
    #[serde(default)]
    question: String,
    #[serde(default)]
    answer: String,
    action: Deed,
    #[serde(default)]
    all_the_same: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Deed {
    Accept,
    Reject,
}

/// `POST /console/api/gaps/proposals/ID`; the id of a gap without a proposal takes the owner's own words.
pub(super) async fn settle(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path(id): Path<String>,
    body: Result<Json<Verdict>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(Verdict { question, answer, action, all_the_same }) = body.map_err(unreadable)?;
    let settled = match action {
        Deed::Reject => {
            publish::reject(&app, &id).await.map(|()| StatusCode::NO_CONTENT.into_response())
        }
        Deed::Accept => {
            let entry = Entry { question, answer, all_the_same };
            publish::accept(&app, &id, entry).await.map(|trial| Json(trial).into_response())
        }
    };
    settled.or_else(|error| match error {
        PublishError::Edit(EditError::Losses(trial)) => Ok(lost(trial)),
        error => Err(unsettled(error)),
    })
}

fn unsettled(error: PublishError) -> ApiError {
    let (status, code) = match &error {
        PublishError::Unknown => (StatusCode::NOT_FOUND, "unknown_proposal"),
        PublishError::Settled(_) => (StatusCode::CONFLICT, "settled"),
        PublishError::Words(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        PublishError::Edit(_) | PublishError::Store(_) => match error {
            PublishError::Edit(error) => return refused(error),
            other => return ApiError::internal(&other),
        },
    };
    ApiError::new(status, code, error.to_string())
}

/// `GET /console/api/gaps/changes`.
pub(super) async fn changes(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Changes>, ApiError> {
    Ok(Json(gaps::changes::changes(&app).await.map_err(not_gathered)?))
}

#[derive(Debug, Serialize)]
pub(super) struct Suggested {
    suggestions: Vec<Suggestion>,
}

/// `GET /console/api/gaps/autonomy`.
pub(super) async fn autonomy(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Suggested>, ApiError> {
    Ok(Json(Suggested { suggestions: gaps::autonomy::autonomy(&app).await? }))
}
