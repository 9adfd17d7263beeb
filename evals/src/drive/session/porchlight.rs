//! Porchlight's protocol as the widget speaks it: greets with what it has, shows each seq once and in order, mends gaps.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::{Heard, Message, Outgoing, Ticket};

/// All fields that matter of all frames; the others are skipped.
#[derive(Debug, Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    conversation: Option<Cow<'a, str>>,
    #[serde(borrow)]
    epoch: Option<Cow<'a, str>>,
    #[serde(default)]
    head: i64,
    #[serde(default)]
    restored: bool,
    #[serde(default)]
    known: BTreeMap<String, i64>,
    #[serde(borrow)]
    state: Option<Cow<'a, str>>,
    #[serde(default)]
    seq: i64,
    #[serde(borrow)]
    from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client_msg_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    draft_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
    retry_after_ms: Option<u64>,
}

/// One visitor's window.
#[derive(Debug, Default)]
pub(crate) struct Session {
    token: Option<String>,
    conversation: Option<String>,
    epoch: Option<String>,
    /// Newest seq that is shown, 0 for none.
    last_seq: i64,
    with_people: bool,
    /// A hello is on its way; what comes before its welcome is behind a gap or known.
    greeting: bool,
}

impl Session {
    pub(super) fn new(ticket: Ticket) -> Self {
        Self { token: ticket.token, conversation: ticket.conversation, ..Self::default() }
    }

    pub(super) fn greeting(&self, outbox: &[String]) -> String {
        let mut hello = json!({
            "type": "hello", "v": 1, "token": self.token, "conversation": self.conversation, "last_seq": self.last_seq
        });
        if let Some(epoch) = &self.epoch {
            hello["epoch"] = json!(epoch);
        }
        if !outbox.is_empty() {
            hello["outbox"] = json!(outbox);
        }
        hello.to_string()
    }

    pub(super) fn send(&self, message: &Outgoing) -> String {
        json!({"type": "send", "client_msg_id": message.id, "text": message.text}).to_string()
    }

    pub(super) fn is_with_bot(&self) -> bool {
        !self.with_people
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket { token: self.token.clone(), conversation: self.conversation.clone() }
    }

    pub(super) fn last_seq(&self) -> i64 {
        self.last_seq
    }

    pub(super) fn lost(&mut self) -> bool {
        self.greeting = false;
        true
    }

    pub(super) fn hear(&mut self, text: &str) -> Vec<Heard> {
        let Ok(frame) = serde_json::from_str::<Frame>(text) else {
            return vec![Heard::Refused { code: "unreadable".into(), wait: None }];
        };
        match frame.kind.as_ref() {
            "welcome" => self.welcome(frame),
            "message" => vec![self.message(frame)],
            "ack" => self.ack(frame),
            "state" => {
                self.with_people = frame.state.is_some_and(|state| state != "bot");
                vec![]
            }
            "error" => vec![refused(&frame)],
            "going_away" => vec![Heard::GoingAway(wait(&frame))],
            _ => vec![],
        }
    }

    fn welcome(&mut self, frame: Frame) -> Vec<Heard> {
        self.greeting = false;
        self.token = frame.token.map(Cow::into_owned);
        self.conversation = frame.conversation.map(Cow::into_owned);
        self.epoch = frame.epoch.map(Cow::into_owned);
        self.with_people = frame.state.is_some_and(|state| state != "bot");
        let mut heard = Vec::new();
        if frame.restored {
            self.last_seq = 0;
            heard.push(Heard::Reset);
        }
        let conversation = self.conversation.clone().unwrap_or_default();
        heard.extend(frame.known.into_iter().map(|(id, seq)| Heard::Ack {
            id,
            conversation: conversation.clone(),
            seq,
        }));
        heard.push(Heard::Welcome { head: frame.head });
        heard
    }

    fn ack(&mut self, frame: Frame) -> Vec<Heard> {
        let conversation = frame.conversation.map(Cow::into_owned);
        if self.conversation.is_none() {
            self.conversation.clone_from(&conversation);
        }
        let id = frame.client_msg_id.map(Cow::into_owned).unwrap_or_default();
        vec![Heard::Ack { id, conversation: conversation.unwrap_or_default(), seq: frame.seq }]
    }

