//! Signing up, in and out.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use serde::{Deserialize, Serialize};

use crate::app::{App, Peer};
use crate::auth::Holder;
use crate::auth::password::{MAX_BYTES, MIN_CHARS};
use crate::auth::session::{self, SignedIn};
use crate::clock::fingerprint;
use crate::error::ApiError;
use crate::store::owners::Owner;

/// Characters of a name at most.
const MAX_NAME: usize = 80;
/// Characters of an address at most.
const MAX_EMAIL: usize = 254;

type Answer = (StatusCode, AppendHeaders<[(axum::http::HeaderName, HeaderValue); 1]>);

#[derive(Debug, Serialize)]
pub(super) struct Me {
    setup: bool,
    owner: Option<Person>,
}

#[derive(Debug, Serialize)]
struct Person {
    name: String,
    email: String,
}

/// `GET /console/api/me`.
pub(super) async fn me(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Me>, ApiError> {
    let owner = session::owner(&app, &headers).await?;
    let setup = app.store.needs_setup().await?;
    Ok(Json(Me {
        setup,
        owner: owner.map(|owner| Person { name: owner.name, email: owner.email }),
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    token: String,
    name: String,
    email: String,
    password: String,
}

/// `POST /console/api/setup`.
pub(super) async fn setup(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    body: Result<Json<Setup>, JsonRejection>,
) -> Result<Answer, ApiError> {
    let Json(body) = body.map_err(unreadable)?;
    app.limits.sign_in(peer.0).map_err(ApiError::too_many)?;
    let (name, email) = (body.name.trim(), body.email.trim().to_lowercase());
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(invalid("Please give a name of 1 to 80 characters; visitors see it."));
    }
    let parts = email.split_once('@').filter(|(user, host)| !user.is_empty() && host.contains('.'));
    if parts.is_none() || email.chars().count() > MAX_EMAIL || email.contains(char::is_whitespace) {
        return Err(invalid("Please give an e-mail address; it is only used to sign in here."));
    }
    if body.password.chars().count() < MIN_CHARS || body.password.len() > MAX_BYTES {
        return Err(invalid("Please choose a password of 12 characters or more."));
    }
    let hash = app.doors.passwords.hash(body.password).await.map_err(|e| ApiError::internal(&e))?;
    let owner = Owner { id: app.ids.id(), name: name.into(), email, password_hash: hash };
    let mut tx = app.store.begin().await?;
    if !tx.link_is_good(&fingerprint(&body.token)).await? {
        let message =
            "This set-up link is not valid any more. `porchlight reset-owner` prints a fresh one.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "bad_link", message));
    }
    tx.insert_owner(&owner, app.clock.now_ms()).await?;
    tx.commit().await?;
    signed_in(&app, &owner).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    email: String,
    password: String,
}

/// `POST /console/api/login`.
pub(super) async fn login(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    body: Result<Json<Login>, JsonRejection>,
) -> Result<Answer, ApiError> {
    let Json(body) = body.map_err(unreadable)?;
    app.limits.sign_in(peer.0).map_err(ApiError::too_many)?;
    let wrong = || {
        ApiError::new(StatusCode::UNAUTHORIZED, "wrong", "The address or the password is wrong.")
    };
    if body.password.len() > MAX_BYTES {
        return Err(wrong());
    }
    let owner = app.store.owner_by_email(&body.email.trim().to_lowercase()).await?;
    let hash = owner.as_ref().map(|owner| owner.password_hash.clone());
    let fits =
        app.doors.passwords.fits(body.password, hash).await.map_err(|e| ApiError::internal(&e))?;
    let owner = owner.filter(|_| fits).ok_or_else(wrong)?;
    signed_in(&app, &owner).await
}

/// `POST /console/api/logout`.
pub(super) async fn logout(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Answer, ApiError> {
    let cookie = session::end(&app, &headers).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)])))
}

/// `POST /console/api/ticket`.
pub(super) async fn ticket(State(app): State<Arc<App>>, signed_in: SignedIn) -> impl IntoResponse {
    let holder = Holder { name: signed_in.owner.name, session: signed_in.session };
    let ticket = app.doors.ticket(&app.ids, holder, app.clock.now_ms());
    Json(serde_json::json!({ "ticket": ticket }))
}

async fn signed_in(app: &App, owner: &Owner) -> Result<Answer, ApiError> {
    let cookie = session::begin(app, &owner.id).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)])))
}

fn invalid(message: &str) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
}

/// A body that is not what the request takes.
pub(crate) fn unreadable(rejection: JsonRejection) -> ApiError {
    ApiError::new(rejection.status(), "bad_request", rejection.body_text())
}
