//! Brings news to the sockets that are open: one bounded lane each, nobody waits for a slow one.
//!
//! What matters is in the database; a lane mostly says what to read there. So news may come late, twice or out of order, and a socket
//! shows what is stored when it gets to it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::protocol::server::{Frame, Text};

/// Items that may wait for one socket.
pub const LANE: usize = 256;
/// Bytes of frames that may wait for one socket; beyond them messages are read from the database when their turn comes.
pub const LANE_BYTES: usize = 256 * 1024;
/// Somebody is gone this long after the last connection ended, so that a short break is not seen.
pub const LINGER: Duration = Duration::from_secs(15);

/// Id of a conversation, shared by all that name it.
pub type Name = Arc<str>;

/// What a socket is to show.
#[derive(Debug, Clone)]
pub enum Item {
    /// Messages up to `seq`. The newest one's frame comes along for sockets that have all before it.
    Message {
        /// Newest seq.
        seq: i64,
        /// Its frame.
        text: Option<Text>,
    },
    /// Who holds the conversation.
    State,
    /// How far each side has got.
    Receipts,
    /// The visitor's place among those who wait for a person.
    Queue,
    /// The conversation's line of the owner's list.
    Line,
    /// The suggestion that is open.
    Suggestion,
    /// What the message with this seq was read as.
    Reading(i64),
    /// A frame that must not be lost.
    Durable(Text),
    /// The newest frame of its kind is enough.
    Newest(Kind, Text),
    /// A frame that may be lost: typing, tokens of drafts.
    Fleeting(Text),
}

/// Kinds of frames of which only the newest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whether an owner is there.
    Presence,
    /// How the documents stand.
    Knowledge,
    /// How the prompts stand.
    Prompts,
    /// That the list of conversations has changed in many places.
    List,
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Message { text: Some(text), .. }
            | Self::Durable(text)
            | Self::Newest(_, text)
            | Self::Fleeting(text) => text.len(),
            _ => 0,
        }
    }

    fn is_list(&self) -> bool {
        matches!(self, Self::Newest(Kind::List, _))
    }

    /// Whether `other`, which came earlier and still waits, says what this one does.
    fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::State, Self::State)
            | (Self::Receipts, Self::Receipts)
            | (Self::Queue, Self::Queue)
            | (Self::Line, Self::Line)
            | (Self::Suggestion, Self::Suggestion) => true,
            (Self::Newest(kind, _), Self::Newest(earlier, _)) => kind == earlier,
            (Self::Reading(seq), Self::Reading(earlier)) => seq == earlier,
            _ => false,
        }
    }
}

/// One thing to show, and which conversation it is about.
#[derive(Debug, Clone)]
pub struct News {
    /// The conversation; empty for none.
    pub about: Name,
    /// What there is to show.
    pub item: Item,
}

/// A socket was too slow for what must not be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSlow;

#[derive(Debug, Default)]
struct Waiting {
    news: VecDeque<News>,
    bytes: usize,
    overflown: bool,
}

