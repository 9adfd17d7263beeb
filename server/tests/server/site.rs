//! A small website on a port of its own, and what was asked of it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the site answers at each path; each answer is written as it is.
type Answers = HashMap<String, Vec<u8>>;

#[derive(Clone)]
pub(crate) struct Site {
    answers: Arc<Mutex<Answers>>,
    /// Each request whole.
    asked: Arc<Mutex<Vec<String>>>,
    pub(crate) port: u16,
}

impl Site {
    /// Serves until the test ends.
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let site = Self { answers: Arc::default(), asked: Arc::default(), port };
        let own = site.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let site = own.clone();
                std::thread::spawn(move || site.serve(stream));
            }
        });
        site
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        self.asked.lock().unwrap().push(head.clone());
        let answers = self.answers.lock().unwrap();
        let answer = answers.get(&path).cloned();
        drop(answers);
        let answer = answer.unwrap_or_else(|| self::answer("404 Not Found", "", b"gone"));
        let text = String::from_utf8_lossy(&answer).into_owned();
        let same = text.split("\r\n").find_map(|line| line.strip_prefix("ETag: "));
        let known = head.lines().find_map(|line| line.strip_prefix("if-none-match: "));
        let unchanged = same.is_some() && same == known;
        let answer = if unchanged { self::answer("304 Not Modified", "", b"") } else { answer };
        // A client that has had enough is gone.
        let _ = stream.write_all(&answer);
        if text.contains("X-Endless") {
            // The body never ends, and never says more.
            let _ = stream.read(&mut byte);
        }
    }

    /// The address of a page.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Answers with a page of this format, and an `ETag` made of its text.
    pub(crate) fn page(&self, path: &str, format: &str, body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        let etag = body.iter().fold(7_u64, |hash, byte| hash.wrapping_mul(31) + u64::from(*byte));
        let head = format!("Content-Type: {format}\r\nETag: \"{etag:x}\"\r\n");
        self.raw(path, answer("200 OK", &head, body));
    }

    /// Answers with this status and these lines.
    pub(crate) fn status(&self, path: &str, status: &str, head: &str) {
        self.raw(path, answer(status, head, b""));
    }

    pub(crate) fn raw(&self, path: &str, answer: Vec<u8>) {
        self.answers.lock().unwrap().insert(path.into(), answer);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.answers.lock().unwrap().remove(path);
    }

    /// The paths that were asked for since the last time.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.iter().map(|head| head.split(' ').nth(1).unwrap_or_default().into()).collect()
    }

    /// The last request whole.
    pub(crate) fn last(&self) -> String {
        self.asked.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

/// An answer that ends its connection.
pub(crate) fn answer(status: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut answer =
        format!("HTTP/1.1 {status}\r\n{head}Content-Length: {length}\r\nConnection: close\r\n\r\n")
            .into_bytes();
    answer.extend_from_slice(body);
    answer
}
