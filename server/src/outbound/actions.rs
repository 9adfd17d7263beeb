//! The client for the owner's actions: one request, no redirect, JSON only, in bounded time and size, and only to addresses of the
//! internet over https unless the owner names the host or it is this server itself.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use url::Url;

use super::pages::{AGENT, Guard, Lookup, PageError, causes, closed_host, host, refused};
use crate::config::HostPort;

/// Bytes of an answer at most, unpacked.
pub const BYTES: usize = 64 * 1024;
/// For connecting.
const CONNECT: Duration = Duration::from_secs(5);

/// One call.
#[derive(Debug)]
pub struct Call {
    /// Where.
    pub url: Url,
    /// Whether it is this server's own address.
    pub own: bool,
    /// The JSON body of a POST; a GET without.
    pub body: Option<Value>,
    /// Headers with their secrets.
    pub headers: HeaderMap,
    /// For all of it.
    pub timeout: Duration,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body of a success.
    pub body: Value,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not an address that may be called: nothing was sent, and nothing will be.
    #[error("the address {0}")]
    Closed(String),
    /// Nobody was reached: nothing was sent.
    #[error("nobody answers: {0}")]
    Unreached(String),
    /// The request may have arrived, and what became of it is not known.
    #[error("the answer never came: {0}")]
    Lost(String),
    /// It leads elsewhere, which is not followed.
    #[error(
        "the answer is a redirect ({status}), which is never followed; set the address that it leads to"
    )]
    Redirect {
        /// HTTP status.
        status: u16,
    },
    /// A success whose body cannot be used.
    #[error("the answer was {status}, but {problem}")]
    Unreadable {
        /// HTTP status.
        status: u16,
        /// What is wrong with it.
        problem: String,
    },
}

/// The client.
#[derive(Debug)]
pub struct ActionClient {
    open: Client,
    /// For hosts that the owner names and for this server, whatever their address.
    named: Client,
    allowed: Vec<HostPort>,
}

impl ActionClient {
    /// Builds it; `allowed` may have any address and need no https.
    ///
    /// # Errors
    /// [`CallError::Unreached`] when the system's certificates cannot be read.
    pub fn new(allowed: Vec<HostPort>, lookup: Lookup) -> Result<Self, CallError> {
        let client = |any: bool| {
            Client::builder()
                .user_agent(AGENT)
                .redirect(Policy::none())
                .no_proxy()
                .referer(false)
                .connect_timeout(CONNECT)
                // A connection that was kept may close while a request is on its way, which nobody could tell from one that arrived.
                .pool_max_idle_per_host(0)
                .dns_resolver(Arc::new(Guard::new(Arc::clone(&lookup), any)))
                .build()
                .map_err(|error| CallError::Unreached(causes(&error)))
        };
        Ok(Self { open: client(false)?, named: client(true)?, allowed })
    }

    /// Calls once.
    ///
    /// # Errors
    /// [`CallError`]; only with [`CallError::Closed`] and [`CallError::Unreached`] it is sure that nothing was sent.
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        let client = self.client(&call)?;
        let method = if call.body.is_some() { Method::POST } else { Method::GET };
        let mut request = client.request(method, call.url.clone()).headers(call.headers);
        request = request.header(ACCEPT, "application/json").timeout(call.timeout);
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| failed(&error, &call.url))?;
        let status = response.status().as_u16();
        if (300..400).contains(&status) {
            return Err(CallError::Redirect { status });
        }
        if !(200..300).contains(&status) {
            return Ok(Answer { status, body: Value::Null });
        }
        let body =
            body(response).await.map_err(|problem| CallError::Unreadable { status, problem })?;
        Ok(Answer { status, body })
    }

    /// The client that may talk to this host.
    fn client(&self, call: &Call) -> Result<&Client, CallError> {
        let url = &call.url;
        let closed = |error: PageError| {
            CallError::Closed(error.to_string().replace("[knowledge]", "[actions]"))
        };
        let name = host(url).ok_or(PageError::Address).map_err(closed)?;
        if call.own || self.allowed.iter().any(|host| host.as_str() == name) {
            return Ok(&self.named);
        }
        if url.scheme() != "https" {
            let problem = format!(
                "is not https, and an account's data would travel in the clear. If that is meant, name `{name}` under [actions] allow_private."
            );
            return Err(CallError::Closed(problem));
        }
        closed_host(url).map_err(closed)?;
        Ok(&self.open)
    }
}

/// The body of a success as JSON.
async fn body(mut response: Response) -> Result<Value, String> {
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" && !(kind.starts_with("application/") && kind.ends_with("+json"))
    {
        return Err("it is no application/json".into());
    }
    let too_big = || format!("it is larger than {} KiB", BYTES / 1024);
    if response.content_length().is_some_and(|length| length > BYTES as u64) {
        return Err(too_big());
    }
    let mut bytes = Vec::new();
    while let Some(part) =
        response.chunk().await.map_err(|error| format!("it broke off: {}", causes(&error)))?
    {
        bytes.extend_from_slice(&part);
        if bytes.len() > BYTES {
            return Err(too_big());
        }
    }
    serde_json::from_slice(&bytes).map_err(|error| format!("it is no JSON: {error}"))
}

fn failed(error: &reqwest::Error, url: &Url) -> CallError {
    if let Some(closed) = refused(error, url) {
        return CallError::Closed(closed.to_string().replace("[knowledge]", "[actions]"));
    }
    match error.is_connect() || error.is_builder() {
        true => CallError::Unreached(causes(error)),
        false if error.is_timeout() => CallError::Lost("it took too long".into()),
        false => CallError::Lost(causes(error)),
    }
}
