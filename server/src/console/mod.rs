//! The owner's REST: signing in, and commands on conversations.

pub mod account;
pub mod conversations;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// Everything below `/console/api`.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me", get(account::me))
        .route("/setup", post(account::setup))
        .route("/login", post(account::login))
        .route("/logout", post(account::logout))
        .route("/ticket", post(account::ticket))
        .route("/conversations", get(conversations::list))
        .route("/conversations/{id}", get(conversations::show))
        .route("/conversations/{id}/take", post(conversations::take))
        .route("/conversations/{id}/messages", post(conversations::write))
        .route("/conversations/{id}/hand-back", post(conversations::hand_back))
        .route("/conversations/{id}/close", post(conversations::close))
        .route("/conversations/{id}/suggestions/{suggestion}/discard", post(conversations::discard))
}
