//! The case: the unit of all figures, made from the events of its conversation.

use serde::{Deserialize, Serialize};

use super::event::By;
use super::rates::normalised;

/// Days for which a resolve has to hold, in milliseconds: 7 (product notes, section 5: "durable = still closed after 7 d").
pub const DURABLE_MS: i64 = 7 * 86_400_000;

/// What is measured of one case: from the visitor's first message on, until it is resolved for good. Its JSON is short, so that it may
/// be kept beside the events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Case {
    /// Which case of its conversation it is, from 1.
    #[serde(rename = "i", skip_serializing_if = "is_zero")]
    pub place: i64,
    /// Moment of the visitor's first message, in milliseconds since 1970.
    #[serde(rename = "b", skip_serializing_if = "is_zero")]
    pub began_at: i64,
    /// When it was resolved for the first time, where that was not the last time; milliseconds since 1970.
    #[serde(rename = "fr", skip_serializing_if = "Option::is_none")]
    pub first_resolved_at: Option<i64>,
    /// The page on which the conversation began; empty for unknown.
    #[serde(rename = "p", skip_serializing_if = "String::is_empty")]
    pub page: String,
    /// The campaign that brought the visitor; empty for none.
    #[serde(rename = "c", skip_serializing_if = "String::is_empty")]
    pub campaign: String,
    /// Ids of the intents, the primary one first.
    #[serde(rename = "g", skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Messages of visitor, bot and owner until the resolve, 1 or more (mission text: turn count).
    #[serde(rename = "t", skip_serializing_if = "is_zero")]
    pub turns: i64,
    /// Milliseconds from the first message of the visitor to the first one of the bot, 0 or more (mission text: FRT; the product notes, section
    /// 6, keep bot and person apart); none before it.
    #[serde(rename = "fb", skip_serializing_if = "Option::is_none")]
    pub frt_bot_ms: Option<i64>,
    /// Milliseconds from the first message of the visitor to the first one of a person, likewise.
    #[serde(rename = "fp", skip_serializing_if = "Option::is_none")]
    pub frt_person_ms: Option<i64>,
    /// Those of them within the office hours; none where no hours are set.
    #[serde(rename = "fo", skip_serializing_if = "Option::is_none")]
    pub frt_person_open_ms: Option<i64>,
    /// For each reply of the bot that the visitor waited for: milliseconds since the oldest message without a reply, 0 or more (mission text:
    /// "per-reply latencies").
    #[serde(rename = "lb", skip_serializing_if = "Vec::is_empty")]
    pub latency_bot_ms: Vec<i64>,
    /// The same for the replies of people.
    #[serde(rename = "lp", skip_serializing_if = "Vec::is_empty")]
    pub latency_person_ms: Vec<i64>,
    /// Milliseconds that a person spent on it, 0 or more: for each of their messages the time since the message of visitor or person before it
    /// or the take-over, whichever is latest, at most [`super::HANDLING_MS`] (mission text: "handle time"). None without a message of a person.
    #[serde(rename = "h", skip_serializing_if = "Option::is_none")]
    pub handling_ms: Option<i64>,
    /// The last resolve, in milliseconds since 1970, and who said so.
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    pub resolved: Option<(i64, By)>,
    /// Whether that resolve was withdrawn, because the visitor came back.
    #[serde(rename = "o", skip_serializing_if = "is_false")]
    pub open_again: bool,
    /// Whether the visitor came back after a resolve, at any time.
    #[serde(rename = "ro", skip_serializing_if = "is_false")]
    pub reopened: bool,
    /// When the next case of the conversation began, in milliseconds since 1970.
    #[serde(rename = "nx", skip_serializing_if = "Option::is_none")]
    pub next_at: Option<i64>,
    /// Whether the bot has answered from the documents.
    #[serde(rename = "a", skip_serializing_if = "is_false")]
    pub answered: bool,
    /// Whether a person has taken it over.
    #[serde(rename = "to", skip_serializing_if = "is_false")]
    pub taken_over: bool,
    /// Whether a ticket was opened.
    #[serde(rename = "tk", skip_serializing_if = "is_false")]
    pub ticket: bool,
    /// Reasons of its hand-offs.
    #[serde(rename = "ho", skip_serializing_if = "Vec::is_empty")]
    pub hand_offs: Vec<String>,
    /// Ids of the saved replies with which messages of a person began, each once.
    #[serde(rename = "tp", skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
    /// Suggestions accepted, edited and discarded.
    #[serde(rename = "s", skip_serializing_if = "are_zero")]
    pub suggestions: [u32; 3],
    /// Drafts that were stopped.
    #[serde(rename = "dc", skip_serializing_if = "is_none")]
    pub drafts_cancelled: u32,
    /// Leads that came or grew.
    #[serde(rename = "l", skip_serializing_if = "is_none")]
    pub leads: u32,
    /// What the visitor did within two hours after a resolve by owner or visitor.
    #[serde(rename = "v", skip_serializing_if = "Vec::is_empty")]
    pub conversions: Vec<Conversion>,
    /// Whether frustration fell or rose between the first and the last decided reply.
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    pub sentiment: Option<Trend>,
    /// The survey of satisfaction.
    #[serde(rename = "cs", skip_serializing_if = "Survey::is_silent")]
    pub csat: Survey<(u8, u8)>,
    /// The survey of recommendation.
    #[serde(rename = "np", skip_serializing_if = "Survey::is_silent")]
    pub nps: Survey<u8>,
    /// Clarity, correctness and empathy as the owner judged them, 1 to 3.
    #[serde(rename = "q", skip_serializing_if = "Option::is_none")]
    pub rubric: Option<[u8; 3]>,
}

