//! How an event looks outside: the same in the events API, in exports and for webhooks.

use engine::metrics::event::{Event, What};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The name of what happened: `message_sent`.
pub fn name(what: &What) -> &'static str {
    let value = serde_json::to_value(what).unwrap_or_default();
    let own = value["name"].as_str().unwrap_or_default();
    What::NAMES.into_iter().find(|name| *name == own).unwrap_or("unknown")
}

/// An event with its time as RFC 3339, in UTC to the millisecond.
pub fn value(event: &Event) -> Value {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    value["at"] = Value::String(iso(event.at));
    value
}

/// The body of a webhook's call, as the other notices have it.
pub fn body(event: &Event) -> String {
    json!({ "type": name(&event.what), "timestamp": iso(event.at), "data": value(event) })
        .to_string()
}

/// A moment as RFC 3339, in UTC to the millisecond.
pub fn iso(at: i64) -> String {
    let moment = Timestamp::from_millisecond(at).unwrap_or_default();
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use engine::metrics::event::By;
    use engine::turn::Speaker;

    use super::*;

    #[test]
    fn every_event_has_its_name_and_reads_back() {
        let all = [
            What::ChatOpened(Default::default()),
            What::ConversationStarted { visit: Default::default(), staging: false },
            What::FirstResponse { from: Speaker::Bot, ms: 4, open_ms: None },
            What::HandedBack {},
            What::ChatResolved { by: By::Silence, resolution_time_ms: 1, turns: 2, tags: vec![] },
            What::NpsSubmitted { case: None, score: 10, comment: None },
            What::Converted {
                by_page: false,
                kind: "purchase".into(),
                value: Some(1),
                currency: None,
            },
        ];
        for what in all {
            let event =
                Event { n: 1, id: "a".into(), at: 0, conversation: None, session: None, what };
            assert_ne!(name(&event.what), "unknown", "{event:?}");
            let again: Event =
                serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
            assert_eq!(again, event);
        }
        assert_eq!(iso(1_700_000_000_005), "2023-11-14T22:13:20.005Z");
    }
}
