//! How far each side of a conversation has got with its messages.

use crate::app::App;
use crate::conversation::Refusal;
use crate::publish;
use crate::store::conversations::Conversation;

/// How far somebody has got with a conversation's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// They have reached the visitor's page.
    Delivered,
    /// The visitor has seen them.
    VisitorRead,
    /// An owner has seen them.
    OwnerRead,
}

impl Mark {
    fn of(self, row: &mut Conversation) -> &mut i64 {
        match self {
            Self::Delivered => &mut row.visitor_delivered,
            Self::VisitorRead => &mut row.visitor_read,
            Self::OwnerRead => &mut row.owner_read,
        }
    }
}

/// Notes that somebody has got as far as `seq`. What was seen was delivered.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn mark(app: &App, id: &str, mark: Mark, seq: i64) -> Result<(), Refusal> {
    // Most marks are old news, and a look costs no write.
    let mut seen = app.store.conversation(id).await?.ok_or(Refusal::Unknown)?;
    if seq.min(seen.head) <= *mark.of(&mut seen) {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    let mut row = tx.conversation(id).await?.ok_or(Refusal::Unknown)?;
    let head = row.head;
    let place = mark.of(&mut row);
    *place = seq.clamp(*place, head);
    row.visitor_delivered = row.visitor_delivered.max(row.visitor_read);
    tx.update_conversation(&row).await?;
    tx.commit().await?;
    publish::receipts(app, id);
    Ok(())
}
