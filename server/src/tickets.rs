//! Tickets: opened by the bot after hours or by the owner, changed, and answered.

use engine::tickets::{Draft, SUBJECT_CHARS, SUMMARY_CHARS};

use crate::app::App;
use crate::store::tickets::{Change, Ticket};
use crate::store::{StoreError, Tx};

/// Who made what the bot made.
pub const BOT: &str = "bot";
/// The status of a ticket that nobody has taken up.
pub const OPEN: &str = "open";
/// The status of one that is done with.
pub const SOLVED: &str = "solved";

/// Opens a ticket for a conversation; `by` is [`BOT`] or the name of an owner. What comes again while the conversation's ticket is
/// unsolved is added to that one.
///
/// # Errors
/// [`StoreError`].
pub async fn open(
    app: &App,
    tx: &mut Tx,
    conversation: &str,
    draft: &Draft,
    (by, now): (&str, i64),
) -> Result<Ticket, StoreError> {
    let ticket = Ticket {
        id: app.ids.id(),
        number: 0,
        conversation: conversation.into(),
        subject: draft.subject.chars().take(SUBJECT_CHARS).collect(),
        summary: draft.summary.chars().take(SUMMARY_CHARS).collect(),
        tags: serde_json::to_string(&draft.tags).unwrap_or_else(|_| "[]".into()),
        priority: draft.priority.as_str().into(),
        status: OPEN.into(),
        email: draft.email.clone(),
        made_by: by.into(),
        created_at: now,
        updated_at: now,
    };
    let ticket = tx.add_ticket(ticket).await?;
    log(tx, &ticket, (by, now), ("made", &ticket.subject)).await?;
    Ok(ticket)
}

/// Notes what became of a ticket.
async fn log(
    tx: &mut Tx,
    ticket: &Ticket,
    (by, at): (&str, i64),
    (what, detail): (&str, &str),
) -> Result<(), StoreError> {
    let change = Change { at, made_by: by.into(), what: what.into(), detail: detail.into() };
    tx.log_ticket(&ticket.id, &change).await
}
