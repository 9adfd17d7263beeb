//! The owner's view of the documents: what answers, how it is found, what was published before, what is wrong.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use engine::finding;
use engine::scope::Scope;
use engine::search::Search;
use engine::turn::Turn;
use retrieval::health::Report;
use retrieval::versions::{Version, VersionsError};
use serde::{Deserialize, Serialize};

use super::account::unreadable;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::knowledge::check;
use crate::knowledge::status::Status;
use crate::protocol::MAX_TEXT;
use crate::replies::page_url;

/// Passages that a search shows.
const HITS: usize = 10;
/// Paths of one kind that a version names.
const PATHS: usize = 50;

#[derive(Debug, Serialize)]
pub(super) struct Overview {
    status: Status,
    documents: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    path: String,
    title: String,
    area: Option<String>,
    passages: usize,
    /// The page on the web that it is a copy of.
    source: Option<String>,
    /// Milliseconds since 1970; none while the file is not in the folder.
    written_at: Option<i64>,
    url: String,
}

/// `GET /console/api/knowledge`.
pub(super) async fn overview(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Overview>, ApiError> {
    blocking(move || {
        let library = &app.mind.knowledge;
        let (edition, status) = (library.edition(), library.status().borrow().clone());
        let index = edition.index();
        let files = library.shelf().snapshot().unwrap_or_default();
        let mut documents: Vec<Line> = index
            .documents()
            .iter()
            .map(|doc| Line {
                path: doc.path.clone(),
                title: doc.matter.title.clone().unwrap_or_default(),
                area: doc.matter.area.clone(),
                source: doc.matter.url.clone(),
                passages: 0,
                written_at: files.modified_ms(&doc.path),
                url: page_url(&doc.path, &(0..0)),
            })
            .collect();
        for passage in index.passages() {
            let at = documents.binary_search_by(|line| line.path.as_str().cmp(&passage.doc));
            if let Some(line) = at.ok().and_then(|at| documents.get_mut(at)) {
                line.passages += 1;
                line.title.clone_from(&passage.title);
            }
        }
        Ok(Json(Overview { status, documents }))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    question: String,
    /// Where the visitor would ask from.
    #[serde(default)]
    scope: Scope,
}

#[derive(Debug, Serialize)]
pub(super) struct Found {
    /// Version that was searched, 12 hex digits.
    version: String,
    /// Cosine below which nothing is answered.
    floor: f32,
    hits: Vec<Shown>,
}

#[derive(Debug, Serialize)]
struct Shown {
    doc: String,
    title: String,
    heading: Vec<String>,
    text: String,
    url: String,
    /// 0 to 1; ranks the hits.
    score: f32,
    /// -1 to 1.
    cosine: f32,
    /// Cosine of the nearest of its heading and sentences, -1 to 1.
    unit: f32,
    /// 0 or more.
    bm25: f32,
    /// 0 to 1.
    coverage: f32,
}

/// `POST /console/api/knowledge/search`.
pub(super) async fn search(
    State(app): State<Arc<App>>,
    _: SignedIn,
    body: Result<Json<Question>, JsonRejection>,
) -> Result<Json<Found>, ApiError> {
    let Json(Question { question, scope }) = body.map_err(unreadable)?;
    let text = question.trim().to_owned();
    if text.is_empty() || text.chars().count() > MAX_TEXT {
        let message = format!("A question has 1 to {MAX_TEXT} characters.");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message));
    }
    blocking(move || {
        let library = &app.mind.knowledge;
        let edition = library.edition();
        let embedding = library.embed(&text).map_err(|error| ApiError::internal(&error))?;
        let turn = Turn { scope, ..Turn::asking(text) };
        let places = (app.mind.model.as_ref(), edition.as_ref() as &dyn Search);
        let found = finding::find(places, &turn, embedding, HITS);
        let hits = found.map_err(|error| ApiError::internal(&error))?.hits;
        let shown = |hit: &engine::search::Hit| Shown {
            doc: hit.passage.doc.clone(),
            title: hit.passage.title.clone(),
            heading: hit.passage.heading.clone(),
            text: hit.passage.text.clone(),
            url: page_url(&hit.passage.doc, &hit.passage.span),
            score: hit.score,
            cosine: hit.cosine,
            unit: hit.unit,
            bm25: hit.bm25,
            coverage: hit.coverage,
        };
        Ok(Json(Found {
            version: edition.short_version(),
            floor: app.mind.prompts().policy.passage_floor,
            hits: hits.iter().map(shown).collect(),
        }))
    })
    .await
}

#[derive(Debug, Serialize)]
pub(super) struct Versions {
    /// The newest first.
    versions: Vec<Published>,
}

#[derive(Debug, Serialize)]
struct Published {
    /// 12 hex digits, as replies record it.
    id: String,
    at: i64,
    documents: usize,
    added: Paths,
    changed: Paths,
    removed: Paths,
    answers: bool,
    pinned: bool,
}

#[derive(Debug, Serialize)]
struct Paths {
    count: usize,
    /// The first of them.
    paths: Vec<String>,
}

impl Paths {
    fn of(all: &[String]) -> Self {
        Self { count: all.len(), paths: all.iter().take(PATHS).cloned().collect() }
    }
}

/// `GET /console/api/knowledge/versions`.
pub(super) async fn versions(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Versions>, ApiError> {
    blocking(move || {
        let library = &app.mind.knowledge;
        let answers = library.edition();
        let pinned = library.shelf().versions.pinned().map_err(refused)?;
        let published = |version: Version| Published {
            id: version.short().into(),
            at: version.at,
            documents: version.documents.len(),
            added: Paths::of(&version.added),
            changed: Paths::of(&version.changed),
            removed: Paths::of(&version.removed),
            answers: version.id == answers.knowledge_version(),
            pinned: pinned.as_ref() == Some(&version.id),
        };
        let list = library.shelf().versions.list().map_err(refused)?;
        Ok(Json(Versions { versions: list.into_iter().map(published).collect() }))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollback {
    id: String,
}

/// `POST /console/api/knowledge/rollback`.
pub(super) async fn rollback(
    State(app): State<Arc<App>>,
    _: SignedIn,
    body: Result<Json<Rollback>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(Rollback { id }) = body.map_err(unreadable)?;
    blocking(move || {
        app.mind.knowledge.pin(&id).map_err(refused)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `POST /console/api/knowledge/release`.
pub(super) async fn release(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<StatusCode, ApiError> {
    blocking(move || {
        app.mind.knowledge.release().map_err(refused)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `POST /console/api/knowledge/fetch`.
pub(super) async fn fetch(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<StatusCode, ApiError> {
    let pages = &app.mind.knowledge.shelf().pages;
    if pages.is_empty() {
        let message =
            "The settings name no page. Put addresses under [knowledge] urls or sitemaps.";
        return Err(ApiError::new(StatusCode::CONFLICT, "no_pages", message));
    }
    pages.ask_now();
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /console/api/knowledge/check`.
pub(super) async fn look_over(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Report>, ApiError> {
    let cited = app.store.cited().await?;
    // One at a time: passages by passages is much arithmetic.
    let turn = app.mind.knowledge.checking().await;
    blocking(move || {
        let _turn = turn;
        let library = &app.mind.knowledge;
        let edition = library.edition();
        let when = (app.clock.now_ms(), library.shelf().stale_days);
        Ok(Json(check::report(edition.index(), library.shelf(), &cited, when)))
    })
    .await
}

fn refused(error: VersionsError) -> ApiError {
    match error {
        VersionsError::Unknown(_) | VersionsError::Ambiguous(_) => {
            ApiError::new(StatusCode::NOT_FOUND, "unknown_version", error.to_string())
        }
        VersionsError::Damaged { .. } => {
            ApiError::new(StatusCode::CONFLICT, "damaged_version", error.to_string())
        }
        VersionsError::Disk(_) => ApiError::internal(&error),
    }
}

/// Files and arithmetic stay off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))?
}
