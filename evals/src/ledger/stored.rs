//! What must hold of the database by itself, and of the bot beside what people did: (c), (e), (f), (h).

use std::collections::{BTreeMap, HashMap};

use super::dump::{Dump, Kept};
use super::{Event, Violation};

/// Finds what breaks (c), (e), (f) and (h).
pub(super) fn check(dump: &Dump, events: &[Event]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut report = |letter, what| found.push(Violation { letter, what });
    if dump.integrity != ["ok"] {
        let said = dump.integrity.join("; ");
        report('h', format!("SQLite {}: integrity_check says `{said}`, not `ok`", dump.sqlite));
    }
    let held = held(events);
    for (id, kept) in &dump.conversations {
        for what in dense(kept) {
            report('c', format!("conversation {id}: {what}"));
        }
        for what in answers(kept, held.get(id.as_str()).map_or(&[], Vec::as_slice)) {
            report('e', format!("conversation {id}: {what}"));
        }
        for what in jobs(kept) {
            report('f', format!("conversation {id}: {what}"));
        }
    }
    found
}

fn dense(kept: &Kept) -> Vec<String> {
    let mut found = Vec::new();
    for (due, message) in (1..).zip(&kept.messages) {
        if message.seq != due {
            found.push(format!("seq {} stands where seq {due} is due", message.seq));
            break;
        }
    }
    let last = kept.messages.last().map_or(0, |message| message.seq);
    if last != kept.head {
        found.push(format!("head is {}, the last message has seq {last}", kept.head));
    }
    for (name, mark) in &kept.marks {
        if !(0..=kept.head).contains(mark) {
            found.push(format!("{name} is {mark}, head is {}", kept.head));
        }
    }
    found
}

/// When people held each conversation: seqs from the take-over to the hand-back, which is open while they still do.
fn held(events: &[Event]) -> HashMap<&str, Vec<(i64, Option<i64>)>> {
    let mut changes: HashMap<&str, BTreeMap<i64, bool>> = HashMap::new();
    for event in events {
        let (conversation, seq, taken) = match event {
            Event::Takeover { conversation, seq, .. } => (conversation, *seq, true),
            Event::HandBack { conversation, seq, .. } => (conversation, *seq, false),
            _ => continue,
        };
        changes.entry(conversation).or_default().insert(seq, taken);
    }
    let spans = |changes: BTreeMap<i64, bool>| {
        let mut spans: Vec<(i64, Option<i64>)> = Vec::new();
        for (seq, taken) in changes {
            let open = spans.last().is_some_and(|(_, end)| end.is_none());
            match spans.last_mut() {
                Some((_, end)) if open && !taken => *end = Some(seq),
                _ if taken && !open => spans.push((seq, None)),
                _ => {}
            }
        }
        spans
    };
    changes.into_iter().map(|(id, changes)| (id, spans(changes))).collect()
}

fn answers(kept: &Kept, held: &[(i64, Option<i64>)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut answered: HashMap<i64, i64> = HashMap::new();
    let speakers: HashMap<i64, &str> =
        kept.messages.iter().map(|message| (message.seq, message.from.as_str())).collect();
    for message in kept.messages.iter().filter(|message| message.from == "bot") {
        let seq = message.seq;
        if let Some(to) = message.reply_to {
            if speakers.get(&to) != Some(&"visitor") || to >= seq {
                found
                    .push(format!("seq {seq} answers seq {to}, no earlier message of the visitor"));
            }
            if let Some(other) = answered.insert(to, seq) {
                found.push(format!("seq {other} and seq {seq} both answer seq {to}"));
            }
        }
        let span = held.iter().find(|(from, to)| seq > *from && to.is_none_or(|to| seq < to));
        if let Some((from, _)) = span {
            found.push(format!("the bot's seq {seq} follows the take-over at seq {from}"));
        }
    }
    found
}

fn jobs(kept: &Kept) -> Vec<String> {
    let visitor = kept.messages.iter().filter(|message| message.from == "visitor");
    let newest = visitor.map(|message| message.seq).max().unwrap_or(0);
    let mut found = Vec::new();
    for job in &kept.jobs {
        let (seq, status) = (job.for_seq, job.status.as_str());
        match status {
            "done" | "leased" => {}
            "queued" if seq >= newest => {}
            "queued" => found.push(format!(
                "the job for seq {seq} is queued, the visitor's newest message is seq {newest}"
            )),
            _ => found.push(format!("the job for seq {seq} is `{status}`, a word without meaning")),
        }
    }
    found
}
