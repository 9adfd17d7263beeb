//! Talks over HTTP, for visitors whose network lets no WebSocket through: an event stream or long polls one way, posts the other.
//!
//! A session is the same talk as a WebSocket's, with two short queues in place of the wire.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, body};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::{Mutex as Turn, mpsc};
use tokio::time::{Instant, timeout_at};

use crate::accept::Seat;
use crate::app::{App, Peer};
use crate::error::ApiError;
use crate::protocol::record::raw;

use super::visitor::VisitorTalk;
use super::wire::{Heard, Parcel, Pipe, Wire};
use super::{Talk, run, spawn};

/// Sessions at once.
const MAX_SESSIONS: usize = 4_096;
/// Frames that may wait in each direction.
const QUEUE: usize = 64;
/// Frames of one post.
const MAX_FRAMES: usize = 40;
/// How long a poll waits for the first frame.
const POLL: Duration = Duration::from_secs(25);
/// Frames that one poll brings at most.
const MAX_BATCH: usize = 200;
/// Names the newest seq that a stream's client has.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The talks over HTTP that are running.
#[derive(Debug, Default)]
pub struct Pipes {
    open: Mutex<HashMap<String, Arc<Session>>>,
}

#[derive(Debug)]
struct Session {
    inbound: mpsc::Sender<Heard>,
    /// What polls take from; a stream has taken it for itself.
    outbound: Turn<Option<mpsc::Receiver<Parcel>>>,
    /// Number of the newest answer with frames that a poll was given.
    batch: Mutex<u64>,
}

impl Pipes {
    fn open(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: &str) -> Result<Arc<Session>, ApiError> {
        let found = self.open().get(id).map(Arc::clone);
        found.ok_or_else(unknown)
    }
}

fn unknown() -> ApiError {
    let message = "There is no such session any more. Greet again.";
    ApiError::new(StatusCode::NOT_FOUND, "unknown_session", message)
}

/// Begins a session whose first frame is `hello`; whether it is `kept` for a while after its talk has ended.
fn begin(
    app: &Arc<App>,
    (seat, peer): (Option<Seat>, Option<Peer>),
    (hello, kept): (String, bool),
) -> Result<(String, Arc<Session>, mpsc::Receiver<Parcel>), ApiError> {
    if let Some(Peer(address)) = peer {
        app.limits.socket(address).map_err(ApiError::too_many)?;
    }
    let talk = Talk::Visitor(VisitorTalk::new(app, (seat.as_ref(), peer))?);
    let (inbound, heard) = mpsc::channel(QUEUE);
    let (outbound, parcels) = mpsc::channel(QUEUE);
    // The queue is new and has room.
    let _ = inbound.try_send(Heard::Text(hello));
    let session = Arc::new(Session { inbound, outbound: Turn::default(), batch: Mutex::default() });
    let id = app.ids.id();
    {
        let mut open = app.pipes.open();
        if open.len() >= MAX_SESSIONS {
            return Err(ApiError::too_many(5));
        }
        open.insert(id.clone(), Arc::clone(&session));
    }
    let wire = Wire::Pipe(Pipe { inbound: heard, outbound });
    let (own, name) = (Arc::clone(app), id.clone());
    spawn(app, async move {
        run(Arc::clone(&own), (wire, seat), talk).await;
        if kept {
            // The last frames say why it has ended; the next poll fetches them.
            own.shutdown.run_until_cancelled(tokio::time::sleep(POLL)).await;
        }
        own.pipes.open().remove(&name);
    });
    Ok((id, session, parcels))
}

/// Who sends a request, as far as the connection knows.
type From = (Option<Extension<Seat>>, Option<Extension<Peer>>);

fn known((seat, peer): From) -> (Option<Seat>, Option<Peer>) {
    (seat.map(|Extension(seat)| seat), peer.map(|Extension(peer)| peer))
}

/// `POST /widget/stream`.
pub async fn stream(
    State(app): State<Arc<App>>,
    from: From,
    headers: HeaderMap,
    hello: Result<Json<Value>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(mut hello) = hello.map_err(unreadable)?;
    let last: Option<i64> =
        headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()?.parse().ok());
    if let (Some(last), Some(fields)) = (last, hello.as_object_mut()) {
        fields.insert("last_seq".into(), last.into());
    }
    let (id, _, parcels) = begin(&app, known(from), (hello.to_string(), false))?;
    let first = event(&serde_json::json!({ "type": "session", "session": id }).to_string(), None);
    let events = stream::unfold((Some(first), parcels), async |(first, mut parcels)| {
        let event = match first {
            Some(first) => first,
            None => match parcels.recv().await? {
                Parcel::Frame(text, seq) => event(&text, seq),
                Parcel::Beat => Bytes::from_static(b":\n\n"),
            },
        };
        Some((Ok::<_, Infallible>(event), (None, parcels)))
    });
    // Proxies that collect an answer before they pass it on are asked not to.
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

