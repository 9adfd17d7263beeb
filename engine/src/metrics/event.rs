//! What happens in chats, as one stream: names that stay, ids, and times. Everything that is measured follows from it.
//!
//! No event holds words of a message. Times are milliseconds since 1970 (UTC); outside of the program they are written as RFC 3339.

use serde::{Deserialize, Serialize};

use crate::turn::Speaker;

/// One event of the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the stream; rises.
    pub n: i64,
    /// 32 hex digits.
    pub id: String,
    /// When it was recorded, in milliseconds since 1970.
    pub at: i64,
    /// The conversation it is about.
    pub conversation: Option<String>,
    /// The visit in which it happened: one browser tab from opening the chat on.
    pub session: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", content = "data", rename_all = "snake_case")]
pub enum What {
    /// A visitor has opened the chat for the first time in this visit.
    ChatOpened(Visit),
    /// A conversation has begun.
    ConversationStarted {
        /// Where the visitor came from.
        #[serde(flatten)]
        visit: Visit,
        /// Whether the owner tries out the measuring: such a conversation counts nowhere.
        #[serde(default)]
        staging: bool,
    },
    /// A message was stored.
    MessageSent {
        /// Its place in the conversation.
        seq: i64,
        /// Who wrote it.
        from: Speaker,
        /// The visitor's message that the bot's reply answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answers: Option<i64>,
        /// Whether it is an automatic answer made from the documents.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        answer: bool,
        /// When it was written, where it came by mail and was not written when it was stored.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        written_at: Option<i64>,
        /// Of a reply: the part of the wait since the oldest unanswered message of the visitor that fell into the office hours, in
        /// milliseconds. None where no hours are set or nothing was unanswered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        open_ms: Option<i64>,
        /// The saved reply it began with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<String>,
    },
    /// The first reply of a kind within a case.
    FirstResponse {
        /// `bot` or `owner`.
        from: Speaker,
        /// Milliseconds since the visitor's first message of the case.
        ms: i64,
        /// Those of them within the office hours; none where no hours are set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        open_ms: Option<i64>,
    },
    /// It was decided what becomes of an automatic reply.
    ReplyDecided {
        /// The visitor's message.
        for_seq: i64,
        /// `send`, `hold` or `hand_off`.
        action: String,
        /// The rule that decided.
        rule: String,
        /// Why, as an [`crate::rules::Reason`] has it.
        reason: String,
        /// 0 to 1.
        confidence: f32,
        /// How annoyed the visitor sounds, 0 to 1.
        frustration: f32,
        /// Ids of the intents, the primary one first.
        tags: Vec<String>,
    },
    /// A person is asked for.
    HandedOff {
        /// Why, as an [`crate::rules::Reason`] has it, or `busy` or `timeout`.
        reason: String,
    },
    /// A person has taken the conversation.
    TakenOver {
        /// The owner's name.
        by: String,
    },
    /// A person has given the conversation back to the bot.
    HandedBack {},
    /// A draft was stopped before it was done.
    DraftCancelled {
        /// The visitor's message that it was for.
        for_seq: i64,
    },
    /// The owner has sent a suggestion as it was.
    SuggestionAccepted {
        /// The visitor's message that it answers.
        for_seq: i64,
    },
    /// The owner has sent a suggestion with other words.
    SuggestionEdited {
        /// The visitor's message that it answers.
        for_seq: i64,
        /// Characters between the two.
        distance: i64,
    },
    /// The owner has thrown a suggestion away.
    SuggestionDiscarded {
        /// The visitor's message that it answers.
        for_seq: i64,
    },
    /// A call of an action has come to an end.
    ActionCalled {
        /// The action's id.
        action: String,
        /// `done`, `failed`, `unknown` or `refused`.
        status: String,
    },
    /// A lead has come or grown.
    LeadCaptured {
        /// The flow's id.
        flow: String,
        /// The level it has reached, as the flow calls it.
        level: String,
    },
    /// A ticket was opened.
    TicketOpened {
        /// Its number.
        number: i64,
    },
    /// The owner has said what a message is about.
    TagCorrected {
        /// The message.
        seq: i64,
        /// Id of the intent.
        tag: String,
    },
    /// The case is resolved.
    ChatResolved {
        /// Who says so.
        by: By,
        /// Milliseconds since the visitor's first message of the case.
        resolution_time_ms: i64,
        /// Messages of visitor, bot and owner in the case.
        turns: i64,
        /// Ids of the intents, the primary one first.
        tags: Vec<String>,
    },
    /// The visitor has written again within [`super::clock::REOPEN_MS`] of the resolve.
    ChatReopened {
        /// Milliseconds since the resolve.
        after_ms: i64,
    },
    /// The visitor was asked how the chat was.
    CsatAsked {},
    /// The visitor has said how the chat was. A comment that follows the score brings the event once more; the later one counts.
    CsatSubmitted {
        /// The case it is about, from 1; none: the last one that was resolved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<i64>,
        /// From 1 to `scale`.
        score: u8,
        /// 3 or 5.
        scale: u8,
        /// In their own words, personal data masked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// The visitor does not want to say how the chat was.
    CsatDeclined {},
    /// The visitor was asked whether they would recommend the owner.
    NpsAsked {},
    /// The visitor has said so. A comment that follows the score brings the event once more; the later one counts.
    NpsSubmitted {
        /// The case it is about, from 1; none: the last one that was resolved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<i64>,
        /// 0 to 10.
        score: u8,
        /// In their own words, personal data masked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// The visitor does not want to say so.
    NpsDeclined {},
    /// The owner has judged the chat.
    RubricScored {
        /// The case it is about, from 1; none: the last one that was resolved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<i64>,
        /// 1 to 3.
        clarity: u8,
        /// 1 to 3.
        correctness: u8,
        /// 1 to 3.
        empathy: u8,
    },
    /// The visitor has done what the owner hopes for: bought something, signed up.
    Converted {
        /// What, in the owner's word: `purchase`.
        kind: String,
        /// Whether a page has told it, and not a program of the owner's; its worth is not believed then.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_page: bool,
        /// Its worth in the smallest unit of the currency.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<i64>,
        /// Three capital letters of ISO 4217.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        currency: Option<String>,
    },
}

/// Where a visit came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Visit {
    /// Address of the page, without query and fragment.
    pub page: String,
    /// Address of the page before it, likewise; empty for none.
    pub referrer: String,
    /// `source / medium / campaign` of the page's UTM parameters; empty for none.
    pub campaign: String,
    /// The browser, across visits: 32 hex digits; empty for unknown.
    pub visitor: String,
}

/// Who has said that a case is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A person of the owner's side has closed it.
    Owner,
    /// The visitor.
    Visitor,
    /// Nobody: the visitor had an answer and has said nothing more.
    Silence,
}

impl What {
    /// Names of all events.
    pub const NAMES: [&str; 26] = [
        "chat_opened",
        "conversation_started",
        "message_sent",
        "first_response",
        "reply_decided",
        "handed_off",
        "taken_over",
        "handed_back",
        "draft_cancelled",
        "suggestion_accepted",
        "suggestion_edited",
        "suggestion_discarded",
        "action_called",
        "lead_captured",
        "ticket_opened",
        "tag_corrected",
        "chat_resolved",
        "chat_reopened",
        "csat_asked",
        "csat_submitted",
        "csat_declined",
        "nps_asked",
        "nps_submitted",
        "nps_declined",
        "rubric_scored",
        "converted",
    ];
}