/// A survey: what was asked and answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Survey<Answer> {
    /// Whether the visitor was asked.
    #[serde(rename = "a", skip_serializing_if = "is_false")]
    pub asked: bool,
    /// Whether the visitor did not want to answer.
    #[serde(rename = "d", skip_serializing_if = "is_false")]
    pub declined: bool,
    /// The answer; of CSAT the score and the scale it was given on.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

impl<Answer> Survey<Answer> {
    fn is_silent(&self) -> bool {
        !self.asked && !self.declined && self.answer.is_none()
    }

    /// The visitor has answered; the later answer counts, and an answer outweighs a refusal.
    pub(super) fn answered(&mut self, answer: Answer) {
        *self = Self { asked: true, declined: false, answer: Some(answer) };
    }

    /// The visitor has refused; what was answered before stays.
    pub(super) fn refused(&mut self) {
        self.asked = true;
        self.declined = self.answer.is_none();
    }
}

/// Something that the owner hopes visitors for to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversion {
    /// Its worth in the smallest unit of the currency.
    #[serde(rename = "v", skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
    /// Code of ISO 4217; empty when it was not said.
    #[serde(rename = "c", skip_serializing_if = "String::is_empty")]
    pub currency: String,
}

/// How the mood of a visitor went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// Less annoyed at the end.
    Better,
    /// Within a tenth of where it began.
    Same,
    /// More annoyed at the end.
    Worse,
}

impl Trend {
    /// The trend from the first to the last frustration (0 to 1) of a case: better below -0.1, worse above 0.1.
    pub(super) fn between(first: f32, last: f32) -> Self {
        // A tenth has no exact float: what differs by a tenth sharp is the same.
        const STEP: f64 = 0.1 + 1e-6;
        let change = f64::from(last) - f64::from(first);
        if change < -STEP {
            Self::Better
        } else if change > STEP {
            Self::Worse
        } else {
            Self::Same
        }
    }
}

/// Who answered a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No person has written.
    BotOnly,
    /// A person has written, and the bot has answered or its suggestion was sent.
    Assisted,
    /// A person has written without any help of the bot.
    PersonOnly,
}

impl Case {
    /// The primary tag; empty for none.
    pub fn tag(&self) -> &str {
        self.tags.first().map_or("", String::as_str)
    }

    /// Whether a person has written.
    pub fn person(&self) -> bool {
        self.handling_ms.is_some()
    }

    /// Who answered.
    pub fn kind(&self) -> Kind {
        let helped = self.answered || self.suggestions[0] + self.suggestions[1] > 0;
        match (self.person(), helped) {
            (false, _) => Kind::BotOnly,
            (true, true) => Kind::Assisted,
            (true, false) => Kind::PersonOnly,
        }
    }

    /// Milliseconds to the first reply of anybody; none without a reply.
    pub fn frt_ms(&self) -> Option<i64> {
        self.frt_bot_ms.into_iter().chain(self.frt_person_ms).min()
    }

    /// Who resolved it; none while it is open.
    pub fn by(&self) -> Option<By> {
        self.resolved.filter(|_| !self.open_again).map(|(_, by)| by)
    }

    /// Milliseconds from the visitor's first message to the resolve (mission text), at least 0; none while it is open.
    pub fn resolution_ms(&self) -> Option<i64> {
        self.by()?;
        self.resolved.map(|(at, _)| at.saturating_sub(self.began_at).max(0))
    }

    /// Whether a person said that it is resolved, owner or visitor.
    pub fn confirmed(&self) -> bool {
        matches!(self.by(), Some(By::Owner | By::Visitor))
    }

    /// Whether it is resolved and no person was needed (mission text: "resolved without human escalation").
    pub fn contained(&self) -> bool {
        self.by().is_some() && !self.escalated() && !self.taken_over
    }

    /// Whether the visitor was answered and no person was needed (mission text: "visitors who get answers and do not create a ticket").
    pub fn deflected(&self) -> bool {
        self.answered && !self.escalated()
    }

    fn escalated(&self) -> bool {
        self.person() || self.ticket || !self.hand_offs.is_empty()
    }

    /// Whether it was reopened within 72 hours; none in the first 72 hours after its first resolve, and for what was never resolved.
    /// Those that came back sooner wait as long as the others: else young periods would look worse than they are.
    pub fn came_back(&self, now: i64) -> Option<bool> {
        let first = self.first_resolved_at.or(self.resolved.map(|(at, _)| at))?;
        let known = now.saturating_sub(first) >= super::clock::REOPEN_MS;
        known.then_some(self.reopened)
    }

    /// Whether its last resolve held for [`DURABLE_MS`]; none before so long has passed, broken or not, and for what was never resolved.
    pub fn durable(&self, now: i64) -> Option<bool> {
        let (resolved, _) = self.resolved?;
        let next = self.next_at.is_some_and(|next| next.saturating_sub(resolved) <= DURABLE_MS);
        let broken = self.open_again || next;
        (now.saturating_sub(resolved) >= DURABLE_MS).then_some(!broken)
    }

    /// The rating from 1 to 5; none where nobody rated.
    pub fn rating(&self) -> Option<u8> {
        self.csat.answer.and_then(|(score, scale)| normalised(score, scale))
    }
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

fn is_none(value: &u32) -> bool {
    *value == 0
}

fn are_zero(values: &[u32; 3]) -> bool {
    *values == [0; 3]
}

fn is_false(value: &bool) -> bool {
    !value
}
