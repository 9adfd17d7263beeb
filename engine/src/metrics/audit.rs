//! Whether the events of a conversation are whole: what an owner looks at before trusting the figures.

use std::collections::HashSet;

use serde::Serialize;

use super::audit_surveys::{csat, nps};
use super::audit_timers::{first_responses, reopenings, resolves};
use super::event::{Event, What};
use crate::turn::Speaker;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A word for programs.
    pub id: &'static str,
    /// What should be so.
    pub title: &'static str,
    /// Whether it is.
    pub ok: bool,
    /// What was found, or what is missing.
    pub detail: String,
}

/// What a look finds: a sentence about what is there, or one about what is wrong.
pub(super) type Found = Result<String, String>;

/// Something to look at: its word, what should be so, and the look.
type Look = (&'static str, &'static str, fn(&[Event]) -> Found);

const LOOKS: [Look; 13] = [
    ("opened", "Opening the chat was noticed, with the page", opened),
    ("started", "The conversation began once, before its first message", started),
    ("ids", "Every event has an id of its own", ids),
    ("order", "The events stand in their order", order),
    ("times", "The clock ran forward", times),
    ("messages", "No message is missing", messages),
    ("decisions", "Every automatic answer was decided on", decisions),
    ("first_response", "The timers of the first reply are right", first_responses),
    ("resolved", "The chat was resolved, with the right time and number of messages", resolves),
    ("reopened", "Coming back was noticed", reopenings),
    ("tags", "The chat has tags", tags),
    ("csat", "The rating was asked for once, and at the right moment", csat),
    ("nps", "The recommendation was asked for at most once, and at the right moment", nps),
];

/// Looks through the events of one conversation, and of the visit it began in, in the order of `n`.
pub fn audit(events: &[Event]) -> Vec<Check> {
    let look = |(id, title, look): Look| {
        let found = look(events);
        let ok = found.is_ok();
        let (Ok(detail) | Err(detail)) = found;
        Check { id, title, ok, detail }
    };
    LOOKS.into_iter().map(look).collect()
}

fn opened(events: &[Event]) -> Found {
    let visit = events.iter().find_map(|event| match &event.what {
        What::ChatOpened(visit) => Some(visit),
        _ => None,
    });
    let visit = visit.ok_or("There is no chat_opened: the widget on your page did not tell.")?;
    if visit.page.is_empty() {
        return Err("chat_opened has no page: the page's address did not come along.".into());
    }
    let from = if visit.campaign.is_empty() { "no campaign" } else { visit.campaign.as_str() };
    Ok(format!("Opened on {} ({from}).", visit.page))
}

fn started(events: &[Event]) -> Found {
    let place = |is: fn(&What) -> bool| {
        events.iter().position(|event| is(&event.what)).unwrap_or(usize::MAX)
    };
    let begun = |what: &What| matches!(what, What::ConversationStarted { .. });
    let said = place(|what| matches!(what, What::MessageSent { .. }));
    match events.iter().filter(|event| begun(&event.what)).count() {
        0 => Err("There is no conversation_started: write a message in the chat.".into()),
        1 if said < place(begun) => Err("A message stands before conversation_started.".into()),
        1 if said == usize::MAX => Err("There is no message_sent yet.".into()),
        1 => Ok("conversation_started stands before the first message_sent.".into()),
        n => Err(format!("conversation_started stands there {n} times.")),
    }
}

fn ids(events: &[Event]) -> Found {
    let mut seen = HashSet::new();
    for event in events {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if event.id.len() != 32 || !event.id.bytes().all(hex) {
            return Err(format!("Event {} has the id {:?}, not 32 hex digits.", event.n, event.id));
        }
        if !seen.insert(&event.id) {
            return Err(format!("The id {} stands there twice.", event.id));
        }
    }
    Ok(format!("{} events, {} ids.", events.len(), seen.len()))
}

fn order(events: &[Event]) -> Found {
    match events.windows(2).find(|pair| pair[1].n <= pair[0].n) {
        Some(pair) => Err(format!("Event {} stands behind event {}.", pair[1].n, pair[0].n)),
        None => Ok("The places of the events rise.".into()),
    }
}

fn times(events: &[Event]) -> Found {
    if let Some(pair) = events.windows(2).find(|pair| pair[1].at < pair[0].at) {
        let back = pair[0].at.saturating_sub(pair[1].at);
        return Err(format!("Before event {} the clock was set back by {back} ms.", pair[1].n));
    }
    let ahead = events.iter().find(|event| match event.what {
        What::MessageSent { written_at: Some(written), .. } => written > event.at,
        _ => false,
    });
    match ahead {
        Some(event) => Err(format!("The mail of event {} was written after it came.", event.n)),
        None => Ok("No event is earlier than the one before it.".into()),
    }
}

fn messages(events: &[Event]) -> Found {
    let (mut last, mut counts) = (None, [0; 2]);
    for event in events {
        let What::MessageSent { seq, from, .. } = event.what else { continue };
        if last.is_some_and(|last: i64| seq != last.saturating_add(1)) {
            let last = last.unwrap_or_default();
            return Err(format!("Message {seq} follows message {last}: something is missing."));
        }
        last = Some(seq);
        match from {
            Speaker::Visitor => counts[0] += 1,
            Speaker::Bot | Speaker::Owner => counts[1] += 1,
            Speaker::System => {}
        }
    }
    match counts {
        [0, _] => Err("The visitor has not written yet.".into()),
        [_, 0] => Err("Nobody has replied yet.".into()),
        [asked, replies] => Ok(format!("{asked} of the visitor, {replies} replies.")),
    }
}

fn decisions(events: &[Event]) -> Found {
    let mut decided = HashSet::new();
    let mut answers = 0;
    for event in events {
        match &event.what {
            What::ReplyDecided { for_seq, .. } => {
                decided.insert(*for_seq);
            }
            What::MessageSent { seq, answer: true, answers: to, .. } => {
                answers += 1;
                if to.is_none_or(|to| !decided.contains(&to)) {
                    return Err(format!("Before answer {seq} there is no reply_decided for it."));
                }
            }
            _ => {}
        }
    }
    Ok(format!("{answers} automatic answers, each with its reply_decided."))
}

fn tags(events: &[Event]) -> Found {
    let mut of_resolve: Option<&[String]> = None;
    let mut read: Option<&str> = None;
    for event in events {
        match &event.what {
            What::ReplyDecided { tags, .. } => read = tags.first().map(String::as_str).or(read),
            What::TagCorrected { tag, .. } => read = Some(tag.as_str()),
            What::ChatResolved { tags, .. } => of_resolve = Some(tags),
            _ => {}
        }
    }
    match (of_resolve, read) {
        (Some([]), Some(tag)) => {
            Err(format!("Messages were tagged ({tag}), but chat_resolved has no tags."))
        }
        (Some([]) | None, None) => {
            Err("No message has a tag: none fits an intent, or nothing was read yet.".into())
        }
        (Some(tags), _) if tags.len() > 3 => {
            Err(format!("chat_resolved has {} tags, more than three.", tags.len()))
        }
        (Some(tags), _) => Ok(format!("{}.", tags.join(", "))),
        (None, Some(tag)) => Ok(format!("{tag}, and chat_resolved is still to come.")),
    }
}
