//! Who may talk to this server: exact hosts and origins, and the headers that keep pages from doing more than they should.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, ORIGIN,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::{App, Peer};
use crate::error::ApiError;
use crate::{api, uploads};

/// Where a widget speaks over HTTP, on pages of other sites too.
const WIDGET: [&str; 4] = ["/widget/stream", "/widget/poll", "/widget/frames", uploads::ADDRESS];
/// Below it files travel as they are.
const UPLOADS: &str = "/console/api/knowledge/upload/";
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The hosts this server answers to and the origins that may use it.
#[derive(Debug, Clone)]
pub struct Origins {
    listen: SocketAddr,
    /// `https://chat.example.org`, as the owner set it.
    public: Option<String>,
    /// Other sites that may embed the widget.
    allowed: Vec<String>,
}

impl Origins {
    /// From the listening address, the public address and the owner's list; both without a trailing slash.
    pub fn new(listen: SocketAddr, public: Option<String>, allowed: Vec<String>) -> Self {
        Self { listen, public, allowed }
    }

    /// Whether visitors come over TLS.
    pub fn is_https(&self) -> bool {
        self.public.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// The address that people open.
    pub fn base(&self) -> String {
        self.public.clone().unwrap_or_else(|| self.here())
    }

    /// The address under which this server reaches itself.
    pub fn here(&self) -> String {
        match self.listen.ip() {
            ip if ip.is_unspecified() => format!("http://127.0.0.1:{}", self.listen.port()),
            _ => format!("http://{}", self.listen),
        }
    }

    /// Whether a `Host` header names this server. Names that the owner has not set are refused, so that no foreign
    /// name can be pointed at a server on loopback.
    fn is_host(&self, host: &str) -> bool {
        let port = self.listen.port();
        let own = |name: &str| host == format!("{name}:{port}") || (port == 80 && host == name);
        let public =
            self.public.as_deref().and_then(|url| url.split_once("://")).map(|(_, host)| host);
        if public == Some(host) || own("localhost") || own("127.0.0.1") || own("[::1]") {
            return true;
        }
        let address = host.parse::<SocketAddr>().ok().filter(|address| address.port() == port);
        address.is_some_and(|address| {
            self.listen.ip().is_unspecified() || address.ip() == self.listen.ip()
        })
    }

    /// Whether a page of `origin` is one of this server's own.
    fn is_own(&self, origin: &str) -> bool {
        let Some((scheme, host)) = origin.split_once("://") else { return false };
        self.public.as_deref() == Some(origin)
            || (scheme == "http" && self.is_host(host) && !self.is_https())
            || (scheme == "http" && self.is_https() && self.is_loopback(host))
    }

    fn is_loopback(&self, host: &str) -> bool {
        let port = self.listen.port();
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host == format!("{name}:{port}"))
    }

    /// Whether a widget on a page of `origin` may connect. Programs that are no browsers send none.
    fn may_embed(&self, origin: Option<&str>) -> bool {
        origin.is_none_or(|origin| {
            self.is_own(origin) || self.allowed.iter().any(|allowed| allowed == origin)
        })
    }
}

/// Refuses foreign hosts and origins, and puts the safety headers on every answer.
pub async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let refused = refuse(&app.origins, request.method(), request.uri().path(), request.headers());
    let embedded = WIDGET.contains(&request.uri().path());
    let origin = request.headers().get(ORIGIN).filter(|_| embedded && refused.is_none()).cloned();
    let mut response = match refused {
        Some(refusal) => refusal.into_response(),
        // A browser asks whether a page of another site may send JSON here.
        None if embedded && request.method() == Method::OPTIONS => {
            StatusCode::NO_CONTENT.into_response()
        }
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(
                "content-type, last-event-id, x-porchlight-conversation, x-porchlight-token",
            ),
        );
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        headers.insert(VARY, HeaderValue::from_static("origin"));
    }
    // What is stricter stays.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(CSP));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

fn refuse(origins: &Origins, method: &Method, path: &str, headers: &HeaderMap) -> Option<ApiError> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    if headers.get_all(HOST).iter().count() != 1 || !host.is_some_and(|host| origins.is_host(host))
    {
        let message = "This server does not answer to that host name. Set server.public_url to the address visitors use.";
        return Some(ApiError::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", message));
    }
    let foreign =
        |message: &str| Some(ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", message));
    if headers.get_all(ORIGIN).iter().count() > 1 {
        return foreign("There is more than one Origin header.");
    }
    let origin = match headers.get(ORIGIN).map(HeaderValue::to_str) {
        None => None,
        Some(Ok(origin)) => Some(origin),
        Some(Err(_)) => return foreign("The Origin header cannot be read."),
    };
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let embedded = WIDGET.contains(&path);
    if (path == "/widget/ws" || embedded) && !origins.may_embed(origin) {
        return foreign(
            "Pages of this origin may not use the widget. Add it to server.allowed_origins.",
        );
    }
    let own = origin.is_some_and(|origin| origins.is_own(origin));
    // A page of another site cannot send the key that programs show.
    let program = path.starts_with(api::ADDRESS);
    if (path == "/console/ws" || (changes && !embedded && !program)) && !own {
        return foreign("Only pages of this server may do that.");
    }
    // Neither is a format that a form of another site can send.
    let (format, code) = match path.starts_with(UPLOADS) {
        true => ("application/octet-stream", "not_a_file"),
        false => ("application/json", "not_json"),
    };
    let kind = headers.get(CONTENT_TYPE);
    // A visitor's file is read by its bytes; a form could not send the headers that it needs.
    if changes
        && path != uploads::ADDRESS
        && !kind.is_some_and(|kind| kind.as_bytes().starts_with(format.as_bytes()))
    {
        let message = format!("Requests carry {format}.");
        return Some(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code, message));
    }
    None
}

