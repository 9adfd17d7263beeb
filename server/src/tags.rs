//! The tags of visitors' messages: kept as they are read, put right by the owner, and told to the consoles.

use engine::entities::{Entities, Entity};
use engine::intent::Scored;
use engine::metrics::event::What;
use engine::turn::Speaker;

use crate::app::App;
use crate::events::record;
use crate::hub::Item;
use crate::prompts::Intent;
use crate::protocol::record::{Named, Reading};
use crate::protocol::server::Frame;
use crate::publish;
use crate::replies::turn::turn;
use crate::store::StoreError;
use crate::store::corrections::Correction;
use crate::store::messages::Message;
use crate::store::tags::Tag;

/// Characters of an example at most, the newest.
const MAX_EXAMPLE: usize = 400;
/// Messages before a corrected one that are looked at for what belongs to it.
const TOGETHER: i64 = 50;

/// Newest messages that are looked through for what the visitor has named.
const NAMED_IN: i64 = 200;
/// Things named that are shown, the newest.
const NAMED: usize = 20;

/// Why a tag could not be put right.
#[derive(Debug, thiserror::Error)]
pub enum TagError {
    /// No visitor's message stands there.
    #[error("There is no such message of a visitor.")]
    UnknownMessage,
    /// The intents have changed, or there never was one.
    #[error("There is no intent `{0}` in intents.toml any more. Reload the page.")]
    UnknownIntent(String),
    /// It was removed before.
    #[error("There is no such example any more.")]
    UnknownExample,
    /// The message holds no words.
    #[error("The message holds no words to learn from.")]
    NoWords,
    /// The database failed.
    #[error("The tag could not be stored. Please try again.")]
    Store(#[from] StoreError),
}

/// Keeps what a visitor's message was read as. What goes wrong is only logged: the reply goes on.
pub async fn keep(app: &App, conversation: &str, seq: i64, tags: &[Scored]) {
    let kept = async {
        let mut tx = app.store.begin().await?;
        tx.set_tags((conversation, seq), tags).await?;
        tx.show_tag(conversation).await?;
        tx.commit().await
    };
    match kept.await {
        Ok(()) => tell(app, conversation, seq),
        Err(error) => tracing::error!(%error, "the tags of a message could not be kept"),
    }
}

/// The owner says what a visitor's message is about: its conversation shows it at once, and the intents learn from it.
///
/// # Errors
/// [`TagError`]; nothing has changed then.
pub async fn correct(
    app: &App,
    (conversation, seq): (&str, i64),
    intent: &str,
) -> Result<(), TagError> {
    let choices = app.mind.prompts().choices();
    let chosen = choices.into_iter().find(|one| one.id == intent);
    let Intent { id: intent, label } =
        chosen.ok_or_else(|| TagError::UnknownIntent(intent.into()))?;
    let text = words(app, conversation, seq).await?;
    {
        let mut tx = app.store.begin().await?;
        let (id, at) = (app.ids.id(), app.clock.now_ms());
        let conversation = conversation.to_owned();
        let correction = Correction { id, conversation, seq, intent, label, text, at };
        tx.correct(&correction).await?;
        let what = What::TagCorrected { seq, tag: correction.intent.clone() };
        record(app, &mut tx, Some(&correction.conversation), what).await?;
        tx.show_tag(&correction.conversation).await?;
        tx.commit().await?;
    }
    app.mind.prompts.corrected();
    tell(app, conversation, seq);
    Ok(())
}

/// The owner takes an example back: the intents forget it, and its message has the tag it was read as.
///
/// # Errors
/// [`TagError`]; nothing has changed then.
pub async fn forget(app: &App, example: &str) -> Result<(), TagError> {
    let forgotten = {
        let mut tx = app.store.begin().await?;
        let forgotten = tx.forget_correction(example).await?.ok_or(TagError::UnknownExample)?;
        tx.show_tag(&forgotten.conversation).await?;
        tx.commit().await?;
        forgotten
    };
    app.mind.prompts.corrected();
    tell(app, &forgotten.conversation, forgotten.seq);
    Ok(())
}

/// The words that were read for the message: with those that the visitor sent right before it.
async fn words(app: &App, conversation: &str, seq: i64) -> Result<String, TagError> {
    let after = seq.saturating_sub(TOGETHER).max(0);
    let mut rows = app.store.messages(conversation, after, TOGETHER).await?;
    rows.retain(|row| row.seq <= seq);
    let last = rows.last().filter(|row| row.seq == seq);
    last.filter(|row| row.speaker == Speaker::Visitor.as_str()).ok_or(TagError::UnknownMessage)?;
    let decided = app.store.decided_before(conversation, seq).await?;
    let question = turn(&rows, 0, decided.unwrap_or(0))?.question;
    let skipped = question.chars().count().saturating_sub(MAX_EXAMPLE);
    let text: String = question.chars().skip(skipped).collect();
    match engine::text::words(&text).is_empty() {
        true => Err(TagError::NoWords),
        false => Ok(text.trim().to_owned()),
    }
}

/// Tells the consoles that a message was read.
fn tell(app: &App, conversation: &str, seq: i64) {
    publish::line(app, conversation);
    app.hub.to_watchers(conversation, &Item::Reading(seq));
}

/// What a message was read as, for the console.
///
/// # Errors
/// When the database cannot be read.
pub async fn frame(app: &App, conversation: &str, seq: i64) -> Result<Option<Frame>, StoreError> {
    let readings = readings(app, conversation, seq).await?;
    let reading = readings.into_iter().find(|one| one.seq == seq);
    let after = seq.saturating_sub(NAMED_IN).max(0);
    let messages = app.store.messages(conversation, after, NAMED_IN).await?;
    let named = named(&app.mind.prompts().entities, &messages);
    Ok(Some(Frame::Reading { conversation: conversation.into(), seq, reading, named }))
}

/// What the visitor has named in the newest of these messages, the newest first and each thing once.
pub fn named(entities: &Entities, messages: &[Message]) -> Vec<Named> {
    let visitor = Speaker::Visitor.as_str();
    let newest = messages.iter().rev().take(NAMED_IN as usize);
    let mut named: Vec<Named> = Vec::new();
    for message in newest.filter(|message| message.speaker == visitor) {
        for Entity { kind, span, value } in entities.find(&message.text).into_iter().rev() {
            let same =
                |one: &Named| one.kind == kind && one.value.to_lowercase() == value.to_lowercase();
            if named.len() < NAMED && !named.iter().any(same) {
                let text = message.text[span].to_owned();
                named.push(Named { kind, text, value, seq: message.seq });
            }
        }
    }
    named
}

/// What the messages of a conversation were read as, from `seq` on.
///
/// # Errors
/// [`StoreError`].
pub async fn readings(app: &App, conversation: &str, seq: i64) -> Result<Vec<Reading>, StoreError> {
    let tags = app.store.tags(conversation, seq).await?;
    let corrections = app.store.corrections_of(conversation, seq).await?;
    Ok(joined(tags, corrections))
}

/// Tags and corrections in order of their messages; each may stand without the other.
fn joined(tags: Vec<Tag>, corrections: Vec<Correction>) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    for Tag { seq, intent, label, score } in tags {
        let tag = Scored { id: intent, label, score: score as f32 };
        match readings.last_mut().filter(|one| one.seq == seq) {
            Some(reading) => reading.tags.push(tag),
            None => readings.push(Reading { seq, tags: vec![tag], corrected: None }),
        }
    }
    for Correction { seq, intent: id, label, .. } in corrections {
        let corrected = Some(Intent { id, label });
        match readings.binary_search_by_key(&seq, |one| one.seq) {
            Ok(at) => readings[at].corrected = corrected,
            Err(at) => readings.insert(at, Reading { seq, tags: vec![], corrected }),
        }
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_corrections_meet_at_their_message() {
        let tag = |seq, intent: &str| Tag {
            seq,
            intent: intent.into(),
            label: intent.to_uppercase(),
            score: 0.5,
        };
        let correction = |seq, intent: &str| Correction {
            id: String::new(),
            conversation: String::new(),
            seq,
            intent: intent.into(),
            label: intent.to_uppercase(),
            text: String::new(),
            at: 0,
        };
        let readings = joined(
            vec![tag(1, "a"), tag(1, "b"), tag(4, "off_topic")],
            vec![correction(2, "c"), correction(4, "a")],
        );
        let shown: Vec<(i64, Vec<&str>, Option<&str>)> = readings
            .iter()
            .map(|one| {
                let tags = one.tags.iter().map(|tag| tag.id.as_str()).collect();
                (one.seq, tags, one.corrected.as_ref().map(|intent| intent.label.as_str()))
            })
            .collect();
        let expect = vec![
            (1, vec!["a", "b"], None),
            (2, vec![], Some("C")),
            (4, vec!["off_topic"], Some("A")),
        ];
        assert_eq!(shown, expect);
    }
}
