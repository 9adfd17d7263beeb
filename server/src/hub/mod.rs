//! Brings news to the sockets that are open: one bounded lane each, nobody waits for a slow one.
//!
//! What matters is in the database; a lane mostly says what to read there. So news may come late, twice or out of order, and a socket
//! shows what is stored when it gets to it.

mod lane;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::server::Frame;

pub use lane::{Item, Kind, LANE, LANE_BYTES, Lane, Name, News, TooSlow};
use lane::{Slot, locked};

/// Somebody is gone this long after the last connection ended, so that a short break is not seen.
pub const LINGER: Duration = Duration::from_secs(15);

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
    use super::lane::tests::{drained, message};
    use super::*;

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
}
