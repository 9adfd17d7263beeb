//! The owner's tickets: listed, made, changed, answered, exported.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use engine::tickets::{Draft, Priority, SUBJECT_CHARS, SUMMARY_CHARS};
use serde::{Deserialize, Serialize};

use super::account::unreadable;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::conversation::Refusal;
use crate::error::ApiError;
use crate::protocol::MAX_TEXT;
use crate::sheet;
use crate::store::tickets::{Change, Ticket};
use crate::tickets::{self, Edit, OPEN, PENDING, SOLVED};

/// Tickets of a list at most, the newest.
const LIST: i64 = 1_000;
/// Characters of an address at most.
const MAX_EMAIL: usize = 254;
/// Characters of what is looked for at most.
const MAX_WORDS: usize = 200;

/// A ticket as the console has it.
#[derive(Debug, Serialize)]
pub(super) struct View {
    id: String,
    number: i64,
    conversation: String,
    subject: String,
    summary: String,
    tags: Vec<String>,
    priority: Priority,
    status: String,
    email: Option<String>,
    by: String,
    created_at: i64,
    updated_at: i64,
}

impl From<Ticket> for View {
    fn from(row: Ticket) -> Self {
        Self {
            tags: serde_json::from_str(&row.tags).unwrap_or_default(),
            priority: tickets::priority(&row.priority),
            id: row.id,
            number: row.number,
            conversation: row.conversation,
            subject: row.subject,
            summary: row.summary,
            status: row.status,
            email: row.email,
            by: row.made_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// What a list is narrowed to; empty is all.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Filter {
    status: String,
    priority: String,
    tag: String,
    q: String,
    format: String,
}

impl Filter {
    fn fits(&self, ticket: &View) -> bool {
        let words = self.q.to_lowercase();
        let texts = [&ticket.subject, &ticket.summary];
        let email = ticket.email.as_deref().unwrap_or_default();
        let found = |text: &str| text.to_lowercase().contains(&words);
        (self.tag.is_empty() || ticket.tags.iter().any(|tag| tag.eq_ignore_ascii_case(&self.tag)))
            && (words.is_empty()
                || ticket.number.to_string() == words.trim_start_matches('#')
                || found(email)
                || texts.into_iter().any(|text| found(text)))
    }
}

async fn filtered(app: &App, filter: &Filter) -> Result<Vec<View>, ApiError> {
    if filter.q.chars().count() > MAX_WORDS {
        return Err(invalid(format!("At most {MAX_WORDS} characters can be looked for.")));
    }
    let rows = app.store.tickets((&filter.status, &filter.priority), LIST).await?;
    Ok(rows.into_iter().map(View::from).filter(|ticket| filter.fits(ticket)).collect())
}

#[derive(Debug, Serialize)]
pub(super) struct List {
    tickets: Vec<View>,
}

/// `GET /console/api/tickets`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: SignedIn,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<List>, ApiError> {
    let filter = read(filter)?;
    Ok(Json(List { tickets: filtered(&app, &filter).await? }))
}

/// `GET /console/api/tickets/export`.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    _: SignedIn,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Response, ApiError> {
    let filter = read(filter)?;
    let tickets = filtered(&app, &filter).await?;
    let (name, kind, body) = match filter.format.as_str() {
        "csv" => {
            let body = csv(&tickets).map_err(|error| ApiError::internal(&error))?;
            ("tickets.csv", "text/csv; charset=utf-8", body)
        }
        "json" | "" => {
            let body = serde_json::to_vec_pretty(&List { tickets });
            let body = body.map_err(|error| ApiError::internal(&error))?;
            ("tickets.json", "application/json", body)
        }
        _ => return Err(invalid("`format` is csv or json.".into())),
    };
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, body).into_response())
}

