//! The one way in which a conversation comes to wait for a person.

use engine::conversation::{Event, next};

use crate::app::App;
use crate::notify;
use crate::store::conversations::Conversation;
use crate::store::{StoreError, Tx};

/// Has a conversation wait for a person, in the transaction of what asks for one; `reason` is the word of an
/// [`engine::rules::Reason`], `busy` or `timeout`.
///
/// # Errors
/// [`StoreError::Meaning`] when a person holds it already, and whatever the database fails with.
pub async fn hand_off(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    reason: &str,
) -> Result<(), StoreError> {
    let moved = next(row.holder()?, Event::HandOff);
    let moved = moved.map_err(|_| StoreError::Meaning {
        what: "state of a conversation",
        value: row.state.clone(),
    })?;
    row.pass_to(moved, app.clock.now_ms());
    row.reason = Some(reason.into());
    notify::hand_off(app, tx, row, app.clock.now_ms()).await
}
