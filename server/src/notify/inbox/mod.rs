//! Answers to mail: fetched from the owner's mailbox and put into the conversation that the mail was about.

use crate::config;

/// Reads a mailbox by the settings `[imap]`.
#[derive(Debug)]
pub struct Inbox {
    settings: config::Imap,
    /// Certificates that are trusted beside the system's, as PEM.
    trust: Vec<Vec<u8>>,
}

impl Inbox {
    /// By these settings; `trust` are certificates beside the system's, as PEM.
    pub fn new(settings: config::Imap, trust: &[Vec<u8>]) -> Self {
        Self { settings, trust: trust.to_vec() }
    }

    /// Whether a mailbox is read.
    pub fn is_set(&self) -> bool {
        self.settings.server.is_some()
    }
}
