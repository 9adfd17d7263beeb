//! One client's lines of the ledger; without a ledger it writes nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use super::session::{Message, Outgoing, Session};
use crate::ledger::{Event, Log};

/// What a client writes down. A log that cannot be written ends the client: what follows would prove nothing.
#[derive(Debug)]
pub(crate) struct Diary {
    log: Option<Log>,
    client: String,
    /// The head that a resume has to reach, until it is noted.
    head: Option<i64>,
    /// Newest seq that is shown.
    shown: i64,
}

impl Diary {
    /// The diary of the client `number`.
    pub(crate) fn new(log: Option<Log>, number: u32) -> Self {
        Self { log, client: format!("{}-{number}", std::process::id()), head: None, shown: 0 }
    }

    /// A message is about to be sent: on the disk before it is on the wire.
    pub(crate) async fn attempt(&self, session: &Session, message: &Outgoing) -> Result<(), ()> {
        let Some(log) = &self.log else { return Ok(()) };
        let event = Event::Attempt {
            at: now(),
            client: self.client.clone(),
            conversation: session.ticket().conversation,
            id: message.id.clone(),
            text: message.text.clone(),
        };
        log.sure(event).await.map_err(drop)
    }

    /// The server has stored a message.
    pub(crate) async fn ack(&self, id: &str, (conversation, seq): (&str, i64)) -> Result<(), ()> {
        let (client, id, conversation) = (self.client.clone(), id.into(), conversation.into());
        self.note(|| Event::Ack { at: now(), client, id, conversation, seq }).await
    }

    /// A message is displayed.
    pub(crate) async fn show(&mut self, message: Message) -> Result<(), ()> {
        let client = self.client.clone();
        let Message { conversation, seq, from, id, text, draft_id } = message;
        self.shown = seq;
        let current = self.current(&conversation);
        self.note(|| Event::Show {
            at: now(),
            client,
            conversation,
            seq,
            from,
            id,
            text,
            draft_id,
        })
        .await?;
        self.resumed(current).await
    }

    /// The server has said how far the conversation goes.
    pub(crate) async fn welcome(&mut self, session: &Session, head: i64) -> Result<(), ()> {
        let Some(conversation) = session.ticket().conversation else { return Ok(()) };
        self.head = Some(head);
        let current = self.current(&conversation);
        self.resumed(current).await
    }

    /// What was displayed has gone.
    pub(crate) async fn reset(&mut self) -> Result<(), ()> {
        let client = self.client.clone();
        (self.shown, self.head) = (0, None);
        self.note(|| Event::Reset { at: now(), client }).await
    }

    /// The event of having reached the head, once.
    fn current(&mut self, conversation: &str) -> Option<Event> {
        let head = self.head.filter(|head| *head <= self.shown)?;
        self.head = None;
        let (client, conversation) = (self.client.clone(), conversation.into());
        Some(Event::Resumed { at: now(), client, conversation, head })
    }

    async fn resumed(&self, event: Option<Event>) -> Result<(), ()> {
        match event {
            Some(event) => self.note(|| event).await,
            None => Ok(()),
        }
    }

    async fn note(&self, event: impl FnOnce() -> Event) -> Result<(), ()> {
        match &self.log {
            Some(log) => log.note(event()).await.map_err(drop),
            None => Ok(()),
        }
    }
}

/// Milliseconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the logs of several programs are read beside each other"
)]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
