//! What requests and reply workers share.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine::draft::Mode;
use engine::model::Model;
use engine::reply::Parts;
use tokio_util::sync::CancellationToken;

use crate::actions;
use crate::auth::Doors;
use crate::clock::{Clock, Ids};
use crate::config::{Site, Stream};
use crate::demo::Demo;
use crate::gaps;
use crate::hub::Hub;
use crate::knowledge::{Edition, Library};
use crate::limits::Limits;
use crate::notify::inbox::Inbox;
use crate::notify::mail::Mailer;
use crate::origin::Origins;
use crate::outbound::post::Poster;
use crate::outbox::Outbox;
use crate::prompts::{Prompter, Prompts};
use crate::replies::Desk;
use crate::scorecard;
use crate::socket::pipes::Pipes;
use crate::store::Store;
use crate::tuning::Tuning;
use crate::uploads::Uploads;

/// A running server's shared state.
#[derive(Debug)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Ids and secrets.
    pub ids: Ids,
    /// Rings when a conversation begins or ends to wait for a person.
    pub queue: tokio::sync::Notify,
    /// Rings when something that was planned may be due.
    pub due: tokio::sync::Notify,
    /// Rings when the stream of events has grown.
    pub measured: tokio::sync::Notify,
    /// Open sockets.
    pub hub: Hub,
    /// Talks over HTTP.
    pub pipes: Pipes,
    /// Drafts on their way.
    pub desk: Desk,
    /// What replies are made from.
    pub mind: Mind,
    /// What is to leave the machine by itself.
    pub outbox: Outbox,
    /// Sends mail.
    pub mailer: Mailer,
    /// Reads answers to mail.
    pub inbox: Inbox,
    /// Calls programs of others.
    pub poster: Poster,
    /// What scorecards share.
    pub scorecard: scorecard::Desk,
    /// Calls of the owner's actions, and codes.
    pub actions: actions::Desk,
    /// What the documents did not answer.
    pub gaps: gaps::Desk,
    /// The demo shop, where it is on.
    pub demo: Option<Demo>,
    /// The site's name and greeting.
    pub site: Site,
    /// Who may talk to this server.
    pub origins: Origins,
    /// File with the key of the owner's own programs.
    pub site_key: Option<PathBuf>,
    /// Files that visitors send.
    pub uploads: Uploads,
    /// Rates.
    pub limits: Limits,
    /// Sign-in's own state.
    pub doors: Doors,
    /// Cancelled when the server stops.
    pub shutdown: CancellationToken,
}

/// What replies are made from.
pub struct Mind {
    /// The documents.
    pub knowledge: Arc<Library>,
    /// Encoder and drafter.
    pub model: Arc<dyn Model>,
    /// The owner's intents, policy and texts.
    pub prompts: Arc<Prompter>,
    /// How sure the bot is and has to be.
    pub tuning: Tuning,
    /// How to draft.
    pub mode: Mode,
    /// What visitors see of a draft.
    pub stream: Stream,
    /// Whether drafts are made for people who hold a conversation.
    pub suggest: bool,
    /// Milliseconds without more words of the visitor after which a reply is begun.
    pub settle_ms: i64,
    /// How long a reply may take.
    pub timeout: Duration,
}

impl Mind {
    /// The owner's intents, policy and texts as they are in force now.
    pub fn prompts(&self) -> Arc<Prompts> {
        self.prompts.now()
    }

    /// The parts of [`engine::reply::reply`] over one edition of the documents and of the prompts.
    pub fn parts<'a>(&'a self, edition: &'a Edition, prompts: &'a Prompts) -> Parts<'a> {
        Parts {
            search: edition,
            model: self.model.as_ref(),
            intents: &prompts.intents,
            policy: &prompts.policy,
            templates: &prompts.templates,
            books: &prompts.books,
            entities: &prompts.entities,
            tuned: self.tuning.tuned(),
            mode: self.mode,
        }
    }
}

impl std::fmt::Debug for Mind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mind")
            .field("knowledge", &self.knowledge)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// Address of whoever sent a request, after trusted proxies.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);
