//! What the owner's own programs may do with a key: read the stream of events, and tell conversions.

use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequestParts, Query, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use crate::app::{App, Peer};
use crate::clock::fingerprint;
use crate::console::account::unreadable;
use crate::console::events::{Page, Wish, page};
use crate::error::ApiError;
use crate::events::convert::{Conversion, NoConversion, Teller, convert};
use crate::secret;

/// Below it programs are served.
pub const ADDRESS: &str = "/api/";

/// Characters of a key at least: too many to be guessed.
const SHORTEST: usize = 32;

/// Everything below [`ADDRESS`].
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/events", get(events)).route("/conversions", post(conversion))
}

/// A program that has shown the owner's key.
pub struct Program;

impl FromRequestParts<Arc<App>> for Program {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let refused = |status, message: &str| ApiError::new(status, "no_key", message);
        let Some(file) = &app.site_key else {
            let message = "There is no key. Name its file in porchlight.toml: api.key_file.";
            return Err(refused(StatusCode::FORBIDDEN, message));
        };
        let key = secret::read(file).await.map_err(|error| ApiError::internal(&error))?;
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        // Hashes are compared, so that the time it takes tells nothing of the key.
        if key.len() >= SHORTEST && fingerprint(shown.trim()) == fingerprint(&key) {
            return Ok(Self);
        }
        if key.len() < SHORTEST {
            let message = format!(
                "The key in api.key_file is too short: it has {SHORTEST} characters or more."
            );
            return Err(refused(StatusCode::FORBIDDEN, &message));
        }
        if let Some(Peer(address)) = parts.extensions.get::<Peer>() {
            app.limits.sign_in(*address).map_err(ApiError::too_many)?;
        }
        let message = "Send `Authorization: Bearer` with the key of api.key_file.";
        Err(refused(StatusCode::UNAUTHORIZED, message))
    }
}

/// `GET /api/events`: as the console's, with the same parameters.
async fn events(
    State(app): State<Arc<App>>,
    _: Program,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Json<Page>, ApiError> {
    let bad = |text| ApiError::new(StatusCode::BAD_REQUEST, "bad_request", text);
    let Query(wish) = wish.map_err(|error| bad(error.body_text()))?;
    page(&app, &wish).await.map(Json)
}

/// A conversion and whose it is: a conversation, or the newest one of a visit or of a browser.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    conversation: Option<String>,
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    visitor: Option<String>,
    #[serde(flatten)]
    conversion: Conversion,
}

/// `POST /api/conversions`.
async fn conversion(
    State(app): State<Arc<App>>,
    _: Program,
    body: Result<Json<Told>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(Told { conversation, session, visitor, conversion }) = body.map_err(unreadable)?;
    let known = match (&conversation, &session, &visitor) {
        (Some(id), _, _) => app.store.conversation(id).await?.map(|row| row.id),
        (_, Some(session), _) => app.store.conversation_of_session(session).await?,
        (_, _, Some(visitor)) => app.store.conversation_of_visitor(visitor).await?,
        _ => None,
    };
    let unknown = || {
        let message =
            "Give the `conversation`, `session` or `visitor` of somebody who has chatted.";
        ApiError::new(StatusCode::NOT_FOUND, "unknown_visitor", message)
    };
    match convert(&app, &known.ok_or_else(unknown)?, (conversion, Teller::Program)).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(NoConversion::Store(error)) => Err(error.into()),
        Err(bad @ NoConversion::Bad(_)) => {
            Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_conversion", bad.to_string()))
        }
    }
}
