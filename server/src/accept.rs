//! The accept loop: limits on connections and headers, backing off when the system has no more files, a stop that waits.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// Connections at once; more wait in the system's own queue.
const CONNECTIONS: usize = 4_096;
/// Time for a request's headers.
const HEADERS: Duration = Duration::from_secs(10);
/// Time for a request, its body included.
const REQUEST: Duration = Duration::from_secs(30);
/// Bytes of a request's headers.
const HEADER_BYTES: usize = 32 * 1024;
/// Pause when a connection could not be accepted, at least and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// A place among the connections that may be open; a WebSocket keeps it after its connection was upgraded.
#[derive(Debug, Clone)]
pub struct Seat {
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Serves whatever router is current until `stop`; then finishes requests that have begun.
pub async fn serve(
    listener: TcpListener,
    router: watch::Receiver<Router>,
    stop: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let open = TaskTracker::new();
    let mut pause = PAUSE.0;
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                pause = PAUSE.0;
                let (router, stop) = (router.clone(), stop.clone());
                let Ok(permit) = permit else { break };
                let seat = Seat { _permit: Arc::new(permit) };
                open.spawn(connection(stream, (peer, seat), router, stop));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
    open.close();
    open.wait().await;
}

async fn connection(
    stream: TcpStream,
    (peer, seat): (SocketAddr, Seat),
    router: watch::Receiver<Router>,
    stop: CancellationToken,
) {
    // Frames are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, seat) = (router.borrow().clone(), seat.clone());
        async move {
            let mut request: Request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(seat);
            let answer = timeout(REQUEST, router.oneshot(request)).await;
            let answer = answer.map(|answer| answer.unwrap_or_else(|never| match never {}));
            Ok::<_, Infallible>(
                answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response()),
            )
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(HEADER_BYTES);
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
