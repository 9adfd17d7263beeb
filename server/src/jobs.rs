//! Due work: what is planned for later is done once, however often the server restarts or the clock jumps.

use crate::store::due::MAX;
use crate::store::{StoreError, Tx};

pub use crate::store::due::Due;

/// A visitor of the night is followed up in the morning; the subject is the conversation.
pub const FOLLOW_UP: &str = "follow_up";
/// A promise is about to break; the subject is the conversation.
pub const PROMISE: &str = "promise";
/// Nobody has answered for a while; the subject is the conversation.
pub const UNANSWERED: &str = "unanswered";
/// What happened in the quiet hours is told as one; the subject is the channel.
pub const DIGEST: &str = "digest";

/// Plans something for later, in the transaction that it follows from. There is one of a kind for a subject: planning again moves it.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn plan(tx: &mut Tx, due: Due) -> Result<(), StoreError> {
    if !tx.plan_due(&due).await? {
        tracing::error!(
            kind = due.kind,
            "{MAX} things are planned for later already; this one is not"
        );
    }
    Ok(())
}

/// Plans it no more.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn drop(tx: &mut Tx, kind: &str, subject: &str) -> Result<(), StoreError> {
    tx.drop_due(kind, subject).await
}
