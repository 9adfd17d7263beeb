//! Tickets: what is not answered now, and who is told when it is.

use serde::{Deserialize, Serialize};

use crate::tasks::{Card, Scene, Step};

/// A ticket on the way: as it is kept with the conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {}

/// A ticket that has all it needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Draft {}

/// The first step, in place of a hand-off while nobody is there; `None` when a person is asked for at once (priority words).
pub fn begin(_scene: Scene<'_>) -> Option<Step> {
    None
}

/// The next step; `None` when the message is about something else.
pub fn go_on(_scene: Scene<'_>, _on: &Request) -> Option<Step> {
    None
}

/// What it waits for, in words and with its card.
pub fn pending(_scene: Scene<'_>, _on: &Request) -> Option<(String, Option<Card>)> {
    None
}
