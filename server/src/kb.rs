//! Pages of the owner's documents as they were indexed, with the cited place highlighted.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};
use retrieval::Document;
use retrieval::readers::markdown::visible;
use serde::Deserialize;

use crate::app::App;
use crate::assets;

/// Which bytes to highlight.
#[derive(Debug, Default, Deserialize)]
pub struct Span {
    #[serde(default)]
    start: usize,
    #[serde(default)]
    end: usize,
}

/// `GET /kb/DOC?start=S&end=E`.
pub async fn page(
    State(app): State<Arc<App>>,
    Path(path): Path<String>,
    span: Result<Query<Span>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    if path == "kb.css" {
        return assets::serve("kb/kb.css", &headers);
    }
    let edition = app.mind.knowledge.edition();
    let Some(document) = edition.document(&path) else {
        let gone = "<p>This document is no longer among those that answers come from.</p>";
        return (StatusCode::NOT_FOUND, Html(frame("Not found", &app.site.name, gone)))
            .into_response();
    };
    // A span that makes no sense highlights nothing.
    let span = span.map(|Query(span)| span).unwrap_or_default();
    let title = document.matter.title.clone().unwrap_or_else(|| document.path.clone());
    let body = source(document) + &render(document, &(span.start..span.end));
    Html(frame(&title, &app.site.name, &body)).into_response()
}

/// Where a document comes from, if it is a page of the web.
fn source(document: &Document) -> String {
    let web = |url: &&str| url.starts_with("http") && harmless(url);
    let url = document.matter.url.as_deref().filter(web).map(escaped);
    url.map(|url| {
        format!("<p class=\"source\">From <a href=\"{url}\" rel=\"noopener\">{url}</a></p>\n")
    })
    .unwrap_or_default()
}

fn frame(title: &str, site: &str, body: &str) -> String {
    let (title, site) = (escaped(title), escaped(site));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · {site}</title>\n\
         <link rel=\"icon\" href=\"/demo/icon.svg\" type=\"image/svg+xml\">\n\
         <link rel=\"stylesheet\" href=\"/kb/kb.css\">\n</head>\n<body>\n<main class=\"doc\">\n{body}\n</main>\n</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// The document as HTML. Raw HTML is shown as nothing, pictures as their text, links only where they are harmless.
fn render(document: &Document, span: &Range<usize>) -> String {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let text = &document.source[document.start..];
    let mut marker = Marker { span, seen: false, hidden: 0, links: Vec::new() };
    let mut events = Vec::new();
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        marker.event(event, range.start + document.start..range.end + document.start, &mut events);
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    out
}

struct Marker<'a> {
    span: &'a Range<usize>,
    /// Whether the first mark, which the page scrolls to, was written.
    seen: bool,
    /// Raw HTML blocks that are open.
    hidden: usize,
    /// Whether each open link is shown as one.
    links: Vec<bool>,
}

impl<'a> Marker<'_> {
    fn event(&mut self, event: Event<'a>, range: Range<usize>, out: &mut Vec<Event<'a>>) {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => {}
            Event::Start(Tag::HtmlBlock) => self.hidden += 1,
            Event::End(TagEnd::HtmlBlock) => self.hidden = self.hidden.saturating_sub(1),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Link { ref dest_url, .. }) => {
                self.links.push(harmless(dest_url));
                if harmless(dest_url) {
                    out.push(event);
                }
            }
            Event::End(TagEnd::Link) => {
                if self.links.pop() == Some(true) {
                    out.push(event);
                }
            }
            Event::Text(text) if self.hidden == 0 => self.text(&text, range, "", out),
            Event::Code(text) if self.hidden == 0 => self.text(&text, range, "code", out),
            Event::Text(_) | Event::Code(_) => {}
            event => out.push(event),
        }
    }

    /// Text in up to three parts: before, within and after the highlighted span.
    fn text(&mut self, text: &str, range: Range<usize>, tag: &str, out: &mut Vec<Event<'a>>) {
        let mut html = String::new();
        let overlaps = range.start < self.span.end && self.span.start < range.end;
        // Entities and escapes make the text shorter than its source; then the whole is marked.
        let exact = tag.is_empty() && text.len() == range.len();
        let at =
            |byte: usize| if exact { byte.saturating_sub(range.start).min(text.len()) } else { 0 };
        let (mut from, mut to) =
            if exact { (at(self.span.start), at(self.span.end)) } else { (0, text.len()) };
        while !text.is_char_boundary(from) {
            from -= 1;
        }
        while !text.is_char_boundary(to) {
            to += 1;
        }
        if !overlaps || from >= to {
            (from, to) = (0, 0);
        }
        for (part, marked) in
            [(&text[..from], false), (&text[from..to], true), (&text[to..], false)]
        {
            let shown: String = part.chars().filter(|c| visible(*c)).collect();
            if shown.is_empty() {
                continue;
            }
            let inner = escaped(&shown);
            let inner = if tag.is_empty() { inner } else { format!("<{tag}>{inner}</{tag}>") };
            if marked {
                let id = if self.seen { "" } else { " id=\"cited\"" };
                self.seen = true;
                let _ = write!(html, "<mark{id}>{inner}</mark>");
            } else {
                html.push_str(&inner);
            }
        }
        out.push(Event::InlineHtml(CowStr::from(html)));
    }
}

