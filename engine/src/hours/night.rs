//! A hand-off while nobody is there: a ticket, or the alarm.

use super::{Availability, Hours};
use crate::rules::{self, Reason};
use crate::tasks::{Scene, Step};
use crate::text;

/// Words of a message that asks whether anybody is there, at most; longer ones ask for something.
const ASKING_WORDS: usize = 10;

/// What a hand-off comes to by the hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterHours {
    /// A person can be expected: it is handed over as always.
    AsAlways,
    /// Nobody is there, but the words are ones that the owner wants to be called for: it is handed over, and told at once.
    Urgent,
    /// Nobody is there: the visitor is told so, and a ticket is taken.
    Ticket {
        /// When somebody will be there: "Monday at 09:00"; empty when nobody can tell.
        opens: String,
    },
}

/// What a hand-off comes to: `words` are the visitor's, as far as this conversation is about them.
pub fn after_hours(hours: &Hours, availability: &Availability, words: &str) -> AfterHours {
    match availability {
        Availability::Open => AfterHours::AsAlways,
        Availability::Closed { .. } if hours.is_urgent(words) => AfterHours::Urgent,
        Availability::Closed { opens } => AfterHours::Ticket { opens: opens.clone() },
    }
}

/// What the hours alone decide about a message. While nobody is there, priority words call a person at once. While somebody may be,
/// "Is anybody there right now?" is told the hours, or that none are set, and a person is asked for besides.
pub(crate) fn answer(scene: Scene<'_>) -> Option<Step> {
    let (hours, question) = (&scene.parts.books.hours, &scene.turn.question);
    let (id, rule, reason) = match scene.turn.standing.hours {
        Availability::Closed { .. } if hours.is_urgent(question) => {
            ("ticket_urgent", "priority-words", Reason::AfterHours)
        }
        Availability::Open if hours.is_asked(question) => {
            let id = if hours.is_set() { "hours_open" } else { "hours_unset" };
            (id, "asks-whether-open", Reason::AskedForPerson)
        }
        _ => return None,
    };
    let text = scene.parts.templates.say(id).replace("{hours}", &hours.describe());
    (!text.is_empty()).then(|| Step { hand_off: Some(reason), ..Step::saying(rule, text) })
}

impl Hours {
    /// Whether a text asks if anybody is there.
    fn is_asked(&self, words: &str) -> bool {
        let sentences = text::sentences(words);
        sentences.iter().map(Vec::len).sum::<usize>() <= ASKING_WORDS
            && sentences.iter().any(|words| rules::stands_in(words, &self.asking, &[]))
    }

    /// Whether one of the owner's priority words stands in a text.
    pub fn is_urgent(&self, words: &str) -> bool {
        let mut sentences = text::sentences(words).into_iter();
        sentences.any(|words| rules::stands_in(&words, &self.priority_words, &[]))
    }
}
