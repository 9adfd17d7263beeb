//! One client's talk: a bounded lane out, limits in, signs of life in between, and a reason when it ends.

pub mod console;
pub mod pipes;
mod show;
pub mod visitor;
mod wire;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use governor::clock::Clock as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::{Instant, sleep_until};

use crate::accept::Seat;
use crate::app::App;
use crate::hub::{Lane, News, TooSlow};
use crate::protocol::MAX_FRAME;
use crate::protocol::server::Frame;
use wire::{Heard, Wire};

/// The first frame is due within this time.
const HELLO: Duration = Duration::from_secs(10);
/// A sign of life keeps proxies from closing the connection, and is answered by whoever lives.
const PING: Duration = Duration::from_secs(20);
/// The same where the connection is a running answer over HTTP.
const STREAM_BEAT: Duration = Duration::from_secs(15);
/// Without anything from the other side for this long it is gone.
const DEAD: Duration = Duration::from_secs(35);
/// Frames up to this size are read to their end before they are refused. A socket that is closed with bytes still
/// unread is reset, and its peer would not learn why.
const READ_WHOLE: usize = 4 * MAX_FRAME;
/// Frames a second, and at once. Read by the compiler: a zero would not build.
const RATE: (NonZeroU32, NonZeroU32) = (NonZeroU32::new(20).unwrap(), NonZeroU32::new(40).unwrap());
/// Bytes of the read buffer; 128 KiB is the library's default and too much for thousands of quiet sockets.
const BUFFER: usize = 1024;
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

/// Why a talk ends.
#[derive(Debug)]
enum End {
    /// The other side has gone.
    Gone,
    /// Close with this code and reason.
    Close(u16, String),
}

impl From<TooSlow> for End {
    fn from(TooSlow: TooSlow) -> Self {
        Self::Close(TOO_SLOW, "too slow".into())
    }
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

    /// The lane that news comes from.
    fn lane(&self) -> &Lane {
        match self {
            Self::Visitor(talk) => &talk.lane,
            Self::Owner(talk) => &talk.lane,
        }
    }

    /// The conversation on the screen, and the newest message there.
    fn page(&mut self) -> &mut show::Page {
        match self {
            Self::Visitor(talk) => &mut talk.page,
            Self::Owner(talk) => &mut talk.page,
        }
    }
}

/// Speaks with one client until it ends. `seat` counts it among the connections that may be open.
async fn run(app: Arc<App>, (wire, seat): (Wire, Option<Seat>), mut talk: Talk) {
    let beat = if matches!(wire, Wire::Socket(_)) { PING } else { STREAM_BEAT };
    let mut line = Line { wire, limiter: limiter(), refused: 0, heard: Instant::now() };
    if let End::Close(code, reason) = line.talk(&app, &mut talk, beat).await {
        line.wire.close(code, reason).await;
    }
    drop(seat);
}

fn limiter() -> DefaultDirectRateLimiter {
    RateLimiter::direct(Quota::per_second(RATE.0).allow_burst(RATE.1))
}

struct Line {
    wire: Wire,
    limiter: DefaultDirectRateLimiter,
    refused: u32,
    heard: Instant,
}

impl Line {
    async fn talk(&mut self, app: &App, talk: &mut Talk, beat: Duration) -> End {
        let (due, mut next_beat) = (self.heard + HELLO, self.heard + beat);
        loop {
            // What is rare and large is boxed: thousands of talks wait here at any time.
            let step = tokio::select! {
                biased;
                () = app.shutdown.cancelled() => return self.going_away(app).await,
                () = sleep_until(due), if !talk.greeted() => {
                    Err(self.refuse(Complaint::fatal("hello_first", "The first frame must be hello.")).await)
                }
                heard = self.wire.recv() => Box::pin(self.hear(heard, talk)).await,
                news = talk.lane().next() => match news {
                    Ok(news) => Box::pin(self.show(app, news, talk)).await,
                    Err(too_slow) => Err(too_slow.into()),
                },
                () = sleep_until(next_beat) => {
                    next_beat = Instant::now() + beat;
                    Box::pin(self.beat(talk)).await
                }
                () = sleep_until(self.heard + DEAD) => Err(End::Gone),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn beat(&mut self, talk: &Talk) -> Result<(), End> {
        match talk.may_stay().await {
            Ok(()) if self.wire.beat().await => Ok(()),
            Ok(()) => Err(End::Gone),
            Err(complaint) => self.complain(complaint).await,
        }
    }

    async fn hear(&mut self, heard: Heard, talk: &mut Talk) -> Result<(), End> {
        self.heard = Instant::now();
        let text = match heard {
            Heard::Text(text) => text,
            Heard::Beat => return self.pace().await.map(|_| ()),
            Heard::Binary => {
                return self.complain(Complaint::mild("bad_frame", "Frames are JSON text.")).await;
            }
            Heard::TooBig => return Err(End::Close(TOO_BIG, "too_big".into())),
            Heard::Broken(code) => return Err(End::Close(code, "bad_bytes".into())),
            Heard::Gone => return Err(End::Gone),
        };
        if !self.pace().await? {
            return Ok(());
        }
        failpoint!("K1");
        let mut out = Vec::new();
        let handled = talk.frame(&text, &mut out).await;
        for frame in out {
            self.send(&frame).await?;
        }
        match handled {
            Ok(()) => {
                self.refused = 0;
                Ok(())
            }
            Err(complaint) => self.complain(complaint).await,
        }
    }

    async fn show(&mut self, app: &App, news: News, talk: &mut Talk) -> Result<(), End> {
        match talk.page().show(app, news, &mut self.wire).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(End::Gone),
            Err(error) => {
                tracing::error!(%error, "what is stored could not be read for a client");
                Err(self.refuse(Complaint::fatal("internal", "The database failed.")).await)
            }
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
        self.send(&Frame::Error { code, message, retry_after_ms, client_msg_id }).await?;
        if fatal || self.refused > PATIENCE {
            return Err(End::Close(REFUSED, code.into()));
        }
        Ok(())
    }

    /// Complains about what the talk cannot go on after.
    async fn refuse(&mut self, complaint: Complaint) -> End {
        self.complain(complaint).await.err().unwrap_or(End::Gone)
    }

    async fn going_away(&mut self, app: &App) -> End {
        // Spread over eight seconds so that not everybody comes back at once.
        let _ = self.send(&Frame::GoingAway { retry_after_ms: app.ids.spread(8_000) }).await;
        End::Close(RESTARTING, "restarting".into())
    }

    async fn send(&mut self, frame: &Frame) -> Result<(), End> {
        match self.wire.send(&frame.text(), None).await {
            true => Ok(()),
            false => Err(End::Gone),
        }
    }
}

/// Runs a talk as a task that a stop waits for.
fn spawn(app: &Arc<App>, task: impl Future<Output = ()> + Send + 'static) {
    app.doors.sockets.spawn(task);
}
