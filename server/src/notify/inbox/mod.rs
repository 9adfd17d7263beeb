//! Answers to mail: fetched from the owner's mailbox and put into the conversation that the mail was about.

mod read;
mod take;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_imap::Session;
use futures_util::TryStreamExt;
use tokio::sync::Notify;

use super::mail::MARK;
use crate::app::App;
use crate::config;
use crate::secret;
use crate::store::StoreError;
use crate::store::mail::Progress;
use wire::Wire;

/// For one look at the mailbox.
const ROUND: Duration = Duration::from_secs(120);
/// Mails whose heads are asked for at once.
const HEADS: usize = 200;
/// Bytes of one mail that are fetched; what follows, such as attachments, is not looked at.
const MAX_MAIL: u32 = 1024 * 1024;
/// How far back a mailbox is read the first time, and when its numbers have a new meaning.
const BACK_MS: i64 = 14 * 24 * 60 * 60 * 1_000;
/// Characters that are kept of what a server says.
const MAX_WORDS: usize = 300;

/// Reads a mailbox by the settings `[imap]`.
#[derive(Debug)]
pub struct Inbox {
    settings: config::Imap,
    /// Certificates that are trusted beside the system's, as PEM.
    trust: Vec<Vec<u8>>,
    bell: Notify,
    /// Why the last look failed.
    problem: Mutex<Option<String>>,
}

/// Why the mailbox could not be read.
#[derive(Debug, thiserror::Error)]
enum InboxError {
    /// The network or TLS.
    #[error("the mailbox cannot be reached: {0}")]
    Unreached(String),
    /// The server does not do as it should, or does not let us in.
    #[error("the mailbox cannot be read: {0}")]
    Said(String),
    /// The look took too long.
    #[error("the mailbox was not read within {} seconds", .0.as_secs())]
    Slow(Duration),
    /// Our own database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<async_imap::error::Error> for InboxError {
    fn from(error: async_imap::error::Error) -> Self {
        use async_imap::error::Error;
        let words: String = match &error {
            Error::No(words) | Error::Bad(words) => words.clone(),
            other => other.to_string(),
        };
        let words = words.chars().map(|c| if c.is_control() { ' ' } else { c });
        let words: String = words.take(MAX_WORDS).collect();
        match error {
            Error::Io(_) | Error::ConnectionLost => Self::Unreached(words),
            _ => Self::Said(words),
        }
    }
}

impl Inbox {
    /// By these settings; `trust` are certificates beside the system's, as PEM.
    pub fn new(settings: config::Imap, trust: &[Vec<u8>]) -> Self {
        Self { settings, trust: trust.to_vec(), bell: Notify::default(), problem: Mutex::default() }
    }

    /// Whether a mailbox is read.
    pub fn is_set(&self) -> bool {
        self.settings.server.is_some()
    }

    /// Why the last look at the mailbox failed.
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has the mailbox looked at now.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// The mailbox's name in the database.
    fn name(&self) -> String {
        let (server, user) = (self.settings.server.as_deref(), self.settings.user.as_deref());
        format!("{}@{}", user.unwrap_or_default(), server.unwrap_or_default())
    }

    /// Notes how a look went, and logs what is new about it.
    fn went(&self, problem: Option<String>) {
        let mut known = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        match &problem {
            Some(problem) if known.as_ref() != Some(problem) => tracing::error!("{problem}"),
            None if known.is_some() => tracing::info!("the mailbox can be read again"),
            _ => {}
        }
        *known = problem;
    }
}

/// Looks at the mailbox until the server stops, if one is set.
pub fn start(app: &Arc<App>) {
    if !app.inbox.is_set() {
        return;
    }
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let every = Duration::from_secs(app.inbox.settings.every_s);
        while !app.shutdown.is_cancelled() {
            let look = tokio::time::timeout(ROUND, look(&app));
            let Some(looked) = app.shutdown.run_until_cancelled(look).await else { return };
            let looked = looked.unwrap_or(Err(InboxError::Slow(ROUND)));
            app.inbox.went(looked.err().map(|error| error.to_string()));
            tokio::select! {
                () = app.shutdown.cancelled() => return,
                () = app.inbox.bell.notified() => {}
                () = tokio::time::sleep(every) => {}
            }
        }
    });
}

