//! The stream of events: read page by page, exported, tried out.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use engine::metrics::event::{Event, What};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::events::{check, wire};
use crate::sheet;
use crate::store::StoreError;
use crate::store::events::{Cursor, Wanted};

/// Events of an answer at most, and without a wish.
const MOST: i64 = 1_000;
const USUAL: i64 = 100;
/// Events of an export that are read at once.
const PAGE: i64 = 2_000;

/// What is wanted; empty is all.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wish {
    after: Option<i64>,
    before: Option<i64>,
    name: String,
    conversation: String,
    from: Option<i64>,
    to: Option<i64>,
    limit: Option<i64>,
    format: String,
}

impl Wish {
    fn wanted(&self) -> Result<Wanted, ApiError> {
        if !self.name.is_empty() && !What::NAMES.contains(&self.name.as_str()) {
            let names = What::NAMES.join(", ");
            return Err(bad(format!("`name` is one of {names}.")));
        }
        Ok(Wanted {
            name: self.name.clone(),
            conversation: self.conversation.clone(),
            from: self.from.unwrap_or(i64::MIN),
            to: self.to.unwrap_or(i64::MAX),
        })
    }
}

/// A page of the stream.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    events: Vec<Value>,
    /// The newest place of the stream.
    head: i64,
}

/// `GET /console/api/events`: the newest first, or from `after` on.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: SignedIn,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Json<Page>, ApiError> {
    let Query(wish) = wish.map_err(|error| bad(error.body_text()))?;
    page(&app, &wish).await.map(Json)
}

/// A page of the stream, the newest first unless `after` is given.
pub(crate) async fn page(app: &App, wish: &Wish) -> Result<Page, ApiError> {
    let limit = wish.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(bad(format!("`limit` is 1 to {MOST}.")));
    }
    let cursor = match (wish.after, wish.before) {
        (Some(_), Some(_)) => return Err(bad("Give `after` or `before`, not both.".into())),
        (Some(after), None) => Cursor::After(after),
        (None, before) => Cursor::Before(before.unwrap_or(i64::MAX)),
    };
    let events = app.store.events(&wish.wanted()?, cursor, limit).await?;
    let events = events.iter().map(wire::value).collect();
    Ok(Page { events, head: app.store.events_head().await? })
}

/// `GET /console/api/events/export`: the whole stream or a period, as JSON lines or CSV, written while it is read.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    _: SignedIn,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(wish) = wish.map_err(|error| bad(error.body_text()))?;
    let wanted = wish.wanted()?;
    let (lines, kind, name): (Lines, _, _) = match wish.format.as_str() {
        "" | "jsonl" => (jsonl, "application/x-ndjson", "events.jsonl"),
        "csv" => (csv, "text/csv; charset=utf-8", "events.csv"),
        _ => return Err(bad("`format` is jsonl or csv.".into())),
    };
    let pages =
        stream::try_unfold((app, wanted, Some(0)), move |(app, wanted, after)| async move {
            let Some(after) = after else { return Ok::<_, Unwritten>(None) };
            let events = app.store.events(&wanted, Cursor::After(after), PAGE).await?;
            let next = events.last().map(|event| event.n);
            let part = lines(&events, after == 0)?;
            Ok(Some((part, (app, wanted, next))))
        });
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, Body::from_stream(pages)).into_response())
}

/// How a page is written; whether it is the first.
type Lines = fn(&[Event], bool) -> Result<Vec<u8>, Unwritten>;

/// Why an export ends too soon.
#[derive(Debug, thiserror::Error)]
enum Unwritten {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

fn jsonl(events: &[Event], _: bool) -> Result<Vec<u8>, Unwritten> {
    let lines: String = events.iter().map(|event| format!("{}\n", wire::value(event))).collect();
    Ok(lines.into_bytes())
}

fn csv(events: &[Event], first: bool) -> Result<Vec<u8>, Unwritten> {
    let head = ["n", "id", "at", "name", "conversation", "session", "data"].map(str::to_owned);
    let rows: Vec<Vec<String>> = events.iter().map(row).collect();
    let mut bytes = sheet::csv(&head, &rows)?;
    if !first {
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.drain(..end);
    }
    Ok(bytes)
}

fn row(event: &Event) -> Vec<String> {
    let value = wire::value(event);
    let text = |key: &str| match &value[key] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    ["n", "id", "at", "name", "conversation", "session", "data"].map(text).to_vec()
}

/// Where a trial begins.
#[derive(Debug, Serialize)]
pub(super) struct Trial {
    ticket: String,
    url: String,
}

/// `POST /console/api/events/staging`: a visit that counts nowhere.
pub(super) async fn stage(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Trial>, ApiError> {
    let ticket = app.ids.id();
    let mut tx = app.store.begin().await?;
    tx.stage_visit(&ticket).await?;
    tx.commit().await?;
    let url = format!("{}/?porchlight-trial={ticket}", app.origins.base());
    Ok(Json(Trial { ticket, url }))
}

/// What is to be checked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Subject {
    ticket: String,
    conversation: String,
}

/// `GET /console/api/events/check?ticket=TICKET` or `?conversation=ID`.
pub(super) async fn look(
    State(app): State<Arc<App>>,
    _: SignedIn,
    subject: Result<Query<Subject>, QueryRejection>,
) -> Result<Json<check::Report>, ApiError> {
    let Query(Subject { ticket, conversation }) =
        subject.map_err(|error| bad(error.body_text()))?;
    let report = match (ticket.as_str(), conversation.as_str()) {
        ("", "") => return Err(bad("Give `ticket` or `conversation`.".into())),
        ("", conversation) => check::conversation(&app, conversation).await?,
        (ticket, _) => check::trial(&app, ticket).await?,
    };
    let unknown = || {
        ApiError::new(StatusCode::NOT_FOUND, "unknown", "There is no such trial or conversation.")
    };
    report.map(Json).ok_or_else(unknown)
}

fn bad(message: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message)
}
