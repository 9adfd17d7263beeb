//! When a visitor is asked how the chat was, when silence ends it, and which chats deserve a second look: `prompts/surveys.toml`.

mod file;
mod review;

use crate::conversation::State;
use crate::turn::Speaker;

pub use review::{Ended, Why, why};

/// Milliseconds of an hour and of a day.
const HOUR_MS: i64 = 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How long an answer may be changed and a comment added after it was given, in milliseconds.
pub const CHANGE_MS: i64 = HOUR_MS;
/// How long a question may be answered after it was asked, in milliseconds.
pub const ANSWER_MS: i64 = 7 * DAY_MS;
/// The highest score of [`Kind::Nps`]; the lowest is 0.
pub const NPS_MAX: u8 = 10;

/// `prompts/surveys.toml`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// How the chat was; `None` when that is not asked.
    pub csat: Option<Csat>,
    /// Whether they would recommend the owner; `None` when that is not asked.
    pub nps: Option<Nps>,
    /// Hours without a word after which a chat counts as resolved; `None` for never.
    pub silence_hours: Option<u32>,
    /// Whether visitors are asked below an answer if it has solved their matter.
    pub ask_solved: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { csat: None, nps: None, silence_hours: Some(24), ask_solved: false }
    }
}

/// How the question for satisfaction is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csat {
    /// The best score, 3 or 5; the worst is 1.
    pub scale: u8,
    /// What the scores look like.
    pub look: Look,
    /// The question.
    pub question: String,
    /// What is asked beside it, to be answered in words.
    pub comment: String,
}

/// How and how often the question for a recommendation is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nps {
    /// On every so-manieth resolved case of a visitor; 0 for none.
    pub every: u32,
    /// And when the visitor was not asked for so many days; 0 for no such schedule.
    pub days: u32,
    /// The question.
    pub question: String,
    /// What is asked beside it, to be answered in words.
    pub comment: String,
}

/// What the scores of [`Kind::Csat`] look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// From one star to all.
    Stars,
    /// From an unhappy face to a happy one.
    Faces,
}

impl Look {
    /// The word used in the file, in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stars => "stars",
            Self::Faces => "faces",
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// How the chat was.
    Csat,
    /// How likely a recommendation is.
    Nps,
}

impl Kind {
    /// The word used in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csat => "csat",
            Self::Nps => "nps",
        }
    }

    /// Whether `score` is one of the scores from the worst to `scale`.
    pub fn takes(self, score: i64, scale: i64) -> bool {
        let worst = i64::from(self == Self::Csat);
        (worst..=scale).contains(&score)
    }
}

impl std::str::FromStr for Kind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::Csat, Self::Nps].into_iter().find(|kind| kind.as_str() == word).ok_or(())
    }
}

/// What has become of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It waits.
    Open,
    /// There is a score.
    Answered,
    /// The visitor does not want to say.
    Declined,
    /// Nobody has answered in time.
    Expired,
}

impl Status {
    /// The word used in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Declined => "declined",
            Self::Expired => "expired",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let all = [Self::Open, Self::Answered, Self::Declined, Self::Expired];
        all.into_iter().find(|status| status.as_str() == word).ok_or(())
    }
}

/// What has come before the moment in which something may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Past {
    /// Whether the owner or the visitor says that the case is resolved; false when silence does.
    pub confirmed: bool,
    /// What was asked in this case.
    pub case: Vec<(Kind, Status)>,
    /// Cases of this visitor whose resolve was confirmed, this one among them.
    pub resolved: u32,
    /// When this visitor was last asked for a recommendation, in milliseconds since 1970.
    pub nps_at: Option<i64>,
}

impl Past {
    fn of(&self, kind: Kind) -> Option<Status> {
        self.case.iter().find(|(asked, _)| *asked == kind).map(|(_, status)| *status)
    }
}

/// What to ask at `now` in a case that is resolved: one thing at most, each once a case. Satisfaction comes first; a recommendation
/// is asked for once that was answered, or at once where it is not asked for at all. Who declines, or lets the first question lie, is
/// not asked the second, and silence asks nothing.
pub fn ask(rules: &Rules, past: &Past, now: i64) -> Option<Kind> {
    if !past.confirmed {
        return None;
    }
    match past.of(Kind::Csat) {
        None if rules.csat.is_some() && past.of(Kind::Nps).is_none() => return Some(Kind::Csat),
        None | Some(Status::Answered) => {}
        Some(_) => return None,
    }
    let nps = rules.nps.as_ref().filter(|_| past.of(Kind::Nps).is_none())?;
    let counted = past.resolved.checked_rem(nps.every).is_some_and(|left| left == 0);
    let long_ago =
        |days: u32| past.nps_at.is_none_or(|at| now.saturating_sub(at) >= i64::from(days) * DAY_MS);
    let planned = nps.days > 0 && long_ago(nps.days);
    (past.resolved > 0 && (counted || planned)).then_some(Kind::Nps)
}

/// How a conversation stands in which nobody has written for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// Who holds it.
    pub state: State,
    /// Who wrote last, lines of the system aside; `None` when nobody has.
    pub last: Option<Speaker>,
    /// Whether that was a question: then somebody waits for an answer.
    pub asks: bool,
    /// When, in milliseconds since 1970.
    pub last_at: i64,
    /// Things that wait for somebody: a reply on its way, a draft, a step, a call, a promise, a ticket.
    pub open: u32,
}

/// What silence makes of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It counts as resolved.
    Resolves,
    /// It will from this moment on, in milliseconds since 1970, if nobody writes.
    Until(i64),
    /// It does not end by itself as it stands. When in doubt, a chat stays open.
    Keeps,
}

/// Whether silence ends the conversation.
pub fn silence(rules: &Rules, quiet: Quiet, now: i64) -> Silence {
    let Some(hours) = rules.silence_hours else { return Silence::Keeps };
    let held = matches!(quiet.state, State::Bot | State::Owner);
    let said = matches!(quiet.last, Some(Speaker::Bot | Speaker::Owner));
    if !held || !said || quiet.asks || quiet.open > 0 {
        return Silence::Keeps;
    }
    let until = quiet.last_at.saturating_add(i64::from(hours) * HOUR_MS);
    if now >= until { Silence::Resolves } else { Silence::Until(until) }
}

#[cfg(test)]
mod tests;
