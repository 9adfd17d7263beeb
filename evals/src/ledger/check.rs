//! Holds what clients were told and showed against the database: (a), (b), (d), (g), and what the database must keep alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::dump::{Dump, Stored};
use super::{Event, Violation, stored};

/// Finds all that must not be; nothing is the proof that all was delivered once and in order.
pub(crate) fn check(dump: &Dump, events: &[Event]) -> Vec<Violation> {
    let places = Places::of(dump);
    let mut found = sent(events, &places);
    for (name, client) in clients(events) {
        let report = |(letter, what)| Violation { letter, what: format!("client {name}: {what}") };
        found.extend(client.conversations().into_iter().map(report));
        found.extend(client.shown_as_stored(dump, &places).into_iter().map(report));
    }
    found.extend(stored::check(dump, events));
    found
}

/// Where each `client_msg_id` is stored.
struct Places<'a>(HashMap<&'a str, Vec<(&'a str, &'a Stored)>>);

impl<'a> Places<'a> {
    fn of(dump: &'a Dump) -> Self {
        let mut places: HashMap<&str, Vec<(&str, &Stored)>> = HashMap::new();
        for (conversation, kept) in &dump.conversations {
            for message in &kept.messages {
                if let Some(id) = &message.id {
                    places.entry(id).or_default().push((conversation, message));
                }
            }
        }
        Self(places)
    }

    fn get(&self, id: &str) -> &[(&'a str, &'a Stored)] {
        self.0.get(id).map_or(&[], Vec::as_slice)
    }
}

/// What is known of one `client_msg_id`.
#[derive(Default)]
struct Sent<'a> {
    texts: BTreeSet<&'a str>,
    /// Conversation and seq of each acknowledgement; equal ones are one.
    acks: BTreeSet<(&'a str, i64)>,
}

/// (a) and (b).
fn sent(events: &[Event], places: &Places) -> Vec<Violation> {
    let mut ids: BTreeMap<&str, Sent> = BTreeMap::new();
    for event in events {
        match event {
            Event::Attempt { id, text, .. } => {
                ids.entry(id).or_default().texts.insert(text);
            }
            Event::Ack { id, conversation, seq, .. } => {
                ids.entry(id).or_default().acks.insert((conversation, *seq));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (id, sent) in ids {
        let letter = if sent.acks.is_empty() { 'b' } else { 'a' };
        let mut report = |what| found.push(Violation { letter, what: format!("id {id}: {what}") });
        let stored = places.get(id);
        for (conversation, seq) in &sent.acks {
            let there =
                stored.iter().any(|(at, message)| at == conversation && message.seq == *seq);
            if !there {
                report(format!(
                    "acknowledged as seq {seq} of conversation {conversation}, stored {}",
                    listed(stored)
                ));
            }
        }
        if stored.len() > 1 {
            report(format!("stored more than once: {}", listed(stored)));
        }
        for (conversation, message) in stored {
            if !sent.texts.contains(message.text.as_str()) {
                report(format!(
                    "attempted as {:?}, stored as {:?} at seq {} of conversation {conversation}",
                    sent.texts, message.text, message.seq
                ));
            }
        }
    }
    found
}

fn listed(stored: &[(&str, &Stored)]) -> String {
    if stored.is_empty() {
        return "nowhere".into();
    }
    let place = |(id, message): &(&str, &Stored)| format!("as seq {} of {id}", message.seq);
    stored.iter().map(place).collect::<Vec<_>>().join(", ")
}

/// A message as a client displays it.
struct Shown<'a> {
    conversation: &'a str,
    seq: i64,
    from: &'a str,
    id: Option<&'a str>,
    text: &'a str,
    draft_id: Option<&'a str>,
}

impl Shown<'_> {
    /// The server need not name the ids to everybody; those it names are the right ones.
    fn is(&self, stored: &Stored) -> bool {
        let same = |shown: Option<&str>, stored: &Option<String>| {
            shown.is_none() || shown == stored.as_deref()
        };
        self.from == stored.from
            && self.text == stored.text
            && same(self.id, &stored.id)
            && same(self.draft_id, &stored.draft_id)
    }
}

/// One window on one conversation.
#[derive(Default)]
struct Client<'a> {
    /// Every conversation that was named to it, in order.
    named: Vec<&'a str>,
    /// What it displays now.
    list: Vec<Shown<'a>>,
    /// Where it was last up to date.
    head: i64,
}

