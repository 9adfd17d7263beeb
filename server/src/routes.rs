//! Which address leads where.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::search::Search;

use crate::app::{App, Peer};
use crate::error::ApiError;
use crate::{api, assets, console, demo, kb, origin, socket, uploads};

/// Bytes of a request's body at most.
const MAX_BODY: usize = 64 * 1024;
/// The version of the WebSocket protocol.
const WEBSOCKET: &str = "13";

/// The whole server.
pub fn routes(app: Arc<App>) -> Router {
    // Layers of routes only: a plain layer would go around every address that does not exist as well.
    let sockets = Router::new()
        .route("/widget/ws", get(socket::visitor::open))
        .route("/console/ws", get(socket::console::open))
        .route_layer(middleware::from_fn(formal))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&app), paced));
    let console = console::routes().fallback(no_such_request).layer(middleware::from_fn(uncached));
    Router::new()
        .route(
            "/",
            get(|headers: HeaderMap| async move { assets::serve("demo/index.html", &headers) }),
        )
        .route(
            "/widget.js",
            get(|headers: HeaderMap| async move { assets::serve("widget/widget.js", &headers) }),
        )
        .route("/console", get(|| async { Redirect::permanent("/console/") }))
        .route(
            "/console/",
            get(|headers: HeaderMap| async move { assets::serve("console/index.html", &headers) }),
        )
        .route("/healthz", get(health))
        .route("/kb/{*path}", get(kb::page))
        .nest("/console/api", console)
        .nest("/api", api::routes().layer(middleware::from_fn(uncached)))
        .route("/widget/stream", post(socket::pipes::stream))
        .route("/widget/poll", post(socket::pipes::poll))
        .route("/widget/frames", post(socket::pipes::frames))
        .route(uploads::ADDRESS, post(uploads::take))
        .merge(demo::routes())
        .route("/{folder}/{name}", get(assets::file))
        .merge(sockets)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), known))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), origin::guard))
        .with_state(app)
}

/// What answers before the models are loaded.
pub fn starting() -> Router {
    let not_yet = || async {
        let body =
            Json(serde_json::json!({ "status": "starting", "version": env!("CARGO_PKG_VERSION") }));
        (StatusCode::SERVICE_UNAVAILABLE, body)
    };
    Router::new().fallback(not_yet)
}

async fn no_such_request() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "no_such_request", "There is no such request.")
}

/// Notes whose request it is.
async fn known(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    if let Some(connection) = request.extensions().get::<SocketAddr>().copied() {
        let peer = origin::peer(&app.origins, connection, request.headers());
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

/// Refuses an address that opens sockets too fast.
async fn paced(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    match peer.map_or(Ok(()), |peer| app.limits.socket(peer.0)) {
        Ok(()) => next.run(request).await,
        Err(seconds) => ApiError::too_many(seconds).into_response(),
    }
}

/// Refuses the handshakes that RFC 6455 does and the library does not: other versions are told which one is spoken, and
/// the key has to be there once, as 16 bytes in base64.
async fn formal(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version != WEBSOCKET) {
        let message = format!("Version {WEBSOCKET} of the WebSocket protocol is spoken here.");
        let refusal = ApiError::new(StatusCode::UPGRADE_REQUIRED, "websocket_version", message);
        let spoken = [(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, WEBSOCKET)];
        return (spoken, refusal).into_response();
    }
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let first = keys.next();
    if keys.next().is_some() || first.is_some_and(|key| !is_key(key.as_bytes())) {
        let message = "Sec-WebSocket-Key has to be there once, 16 bytes in base64.";
        return ApiError::new(StatusCode::BAD_REQUEST, "bad_key", message).into_response();
    }
    next.run(request).await
}

fn is_key(key: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    key.strip_suffix(b"==").is_some_and(|digits| digits.len() == 22 && digits.iter().all(digit))
}

async fn uncached(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `GET /healthz`.
async fn health(State(app): State<Arc<App>>) -> Response {
    let waiting = app.store.jobs_waiting().await;
    let parked = app.store.due_parked().await;
    let stopping = app.shutdown.is_cancelled();
    let status = match (&waiting, stopping) {
        (_, true) => "stopping",
        (Err(_), _) => "database failed",
        (Ok(_), false) => "ready",
    };
    let card = app.mind.model.card();
    let edition = app.mind.knowledge.edition();
    let body = Json(serde_json::json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "knowledge": edition.knowledge_version(),
        "passages": edition.index().len(),
        "encoder": card.encoder,
        "drafter": card.drafter,
        "mode": app.mind.mode.as_str(),
        "queue": waiting.as_ref().ok(),
        "due_parked": parked.as_ref().ok(),
    }));
    let code = if status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))], body).into_response()
}
