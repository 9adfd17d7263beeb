//! One socket's lane: bounded, and mostly a list of what is to be read from the database when its turn comes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::protocol::server::{Frame, Text};

/// Items that may wait for one socket.
pub const LANE: usize = 256;
/// Bytes of frames that may wait for one socket; beyond them messages are read from the database when their turn comes.
pub const LANE_BYTES: usize = 256 * 1024;
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
    /// What the visitor is asked after a chat.
    Survey,
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
            | (Self::Suggestion, Self::Suggestion)
            | (Self::Survey, Self::Survey) => true,
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
pub(super) struct Slot {
    waiting: Mutex<Waiting>,
    bell: Notify,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Slot {
    pub(super) fn put(&self, about: &Name, mut item: Item) {
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
    pub(super) slot: Arc<Slot>,
    /// Conversation whose visitor this is.
    pub(super) room: Option<Name>,
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

    pub(super) fn key(&self) -> usize {
        Arc::as_ptr(&self.slot) as usize
    }

    /// Puts something at the end of this lane alone.
    pub fn put(&self, about: &Name, item: Item) {
        self.slot.put(about, item);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::hub) fn message(seq: i64) -> Item {
        Item::Message { seq, text: Some("m".into()) }
    }

    /// Everything that waits in a lane, in a few letters each.
    pub(in crate::hub) fn drained(lane: &Lane) -> Vec<String> {
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
