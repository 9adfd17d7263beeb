//! Who holds a conversation, and which moves between holders are legal.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who holds the conversation now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Porchlight answers.
    Bot,
    /// Handed off; a person is asked for, nobody has come yet, Porchlight is silent.
    Waiting,
    /// A person answers, Porchlight only suggests.
    Owner,
    /// Over, until the visitor writes again.
    Closed,
}

/// What can happen to the holder of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The visitor wrote.
    VisitorMessage,
    /// The bot hands off to a person, or the visitor asked for one.
    HandOff,
    /// A person takes the conversation.
    TakeOver,
    /// The person hands it back to the bot.
    HandBack,
    /// A person closes it.
    Close,
}

impl Event {
    /// Why it cannot happen in `state`, for people.
    fn refusal(self, state: State) -> &'static str {
        match (self, state) {
            (Self::Close, _) => "This conversation is closed already",
            (Self::HandBack, State::Bot) => "The bot holds this conversation already",
            (Self::HandBack, _) => {
                "A closed conversation cannot be handed back; write to take it up again"
            }
            (Self::HandOff, _) => "A person holds this conversation already",
            (Self::VisitorMessage | Self::TakeOver, _) => "This is always possible",
        }
    }
}

/// A move that the state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", .event.refusal(*.state))]
pub struct IllegalMove {
    /// The state it was in.
    pub state: State,
    /// What was tried.
    pub event: Event,
}

/// The state after `event`.
///
/// # Errors
/// [`IllegalMove`] when `event` makes no sense in `state`; the state is then unchanged.
pub fn next(state: State, event: Event) -> Result<State, IllegalMove> {
    use Event as E;
    use State as S;
    match (state, event) {
        (S::Closed, E::VisitorMessage) => Ok(S::Bot),
        (s, E::VisitorMessage) => Ok(s),
        (S::Bot | S::Waiting | S::Closed, E::HandOff) => Ok(S::Waiting),
        (_, E::TakeOver) => Ok(S::Owner),
        (S::Owner | S::Waiting, E::HandBack) => Ok(S::Bot),
        (S::Bot | S::Waiting | S::Owner, E::Close) => Ok(S::Closed),
        (state, event) => Err(IllegalMove { state, event }),
    }
}

impl State {
    /// The word used in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Waiting => "waiting",
            Self::Owner => "owner",
            Self::Closed => "closed",
        }
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Ok(match word {
            "bot" => Self::Bot,
            "waiting" => Self::Waiting,
            "owner" => Self::Owner,
            "closed" => Self::Closed,
            _ => return Err(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(state: State, event: Event, expect: Option<State>) {
        assert_eq!(next(state, event).ok(), expect, "{state:?} + {event:?}");
    }

    #[test]
    fn every_move_is_named() {
        use Event as E;
        use State as S;
        for (state, row) in [
            (S::Bot, [Some(S::Bot), Some(S::Waiting), Some(S::Owner), None, Some(S::Closed)]),
            (
                S::Waiting,
                [Some(S::Waiting), Some(S::Waiting), Some(S::Owner), Some(S::Bot), Some(S::Closed)],
            ),
            (S::Owner, [Some(S::Owner), None, Some(S::Owner), Some(S::Bot), Some(S::Closed)]),
            (S::Closed, [Some(S::Bot), Some(S::Waiting), Some(S::Owner), None, None]),
        ] {
            let events = [E::VisitorMessage, E::HandOff, E::TakeOver, E::HandBack, E::Close];
            for (event, expect) in events.into_iter().zip(row) {
                check(state, event, expect);
            }
        }
    }

    #[test]
    fn words_round_trip() {
        for state in [State::Bot, State::Waiting, State::Owner, State::Closed] {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
