//! The client that posts to programs of others: one request, no redirect, only to addresses of the internet unless the owner names the
//! host, in a bounded time. Of the answer only the status counts: its body is not read.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use url::Url;

use super::pages::{AGENT, Guard, Lookup, PageError, causes, closed_host, host, refused};
use crate::config::HostPort;

/// For one request, from the name's address to the head of the answer.
pub const WHOLE: Duration = Duration::from_secs(10);

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
    #[error("no answer after {} seconds", .0.as_secs_f32())]
    Slow(Duration),
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
    whole: Duration,
}

impl Poster {
    /// Builds it; a request may take `whole`.
    ///
    /// # Errors
    /// [`PostError::Failed`] when the system's certificates cannot be read.
    pub fn new(lookup: Lookup, whole: Duration) -> Result<Self, PostError> {
        let client = |any: bool| {
            Client::builder()
                .user_agent(AGENT)
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .timeout(whole)
                .dns_resolver(Arc::new(Guard::new(Arc::clone(&lookup), any)))
                .build()
                .map_err(|error| PostError::Failed(causes(&error)))
        };
        Ok(Self { open: client(false)?, named: client(true)?, whole })
    }

    /// Posts a letter; the status of the answer.
    ///
    /// # Errors
    /// [`PostError`]; only with [`PostError::Closed`], [`PostError::Header`] and [`PostError::Unreached`] it is sure that nothing was sent.
    pub async fn post(&self, letter: &Letter<'_>) -> Result<u16, PostError> {
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
        let answer = post.body(letter.body.clone()).send().await;
        let answer = answer.map_err(|error| self.failed(&error, letter.url))?;
        Ok(answer.status().as_u16())
    }

    fn failed(&self, error: &reqwest::Error, url: &Url) -> PostError {
        if let Some(closed) = refused(error, url) {
            return closed.into();
        }
        if error.is_timeout() {
            return PostError::Slow(self.whole);
        }
        match error.is_connect() {
            true => PostError::Unreached(causes(error)),
            false => PostError::Failed(causes(error)),
        }
    }
}
