//! The owner's actions on the server's side: proofs of contact, calls with their records, and the owner's yes.

pub mod codes;
mod judge;
mod outgoing;
mod runner;

use std::path::PathBuf;

use engine::actions::{Action, Call as Request, said};
use engine::conversation::State;
use engine::metrics::event::What;
use engine::tasks::{Card, Row};
use engine::turn::Speaker;
use tokio::sync::Notify;

use crate::app::App;
use crate::conversation::Refusal;
use crate::events;
use crate::hand_off::hand_off;
use crate::notify::{self, Event, Notice};
use crate::outbound::actions::ActionClient;
use crate::protocol::record::json;
use crate::publish::Changes;
use crate::said::say;
use crate::store::calls::Call;
use crate::store::conversations::Conversation;
use crate::store::messages::Message;
use crate::store::{StoreError, Tx};
use crate::tasks::card_json;

pub use runner::start;

/// Calls that may be open at once, those that wait for the owner among them.
const MAX_OPEN: i64 = 200;
/// Of these in one conversation.
const MAX_OPEN_IN: i64 = 3;

/// What calls and codes are made with.
#[derive(Debug)]
pub struct Desk {
    client: ActionClient,
    /// Folder that files with headers are looked for in.
    folder: PathBuf,
    calls: Notify,
    codes: Notify,
}

impl Desk {
    /// With this client; header files lie in `folder` unless they name a whole path.
    pub fn new(client: ActionClient, folder: PathBuf) -> Self {
        Self { client, folder, calls: Notify::new(), codes: Notify::new() }
    }

    /// Wakes those who call and those who send codes.
    pub fn ring(&self) {
        self.calls.notify_one();
        self.codes.notify_one();
    }
}

/// Keeps a call that a visitor's request has come to: to be made, or to be agreed to by the owner first. A request is called once.
/// What there is to tell the visitor beside the step's own words comes back.
///
/// # Errors
/// When the database fails.
pub async fn request(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    request: &Request,
    now: i64,
) -> Result<Vec<Message>, StoreError> {
    let prompts = app.mind.prompts();
    let proved = tx.proved(&row.id, now).await?;
    let action = prompts.books.actions.named(&request.action);
    let action = action.filter(|action| may_call(action, request, proved.as_deref()));
    let Some(action) = action else {
        tracing::error!(action = request.action, "a call was wanted that may not be made");
        return end(app, tx, row, "action_unsent").await;
    };
    let (all, own) = (tx.calls_open().await?, tx.calls_open_in(&row.id).await?);
    if all >= MAX_OPEN || own >= MAX_OPEN_IN {
        return end(app, tx, row, "action_busy").await;
    }
    let call = Call {
        id: app.ids.id(),
        conversation: row.id.clone(),
        request: request.request.clone(),
        action: action.id.clone(),
        title: action.title.clone(),
        status: if action.owner_confirms { "waiting_owner" } else { "ready" }.into(),
        subject: request.subject.clone(),
        arguments: json(&request.arguments),
        shown_arguments: json(&action.arguments.rows(&request.arguments)),
        result: "[]".into(),
        attempts: 0,
        due_at: now,
        lease: None,
        created_at: now,
    };
    if !tx.insert_call(&call).await? {
        return Ok(vec![]);
    }
    record(tx, (&call, row), request, now).await?;
    if action.owner_confirms {
        let notice = Notice {
            event: Event::Approval,
            conversation: row.id.clone(),
            title: format!("{}: your yes is needed", action.title),
            text: "A visitor has confirmed it, and it waits for you in the console.".into(),
            urgent: false,
        };
        notify::event(app, tx, notice, now).await?;
    }
    Ok(vec![])
}

