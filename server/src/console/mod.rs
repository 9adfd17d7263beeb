//! The owner's REST: signing in, commands on conversations, and the documents.

pub mod account;
mod calls;
pub mod conversations;
pub mod editing;
pub(crate) mod events;
pub mod files;
mod gaps;
pub mod hours;
pub mod knowledge;
pub mod leads;
mod notifications;
pub mod reviews;
pub mod rules;
pub mod saved_replies;
pub mod scorecard;
pub mod tags;
pub mod tickets;
mod verdicts;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use retrieval::corpus::MAX_FOREIGN_BYTES;

use crate::app::App;
use crate::knowledge::edit::MAX_BYTES;

/// Bytes of a request with a document: JSON may write a character as six.
const MAX_EDIT: usize = 6 * MAX_BYTES;
/// Bytes of a file that is uploaded.
const MAX_UPLOAD: usize = MAX_FOREIGN_BYTES as usize;

/// Everything below `/console/api`.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/me", get(account::me))
        .route("/setup", post(account::setup))
        .route("/login", post(account::login))
        .route("/logout", post(account::logout))
        .route("/ticket", post(account::ticket))
        .route("/knowledge", get(knowledge::overview))
        .route("/knowledge/search", post(knowledge::search))
        .route("/knowledge/versions", get(knowledge::versions))
        .route("/knowledge/rollback", post(knowledge::rollback))
        .route("/knowledge/release", post(knowledge::release))
        .route("/knowledge/fetch", post(knowledge::fetch))
        .route("/knowledge/check", get(knowledge::look_over))
        .route("/knowledge/document", get(editing::open))
        .route("/knowledge/try", post(editing::try_edit).layer(DefaultBodyLimit::max(MAX_EDIT)))
        .route("/knowledge/save", post(editing::save).layer(DefaultBodyLimit::max(MAX_EDIT)))
        .route(
            "/knowledge/upload/try",
            post(editing::try_upload).layer(DefaultBodyLimit::max(MAX_UPLOAD)),
        )
        .route(
            "/knowledge/upload/save",
            post(editing::upload).layer(DefaultBodyLimit::max(MAX_UPLOAD)),
        )
        .route("/actions", get(calls::actions))
        .route("/calls", get(calls::list))
        .route("/calls/{id}/approve", post(calls::approve))
        .route("/calls/{id}/refuse", post(calls::refuse))
        .route("/notifications", get(notifications::overview))
        .route("/notifications/test", post(notifications::test))
        .route("/gaps", get(gaps::list))
        .route("/gaps/refresh", post(gaps::refresh))
        .route("/gaps/proposals/{id}", post(gaps::settle))
        .route("/gaps/changes", get(gaps::changes))
        .route("/gaps/autonomy", get(gaps::autonomy))
        .route("/leads", get(leads::list))
        .route("/leads/export", get(leads::export))
        .route("/flows", get(leads::flows))
        .route("/files/{id}", get(files::download))
        .route("/events", get(events::list))
        .route("/events/export", get(events::export))
        .route("/events/staging", post(events::stage))
        .route("/events/check", get(events::look))
        .route("/rules", get(rules::overview))
        .route("/rules/wrong", post(rules::choose))
        .route("/verdicts", get(verdicts::list))
        .route("/conversations", get(conversations::list))
        .route("/conversations/{id}", get(conversations::show))
        .route("/conversations/{id}/take", post(conversations::take))
        .route("/conversations/{id}/messages", post(conversations::write))
        .route("/conversations/{id}/hand-back", post(conversations::hand_back))
        .route("/conversations/{id}/close", post(conversations::close))
        .route("/conversations/{id}/tags/{seq}", post(tags::correct))
        .route("/saved-replies", get(saved_replies::list).post(saved_replies::create))
        .route("/saved-replies/{id}", post(saved_replies::edit))
        .route("/saved-replies/{id}/delete", post(saved_replies::delete))
        .route("/scorecard", get(scorecard::show))
        .route("/scorecard/assumptions", get(scorecard::assumed).post(scorecard::assume))
        .route("/scorecard/items", get(scorecard::list).post(scorecard::change))
        .route("/scorecard/mail", post(scorecard::mail))
        .route("/reviews", get(reviews::list))
        .route("/reviews/{conversation}/{case}", post(reviews::score))
        .route("/reviews/{conversation}/{case}/done", post(reviews::done))
        .route("/hours", get(hours::show))
        .route("/hours/away", post(hours::away))
        .route("/tickets", get(tickets::list).post(tickets::create))
        .route("/tickets/export", get(tickets::export))
        .route("/tickets/{id}", get(tickets::show).post(tickets::edit))
        .route("/tickets/{id}/reply", post(tickets::reply))
        .route("/intents", get(tags::overview))
        .route("/intents/examples/{id}/forget", post(tags::forget))
        .route("/conversations/{id}/suggestions/{suggestion}/discard", post(conversations::discard))
}