fn csv(tickets: &[View]) -> Result<Vec<u8>, csv::Error> {
    let head =
        "number,status,priority,subject,summary,tags,email,by,created_at,updated_at,conversation";
    let head: Vec<String> = head.split(',').map(str::to_owned).collect();
    let row = |ticket: &View| {
        vec![
            ticket.number.to_string(),
            ticket.status.clone(),
            ticket.priority.as_str().to_owned(),
            ticket.subject.clone(),
            ticket.summary.clone(),
            ticket.tags.join(", "),
            ticket.email.clone().unwrap_or_default(),
            ticket.by.clone(),
            sheet::time(ticket.created_at),
            sheet::time(ticket.updated_at),
            ticket.conversation.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = tickets.iter().map(row).collect();
    sheet::csv(&head, &rows)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    conversation: String,
    subject: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    priority: Priority,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    email: Option<String>,
}

/// `POST /console/api/tickets`.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    body: Result<Json<New>, JsonRejection>,
) -> Result<Json<View>, ApiError> {
    let Json(new) = body.map_err(unreadable)?;
    let New { conversation, subject, summary, priority, tags, email } = new;
    let email = email.filter(|email| !email.trim().is_empty());
    fits(&subject, SUBJECT_CHARS, "A subject")?;
    at_most(&summary, SUMMARY_CHARS, "A summary")?;
    let email = email.map(|email| address(&email)).transpose()?;
    let draft = Draft { subject, summary, priority, email, tags };
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    tx.conversation(&conversation).await?.ok_or(Refusal::Unknown)?;
    let by = (signed_in.owner.name.as_str(), now);
    let ticket = tickets::open(&app, &mut tx, &conversation, &draft, by).await?;
    tx.commit().await?;
    Ok(Json(ticket.into()))
}

#[derive(Debug, Serialize)]
pub(super) struct Detail {
    ticket: View,
    changes: Vec<Noted>,
}

#[derive(Debug, Serialize)]
struct Noted {
    at: i64,
    by: String,
    what: String,
    detail: String,
}

impl From<Change> for Noted {
    fn from(row: Change) -> Self {
        let Change { at, made_by, what, detail } = row;
        Self { at, by: made_by, what, detail }
    }
}

/// `GET /console/api/tickets/ID`.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Detail>, ApiError> {
    let ticket = known(&app, &id).await?;
    let changes = app.store.ticket_changes(&id).await?.into_iter().map(Noted::from).collect();
    Ok(Json(Detail { ticket: ticket.into(), changes }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    subject: Option<String>,
    summary: Option<String>,
    priority: Option<Priority>,
    status: Option<String>,
    tags: Option<Vec<String>>,
    email: Option<String>,
}

/// `POST /console/api/tickets/ID`.
pub(super) async fn edit(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    body: Result<Json<Body>, JsonRejection>,
) -> Result<Json<View>, ApiError> {
    let Json(body) = body.map_err(unreadable)?;
    let Body { subject, summary, priority, status, tags, email } = body;
    subject.as_deref().map_or(Ok(()), |text| fits(text, SUBJECT_CHARS, "A subject"))?;
    summary.as_deref().map_or(Ok(()), |text| at_most(text, SUMMARY_CHARS, "A summary"))?;
    if status.as_deref().is_some_and(|status| ![OPEN, PENDING, SOLVED].contains(&status)) {
        return Err(invalid(format!("`status` is {OPEN}, {PENDING} or {SOLVED}.")));
    }
    let email = match email {
        Some(email) if !email.trim().is_empty() => Some(address(&email)?),
        other => other.map(|_| String::new()),
    };
    let ticket = known(&app, &id).await?;
    let edit = Edit { subject, summary, tags, priority, status, email };
    Ok(Json(tickets::edit(&app, ticket, &edit, &signed_in.owner.name).await?.into()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Answered {
    /// Whether a mail goes out beside the message in the conversation.
    mailed: bool,
}

/// `POST /console/api/tickets/ID/reply`.
pub(super) async fn reply(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    body: Result<Json<Answer>, JsonRejection>,
) -> Result<Json<Answered>, ApiError> {
    let Json(Answer { text }) = body.map_err(unreadable)?;
    fits(&text, MAX_TEXT, "An answer")?;
    let ticket = known(&app, &id).await?;
    let mailed = tickets::reply(&app, &ticket, (&signed_in.owner.name, text.trim())).await?;
    Ok(Json(Answered { mailed }))
}

async fn known(app: &App, id: &str) -> Result<Ticket, ApiError> {
    let unknown =
        || ApiError::new(StatusCode::NOT_FOUND, "unknown_ticket", "There is no such ticket.");
    app.store.ticket(id).await?.ok_or_else(unknown)
}

fn read(filter: Result<Query<Filter>, QueryRejection>) -> Result<Filter, ApiError> {
    filter.map(|Query(filter)| filter).map_err(|error| invalid(format!("{error}.")))
}

fn invalid(message: String) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
}

fn fits(text: &str, most: usize, what: &str) -> Result<(), ApiError> {
    match text.trim().is_empty() {
        true => Err(invalid(format!("{what} has 1 to {most} characters."))),
        false => at_most(text, most, what),
    }
}

fn at_most(text: &str, most: usize, what: &str) -> Result<(), ApiError> {
    let good = text.chars().count() <= most && !text.contains('\0');
    if good { Ok(()) } else { Err(invalid(format!("{what} has at most {most} characters."))) }
}

/// An address in lower case.
fn address(text: &str) -> Result<String, ApiError> {
    let parsed = crate::notify::address::Address::parse(text.trim());
    let address = parsed.filter(|_| text.len() <= MAX_EMAIL);
    let address =
        address.ok_or_else(|| invalid(format!("`{}` is no e-mail address.", text.trim())))?;
    Ok(address.as_str().to_lowercase())
}
