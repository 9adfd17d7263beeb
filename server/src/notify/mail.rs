//! Mail: what is sent, and how answers to it find back into the conversation.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::{Notice, json};
use crate::app::App;
use crate::clock::fingerprint;
use crate::config::{self, Security};
use crate::demo;
use crate::outbox::{self, Channel, Parcel, Unsent};
use crate::secret;
use crate::store::mail::Thread;
use crate::store::outbox::Row;
use crate::store::{StoreError, Tx};

pub use crate::store::mail::Side;

/// For the whole of one mail: connecting, the server's words, and the mail itself.
const WHOLE: Duration = Duration::from_secs(30);
/// Characters of a subject at most.
const MAX_SUBJECT: usize = 200;
/// Bytes of a mail's text at most.
const MAX_TEXT: usize = 256 * 1024;
/// Characters that are kept of what a mail server says.
const MAX_WORDS: usize = 300;

/// A mail of plain text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// One address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The secret that answers are known by, see [`thread`]; none when nobody reads them.
    pub thread: Option<String>,
    /// The conversation whose mails belong together in the reader's list.
    #[serde(default)]
    pub about: String,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// No mail server is set.
    #[error("no mail server is set; name one under [mail] in porchlight.toml")]
    NotSet,
    /// Not an address that mail may go to.
    #[error("`{0}` is no e-mail address")]
    Address(String),
    /// The mail or the settings cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// The server does not want this mail, now or ever.
    #[error("the mail server refused the mail: {0}")]
    Refused(String),
    /// The server wants it later, or wants other settings.
    #[error("the mail server did not take the mail: {0}")]
    Deferred(String),
    /// Nobody answers, or not in time.
    #[error("the mail server cannot be reached: {0}")]
    Unreached(String),
}

impl MailError {
    /// Whether another try can change nothing.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Address(_) | Self::Refused(_))
    }
}

/// Sends mail by the settings `[mail]`.
#[derive(Debug, Clone)]
pub struct Mailer {
    settings: config::Mail,
    /// Certificates that are trusted beside the system's, as PEM.
    trust: Arc<[Vec<u8>]>,
    whole: Duration,
}

impl Mailer {
    /// By these settings; `trust` are certificates beside the system's, as PEM.
    pub fn new(settings: config::Mail, trust: &[Vec<u8>]) -> Self {
        Self { settings, trust: trust.into(), whole: WHOLE }
    }

    /// The same, that gives up a mail after `whole`.
    #[must_use]
    pub fn within(self, whole: Duration) -> Self {
        Self { whole, ..self }
    }

    /// Whether a mail server is set.
    pub fn is_set(&self) -> bool {
        self.settings.server.is_some()
    }

    /// The address that mail comes from.
    pub fn from(&self) -> Option<Address> {
        self.settings.from.as_deref().and_then(Address::parse)
    }

    /// Sends one mail. `id` names it: the same mail has the same id whenever it is sent again.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send(&self, mail: &Mail, id: &str, now: i64) -> Result<(), MailError> {
        let from = self.from().filter(|_| self.is_set()).ok_or(MailError::NotSet)?;
        let to = Address::parse(&mail.to).ok_or_else(|| MailError::Address(mail.to.clone()))?;
        let message = self.message(mail, (&from, &to), id, now)?;
        let sent = tokio::time::timeout(self.whole, async {
            self.transport().await?.send(message).await.map_err(|error| said(&error))
        });
        match sent.await {
            Ok(sent) => sent.map(|_| ()),
            Err(_) => Err(MailError::Unreached(format!(
                "no end after {} seconds",
                self.whole.as_secs_f32()
            ))),
        }
    }

    fn message(
        &self,
        mail: &Mail,
        (from, to): (&Address, &Address),
        id: &str,
        now: i64,
    ) -> Result<Message, MailError> {
        let bare = |address: &Address| {
            let read = address.as_str().parse();
            let address = read.map_err(|_| MailError::Address(address.as_str().into()))?;
            Ok(Mailbox::new(None, address))
        };
        let (from_box, to_box) = (bare(from)?, bare(to)?);
        let envelope = Envelope::new(Some(from_box.email.clone()), vec![to_box.email.clone()])
            .map_err(|error| MailError::Unusable(error.to_string()))?;
        let named = mail.thread.as_deref().unwrap_or(id);
        let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(now).unwrap_or(0));
        let mut builder: MessageBuilder = Message::builder()
            .envelope(envelope)
            .from(from_box)
            .to(to_box)
            .subject(one_line(&mail.subject, MAX_SUBJECT))
            .date(date)
            .message_id(Some(format!("<{MARK}{named}@{}>", from.domain())))
            .header(Automatic)
            .header(ContentType::TEXT_PLAIN);
        if !mail.about.is_empty() {
            // One name for all mails about a conversation, which says nothing about it.
            let root = &fingerprint(format!("conversation {}", mail.about))[..32];
            builder = builder.references(format!("<about.{root}@{}>", from.domain()));
        }
        builder
            .body(plain(&mail.text))
            .map_err(|error| MailError::Unusable(format!("the mail cannot be written: {error}")))
    }

    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
        let config::Mail { server, port, tls, user, password_file, .. } = &self.settings;
        let server = server.clone().ok_or(MailError::NotSet)?;
        let parameters = || {
            let mut builder = TlsParameters::builder(server.clone());
            for pem in self.trust.iter() {
                let certificate = Certificate::from_pem(pem).map_err(|error| said(&error))?;
                builder = builder.add_root_certificate(certificate);
            }
            builder.build_rustls().map_err(|error| said(&error))
        };
        let wanted = match tls {
            Security::None => Tls::None,
            Security::Starttls => Tls::Required(parameters()?),
            Security::Tls => Tls::Wrapper(parameters()?),
        };
        let port = port.unwrap_or(match tls {
            Security::None => 25,
            Security::Starttls => 587,
            Security::Tls => 465,
        });
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)
            .port(port)
            .tls(wanted)
            .timeout(Some(self.whole));
        if let Some(user) = user {
            let password = match password_file {
                Some(file) => secret::read(file).await.map_err(MailError::Unusable)?,
                None => String::new(),
            };
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(builder.build())
    }
}

