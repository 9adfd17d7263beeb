//! The owner's saved replies: listed, made, edited, deleted.

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
use crate::protocol::MAX_TEXT;
use crate::store::saved_replies::{MAX, SavedReply};

/// Characters of a title at most.
const MAX_TITLE: usize = 80;
/// Characters of an intent's id at most.
const MAX_INTENT: usize = 200;

#[derive(Debug, Serialize)]
pub(super) struct List {
    replies: Vec<Reply>,
}

/// A saved reply as the console has it.
#[derive(Debug, Serialize)]
pub(super) struct Reply {
    id: String,
    title: String,
    text: String,
    intent: Option<String>,
    updated_at: i64,
}

impl From<SavedReply> for Reply {
    fn from(row: SavedReply) -> Self {
        let SavedReply { id, title, text, intent, updated_at } = row;
        Self { id, title, text, intent, updated_at }
    }
}

/// `GET /console/api/saved-replies`.
pub(super) async fn list(State(app): State<Arc<App>>, _: SignedIn) -> Result<Json<List>, ApiError> {
    let replies = app.store.saved_replies().await?.into_iter().map(Reply::from).collect();
    Ok(Json(List { replies }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    title: String,
    text: String,
    #[serde(default)]
    intent: Option<String>,
}

impl Body {
    /// The reply, when it can be kept.
    fn checked(self, id: String, now: i64) -> Result<SavedReply, ApiError> {
        let invalid = |message: String| {
            Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message))
        };
        let fits = |text: &str, most: usize| {
            (1..=most).contains(&text.chars().count()) && !text.contains('\0')
        };
        let (title, text) = (self.title.trim().to_owned(), self.text.trim().to_owned());
        if !fits(&title, MAX_TITLE) {
            return invalid(format!("A title has 1 to {MAX_TITLE} characters."));
        }
        if !fits(&text, MAX_TEXT) {
            return invalid(format!("A saved reply has 1 to {MAX_TEXT} characters."));
        }
        let intent = self.intent.filter(|intent| !intent.trim().is_empty());
        if intent.as_deref().is_some_and(|intent| !fits(intent, MAX_INTENT)) {
            return invalid(format!("The id of an intent has at most {MAX_INTENT} characters."));
        }
        Ok(SavedReply { id, title, text, intent, updated_at: now })
    }
}

/// `POST /console/api/saved-replies`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    _: SignedIn,
    body: Result<Json<Body>, JsonRejection>,
) -> Result<Json<Reply>, ApiError> {
    let Json(body) = body.map_err(unreadable)?;
    let reply = body.checked(app.ids.id(), app.clock.now_ms())?;
    let mut tx = app.store.begin().await?;
    if !tx.add_saved_reply(&reply).await? {
        let message = format!("There are {MAX} saved replies already. Delete one first.");
        return Err(ApiError::new(StatusCode::CONFLICT, "too_many_replies", message));
    }
    tx.commit().await?;
    Ok(Json(reply.into()))
}

/// `POST /console/api/saved-replies/ID`.
pub(super) async fn edit(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path(id): Path<String>,
    body: Result<Json<Body>, JsonRejection>,
) -> Result<Json<Reply>, ApiError> {
    let Json(body) = body.map_err(unreadable)?;
    let reply = body.checked(id, app.clock.now_ms())?;
    let mut tx = app.store.begin().await?;
    known(tx.edit_saved_reply(&reply).await?)?;
    tx.commit().await?;
    Ok(Json(reply.into()))
}

/// `POST /console/api/saved-replies/ID/delete`.
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let mut tx = app.store.begin().await?;
    known(tx.delete_saved_reply(&id).await?)?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn known(found: bool) -> Result<(), ApiError> {
    let unknown = || {
        let message = "There is no such saved reply any more.";
        ApiError::new(StatusCode::NOT_FOUND, "unknown_reply", message)
    };
    if found { Ok(()) } else { Err(unknown()) }
}
