//! The client's side of the tests: an answer to a request, and one WebSocket.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::house::PATIENCE;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn cookie(&self) -> String {
        let line = self
            .head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "))
            .unwrap_or_default();
        line.split(';').next().unwrap_or_default().to_owned()
    }
}

/// One WebSocket.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, path: &str) -> Self {
        let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
        request.headers_mut().insert("Origin", format!("http://{address}").parse().unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self { socket }
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.text(&frame.to_string()).await;
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn hello(
        &mut self,
        token: Value,
        conversation: Value,
        last_seq: i64,
    ) -> Value {
        self.send(&json!({ "type": "hello", "v": 1, "token": token, "conversation": conversation, "last_seq": last_seq }))
            .await;
        self.until("welcome").await
    }

    /// Sends a message under an id made of `number`.
    pub(crate) async fn say(&mut self, number: u32, text: &str) {
        self.send(
            &json!({ "type": "send", "client_msg_id": format!("{number:032x}"), "text": text }),
        )
        .await;
    }

    /// The next frame, or the code and reason of the close.
    pub(crate) async fn next(&mut self) -> Result<Value, (u16, String)> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("a frame was due") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(close)))) => {
                    return Err((close.code.into(), close.reason.to_string()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return Err((0, format!("{other:?}"))),
            }
        }
    }

    /// The next frame of this type; others are skipped.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        self.find(|frame| frame["type"] == kind).await
    }

    /// The next message from this speaker; other frames are skipped.
    pub(crate) async fn message(&mut self, from: &str) -> Value {
        self.find(|frame| frame["type"] == "message" && frame["from"] == from).await
    }

    /// The next frame that is wanted; those before it are added to `seen` as they came.
    pub(crate) async fn find_all(
        &mut self,
        seen: &mut String,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        loop {
            let frame = self.next().await.expect("the socket is open");
            if wanted(&frame) {
                return frame;
            }
            if frame["from"] != "visitor" {
                seen.push_str(&frame.to_string());
            }
        }
    }

    pub(crate) async fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next().await.expect("the socket is open");
            if wanted(&frame) {
                return frame;
            }
        }
    }
}
