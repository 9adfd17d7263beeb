//! Many clients: opened at a bounded pace, in rooms of one or two windows, and added up at the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::client::{self, Handle, News, Order, Setup};
use super::session::Ticket;
use super::stamp::Stamp;
use super::tally::Tally;

/// Rooms that open at once.
const GATE: usize = 64;
/// A client that is not ready by then counts as failed, and stays in the denominator.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time for what may be on its way still.
const LAST: Duration = Duration::from_millis(500);

/// What a room is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rooms: u32,
    /// Windows of each room: 1 or 2.
    pub(crate) windows: u32,
    /// Whether the conversation begins, and in whose hands.
    pub(crate) begin: Begin,
}

/// How a conversation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Not at all: it is greeted and nothing is stored.
    No,
    /// Out of the bot's hands.
    Person,
    /// With a message that the bot answers.
    Bot,
}

/// The windows of one visitor.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) windows: Vec<Handle>,
    sent: Vec<u32>,
    first: u32,
    /// Whether all windows were ready in time.
    pub(crate) ready: bool,
}

impl Room {
    /// Lets a window send its next message, due at `due`.
    pub(crate) fn send(&mut self, window: usize, due: Instant, start: Instant) {
        self.sent[window] += 1;
        let sender = self.first + u32::try_from(window).unwrap_or(u32::MAX);
        let text = Stamp::new((sender, self.sent[window]), due, start).text();
        self.windows[window].order(Order::Send { text, due });
    }
}

/// Rooms that are open.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) rooms: Vec<Room>,
    /// Seconds until all were open.
    pub(crate) opening_s: f64,
}

/// Opens the rooms; those that do not open in time are in it as well.
pub(crate) async fn open(setup: &Arc<Setup>, plan: Plan) -> Crowd {
    let began = Instant::now();
    let gate = Arc::new(Semaphore::new(GATE));
    let mut opening = Vec::new();
    for number in 0..plan.rooms {
        let (setup, gate) = (Arc::clone(setup), Arc::clone(&gate));
        opening.push(tokio::spawn(async move {
            let _turn = gate.acquire().await;
            room(&setup, plan, number).await
        }));
    }
    let mut rooms = Vec::new();
    for room in opening {
        // A task that was lost has no room to count; none panics.
        rooms.extend(room.await);
    }
    Crowd { rooms, opening_s: began.elapsed().as_secs_f64() }
}

async fn room(setup: &Arc<Setup>, plan: Plan, number: u32) -> Room {
    let first = number * plan.windows;
    let name = format!("{:08x}-{number}", setup.salt);
    let lead = client::start(setup, first, Ticket::default(), &name);
    let mut news = lead.news.clone();
    match plan.begin {
        Begin::No => {}
        Begin::Person => lead.order(Order::AskPerson),
        Begin::Bot => lead
            .order(Order::Send { text: "What does Porchlight cost?".into(), due: Instant::now() }),
    }
    let begun = |news: &News| match plan.begin {
        Begin::No => news.online,
        Begin::Person => news.online && news.with_people,
        Begin::Bot => news.online && news.acked > 0,
    };
    let mut ready = reaches(&mut news, begun).await;
    let ticket = news.borrow().ticket.clone();
    let mut windows = vec![lead];
    for window in 1..plan.windows {
        let other = client::start(setup, first + window, ticket.clone(), &name);
        ready &= reaches(&mut other.news.clone(), |news| news.online).await;
        windows.push(other);
    }
    Room { sent: vec![0; windows.len()], windows, first, ready }
}

/// Waits until a client stands as wanted; false when it does not in time.
async fn reaches(
    news: &mut tokio::sync::watch::Receiver<News>,
    wanted: impl Fn(&News) -> bool,
) -> bool {
    matches!(timeout(PATIENCE, news.wait_for(|news| wanted(news))).await, Ok(Ok(_)))
}

impl Crowd {
    /// Number of clients, ready or not.
    pub(crate) fn clients(&self) -> usize {
        self.rooms.iter().map(|room| room.windows.len()).sum()
    }

    /// Number of clients that are welcomed now.
    pub(crate) fn online(&self) -> usize {
        let all = self.rooms.iter().flat_map(|room| &room.windows);
        all.filter(|window| window.news.borrow().online).count()
    }

    /// Waits until no client has anything to send and all windows of a room show the same, or `patience` has passed.
    pub(crate) async fn settle(&self, patience: Duration) {
        let until = Instant::now() + patience;
        while Instant::now() < until && !self.rooms.iter().all(Room::is_settled) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // A peer has no seqs: what follows a welcome is not known to be due.
        tokio::time::sleep(LAST).await;
    }

    /// Lets all leave; what the first windows saw, and the other ones.
    pub(crate) async fn end(self) -> (Tally, Tally) {
        let (mut first, mut other) = (Tally::default(), Tally::default());
        let windows = self.rooms.into_iter().flat_map(|room| room.windows.into_iter().enumerate());
        // All are told before one is waited for.
        let tasks: Vec<_> = windows.map(|(place, window)| (place, window.leave())).collect();
        for (place, task) in tasks {
            let tally = if place == 0 { &mut first } else { &mut other };
            tally.add(task.await.unwrap_or_default());
        }
        (first, other)
    }
}

impl Room {
    fn is_settled(&self) -> bool {
        let mut head = None;
        self.windows.iter().zip(&self.sent).all(|(window, sent)| {
            let news = window.news.borrow();
            let same = *head.get_or_insert(news.last_seq) == news.last_seq;
            same && news.online && news.unsent == 0 && news.taken >= *sent as usize
        })
    }
}
