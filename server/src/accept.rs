//! The accept loop: limits on connections and headers, backing off when the system has no more files, a stop that waits.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::limits::{Crowd, Place};
use crate::uploads;

/// Connections at once where the system does not say how many files may be open.
#[cfg(not(unix))]
const CONNECTIONS: usize = 4_096;
/// Files that are kept for everything but connections.
#[cfg(unix)]
const OTHER_FILES: u64 = 256;
/// Connections that may wait for the answer to their first request; more are sent away before any work is done for them.
const HANDSHAKES: usize = 2_048;
/// The same for one address; people behind one address do not all come in the same moment, and what comes over loopback is not counted: a
/// proxy speaks for all.
const KNOCKING: u32 = 128;
/// Connections that may wait in the system's queue: after a restart everybody comes back at once.
const BACKLOG: u32 = 4_096;
/// Connections that visitors may not keep: an owner always gets in.
const KEPT: usize = 64;
/// What is said to those who are sent away.
const SENT_AWAY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Time for a request's headers, from the connection's begin or its last answer.
pub const HEADERS: Duration = Duration::from_secs(10);
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
    scarce: bool,
}

impl Seat {
    /// Whether it is one of the last, which are kept for owners and for requests that end soon.
    pub fn is_scarce(&self) -> bool {
        self.scarce
    }
}

/// Listens with a long queue.
///
/// # Errors
/// When the address cannot be had.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart finds connections of the last run that are still closing.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Connections that the system's limit on open files leaves room for; the limit is raised as far as this process may.
#[cfg(unix)]
fn connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum;
    let raised = setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).is_ok();
    let files = if raised { most } else { limit.current };
    let files = files.unwrap_or(1 << 20).min(1 << 20);
    usize::try_from(files.saturating_sub(OTHER_FILES).max(files / 2)).unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
fn connections() -> usize {
    CONNECTIONS
}

/// Serves whatever router is current until `stop`; then finishes requests that have begun. A connection that has not
/// sent the headers of its next request within `headers` is closed, one that never sends anything as well.
pub async fn serve(
    listener: TcpListener,
    router: watch::Receiver<Router>,
    headers: Duration,
    stop: CancellationToken,
) {
    let seats = Arc::new(Semaphore::new(connections()));
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    let knocking = Crowd::new(KNOCKING);
    let open = TaskTracker::new();
    let mut pause = PAUSE.0;
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                pause = PAUSE.0;
                let address = peer.ip().to_canonical();
                let knock = match address.is_loopback() {
                    true => Some(None),
                    false => knocking.enter(address).map(Some),
                };
                let free = Arc::clone(&seats).try_acquire_owned().ok();
                let handshake = Arc::clone(&handshakes).try_acquire_owned().ok().zip(knock);
                let Some((seat, handshake)) = free.zip(handshake) else {
                    // Whoever does not get even this finds the connection closed.
                    let _ = stream.try_write(SENT_AWAY);
                    continue;
                };
                let scarce = seats.available_permits() < KEPT;
                let seat = Seat { _permit: Arc::new(seat), scarce };
                let (router, stop) = (router.clone(), stop.clone());
                open.spawn(connection(stream, (peer, seat, handshake), router, (headers, stop)));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                stop.run_until_cancelled(tokio::time::sleep(pause)).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
    open.close();
    open.wait().await;
}

/// Counts a connection among those that wait for their first answer.
type Handshake = (OwnedSemaphorePermit, Option<Place>);

async fn connection(
    stream: TcpStream,
    (peer, seat, handshake): (SocketAddr, Seat, Handshake),
    router: watch::Receiver<Router>,
    (headers, stop): (Duration, CancellationToken),
) {
    // Frames are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let handshake = Arc::new(Mutex::new(Some(handshake)));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (router, seat) = (router.borrow().clone(), seat.clone());
        let handshake = Arc::clone(&handshake);
        async move {
            let mut request: Request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(seat);
            let takes =
                if request.uri().path() == uploads::ADDRESS { uploads::TAKES } else { REQUEST };
            let answer = timeout(takes, router.oneshot(request)).await;
            let answer = answer.map(|answer| answer.unwrap_or_else(|never| match never {}));
            drop(handshake.lock().unwrap_or_else(PoisonError::into_inner).take());
            Ok::<_, Infallible>(
                answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response()),
            )
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(headers).max_buf_size(HEADER_BYTES);
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
