//! The owner edits documents: opened, tried, saved; an edit that makes right answers wrong is stopped.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use retrieval::corpus::MAX_FOREIGN_BYTES;
use serde::{Deserialize, Serialize};

use super::account::unreadable;
use super::knowledge::blocking;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::knowledge::edit::{Edit, EditError, Trial, is_text};

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    path: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Source {
    path: String,
    /// None of a format that cannot be edited as it is.
    text: Option<String>,
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
        let (bytes, base) = source.ok_or_else(|| {
            ApiError::new(StatusCode::NOT_FOUND, "unknown_document", "There is no such document.")
        })?;
        let text = is_text(&path).then(|| String::from_utf8(bytes)).transpose();
        let text =
            text.map_err(|_| refused(EditError::Text(format!("{path} is no UTF-8 text"))))?;
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
    tried(app, Edit { path, bytes: text.map(String::into_bytes) }).await
}

async fn tried(app: Arc<App>, edit: Edit) -> Result<Json<Trial>, ApiError> {
    let turn = app.mind.knowledge.checking().await;
    blocking(move || {
        let _turn = turn;
        let floor = app.mind.prompts().policy.passage_floor;
        Ok(Json(app.mind.knowledge.try_edit(&edit, floor).map_err(refused)?))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Upload {
    path: String,
    base: Option<String>,
    #[serde(default)]
    all_the_same: bool,
}

/// `POST /console/api/knowledge/upload/try?path=PATH`; the body is the file.
pub(super) async fn try_upload(
    State(app): State<Arc<App>>,
    _: SignedIn,
    upload: Result<Query<Upload>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Trial>, ApiError> {
    let (upload, bytes) = uploaded(upload, body)?;
    tried(app, Edit { path: upload.path, bytes: Some(bytes) }).await
}

/// `POST /console/api/knowledge/upload/save?path=PATH&base=BASE&all_the_same=BOOL`; the body is the file.
pub(super) async fn upload(
    State(app): State<Arc<App>>,
    _: SignedIn,
    upload: Result<Query<Upload>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let (upload, bytes) = uploaded(upload, body)?;
    let edit = Edit { path: upload.path, bytes: Some(bytes) };
    saved(app, edit, upload.base, upload.all_the_same).await
}

fn uploaded(
    upload: Result<Query<Upload>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(Upload, Vec<u8>), ApiError> {
    let Query(upload) = upload.map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_request", error.body_text())
    })?;
    let bytes = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let message = format!("{} has more than {} MiB.", upload.path, MAX_FOREIGN_BYTES >> 20);
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_big", message)
        }
        status => ApiError::new(status, "bad_request", error.body_text()),
    })?;
    Ok((upload, bytes.into()))
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
    saved(app, Edit { path, bytes: text.map(String::into_bytes) }, base, all_the_same).await
}

async fn saved(
    app: Arc<App>,
    edit: Edit,
    base: Option<String>,
    all_the_same: bool,
) -> Result<Response, ApiError> {
    let turn = app.mind.knowledge.checking().await;
    blocking(move || {
        let _turn = turn;
        let floor = app.mind.prompts().policy.passage_floor;
        match app.mind.knowledge.save(&edit, base.as_deref(), (floor, all_the_same)) {
            Ok(trial) => Ok(Json(trial).into_response()),
            Err(EditError::Losses(trial)) => Ok(lost(trial)),
            Err(error) => Err(refused(error)),
        }
    })
    .await
}

/// The answer to an edit that would lose right answers.
pub(super) fn lost(trial: Box<Trial>) -> Response {
    let message = EditError::Losses(trial.clone()).to_string();
    let error = serde_json::json!({ "code": "answers_lost", "message": message });
    let body = Json(Stopped { error, trial: *trial });
    (StatusCode::CONFLICT, body).into_response()
}

pub(super) fn refused(error: EditError) -> ApiError {
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
