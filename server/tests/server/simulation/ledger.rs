//! What clients attempted, were told and show, held against what is stored: the letters of `server/RELIABILITY.md`.

use std::collections::{BTreeMap, HashMap};

use engine::metrics::audit::audit;
use engine::metrics::cases;
use engine::metrics::event::{Event, What};
use server::store::messages::Message;

/// What has to hold of every stream, whatever has happened.
const EVENTS: [&str; 5] = ["started", "ids", "order", "decisions", "reopened"];
/// What has to hold once somebody has replied in a case that was open.
const REPLIED: [&str; 2] = ["messages", "first_response"];

/// A message as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) seq: i64,
    pub(crate) from: String,
    pub(crate) id: Option<String>,
    pub(crate) text: String,
}

impl From<&Message> for Shown {
    fn from(message: &Message) -> Self {
        Self {
            seq: message.seq,
            from: message.speaker.clone(),
            id: message.client_msg_id.clone(),
            text: message.text.clone(),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Texts by id.
    pub(crate) attempts: BTreeMap<String, String>,
    /// Conversation and seq by id.
    acks: HashMap<String, (String, i64)>,
    /// Seqs after which a person holds a conversation, and from which it is the bot's again.
    held: HashMap<String, Vec<(i64, Option<i64>)>>,
}

impl Ledger {
    pub(crate) fn ack(&mut self, id: String, conversation: String, seq: i64) {
        let told = (conversation, seq);
        let first = self.acks.entry(id.clone()).or_insert_with(|| told.clone());
        assert_eq!(*first, told, "(a) {id} was acknowledged in two ways");
    }

    /// A person holds the conversation after `head`.
    pub(crate) fn taken(&mut self, conversation: &str, head: i64) {
        let spans = self.held.entry(conversation.into()).or_default();
        if spans.last().is_none_or(|(_, end)| end.is_some()) {
            spans.push((head, None));
        }
    }

    /// The person has let go of it at `head`.
    pub(crate) fn released(&mut self, conversation: &str, head: i64) {
        if let Some((_, end @ None)) = self.held.entry(conversation.into()).or_default().last_mut()
        {
            *end = Some(head);
        }
    }

    /// (a) and (b): everything was sent again until it was acknowledged.
    pub(crate) fn sent(&self, stored: &BTreeMap<String, Vec<Message>>) {
        let mut places: HashMap<&str, Vec<(&str, i64, &str)>> = HashMap::new();
        for (conversation, messages) in stored {
            for message in messages {
                if let Some(id) = &message.client_msg_id {
                    let place = (conversation.as_str(), message.seq, message.text.as_str());
                    places.entry(id).or_default().push(place);
                }
            }
        }
        for (id, text) in &self.attempts {
            let (conversation, seq) =
                self.acks.get(id).unwrap_or_else(|| panic!("(a) {id} was never acknowledged"));
            let expect = (conversation.as_str(), *seq, text.as_str());
            assert_eq!(places.get(id.as_str()), Some(&vec![expect]), "(a) {id}");
        }
        let unknown = places.keys().find(|id| !self.attempts.contains_key(**id));
        assert_eq!(unknown, None, "(b) stored, never sent");
    }

    /// (e) of one conversation.
    pub(crate) fn answers(&self, conversation: &str, messages: &[Message]) {
        let mut answered = HashMap::new();
        for message in messages.iter().filter(|message| message.speaker == "bot") {
            let to = message.reply_to.unwrap_or(0);
            let asked = messages.iter().find(|other| other.seq == to);
            assert!(
                asked.is_some_and(|asked| asked.speaker == "visitor" && to < message.seq),
                "(e) seq {} answers nothing",
                message.seq
            );
            let other = answered.insert(to, message.seq);
            assert_eq!(other, None, "(e) seq {to} of {conversation} was answered twice");
            let spans = self.held.get(conversation).map_or(&[][..], Vec::as_slice);
            let held = spans
                .iter()
                .find(|(from, to)| message.seq > *from && to.is_none_or(|to| message.seq <= to));
            assert_eq!(
                held, None,
                "(e) seq {} of {conversation} comes after a person took over",
                message.seq
            );
        }
    }
}

/// The stream of events tells of every message once and in order, and its timers are those of the messages.
pub(crate) fn measured(conversation: &str, messages: &[Message], events: &[Event]) {
    let told: Vec<(i64, &str)> = events
        .iter()
        .filter_map(|event| match &event.what {
            What::MessageSent { seq, from, .. } => Some((*seq, from.as_str())),
            _ => None,
        })
        .collect();
    let stored: Vec<(i64, &str)> =
        messages.iter().map(|message| (message.seq, message.speaker.as_str())).collect();
    assert_eq!(told, stored, "(h) the events of {conversation}");
    let replied = cases(events).iter().any(|case| case.frt_ms().is_some());
    let due = |id: &str| EVENTS.contains(&id) || (replied && REPLIED.contains(&id));
    let checks = audit(events).into_iter().filter(|check| due(check.id));
    let bad: Vec<_> = checks.filter(|check| !check.ok).collect();
    assert!(bad.is_empty(), "(h) {conversation}: {bad:#?} {events:#?}");
}

/// (c) of one conversation.
pub(crate) fn dense(head: i64, messages: &[Message]) {
    let seqs: Vec<i64> = messages.iter().map(|message| message.seq).collect();
    assert_eq!(seqs, (1..=head).collect::<Vec<_>>(), "(c)");
}
