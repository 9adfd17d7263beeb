//! The one way in which a conversation comes to wait for a person.

use engine::conversation::{Event, next};
use engine::metrics::event::What;
use engine::rules::Reason;

use crate::app::App;
use crate::events::record;
use crate::store::conversations::Conversation;
use crate::store::{StoreError, Tx};
use crate::{notify, promises};

/// Has a conversation wait for a person, in the transaction of what asks for one; `reason` is the word of an
/// [`engine::rules::Reason`], `busy` or `timeout`. The sentence, if there is one, tells the visitor besides when somebody replies.
///
/// # Errors
/// [`StoreError::Meaning`] when a person holds it already, and whatever the database fails with.
pub async fn hand_off(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    reason: &str,
) -> Result<Option<String>, StoreError> {
    let moved = next(row.holder()?, Event::HandOff);
    let moved = moved.map_err(|_| StoreError::Meaning {
        what: "state of a conversation",
        value: row.state.clone(),
    })?;
    let now = app.clock.now_ms();
    row.pass_to(moved, now);
    row.reason = Some(reason.into());
    record(app, tx, Some(&row.id), What::HandedOff { reason: reason.into() }).await?;
    promises::remind(app, tx, &row.id, now).await?;
    if reason == Reason::FollowUp.as_str() {
        // The visitor may be gone: there is nobody to promise anything to, and the owner is told in other words.
        return Ok(None);
    }
    notify::hand_off(app, tx, row, now).await?;
    promises::at_hand_off(app, tx, row, now).await
}

/// What is said, with the sentence behind it that a hand-off brings.
pub fn with(say: &str, sentence: Option<&str>) -> String {
    match sentence {
        Some(sentence) if say.is_empty() => sentence.to_owned(),
        Some(sentence) => format!("{} {sentence}", say.trim_end()),
        None => say.to_owned(),
    }
}
