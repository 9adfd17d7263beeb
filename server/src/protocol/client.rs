//! Frames that clients send. Unknown types and fields are refused.

use engine::scope::Scope;
use serde::Deserialize;

use crate::events::convert::Conversion;

/// What a visitor's widget sends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum VisitorFrame {
    /// Opens or resumes.
    Hello {
        /// Version of the protocol.
        v: u32,
        /// Proof that this browser started the conversation.
        #[serde(default)]
        token: Option<String>,
        /// The conversation to go on with.
        #[serde(default)]
        conversation: Option<String>,
        /// The history that it is of.
        #[serde(default)]
        epoch: Option<String>,
        /// Newest seq that the widget has.
        #[serde(default)]
        last_seq: i64,
        /// Ids of messages that the widget does not know to be stored.
        #[serde(default)]
        outbox: Vec<String>,
        /// What the page is about.
        #[serde(default)]
        scope: Scope,
    },
    /// A message.
    Send {
        /// The widget's own id for it.
        client_msg_id: String,
        /// Plain text.
        text: String,
    },
    /// The visitor types, or has stopped.
    Typing {
        /// Whether.
        on: bool,
    },
    /// All up to `seq` has reached the page.
    Delivered {
        /// Newest seq there.
        seq: i64,
    },
    /// The visitor has seen all up to `seq`.
    Read {
        /// Newest seq seen.
        seq: i64,
    },
    /// The visitor wants a person.
    AskPerson {},
    /// A button of the card that asks for confirmation.
    Confirm {
        /// The request that the card names.
        request: String,
        /// Which button.
        yes: bool,
    },
    /// That solved it, or it is enough: the chat ends.
    Resolve {},
    /// An answer to what is asked after a chat.
    SurveyAnswer {
        /// Which question.
        id: String,
        /// The score.
        score: i64,
        /// Words beside it; empty when none follow, left out while they may.
        #[serde(default)]
        comment: Option<String>,
    },
    /// The visitor does not want to answer.
    SurveyDecline {
        /// Which question.
        id: String,
    },
    /// A one-time code.
    Code {
        /// As it was typed.
        code: String,
    },
    /// The chat was opened on a page.
    Opened {
        /// The visit: 32 hex digits, made by the widget for one browser tab.
        session: String,
        /// The browser: 32 hex digits.
        visitor: String,
        /// Address of the page.
        page: String,
        /// Address of the page before it.
        #[serde(default)]
        referrer: String,
        /// `source / medium / campaign`.
        #[serde(default)]
        campaign: String,
    },
    /// The visitor has done what the owner hopes for.
    Converted(Conversion),
    /// Is anybody there?
    Ping {},
}

/// What the owner's console sends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum OwnerFrame {
    /// Opens.
    Hello {
        /// Version of the protocol.
        v: u32,
        /// From `POST /console/api/ticket`.
        ticket: String,
    },
    /// The owner types, or has stopped.
    Typing {
        /// Where.
        conversation: String,
        /// Whether.
        on: bool,
    },
    /// Which conversation is on the owner's screen.
    Watch {
        /// Its id, or none.
        conversation: Option<String>,
        /// Newest seq that the console has of it; left out before it has read it.
        #[serde(default)]
        last_seq: Option<i64>,
    },
    /// Is anybody there?
    Ping {},
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, good: bool) {
        assert_eq!(serde_json::from_str::<VisitorFrame>(text).is_ok(), good, "{text}");
    }

    #[test]
    fn frames_are_read_strictly() {
        check(r#"{"type":"hello","v":1,"token":null,"conversation":null,"last_seq":0}"#, true);
        check(r#"{"type":"hello","v":1}"#, true);
        check(r#"{"type":"hello","v":1,"scope":{"area":"billing","language":"en"}}"#, true);
        check(r#"{"type":"ask_person"}"#, true);
        for bad in [
            "",
            "null",
            "[]",
            "0",
            "\"hello\"",
            "{}",
            r#"{"type":"nothing"}"#,
            r#"{"type":"hello"}"#,
            r#"{"type":"hello","v":"1"}"#,
            r#"{"type":"hello","v":1,"extra":1}"#,
            r#"{"type":"hello","v":-1}"#,
            r#"{"type":"hello","v":1,"scope":{"team":"x"}}"#,
            r#"{"type":"hello","v":1,"scope":{"area":1}}"#,
            r#"{"type":"hello","v":1,"last_seq":1e400}"#,
            r#"{"type":"hello","v":1,"last_seq":18446744073709551616}"#,
            r#"{"type":"ask_person","from":"owner"}"#,
            r#"{"type":"send","client_msg_id":"x"}"#,
            r#"{"type":"send","client_msg_id":["x"],"text":"a"}"#,
            r#"{"type":"send","client_msg_id":"x","text":"a","from":"bot"}"#,
            r#"{"type":"typing","on":1}"#,
            r#"{"type":"watch","conversation":null}"#,
            r#"{"type":"resolve","by":"owner"}"#,
            r#"{"type":"survey_answer","id":"a"}"#,
            r#"{"type":"survey_answer","id":"a","score":4.5}"#,
            r#"{"type":"survey_answer","id":"a","score":"4"}"#,
            r#"{"type":"survey_decline"}"#,
        ] {
            check(bad, false);
        }
        check(&format!("{}{}", "[".repeat(60_000), "]".repeat(60_000)), false);
    }
}
