//! The outbox: what is to leave the machine by itself is a row of the database first, then sent at least once, then marked.

mod digest;
mod runner;

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::app::App;
use crate::store::outbox::Row;
use crate::store::{StoreError, Tx};

pub use runner::start;

/// Parcels that may wait; beyond them the newest is refused.
pub const MAX: i64 = 10_000;

/// How something leaves the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// SMTP.
    Mail,
    /// A signed request to a program.
    Webhook,
    /// A topic of an ntfy server.
    Ntfy,
    /// The consoles that are open.
    Browser,
}

impl Channel {
    const ALL: [Self; 4] = [Self::Mail, Self::Webhook, Self::Ntfy, Self::Browser];

    /// The word that is stored and that routes begin with.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Ntfy => "ntfy",
            Self::Browser => "browser",
        }
    }

    /// The channel with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == word)
    }

    /// A target's name: `mail:ada@example.org`, `browser`.
    pub fn name(self, target: &str) -> String {
        match self {
            Self::Browser => self.as_str().into(),
            _ => format!("{}:{target}", self.as_str()),
        }
    }

    /// Channel and target of a name.
    pub fn named(name: &str) -> Option<(Self, String)> {
        let (word, target) = name.split_once(':').unwrap_or((name, ""));
        let channel = Self::of(word)?;
        let target = match channel {
            Self::Mail => target.to_ascii_lowercase(),
            _ => target.to_owned(),
        };
        ((channel == Self::Browser) == target.is_empty()).then_some((channel, target))
    }
}

/// Something that is to leave the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// How.
    pub channel: Channel,
    /// Address, id of the webhook, topic; empty for browsers.
    pub target: String,
    /// What happened, for the console's list: `hand_off`, `ticket_reply`.
    pub event: String,
    /// The conversation it is about; empty for none.
    pub conversation: String,
    /// What is sent: JSON of [`crate::notify::mail::Mail`] for mail, the whole body for a webhook, JSON of
    /// [`crate::notify::Notice`] for the others.
    pub body: String,
    /// Until when it waits to leave with others as one digest, in milliseconds since 1970; none to leave at once.
    pub digest_at: Option<i64>,
}

/// Why a parcel was not delivered; the sentence is for the owner, and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsent {
    /// Another try may do.
    Later(String),
    /// No other try can change it.
    Final(String),
    /// The target wants nothing more at all.
    Stop(String),
}

/// What the outbox remembers beside its rows.
#[derive(Debug, Default)]
pub struct Outbox {
    bell: Notify,
    /// Parcels that were refused since the start.
    refused: AtomicU64,
}

impl Outbox {
    /// How many parcels were refused since the start, as too many waited.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Has the runner look at once, or when the transaction that is being written has ended.
    pub fn ring(&self) {
        self.bell.notify_one();
    }
}

/// As [`put`], of what is one of many: none is put up where so many wait for its target already.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn put_some(
    app: &App,
    tx: &mut Tx,
    (parcel, most): (Parcel, i64),
    now: i64,
) -> Result<Option<String>, StoreError> {
    let waiting = tx.parcels_for(parcel.channel.as_str(), &parcel.target, most).await?;
    if waiting >= most {
        app.outbox.refused.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            target = parcel.target,
            "an event was not kept for a webhook, as {most} wait for it already; programs can read the stream at /api/events"
        );
        return Ok(None);
    }
    put(app, tx, parcel, now).await
}

/// Puts a parcel up within the transaction of what causes it; its id, or none where [`MAX`] wait already.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn put(
    app: &App,
    tx: &mut Tx,
    parcel: Parcel,
    now: i64,
) -> Result<Option<String>, StoreError> {
    if tx.open_parcels().await? >= MAX {
        app.outbox.refused.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            channel = parcel.channel.as_str(),
            event = parcel.event,
            "a notice was not kept, as {MAX} wait to be sent already; see the console's page Notifications"
        );
        return Ok(None);
    }
    let row = Row {
        id: app.ids.id(),
        channel: parcel.channel.as_str().into(),
        target: parcel.target,
        event: parcel.event,
        conversation: parcel.conversation,
        body: parcel.body,
        created_at: now,
        due_at: parcel.digest_at.unwrap_or(now),
        attempts: 0,
        status: if parcel.digest_at.is_some() { "digest" } else { "queued" }.into(),
        error: String::new(),
    };
    tx.insert_parcel(&row).await?;
    failpoint!("K15");
    app.outbox.ring();
    Ok(Some(row.id))
}
