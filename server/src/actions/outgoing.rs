//! From a stored call to the request that goes out: address, headers with their secrets, body.

use std::path::Path;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use engine::actions::{Action, Base, Outgoing};
use serde_json::{Map, Value};
use url::Url;

use crate::app::App;
use crate::demo::shop::KEY;
use crate::outbound::actions::Call as Sent;
use crate::store::calls::Call;

/// Bytes of a file with headers at most.
const MAX_FILE: usize = 16 * 1024;
/// Headers that are the client's own.
const RESERVED: [&str; 7] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "idempotency-key",
    "content-type",
    "accept",
];

/// The request of a call. The error says what is wrong, and holds no secret.
pub(super) async fn request(app: &App, action: &Action, call: &Call) -> Result<Sent, String> {
    let arguments: Map<String, Value> = serde_json::from_str(&call.arguments)
        .map_err(|error| format!("its arguments cannot be read: {error}"))?;
    let out = action.outgoing(&arguments, call.subject.as_deref());
    let out = out.ok_or("its arguments do not fit the action as it is now")?;
    let mut headers = headers(app, action).await?;
    put(&mut headers, "idempotency-key", &call.id)?;
    if let Some((name, value)) = &out.identity {
        put(&mut headers, name, value)?;
    }
    let (url, own) = address(app, &out, &mut headers)?;
    let timeout = Duration::from_secs(action.timeout_s);
    Ok(Sent { url, own, body: out.body, headers, timeout })
}

/// Where it goes. This server is asked for under its own address, with the demo's key.
fn address(app: &App, out: &Outgoing, headers: &mut HeaderMap) -> Result<(Url, bool), String> {
    let (base, own) = match &out.base {
        Base::Web(base) => (base.clone(), false),
        Base::Own => {
            put(headers, "origin", &app.origins.base())?;
            if let Some(demo) = &app.demo {
                put(headers, KEY, demo.key())?;
            }
            (app.origins.here(), true)
        }
    };
    let url = Url::parse(&format!("{base}{}", out.target));
    let url = url.map_err(|error| format!("its address cannot be used: {error}"))?;
    Ok((url, own))
}

/// The headers of the action's file.
async fn headers(app: &App, action: &Action) -> Result<HeaderMap, String> {
    let Some(file) = &action.header_file else { return Ok(HeaderMap::new()) };
    let path = app.actions.folder.join(Path::new(file));
    let text = tokio::fs::read_to_string(&path).await;
    let text = text.map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    read(&text).map_err(|problem| format!("{}: {problem}", path.display()))
}

/// Reads `Name: value` lines. A problem names the line and never the value.
fn read(text: &str) -> Result<HeaderMap, String> {
    if text.len() > MAX_FILE {
        return Err(format!("it has more than {MAX_FILE} bytes"));
    }
    let mut headers = HeaderMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("line {}", number + 1);
        let (name, value) =
            line.split_once(':').ok_or_else(|| format!("{place} is no `Name: value`"))?;
        let reserved = RESERVED.iter().any(|own| own.eq_ignore_ascii_case(name.trim()));
        if reserved {
            return Err(format!("{place} sets `{}`, which is the server's own", name.trim()));
        }
        put(&mut headers, name.trim(), value.trim())
            .map_err(|_| format!("{place} is no header"))?;
    }
    Ok(headers)
}

fn put(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let bad = || format!("the header `{name}` cannot be written");
    let key = HeaderName::try_from(name).map_err(|_| bad())?;
    let mut value = HeaderValue::try_from(value).map_err(|_| bad())?;
    value.set_sensitive(true);
    headers.insert(key, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_headers_are_read_and_never_told() {
        let headers = read("# shop\nAuthorization: Bearer hunter2\n\nX-Key:abc\n").unwrap();
        assert_eq!((headers.len(), &headers["x-key"]), (2, &HeaderValue::from_static("abc")));
        assert!(!format!("{headers:?}").contains("hunter2"));
        for (text, expect) in [
            ("Bearer hunter2", "line 1 is no `Name: value`"),
            ("\nX Key: hunter2", "line 2 is no header"),
            ("X-Key: hunter2\u{7}x", "line 1 is no header"),
            ("Host: hunter2", "line 1 sets `Host`"),
            ("idempotency-key: hunter2", "line 1 sets `idempotency-key`"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.contains(expect) && !problem.contains("hunter2"), "{problem}");
        }
        assert!(read(&"X-A: b\n".repeat(9_000)).is_err());
    }
}
