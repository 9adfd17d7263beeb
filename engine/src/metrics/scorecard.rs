//! The scorecard as it is shown: its JSON is what the console reads.

use serde::{Deserialize, Serialize};

use super::case::Kind;
use super::money::{Assumptions, Savings};
use super::rates::{Csat, Nps, Share};
use super::timers::{Spread, Timer};

/// All figures of a period. Unless it says otherwise, a figure counts the cases that began in the period; what has no value at n = 0
/// is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    /// First moment of the period, in milliseconds since 1970.
    pub from: i64,
    /// The moment after its last.
    pub to: i64,
    /// Cases that began.
    pub cases: u64,
    /// Time to the first reply (mission text: FRT), of the bot and of people apart.
    pub frt: Frt,
    /// Cases by the time to the first reply of anybody: 0-30, 31-60, 61-180 seconds and more.
    pub frt_buckets: Vec<FrtBucket>,
    /// From the oldest message without a reply to the reply, for each reply that a visitor waited for.
    pub latency: Latency,
    /// From the visitor's first message to the last resolve, of cases that are resolved.
    pub resolution: Resolution,
    /// Messages of visitor, bot and owner, of all cases.
    pub turns: Spread,
    /// Time that people spent, of cases in which they wrote.
    pub handling: Handling,
    /// The survey of satisfaction.
    pub csat: Csat,
    /// The survey of recommendation, of the four weeks up to the end of the period.
    pub nps: Nps,
    /// Cases reopened within 72 hours of those resolved (mission text: reopen rate), as far as that is known.
    pub reopened: Share,
    /// Resolves that held for seven days, of those of which that is known (product notes, section 5).
    pub durable: Share,
    /// Resolved without a person, of those resolved (mission text: containment).
    pub containment: Share,
    /// Answered by the bot without person and ticket, of all (mission text: deflection).
    pub deflection: Share,
    /// Cases by who resolved them.
    pub resolved: Resolved,
    /// Cases by who answered.
    pub kinds: Vec<OfKind>,
    /// Hand-offs by reason, the most frequent first.
    pub hand_offs: Vec<Reason>,
    /// What saved replies change.
    pub templates: Vec<Template>,
    /// Parts of the cases, the 20 most frequent each.
    pub segments: Segments,
    /// Leads and conversions.
    pub assist: Assist,
    /// Money and time.
    pub savings: Savings,
    /// What was assumed for that.
    pub assumptions: Assumptions,
    /// From visit to rating.
    pub funnel: Vec<Step>,
    /// How good the chats were.
    pub quality: Quality,
    /// What became of suggestions.
    pub suggestions: Suggestions,
    /// Drafts that were stopped.
    pub drafts_cancelled: u64,
    /// One tag looked at closely, another each week; none without tags.
    pub deep_dive: Option<DeepDive>,
    /// The days (UTC) of the period.
    pub days: Vec<Day>,
}

/// First response times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frt {
    /// To the bot's first message.
    pub bot: Timer,
    /// To the first message of a person.
    pub person: Timer,
    /// The same within office hours.
    pub person_open: Timer,
}

/// Cases by the time to the first reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrtBucket {
    /// For people.
    pub label: String,
    /// Cases.
    pub n: u64,
    /// Their ratings.
    pub csat: Csat,
    /// Their recommendations.
    pub nps: Nps,
}

/// Waiting times for replies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// For the bot's.
    pub bot: Timer,
    /// For those of people.
    pub person: Timer,
}

/// Resolution times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// Of all resolved cases.
    pub all: Timer,
    /// By primary tag, the most frequent tag first; an empty tag stands for none.
    pub by_tag: Vec<OfTag>,
}

/// Resolution times of a tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfTag {
    /// The tag.
    pub tag: String,
    /// Its times.
    pub timer: Timer,
}

/// Handling times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handling {
    /// Cases in which a person wrote.
    pub n: u64,
    /// Mean, in milliseconds.
    pub mean_ms: Option<f64>,
    /// Median, in milliseconds.
    pub median_ms: Option<i64>,
}

/// Cases by who resolved them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    /// The owner's side.
    pub owner: u64,
    /// The visitor.
    pub visitor: u64,
    /// Nobody: the visitor fell silent.
    pub silence: u64,
    /// Not resolved.
    pub open: u64,
}

