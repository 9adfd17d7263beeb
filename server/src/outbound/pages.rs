//! The client for web pages that the owner names: it connects only to addresses of the internet, takes a bounded
//! number of bytes in a bounded time, and sends nothing but its name.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, ETAG, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION,
};
use reqwest::redirect::Policy;
use url::{Host, Url};

use super::addresses::closed;

/// How the program calls itself; the first word is what `robots.txt` may name.
pub const AGENT: &str = concat!("Porchlight/", env!("CARGO_PKG_VERSION"));
/// Characters of a header that are kept.
const MAX_HEADER: usize = 1_000;

/// What one request may take.
#[derive(Debug, Clone, Copy)]
pub struct PageLimits {
    /// For connecting.
    pub connect: Duration,
    /// For the answer to begin, and between two of its parts.
    pub silence: Duration,
    /// For all of it.
    pub whole: Duration,
    /// Bytes of a body, unpacked.
    pub bytes: u64,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(15),
            whole: Duration::from_secs(60),
            bytes: 16 * 1024 * 1024,
        }
    }
}

/// Finds the addresses of a name.
pub type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// Asks the system.
pub fn system_lookup() -> Lookup {
    Arc::new(|name| Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect()))
}

/// Why a page cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Not an address of a web page.
    #[error(
        "is no address of a web page: it begins with http:// or https:// and holds no password"
    )]
    Address,
    /// The machine is not one of the internet.
    #[error(
        "leads to {at}, {what}. If it is meant, name `{host}` under [knowledge] allow_private."
    )]
    Closed {
        /// Host and port.
        host: String,
        /// The address.
        at: IpAddr,
        /// What it is.
        what: &'static str,
    },
    /// The body has no end, or none that is worth waiting for.
    #[error("has more than {} MiB. Put what is needed of it into a file of the knowledge folder.", .0 / (1024 * 1024))]
    TooBig(u64),
    /// It takes too long.
    #[error("takes more than {} seconds to answer", .0.as_secs())]
    Slow(Duration),
    /// Something else, with its causes.
    #[error("cannot be reached: {0}")]
    Failed(String),
}

/// One GET.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The page.
    pub url: &'a Url,
    /// Formats that are wanted.
    pub accept: &'a str,
    /// `ETag` and `Last-Modified` of the copy that is there: when it is still good, the answer is 304 and empty.
    pub copy: (Option<&'a str>, Option<&'a str>),
}

/// What was answered. The body of anything but 200 is not read.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Where it leads instead.
    pub location: Option<String>,
    /// Empty where none is given.
    pub content_type: String,
    /// Names this state of the page.
    pub etag: Option<String>,
    /// When it was changed.
    pub last_modified: Option<String>,
    /// Unpacked.
    pub body: Vec<u8>,
}

/// The client. It follows no redirect, keeps no cookie and uses no proxy, whose addresses nobody could check.
#[derive(Debug)]
pub struct PageClient {
    open: Client,
    /// For hosts that are named in the settings, whatever their address.
    named: Client,
    allowed: Vec<String>,
    limits: PageLimits,
}

impl PageClient {
    /// Builds it; `allowed` are hosts with their port, `wiki.lan:443`, that may have any address. Call it, and use it,
    /// on a thread that may block.
    ///
    /// # Errors
    /// [`PageError::Failed`] when the system's certificates cannot be read.
    pub fn new(
        limits: PageLimits,
        allowed: Vec<String>,
        lookup: Lookup,
    ) -> Result<Self, PageError> {
        let client = |any: bool| {
            let guard = Guard::new(Arc::clone(&lookup), any);
            Client::builder()
                .user_agent(AGENT)
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .connect_timeout(limits.connect)
                // Of the blocking client this is the time of each read, not of the whole.
                .timeout(limits.silence)
                .dns_resolver(Arc::new(guard))
                .build()
                .map_err(|error| PageError::Failed(causes(&error)))
        };
        Ok(Self { open: client(false)?, named: client(true)?, allowed, limits })
    }

    /// One GET, without following where it leads.
    ///
    /// # Errors
    /// [`PageError`].
    pub fn get(&self, asked: &Asked<'_>) -> Result<Answer, PageError> {
        let until = Instant::now() + self.limits.whole;
        let mut get = self.client(asked.url)?.get(asked.url.clone()).header(ACCEPT, asked.accept);
        for (name, value) in [(IF_NONE_MATCH, asked.copy.0), (IF_MODIFIED_SINCE, asked.copy.1)] {
            if let Some(value) = value {
                get = get.header(name, value);
            }
        }
        let response = get.send().map_err(|error| self.failed(&error, asked.url))?;
        let header = |name: HeaderName| {
            let value = response.headers().get(name)?.to_str().ok()?;
            (value.len() <= MAX_HEADER).then(|| value.to_owned())
        };
        let mut answer = Answer {
            status: response.status().as_u16(),
            location: header(LOCATION),
            content_type: header(CONTENT_TYPE).unwrap_or_default(),
            etag: header(ETAG),
            last_modified: header(LAST_MODIFIED),
            body: Vec::new(),
        };
        if answer.status == 200 {
            answer.body = self.body(response, until)?;
        }
        Ok(answer)
    }