#[derive(Debug, Default)]
struct Slot {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slot {
    fn put(&self, about: &Name, mut item: Item) {
        let mut waiting = locked(&self.waiting);
        if let Item::Fleeting(text) = &item
            // A quarter of the lane is kept for what must not be lost.
            && (waiting.news.len() >= LANE - LANE / 4 || waiting.bytes + text.len() > LANE_BYTES)
        {
            return;
        }
        if let Item::Message { text, .. } = &mut item {
            let room = LANE_BYTES.saturating_sub(waiting.bytes);
            *text = text.take().filter(|text| text.len() <= room);
        }
        if matches!(item, Item::Line) && waiting.news.len() >= LANE / 2 {
            // More lines than can be read one by one: the whole list is read again.
            waiting.news.retain(|news| !matches!(news.item, Item::Line));
            item = Item::Newest(Kind::List, Frame::List {}.text());
        }
        let earlier = waiting
            .news
            .iter_mut()
            .find(|news| (news.about == *about || item.is_list()) && item.repeats(&news.item));
        let more = item.bytes();
        if let Some(earlier) = earlier {
            let less = earlier.item.bytes();
            earlier.item = item;
            waiting.bytes = waiting.bytes + more - less;
            return;
        }
        waiting.overflown |= waiting.news.len() >= LANE || waiting.bytes + more > LANE_BYTES;
        if !waiting.overflown {
            waiting.bytes += more;
            waiting.news.push_back(News { about: Arc::clone(about), item });
        }
        drop(waiting);
        self.bell.notify_one();
    }
}

/// The socket's side of a lane.
#[derive(Debug, Default)]
pub struct Lane {
    slot: Arc<Slot>,
    /// Conversation whose visitor this is.
    room: Option<Name>,
}

impl Lane {
    /// The next thing to show.
    ///
    /// # Errors
    /// [`TooSlow`] when something that matters did not fit.
    pub async fn next(&self) -> Result<News, TooSlow> {
        loop {
            {
                let mut waiting = locked(&self.slot.waiting);
                if waiting.overflown {
                    return Err(TooSlow);
                }
                if let Some(news) = waiting.news.pop_front() {
                    waiting.bytes -= news.item.bytes();
                    return Ok(news);
                }
            }
            self.slot.bell.notified().await;
        }
    }

    fn key(&self) -> usize {
        Arc::as_ptr(&self.slot) as usize
    }

    /// Puts something at the end of this lane alone.
    pub fn put(&self, about: &Name, item: Item) {
        self.slot.put(about, item);
    }
}

/// The open pages of one visitor.
#[derive(Debug, Default)]
struct Room {
    slots: Vec<Arc<Slot>>,
    /// When the last one was closed.
    left: Option<Instant>,
}

#[derive(Debug)]
struct Console {
    slot: Arc<Slot>,
    /// Conversation on its screen.
    watching: Option<Name>,
}

#[derive(Debug, Default)]
struct Lanes {
    rooms: HashMap<Name, Room>,
    /// Pages of visitors who have not written yet, by the addresses of their slots.
    guests: HashMap<usize, Arc<Slot>>,
    consoles: Vec<Console>,
    /// When the last console was closed.
    left: Option<Instant>,
}

/// Knows who is connected. Clones share it.
#[derive(Debug, Clone)]
pub struct Hub {
    lanes: Arc<Mutex<Lanes>>,
    linger: Duration,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new(LINGER)
    }
}

impl Hub {
    /// Somebody is gone `linger` after the last connection ended.
    pub fn new(linger: Duration) -> Self {
        Self { lanes: Arc::default(), linger }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        locked(&self.lanes)
    }

    /// A visitor without a conversation has come.
    pub fn greet(&self, lane: &Lane) {
        self.lanes().guests.insert(lane.key(), Arc::clone(&lane.slot));
    }

    /// Puts a new visitor's lane into its conversation.
    pub fn place(&self, lane: &mut Lane, conversation: &Name) {
        if lane.room.as_ref() == Some(conversation) {
            return;
        }
        let mut lanes = self.lanes();
        lanes.guests.remove(&lane.key());
        let room = lanes.rooms.entry(Arc::clone(conversation)).or_default();
        room.slots.push(Arc::clone(&lane.slot));
        room.left = None;
        lane.room = Some(Arc::clone(conversation));
    }

    /// Makes a lane a console's. Visitors learn when it is the first.
    pub fn console(&self, lane: &Lane) {
        {
            let mut lanes = self.lanes();
            lanes.consoles.push(Console { slot: Arc::clone(&lane.slot), watching: None });
            lanes.left = None;
        }
        self.tell_presence();
    }

    /// Says which conversation is on a console's screen.
    pub fn watch(&self, lane: &Lane, conversation: Option<&Name>) {
        let mut lanes = self.lanes();
        let mut consoles = lanes.consoles.iter_mut();
        if let Some(console) = consoles.find(|console| Arc::ptr_eq(&console.slot, &lane.slot)) {
            console.watching = conversation.cloned();
        }
    }

