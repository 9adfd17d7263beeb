//! The owner's actions and their calls: what there is, what happened, and the owner's yes or no.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use engine::actions::{Access, Action, Method};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::actions;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::conversation::Refusal;
use crate::error::ApiError;
use crate::protocol::record::raw;
use crate::publish;
use crate::store::StoreError;
use crate::store::calls::{self, Event};

/// Calls of a list at most.
const MOST: i64 = 200;

#[derive(Debug, Serialize)]
pub(super) struct Overview {
    actions: Vec<Line>,
    /// Why the newest state of the prompts is not in force.
    problem: Option<String>,
}

/// An action of the file.
#[derive(Debug, Serialize)]
struct Line {
    id: String,
    title: String,
    access: Access,
    verified: bool,
    owner_confirms: bool,
    method: Method,
    address: String,
    arguments: Vec<String>,
    line: usize,
}

impl From<&Action> for Line {
    fn from(action: &Action) -> Self {
        let arguments = action.arguments.list().iter().map(|one| one.name.clone()).collect();
        Self {
            id: action.id.clone(),
            title: action.title.clone(),
            access: action.access,
            verified: action.verified(),
            owner_confirms: action.owner_confirms,
            method: action.method,
            address: action.url().to_owned(),
            arguments,
            line: action.line,
        }
    }
}

/// `GET /console/api/actions`.
pub(super) async fn actions(State(app): State<Arc<App>>, _: SignedIn) -> Json<Overview> {
    let actions = app.mind.prompts().books.actions.actions().iter().map(Line::from).collect();
    let problem = app.mind.prompts.status().borrow().problem.clone();
    Json(Overview { actions, problem })
}

/// A call as the console has it.
#[derive(Debug, Serialize)]
pub(super) struct Call {
    id: String,
    conversation: String,
    action: String,
    title: String,
    status: String,
    subject: Option<String>,
    arguments: Box<RawValue>,
    result: Box<RawValue>,
    at: i64,
    events: Vec<Happened>,
}

#[derive(Debug, Serialize)]
struct Happened {
    at: i64,
    what: String,
    detail: String,
}

impl Call {
    fn new(row: calls::Call, events: Vec<Event>) -> Self {
        let events =
            events.into_iter().map(|Event { at, what, detail }| Happened { at, what, detail });
        Self {
            id: row.id,
            conversation: row.conversation,
            action: row.action,
            title: row.title,
            status: row.status,
            subject: row.subject,
            arguments: raw(row.shown_arguments),
            result: raw(row.result),
            at: row.created_at,
            events: events.collect(),
        }
    }
}

/// The newest calls, of one conversation or of all.
pub(super) async fn listed(app: &App, conversation: Option<&str>) -> Result<Vec<Call>, StoreError> {
    let mut list = Vec::new();
    for row in app.store.calls(conversation, MOST).await? {
        let events = app.store.call_events(&row.id).await?;
        list.push(Call::new(row, events));
    }
    Ok(list)
}

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    conversation: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct List {
    calls: Vec<Call>,
}

/// `GET /console/api/calls`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Query(which): Query<Which>,
) -> Result<Json<List>, ApiError> {
    Ok(Json(List { calls: listed(&app, which.conversation.as_deref()).await? }))
}

/// `POST /console/api/calls/ID/approve`.
pub(super) async fn approve(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    decide(&app, &signed_in, &id, true).await
}

/// `POST /console/api/calls/ID/refuse`.
pub(super) async fn refuse(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    decide(&app, &signed_in, &id, false).await
}

async fn decide(
    app: &App,
    signed_in: &SignedIn,
    id: &str,
    yes: bool,
) -> Result<StatusCode, ApiError> {
    let changes = actions::decide(app, &signed_in.owner.name, id, yes).await;
    let changes = changes.map_err(|refusal| match refusal {
        Refusal::Unknown => {
            let message = "No such call waits for you. Somebody may have decided already.";
            ApiError::new(StatusCode::CONFLICT, "not_waiting", message)
        }
        other => other.into(),
    })?;
    publish::changes(app, changes);
    Ok(StatusCode::NO_CONTENT)
}
