//! What requests and reply workers share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::draft::Mode;
use engine::intent::IntentBook;
use engine::model::Model;
use engine::policy::Policy;
use engine::prompt::Templates;
use engine::reply::Parts;
use tokio_util::sync::CancellationToken;

use crate::auth::Doors;
use crate::clock::{Clock, Ids};
use crate::config::{Site, Stream};
use crate::hub::Hub;
use crate::knowledge::{Edition, Library};
use crate::limits::Limits;
use crate::origin::Origins;
use crate::replies::Desk;
use crate::store::Store;

/// A running server's shared state.
#[derive(Debug)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Ids and secrets.
    pub ids: Ids,
    /// Held from the start of a change to the end of its publication, so that all see changes in one order.
    pub order: Arc<tokio::sync::Mutex<()>>,
    /// Open sockets.
    pub hub: Hub,
    /// Drafts on their way.
    pub desk: Desk,
    /// What replies are made from.
    pub mind: Mind,
    /// The site's name and greeting.
    pub site: Site,
    /// Who may talk to this server.
    pub origins: Origins,
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
    /// The owner's intents.
    pub intents: IntentBook,
    /// The owner's policy.
    pub policy: Policy,
    /// The texts around answers.
    pub templates: Templates,
    /// How to draft.
    pub mode: Mode,
    /// What visitors see of a draft.
    pub stream: Stream,
    /// Milliseconds without more words of the visitor after which a reply is begun.
    pub settle_ms: i64,
    /// How long a reply may take.
    pub timeout: Duration,
}

impl Mind {
    /// The parts of [`engine::reply::reply`] over one edition of the documents.
    pub fn parts<'a>(&'a self, edition: &'a Edition) -> Parts<'a> {
        Parts {
            search: edition,
            model: self.model.as_ref(),
            intents: &self.intents,
            policy: &self.policy,
            templates: &self.templates,
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
