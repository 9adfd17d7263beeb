//! A WebSocket that costs little, and can be cut as a cable is.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// A socket without TLS.
pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Bytes of the read buffer; 128 KiB is the library's default and too much for thousands of clients.
const BUFFER: usize = 4 * 1024;
/// Bytes of a frame or message at most.
const LARGEST: usize = 1024 * 1024;
/// A connection that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens `ws://SERVER/PATH`, as a page of the server itself would.
///
/// # Errors
/// When it does not open within 10 s.
pub(crate) async fn open(server: &str, path: &str) -> Result<Socket> {
    timeout(PATIENCE, upgrade(server, path)).await.context("the WebSocket did not open in time")?
}

async fn upgrade(server: &str, path: &str) -> Result<Socket> {
    let mut request = format!("ws://{server}{path}").into_client_request()?;
    request.headers_mut().insert("origin", format!("http://{server}").parse()?);
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_frame_size(Some(LARGEST))
        .max_message_size(Some(LARGEST));
    Ok(client_async_with_config(request, stream, Some(config)).await?.0)
}

/// Ends the connection with a reset: no close frame, no FIN, and no port that stays taken.
pub(crate) fn cut(socket: Socket) {
    // Where the reset cannot be asked for, the FIN of the drop has to do.
    let _ = socket.get_ref().set_zero_linger();
}
