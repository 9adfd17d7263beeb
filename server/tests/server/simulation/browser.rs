//! A visitor's page as the widget is one, and the network between it and the server.

use std::collections::VecDeque;

use super::ledger::Shown;

/// What goes to the server.
#[derive(Debug, Clone)]
pub(crate) enum Up {
    Hello { last_seq: i64 },
    Send { id: String, text: String },
    AskPerson,
}

/// What comes from the server.
#[derive(Debug, Clone)]
pub(crate) enum Down {
    Welcome { conversation: Option<String> },
    Ack { id: String, conversation: String, seq: i64 },
    Message { conversation: String, shown: Shown },
}

/// One open page.
#[derive(Debug)]
pub(crate) struct Tab {
    /// Which browser it belongs to: tabs of one browser share a secret.
    pub(crate) browser: usize,
    pub(crate) connected: bool,
    /// Whether the server has placed this connection in the conversation.
    pub(crate) live: bool,
    pub(crate) conversation: Option<String>,
    /// Messages without an acknowledgement, in order.
    pub(crate) outbox: Vec<(String, String)>,
    pub(crate) shown: Vec<Shown>,
    pub(crate) up: VecDeque<Up>,
    pub(crate) down: VecDeque<Down>,
}

impl Tab {
    pub(crate) fn new(browser: usize) -> Self {
        Self {
            browser,
            connected: false,
            live: false,
            conversation: None,
            outbox: Vec::new(),
            shown: Vec::new(),
            up: VecDeque::new(),
            down: VecDeque::new(),
        }
    }

    pub(crate) fn last_seq(&self) -> i64 {
        self.shown.last().map_or(0, |shown| shown.seq)
    }

    pub(crate) fn connect(&mut self) {
        self.connected = true;
        self.up.push_back(Up::Hello { last_seq: self.last_seq() });
    }

    /// Everything on its way is lost.
    pub(crate) fn cut(&mut self) {
        (self.connected, self.live) = (false, false);
        self.up.clear();
        self.down.clear();
    }

    pub(crate) fn say(&mut self, id: String, text: String) {
        self.outbox.push((id.clone(), text.clone()));
        if self.connected {
            self.up.push_back(Up::Send { id, text });
        }
    }

    /// Takes a frame; the acknowledgement that it was, if it was one.
    pub(crate) fn take(&mut self, frame: Down) -> Option<(String, String, i64)> {
        match frame {
            Down::Welcome { conversation } => {
                self.conversation = conversation.or(self.conversation.take());
                let again = self.outbox.clone().into_iter();
                self.up.extend(again.map(|(id, text)| Up::Send { id, text }));
            }
            Down::Ack { id, conversation, seq } => {
                self.outbox.retain(|(waiting, _)| *waiting != id);
                self.conversation = Some(conversation.clone());
                return Some((id, conversation, seq));
            }
            Down::Message { conversation, shown } => {
                let own = self.conversation.get_or_insert_with(|| conversation.clone());
                assert_eq!(*own, conversation, "(g) a message of another conversation was shown");
                let next = self.last_seq() + 1;
                if shown.seq == next {
                    self.shown.push(shown);
                } else if shown.seq > next {
                    self.up.push_back(Up::Hello { last_seq: next - 1 });
                }
            }
        }
        None
    }
}