    /// Whether the settings name this host, whatever its address.
    pub fn is_named(&self, url: &Url) -> bool {
        host(url).is_some_and(|host| self.allowed.contains(&host))
    }

    /// The client that may talk to this host.
    fn client(&self, url: &Url) -> Result<&Client, PageError> {
        let web = matches!(url.scheme(), "http" | "https");
        if !web || !url.username().is_empty() || url.password().is_some() {
            return Err(PageError::Address);
        }
        if self.is_named(url) {
            return Ok(&self.named);
        }
        closed_host(url)?;
        Ok(&self.open)
    }

    fn body(&self, response: Response, until: Instant) -> Result<Vec<u8>, PageError> {
        let most = self.limits.bytes;
        if response.content_length().is_some_and(|length| length > most) {
            return Err(PageError::TooBig(most));
        }
        let mut rest = response.take(most + 1);
        let (mut body, mut part) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            let count = rest.read(&mut part).map_err(|error| {
                let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
                match inner.is_some_and(reqwest::Error::is_timeout) {
                    true => PageError::Slow(self.limits.silence),
                    false => PageError::Failed(causes(&error)),
                }
            })?;
            body.extend_from_slice(&part[..count]);
            if body.len() as u64 > most {
                return Err(PageError::TooBig(most));
            }
            if count == 0 {
                return Ok(body);
            }
            if Instant::now() >= until {
                return Err(PageError::Slow(self.limits.whole));
            }
        }
    }

    fn failed(&self, error: &reqwest::Error, url: &Url) -> PageError {
        if let Some(closed) = refused(error, url) {
            return closed;
        }
        if error.is_timeout() {
            return PageError::Slow(self.limits.silence);
        }
        PageError::Failed(causes(error))
    }
}

/// Host and port of an address, as the settings name it.
pub fn host(url: &Url) -> Option<String> {
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// A host that is an address is not looked up: whether anybody may reach it.
pub(super) fn closed_host(url: &Url) -> Result<(), PageError> {
    let host = host(url).ok_or(PageError::Address)?;
    let at = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        _ => None,
    };
    match at.and_then(|at| Some((at, closed(at)?))) {
        Some((at, what)) => Err(PageError::Closed { host, at, what }),
        None => Ok(()),
    }
}

/// What the guard has said, where it was the guard that refused.
pub(super) fn refused(error: &reqwest::Error, url: &Url) -> Option<PageError> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(Refused(at, what)) = inner.downcast_ref() {
            return Some(PageError::Closed { host: host(url).unwrap_or_default(), at: *at, what });
        }
        cause = inner.source();
    }
    None
}

/// Why a name has no addresses to connect to.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A name leads to an address that is not one of the internet.
#[derive(Debug, thiserror::Error)]
#[error("{0} is {1}")]
struct Refused(IpAddr, &'static str);

/// Looks names up for the client, which connects to what it is given and to nothing else: what is checked here is what
/// is connected to, however often the name changes.
pub(super) struct Guard {
    lookup: Lookup,
    /// Whether any address will do.
    any: bool,
}

impl Guard {
    /// Asks `lookup`; with `any` whatever it says will do.
    pub(super) fn new(lookup: Lookup, any: bool) -> Self {
        Self { lookup, any }
    }

    fn addresses(lookup: &Lookup, any: bool, name: &str) -> Result<Vec<IpAddr>, Cause> {
        let found = lookup(name)?;
        let refused = found.iter().find_map(|at| Some(Refused(*at, closed(*at)?)));
        match refused {
            Some(refused) if !any => Err(refused.into()),
            _ => Ok(found),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, any) = (Arc::clone(&self.lookup), self.any);
        Box::pin(async move {
            let look =
                tokio::task::spawn_blocking(move || Self::addresses(&lookup, any, name.as_str()));
            // The port of the page's address takes the place of 0.
            let found = look.await??.into_iter().map(|at| SocketAddr::new(at, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

/// An error's causes without the address, which the reader knows.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut parts = Vec::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        parts.push(inner.to_string());
        cause = inner.source();
    }
    parts.dedup();
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A name whose address changes between check and connection: each connection has the address that was checked.
    #[test]
    fn a_name_is_looked_up_once_and_that_address_is_used() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let lookup: Lookup = Arc::new(move |_| {
            let public = count.fetch_add(1, Ordering::SeqCst) == 0;
            Ok(vec![if public { [8, 8, 8, 8].into() } else { [127, 0, 0, 1].into() }])
        });
        let first = Guard::addresses(&lookup, false, "rebind.example").unwrap();
        assert_eq!(first, [IpAddr::from([8, 8, 8, 8])]);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let second = Guard::addresses(&lookup, false, "rebind.example").unwrap_err();
        assert_eq!(second.to_string(), "127.0.0.1 is an address of this very machine");
        let mixed: Lookup = Arc::new(|_| Ok(vec![[8, 8, 8, 8].into(), [10, 0, 0, 1].into()]));
        assert!(Guard::addresses(&mixed, false, "mixed.example").is_err());
        assert!(Guard::addresses(&mixed, true, "named.example").is_ok());
    }
}
