//! A mail that answers one of ours becomes a message, once, however often it is fetched.

use super::read::{Letter, read};
use crate::app::App;
use crate::conversation::{self, Refusal, Visitor, Written};
use crate::protocol::MAX_TEXT;
use crate::publish;
use crate::store::StoreError;
use crate::store::conversations::Conversation;
use crate::store::mail::{Side, Thread};

/// Takes a mail; whether it is a message now. What does not belong here is passed over and said in the log, without a word of it.
///
/// # Errors
/// When the database fails; the mail is then taken the next time.
pub(super) async fn take(app: &App, bytes: Vec<u8>) -> Result<bool, StoreError> {
    // Reading may take a while on a mail that was made for it.
    let letter = tokio::task::spawn_blocking(move || read(&bytes)).await;
    let letter = match letter {
        Ok(Ok(letter)) => letter,
        Ok(Err(dropped)) => {
            tracing::info!(why = ?dropped, "a mail was passed over");
            return Ok(false);
        }
        Err(_) => {
            tracing::error!("reading a mail ended in a panic; it was passed over");
            return Ok(false);
        }
    };
    let Some((thread, row)) = answered(app, &letter).await? else {
        tracing::info!(why = "Foreign", "a mail was passed over");
        return Ok(false);
    };
    let taken = match thread.side == Side::Owner.as_str() {
        true => of_owner(app, &thread, &letter).await,
        false => of_visitor(app, row, &letter).await,
    };
    match taken {
        Ok(()) => Ok(true),
        Err(Refusal::Store(error)) => Err(error),
        Err(refusal) => {
            tracing::info!(why = %refusal, "a mail was passed over");
            Ok(false)
        }
    }
}

/// The mail of ours that a letter answers, if it comes from whom that went to.
async fn answered(
    app: &App,
    letter: &Letter,
) -> Result<Option<(Thread, Conversation)>, StoreError> {
    for hash in &letter.threads {
        let Some(thread) = app.store.mail_thread(hash).await? else { continue };
        if thread.recipient == letter.from.as_str()
            && let Some(row) = app.store.conversation(&thread.conversation).await?
        {
            return Ok(Some((thread, row)));
        }
    }
    Ok(None)
}

async fn of_owner(app: &App, thread: &Thread, letter: &Letter) -> Result<(), Refusal> {
    let owner = app.store.owner_by_email(&thread.recipient).await?;
    let owner = owner.map_or_else(|| app.site.name.clone(), |owner| owner.name);
    let now = app.clock.now_ms();
    // Not before the question, not after now, whatever the mail says.
    let written_at = letter.date.map(|date| date.min(now).max(thread.created_at.min(now)));
    let written = Written {
        client_msg_id: letter.id.clone(),
        text: text(letter),
        suggestion: None,
        template: None,
        written_at,
    };
    let (_, changes) = conversation::write(app, &owner, &thread.conversation, &written).await?;
    if let Some(changes) = changes {
        publish::changes(app, changes);
    }
    Ok(())
}

async fn of_visitor(app: &App, row: Conversation, letter: &Letter) -> Result<(), Refusal> {
    let visitor = Visitor {
        conversation: Some(row.id),
        token_hash: row.token_hash,
        epoch: row.epoch,
        scope: engine::scope::Scope::default(),
        visit: None,
    };
    let accepted = conversation::accept(app, &visitor, &letter.id, &text(letter)).await?;
    if let Some(changes) = accepted.changes {
        publish::changes(app, changes);
        app.desk.ring();
    }
    Ok(())
}

/// The letter as a message, with what was left out of it.
fn text(letter: &Letter) -> String {
    let mut notes = String::new();
    for name in &letter.left_out {
        notes.push_str(&format!("\n[attachment left out: {name}]"));
    }
    let room = MAX_TEXT.saturating_sub(notes.chars().count() + 1);
    let mut text: String = letter.text.chars().take(room).collect();
    if letter.text.chars().nth(room).is_some() {
        text.push('…');
    }
    text.push_str(&notes);
    text.trim().to_owned()
}
