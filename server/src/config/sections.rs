//! The sections of the settings and their built-in values.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use engine::draft::Mode;
use models::device::Place;
use serde::{Deserialize, Serialize};

use super::addresses::{HostPort, PageUrl};

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where to serve and keep things.
    pub server: Server,
    /// What the widget shows of the site.
    pub site: Site,
    /// The documents.
    pub knowledge: Knowledge,
    /// The models.
    pub models: Models,
    /// How replies are made.
    pub replies: Replies,
    /// How much one address may do.
    pub limits: Limits,
    /// What the owner's actions may reach.
    pub actions: Actions,
    /// How mail is sent.
    pub mail: Mail,
    /// Where answers to mail are read.
    pub imap: Imap,
    /// What the owner's own programs may do.
    pub api: Api,
}

/// `[api]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// File with the key that programs show; they are let in with one only.
    pub key_file: Option<PathBuf>,
}

/// `[server]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// Folder of the database and the index.
    pub data_dir: PathBuf,
    /// Address that visitors use when a proxy stands in front: `https://chat.example.org`.
    pub public_url: Option<String>,
    /// Other sites whose pages may embed the widget: `https://www.example.org`.
    pub allowed_origins: Vec<String>,
}

/// `[site]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// Title of the widget.
    pub name: String,
    /// First line of the widget.
    pub greeting: String,
    /// Whether the demo shop and its inbox are there.
    pub demo: bool,
}

/// `[actions]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Actions {
    /// Hosts with their port that actions may call although their addresses are private or not https: `shop.lan:8080`.
    pub allow_private: Vec<HostPort>,
}

/// `[knowledge]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knowledge {
    /// Folder of the documents.
    pub dir: PathBuf,
    /// Published states that are kept for rolling back, 2 to 100.
    pub keep_versions: usize,
    /// Days after which `porchlight knowledge check` names a document that nobody has touched, 1 or more.
    pub stale_days: u32,
    /// Web pages that are documents too: `https://www.example.org/terms`.
    pub urls: Vec<PageUrl>,
    /// Sitemaps whose pages are documents too: `https://www.example.org/sitemap.xml`.
    pub sitemaps: Vec<PageUrl>,
    /// Hours until the pages are asked again whether they have changed, 1 to 8,760.
    pub refresh_hours: u32,
    /// Hosts with their port whose pages may be fetched although their addresses are private: `wiki.lan:443`.
    pub allow_private: Vec<HostPort>,
}

/// `[models]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Models {
    /// Folder where models are kept.
    pub dir: PathBuf,
    /// Id of the encoder.
    pub encoder: String,
    /// Id of the drafter.
    pub drafter: String,
    /// How to draft; the drafter's own way unless set.
    pub mode: Option<Mode>,
    /// `cpu`, or `cuda` in a build for GPUs.
    pub device: Device,
    /// Threads that the drafter may take on the processor, and as many for the encoder; one a core unless set.
    pub threads: Option<NonZeroUsize>,
}

impl Models {
    /// Threads for each model.
    pub fn threads(&self) -> usize {
        self.threads.map_or_else(models::device::threads, NonZeroUsize::get)
    }
}

/// `[limits]`: for each address (each /64 of IPv6); up to a minute's worth may come at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Messages of visitors a minute.
    pub messages_a_minute: NonZeroU32,
    /// Conversations that begin a minute.
    pub conversations_a_minute: NonZeroU32,
    /// Connections of widgets and consoles that open a minute.
    pub sockets_a_minute: NonZeroU32,
    /// Connections of widgets that may be open at once.
    pub sockets_at_once: NonZeroU32,
}

/// `[mail]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// Name of the mail server; no mail is sent without one.
    pub server: Option<String>,
    /// Its port; 587, 465 with `tls`, 25 with `none`.
    pub port: Option<u16>,
    /// How the connection is made safe.
    pub tls: Security,
    /// Who signs in; nobody unless set.
    pub user: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Address that mail comes from.
    pub from: Option<String>,
}

/// `[imap]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Imap {
    /// Name of the server; no mail is read without one.
    pub server: Option<String>,
    /// Its port; 993, 143 with `starttls` and `none`.
    pub port: Option<u16>,
    /// How the connection is made safe.
    pub tls: Security,
    /// Who signs in.
    pub user: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Seconds between two looks at the mailbox, 10 to 3,600.
    pub every_s: u64,
}

/// How a connection to a mail server is made safe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// It begins in the clear and is made safe before anything is said.
    #[default]
    Starttls,
    /// It is safe from the start.
    Tls,
    /// It is not; only to this very machine.
    None,
}

/// Where to compute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
}

impl From<Device> for Place {
    fn from(device: Device) -> Self {
        match device {
            Device::Cpu => Self::Cpu,
            Device::Cuda => Self::Cuda,
        }
    }
}

/// `[replies]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replies {
    /// What visitors see of a draft.
    pub stream: Stream,
    /// Whether messages to a person are read and a reply to them is suggested.
    pub suggest: bool,
    /// Milliseconds without more words of the visitor after which a reply is begun, 0 to 3,000.
    pub settle_ms: u32,
    /// Seconds a reply may take before a person is asked for.
    pub timeout_s: u64,
    /// Folder with the owner's own `policy.toml`, `templates.toml` and `intents.toml`.
    pub prompts: Option<PathBuf>,
}

/// What visitors see of a draft on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Every token.
    Tokens,
    /// Every checked sentence.
    #[default]
    Sentences,
    /// Nothing before the decision.
    Decided,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7878)),
            data_dir: "~/.local/share/porchlight".into(),
            public_url: None,
            allowed_origins: vec![],
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            messages_a_minute: NonZeroU32::new(120).unwrap_or(NonZeroU32::MIN),
            conversations_a_minute: NonZeroU32::new(60).unwrap_or(NonZeroU32::MIN),
            sockets_a_minute: NonZeroU32::new(300).unwrap_or(NonZeroU32::MIN),
            sockets_at_once: NonZeroU32::new(200).unwrap_or(NonZeroU32::MIN),
        }
    }
}

impl Default for Imap {
    fn default() -> Self {
        Self {
            server: None,
            port: None,
            tls: Security::Tls,
            user: None,
            password_file: None,
            every_s: 60,
        }
    }
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "Porchlight".into(),
            greeting: "Hello! Ask a question, and I will look for the answer in our documentation."
                .into(),
            demo: true,
        }
    }
}

impl Default for Knowledge {
    fn default() -> Self {
        Self {
            dir: "knowledge".into(),
            keep_versions: 10,
            stale_days: 365,
            urls: vec![],
            sitemaps: vec![],
            refresh_hours: 24,
            allow_private: vec![],
        }
    }
}

impl Default for Models {
    fn default() -> Self {
        Self {
            dir: "~/.cache/porchlight/models".into(),
            encoder: "minilm-l6".into(),
            drafter: "smollm2-135m".into(),
            mode: None,
            device: Device::Cpu,
            threads: None,
        }
    }
}

impl Default for Replies {
    fn default() -> Self {
        Self {
            stream: Stream::Sentences,
            suggest: true,
            settle_ms: 700,
            timeout_s: 60,
            prompts: None,
        }
    }
}

impl Replies {
    /// How long a reply may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_s)
    }
}