/// Cases that were answered in one way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfKind {
    /// By whom.
    pub kind: Kind,
    /// Cases.
    pub n: u64,
    /// Their ratings.
    pub csat: Csat,
    /// Time to the first reply of anybody.
    pub frt: Timer,
    /// Time to the resolve.
    pub resolution: Timer,
    /// Mean number of messages.
    pub turns_mean: Option<f64>,
    /// Share that was reopened.
    pub reopened: Share,
}

/// How often people were asked for, for one reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Why.
    pub reason: String,
    /// How often.
    pub n: u64,
}

/// What a saved reply changes: the cases with it beside those of the same tags that a person answered without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Its id.
    pub template: String,
    /// The cases with it.
    #[serde(flatten)]
    pub with: Effect,
    /// The cases without it.
    pub without: Effect,
}

/// How long and how many messages cases took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Cases.
    pub n: u64,
    /// Mean number of messages.
    pub turns_mean: Option<f64>,
    /// Median time to the resolve, in milliseconds, of those that are resolved.
    pub resolution_median_ms: Option<i64>,
}

/// Parts of the cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segments {
    /// By page.
    pub page: Vec<Part>,
    /// By campaign.
    pub campaign: Vec<Part>,
    /// By primary tag.
    pub tag: Vec<Part>,
}

/// Cases that have a word in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The word; empty for none.
    pub key: String,
    /// Cases.
    pub n: u64,
    /// Their ratings.
    pub csat: Csat,
    /// Time to the first reply of anybody.
    pub frt: Timer,
    /// Resolved without a person, of those resolved.
    pub containment: Share,
}

/// Leads and conversions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assist {
    /// Leads that came or grew.
    pub leads: u64,
    /// Cases that a conversion followed within two hours of the resolve, of those that owner or visitor resolved.
    pub conversions: Share,
    /// What those conversions were worth.
    pub values: Vec<Value>,
}

/// Worth in one currency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// Code of ISO 4217; empty when it was not said.
    pub currency: String,
    /// In its smallest unit.
    pub value: i64,
}

/// A step of the funnel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// `opened` (visits), `begun`, `answered`, `resolved`, `rated` (cases).
    pub step: String,
    /// How many came so far.
    pub n: u64,
}

/// How good the chats were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// As the owner judged.
    pub clarity: Judged,
    /// As the owner judged.
    pub correctness: Judged,
    /// As the owner judged.
    pub empathy: Judged,
    /// How the visitors' mood went.
    pub sentiment: Sentiment,
}

/// Judgements from 1 to 3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Cases judged.
    pub n: u64,
    /// Mean, 1 to 3.
    pub mean: Option<f64>,
}

/// Cases by how the visitor's frustration went from the first to the last decided reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sentiment {
    /// It fell by more than 0.1.
    pub better: u64,
    /// It stayed.
    pub same: u64,
    /// It rose by more than 0.1.
    pub worse: u64,
}

/// What became of suggestions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suggestions {
    /// Sent as they were.
    pub accepted: u64,
    /// Sent with other words.
    pub edited: u64,
    /// Thrown away.
    pub discarded: u64,
}

/// One tag looked at closely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeepDive {
    /// The tag.
    pub tag: String,
    /// Cases.
    pub n: u64,
    /// Their ratings.
    pub csat: Csat,
    /// Time to the first reply of anybody.
    pub frt: Timer,
    /// Time to the resolve.
    pub resolution: Timer,
    /// Resolved without a person, of those resolved.
    pub containment: Share,
    /// Hand-offs by reason, the most frequent first.
    pub hand_offs: Vec<Reason>,
    /// Share that was reopened.
    pub reopened: Share,
}

/// Cases that began on one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// `2026-11-22`, UTC.
    pub day: String,
    /// Cases.
    pub n: u64,
    /// Median time to the first reply of anybody, in milliseconds.
    pub frt_median_ms: Option<i64>,
    /// Mean rating, 1 to 5.
    pub csat_mean: Option<f64>,
    /// Those that are resolved.
    pub resolved: u64,
    /// Those of them without a person.
    pub contained: u64,
}