/// Whether the action may be called so: its arguments fit, what has to be confirmed was, and whose account it is was shown just now.
fn may_call(action: &Action, request: &Request, proved: Option<&str>) -> bool {
    let subject = request.subject.as_deref();
    let known = !action.verified() || (subject.is_some() && subject == proved);
    // The demo's customers are nobody's: whoever likes may read their mail.
    let own = *action.base() == engine::actions::Base::Own;
    let real = own || !subject.is_some_and(crate::demo::is_demo);
    let confirmed = request.confirmed || !action.writes();
    known && real && confirmed && action.outgoing(&request.arguments, subject).is_some()
}

/// The first events of a call.
async fn record(
    tx: &mut Tx,
    (call, row): (&Call, &Conversation),
    request: &Request,
    now: i64,
) -> Result<(), StoreError> {
    let asked = format!("by the visitor, at message {}", row.head);
    let mut events = vec![("asked", asked), ("arguments", call.arguments.clone())];
    if let Some(subject) = &call.subject {
        events.push(("proof", format!("the visitor has shown by a code that {subject} is theirs")));
    }
    if request.confirmed {
        events.push(("confirmed", "by the visitor, with the card's button".into()));
    }
    for (what, detail) in events {
        tx.call_event(&call.id, (what, &detail), now).await?;
    }
    Ok(())
}

/// An owner agrees to a call, or does not.
///
/// # Errors
/// [`Refusal::Unknown`] when no such call waits; then nothing has changed.
pub async fn decide(app: &App, owner: &str, id: &str, yes: bool) -> Result<Changes, Refusal> {
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    let call = tx.call(id).await?.filter(|call| call.status == "waiting_owner");
    let call = call.ok_or(Refusal::Unknown)?;
    let mut row = tx.conversation(&call.conversation).await?.ok_or(Refusal::Unknown)?;
    let before = row.state.clone();
    let (status, what) = if yes { ("ready", "approved") } else { ("refused", "refused") };
    tx.settle_call(id, (status, "[]"), now).await?;
    tx.call_event(id, (what, &format!("by {owner}")), now).await?;
    let word = if yes { "agreed to" } else { "declined" };
    let line = format!("{owner} {word}: {}", call.title);
    let mut messages =
        vec![say(app, &mut tx, &mut row, Message::plain(Speaker::System, &line)).await?];
    if !yes {
        let what = What::ActionCalled { action: call.action.clone(), status: status.into() };
        events::record(app, &mut tx, Some(&call.conversation), what).await?;
        messages.extend(end(app, &mut tx, &mut row, "action_declined").await?);
    }
    tx.update_conversation(&row).await?;
    tx.commit().await?;
    Ok(Changes { passed: row.state != before, conversation: row, messages })
}

/// Says the end of something to the visitor and asks for a person. Who holds the conversation meanwhile is told in a line, and
/// nothing is said automatically.
async fn end(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    id: &str,
) -> Result<Vec<Message>, StoreError> {
    let text = text(app, id);
    let told = tell(app, tx, row, (&text, None)).await?;
    if row.holder()? == State::Bot {
        hand_off(app, tx, row, "action_failed").await?;
    }
    Ok(vec![told])
}

/// One message: the bot's own, or a line where a person has the conversation.
async fn tell(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    (text, card): (&str, Option<&Card>),
) -> Result<Message, StoreError> {
    let message = match row.holder()? {
        State::Bot => Message { card: card_json(card), ..Message::plain(Speaker::Bot, text) },
        _ => Message::plain(Speaker::System, &with_rows(text, card)),
    };
    say(app, tx, row, message).await
}

/// A text with a card's rows behind it.
fn with_rows(text: &str, card: Option<&Card>) -> String {
    let Some(Card::Result { title, rows }) = card else { return text.to_owned() };
    let rows: Vec<String> =
        rows.iter().map(|Row { label, value }| format!("{label}: {value}")).collect();
    format!("{title}. {}", rows.join("; "))
}

fn text(app: &App, id: &str) -> String {
    said(&app.mind.prompts().templates, id, &[])
}
