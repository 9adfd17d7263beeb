//! One connection of a client: greeting, sending one message after the other, pings, and what is heard.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Error, Message as Wire, Utf8Bytes};

use super::super::connect::{self, Socket};
use super::super::session::{Heard, Message};
use super::{Client, End, Inbox};

/// A quiet connection is asked whether it is there, and has this long to answer.
const QUIET: Duration = Duration::from_secs(25);
const ANSWER: Duration = Duration::from_secs(5);
/// The welcome is due within this time.
const WELCOME: Duration = Duration::from_secs(10);
/// A socket that takes no bytes for this long is gone.
const WRITE: Duration = Duration::from_secs(10);

impl Client {
    /// Speaks until the connection ends, and says why it did.
    pub(super) async fn talk(&mut self, mut socket: Socket, inbox: &mut Inbox) -> End {
        let mut line = Line { welcomed: false, heard: Instant::now(), asked: false, begged: false };
        if let Some(hello) = self.session.greeting(&self.waiting())
            && write(&mut socket, hello).await.is_err()
        {
            return End::Lost;
        }
        loop {
            let due = self.due(&line);
            let step = tokio::select! {
                biased;
                order = inbox.recv() => match order {
                    None => {
                        let _ = timeout(ANSWER, socket.close(None)).await;
                        return End::Over;
                    }
                    Some(order) => match self.take(order) {
                        Some(away) => {
                            connect::cut(socket);
                            return End::Cut(away);
                        }
                        None => {
                            self.tell(line.welcomed);
                            Ok(())
                        }
                    },
                },
                wire = socket.next() => self.wire(wire, &mut line, &mut socket).await,
                () = sleep_until(due.into()) => self.silence(&mut line, &mut socket).await,
            };
            let step = match step {
                Ok(()) if line.welcomed => self.pump(&mut line, &mut socket).await,
                step => step,
            };
            if step.is_err() {
                self.tally.dropped += usize::from(self.leave.is_none());
                return self.leave.map_or(End::Lost, End::Leave);
            }
        }
    }

    fn waiting(&self) -> Vec<String> {
        // The protocol takes a hundred at most; the rest is sent again and known by its id.
        self.outbox.iter().take(100).map(|waiting| waiting.message.id.clone()).collect()
    }

    /// When silence means something.
    fn due(&self, line: &Line) -> Instant {
        let due = line.heard
            + match (line.welcomed, line.asked) {
                (false, _) => WELCOME,
                (true, false) => QUIET,
                (true, true) => QUIET + ANSWER,
            };
        self.paused.map_or(due, |until| due.min(until))
    }

    async fn silence(&mut self, line: &mut Line, socket: &mut Socket) -> Result<(), ()> {
        if self.paused.is_some_and(|until| until <= Instant::now()) {
            self.paused = None;
            return Ok(());
        }
        match self.session.ping() {
            Some(ping) if line.welcomed && !line.asked => {
                line.asked = true;
                write(socket, ping.into()).await
            }
            // Where the server asks, its silence is all there is to know.
            None if line.welcomed && !line.asked => {
                line.asked = true;
                Ok(())
            }
            _ => {
                self.tally.error(if line.welcomed { "silent" } else { "no_welcome" });
                Err(())
            }
        }
    }

    async fn wire(
        &mut self,
        wire: Option<Result<Wire, Error>>,
        line: &mut Line,
        socket: &mut Socket,
    ) -> Result<(), ()> {
        (line.heard, line.asked) = (Instant::now(), false);
        match wire {
            Some(Ok(Wire::Text(text))) => {
                for heard in self.session.hear(&text) {
                    self.heard(heard, line, socket).await?;
                }
                self.tell(line.welcomed);
                Ok(())
            }
            Some(Ok(Wire::Close(frame))) => {
                let code = frame.map_or(1005, |frame| u16::from(frame.code));
                self.tally.error(&format!("closed_{code}"));
                // The library has put the answer to it into its buffer.
                let _ = timeout(ANSWER, socket.flush()).await;
                Err(())
            }
            Some(Ok(_)) => Ok(()),
            Some(Err(_)) | None => {
                self.tally.error("connection_broken");
                Err(())
            }
        }
    }

    async fn heard(
        &mut self,
        heard: Heard,
        line: &mut Line,
        socket: &mut Socket,
    ) -> Result<(), ()> {
        match heard {
            Heard::Welcome { head } => {
                line.welcomed = true;
                self.inflight = false;
                self.tally.welcomes += 1;
                self.backoff.calm();
                self.diary.welcome(&self.session, head).await?;
            }
            Heard::Reset => self.diary.reset().await?,
            Heard::Ack { id, conversation, seq } => self.ack(&id, (&conversation, seq)).await?,
            Heard::Show(message) => self.show(message, line).await?,
            Heard::Known => self.tally.known += 1,
            Heard::Send(text) => write(socket, text).await?,
            Heard::Gap => {
                let hello = self.session.greeting(&self.waiting());
                write(socket, hello.unwrap_or_default()).await?;
            }
            Heard::Refused { code, wait } => {
                self.tally.error(&code);
                if let Some(wait) = wait {
                    self.inflight = false;
                    self.paused = Some(Instant::now() + wait);
                }
            }
            Heard::GoingAway(wait) => self.leave = Some(wait),
        }
        Ok(())
    }

    async fn ack(&mut self, id: &str, (conversation, seq): (&str, i64)) -> Result<(), ()> {
        self.diary.ack(id, (conversation, seq)).await?;
        let Some(place) = self.outbox.iter().position(|waiting| waiting.message.id == id) else {
            return Ok(());
        };
        if let Some(waiting) = self.outbox.remove(place) {
            self.tally.ack(waiting.due.elapsed());
        }
        self.inflight &= place != 0;
        Ok(())
    }

    async fn show(&mut self, message: Message, line: &Line) -> Result<(), ()> {
        self.tally.show(self.number, &message.text, (line.heard, self.setup.start));
        self.diary.show(message).await
    }

    /// Sends what waits, and what was asked for.
    async fn pump(&mut self, line: &mut Line, socket: &mut Socket) -> Result<(), ()> {
        if self.leave.is_some() || self.paused.is_some() {
            return Ok(());
        }
        if self.asking && !std::mem::replace(&mut line.begged, true) {
            match self.session.ask_person() {
                Some(ask) => write(socket, ask.into()).await?,
                None => self.asking = false,
            }
        }
        if self.inflight {
            return Ok(());
        }
        let Some(next) = self.outbox.front() else { return Ok(()) };
        self.diary.attempt(&self.session, &next.message).await?;
        let text = self.session.send(&next.message);
        self.inflight = true;
        write(socket, text).await
    }
}

/// One connection.
struct Line {
    welcomed: bool,
    heard: Instant,
    /// Whether a ping waits for its answer.
    asked: bool,
    /// Whether a person was asked for on this connection.
    begged: bool,
}

async fn write(socket: &mut Socket, text: String) -> Result<(), ()> {
    match timeout(WRITE, socket.send(Wire::Text(Utf8Bytes::from(text)))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(()),
    }
}
