//! RFC 6455 and HTTP as strangers speak them: bytes by hand against the real server, and a neighbour that goes on.
//!
//! Rows carry the numbers of the Autobahn test suite's fuzzing cases. That suite is about servers that echo; this one
//! speaks JSON, so a text that has arrived whole is proven by what it is answered: `{"type":"ping"}`, padded with
//! spaces, with `pong`, and a type that does not exist with an error that repeats it.
//!
//! Known deviations, all of the library's:
//! - A length in a longer form than it needs is taken; RFC 6455 (5.2) asks for the shortest.
//! - A length with its top bit set is too large (1009) rather than wrong (1002).
//! - Text that cannot become UTF-8 is refused with the frame that breaks it, not with the octet.
//! - Code 1014 is refused: it was given a meaning after the RFC.
//! - `Connection` has to contain the word `upgrade`, not to list it.
//! - When bytes follow a violation, the connection may be reset behind its close.
//! - Fragments are not counted by the rate for frames. Who sends nothing but fragments is gone after 35 seconds.

mod bodies;
mod closing;
mod deadlines;
mod framing;
mod handshake;
mod limits;
mod utf8;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::house::{Client, House, PATIENCE};

/// First octets of frames; without [`FIN`] more fragments follow.
const FIN: u8 = 0x80;
const MORE: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = FIN | 8;
const PING: u8 = FIN | 9;
const PONG: u8 = FIN | 10;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// What is asked after a case that leaves the socket open.
const LAST: &str = r#"{"type":"the end"}"#;
/// Up to this size a case is sent octet by octet as well.
const SMALL: usize = 4_096;
/// Larger ones in pieces that fit no boundary.
const PIECE: usize = 997;

/// The head of a frame from a client, for a payload of `length`.
fn head(first: u8, length: u64) -> Vec<u8> {
    let mut head = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..126), _) => head.push(0x80 | short),
        (_, Ok(middle)) => {
            head.push(0x80 | 126);
            head.extend(middle.to_be_bytes());
        }
        _ => {
            head.push(0x80 | 127);
            head.extend(length.to_be_bytes());
        }
    }
    head.extend(MASK);
    head
}

fn masked(payload: &[u8]) -> impl Iterator<Item = u8> {
    payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask)
}

/// A frame as a client sends it.
fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut frame = head(first, payload.len().try_into().unwrap());
    frame.extend(masked(payload));
    frame
}

/// A message in fragments of `size` octets.
fn fragments(first: u8, payload: &[u8], size: usize) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = payload.chunks(size).collect();
    let last = parts.pop().unwrap();
    let mut bytes = vec![];
    for (at, part) in parts.iter().enumerate() {
        bytes.extend(frame(if at == 0 { first } else { MORE }, part));
    }
    bytes.extend(frame(FIN | if parts.is_empty() { first } else { MORE }, last));
    bytes
}

/// A ping of ours as text of `length` octets, 15 or more.
fn padded(length: usize) -> String {
    let ping = r#"{"type":"ping"}"#;
    format!("{ping}{}", " ".repeat(length - ping.len()))
}

fn is_close(word: &str) -> bool {
    word == "close" || word.parse::<u16>().is_ok()
}

/// A text frame that is answered with `pong`.
fn good() -> Vec<u8> {
    frame(FIN | TEXT, padded(15))
}

/// A connection whose bytes are made by hand.
struct Raw {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    async fn connect(house: &House) -> Self {
        let stream = TcpStream::connect(house.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: vec![] }
    }

    /// A WebSocket that has said hello.
    async fn greeted(house: &House) -> Self {
        let mut raw = Self::connect(house).await;
        let hello = frame(FIN | TEXT, json!({ "type": "hello", "v": 1 }).to_string());
        raw.send(handshake::request(house).as_bytes()).await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        raw.send(&hello).await;
        assert_eq!(raw.next().await, "welcome");
        raw
    }

    /// Writes at once. A server that has closed may take nothing more.
    async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Writes in pieces of this size.
    async fn send_in(&mut self, bytes: &[u8], size: usize) {
        for piece in bytes.chunks(size) {
            self.send(piece).await;
        }
    }

    /// Whether more has come before the end.
    async fn more(&mut self) -> bool {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await;
        // A reset is an end as well.
        read.expect("bytes or an end were due").unwrap_or(0) > 0
    }

