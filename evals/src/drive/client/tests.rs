//! A client against a server that loses acknowledgements, leaves gaps and says good-bye.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message as Wire;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::super::stamp::Stamp;
use super::*;

type Line = WebSocketStream<tokio::net::TcpStream>;

async fn next(socket: &mut Line) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Wire::Text(text) => return serde_json::from_str(&text).unwrap(),
            _ => continue,
        }
    }
}

async fn say(socket: &mut Line, frame: Value) {
    socket.send(Wire::Text(frame.to_string().into())).await.unwrap();
}

fn welcome(head: i64, known: &Value) -> Value {
    json!({"type": "welcome", "v": 1, "token": "t", "conversation": "c", "epoch": "e", "head": head, "state": "waiting",
        "restored": false, "known": known})
}

fn message(seq: i64, sent: &Value) -> Value {
    json!({"type": "message", "conversation": "c", "seq": seq, "from": "visitor", "at": 1, "text": sent["text"],
        "client_msg_id": sent["client_msg_id"], "draft_id": null})
}

/// The server of a story: it loses an acknowledgement, leaves a gap, and says good-bye.
async fn serve(listener: TcpListener) {
    let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
    let hello = next(&mut socket).await;
    assert_eq!((&hello["last_seq"], hello.get("outbox")), (&json!(0), None));
    say(&mut socket, welcome(0, &json!({}))).await;
    let first = next(&mut socket).await;
    // Stored, but nobody learns of it.
    drop(socket);
    let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
    let hello = next(&mut socket).await;
    assert_eq!(hello["outbox"], json!([first["client_msg_id"]]));
    let id = first["client_msg_id"].as_str().unwrap();
    say(&mut socket, welcome(1, &json!({ id: 1 }))).await;
    say(&mut socket, message(1, &first)).await;
    say(&mut socket, message(1, &first)).await;
    say(&mut socket, message(3, &first)).await;
    let again = next(&mut socket).await;
    assert_eq!(
        (&again["type"], &again["last_seq"], &again["epoch"]),
        (&json!("hello"), &json!(1), &json!("e"))
    );
    say(&mut socket, welcome(2, &json!({}))).await;
    say(&mut socket, message(2, &json!({"text": "joined", "client_msg_id": null}))).await;
    say(&mut socket, json!({"type": "going_away", "retry_after_ms": 1})).await;
    drop(socket);
    let mut socket = accept_async(listener.accept().await.unwrap().0).await.unwrap();
    assert_eq!(next(&mut socket).await["last_seq"], json!(2));
    say(&mut socket, welcome(3, &json!({}))).await;
    say(&mut socket, message(3, &json!({"text": "bye", "client_msg_id": null}))).await;
    while socket.next().await.is_some_and(|wire| wire.is_ok()) {}
}

#[tokio::test]
async fn a_client_lives_through_lost_acks_gaps_and_good_byes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Arc::new(Setup {
        server: listener.local_addr().unwrap().to_string(),
        peer: Peer::Porchlight,
        start: Instant::now(),
        ledger: None,
        seed: 7,
        salt: 1,
    });
    let server = tokio::spawn(serve(listener));
    let client = start(&setup, 1, Ticket::default(), "");
    let text = Stamp { sender: 1, number: 1, due_us: 0 }.text();
    client.order(Order::Send { text, due: Instant::now() });
    let mut news = client.news.clone();
    news.wait_for(|news| news.last_seq == 3 && news.unsent == 0).await.unwrap();
    let tally = client.leave().await.unwrap();
    server.await.unwrap();
    assert_eq!((tally.sent, tally.acks.len(), tally.own.len()), (1, 1, 1));
    assert_eq!((tally.doubled, tally.known, tally.welcomes), (0, 1, 4));
}
