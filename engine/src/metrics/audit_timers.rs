//! Whether the timers that were written are those that the messages give.

use super::audit::Found;
use super::clock::{REOPEN_MS, Running};
use super::event::{Event, What};
use crate::turn::Speaker;

/// `first_response` is what the messages say, once for bot and person in each case.
pub(super) fn first_responses(events: &[Event]) -> Found {
    let mut running = Running::default();
    let mut due: Option<(Speaker, i64)> = None;
    let mut found = Vec::new();
    for event in events {
        match &event.what {
            What::MessageSent { from, written_at, .. } => {
                missing(due.take())?;
                let moment = written_at.unwrap_or(event.at);
                let since = running.said(*from, moment).first_since;
                due = since.map(|since| (*from, moment.saturating_sub(since).max(0)));
            }
            What::FirstResponse { from, ms, .. } => {
                let who = from.as_str();
                match due.take() {
                    Some((expect, is)) if (expect, is) == (*from, *ms) => {
                        found.push(format!("{who} after {ms} ms"));
                    }
                    Some((_, is)) => {
                        return Err(format!("It says {who} {ms} ms; the messages say {is} ms."));
                    }
                    None => {
                        return Err(format!("It says {who} {ms} ms behind no first reply."));
                    }
                }
            }
            other => follow(&mut running, event.at, other),
        }
    }
    missing(due)?;
    if found.is_empty() {
        return Err("There is no first_response: nobody has replied yet.".into());
    }
    Ok(format!("First replies: {}.", found.join(", ")))
}

fn missing(due: Option<(Speaker, i64)>) -> Result<(), String> {
    due.map_or(Ok(()), |(from, ms)| {
        Err(format!("There is no first_response for the {}'s reply after {ms} ms.", from.as_str()))
    })
}

/// `chat_resolved` has the time since the visitor's first message and the number of messages.
pub(super) fn resolves(events: &[Event]) -> Found {
    let mut running = Running::default();
    let mut found = None;
    for event in events {
        let What::ChatResolved { by, resolution_time_ms, turns, .. } = &event.what else {
            follow(&mut running, event.at, &event.what);
            continue;
        };
        match running.resolved(*by, event.at, Vec::new()) {
            Some(What::ChatResolved { resolution_time_ms: ms, turns: messages, .. }) => {
                if (ms, messages) != (*resolution_time_ms, *turns) {
                    return Err(format!(
                        "It says {turns} messages in {resolution_time_ms} ms, but there were {messages} in {ms} ms."
                    ));
                }
                found = Some((ms, messages));
            }
            _ => return Err("chat_resolved stands there, but no case was open.".into()),
        }
    }
    match found {
        Some((ms, messages)) => Ok(format!("Resolved after {ms} ms and {messages} messages.")),
        None => Err("There is no chat_resolved yet: end the chat, or close it here.".into()),
    }
}

/// `chat_reopened` stands where the visitor came back within 72 hours, and nowhere else.
pub(super) fn reopenings(events: &[Event]) -> Found {
    let mut running = Running::default();
    let mut due: Option<i64> = None;
    let mut count = 0;
    for event in events {
        match &event.what {
            What::MessageSent { from, written_at, .. } => {
                if due.is_some() {
                    break;
                }
                due = running.said(*from, written_at.unwrap_or(event.at)).reopened_after;
            }
            What::ChatReopened { after_ms } => {
                let since = running.resolved_at.map(|at| event.at.saturating_sub(at).max(0));
                let Some(most) = due.take().or(since) else {
                    return Err("chat_reopened stands there, but no case was resolved.".into());
                };
                if !(0..=most.min(REOPEN_MS)).contains(after_ms) {
                    return Err(format!("chat_reopened says {after_ms} ms, but it was {most} ms."));
                }
                running.resolved_at = None;
                count += 1;
            }
            other => follow(&mut running, event.at, other),
        }
    }
    match (due, count) {
        (Some(_), _) => Err("The visitor came back, but there is no chat_reopened.".into()),
        (None, 0) => Ok("The visitor did not come back after a resolve.".into()),
        (None, count) => Ok(format!("Reopened {count} times.")),
    }
}

/// What moves the timers besides what a look is about.
fn follow(running: &mut Running, at: i64, what: &What) {
    match what {
        What::MessageSent { from, written_at, .. } => {
            running.said(*from, written_at.unwrap_or(at));
        }
        What::ChatResolved { by, .. } => {
            running.resolved(*by, at, Vec::new());
        }
        What::ChatReopened { .. } => {
            running.reopened(at);
        }
        _ => {}
    }
}