/// Links to pages and addresses; nothing that runs.
fn harmless(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    let scheme = lower.starts_with("https://")
        || lower.starts_with("http://")
        || lower.starts_with("mailto:");
    let inside = (lower.starts_with('/') && !lower.starts_with("//")) || lower.starts_with('#');
    (scheme || inside) && !lower.contains(|c: char| c.is_control() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, marked: &str, expect: &str) {
        let document = Document::new("a.md", source.into()).unwrap();
        let start = source.find(marked).unwrap();
        assert_eq!(render(&document, &(start..start + marked.len())).trim(), expect, "{source:?}");
    }

    #[test]
    fn the_cited_place_is_marked_and_nothing_runs() {
        check(
            "---\ntitle: A\n---\nOne. Two.",
            "Two.",
            "<p>One. <mark id=\"cited\">Two.</mark></p>",
        );
        check(
            "One **two** `three`.",
            "two** `three`",
            "<p>One <strong><mark id=\"cited\">two</mark></strong><mark> </mark><mark><code>three</code></mark>.</p>",
        );
        check(
            "x <script>alert(1)</script> y",
            "x",
            "<p><mark id=\"cited\">x</mark> alert(1) y</p>",
        );
        check("x\n\n<div onclick=a>b</div>", "x", "<p><mark id=\"cited\">x</mark></p>");
        check(
            "x [a](javascript:b) [c](JaVa&#x9;script:d) [e](//f)",
            "x",
            "<p><mark id=\"cited\">x</mark> a c e</p>",
        );
        check("x ![alt](http://a/b.png)", "x", "<p><mark id=\"cited\">x</mark> alt</p>");
        check(
            "x [a](https://b)",
            "x",
            "<p><mark id=\"cited\">x</mark> <a href=\"https://b\">a</a></p>",
        );
        check("x &lt;b&gt; &amp;", "x", "<p><mark id=\"cited\">x</mark> &lt;b&gt; &amp;</p>");
    }

    #[test]
    fn a_page_of_the_web_names_its_address() {
        let mut document = Document::new("web/a.example/b.html", "One.".into()).unwrap();
        for (url, expect) in [
            (None, ""),
            (Some("javascript:alert(1)"), ""),
            (Some("/etc"), ""),
            (
                Some("https://a.example/?b=\"&c"),
                "<p class=\"source\">From <a href=\"https://a.example/?b=&quot;&amp;c\" rel=\"noopener\">https://a.example/?b=&quot;&amp;c</a></p>\n",
            ),
        ] {
            document.matter.url = url.map(str::to_owned);
            assert_eq!(source(&document), expect, "{url:?}");
        }
    }

    #[test]
    fn any_span_is_survived() {
        let source = "# Ü\n\nÄé 😀 `c😀` &auml;\n\n- x\n";
        let document = Document::new("a.md", source.into()).unwrap();
        for start in 0..=source.len() + 2 {
            for end in 0..=source.len() + 2 {
                assert!(render(&document, &(start..end)).contains("😀"));
            }
        }
        render(&document, &Range { start: usize::MAX, end: 0 });
    }
}
