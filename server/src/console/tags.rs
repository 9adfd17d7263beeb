//! The owner puts tags right, and sees and removes what the intents have learned from it.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::account::unreadable;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::prompts::Status;
use crate::store::corrections::Correction;
use crate::tags::{self, TagError};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chosen {
    intent: String,
}

/// `POST /console/api/conversations/ID/tags/SEQ`.
pub(super) async fn correct(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path((id, seq)): Path<(String, i64)>,
    body: Result<Json<Chosen>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(Chosen { intent }) = body.map_err(unreadable)?;
    let own = Arc::clone(&app);
    to_the_end(&app, async move { tags::correct(&own, (&id, seq), &intent).await }).await
}

#[derive(Debug, Serialize)]
pub(super) struct Overview {
    prompts: Status,
    examples: Vec<Example>,
}

/// A sentence that the owner has sorted.
#[derive(Debug, Serialize)]
struct Example {
    id: String,
    conversation: String,
    intent: String,
    label: String,
    text: String,
    at: i64,
}

impl From<Correction> for Example {
    fn from(row: Correction) -> Self {
        let Correction { id, conversation, intent, label, text, at, .. } = row;
        Self { id, conversation, intent, label, text, at }
    }
}

/// `GET /console/api/intents`.
pub(super) async fn overview(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Overview>, ApiError> {
    let examples = app.store.corrections().await?.into_iter().map(Example::from).collect();
    let prompts = app.mind.prompts.status().borrow().clone();
    Ok(Json(Overview { prompts, examples }))
}

/// `POST /console/api/intents/examples/ID/forget`.
pub(super) async fn forget(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let own = Arc::clone(&app);
    to_the_end(&app, async move { tags::forget(&own, &id).await }).await
}

/// Runs a command to its end even when its client goes: what is stored is always learned and told.
async fn to_the_end(
    app: &App,
    command: impl Future<Output = Result<(), TagError>> + Send + 'static,
) -> Result<StatusCode, ApiError> {
    let ended = app.doors.sockets.spawn(command).await;
    ended.map_err(|error| ApiError::internal(&error))??;
    Ok(StatusCode::NO_CONTENT)
}

impl From<TagError> for ApiError {
    fn from(error: TagError) -> Self {
        let (status, code) = match &error {
            TagError::UnknownMessage => (StatusCode::NOT_FOUND, "unknown_message"),
            TagError::UnknownExample => (StatusCode::NOT_FOUND, "unknown_example"),
            TagError::UnknownIntent(_) => (StatusCode::UNPROCESSABLE_ENTITY, "unknown_intent"),
            TagError::NoWords => (StatusCode::UNPROCESSABLE_ENTITY, "no_words"),
            TagError::Store(error) => return Self::internal(error),
        };
        Self::new(status, code, error.to_string())
    }
}
