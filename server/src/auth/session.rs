//! Sessions: a secret in a cookie, its hash in the database.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use crate::app::App;
use crate::clock::{fingerprint, is_hex};
use crate::error::ApiError;
use crate::store::owners::Owner;

/// How long a session lasts.
pub const LASTS_MS: i64 = 14 * 24 * 60 * 60 * 1_000;
const NAME: &str = "porchlight_session";

/// The owner who sent a request.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The owner.
    pub owner: Owner,
    /// Fingerprint of the session's secret.
    pub session: String,
}

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let owner = owner(app, &parts.headers).await?;
        let session = secret(&parts.headers).map(|secret| fingerprint(&secret));
        let signed_in = owner.zip(session).map(|(owner, session)| Self { owner, session });
        signed_in
            .ok_or_else(|| ApiError::new(StatusCode::UNAUTHORIZED, "signed_out", "Please sign in."))
    }
}

/// The owner whose cookie this is.
///
/// # Errors
/// [`ApiError`] when the database fails.
pub async fn owner(app: &App, headers: &HeaderMap) -> Result<Option<Owner>, ApiError> {
    match secret(headers) {
        Some(secret) => {
            Ok(app.store.owner_by_session(&fingerprint(&secret), app.clock.now_ms()).await?)
        }
        None => Ok(None),
    }
}

/// Opens a session; the cookie that carries it.
///
/// # Errors
/// [`ApiError`] when the database fails.
pub async fn begin(app: &App, owner_id: &str) -> Result<HeaderValue, ApiError> {
    let (secret, now) = (app.ids.secret(), app.clock.now_ms());
    let mut tx = app.store.begin().await?;
    tx.insert_session(&fingerprint(&secret), owner_id, (now, now + LASTS_MS)).await?;
    tx.commit().await?;
    Ok(cookie(app, &secret, LASTS_MS / 1_000))
}

/// Ends the session of a request; the cookie that says so.
///
/// # Errors
/// [`ApiError`] when the database fails.
pub async fn end(app: &App, headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    if let Some(secret) = secret(headers) {
        let mut tx = app.store.begin().await?;
        tx.remove_session(&fingerprint(&secret)).await?;
        tx.commit().await?;
    }
    Ok(cookie(app, "", 0))
}

fn cookie(app: &App, secret: &str, seconds: i64) -> HeaderValue {
    // Behind TLS the cookie never travels without it.
    let secure = if app.origins.is_https() { "; Secure" } else { "" };
    let text = format!(
        "{NAME}={secret}; Path=/console; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}"
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

fn secret(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let named =
        cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    named
        .filter(|(name, value)| *name == NAME && is_hex(value, 64))
        .map(|(_, value)| value.to_owned())
        .next()
}
