//! Connections that do not come to the point: whoever has sent no whole header in time is closed.

use std::time::Duration;

use axum::Router;
use server::accept;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::house::PATIENCE;

/// A server that gives little time for headers.
async fn hurried() -> TcpStream {
    let listener = accept::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (_, router) = watch::channel(Router::new());
    let headers = Duration::from_millis(50);
    tokio::spawn(accept::serve(listener, router, headers, CancellationToken::new()));
    TcpStream::connect(address).await.unwrap()
}

/// Reads to the end, which has to come; a reset is one.
async fn end(stream: &mut TcpStream) -> String {
    let mut read = vec![];
    let _ = timeout(PATIENCE, stream.read_to_end(&mut read)).await.expect("an end was due");
    String::from_utf8(read).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_no_whole_header_in_time_is_closed() {
    for begun in ["", "G", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut stream = hurried().await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        assert_eq!(end(&mut stream).await, "", "{begun:?}");
    }
    // After an answer the time begins anew.
    let mut stream = hurried().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(end(&mut stream).await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_comes_in_drips_has_no_longer() {
    let (mut from, mut to) = hurried().await.into_split();
    let dripping = async {
        to.write_all(b"GET / HTTP/1.1\r\nX-Long: ").await?;
        loop {
            to.write_all(b"x").await?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let mut read = vec![];
    let ended = async {
        tokio::select! {
            _ = from.read_to_end(&mut read) => {}
            broken = dripping => { let _: std::io::Result<()> = broken; }
        }
    };
    timeout(PATIENCE, ended).await.expect("an end was due");
    assert_eq!(String::from_utf8(read).unwrap(), "");
}
