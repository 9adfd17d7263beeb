//! Answers of the console's REST when something is wrong.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::conversation::Refusal;
use crate::store::StoreError;
use crate::uploads::Full;

/// An error as `{ "error": { "code", "message" } }`.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after_s: Option<u64>,
}

#[derive(Serialize)]
struct Body {
    error: Inner,
}

#[derive(Serialize)]
struct Inner {
    code: &'static str,
    message: String,
}

impl ApiError {
    /// An error with a code for programs and a sentence for people.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_s: None }
    }

    /// Too many tries; the next one may come after `seconds`.
    pub fn too_many(seconds: u64) -> Self {
        let message = format!("Too many tries. Please wait {seconds} seconds.");
        Self {
            retry_after_s: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message)
        }
    }

    /// Something of ours failed; `error` goes to the log, not to the client.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on the server. Its log says more.",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(Body { error: Inner { code: self.code, message: self.message } });
        let mut response = (self.status, body).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Unknown => Self::new(StatusCode::NOT_FOUND, "unknown_conversation", message),
            Refusal::UnknownSuggestion => {
                Self::new(StatusCode::NOT_FOUND, "unknown_suggestion", message)
            }
            Refusal::IdReused => Self::new(StatusCode::CONFLICT, "id_reused", message),
            Refusal::Illegal(_) => Self::new(StatusCode::CONFLICT, "illegal_move", message),
            Refusal::Full(Full::Files) => {
                Self::new(StatusCode::CONFLICT, "too_many_files", message)
            }
            Refusal::Full(Full::Room) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "no_room", message)
            }
            Refusal::Store(error) => error.into(),
        }
    }
}
