//! A visitor as the widget is one: an outbox that outlives connections, resuming, back-off, pings.

mod connection;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::backoff::Backoff;
use super::connect;
use super::diary::Diary;
use super::session::{Outgoing, Peer, Session, Ticket};
use super::tally::Tally;
use crate::ledger::Log;
use crate::run::Dice;

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
}
