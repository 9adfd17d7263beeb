//! The client that posts to programs of others: one request, no redirect, only to addresses of the internet unless the owner names the
//! host, and a bounded answer in a bounded time.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::Url;

use super::pages::{AGENT, Guard, Lookup, PageError, causes, closed_host, host, refused};
use crate::config::HostPort;

/// For all of one request, the answer included.
const WHOLE: Duration = Duration::from_secs(10);
/// Bytes of an answer, unpacked.
const BYTES: usize = 64 * 1024;

/// One POST.
#[derive(Debug)]
pub struct Letter<'a> {
    /// Where to.
    pub url: &'a Url,
    /// Names in lower case, and values.
    pub headers: &'a [(&'static str, String)],
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
    /// Hosts that may be called although their addresses are private.
    pub allowed: &'a [HostPort],
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Unpacked.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// Not an address that may be called.
    #[error("the address {0}")]
    Closed(#[from] PageError),
    /// A header cannot be written.
    #[error("the header `{0}` cannot be written")]
    Header(&'static str),
    /// Nobody was reached: nothing was sent.
    #[error("nobody answers: {0}")]
    Unreached(String),
    /// The answer takes too long.
    #[error("no answer after {} seconds", .0.as_secs())]
    Slow(Duration),
    /// The answer has no end, or none that is worth waiting for.
    #[error("the answer has more than {} KiB", .0 / 1024)]
    TooBig(usize),
    /// Something else, with its causes.
    #[error("the request failed: {0}")]
    Failed(String),
}

/// The client.
#[derive(Debug, Clone)]
pub struct Poster {
    open: Client,
    /// For hosts that the owner names, whatever their address.
    named: Client,
}

impl Poster {
    /// Builds it.
    ///
    /// # Errors
    /// [`PostError::Failed`] when the system's certificates cannot be read.
    pub fn new(lookup: Lookup) -> Result<Self, PostError> {
        let client = |any: bool| {
            Client::builder()
                .user_agent(AGENT)
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .timeout(WHOLE)
                .dns_resolver(Arc::new(Guard::new(Arc::clone(&lookup), any)))
                .build()
                .map_err(|error| PostError::Failed(causes(&error)))
        };
        Ok(Self { open: client(false)?, named: client(true)? })
    }

    /// Posts a letter.
    ///
    /// # Errors
    /// [`PostError`]; only with [`PostError::Closed`], [`PostError::Header`] and [`PostError::Unreached`] it is sure that nothing was sent.
    pub async fn post(&self, letter: &Letter<'_>) -> Result<Reply, PostError> {
        let name = host(letter.url).ok_or(PageError::Address)?;
        let named = letter.allowed.iter().any(|host| host.as_str() == name);
        if !named {
            closed_host(letter.url)?;
        }
        let client = if named { &self.named } else { &self.open };
        let mut post = client.post(letter.url.clone()).header(CONTENT_TYPE, letter.content_type);
        for (name, value) in letter.headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| PostError::Header(name))?;
            value.set_sensitive(true);
            post = post.header(HeaderName::from_static(name), value);
        }
        let failed = |error: reqwest::Error| failed(&error, letter.url);
        let response = post.body(letter.body.clone()).send().await.map_err(failed)?;
        let status = response.status().as_u16();
        Ok(Reply { status, body: body(response, letter.url).await? })
    }
}

async fn body(mut response: Response, url: &Url) -> Result<Vec<u8>, PostError> {
    let mut body = Vec::new();
    if response.content_length().is_some_and(|length| length > BYTES as u64) {
        return Err(PostError::TooBig(BYTES));
    }
    while let Some(part) = response.chunk().await.map_err(|error| failed(&error, url))? {
        body.extend_from_slice(&part);
        if body.len() > BYTES {
            return Err(PostError::TooBig(BYTES));
        }
    }
    Ok(body)
}

fn failed(error: &reqwest::Error, url: &Url) -> PostError {
    if let Some(closed) = refused(error, url) {
        return closed.into();
    }
    if error.is_connect() {
        return PostError::Unreached(causes(error));
    }
    if error.is_timeout() {
        return PostError::Slow(WHOLE);
    }
    PostError::Failed(causes(error))
}