    /// Everything up to the end, which has to come.
    async fn rest(mut self) -> String {
        while self.more().await {}
        String::from_utf8(self.read).unwrap()
    }

    /// The head of an HTTP answer, empty where the connection was closed without one.
    async fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                return String::from_utf8(self.read.drain(..at + 4).collect()).unwrap();
            }
            if !self.more().await {
                return String::new();
            }
        }
    }

    /// The next frame, as its first octet and its payload; none when the connection has ended.
    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let [first, length, rest @ ..] = &self.read[..] {
                assert!(first & 0xf0 == FIN, "whole, without reserved bits: {first:x}");
                let (skip, length) = match (length, rest) {
                    (126, [a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
                    (126, _) => (4, usize::MAX),
                    (..126, _) => (2, usize::from(*length)),
                    _ => panic!("masked, or larger than anything here: {length:x}"),
                };
                if self.read.len().saturating_sub(skip) >= length {
                    let frame: Vec<u8> = self.read.drain(..skip + length).collect();
                    return Some((frame[0], frame[skip..].to_vec()));
                }
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The next thing that the server says, in one word: a frame's type, an error's code, the type that an error
    /// repeats, a pong's payload in parentheses, the code of a close, `cut` for an end without one.
    async fn next(&mut self) -> String {
        loop {
            match self.frame().await {
                None => return "cut".into(),
                Some((PING, _)) => {}
                Some((PONG, payload)) => return format!("({})", payload.escape_ascii()),
                Some((CLOSE, payload)) if payload.is_empty() => return "close".into(),
                Some((CLOSE, payload)) => {
                    std::str::from_utf8(&payload[2..]).unwrap();
                    return u16::from_be_bytes([payload[0], payload[1]]).to_string();
                }
                Some((_, payload)) => {
                    let said: Value = serde_json::from_slice(&payload).unwrap();
                    let message = said["message"].as_str().unwrap_or_default();
                    let word = match message.split_once("unknown variant `") {
                        Some((_, rest)) => rest.split('`').next(),
                        None => said["code"].as_str().or(said["type"].as_str()),
                    };
                    if word != Some("presence") {
                        return word.unwrap().to_owned();
                    }
                }
            }
        }
    }

    /// What the server says until it has repeated [`LAST`], or has ended the connection.
    async fn heard(&mut self) -> String {
        let mut words = vec![];
        loop {
            let word = self.next().await;
            if word == "the end" {
                break;
            }
            let (closed, cut) = (is_close(&word), word == "cut");
            // After a close nothing may come but the end.
            if !(cut && words.last().is_some_and(|word: &String| is_close(word))) {
                words.push(word);
            }
            if cut {
                break;
            }
            if closed {
                // So that the server need not wait for it.
                self.send(&frame(CLOSE, "")).await;
            }
        }
        words.join(" ")
    }
}

/// A server, and somebody on it who must notice nothing.
struct Street {
    house: House,
    neighbour: Client,
}

impl Street {
    async fn open() -> Self {
        let house = House::open().await;
        let (neighbour, _) = house.greeted().await;
        Self { house, neighbour }
    }

    /// The neighbour is answered.
    async fn goes_on(&mut self) {
        self.neighbour.send(&json!({ "type": "ping" })).await;
        // Whoever asks after each of many cases may be told to ask more slowly.
        self.neighbour.find(|frame| frame["type"] == "pong" || frame["code"] == "too_fast").await;
    }

    /// Sends `bytes` on a fresh socket, at once and in pieces: it has to be answered with the words of `expect` and
    /// nothing else, and to go on unless they end with a close.
    async fn check(&mut self, name: &str, bytes: &[u8], expect: &str) {
        let goes_on = !expect.rsplit(' ').next().is_some_and(is_close);
        for size in [bytes.len(), if bytes.len() > SMALL { PIECE } else { 1 }] {
            let mut raw = Raw::greeted(&self.house).await;
            raw.send_in(bytes, size).await;
            if goes_on {
                raw.send(&frame(FIN | TEXT, LAST)).await;
            }
            assert_eq!(raw.heard().await, expect, "{name}, in pieces of {size}");
        }
        self.goes_on().await;
    }
}
