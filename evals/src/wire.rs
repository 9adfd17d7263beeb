//! A visitor on the real wire: opens the widget's WebSocket of a running server, sends, and waits for frames.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// One visitor's connection.
pub(crate) struct Visitor {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    sent: u64,
}

impl Visitor {
    /// Connects and says hello; the second value is the `welcome` frame. `server` is `HOST:PORT`.
    pub(crate) async fn open(server: &str) -> Result<(Self, Value)> {
        let mut request = format!("ws://{server}/widget/ws").into_client_request()?;
        request.headers_mut().insert("origin", format!("http://{server}").parse()?);
        let (socket, _) = connect_async(request).await.with_context(|| {
            format!("no Porchlight answers at {server}; start it with `cargo run --release`")
        })?;
        let mut visitor = Self { socket, sent: 0 };
        visitor.frame(&json!({"type": "hello", "v": 1, "token": null, "conversation": null, "last_seq": 0})).await?;
        let (welcome, _) =
            visitor.until(Duration::from_secs(30), |frame| frame["type"] == "welcome").await?;
        Ok((visitor, welcome))
    }

    /// Sends one frame as it is.
    pub(crate) async fn frame(&mut self, frame: &Value) -> Result<()> {
        Ok(self.socket.send(Message::text(frame.to_string())).await?)
    }

    /// Sends a message; its `client_msg_id`.
    pub(crate) async fn say(&mut self, text: &str) -> Result<String> {
        self.sent += 1;
        let id = format!("{:032x}", self.sent);
        self.frame(&json!({"type": "send", "client_msg_id": id, "text": text})).await?;
        Ok(id)
    }

    /// The next frame and when it was read. An `error` frame is a frame.
    pub(crate) async fn next(&mut self, patience: Duration) -> Result<(Value, Instant)> {
        // One deadline for all: the server's pings must not prolong it.
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let message = timeout_at(deadline, self.socket.next()).await;
            let message =
                message.with_context(|| format!("no frame within {} s", patience.as_secs()))?;
            match message.context("the server closed the socket")?? {
                Message::Text(text) => return Ok((serde_json::from_str(&text)?, Instant::now())),
                Message::Close(frame) => bail!("the server closed the socket: {frame:?}"),
                _ => {}
            }
        }
    }

    /// The next frame that is wanted; others are skipped, an `error` frame ends the wait with its text.
    pub(crate) async fn until(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<(Value, Instant)> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (frame, at) = self.next(left).await?;
            if wanted(&frame) {
                return Ok((frame, at));
            }
            ensure!(frame["type"] != "error", "the server answered {frame}");
        }
    }

    /// Says good-bye.
    pub(crate) async fn close(mut self) -> Result<()> {
        Ok(self.socket.close(None).await?)
    }
}

/// Whether a frame is a stored message of the other side.
pub(crate) fn is_reply(frame: &Value) -> bool {
    frame["type"] == "message" && frame["from"] != "visitor"
}

/// Whether a frame shows the visitor a piece of a reply.
pub(crate) fn shows_text(frame: &Value) -> bool {
    (frame["type"] == "draft" && frame["phase"] == "piece") || is_reply(frame)
}
