//! From stored messages to the lines that an owner's summary is made of.

use engine::summary::Line;

use crate::protocol::record::Citation;
use crate::store::messages::Message;

/// What the messages cite. A stored value that means nothing is nothing.
pub fn cited(messages: &[Message]) -> Vec<Vec<Citation>> {
    messages.iter().map(|m| serde_json::from_str(&m.citations).unwrap_or_default()).collect()
}

/// The messages with the titles of the documents that they cite.
pub fn lines<'a>(messages: &'a [Message], cited: &'a [Vec<Citation>]) -> Vec<Line<'a>> {
    let lines = messages.iter().zip(cited).filter_map(|(message, cited)| {
        let cites = cited.iter().map(|citation| citation.title.as_str()).collect();
        Some(Line { speaker: message.speaker.parse().ok()?, text: &message.text, cites })
    });
    lines.collect()
}
