//! Socket.IO 5 over Engine.IO 4, as its own client speaks it: names its room as it connects, emits with acknowledgement,
//! recovers a connection where the server offers that.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Heard, Message, Outgoing};

/// One client in one room.
#[derive(Debug)]
pub(crate) struct Session {
    room: String,
    /// What recovers the connection: the server's secret and the newest message.
    pid: Option<String>,
    offset: Option<String>,
    /// The message that each number of an acknowledgement stands for.
    asked: HashMap<u64, String>,
    count: u64,
}

impl Session {
    pub(super) fn new(room: &str) -> Self {
        Self { room: room.into(), pid: None, offset: None, asked: HashMap::new(), count: 0 }
    }

    pub(super) fn send(&mut self, message: &Outgoing) -> String {
        self.count += 1;
        self.asked.insert(self.count, message.id.clone());
        let body = json!(["send", {"room": self.room, "id": message.id, "text": message.text}]);
        format!("42{}{body}", self.count)
    }

    pub(super) fn lost(&mut self) -> bool {
        self.asked.clear();
        false
    }

    pub(super) fn hear(&mut self, text: &str) -> Vec<Heard> {
        let unreadable = || vec![Heard::Refused { code: "unreadable".into(), wait: None }];
        match (text.get(..2), text.get(2..)) {
            _ if text.starts_with('0') => vec![Heard::Send(self.connect())],
            _ if text == "2" => vec![Heard::Send("3".into())],
            (Some("40"), Some(rest)) => self.connected(rest),
            (Some("42"), Some(rest)) => {
                self.event(rest).map_or_else(unreadable, |heard| vec![heard])
            }
            (Some("43"), Some(rest)) => self.acknowledged(rest).into_iter().collect(),
            (Some("44"), _) => vec![Heard::Refused { code: "connect_error".into(), wait: None }],
            _ => vec![],
        }
    }

    /// The room goes with the connection: a server may not listen for events yet when the first one comes.
    fn connect(&self) -> String {
        let mut auth = json!({"room": self.room});
        if let Some(pid) = &self.pid {
            auth["pid"] = json!(pid);
        }
        if let Some(offset) = &self.offset {
            auth["offset"] = json!(offset);
        }
        format!("40{auth}")
    }

    /// With the same secret as before the connection is recovered, and what was missed follows.
    fn connected(&mut self, rest: &str) -> Vec<Heard> {
        let said: Value = serde_json::from_str(rest).unwrap_or_default();
        let pid = said["pid"].as_str().map(str::to_owned);
        if pid.is_none() || pid != self.pid {
            self.offset = None;
        }
        self.pid = pid;
        vec![Heard::Welcome { head: 0 }]
    }

    /// `42["message",{…},offset]`: the offset is there where connections are recovered.
    fn event(&mut self, rest: &str) -> Option<Heard> {
        let event: Value = serde_json::from_str(rest).ok()?;
        if let (Some(_), Some(offset)) = (&self.pid, event.as_array()?.last()?.as_str()) {
            self.offset = Some(offset.into());
        }
        let body = event.get(1)?;
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Some(Heard::Show(Message {
            conversation: self.room.clone(),
            seq: 0,
            from: "visitor".into(),
            id: text("id"),
            text: text("text")?,
            draft_id: None,
        }))
    }

    fn acknowledged(&mut self, rest: &str) -> Option<Heard> {
        let number: u64 = rest.split('[').next()?.parse().ok()?;
        let id = self.asked.remove(&number)?;
        Some(Heard::Ack { id, conversation: self.room.clone(), seq: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(heard: &[Heard]) -> &str {
        let [Heard::Send(text)] = heard else { panic!("{heard:?}") };
        text
    }

    #[test]
    fn a_client_connects_sends_and_recovers() {
        let mut session = Session::new("r1");
        let open = r#"0{"sid":"s","pingInterval":25000}"#;
        assert_eq!(sent(&session.hear(open)), r#"40{"room":"r1"}"#);
        assert_eq!(session.hear(r#"40{"sid":"a","pid":"p"}"#), [Heard::Welcome { head: 0 }]);
        let message = Outgoing { id: "i".into(), text: "hi".into() };
        assert_eq!(session.send(&message), r#"421["send",{"id":"i","room":"r1","text":"hi"}]"#);
        let heard = session.hear(r#"42["message",{"id":"i","text":"hi"},"o7"]"#);
        let Heard::Show(shown) = &heard[0] else { panic!("{heard:?}") };
        assert_eq!((shown.text.as_str(), shown.id.as_deref()), ("hi", Some("i")));
        assert_eq!(session.hear("431[]").len(), 1);
        assert_eq!(sent(&session.hear("2")), "3");
        assert!(!session.lost());
        assert_eq!(sent(&session.hear(open)), r#"40{"offset":"o7","pid":"p","room":"r1"}"#);
        // The same secret: recovered. Another one: what was missed is lost, and there is no offset to name.
        assert_eq!(session.hear(r#"40{"sid":"b","pid":"p"}"#), [Heard::Welcome { head: 0 }]);
        assert!(sent(&session.hear(open)).contains("o7"));
        session.hear(r#"40{"sid":"c","pid":"q"}"#);
        assert_eq!(sent(&session.hear(open)), r#"40{"pid":"q","room":"r1"}"#);
        session.hear(r#"40{"sid":"c"}"#);
        assert_eq!(sent(&session.hear(open)), r#"40{"room":"r1"}"#);
    }
}
