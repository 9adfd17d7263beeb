//! Brings frames to the sockets that are open: one bounded lane each, nobody waits for a slow one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::protocol::server::{Frame, Text};

/// Frames that may wait for one socket.
pub const LANE: usize = 256;

/// How much a frame matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A socket that cannot take it is closed; it comes back and reads the database.
    Durable,
    /// May be lost: typing, tokens of drafts.
    Fleeting,
}

/// The sockets' side of a lane.
#[derive(Debug)]
pub struct Lane {
    id: u64,
    /// Frames in order.
    pub frames: mpsc::Receiver<Text>,
    /// Cancelled when a durable frame did not fit.
    pub overflow: CancellationToken,
}

#[derive(Debug)]
struct Sender {
    id: u64,
    frames: mpsc::Sender<Text>,
    overflow: CancellationToken,
    /// Conversation on a console's screen.
    watching: Option<String>,
}

impl Sender {
    fn send(&self, text: &Text, class: Class) {
        // A quarter of the lane is kept for what must not be lost.
        let room = self.frames.capacity() > LANE / 4;
        let sent = match class {
            Class::Fleeting if !room => return,
            _ => self.frames.try_send(Arc::clone(text)),
        };
        if sent.is_err() && class == Class::Durable {
            self.overflow.cancel();
        }
    }
}

#[derive(Debug, Default)]
struct Lanes {
    next: u64,
    visitors: HashMap<String, Vec<Sender>>,
    consoles: Vec<Sender>,
}

/// Knows who is connected. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Hub {
    lanes: Arc<Mutex<Lanes>>,
}

impl Hub {
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn lane(lanes: &mut Lanes) -> (Sender, Lane) {
        lanes.next += 1;
        let (id, overflow) = (lanes.next, CancellationToken::new());
        let (sender, frames) = mpsc::channel(LANE);
        let sender = Sender { id, frames: sender, overflow: overflow.clone(), watching: None };
        (sender, Lane { id, frames, overflow })
    }

    /// A lane that belongs to no conversation yet.
    pub fn unplaced(&self) -> Lane {
        let mut lanes = self.lanes();
        let (sender, lane) = Self::lane(&mut lanes);
        // Kept under no conversation so that the lane stays open until it is placed.
        lanes.visitors.entry(String::new()).or_default().push(sender);
        lane
    }

    /// Moves a visitor's lane to its conversation.
    pub fn place(&self, lane: &Lane, conversation: &str) {
        let mut lanes = self.lanes();
        let held = lanes.visitors.values_mut().find_map(|senders| {
            let at = senders.iter().position(|sender| sender.id == lane.id)?;
            Some(senders.swap_remove(at))
        });
        lanes.visitors.retain(|_, senders| !senders.is_empty());
        if let Some(sender) = held {
            lanes.visitors.entry(conversation.into()).or_default().push(sender);
        }
    }

    /// A console's lane. Visitors learn when it is the first.
    pub fn console(&self) -> Lane {
        let lane = {
            let mut lanes = self.lanes();
            let (sender, lane) = Self::lane(&mut lanes);
            lanes.consoles.push(sender);
            lane
        };
        self.presence();
        lane
    }

    /// Says which conversation is on a console's screen.
    pub fn watch(&self, lane: &Lane, conversation: Option<String>) {
        if let Some(sender) = self.lanes().consoles.iter_mut().find(|sender| sender.id == lane.id) {
            sender.watching = conversation;
        }
    }

    /// Forgets a lane.
    pub fn leave(&self, lane: &Lane) {
        let was_console = {
            let mut lanes = self.lanes();
            for senders in lanes.visitors.values_mut() {
                senders.retain(|sender| sender.id != lane.id);
            }
            lanes.visitors.retain(|_, senders| !senders.is_empty());
            let before = lanes.consoles.len();
            lanes.consoles.retain(|sender| sender.id != lane.id);
            before != lanes.consoles.len()
        };
        if was_console {
            self.presence();
        }
    }

    fn presence(&self) {
        let frame = Frame::Presence { owner_online: self.owner_online() }.text();
        let lanes = self.lanes();
        lanes.visitors.values().flatten().for_each(|sender| sender.send(&frame, Class::Fleeting));
    }

    /// Whether a console is open.
    pub fn owner_online(&self) -> bool {
        !self.lanes().consoles.is_empty()
    }

    /// Whether a conversation's visitor is connected.
    pub fn visitor_online(&self, conversation: &str) -> bool {
        self.lanes().visitors.contains_key(conversation)
    }

    /// Whether a console has this conversation on its screen.
    pub fn watched(&self, conversation: &str) -> bool {
        self.lanes().consoles.iter().any(|sender| sender.watching.as_deref() == Some(conversation))
    }

    /// Sends to a conversation's visitor, on all open pages.
    pub fn to_visitor(&self, conversation: &str, frame: &Frame, class: Class) {
        let lanes = self.lanes();
        if let Some(senders) = lanes.visitors.get(conversation) {
            let text = frame.text();
            senders.iter().for_each(|sender| sender.send(&text, class));
        }
    }

    /// Sends to the consoles that have this conversation on their screens.
    pub fn to_watchers(&self, conversation: &str, frame: &Frame, class: Class) {
        let lanes = self.lanes();
        let mut watchers = lanes
            .consoles
            .iter()
            .filter(|sender| sender.watching.as_deref() == Some(conversation))
            .peekable();
        if watchers.peek().is_some() {
            let text = frame.text();
            watchers.for_each(|sender| sender.send(&text, class));
        }
    }

    /// Sends to all consoles.
    pub fn to_consoles(&self, frame: &Frame, class: Class) {
        let lanes = self.lanes();
        let text = frame.text();
        lanes.consoles.iter().for_each(|sender| sender.send(&text, class));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame::Presence { owner_online: true }
    }

    #[test]
    fn frames_reach_those_they_are_for() {
        let hub = Hub::default();
        let mut visitor = hub.unplaced();
        hub.place(&visitor, "a");
        let mut other = hub.unplaced();
        hub.place(&other, "b");
        hub.to_visitor("a", &frame(), Class::Durable);
        assert!(visitor.frames.try_recv().is_ok());
        assert!(other.frames.try_recv().is_err());
        let mut console = hub.console();
        assert!(visitor.frames.try_recv().is_ok(), "visitors learn that an owner is there");
        hub.to_watchers("a", &frame(), Class::Durable);
        assert!(console.frames.try_recv().is_err());
        hub.watch(&console, Some("a".into()));
        hub.to_watchers("a", &frame(), Class::Durable);
        assert!(console.frames.try_recv().is_ok());
        hub.leave(&console);
        hub.leave(&visitor);
        assert!(!hub.owner_online() && !hub.visitor_online("a") && hub.visitor_online("b"));
    }

    #[test]
    fn a_slow_socket_loses_fleeting_frames_first_and_is_then_closed() {
        let hub = Hub::default();
        let slow = hub.unplaced();
        hub.place(&slow, "a");
        for _ in 0..LANE * 2 {
            hub.to_visitor("a", &frame(), Class::Fleeting);
        }
        assert!(!slow.overflow.is_cancelled());
        for _ in 0..LANE / 4 {
            hub.to_visitor("a", &frame(), Class::Durable);
        }
        assert!(!slow.overflow.is_cancelled());
        hub.to_visitor("a", &frame(), Class::Durable);
        assert!(slow.overflow.is_cancelled());
    }
}