    /// Forgets a lane; the conversation that it belonged to.
    pub fn leave(&self, lane: &mut Lane) -> Option<Name> {
        let mut guard = self.lanes();
        let lanes = &mut *guard;
        lanes.guests.remove(&lane.key());
        let before = lanes.consoles.len();
        lanes.consoles.retain(|console| !Arc::ptr_eq(&console.slot, &lane.slot));
        if before > 0 && lanes.consoles.is_empty() {
            lanes.left = Some(Instant::now());
        }
        let room = lane.room.take()?;
        if let Some(pages) = lanes.rooms.get_mut(&room) {
            pages.slots.retain(|slot| !Arc::ptr_eq(slot, &lane.slot));
            if pages.slots.is_empty() {
                pages.left = Some(Instant::now());
            }
        }
        Some(room)
    }

    /// Forgets a visitor whose last page was closed [`LINGER`] ago; whether it was so.
    pub fn is_gone(&self, conversation: &Name) -> bool {
        let mut lanes = self.lanes();
        let left = lanes.rooms.get(conversation).and_then(|room| room.left);
        let gone = left.is_some_and(|left| left.elapsed() >= self.linger);
        if gone {
            lanes.rooms.remove(conversation);
        }
        gone
    }

    /// Tells all visitors whether an owner is there.
    pub fn tell_presence(&self) {
        let frame = Frame::Presence { owner_online: self.owner_online() }.text();
        let (lanes, nobody) = (self.lanes(), Name::from(""));
        let placed = lanes.rooms.values().flat_map(|room| &room.slots);
        for slot in placed.chain(lanes.guests.values()) {
            slot.put(&nobody, Item::Newest(Kind::Presence, Arc::clone(&frame)));
        }
    }

    /// Whether a console is open, or was until a moment ago.
    pub fn owner_online(&self) -> bool {
        let lanes = self.lanes();
        !lanes.consoles.is_empty() || lanes.left.is_some_and(|left| left.elapsed() < self.linger)
    }

    /// Whether a conversation's visitor is connected, or was until a moment ago.
    pub fn visitor_online(&self, conversation: &str) -> bool {
        let lanes = self.lanes();
        let room = lanes.rooms.get(conversation);
        room.is_some_and(|room| room.left.is_none_or(|left| left.elapsed() < self.linger))
    }

    /// Whether a console has this conversation on its screen.
    pub fn watched(&self, conversation: &str) -> bool {
        self.lanes()
            .consoles
            .iter()
            .any(|console| console.watching.as_deref() == Some(conversation))
    }

    /// Tells a conversation's visitor, on all open pages.
    pub fn to_visitor(&self, conversation: &str, item: &Item) {
        let lanes = self.lanes();
        if let Some((name, room)) = lanes.rooms.get_key_value(conversation) {
            room.slots.iter().for_each(|slot| slot.put(name, item.clone()));
        }
    }

    /// Tells the consoles that have this conversation on their screens.
    pub fn to_watchers(&self, conversation: &str, item: &Item) {
        for console in &self.lanes().consoles {
            if let Some(name) = console.watching.as_ref().filter(|name| ***name == *conversation) {
                console.slot.put(name, item.clone());
            }
        }
    }

