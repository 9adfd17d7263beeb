//! `POST /widget/upload`: takes one file of a visitor who was asked for it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::header::HeaderName;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use tokio::fs;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::sniff::{HEAD, Media, Plain};
use super::{ID_DIGITS, MAX_BYTES, Part, full};
use crate::app::{App, Peer};
use crate::clock::{fingerprint, is_hex};
use crate::conversation::{self, Refusal, Visitor};
use crate::error::ApiError;
use crate::publish;
use crate::store::conversations::Conversation;
use crate::store::files::File;

/// Names the conversation.
const CONVERSATION: HeaderName = HeaderName::from_static("x-porchlight-conversation");
/// Proves that it is the sender's.
const TOKEN: HeaderName = HeaderName::from_static("x-porchlight-token");
/// How long the next bytes may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Deserialize)]
pub struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Debug, Serialize)]
pub struct Taken {
    seq: i64,
}

/// `POST /widget/upload?name=NAME`; the body is the file.
///
/// # Errors
/// [`ApiError`]: not asked for, too big, too many, no file that may be sent; nothing is kept then.
pub async fn take(
    State(app): State<Arc<App>>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    named: Result<Query<Named>, QueryRejection>,
    body: Body,
) -> Result<Json<Taken>, ApiError> {
    let Query(Named { name }) = named.map_err(|error| bad(&error.body_text()))?;
    let peer = peer.map(|Extension(Peer(address))| address);
    let busy = || ApiError::too_many(5);
    let _place = match peer {
        Some(address) => {
            app.limits.message(address).map_err(ApiError::too_many)?;
            Some(app.uploads.senders.enter(address).ok_or_else(busy)?)
        }
        None => None,
    };
    let _turn = app.uploads.turns.try_acquire().map_err(|_| busy())?;
    let row = sender(&app, &headers).await?;
    asked(&app, &row).await?;
    let id = app.ids.id();
    let (part, media, bytes) = receive(&app, &id, body).await?;
    let file = File {
        name: super::sniff::name(&name, media),
        conversation: row.id.clone(),
        media: media.as_str().into(),
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        at: app.clock.now_ms(),
        id,
    };
    let part = settle(&app, part, &file).await?;
    failpoint!("K19");
    keep(&app, (row, file), part).await
}

fn bad(message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_request", message)
}

/// The conversation of the visitor who sends it.
async fn sender(app: &App, headers: &HeaderMap) -> Result<Conversation, ApiError> {
    let header = |name: &HeaderName, digits: usize| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.filter(|value| is_hex(value, digits))
    };
    let row = match (header(&CONVERSATION, ID_DIGITS), header(&TOKEN, 64)) {
        (Some(id), Some(token)) => {
            let row = app.store.conversation(id).await?;
            row.filter(|row| row.token_hash == fingerprint(token))
        }
        _ => None,
    };
    row.ok_or_else(|| {
        let message = "There is no such conversation.";
        ApiError::new(StatusCode::NOT_FOUND, "unknown_conversation", message)
    })
}

/// Whether a file is asked for now, and there is room.
async fn asked(app: &App, row: &Conversation) -> Result<(), ApiError> {
    let tasks = app.store.tasks(&row.id).await?;
    if tasks.upload_until < app.clock.now_ms() {
        let message = "No file is asked for in this conversation now.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "not_asked", message));
    }
    full(app.store.files_kept(&row.id).await?, 1).map_err(Refusal::from)?;
    Ok(())
}

fn too_big() -> ApiError {
    let message = format!("A file may have {} MiB at most.", MAX_BYTES >> 20);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_big", message)
}

fn refused_type() -> ApiError {
    let message = "Only images (PNG, JPEG, GIF, WebP), PDF and plain text can be sent. Please send a screenshot instead.";
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "refused_type", message)
}

fn unwritten(error: &std::io::Error) -> ApiError {
    tracing::error!(%error, "a visitor's file could not be written");
    let message = "The file could not be stored. Please try again.";
    ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "not_stored", message)
}

/// Streams the body into a part, as long as it is a file that may be sent.
async fn receive(app: &App, id: &str, mut body: Body) -> Result<(Part, Media, u64), ApiError> {
    let folder = &app.uploads.folder;
    fs::create_dir_all(folder).await.map_err(|error| unwritten(&error))?;
    let part = Part { path: folder.join(format!(".{id}")), kept: false };
    let mut out = fs::File::create(part.path()).await.map_err(|error| unwritten(&error))?;
    let (mut head, mut total) = (Vec::new(), 0_u64);
    let (mut plain, mut is_plain) = (Plain::default(), true);
    while let Some(data) = piece(&mut body).await? {
        total += data.len() as u64;
        if total > MAX_BYTES {
            return Err(too_big());
        }
        is_plain = is_plain && plain.is_plain(&data);
        head.extend_from_slice(&data[..data.len().min(HEAD - head.len())]);
        if head.len() == HEAD {
            media(&head, is_plain)?;
        }
        out.write_all(&data).await.map_err(|error| unwritten(&error))?;
    }
    let media = media(&head, is_plain && plain.ends_well())?;
    out.sync_all().await.map_err(|error| unwritten(&error))?;
    Ok((part, media, total))
}

/// The next bytes of a file; `None` at its end.
async fn piece(body: &mut Body) -> Result<Option<Bytes>, ApiError> {
    loop {
        let late = |_| {
            let message = "The file came too slowly. Please try again.";
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message)
        };
        let next = timeout(PATIENCE, body.frame()).await.map_err(late)?;
        let Some(frame) = next else { return Ok(None) };
        let frame = frame.map_err(|_| bad("The file did not come whole."))?;
        // Trailers are none of it.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

/// What a file with this beginning is, if it may be sent.
fn media(head: &[u8], is_plain: bool) -> Result<Media, ApiError> {
    let media = Media::of(head).filter(|media| *media != Media::Text || is_plain);
    media.ok_or_else(refused_type)
}

/// Puts the part into its place, and syncs the folder that names it.
async fn settle(app: &App, mut part: Part, file: &File) -> Result<Part, ApiError> {
    let place = app.uploads.place(&file.id);
    fs::rename(part.path(), &place).await.map_err(|error| unwritten(&error))?;
    part.path = place;
    let folder = app.uploads.folder.clone();
    let synced = tokio::task::spawn_blocking(move || std::fs::File::open(folder)?.sync_all()).await;
    match synced {
        Ok(Ok(())) => Ok(part),
        Ok(Err(error)) => Err(unwritten(&error)),
        Err(error) => Err(ApiError::internal(&error)),
    }
}

/// Stores the row and the message, to the end even when the sender goes.
async fn keep(
    app: &Arc<App>,
    (row, file): (Conversation, File),
    part: Part,
) -> Result<Json<Taken>, ApiError> {
    let own = Arc::clone(app);
    let stored = app.doors.sockets.spawn(async move {
        let visitor = Visitor {
            conversation: Some(row.id),
            token_hash: row.token_hash,
            epoch: row.epoch,
            scope: engine::scope::Scope::default(),
            visit: None,
        };
        let accepted = conversation::accept_file(&own, &visitor, &file).await?;
        part.keep();
        failpoint!("K20");
        if let Some(changes) = accepted.changes {
            publish::changes(&own, changes);
            own.desk.ring();
        }
        Ok::<_, ApiError>(accepted.seq)
    });
    let seq = stored.await.map_err(|error| ApiError::internal(&error))??;
    Ok(Json(Taken { seq }))
}
