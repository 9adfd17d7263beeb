//! Tells the owner what happened: by mail, webhook, ntfy and in open consoles, each by the routes of `notify.toml`.

pub mod address;
pub mod file;
pub mod inbox;
pub mod mail;
mod ntfy;
mod webhook;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::hub::Item;
use crate::outbox::{self, Channel, Parcel, Unsent};
use crate::protocol::server::Frame;
use crate::store::outbox::Row;
use crate::store::{StoreError, Tx};
use file::Notify;

/// Characters of a title and of a text at most.
const MAX_TITLE: usize = 200;
const MAX_TEXT: usize = 4_000;

/// What the owner may be told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A visitor has written for the first time.
    FirstMessage,
    /// A person is asked for.
    HandOff,
    /// A visitor has waited for a person for too long.
    Unanswered,
    /// A promise is about to break.
    PromiseDue,
    /// A lead is complete.
    NewLead,
    /// A ticket was made.
    NewTicket,
    /// A conversation of the night is due.
    FollowUp,
    /// An action waits for the owner's yes.
    Approval,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::FirstMessage,
        Self::HandOff,
        Self::Unanswered,
        Self::PromiseDue,
        Self::NewLead,
        Self::NewTicket,
        Self::FollowUp,
        Self::Approval,
    ];

    /// The word of routes, webhooks and the console.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstMessage => "first_message",
            Self::HandOff => "hand_off",
            Self::Unanswered => "unanswered",
            Self::PromiseDue => "promise_due",
            Self::NewLead => "new_lead",
            Self::NewTicket => "new_ticket",
            Self::FollowUp => "follow_up",
            Self::Approval => "approval",
        }
    }
}

/// Something that the owner is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// The conversation it is about; empty for none.
    pub conversation: String,
    /// One line.
    pub title: String,
    /// Some sentences of plain text.
    pub text: String,
    /// Whether it breaks the quiet hours, whatever its route says.
    pub urgent: bool,
}

/// Puts a notice up for everybody whom the routes name, within the transaction of what causes it.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn event(app: &App, tx: &mut Tx, notice: Notice, now: i64) -> Result<(), StoreError> {
    let notice = notice.cut();
    let rules = rules(app);
    let told = rules.told(notice.event);
    if told.is_empty() {
        return Ok(());
    }
    let stopped = tx.stopped_targets().await?;
    let quiet = rules.quiet.and_then(|quiet| quiet.until(now, &zone(app)));
    for (channel, target, urgent) in told {
        if stopped.iter().any(|(c, t)| c == channel.as_str() && *t == target) {
            continue;
        }
        // Programs do not sleep.
        let may_wait = channel != Channel::Webhook && !urgent && !notice.urgent;
        let digest_at = quiet.filter(|_| may_wait);
        let body = match channel {
            Channel::Mail => {
                let mail = mail::of_notice(app, tx, (&notice, &target), (digest_at, now)).await?;
                json(&mail)
            }
            Channel::Webhook => webhook::body(&notice, now),
            Channel::Ntfy | Channel::Browser => json(&notice),
        };
        let (event, conversation) = (notice.event.as_str().into(), notice.conversation.clone());
        let parcel = Parcel { channel, target, event, conversation, body, digest_at };
        outbox::put(app, tx, parcel, now).await?;
    }
    Ok(())
}

/// Delivers a parcel.
///
/// # Errors
/// [`Unsent`].
pub async fn deliver(app: &App, row: &Row) -> Result<(), Unsent> {
    let unreadable = |_| Unsent::Final("it was written by another version".into());
    let rules = rules(app);
    match Channel::of(&row.channel) {
        Some(Channel::Mail) => {
            let mail = serde_json::from_str(&row.body).map_err(unreadable)?;
            mail::deliver(app, &mail, row).await
        }
        Some(Channel::Webhook) => {
            webhook::send(app, (&rules, &row.target), (&row.id, &row.body)).await
        }
        Some(Channel::Ntfy) => {
            let notice = serde_json::from_str(&row.body).map_err(unreadable)?;
            ntfy::send(app, (&rules, &row.target), &notice).await
        }
        Some(Channel::Browser) => {
            let notice: Notice = serde_json::from_str(&row.body).map_err(unreadable)?;
            show(app, notice);
            Ok(())
        }
        None => Err(Unsent::Final("its channel is unknown to this version".into())),
    }
}

/// Shows a notice in the consoles that are open; where none is, nobody sees it.
fn show(app: &App, notice: Notice) {
    let Notice { event, conversation, title, text, .. } = notice;
    let about = conversation.clone();
    let frame = Frame::Notice { event: event.as_str().into(), conversation, title, text };
    app.hub.to_consoles(&about, &Item::Fleeting(frame.text()));
}

impl Notice {
    fn cut(self) -> Self {
        let Self { title, text, .. } = self;
        // A title is one line, wherever it goes.
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            title: title.chars().take(MAX_TITLE).collect(),
            text: text.chars().take(MAX_TEXT).collect(),
            ..self
        }
    }
}

/// The owner's `notify.toml` as it is in force.
fn rules(app: &App) -> std::sync::Arc<Notify> {
    std::sync::Arc::clone(&app.notify)
}

/// The owner's time zone.
fn zone(_app: &App) -> TimeZone {
    TimeZone::UTC
}

/// JSON of values that always have one.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".into())
}
