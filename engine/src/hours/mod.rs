//! Office hours.

use crate::tasks::BookError;

/// `prompts/hours.toml`.
#[derive(Debug, Clone, Default)]
pub struct Hours;

/// Whether a person can be expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Availability {
    /// Yes, or nothing is said about it.
    #[default]
    Open,
    /// Not before then.
    Closed {
        /// When, for people: `Monday at 09:00`.
        opens: String,
    },
}

impl Hours {
    /// Reads the TOML text.
    ///
    /// # Errors
    /// [`BookError`] with the line.
    pub fn parse(_text: &str) -> Result<Self, BookError> {
        Ok(Self)
    }
}