    /// Tells all consoles something about a conversation, or about none.
    pub fn to_consoles(&self, about: &str, item: &Item) {
        let lanes = self.lanes();
        if lanes.consoles.is_empty() {
            return;
        }
        let about = Name::from(about);
        lanes.consoles.iter().for_each(|console| console.slot.put(&about, item.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(seq: i64) -> Item {
        Item::Message { seq, text: Some("m".into()) }
    }

    /// Everything that waits in a lane, in a few letters each.
    fn drained(lane: &Lane) -> Vec<String> {
        let mut waiting = locked(&lane.slot.waiting);
        waiting.bytes = 0;
        let shown = |news: News| match news.item {
            Item::Message { seq, text } => format!("{seq}{}", text.map_or("", |_| "+")),
            Item::Newest(Kind::Presence, text) => text.contains("true").to_string(),
            item => format!("{item:?}"),
        };
        waiting.news.drain(..).map(shown).collect()
    }

    #[test]
    fn news_reaches_those_it_is_for() {
        let hub = Hub::default();
        let (a, b) = (Name::from("a"), Name::from("b"));
        let (mut visitor, mut other, mut console) =
            (Lane::default(), Lane::default(), Lane::default());
        hub.place(&mut visitor, &a);
        hub.place(&mut other, &b);
        hub.to_visitor("a", &message(1));
        assert_eq!((drained(&visitor), drained(&other)), (vec!["1+".into()], vec![]));
        hub.console(&console);
        assert_eq!(drained(&visitor), ["true"], "visitors learn that an owner is there");
        hub.to_watchers("a", &message(2));
        assert!(drained(&console).is_empty());
        hub.watch(&console, Some(&a));
        hub.to_watchers("a", &message(2));
        assert_eq!(drained(&console), ["2+"]);
        hub.leave(&mut console);
        assert_eq!(hub.leave(&mut visitor), Some(a));
        hub.to_watchers("a", &message(3));
        assert!(drained(&console).is_empty() && !hub.watched("a"));
    }

    #[test]
    fn a_short_break_is_not_seen() {
        for (linger, online) in [(LINGER, true), (Duration::ZERO, false)] {
            let hub = Hub::new(linger);
            let name = Name::from("a");
            let (mut page, mut console) = (Lane::default(), Lane::default());
            hub.place(&mut page, &name);
            hub.console(&console);
            assert!(hub.visitor_online("a") && hub.owner_online() && !hub.is_gone(&name));
            hub.leave(&mut page);
            hub.leave(&mut console);
            assert_eq!((hub.visitor_online("a"), hub.owner_online()), (online, online));
            assert_eq!(hub.is_gone(&name), !online);
            hub.place(&mut page, &name);
            assert!(hub.visitor_online("a") && !hub.is_gone(&name));
        }
    }

    #[test]
    fn of_what_may_be_old_the_newest_waits() {
        let lane = Lane::default();
        let name = Name::from("a");
        for online in [true, false] {
            let text = Frame::Presence { owner_online: online }.text();
            lane.put(&name, Item::Newest(Kind::Presence, text));
            lane.put(&name, Item::State);
        }
        lane.put(&Name::from("b"), Item::State);
        assert_eq!(drained(&lane), ["false", "State", "State"]);
    }

    #[test]
    fn a_console_that_cannot_follow_reads_its_list_again() {
        let lane = Lane::default();
        for id in 0..LANE * 4 {
            lane.put(&Name::from(id.to_string()), Item::Line);
        }
        let waiting = drained(&lane);
        assert!(waiting.len() <= LANE / 2 + 1, "{}", waiting.len());
        assert_eq!(waiting.iter().filter(|one| one.contains("List")).count(), 1);
    }

    #[tokio::test]
    async fn a_slow_socket_loses_fleeting_frames_first_and_is_then_closed() {
        let lane = Lane::default();
        let name = Name::from("a");
        for _ in 0..LANE * 2 {
            lane.put(&name, Item::Fleeting("t".into()));
        }
        for seq in 0..i64::try_from(LANE / 4).unwrap() {
            lane.put(&name, message(seq));
        }
        assert!(lane.next().await.is_ok());
        lane.put(&name, message(98));
        lane.put(&name, message(99));
        assert_eq!(lane.next().await.unwrap_err(), TooSlow);
    }

    #[test]
    fn long_messages_wait_in_the_database() {
        let lane = Lane::default();
        let (name, long) = (Name::from("a"), Text::from("x".repeat(LANE_BYTES / 2)));
        for seq in 1..=3 {
            lane.put(&name, Item::Message { seq, text: Some(Arc::clone(&long)) });
        }
        assert_eq!(drained(&lane), ["1+", "2+", "3"]);
    }
}
