//! The web code that is built into the binary, with its types and hashes.

use axum::extract::Path;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::clock::fingerprint;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

macro_rules! embed {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../web/", $path)))),*]
    };
}

/// Every file under `web/` that is served, by its path there.
const FILES: &[(&str, &str)] = embed![
    "console/action-item.js",
    "console/actions.js",
    "console/api.js",
    "console/app.js",
    "console/calls.js",
    "console/card.js",
    "console/charts.js",
    "console/composer.js",
    "console/console.css",
    "console/conversation.js",
    "console/copilot.js",
    "console/deeds.js",
    "console/desk.js",
    "console/draft.js",
    "console/editor.js",
    "console/events.js",
    "console/figures.js",
    "console/findings.js",
    "console/flows.js",
    "console/format.js",
    "console/gaps.js",
    "console/hours.js",
    "console/index.html",
    "console/intents.js",
    "console/knowledge.js",
    "console/leads.js",
    "console/learned.js",
    "console/library.js",
    "console/list.js",
    "console/live.js",
    "console/named.js",
    "console/notices.js",
    "console/offer.js",
    "console/ongoing.js",
    "console/opinion.js",
    "console/pages.js",
    "console/picker.js",
    "console/reviews.js",
    "console/rulebook.js",
    "console/rules.js",
    "console/saved-page.js",
    "console/saved.js",
    "console/score-controls.js",
    "console/score-desk.js",
    "console/score-details.js",
    "console/score-page.js",
    "console/score-types.js",
    "console/score-worth.js",
    "console/scorecard.css",
    "console/scorecard.js",
    "console/sheet.js",
    "console/signin.js",
    "console/sources.js",
    "console/store.js",
    "console/tag.js",
    "console/ticket-form.js",
    "console/tickets.js",
    "console/types.js",
    "console/work.js",
    "demo/demo.css",
    "demo/icon.svg",
    "demo/inbox.js",
    "demo/index.html",
    "kb/kb.css",
    "vendor/htm.js",
    "vendor/preact-core.js",
    "vendor/preact-hooks.js",
    "vendor/preact.js",
    "widget/cards.js",
    "widget/cite.js",
    "widget/connection.js",
    "widget/dom.js",
    "widget/http.js",
    "widget/link.js",
    "widget/log.js",
    "widget/outbox.js",
    "widget/panel.js",
    "widget/poll.js",
    "widget/socket.js",
    "widget/solved.js",
    "widget/stream.js",
    "widget/style.js",
    "widget/survey.js",
    "widget/upload.js",
    "widget/visit.js",
    "widget/widget.js",
];

/// `GET /` and the other pages' own files.
pub async fn file(Path((folder, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    serve(&format!("{folder}/{name}"), &headers)
}

/// One file by its path under `web/`.
pub fn serve(path: &str, headers: &HeaderMap) -> Response {
    let Some((path, text)) = FILES.iter().find(|(known, _)| *known == path) else {
        return (StatusCode::NOT_FOUND, "There is no such page.\n").into_response();
    };
    let tag = format!("\"{}\"", &fingerprint(text)[..32]);
    let known = headers.get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { text.into_response() };
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    // Always asked for again, seldom sent again.
    out.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(ETAG, tag);
    }
    if path.starts_with("widget/") {
        // The widget's modules are loaded by pages of other sites.
        out.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        out.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    }
    response
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("css") => "text/css; charset=utf-8",
        _ => "text/html; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_web_file_is_served_or_known_not_to_be() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        for folder in ["console", "demo", "kb", "vendor", "widget"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let own =
                    !name.ends_with(".d.ts") && !name.ends_with(".md") && !name.ends_with(".txt");
                let path = format!("{folder}/{name}");
                assert_eq!(FILES.iter().any(|(known, _)| *known == path), own, "{path}");
            }
        }
    }

    #[test]
    fn the_vendored_code_is_what_it_says() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web/vendor");
        let table = std::fs::read_to_string(root.join("VENDOR.md")).unwrap();
        for (path, text) in FILES.iter().filter(|(path, _)| path.starts_with("vendor/")) {
            assert!(
                table.contains(&fingerprint(text)),
                "{path} has another hash than VENDOR.md says"
            );
        }
    }
}
