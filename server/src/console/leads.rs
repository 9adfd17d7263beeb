//! The owner's leads and flows: listed, and leads taken home as CSV or JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use engine::tasks::Row;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::sheet;
use crate::store::leads::LeadRow;

/// Leads that the list shows.
const LISTED: i64 = 500;
/// Leads of an export, the newest.
const EXPORTED: i64 = 10_000;
/// Name of the flows' file, as problems name it.
const FILE: &str = "flows.toml";

#[derive(Debug, Serialize)]
pub(super) struct List {
    leads: Vec<Shown>,
}

/// A lead as the console has it.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    conversation: String,
    flow: String,
    level: String,
    status: String,
    at: i64,
    slots: Vec<Row>,
}

impl From<LeadRow> for Shown {
    fn from(row: LeadRow) -> Self {
        let slots = serde_json::from_str(&row.slots).unwrap_or_default();
        let LeadRow { id, conversation, title, level, status, updated_at, .. } = row;
        Self { id, conversation, flow: title, level, status, at: updated_at, slots }
    }
}

/// `GET /console/api/leads`.
pub(super) async fn list(State(app): State<Arc<App>>, _: SignedIn) -> Result<Json<List>, ApiError> {
    let leads = app.store.leads(LISTED).await?.into_iter().map(Shown::from).collect();
    Ok(Json(List { leads }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Format {
    Csv,
    Json,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    format: Format,
}

/// `GET /console/api/leads/export?format=csv|json`.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    _: SignedIn,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(Wanted { format }) = wanted.map_err(|_| {
        let message = "Say which format: `?format=csv` or `?format=json`.";
        ApiError::new(StatusCode::BAD_REQUEST, "bad_format", message)
    })?;
    let leads: Vec<Shown> = app.store.leads(EXPORTED).await?.into_iter().map(Shown::from).collect();
    let failed = |error: &dyn std::fmt::Display| ApiError::internal(error);
    let (media, name, body) = match format {
        Format::Json => {
            let body = serde_json::to_vec_pretty(&leads).map_err(|error| failed(&error))?;
            ("application/json", "leads.json", body)
        }
        Format::Csv => {
            ("text/csv; charset=utf-8", "leads.csv", table(&leads).map_err(|error| failed(&error))?)
        }
    };
    let attachment = format!("attachment; filename=\"{name}\"");
    Ok(([(CONTENT_TYPE, media), (CONTENT_DISPOSITION, &attachment)], body).into_response())
}

/// A line for each lead; the columns after the fixed ones are the labels of all slots, in the order in which they come.
fn table(leads: &[Shown]) -> Result<Vec<u8>, csv::Error> {
    let mut labels: Vec<&str> = Vec::new();
    for row in leads.iter().flat_map(|lead| &lead.slots) {
        if !labels.contains(&row.label.as_str()) {
            labels.push(&row.label);
        }
    }
    let fixed = ["At", "Flow", "Level", "Status", "Conversation"];
    let head: Vec<String> = fixed.iter().chain(&labels).map(|label| (*label).to_owned()).collect();
    let line = |lead: &Shown| {
        let value = |label: &&str| {
            let row = lead.slots.iter().find(|row| row.label == **label);
            row.map(|row| row.value.clone()).unwrap_or_default()
        };
        let own =
            [sheet::time(lead.at), lead.flow.clone(), lead.level.clone(), lead.status.clone()];
        let own = own.into_iter().chain([lead.conversation.clone()]);
        own.chain(labels.iter().map(value)).collect()
    };
    sheet::csv(&head, &leads.iter().map(line).collect::<Vec<_>>())
}

#[derive(Debug, Serialize)]
pub(super) struct Flows {
    flows: Vec<Flow>,
    problem: Option<String>,
}

/// A flow as the console has it.
#[derive(Debug, Serialize)]
struct Flow {
    id: String,
    title: String,
    kind: &'static str,
    line: usize,
    words: Vec<String>,
    problem: Option<String>,
}

/// `GET /console/api/flows`.
pub(super) async fn flows(State(app): State<Arc<App>>, _: SignedIn) -> Json<Flows> {
    let (prompts, edition) = (app.mind.prompts(), app.mind.knowledge.edition());
    let shown = |flow: &engine::flows::Flow| Flow {
        id: flow.id.clone(),
        title: flow.title.clone(),
        kind: flow.kind(),
        line: flow.line,
        words: flow.words.iter().map(ToString::to_string).collect(),
        problem: flow.problem(edition.as_ref()),
    };
    let flows = prompts.books.flows.flows.iter().map(shown).collect();
    let problem = app.mind.prompts.status().borrow().problem.clone();
    Json(Flows { flows, problem: problem.filter(|problem| problem.contains(FILE)) })
}
