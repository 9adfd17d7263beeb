//! One client's side of a protocol without the wire: text in, what it means and text to send out.

mod porchlight;
mod socketio;

use std::time::Duration;

use clap::ValueEnum;

/// Which server is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// Porchlight: replay from the database after each commit was synced.
    #[default]
    Porchlight,
    /// A Socket.IO server of `evals/peers/`: at most once in memory, or replay in memory where it recovers connections.
    Socketio,
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// Made before the first attempt and kept until it is acknowledged.
    pub(crate) id: String,
    pub(crate) text: String,
}

/// A message as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) conversation: String,
    /// 0 where the protocol has none.
    pub(crate) seq: i64,
    pub(crate) from: String,
    pub(crate) id: Option<String>,
    pub(crate) text: String,
    pub(crate) draft_id: Option<String>,
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It may send now, and has all once it shows `head`.
    Welcome { head: i64 },
    /// The history is another one: what is shown has to go.
    Reset,
    /// A message is stored (with a peer: was passed on).
    Ack { id: String, conversation: String, seq: i64 },
    /// A message to show: each seq once and in order.
    Show(Message),
    /// A message came that was shown before.
    Known,
    /// Something to send at once.
    Send(String),
    /// A gap: greet again.
    Gap,
    /// A frame was refused; `wait` says that it may be sent again, and when.
    Refused { code: String, wait: Option<Duration> },
    /// The server is about to stop.
    GoingAway(Duration),
}

/// What another window needs to join the same conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) token: Option<String>,
    pub(crate) conversation: Option<String>,
}

/// One client's side.
#[derive(Debug)]
pub(crate) enum Session {
    Porchlight(Box<porchlight::Session>),
    SocketIo(Box<socketio::Session>),
}

impl Session {
    /// A client that is new, or that another window of the same visitor gave its ticket. `room` names it to a peer.
    pub(crate) fn new(peer: Peer, ticket: Ticket, room: &str) -> Self {
        match peer {
            Peer::Porchlight => Self::Porchlight(Box::new(porchlight::Session::new(ticket))),
            Peer::Socketio => Self::SocketIo(Box::new(socketio::Session::new(room))),
        }
    }

    /// Where its WebSocket opens.
    pub(crate) fn path(&self) -> &'static str {
        match self {
            Self::Porchlight(_) => "/widget/ws",
            Self::SocketIo(_) => "/socket.io/?EIO=4&transport=websocket",
        }
    }

    /// What to send first, and after a gap. `outbox` holds the ids that wait for their acknowledgement.
    pub(crate) fn greeting(&self, outbox: &[String]) -> Option<String> {
        match self {
            Self::Porchlight(session) => Some(session.greeting(outbox)),
            Self::SocketIo(_) => None,
        }
    }

    /// What a frame means. An unknown one means nothing.
    pub(crate) fn hear(&mut self, text: &str) -> Vec<Heard> {
        match self {
            Self::Porchlight(session) => session.hear(text),
            Self::SocketIo(session) => session.hear(text),
        }
    }

    /// The frame that sends a message.
    pub(crate) fn send(&mut self, message: &Outgoing) -> String {
        match self {
            Self::Porchlight(session) => session.send(message),
            Self::SocketIo(session) => session.send(message),
        }
    }

    /// The frame that asks whether the other side is there, where asking is the client's part.
    pub(crate) fn ping(&self) -> Option<&'static str> {
        match self {
            Self::Porchlight(_) => Some(r#"{"type":"ping"}"#),
            Self::SocketIo(_) => None,
        }
    }

    /// The frame that takes the conversation out of the bot's hands, where there is a bot and it has it.
    pub(crate) fn ask_person(&self) -> Option<&'static str> {
        match self {
            Self::Porchlight(session) => {
                session.is_with_bot().then_some(r#"{"type":"ask_person"}"#)
            }
            Self::SocketIo(_) => None,
        }
    }

    /// Whether the conversation is with people, as far as this client knows.
    pub(crate) fn is_with_people(&self) -> bool {
        match self {
            Self::Porchlight(session) => !session.is_with_bot(),
            Self::SocketIo(_) => true,
        }
    }

    /// The connection is gone. Whether messages without an acknowledgement are sent again after the next one: a
    /// Socket.IO client does so only with options that its users have to know.
    pub(crate) fn lost(&mut self) -> bool {
        match self {
            Self::Porchlight(session) => session.lost(),
            Self::SocketIo(session) => session.lost(),
        }
    }

    /// What another window needs.
    pub(crate) fn ticket(&self) -> Ticket {
        match self {
            Self::Porchlight(session) => session.ticket(),
            Self::SocketIo(_) => Ticket::default(),
        }
    }

    /// Newest seq that is shown.
    pub(crate) fn last_seq(&self) -> i64 {
        match self {
            Self::Porchlight(session) => session.last_seq(),
            Self::SocketIo(_) => 0,
        }
    }
}
