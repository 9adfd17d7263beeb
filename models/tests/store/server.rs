//! A loopback HTTP server that can misbehave, and the plain client that the tests hand to the store.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use models::store::{FetchError, Request, Response};

/// What the server says for one path.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// Close the connection after this many bytes of the body.
    pub(crate) cut_after: Option<usize>,
    /// Answer ranges with 206; otherwise send everything with 200.
    pub(crate) ranges: bool,
    /// Announce the length.
    pub(crate) length: bool,
}

impl Answer {
    pub(crate) fn file(body: Vec<u8>) -> Self {
        let content_type = "application/octet-stream";
        Self { status: 200, content_type, body, cut_after: None, ranges: true, length: true }
    }
}

#[derive(Default)]
struct State {
    answers: HashMap<String, Answer>,
    seen: Vec<String>,
    closing: bool,
}

pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.lock().unwrap().closing {
                    return;
                }
                // A client that hangs up early is part of the game.
                let _ = answer(stream.unwrap(), &shared);
            }
        });
        Self { address, state, thread: Some(thread) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn set(&self, path: &str, answer: Answer) {
        self.state.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    pub(crate) fn change(&self, path: &str, change: impl FnOnce(&mut Answer)) {
        change(self.state.lock().unwrap().answers.get_mut(path).unwrap());
    }

    /// The requests since the last call: the path, and `@N` when it asked to start at byte N.
    pub(crate) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().seen)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.lock().unwrap().closing = true;
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(&stream);
    let (first, headers) = read_head(&mut reader)?;
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let range = headers.get("range").map(|range| {
        range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse::<usize>().unwrap()
    });
    let mut state = state.lock().unwrap();
    state.seen.push(range.map_or_else(|| path.clone(), |from| format!("{path}@{from}")));
    let Some(answer) = state.answers.get(&path).cloned() else {
        return write!(&stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    };
    drop(state);
    let (status, body) = match range.filter(|_| answer.ranges && answer.status == 200) {
        Some(from) if from >= answer.body.len() => (416, &[][..]),
        Some(from) => (206, &answer.body[from..]),
        None => (answer.status, &answer.body[..]),
    };
    write!(&stream, "HTTP/1.1 {status} x\r\nContent-Type: {}\r\n", answer.content_type)?;
    if answer.length {
        write!(&stream, "Content-Length: {}\r\n", body.len())?;
    }
    write!(&stream, "\r\n")?;
    (&stream).write_all(&body[..answer.cut_after.unwrap_or(body.len()).min(body.len())])
}

/// First line, and headers by lower-case name.
fn read_head(reader: &mut impl BufRead) -> io::Result<(String, HashMap<String, String>)> {
    let mut lines = reader.lines();
    let first = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
    let mut headers = HashMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    Ok((first, headers))
}

/// The fetch function of the tests.
pub(crate) fn get(request: &Request) -> Result<Response, FetchError> {
    send(request).map_err(|error| FetchError(error.to_string()))
}

fn send(request: &Request) -> io::Result<Response> {
    let rest = request.url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host)?;
    let mut head = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n");
    if let Some(accept) = request.accept {
        head.push_str(&format!("Accept: {accept}\r\n"));
    }
    if let Some(from) = request.range_from {
        head.push_str(&format!("Range: bytes={from}-\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    let mut reader = BufReader::new(stream);
    let (first, headers) = read_head(&mut reader)?;
    let length = headers.get("content-length").map(|length| length.parse().unwrap());
    Ok(Response {
        url: request.url.clone(),
        status: first.split(' ').nth(1).unwrap().parse().unwrap(),
        length,
        content_type: headers.get("content-type").cloned().unwrap_or_default(),
        body: Box::new(Body { reader, left: length }),
    })
}

/// Says so when the connection ends before the announced length, as HTTP clients do.
struct Body {
    reader: BufReader<TcpStream>,
    left: Option<u64>,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if let Some(left) = &mut self.left {
            if read == 0 && *left > 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            *left -= read as u64;
        }
        Ok(read)
    }
}
