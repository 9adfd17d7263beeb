//! What carries frames to and from one client: a WebSocket, or two queues behind HTTP requests.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use crate::protocol::MAX_FRAME;
use crate::protocol::server::Text;

/// A peer that takes no bytes for this long is gone.
const WRITE: Duration = Duration::from_secs(10);
/// How long the peer has to answer a close.
const FAREWELL: Duration = Duration::from_secs(1);
/// Close code for bytes that break the WebSocket's own rules.
const PROTOCOL_ERROR: u16 = 1002;
/// Close code for text that is not UTF-8.
const NOT_UTF8: u16 = 1007;

/// What came from the client.
#[derive(Debug)]
pub(super) enum Heard {
    /// A frame.
    Text(String),
    /// A sign of life.
    Beat,
    /// Bytes that are no text.
    Binary,
    /// A frame above the limit.
    TooBig,
    /// Bytes that RFC 6455 has the socket closed for, with this code.
    Broken(u16),
    /// Nothing will come any more.
    Gone,
}

/// What goes to a client over HTTP.
#[derive(Debug)]
pub(super) enum Parcel {
    /// A frame; of a message with its seq.
    Frame(Text, Option<i64>),
    /// Nothing but a sign of life.
    Beat,
}

/// The two queues of a client that comes by HTTP requests.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) inbound: mpsc::Receiver<Heard>,
    pub(super) outbound: mpsc::Sender<Parcel>,
}

/// The way to one client.
#[derive(Debug)]
pub(super) enum Wire {
    Socket(Box<WebSocket>),
    Pipe(Pipe),
}

impl Wire {
    pub(super) async fn recv(&mut self) -> Heard {
        let socket = match self {
            Self::Socket(socket) => socket,
            Self::Pipe(pipe) => return pipe.inbound.recv().await.unwrap_or(Heard::Gone),
        };
        match socket.recv().await {
            Some(Ok(Message::Text(text))) if text.len() > MAX_FRAME => Heard::TooBig,
            Some(Ok(Message::Text(text))) => Heard::Text(text.as_str().to_owned()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Heard::Beat,
            Some(Ok(Message::Binary(_))) => Heard::Binary,
            Some(Ok(Message::Close(_))) => {
                // The next read sends the answer to it, and finds the end.
                let _ = timeout(FAREWELL, socket.recv()).await;
                Heard::Gone
            }
            Some(Err(error)) => failed(&*error.into_inner()),
            None => Heard::Gone,
        }
    }

    /// Sends a frame, of a message with its seq; whether the client took it in time.
    pub(super) async fn send(&mut self, text: &Text, seq: Option<i64>) -> bool {
        match self {
            Self::Socket(socket) => write(socket, Message::Text(text.as_ref().into())).await,
            Self::Pipe(pipe) => put(&pipe.outbound, Parcel::Frame(Text::clone(text), seq)).await,
        }
    }

    /// Sends a sign of life; whether the client took it in time.
    pub(super) async fn beat(&mut self) -> bool {
        match self {
            Self::Socket(socket) => write(socket, Message::Ping(Default::default())).await,
            Self::Pipe(pipe) => put(&pipe.outbound, Parcel::Beat).await,
        }
    }

    /// Ends the talk. A client over HTTP was told why by the last frame.
    pub(super) async fn close(&mut self, code: u16, reason: String) {
        let Self::Socket(socket) = self else { return };
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        write(socket, close).await;
        let rest = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = timeout(FAREWELL, rest).await;
    }
}

/// What an error of the library says of the client.
fn failed(error: &(dyn std::error::Error + 'static)) -> Heard {
    match error.downcast_ref() {
        Some(Error::Capacity(_)) => Heard::TooBig,
        Some(Error::Utf8(_)) => Heard::Broken(NOT_UTF8),
        Some(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => Heard::Gone,
        Some(Error::Protocol(_)) => Heard::Broken(PROTOCOL_ERROR),
        _ => Heard::Gone,
    }
}

async fn write(socket: &mut WebSocket, message: Message) -> bool {
    matches!(timeout(WRITE, socket.send(message)).await, Ok(Ok(())))
}

async fn put(outbound: &mpsc::Sender<Parcel>, parcel: Parcel) -> bool {
    matches!(timeout(WRITE, outbound.send(parcel)).await, Ok(Ok(())))
}