/// What the Message-ID of every mail of ours begins with; a thread's secret follows in those that may be answered.
pub const MARK: &str = "porchlight.";

/// Says that nobody sent this mail by hand, so that no other program answers it (RFC 3834).
#[derive(Clone)]
struct Automatic;

impl lettre::message::header::Header for Automatic {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// What went wrong, in words that hold neither password nor text of the mail.
fn said(error: &lettre::transport::smtp::Error) -> MailError {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = inner.source();
    }
    let words = one_line(&words, MAX_WORDS);
    match error.status() {
        // Of the permanent ones those that are about this mail or its reader; the others may be about the settings.
        Some(code) if (550..560).contains(&u16::from(code)) => MailError::Refused(words),
        Some(_) => MailError::Deferred(words),
        None if error.is_client() => MailError::Unusable(words),
        None => MailError::Unreached(words),
    }
}

/// A text as one line without control characters.
fn one_line(text: &str, most: usize) -> String {
    let text = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = text.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    words.chars().take(most).collect()
}

/// A text with the ends of lines that mail has, and no other control characters.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if out.len() > MAX_TEXT {
            break;
        }
        out.extend(line.chars().filter(|c| *c == '\t' || !c.is_control()));
        out.push_str("\r\n");
    }
    out
}

/// Sends a mail now, without the outbox: for what must not be stored, such as one-time codes.
///
/// # Errors
/// [`MailError`]; nothing counts as sent then.
pub async fn send(app: &App, mail: &Mail) -> Result<(), MailError> {
    leave(app, mail, &app.ids.id(), app.clock.now_ms()).await
}

/// The one way out for mail: what goes to the demo's customers stays in the demo.
async fn leave(app: &App, mail: &Mail, id: &str, now: i64) -> Result<(), MailError> {
    if demo::takes(app, mail) {
        return Ok(());
    }
    app.mailer.send(mail, id, now).await
}

/// Sends the mail of a parcel.
///
/// # Errors
/// [`Unsent`].
pub(super) async fn deliver(app: &App, mail: &Mail, row: &Row) -> Result<(), Unsent> {
    let sent = leave(app, mail, &row.id, row.created_at).await;
    sent.map_err(|error| match error.is_final() {
        true => Unsent::Final(error.to_string()),
        false => Unsent::Later(error.to_string()),
    })
}

/// Puts a mail up to be sent; false where the outbox is full. `event` is for the console's list: `ticket_reply`.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn post(
    app: &App,
    tx: &mut Tx,
    (event, mail): (&str, &Mail),
    now: i64,
) -> Result<bool, StoreError> {
    let parcel = Parcel {
        channel: Channel::Mail,
        target: mail.to.to_ascii_lowercase(),
        event: event.into(),
        conversation: mail.about.clone(),
        body: json(mail),
        digest_at: None,
    };
    Ok(outbox::put(app, tx, parcel, now).await?.is_some())
}

/// Begins a thread: what answers the mail that carries this secret belongs into the conversation. None where no mailbox is read.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn thread(
    app: &App,
    tx: &mut Tx,
    (conversation, side, recipient): (&str, Side, &str),
    now: i64,
) -> Result<Option<String>, StoreError> {
    let Some(recipient) = Address::parse(recipient).filter(|_| app.inbox.is_set()) else {
        return Ok(None);
    };
    let token = app.ids.secret();
    let thread = Thread {
        token_hash: fingerprint(&token),
        conversation: conversation.into(),
        side: side.as_str().into(),
        recipient: recipient.as_str().into(),
        created_at: now,
    };
    tx.add_mail_thread(&thread).await?;
    Ok(Some(token))
}

/// Puts a mail to a visitor up, whose answers come back into the conversation; false where the outbox is full.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn to_visitor(
    app: &App,
    tx: &mut Tx,
    (conversation, event): (&str, &str),
    (to, subject, text): (&str, &str, &str),
    now: i64,
) -> Result<bool, StoreError> {
    let thread = thread(app, tx, (conversation, Side::Visitor, to), now).await?;
    let mail = Mail {
        to: to.into(),
        subject: subject.into(),
        text: text.into(),
        thread,
        about: conversation.into(),
    };
    Ok(post(app, tx, (event, &mail), now).await?
        && (app.mailer.is_set() || crate::demo::is_demo(to)))
}

/// A notice as a mail; an answer to it reaches the visitor, unless it is one of many in a digest.
pub(super) async fn of_notice(
    app: &App,
    tx: &mut Tx,
    (notice, to): (&Notice, &str),
    (digest_at, now): (Option<i64>, i64),
) -> Result<Mail, StoreError> {
    let mut text = notice.text.trim_end().to_owned();
    let mut thread = None;
    if !notice.conversation.is_empty() {
        let base = app.origins.base();
        text.push_str(&format!("\n\n{base}/console/#/c/{}\n", notice.conversation));
        if digest_at.is_none() {
            let about = (notice.conversation.as_str(), Side::Owner, to);
            thread = self::thread(app, tx, about, now).await?;
        }
        if thread.is_some() {
            text.push_str("Answer this mail to write to the visitor.\n");
        }
    }
    Ok(Mail {
        to: to.into(),
        subject: notice.title.clone(),
        text,
        thread,
        about: notice.conversation.clone(),
    })
}