/// Whose request it is: the connection's address, or what the owner's proxy on this machine says.
pub fn peer(origins: &Origins, connection: SocketAddr, headers: &HeaderMap) -> Peer {
    let behind_proxy = origins.public.is_some() && connection.ip().is_loopback();
    let last =
        headers.get_all(FORWARDED_FOR).iter().next_back().and_then(|value| value.to_str().ok());
    let client: Option<IpAddr> = last.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
    Peer(client.filter(|_| behind_proxy).unwrap_or(connection.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(public: Option<&str>) -> Origins {
        let allowed = vec!["https://www.example.org".to_owned()];
        Origins::new("127.0.0.1:7878".parse().unwrap(), public.map(str::to_owned), allowed)
    }

    fn check(
        public: Option<&str>,
        line: &str,
        host: &str,
        origin: Option<&str>,
        expect: Option<&str>,
    ) {
        let (method, path) = line.split_once(' ').unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        let refused = refuse(&origins(public), &method.parse().unwrap(), path, &headers);
        let code = refused.map(|refusal| format!("{refusal:?}")).unwrap_or_default();
        assert!(
            expect.map_or(code.is_empty(), |word| code.contains(word)),
            "{line} {host} {origin:?}: {code}"
        );
    }

    #[test]
    fn hosts_and_origins_are_exact() {
        let me = "127.0.0.1:7878";
        let public = Some("https://chat.example.org");
        check(None, "GET /", me, None, None);
        check(None, "GET /", "localhost:7878", None, None);
        check(None, "GET /", "evil.example:7878", None, Some("unknown_host"));
        check(None, "GET /", "127.0.0.1:7879", None, Some("unknown_host"));
        check(public, "GET /", "chat.example.org", None, None);
        check(public, "GET /", "chat.example.org.evil", None, Some("unknown_host"));
        check(None, "GET /widget/ws", me, None, None);
        check(None, "GET /widget/ws", me, Some("http://127.0.0.1:7878"), None);
        check(None, "GET /widget/ws", me, Some("https://www.example.org"), None);
        for evil in [
            "null",
            "https://www.example.org.evil",
            "https://www.example.org:444",
            "http://www.example.org",
            "https://WWW.example.org",
            "https://www.example.org.",
        ] {
            check(None, "GET /widget/ws", me, Some(evil), Some("foreign_origin"));
        }
        for path in WIDGET {
            let post = format!("POST {path}");
            check(None, &post, me, None, None);
            check(None, &post, me, Some("https://www.example.org"), None);
            check(None, &post, me, Some("https://evil.example"), Some("foreign_origin"));
            check(None, &format!("OPTIONS {path}"), me, Some("null"), Some("foreign_origin"));
        }
        check(None, "GET /console/ws", me, None, Some("foreign_origin"));
        check(None, "GET /console/ws", me, Some("https://www.example.org"), Some("foreign_origin"));
        check(None, "GET /console/ws", me, Some("http://localhost:7878"), None);
        check(None, "POST /console/api/login", me, None, Some("foreign_origin"));
        check(None, "POST /console/api/login", me, Some("http://127.0.0.1:7878"), None);
        check(
            public,
            "POST /console/api/login",
            "chat.example.org",
            Some("https://chat.example.org"),
            None,
        );
        check(
            public,
            "POST /console/api/login",
            "chat.example.org",
            Some("http://chat.example.org"),
            Some("foreign_origin"),
        );
    }

    #[test]
    fn only_the_owners_proxy_may_name_the_client() {
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED_FOR, "6.6.6.6, 9.9.9.9".parse().unwrap());
        let (near, far) = ("127.0.0.1:5000".parse().unwrap(), "8.8.8.8:5000".parse().unwrap());
        let public = origins(Some("https://chat.example.org"));
        for (origins, connection, expect) in [
            (&public, near, "9.9.9.9"),
            (&public, far, "8.8.8.8"),
            (&origins(None), near, "127.0.0.1"),
        ] {
            assert_eq!(peer(origins, connection, &headers).0, expect.parse::<IpAddr>().unwrap());
        }
    }
}
