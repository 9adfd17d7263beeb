//! The owner edits documents: opened, tried, saved; an edit that makes right answers wrong is stopped.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::account::unreadable;
use super::knowledge::blocking;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::knowledge::edit::{Edit, EditError, Trial};

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    path: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Source {
    path: String,
    text: String,
    /// Names this state of the file; saving asks for it.
    base: String,
}

/// `GET /console/api/knowledge/document?path=PATH`.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    _: SignedIn,
    named: Result<Query<Named>, QueryRejection>,
) -> Result<Json<Source>, ApiError> {
    let Query(Named { path }) = named.map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_request", error.body_text())
    })?;
    blocking(move || {
        let source = app.mind.knowledge.source(&path).map_err(refused)?;
        let (text, base) = source.ok_or_else(|| {
            ApiError::new(StatusCode::NOT_FOUND, "unknown_document", "There is no such document.")
        })?;
        Ok(Json(Source { path, text, base }))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    path: String,
    text: Option<String>,
}

/// `POST /console/api/knowledge/try`.
pub(super) async fn try_edit(
    State(app): State<Arc<App>>,
    _: SignedIn,
    body: Result<Json<Draft>, JsonRejection>,
) -> Result<Json<Trial>, ApiError> {
    let Json(Draft { path, text }) = body.map_err(unreadable)?;
    let turn = app.mind.knowledge.checking().await;
    blocking(move || {
        let _turn = turn;
        let floor = app.mind.policy.passage_floor;
        let trial = app.mind.knowledge.try_edit(&Edit { path, text }, floor);
        Ok(Json(trial.map_err(refused)?))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Save {
    path: String,
    text: Option<String>,
    base: Option<String>,
    #[serde(default)]
    all_the_same: bool,
}

/// An edit that was stopped, with what it would do.
#[derive(Debug, Serialize)]
struct Stopped {
    error: serde_json::Value,
    trial: Trial,
}

/// `POST /console/api/knowledge/save`.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    _: SignedIn,
    body: Result<Json<Save>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(Save { path, text, base, all_the_same }) = body.map_err(unreadable)?;
    let turn = app.mind.knowledge.checking().await;
    blocking(move || {
        let _turn = turn;
        let floor = app.mind.policy.passage_floor;
        let edit = Edit { path, text };
        match app.mind.knowledge.save(&edit, base.as_deref(), (floor, all_the_same)) {
            Ok(trial) => Ok(Json(trial).into_response()),
            Err(EditError::Losses(trial)) => {
                let message = EditError::Losses(trial.clone()).to_string();
                let error = serde_json::json!({ "code": "answers_lost", "message": message });
                let body = Json(Stopped { error, trial: *trial });
                Ok((StatusCode::CONFLICT, body).into_response())
            }
            Err(error) => Err(refused(error)),
        }
    })
    .await
}

fn refused(error: EditError) -> ApiError {
    let (status, code) = match &error {
        EditError::Name(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_name"),
        EditError::Text(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_text"),
        EditError::Golden(_) => (StatusCode::UNPROCESSABLE_ENTITY, "bad_golden"),
        EditError::Changed => (StatusCode::CONFLICT, "changed_meanwhile"),
        EditError::Pinned => (StatusCode::CONFLICT, "pinned"),
        EditError::Losses(_) => (StatusCode::CONFLICT, "answers_lost"),
        EditError::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
    };
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!("an edit failed: {error}");
    }
    ApiError::new(status, code, error.to_string())
}