    fn message(&mut self, frame: Frame) -> Heard {
        if frame.seq <= self.last_seq {
            return Heard::Known;
        }
        if frame.seq > self.last_seq + 1 {
            // The hello that is on its way brings it again.
            return if std::mem::replace(&mut self.greeting, true) {
                Heard::Known
            } else {
                Heard::Gap
            };
        }
        self.last_seq = frame.seq;
        let owned = |text: Option<Cow<str>>| text.map(Cow::into_owned);
        let conversation = owned(frame.conversation).unwrap_or_default();
        if self.conversation.is_none() {
            self.conversation = Some(conversation.clone());
        }
        Heard::Show(Message {
            conversation,
            seq: frame.seq,
            from: owned(frame.from).unwrap_or_default(),
            id: owned(frame.client_msg_id),
            text: owned(frame.text).unwrap_or_default(),
            draft_id: owned(frame.draft_id),
        })
    }
}

fn wait(frame: &Frame) -> Duration {
    Duration::from_millis(frame.retry_after_ms.unwrap_or(1_000))
}

fn refused(frame: &Frame) -> Heard {
    let code = frame.code.as_deref().unwrap_or_default().to_owned();
    let again = ["too_fast", "busy"].contains(&code.as_str());
    Heard::Refused { wait: again.then(|| wait(frame)), code }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn welcome(head: i64) -> Value {
        json!({"type": "welcome", "v": 1, "token": "t", "conversation": "c", "epoch": "e", "head": head, "state": "waiting",
            "site": {"name": "n"}, "restored": false, "known": {"i1": 1}, "queue": null})
    }

    fn message(seq: i64) -> Value {
        json!({"type": "message", "conversation": "c", "seq": seq, "from": "visitor", "at": 1, "text": "a \"b\"",
            "pieces": [], "client_msg_id": "i", "draft_id": null})
    }

    fn shown(heard: &[Heard]) -> Vec<i64> {
        heard
            .iter()
            .filter_map(|heard| if let Heard::Show(m) = heard { Some(m.seq) } else { None })
            .collect()
    }

    #[test]
    fn a_window_resumes_where_it_was_and_shows_each_seq_once() {
        let mut session = Session::new(Ticket::default());
        assert_eq!(
            serde_json::from_str::<Value>(&session.greeting(&[])).unwrap(),
            json!({"type": "hello", "v": 1, "token": null, "conversation": null, "last_seq": 0})
        );
        let ack = Heard::Ack { id: "i1".into(), conversation: "c".into(), seq: 1 };
        assert_eq!(session.hear(&welcome(2).to_string()), [ack, Heard::Welcome { head: 2 }]);
        let mut heard = Vec::new();
        for seq in [1, 1, 2, 1] {
            heard.extend(session.hear(&message(seq).to_string()));
        }
        assert_eq!(shown(&heard), [1, 2]);
        // A gap is asked for once, and mended by what the hello brings.
        assert_eq!(session.hear(&message(4).to_string()), [Heard::Gap]);
        assert_eq!(session.hear(&message(5).to_string()), [Heard::Known]);
        let hello: Value = serde_json::from_str(&session.greeting(&["i9".into()])).unwrap();
        assert_eq!(
            (&hello["last_seq"], &hello["epoch"], &hello["outbox"]),
            (&json!(2), &json!("e"), &json!(["i9"]))
        );
        session.hear(&welcome(5).to_string());
        heard = [3, 4, 5].iter().flat_map(|seq| session.hear(&message(*seq).to_string())).collect();
        assert_eq!(shown(&heard), [3, 4, 5]);
        let mut restored = welcome(1);
        restored["restored"] = json!(true);
        assert_eq!(session.hear(&restored.to_string())[0], Heard::Reset);
        assert_eq!(shown(&session.hear(&message(1).to_string())), [1]);
    }

    #[test]
    fn refusals_say_whether_to_try_again() {
        let mut session = Session::default();
        for (frame, expect) in [
            (
                json!({"type": "error", "code": "busy", "message": "m", "retry_after_ms": 2_000}),
                Heard::Refused { code: "busy".into(), wait: Some(Duration::from_secs(2)) },
            ),
            (
                json!({"type": "error", "code": "id_reused", "message": "m", "retry_after_ms": null}),
                Heard::Refused { code: "id_reused".into(), wait: None },
            ),
            (
                json!({"type": "going_away", "retry_after_ms": 7}),
                Heard::GoingAway(Duration::from_millis(7)),
            ),
            (json!("nothing"), Heard::Refused { code: "unreadable".into(), wait: None }),
        ] {
            assert_eq!(session.hear(&frame.to_string()), [expect]);
        }
        assert!(
            session.hear(&json!({"type": "presence", "owner_online": true}).to_string()).is_empty()
        );
    }
}
