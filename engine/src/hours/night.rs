//! A hand-off while nobody is there: a ticket, or the alarm.

use super::{Availability, Hours};
use crate::rules;
use crate::text;

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

impl Hours {
    /// Whether one of the owner's priority words stands in a text.
    pub fn is_urgent(&self, words: &str) -> bool {
        let mut sentences = text::sentences(words).into_iter();
        sentences.any(|words| rules::stands_in(&words, &self.priority_words, &[]))
    }
}
