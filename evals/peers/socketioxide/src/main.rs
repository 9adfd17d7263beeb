//! A socketioxide chat server to drive beside Porchlight: join a room with the connection, send with acknowledgement, broadcast to the room.
//!
//! Delivery: at most once, all in memory. Usage: `porchlight-peer-socketioxide [PORT]`, 7922 unless said otherwise.

use std::time::Duration;

use axum::routing::get;
use serde::{Deserialize, Serialize};
use socketioxide::extract::{AckSender, Data, SocketRef};
use socketioxide::{SocketIo, TransportType};

/// A message on its way to a room.
#[derive(Debug, Deserialize)]
struct Sent {
    room: String,
    id: String,
    text: String,
}

/// The message as the room gets it.
#[derive(Debug, Serialize)]
struct Message {
    id: String,
    text: String,
}

/// What a client says as it connects.
#[derive(Debug, Deserialize)]
struct Auth {
    room: String,
}

async fn connected(socket: SocketRef, Data(auth): Data<Auth>) {
    socket.join(auth.room);
    socket.on("send", async |io: SocketIo, Data::<Sent>(sent), ack: AckSender| {
        let message = Message { id: sent.id, text: sent.text };
        io.to(sent.room).emit("message", &message).await.ok();
        // A socket that has gone needs no answer.
        ack.send("sent").ok();
    });
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).map_or(Ok(7922), |port| port.parse())?;
    // The same ping for all; small buffers, as Porchlight's are.
    let (layer, io) = SocketIo::builder()
        .ping_interval(Duration::from_secs(25))
        .ping_timeout(Duration::from_secs(20))
        .ws_read_buffer_size(4 * 1024)
        .transports([TransportType::Websocket])
        .build_layer();
    io.ns("/", connected);
    let app = axum::Router::new().route("/healthz", get(async || "ready")).layer(layer);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(axum::serve(listener, app).await?)
}
