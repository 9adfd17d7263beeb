//! A program of somebody else's that is called over HTTP, and does as it is told: answers, hangs, never ends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::house::PATIENCE;

/// What it does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Answers with this status and these lines.
    Say(&'static str, String),
    /// Never answers.
    Hang,
    /// Sends lines of a head for ever.
    EndlessHead,
    /// Answers 200 and sends a body of ten gigabytes, as far as anybody reads it.
    Huge,
    /// Hangs up.
    Reset,
}

/// What it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Called {
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Called {
    pub(crate) fn header(&self, name: &str) -> String {
        let found = self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        });
        found.unwrap_or_default()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Hook {
    acts: Arc<Mutex<VecDeque<Act>>>,
    called: Arc<Mutex<Vec<Called>>>,
    bell: Arc<Notify>,
    pub(crate) port: u16,
}

impl Hook {
    /// Listens until the test ends; answers 200 when it is told nothing else.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let hook =
            Self { acts: Arc::default(), called: Arc::default(), bell: Arc::default(), port };
        let own = hook.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let hook = own.clone();
                tokio::spawn(async move { hook.serve(stream).await });
            }
        });
        hook
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it does with the next requests, one after another.
    pub(crate) fn next(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().unwrap().extend(acts);
    }

    /// Answers with this status.
    pub(crate) fn say(&self, status: &'static str) {
        self.next([Act::Say(status, String::new())]);
    }

    pub(crate) fn called(&self) -> Vec<Called> {
        self.called.lock().unwrap().clone()
    }

    /// Waits until it was called so often.
    pub(crate) async fn until(&self, count: usize) -> Vec<Called> {
        let wait = async {
            loop {
                let bell = self.bell.notified();
                if self.called().len() >= count {
                    return self.called();
                }
                bell.await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{:?}", self.called()))
    }

    async fn serve(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let mut called = Called { path: String::new(), head, body: String::new() };
        called.path = called.head.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut body = vec![0; called.header("content-length").parse().unwrap_or(0)];
        stream.read_exact(&mut body).await.unwrap();
        called.body = String::from_utf8(body).unwrap();
        let act = self.acts.lock().unwrap().pop_front();
        self.called.lock().unwrap().push(called);
        self.bell.notify_waiters();
        let mut stream = stream.into_inner();
        // Whoever called may have had enough at any time.
        let _ = match act.unwrap_or(Act::Say("200 OK", String::new())) {
            Act::Say(status, lines) => {
                let answer = format!(
                    "HTTP/1.1 {status}\r\n{lines}Content-Length: 0\r\nConnection: close\r\n\r\n"
                );
                stream.write_all(answer.as_bytes()).await
            }
            Act::Hang => stream.read_u8().await.map(|_| ()),
            Act::EndlessHead => {
                endless(&mut stream, b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n").await
            }
            Act::Huge => {
                let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n";
                endless(&mut stream, head, &[b'x'; 65_536]).await
            }
            Act::Reset => Ok(()),
        };
    }
}

async fn endless(stream: &mut TcpStream, head: &[u8], part: &[u8]) -> std::io::Result<()> {
    stream.write_all(head).await?;
    loop {
        stream.write_all(part).await?;
    }
}
