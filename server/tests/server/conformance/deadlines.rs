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

/// A connection that has sent `begun` to a server that gives little time for headers.
async fn hurried(begun: &str) -> TcpStream {
    let listener = accept::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    stream.write_all(begun.as_bytes()).await.unwrap();
    // What was sent is there before the time begins, however slow the machine is.
    let (_, router) = watch::channel(Router::new());
    let headers = Duration::from_millis(50);
    tokio::spawn(accept::serve(listener, router, headers, CancellationToken::new()));
    stream
}

async fn check(begun: &str, expect: &str) {
    let (mut stream, mut read) = (hurried(begun).await, vec![]);
    // A reset is an end as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut read)).await.expect("an end was due");
    let read = String::from_utf8(read).unwrap();
    assert_eq!(read.get(..expect.len()), Some(expect), "{begun:?}: {read}");
    assert_eq!(read.is_empty(), expect.is_empty(), "{begun:?}: {read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_no_whole_header_in_time_is_closed() {
    check("", "").await;
    check("G", "").await;
    check("GET / HTTP/1.1\r\nHost: a\r\n", "").await;
    // After an answer the time begins anew.
    check("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_comes_in_drips_has_no_longer() {
    let (mut from, mut to) = hurried("GET / HTTP/1.1\r\nX-Long: ").await.into_split();
    let mut read = vec![];
    let dripping = async {
        while to.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let ended = async {
        tokio::select! {
            _ = from.read_to_end(&mut read) => {}
            () = dripping => {}
        }
    };
    timeout(PATIENCE, ended).await.expect("an end was due");
    assert_eq!(String::from_utf8(read).unwrap(), "");
}
