//! Socket.IO 5 over Engine.IO 4, as its own client speaks it: joins a room, emits with acknowledgement, recovers a
//! connection where the server offers that.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Heard, Message, Outgoing};

/// Which acknowledgement a number stands for.
#[derive(Debug)]
enum Asked {
    Join,
    Message(String),
}

/// One client in one room.
#[derive(Debug)]
pub(crate) struct Session {
    room: String,
    /// What recovers the connection: the server's secret and the newest message.
    pid: Option<String>,
    offset: Option<String>,
    asked: HashMap<u64, Asked>,
    count: u64,
}

impl Session {
    pub(super) fn new(room: &str) -> Self {
        Self { room: room.into(), pid: None, offset: None, asked: HashMap::new(), count: 0 }
    }

    pub(super) fn send(&mut self, message: &Outgoing) -> String {
        let body = json!(["send", {"room": self.room, "id": message.id, "text": message.text}]);
        self.emit(&body, Asked::Message(message.id.clone()))
    }

    pub(super) fn lost(&mut self) -> bool {
        self.asked.clear();
        false
    }

    fn emit(&mut self, body: &Value, asked: Asked) -> String {
        self.count += 1;
        self.asked.insert(self.count, asked);
        format!("42{}{body}", self.count)
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

    fn connect(&self) -> String {
        match (&self.pid, &self.offset) {
            (Some(pid), Some(offset)) => format!("40{}", json!({"pid": pid, "offset": offset})),
            (Some(pid), None) => format!("40{}", json!({"pid": pid})),
            (None, _) => "40".into(),
        }
    }

    /// A recovered connection is in its room already, and what was missed follows.
    fn connected(&mut self, rest: &str) -> Vec<Heard> {
        let said: Value = serde_json::from_str(rest).unwrap_or_default();
        let pid = said["pid"].as_str().map(str::to_owned);
        let recovered = pid.is_some() && pid == self.pid;
        self.pid = pid;
        if recovered {
            return vec![Heard::Welcome { head: 0 }];
        }
        self.offset = None;
        let body = json!(["join", self.room]);
        vec![Heard::Send(self.emit(&body, Asked::Join))]
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
        match self.asked.remove(&number)? {
            Asked::Join => Some(Heard::Welcome { head: 0 }),
            Asked::Message(id) => Some(Heard::Ack { id, conversation: self.room.clone(), seq: 0 }),
        }
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
    fn a_client_joins_sends_and_recovers() {
        let mut session = Session::new("r1");
        assert_eq!(sent(&session.hear(r#"0{"sid":"s","pingInterval":25000}"#)), "40");
        assert_eq!(sent(&session.hear(r#"40{"sid":"a","pid":"p"}"#)), r#"421["join","r1"]"#);
        assert_eq!(session.hear("431[]"), [Heard::Welcome { head: 0 }]);
        let message = Outgoing { id: "i".into(), text: "hi".into() };
        assert_eq!(session.send(&message), r#"422["send",{"id":"i","room":"r1","text":"hi"}]"#);
        let heard = session.hear(r#"42["message",{"id":"i","text":"hi"},"o7"]"#);
        let Heard::Show(shown) = &heard[0] else { panic!("{heard:?}") };
        assert_eq!((shown.text.as_str(), shown.id.as_deref()), ("hi", Some("i")));
        assert_eq!(session.hear("432[]").len(), 1);
        assert_eq!(sent(&session.hear("2")), "3");
        assert!(!session.lost());
        assert_eq!(sent(&session.hear("0{}")), r#"40{"offset":"o7","pid":"p"}"#);
        // The same secret: recovered. Another one: a new session that has to join.
        assert_eq!(session.hear(r#"40{"sid":"b","pid":"p"}"#), [Heard::Welcome { head: 0 }]);
        assert!(sent(&session.hear(r#"40{"sid":"c","pid":"q"}"#)).ends_with(r#"["join","r1"]"#));
        assert!(sent(&session.hear(r#"40{"sid":"c"}"#)).ends_with(r#"["join","r1"]"#));
    }
}
