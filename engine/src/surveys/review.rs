//! Which chats the owner should read again: those that were rated low, and those that ended in anger without a rating.

use crate::metrics::normalised;

/// The worst satisfaction that is no longer low, of 1 to 5.
const CSAT_FINE: u8 = 3;
/// The worst recommendation that is no detractor's, of 0 to 10.
const NPS_FINE: u8 = 7;
/// From here on a visitor sounds so annoyed that the end of the chat is worth a look, of 0 to 1.
const ANNOYED: f32 = 0.7;

/// How a case has ended, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ended {
    /// Score and best score of the satisfaction.
    pub csat: Option<(u8, u8)>,
    /// How likely a recommendation is, 0 to 10.
    pub nps: Option<u8>,
    /// How annoyed the visitor's last words were that a reply was made for, 0 to 1.
    pub frustration: Option<f32>,
}

/// Why a case is worth a second look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was rated 1 or 2 of 5.
    Csat,
    /// The visitor would not recommend the owner: 0 to 6 of 10.
    Nps,
    /// It was not rated, and the visitor sounded annoyed at the end.
    Frustration,
}

impl Why {
    /// The word used in the database and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csat => "csat",
            Self::Nps => "nps",
            Self::Frustration => "frustration",
        }
    }
}

/// Whether a case is worth a second look: low satisfaction (2 of 5 at most), else a detractor (6 of 10 at most), else anger at the end
/// (0.7 at least) where the visitor has not said how the chat was. What was declined is no reason.
pub fn why(ended: Ended) -> Option<Why> {
    let csat = ended.csat.and_then(|(score, scale)| normalised(score, scale));
    if csat.is_some_and(|score| score < CSAT_FINE) {
        return Some(Why::Csat);
    }
    if ended.nps.is_some_and(|score| score < NPS_FINE) {
        return Some(Why::Nps);
    }
    let angry = ended.frustration.is_some_and(|frustration| frustration >= ANNOYED);
    (angry && csat.is_none()).then_some(Why::Frustration)
}
