//! Tells the owner what happened: by mail, webhook, ntfy and in open consoles, each by the routes of `notify.toml`.

pub mod address;
pub mod file;
pub mod inbox;
pub mod mail;
mod ntfy;
mod webhook;

use engine::conversation::State;
use engine::turn::Speaker;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::hours;
use crate::hub::Item;
use crate::outbox::{self, Channel, Parcel, Unsent};
use crate::protocol::record::json;
use crate::protocol::server::Frame;
use crate::store::conversations::Conversation;
use crate::store::outbox::Row;
use crate::store::{StoreError, Tx};

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
    /// The figures of a week.
    WeeklyScorecard,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::FirstMessage,
        Self::HandOff,
        Self::Unanswered,
        Self::PromiseDue,
        Self::NewLead,
        Self::NewTicket,
        Self::FollowUp,
        Self::Approval,
        Self::WeeklyScorecard,
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
            Self::WeeklyScorecard => "weekly_scorecard",
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
    let prompts = app.mind.prompts();
    let rules = &prompts.notify;
    let zone = prompts.books.hours.time_zone();
    let quiet = rules.quiet.and_then(|quiet| quiet.until(now, zone));
    let mut told = rules.told(notice.event);
    let sleeps = |urgent: bool| quiet.is_some() && !urgent && !notice.urgent;
    if let Some(at) = told.iter().position(|(channel, _, _)| *channel == Channel::Browser) {
        // Of use while it is new and a console is open: it is not kept, and in the quiet hours not shown. Should the transaction fail
        // that causes it, nobody is hurt by having looked.
        if !sleeps(told.remove(at).2) {
            show(app, &notice);
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    let stopped = tx.stopped_targets().await?;
    for (channel, target, urgent) in told {
        if stopped.iter().any(|(c, t)| c == channel.as_str() && *t == target) {
            continue;
        }
        // Programs do not sleep.
        let digest_at = quiet.filter(|_| sleeps(urgent) && channel != Channel::Webhook);
        let body = match channel {
            Channel::Mail => {
                let mail = mail::of_notice(app, tx, (&notice, &target), (digest_at, now)).await?;
                json(&mail)
            }
            Channel::Webhook => webhook::body(&notice, now),
            _ => json(&notice),
        };
        let (event, conversation) = (notice.event.as_str().into(), notice.conversation.clone());
        let parcel = Parcel { channel, target, event, conversation, body, digest_at };
        outbox::put(app, tx, parcel, now).await?;
    }
    Ok(())
}

/// A visitor has written for the first time.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn first_message(
    app: &App,
    tx: &mut Tx,
    (conversation, text): (&str, &str),
    now: i64,
) -> Result<(), StoreError> {
    let notice = Notice {
        event: Event::FirstMessage,
        conversation: conversation.into(),
        title: "A visitor has written".into(),
        text: text.into(),
        urgent: false,
    };
    event(app, tx, notice, now).await
}

/// A person is asked for; `row` says why.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn hand_off(
    app: &App,
    tx: &mut Tx,
    row: &Conversation,
    now: i64,
) -> Result<(), StoreError> {
    let asked = tx.newest_text(&row.id, Speaker::Visitor).await?;
    let reason = row.reason.as_deref().unwrap_or_default().replace('_', " ");
    let mut text = asked.unwrap_or_default();
    if !reason.is_empty() {
        text.push_str(&format!("\n\nWhy: {reason}"));
    }
    let notice = Notice {
        event: Event::HandOff,
        conversation: row.id.clone(),
        title: "A visitor waits for a person".into(),
        text,
        // While nobody is there only what cannot wait comes this far.
        urgent: hours::is_closed(app, now).await?,
    };
    event(app, tx, notice, now).await
}

/// Milliseconds after which a visitor who waits for a person counts as unanswered; none for never.
pub fn unanswered_after(app: &App) -> Option<i64> {
    app.mind.prompts().notify.unanswered_minutes.map(|minutes| i64::from(minutes) * 60_000)
}

/// Due work: tells the owner that a visitor still waits for a person, unless somebody has answered meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn unanswered(app: &App, tx: &mut Tx, conversation: &str) -> Result<(), StoreError> {
    let Some(row) = tx.conversation(conversation).await? else { return Ok(()) };
    let asked = tx.newest(conversation, Speaker::Visitor).await?;
    let answered = tx.newest(conversation, Speaker::Owner).await?;
    if !matches!(row.holder()?, State::Waiting | State::Owner) || asked <= answered {
        return Ok(());
    }
    let now = app.clock.now_ms();
    let minutes = (now - row.waiting_since).max(0) / 60_000;
    let text = tx.newest_text(conversation, Speaker::Visitor).await?.unwrap_or_default();
    let notice = Notice {
        event: Event::Unanswered,
        conversation: row.id,
        title: format!("A visitor has waited for {minutes} minutes"),
        text,
        urgent: false,
    };
    event(app, tx, notice, now).await
}

/// Delivers a notice that says it is a test, now.
///
/// # Errors
/// [`Unsent`], with what the other side answered.
pub async fn test(app: &App, (channel, target): (Channel, &str)) -> Result<(), Unsent> {
    let now = app.clock.now_ms();
    let notice = Notice {
        event: Event::HandOff,
        conversation: String::new(),
        title: "A test from Porchlight".into(),
        text: "This channel works.".into(),
        urgent: false,
    };
    let mail = || mail::Mail {
        to: target.into(),
        subject: notice.title.clone(),
        text: notice.text.clone(),
        ..mail::Mail::default()
    };
    let body = match channel {
        Channel::Mail => json(&mail()),
        Channel::Webhook => webhook::test_body(&notice, now),
        Channel::Ntfy | Channel::Browser => json(&notice),
    };
    let row = Row {
        id: app.ids.id(),
        channel: channel.as_str().into(),
        target: target.into(),
        event: "test".into(),
        conversation: String::new(),
        body,
        created_at: now,
        due_at: now,
        attempts: 0,
        status: "queued".into(),
        error: String::new(),
    };
    deliver(app, &row).await
}

/// Delivers a parcel.
///
/// # Errors
/// [`Unsent`].
pub async fn deliver(app: &App, row: &Row) -> Result<(), Unsent> {
    let unreadable = |_| Unsent::Final("it was written by another version".into());
    let prompts = app.mind.prompts();
    let rules = &prompts.notify;
    match Channel::of(&row.channel) {
        Some(Channel::Mail) => {
            let mail = serde_json::from_str(&row.body).map_err(unreadable)?;
            mail::deliver(app, &mail, row).await
        }
        Some(Channel::Webhook) => {
            webhook::send(app, (rules, &row.target), (&row.id, &row.body)).await
        }
        Some(Channel::Ntfy) => {
            let notice = serde_json::from_str(&row.body).map_err(unreadable)?;
            ntfy::send(app, (rules, &row.target), &notice).await
        }
        Some(Channel::Browser) => {
            let notice = serde_json::from_str(&row.body).map_err(unreadable)?;
            show(app, &notice);
            Ok(())
        }
        None => Err(Unsent::Final("its channel is unknown to this version".into())),
    }
}

/// Shows a notice in the consoles that are open; where none is, nobody sees it.
fn show(app: &App, notice: &Notice) {
    let Notice { event, conversation, title, text, .. } = notice.clone();
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
