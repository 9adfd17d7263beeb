//! One WebSocket's life: a bounded lane out, limits in, pings in between, and a reason when it ends.

pub mod console;
pub mod visitor;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use governor::clock::Clock as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::{Instant, interval, timeout};

use crate::accept::Seat;
use crate::app::App;
use crate::hub::Lane;
use crate::protocol::MAX_FRAME;
use crate::protocol::server::Frame;

/// The first frame is due within this time.
const HELLO: Duration = Duration::from_secs(10);
/// A ping keeps proxies from closing the connection.
const PING: Duration = Duration::from_secs(20);
/// Without any frame for this long the other side is gone.
const DEAD: Duration = Duration::from_secs(50);
/// A peer that takes no bytes for this long is gone.
const WRITE: Duration = Duration::from_secs(10);
/// Frames up to this size are read to their end before they are refused. A socket that is closed with bytes still
/// unread is reset, and its peer would not learn why.
const READ_WHOLE: usize = 4 * MAX_FRAME;
/// How long the peer has to answer a close.
const FAREWELL: Duration = Duration::from_secs(1);
/// Frames a second, and at once. Read by the compiler: a zero would not build.
const RATE: (NonZeroU32, NonZeroU32) = (NonZeroU32::new(20).unwrap(), NonZeroU32::new(40).unwrap());
/// Bytes of the read buffer; 128 KiB is the library's default and too much for thousands of quiet sockets.
const BUFFER: usize = 4 * 1024;
/// Refused frames in a row after which the socket is closed.
const PATIENCE: u32 = 100;
/// Close code for what [`crate::protocol`] calls closing with the error's code.
const REFUSED: u16 = 4000;
/// Close code of a socket that was too slow; it may come back at once.
const TOO_SLOW: u16 = 4008;
const RESTARTING: u16 = 1012;
const TOO_BIG: u16 = 1009;

/// Sets the limits of an upgrade.
fn limited(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_frame_size(READ_WHOLE)
        .max_message_size(READ_WHOLE)
        .read_buffer_size(BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * MAX_FRAME)
}

/// Why a socket ends.
#[derive(Debug)]
enum End {
    /// The other side has gone.
    Gone,
    /// Close with this code and reason.
    Close(u16, String),
}

/// An error frame to send, and whether the socket closes with it.
#[derive(Debug, PartialEq, Eq)]
struct Complaint {
    code: &'static str,
    message: String,
    retry_after_ms: Option<u64>,
    client_msg_id: Option<String>,
    fatal: bool,
}

impl Complaint {
    fn mild(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after_ms: None,
            client_msg_id: None,
            fatal: false,
        }
    }

    fn fatal(code: &'static str, message: impl Into<String>) -> Self {
        Self { fatal: true, ..Self::mild(code, message) }
    }

    fn about(self, client_msg_id: &str) -> Self {
        Self { client_msg_id: Some(client_msg_id.into()), ..self }
    }
}

/// Who is at the other end.
enum Talk {
    Visitor(visitor::VisitorTalk),
    Owner(console::OwnerTalk),
}

impl Talk {
    /// Handles one text frame; frames to answer at once are put into `out`.
    async fn frame(&mut self, text: &str, out: &mut Vec<Frame>) -> Result<(), Complaint> {
        match self {
            Self::Visitor(talk) => talk.frame(text, out).await,
            Self::Owner(talk) => talk.frame(text, out).await,
        }
    }

    /// Whether the hello has come.
    fn greeted(&self) -> bool {
        match self {
            Self::Visitor(talk) => talk.greeted(),
            Self::Owner(talk) => talk.greeted(),
        }
    }

    /// Whether an owner is still signed in; visitors always may.
    async fn may_stay(&self) -> Result<(), Complaint> {
        match self {
            Self::Visitor(_) => Ok(()),
            Self::Owner(talk) => talk.may_stay().await,
        }
    }

    /// The lane that frames come from.
    fn lane(&mut self) -> &mut Lane {
        match self {
            Self::Visitor(talk) => &mut talk.lane,
            Self::Owner(talk) => &mut talk.lane,
        }
    }
}

/// Speaks with one socket until it ends. `seat` counts it among the connections that may be open.
async fn run(app: Arc<App>, (socket, seat): (WebSocket, Option<Seat>), mut talk: Talk) {
    let mut line = Line { socket, limiter: limiter(), refused: 0, heard: Instant::now() };
    let end = line.talk(&app, &mut talk).await;
    if let End::Close(code, reason) = end {
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        let _ = timeout(WRITE, line.socket.send(close)).await;
        let rest = async { while let Some(Ok(_)) = line.socket.recv().await {} };
        let _ = timeout(FAREWELL, rest).await;
    }
    app.hub.leave(talk.lane());
    drop(seat);
}

