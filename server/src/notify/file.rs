//! `prompts/notify.toml`: who is told what, and where.

use engine::tasks::BookError;

/// The file, checked.
#[derive(Debug, Clone, Default)]
pub struct Notify;

impl Notify {
    /// Reads the TOML text.
    ///
    /// # Errors
    /// [`BookError`] with the line.
    pub fn parse(_text: &str) -> Result<Self, BookError> {
        Ok(Self)
    }
}