fn clients(events: &[Event]) -> BTreeMap<&str, Client<'_>> {
    let mut clients: BTreeMap<&str, Client> = BTreeMap::new();
    for event in events {
        match event {
            Event::Attempt { client, conversation, .. } => {
                let named = conversation.as_deref();
                clients.entry(client).or_default().named.extend(named);
            }
            Event::Ack { client, conversation, .. } => {
                clients.entry(client).or_default().named.push(conversation);
            }
            Event::Show { client, conversation, seq, from, id, text, draft_id, .. } => {
                let client = clients.entry(client).or_default();
                client.named.push(conversation);
                client.list.push(Shown {
                    conversation,
                    seq: *seq,
                    from,
                    id: id.as_deref(),
                    text,
                    draft_id: draft_id.as_deref(),
                });
            }
            Event::Reset { client, .. } => {
                let client = clients.entry(client).or_default();
                (client.list, client.head) = (Vec::new(), 0);
            }
            Event::Resumed { client, conversation, head, .. } => {
                let client = clients.entry(client).or_default();
                client.named.push(conversation);
                client.head = *head;
            }
            Event::Takeover { .. } | Event::HandBack { .. } => {}
        }
    }
    clients
}

impl Client<'_> {
    /// (g), by the conversations it was told of.
    fn conversations(&self) -> Option<(char, String)> {
        let first = self.named.first()?;
        let other = self.named.iter().find(|named| *named != first)?;
        Some(('g', format!("belongs to conversation {first}, was told of {other}")))
    }

    /// (d), and (g) where the text is that of another conversation. The list of a client has no gaps: it mends one by
    /// greeting again before it displays what lies behind. The first place that is wrong is reported.
    fn shown_as_stored(&self, dump: &Dump, places: &Places) -> Option<(char, String)> {
        for (due, shown) in (1..).zip(&self.list) {
            let Shown { conversation, seq, from, text, .. } = shown;
            let at = format!("conversation {conversation}, seq {seq}");
            if *seq != due {
                return Some(('d', format!("{at}: shown where seq {due} is due")));
            }
            let stored = dump.conversations.get(*conversation).and_then(|kept| {
                let place = kept.messages.binary_search_by_key(seq, |message| message.seq);
                kept.messages.get(place.ok()?)
            });
            if stored.is_some_and(|stored| shown.is(stored)) {
                continue;
            }
            let elsewhere = shown.id.map_or(&[][..], |id| places.get(id));
            if let Some((other, _)) = elsewhere.iter().find(|(other, _)| other != conversation) {
                return Some(('g', format!("{at}: shown is a message of conversation {other}")));
            }
            let kept = stored.map_or_else(
                || "nothing is".to_owned(),
                |stored| {
                    format!(
                        "{:?} of {} ({:?}, {:?}) is",
                        stored.text, stored.from, stored.id, stored.draft_id
                    )
                },
            );
            return Some((
                'd',
                format!(
                    "{at}: {text:?} of {from} ({:?}, {:?}) is shown, {kept} stored",
                    shown.id, shown.draft_id
                ),
            ));
        }
        let last = self.list.len();
        let behind = i64::try_from(last).is_ok_and(|last| last < self.head);
        behind.then(|| {
            let conversation = self.named.first().copied().unwrap_or_default();
            (
                'd',
                format!(
                    "conversation {conversation}: shown up to seq {last}, resumed at head {}",
                    self.head
                ),
            )
        })
    }
}