fn limiter() -> DefaultDirectRateLimiter {
    RateLimiter::direct(Quota::per_second(RATE.0).allow_burst(RATE.1))
}

struct Line {
    socket: WebSocket,
    limiter: DefaultDirectRateLimiter,
    refused: u32,
    heard: Instant,
}

impl Line {
    async fn talk(&mut self, app: &App, talk: &mut Talk) -> End {
        let mut ping = interval(PING);
        let due = Instant::now() + HELLO;
        loop {
            let greeted = talk.greeted();
            // Asked for each time: an owner's hello brings another lane.
            let overflow = talk.lane().overflow.clone();
            let step = tokio::select! {
                biased;
                () = app.shutdown.cancelled() => return self.going_away(app).await,
                () = overflow.cancelled() => return End::Close(TOO_SLOW, "too slow".into()),
                () = tokio::time::sleep_until(due), if !greeted => {
                    return self.complain(Complaint::fatal("hello_first", "The first frame must be hello.")).await
                        .err().unwrap_or(End::Gone);
                }
                frame = talk.lane().frames.recv() => match frame {
                    Some(text) => self.send(Message::Text(text.as_ref().into())).await,
                    None => Err(End::Gone),
                },
                message = self.socket.recv() => self.heard(message, talk).await,
                _ = ping.tick() => match talk.may_stay().await {
                    Ok(()) => self.ping().await,
                    Err(complaint) => self.complain(complaint).await,
                },
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > DEAD {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Default::default())).await
    }

    async fn heard(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
        talk: &mut Talk,
    ) -> Result<(), End> {
        self.heard = Instant::now();
        let text = match message {
            Some(Ok(Message::Text(text))) if text.len() > MAX_FRAME => {
                return Err(End::Close(TOO_BIG, "too_big".into()));
            }
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return self.pace().await.map(|_| ()),
            Some(Ok(Message::Binary(_))) => {
                return self.complain(Complaint::mild("bad_frame", "Frames are JSON text.")).await;
            }
            Some(Err(error)) if error.to_string().contains("too long") => {
                return Err(End::Close(TOO_BIG, "too_big".into()));
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
        };
        if !self.pace().await? {
            return Ok(());
        }
        failpoint!("K1");
        let mut out = Vec::new();
        let handled = talk.frame(&text, &mut out).await;
        for frame in out {
            self.send(Message::Text(frame.text().as_ref().into())).await?;
        }
        match handled {
            Ok(()) => {
                self.refused = 0;
                Ok(())
            }
            Err(complaint) => self.complain(complaint).await,
        }
    }

    /// Whether a frame may be used. One more than the rate allows is not; the sender learns when to go on.
    async fn pace(&mut self) -> Result<bool, End> {
        let Err(early) = self.limiter.check() else { return Ok(true) };
        let wait = early.wait_time_from(governor::clock::DefaultClock::default().now());
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        let complaint =
            Complaint::mild("too_fast", "Too many frames at once; this one was not used.");
        self.complain(Complaint { retry_after_ms: Some(wait), ..complaint }).await?;
        // Reading goes on when the next frame is due, so a flood costs its sender time and nobody else.
        tokio::time::sleep(Duration::from_millis(wait)).await;
        Ok(false)
    }

    async fn complain(&mut self, complaint: Complaint) -> Result<(), End> {
        self.refused += 1;
        let Complaint { code, message, retry_after_ms, client_msg_id, fatal } = complaint;
        let frame = Frame::Error { code, message, retry_after_ms, client_msg_id };
        self.send(Message::Text(frame.text().as_ref().into())).await?;
        if fatal || self.refused > PATIENCE {
            return Err(End::Close(REFUSED, code.into()));
        }
        Ok(())
    }

    async fn going_away(&mut self, app: &App) -> End {
        // Spread over eight seconds so that not everybody comes back at once.
        let frame = Frame::GoingAway { retry_after_ms: app.ids.spread(8_000) };
        let _ = self.send(Message::Text(frame.text().as_ref().into())).await;
        End::Close(RESTARTING, "restarting".into())
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(WRITE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

/// Runs a socket's talk as a task that a stop waits for.
fn spawn(app: &Arc<App>, task: impl Future<Output = ()> + Send + 'static) {
    app.doors.sockets.spawn(task);
}
