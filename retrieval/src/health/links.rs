//! Links between documents: does the file exist, does it have the heading?

use std::collections::{BTreeMap, HashMap, HashSet};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{BrokenLink, Place};
use crate::Document;

/// Endings that links leave out on sites made from Markdown.
const COMPLETIONS: [&str; 5] = ["", ".md", "/index.md", "/README.md", ".txt"];

/// One Markdown document's links and the places that links may lead to.
#[derive(Default)]
struct Outline {
    /// Byte of the source and address of each link.
    links: Vec<(usize, String)>,
    anchors: HashSet<String>,
}

/// Links of Markdown documents to files and headings that are not there. Links to other sites and to paths of the
/// website (`/…`) are not looked at; `exists` says whether a file that is no document lies at a path of the folder.
pub fn broken_links(documents: &[Document], exists: &dyn Fn(&str) -> bool) -> Vec<BrokenLink> {
    // A page of the web links to pages of its site, which nobody looks at here.
    let own = documents.iter().filter(|doc| doc.matter.url.is_none());
    let read = own.filter(|doc| doc.path.ends_with(".md"));
    let outlines: BTreeMap<&str, (&Document, Outline)> =
        read.map(|doc| (doc.path.as_str(), (doc, outline(doc)))).collect();
    let paths: HashSet<&str> = documents.iter().map(|doc| doc.path.as_str()).collect();
    let mut found = Vec::new();
    for (document, own) in outlines.values() {
        for (at, target) in own.links.iter().filter(|(_, target)| is_relative(target)) {
            let (file, anchor) = split(target);
            let problem = match resolve(&document.path, &file, &paths) {
                Err(Missing::Outside) => Some("it leads out of the knowledge folder".into()),
                Err(Missing::File(path)) if exists(&path) => None,
                Err(Missing::File(path)) => Some(format!("there is no file {path}")),
                Ok(path) => outlines
                    .get(path.as_str())
                    .filter(|(_, other)| !anchor.is_empty() && !other.anchors.contains(&anchor))
                    .map(|_| format!("{path} has no heading #{anchor}")),
            };
            found.extend(problem.map(|problem| BrokenLink {
                at: Place::of(document, *at),
                target: target.clone(),
                problem,
            }));
        }
    }
    found
}

fn outline(document: &Document) -> Outline {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES;
    let text = &document.source[document.start..];
    let mut outline = Outline::default();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut heading: Option<String> = None;
    for (event, span) in Parser::new_ext(text, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                outline.links.push((span.start + document.start, dest_url.into_string()));
            }
            Event::Start(Tag::Heading { id, .. }) => {
                outline.anchors.extend(id.map(|id| id.into_string()));
                heading = Some(String::new());
            }
            Event::End(TagEnd::Heading(_)) => {
                let slug = slug(&heading.take().unwrap_or_default());
                let before = seen.entry(slug.clone()).or_default();
                // A heading that stands again gets a number, as on the sites that show Markdown.
                outline.anchors.insert(match *before {
                    0 => slug,
                    n => format!("{slug}-{n}"),
                });
                *before += 1;
            }
            Event::Text(text) | Event::Code(text) => {
                heading.as_mut().into_iter().for_each(|heading| heading.push_str(&text));
            }
            Event::Html(html) | Event::InlineHtml(html) => outline.anchors.extend(ids(&html)),
            _ => {}
        }
    }
    outline
}

/// The name of a heading in addresses.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Values of `id` and `name` in raw HTML.
fn ids(html: &str) -> Vec<String> {
    let after = |name: &str| -> Vec<String> {
        html.split(&format!("{name}=\""))
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .map(str::to_owned)
            .collect()
    };
    [after("id"), after("name")].concat()
}

/// Whether an address leads to a file of the folder: no scheme, no host, no path of the website.
fn is_relative(target: &str) -> bool {
    let first = target.split(['/', '?', '#']).next().unwrap_or_default();
    !target.is_empty() && !target.starts_with('/') && !first.contains(':')
}

/// File and anchor of an address, decoded.
fn split(target: &str) -> (String, String) {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = file.split('?').next().unwrap_or_default();
    (decoded(file), decoded(anchor))
}

/// Undoes percent encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

enum Missing {
    Outside,
    File(String),
}

/// The document that a link of `from` leads to.
fn resolve(from: &str, file: &str, documents: &HashSet<&str>) -> Result<String, Missing> {
    if file.is_empty() {
        return Ok(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or(Missing::Outside)?;
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    let complete = COMPLETIONS.iter().map(|end| format!("{path}{end}"));
    let found = complete.into_iter().find(|path| documents.contains(path.as_str()));
    found.ok_or(Missing::File(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_links_are_named_with_their_line() {
        let documents = [
            ("a/one.md", "---\ntitle: x\n---\n[ok](two.md) [ok](two) [ok](./two.md#how-much-is-it)\n[no](three.md)\n[no](two.md#none)\n[ok](#own) [no](#owned)\n\n# Own\n\n![ok](pic.png) ![no](gone.png)\n"),
            ("a/two.md", "# How much *is* it?\n\n# Twice\n\n# Twice\n\n<a id=\"old\"></a>\n\n# Named {#mine}\n"),
            ("b.md", "[ok](a/two.md#twice-1) [ok](a/two.md#old) [ok](a/two.md#mine) [no](../out.md)\n[ok](https://x/y.md) [ok](mailto:a@b) [ok](/site/page) [ok](//host/x) [ok](a/t%77o.md?x=1)\n[no](<a/with space.md>)\n"),
        ]
        .map(|(path, source)| Document::new(path, source.into()).unwrap());
        let found = broken_links(&documents, &|path| path == "a/pic.png");
        let found: Vec<String> = found
            .iter()
            .map(|link| format!("{} {}: {}", link.at, link.target, link.problem))
            .collect();
        assert_eq!(
            found,
            [
                "a/one.md:5 three.md: there is no file a/three.md",
                "a/one.md:6 two.md#none: a/two.md has no heading #none",
                "a/one.md:7 #owned: a/one.md has no heading #owned",
                "a/one.md:11 gone.png: there is no file a/gone.png",
                "b.md:1 ../out.md: it leads out of the knowledge folder",
                "b.md:3 a/with space.md: there is no file a/with space.md",
            ]
        );
    }
}