/// One event of a stream; a frame is one line.
fn event(frame: &str, seq: Option<i64>) -> Bytes {
    match seq {
        Some(seq) => format!("id: {seq}\ndata: {frame}\n\n").into(),
        None => format!("data: {frame}\n\n").into(),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Again {
    session: String,
    batch: u64,
}

#[derive(Debug, Serialize)]
struct Batch {
    session: String,
    batch: u64,
    frames: Vec<Box<RawValue>>,
}

/// `POST /widget/poll`.
pub async fn poll(
    State(app): State<Arc<App>>,
    from: From,
    body: body::Bytes,
) -> Result<Response, ApiError> {
    let (id, session, batch) = match serde_json::from_slice::<Again>(&body) {
        Ok(Again { session: id, batch }) => {
            let session = app.pipes.find(&id)?;
            // A full queue holds signs of life enough.
            let _ = session.inbound.try_send(Heard::Beat);
            (id, session, batch)
        }
        Err(_) => {
            let hello = String::from_utf8(body.to_vec()).map_err(|_| not_json())?;
            let (id, session, parcels) = begin(&app, known(from), (hello, true))?;
            *session.outbound.lock().await = Some(parcels);
            (id, session, 0)
        }
    };
    let (batch, frames) = collect(&session, batch, Instant::now() + POLL).await?;
    let answer = Batch { session: id, batch, frames };
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// Whether the newest answer with frames has arrived.
fn resumable(session: &Session, batch: u64) -> Result<(), ApiError> {
    let given = *session.batch.lock().unwrap_or_else(PoisonError::into_inner);
    if batch == given {
        return Ok(());
    }
    let message = "An answer did not arrive. Greet again.";
    Err(ApiError::new(StatusCode::CONFLICT, "resume", message))
}

/// The frames that are there, or the first ones that come, and the number of the newest answer with frames.
async fn collect(
    session: &Session,
    batch: u64,
    until: Instant,
) -> Result<(u64, Vec<Box<RawValue>>), ApiError> {
    let number = || session.batch.lock().unwrap_or_else(PoisonError::into_inner);
    let mut frames = Vec::new();
    let Ok(mut outbound) = timeout_at(until, session.outbound.lock()).await else {
        return Ok((*number(), frames));
    };
    // Not before it is this poll's turn: the one before may have taken frames meanwhile.
    resumable(session, batch)?;
    let parcels = outbound.as_mut().ok_or_else(unknown)?;
    while frames.len() < MAX_BATCH {
        let parcel = match parcels.try_recv() {
            Ok(parcel) => parcel,
            Err(_) if !frames.is_empty() => break,
            Err(_) => match timeout_at(until, parcels.recv()).await {
                Ok(parcel) => parcel.ok_or_else(unknown)?,
                Err(_) => break,
            },
        };
        if let Parcel::Frame(text, _) = parcel {
            frames.push(raw(text.as_ref().to_owned()));
        }
    }
    let mut number = number();
    *number += u64::from(!frames.is_empty());
    Ok((*number, frames))
}

/// Body of `POST /widget/frames`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Post {
    session: String,
    frames: Vec<Box<RawValue>>,
}

/// `POST /widget/frames`.
pub async fn frames(
    State(app): State<Arc<App>>,
    post: Result<Json<Post>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let Json(post) = post.map_err(unreadable)?;
    let session = app.pipes.find(&post.session)?;
    if post.frames.len() > MAX_FRAMES {
        let message = format!("A request carries {MAX_FRAMES} frames at most.");
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "too_many_frames", message));
    }
    for frame in post.frames {
        // Waiting for room slows down whoever sends too fast, as it does on a WebSocket.
        let sent = session.inbound.send(Heard::Text(frame.get().to_owned())).await;
        sent.map_err(|_| unknown())?;
    }
    Ok(StatusCode::ACCEPTED)
}

fn unreadable(rejection: JsonRejection) -> ApiError {
    ApiError::new(rejection.status(), "bad_frame", rejection.body_text())
}

fn not_json() -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_frame", "The request is not JSON text.")
}
