//! A visitor as the widget is one: an outbox that outlives connections, resuming, back-off, pings.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Message as Wire, Utf8Bytes};

use super::backoff::Backoff;
use super::connect::{self, Socket};
use super::diary::Diary;
use super::session::{Heard, Message, Outgoing, Peer, Session, Ticket};
use super::tally::Tally;
use crate::ledger::Log;
use crate::run::Dice;

/// A quiet connection is asked whether it is there, and has this long to answer.
const QUIET: Duration = Duration::from_secs(25);
const ANSWER: Duration = Duration::from_secs(5);
/// The welcome is due within this time.
const WELCOME: Duration = Duration::from_secs(10);
/// A socket that takes no bytes for this long is gone.
const WRITE: Duration = Duration::from_secs(10);

/// What all clients of a run share.
#[derive(Debug)]
pub(crate) struct Setup {
    /// `HOST:PORT`.
    pub(crate) server: String,
    pub(crate) peer: Peer,
    /// When the run began; stamps count from here.
    pub(crate) start: Instant,
    /// Where the ledger is kept, if it is.
    pub(crate) ledger: Option<Log>,
    pub(crate) seed: u64,
    /// Makes the ids of one run other than those of the next.
    pub(crate) salt: u64,
}

/// What a client is told to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Send a message that was due at this time.
    Send { text: String, due: Instant },
    /// Ask for a person, so that no bot answers.
    AskPerson,
    /// Lose the connection without a word and come back after this time.
    Cut(Duration),
}

/// What the outside sees of a client.
#[derive(Debug, Clone, Default)]
pub(crate) struct News {
    /// Welcomed, on the connection that is open now.
    pub(crate) online: bool,
    /// Whether people have the conversation.
    pub(crate) with_people: bool,
    /// What another window needs to join.
    pub(crate) ticket: Ticket,
    /// Newest seq that is shown.
    pub(crate) last_seq: i64,
    /// Messages that it was told to send, and those that still wait for their acknowledgement.
    pub(crate) taken: usize,
    pub(crate) unsent: usize,
    /// Messages that were acknowledged.
    pub(crate) acked: usize,
}

/// A running client; it ends when `orders` is dropped.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    pub(crate) news: watch::Receiver<News>,
    pub(crate) task: JoinHandle<Tally>,
}

impl Handle {
    /// Gives an order; a client that has ended is counted by what it did not see.
    pub(crate) fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// Lets it leave; the task ends with what it saw.
    pub(crate) fn leave(self) -> JoinHandle<Tally> {
        self.task
    }
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The orders have ended.
    Over,
    /// It was to be cut, and to stay away for this long.
    Cut(Duration),
    /// The server said when to come back.
    Leave(Duration),
    /// It broke.
    Lost,
}

/// A message that waits for its acknowledgement.
#[derive(Debug)]
struct Waiting {
    message: Outgoing,
    due: Instant,
}

/// Starts the client `number`. `ticket` lets it join as another window of the same visitor.
pub(crate) fn start(setup: &Arc<Setup>, number: u32, ticket: Ticket, room: &str) -> Handle {
    let (orders, inbox) = mpsc::unbounded_channel();
    let (news, seen) = watch::channel(News::default());
    let seed = setup.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(number));
    let client = Client {
        setup: Arc::clone(setup),
        number,
        session: Session::new(setup.peer, ticket, room),
        outbox: VecDeque::new(),
        inflight: false,
        paused: None,
        asking: false,
        leave: None,
        diary: Diary::new(setup.ledger.clone(), number),
        backoff: Backoff::new(seed),
        ids: Dice::new(setup.salt ^ seed.rotate_left(32)),
        tally: Tally::default(),
        news,
    };
    Handle { orders, news: seen, task: tokio::spawn(client.run(inbox)) }
}

struct Client {
    setup: Arc<Setup>,
    number: u32,
    session: Session,
    outbox: VecDeque<Waiting>,
    /// The first of the outbox is on its way; one at a time keeps their order.
    inflight: bool,
    /// Until when nothing is sent because the server asked for that.
    paused: Option<Instant>,
    asking: bool,
    leave: Option<Duration>,
    diary: Diary,
    backoff: Backoff,
    ids: Dice,
    tally: Tally,
    news: watch::Sender<News>,
}

type Inbox = mpsc::UnboundedReceiver<Order>;

impl Client {
    async fn run(mut self, mut inbox: Inbox) -> Tally {
        loop {
            let end = match connect::open(&self.setup.server, self.session.path()).await {
                Ok(socket) => self.talk(socket, &mut inbox).await,
                Err(_) => {
                    self.tally.failed += 1;
                    End::Lost
                }
            };
            self.offline();
            let away = match end {
                End::Over => break,
                End::Cut(away) | End::Leave(away) => away,
                End::Lost => self.backoff.next(),
            };
            if !self.wait(away, &mut inbox).await {
                break;
            }
        }
        self.tally
    }

    fn offline(&mut self) {
        let again = self.session.lost();
        if self.inflight && !again {
            self.outbox.pop_front();
        }
        (self.inflight, self.leave) = (false, None);
        self.tell(false);
    }

    fn tell(&self, online: bool) {
        self.news.send_modify(|news| {
            news.online = online;
            news.with_people = self.session.is_with_people();
            news.ticket = self.session.ticket();
            news.last_seq = self.session.last_seq();
            news.taken = self.tally.sent;
            news.unsent = self.outbox.len();
            news.acked = self.tally.acks.len();
        });
    }

    /// Stays away; false when the orders have ended meanwhile.
    async fn wait(&mut self, away: Duration, inbox: &mut Inbox) -> bool {
        let until = tokio::time::Instant::now() + away;
        loop {
            tokio::select! {
                () = sleep_until(until) => return true,
                order = inbox.recv() => match order {
                    Some(order) => {
                        self.take(order);
                        self.tell(false);
                    }
                    None => return false,
                },
            }
        }
    }

    /// Takes an order; how long to stay away if it says so.
    fn take(&mut self, order: Order) -> Option<Duration> {
        match order {
            Order::Cut(away) => return Some(away),
            Order::AskPerson => self.asking = true,
            Order::Send { text, due } => {
                let id = format!("{:016x}{:016x}", self.ids.roll(), self.ids.roll());
                self.outbox.push_back(Waiting { message: Outgoing { id, text }, due });
                self.tally.sent += 1;
            }
        }
        None
    }

    async fn talk(&mut self, mut socket: Socket, inbox: &mut Inbox) -> End {
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
            _ => Err(()),
        }
    }

    async fn wire(
        &mut self,
        wire: Option<Result<Wire, tokio_tungstenite::tungstenite::Error>>,
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
            Some(Err(_)) | None => Err(()),
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