/// One look: all mails that are newer than the last one are taken in their order.
async fn look(app: &App) -> Result<(), InboxError> {
    let inbox = &app.inbox;
    let password = match &inbox.settings.password_file {
        Some(file) => secret::read(file).await.map_err(InboxError::Said)?,
        None => String::new(),
    };
    let client = wire::connect(&inbox.settings, &inbox.trust).await?;
    let user = inbox.settings.user.as_deref().unwrap_or_default();
    let mut session = client.login(user, &password).await.map_err(|(error, _)| error)?;
    let mailbox = session.select("INBOX").await?;
    let no_numbers = || InboxError::Said("its server numbers no mails (UIDVALIDITY)".into());
    let uid_validity = i64::from(mailbox.uid_validity.ok_or_else(no_numbers)?);
    let known = app.store.mailbox(&inbox.name()).await?;
    let known = known.filter(|known| known.uid_validity == uid_validity);
    let query = match known {
        Some(known) => format!("UID {}:*", known.last_uid + 1),
        None => format!("SINCE {}", day(app.clock.now_ms() - BACK_MS)),
    };
    let after = known.map_or(0, |known| known.last_uid);
    let mut uids: Vec<u32> = session.uid_search(&query).await?.into_iter().collect();
    // `*` is the last mail, however old it is.
    uids.retain(|uid| i64::from(*uid) > after);
    uids.sort_unstable();
    for chunk in uids.chunks(HEADS) {
        let mut newest = 0;
        for uid in ours(&mut session, chunk).await? {
            let taken = one(app, &mut session, uid).await?;
            newest = uid;
            note(app, (uid_validity, newest)).await?;
            if taken {
                seen(&mut session, uid).await?;
            }
        }
        let last = chunk.last().copied().unwrap_or_default().max(newest);
        note(app, (uid_validity, last)).await?;
    }
    session.logout().await?;
    Ok(())
}

/// Those of the mails that answer one of ours, in their order.
async fn ours(session: &mut Session<Wire>, chunk: &[u32]) -> Result<Vec<u32>, InboxError> {
    let set: Vec<String> = chunk.iter().map(u32::to_string).collect();
    let what = "(UID BODY.PEEK[HEADER.FIELDS (IN-REPLY-TO REFERENCES)])";
    let mut heads = session.uid_fetch(set.join(","), what).await?;
    let mut found = Vec::new();
    while let Some(head) = heads.try_next().await? {
        let id = format!("<{MARK}");
        let names = |head: &[u8]| head.windows(id.len()).any(|part| part == id.as_bytes());
        // Nothing is taken that was not asked for.
        if let Some(uid) = head.uid.filter(|uid| chunk.contains(uid))
            && head.header().is_some_and(names)
        {
            found.push(uid);
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Takes one mail; whether it is a message now. What cannot be used is passed over; only our own faults and the network's are errors.
async fn one(app: &App, session: &mut Session<Wire>, uid: u32) -> Result<bool, InboxError> {
    let what = format!("(UID BODY.PEEK[]<0.{MAX_MAIL}>)");
    let mut mail = None;
    {
        let mut fetched = session.uid_fetch(uid.to_string(), what).await?;
        while let Some(part) = fetched.try_next().await? {
            if part.uid == Some(uid) && mail.is_none() {
                mail = part.body().map(<[u8]>::to_vec);
            }
        }
    }
    match mail {
        Some(mail) => Ok(take::take(app, mail).await?),
        // Deleted meanwhile.
        None => Ok(false),
    }
}

async fn note(app: &App, (uid_validity, uid): (i64, u32)) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    let progress = Progress { uid_validity, last_uid: i64::from(uid) };
    tx.note_mailbox(&app.inbox.name(), progress).await?;
    tx.commit().await
}

/// Marks a mail as seen, after what it says is stored.
async fn seen(session: &mut Session<Wire>, uid: u32) -> Result<(), InboxError> {
    let mut marked = session.uid_store(uid.to_string(), "+FLAGS.SILENT (\\Seen)").await?;
    while marked.try_next().await?.is_some() {}
    Ok(())
}

/// A day as IMAP writes it: `3-Nov-2026`.
fn day(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    at.strftime("%-d-%b-%Y").to_string()
}
