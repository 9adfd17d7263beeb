//! Finds a wheel on a package index's simple page, in JSON (PEP 691) or HTML (PEP 503).

use std::collections::BTreeMap;
use std::io::Read;

use serde::Deserialize;
use url::Url;

use super::download::Job;
use super::error::Reason;
use super::source::{Request, shown};
use crate::manifest::WheelPart;

/// Both forms of the page, JSON preferred; the media types are those of PEP 691.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
                      application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// Pages of packages with thousands of files have a few MB.
const MOST_PAGE_BYTES: u64 = 32 * 1024 * 1024;

/// A file that the index lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// File name, tags included.
    file: String,
    /// Absolute address.
    pub(super) url: String,
    /// SHA-256, where the index gives one.
    pub(super) sha256: Option<String>,
    /// Length, where the index gives one.
    pub(super) bytes: Option<u64>,
}

/// Asks the index at `base` for the pinned wheel.
pub(super) fn find(job: &Job<'_>, base: &str, part: &WheelPart) -> Result<Listed, Reason> {
    let url = format!("{}/{}/", base.trim_end_matches('/'), part.package);
    let address = |problem: url::ParseError| Reason::Address {
        address: shown(&url),
        problem: problem.to_string(),
    };
    let asked = Url::parse(&url).map_err(address)?;
    let request = Request { url: url.clone(), accept: Some(ACCEPT), range_from: None };
    let response = (job.fetch)(&request).map_err(|error| Reason::Unreachable(error.0))?;
    if response.status != 200 {
        return Err(Reason::Status { status: response.status, url: shown(&url) });
    }
    let unclear = |problem: String| Reason::Page { package: part.package.clone(), problem };
    let mut page = Vec::new();
    let read = response.body.take(MOST_PAGE_BYTES + 1).read_to_end(&mut page);
    read.map_err(|error| unclear(error.to_string()))?;
    if page.len() as u64 > MOST_PAGE_BYTES {
        return Err(unclear(format!("it has more than {MOST_PAGE_BYTES} bytes")));
    }
    let at = Url::parse(&response.url).map_err(|error| unclear(error.to_string()))?;
    let listed = if response.content_type.contains("json") {
        from_json(&page, &at).map_err(|error| unclear(error.to_string()))?
    } else {
        from_html(&String::from_utf8_lossy(&page), &at)
    };
    let (package, version) = (part.package.clone(), part.version.clone());
    let mut wheel = choose(listed, part).ok_or(Reason::NotListed { package, version })?;
    wheel.url = with_credentials(&wheel.url, &asked);
    Ok(wheel)
}

/// Gives a link the credentials of the page, if it leads to the same server; no other server sees them.
fn with_credentials(link: &str, page: &Url) -> String {
    let Ok(mut url) = Url::parse(link) else { return link.to_owned() };
    if url.origin() != page.origin() || !url.username().is_empty() {
        return link.to_owned();
    }
    let set = url.set_username(page.username()).and_then(|()| url.set_password(page.password()));
    if set.is_ok() { url.to_string() } else { link.to_owned() }
}

#[derive(Deserialize)]
struct JsonPage {
    files: Vec<JsonFile>,
}

#[derive(Deserialize)]
struct JsonFile {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    #[serde(default)]
    size: Option<u64>,
}

fn from_json(page: &[u8], at: &Url) -> Result<Vec<Listed>, serde_json::Error> {
    let page: JsonPage = serde_json::from_slice(page)?;
    let listed = page.files.into_iter().filter_map(|mut file| {
        Some(Listed {
            url: at.join(&file.url).ok()?.to_string(),
            sha256: file.hashes.remove("sha256").map(|hash| hash.to_ascii_lowercase()),
            bytes: file.size,
            file: file.filename,
        })
    });
    Ok(listed.collect())
}

fn from_html(page: &str, at: &Url) -> Vec<Listed> {
    let listed = hrefs(page).into_iter().filter_map(|href| {
        let mut url = at.join(&href.replace("&amp;", "&")).ok()?;
        let hash = url.fragment().and_then(|fragment| fragment.strip_prefix("sha256="));
        let sha256 = hash.map(str::to_ascii_lowercase);
        url.set_fragment(None);
        let file = url.path_segments()?.next_back()?.to_owned();
        Some(Listed { file, url: url.to_string(), sha256, bytes: None })
    });
    listed.collect()
}

/// The `href` of every `<a>`; values may be quoted either way or bare, and may hold `<` and `>` when quoted.
fn hrefs(page: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let Some(mut inside) = rest.strip_prefix(['a', 'A']) else { continue };
        if !inside.starts_with(|c: char| c.is_ascii_whitespace()) {
            continue;
        }
        while let Some((name, value, after)) = attribute(inside) {
            if name.eq_ignore_ascii_case("href") {
                found.push(value);
            }
            inside = after;
        }
        rest = inside;
    }
    found
}

/// The next attribute of a tag as name, value (empty if it has none) and what follows; `None` at the tag's end.
fn attribute(tag: &str) -> Option<(&str, &str, &str)> {
    let space = |c: char| c.is_ascii_whitespace();
    let tag = tag.trim_start_matches(|c: char| space(c) || c == '/');
    let end = tag.find(|c: char| space(c) || matches!(c, '=' | '>' | '/')).unwrap_or(tag.len());
    let (name, rest) = tag.split_at(end);
    let Some(value) = rest.trim_start_matches(space).strip_prefix('=') else {
        return (!name.is_empty()).then_some((name, "", rest));
    };
    let value = value.trim_start_matches(space);
    if let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let (value, after) = value[1..].split_once(quote)?;
        return Some((name, value, after));
    }
    let end = value.find(|c: char| space(c) || c == '>').unwrap_or(value.len());
    Some((name, &value[..end], &value[end..]))
}

/// The pinned version's wheel; one for every platform before one for a single platform.
fn choose(listed: Vec<Listed>, part: &WheelPart) -> Option<Listed> {
    let mut wheels: Vec<Listed> =
        listed.into_iter().filter(|listed| is_wheel_of(&listed.file, part)).collect();
    wheels.sort_by_key(|wheel| !wheel.file.ends_with("-none-any.whl"));
    wheels.into_iter().next()
}

/// Reads `name-version[-build]-python-abi-platform.whl`, the naming of PEP 427.
fn is_wheel_of(file: &str, part: &WheelPart) -> bool {
    let Some(stem) = file.strip_suffix(".whl") else { return false };
    let fields: Vec<&str> = stem.split('-').collect();
    matches!(fields.len(), 5 | 6) && normal(fields[0]) == part.package && fields[1] == part.version
}

/// A package name in normal form, by the rule of PEP 503.
fn normal(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part() -> WheelPart {
        let member = "tiny_model/tiny.bin".to_owned();
        WheelPart { package: "tiny-model".to_owned(), version: "1.0".to_owned(), member }
    }

    #[test]
    fn wheels_are_known_by_their_name() {
        let rows = [
            ("tiny_model-1.0-py3-none-any.whl", true),
            ("Tiny.Model-1.0-py3-none-any.whl", true),
            ("tiny_model-1.0-1-py3-none-any.whl", true),
            ("tiny_model-1.0-cp312-cp312-linux_x86_64.whl", true),
            ("tiny_model-1.0.1-py3-none-any.whl", false),
            ("tiny_models-1.0-py3-none-any.whl", false),
            ("tiny_model-1.0.tar.gz", false),
            ("tiny_model-1.0.whl", false),
            ("", false),
        ];
        for (file, expected) in rows {
            assert_eq!(is_wheel_of(file, &part()), expected, "{file}");
        }
    }

    #[test]
    fn links_are_read_from_any_html() {
        let rows: [(&str, &[&str]); 8] = [
            (r#"<a href="x.whl">x</a>"#, &["x.whl"]),
            (r#"<A  class=b HREF = 'x.whl' >x</A><a href="y">"#, &["x.whl", "y"]),
            (r#"<a data-requires-python=">=3.8,<4" href="x.whl">"#, &["x.whl"]),
            ("<a href=x.whl data-yanked>x", &["x.whl"]),
            ("<a\nhref=\"x\"\n/>", &["x"]),
            (r#"<abbr href="x"><link href="y"><a>z</a>"#, &[]),
            (r#"<a href="never ends"#, &[]),
            ("<a href", &[""]),
        ];
        for (page, expected) in rows {
            assert_eq!(hrefs(page), expected, "{page}");
        }
    }

    #[test]
    fn links_are_resolved_against_the_page() {
        let rows = [
            ("x.whl", "https://host/simple/tiny/x.whl"),
            ("../../files/x.whl?a=1&amp;b=2", "https://host/files/x.whl?a=1&b=2"),
            ("/files/x.whl", "https://host/files/x.whl"),
            ("https://cdn/x.whl", "https://cdn/x.whl"),
        ];
        let at = Url::parse("https://host/simple/tiny/").unwrap();
        for (href, expected) in rows {
            let page = format!("<a href=\"{href}#sha256=AB\">");
            let listed = from_html(&page, &at).remove(0);
            assert_eq!((listed.url.as_str(), listed.sha256.as_deref()), (expected, Some("ab")));
            assert_eq!(listed.file, "x.whl");
        }
    }

    #[test]
    fn credentials_stay_with_their_server() {
        let rows = [
            ("https://host/x.whl", "https://me:pw@host/x.whl"),
            ("https://host:8443/x.whl", "https://host:8443/x.whl"),
            ("http://host/x.whl", "http://host/x.whl"),
            ("https://cdn/x.whl", "https://cdn/x.whl"),
            ("https://you@host/x.whl", "https://you@host/x.whl"),
            ("data:x", "data:x"),
        ];
        let page = Url::parse("https://me:pw@host/simple/tiny/").unwrap();
        for (link, expected) in rows {
            assert_eq!(with_credentials(link, &page), expected);
        }
    }

    #[test]
    fn json_may_leave_out_hash_and_size() {
        let at = Url::parse("https://host/simple/tiny/").unwrap();
        let page = br#"{"files": [
            {"filename": "tiny_model-1.0-cp312-cp312-win32.whl", "url": "a"},
            {"filename": "tiny_model-1.0-py3-none-any.whl", "url": "b", "hashes": {"sha256": "AB"}, "size": 3}
        ]}"#;
        let chosen = choose(from_json(page, &at).unwrap(), &part()).unwrap();
        assert_eq!(chosen.url, "https://host/simple/tiny/b");
        assert_eq!((chosen.sha256.as_deref(), chosen.bytes), (Some("ab"), Some(3)));
        assert!(from_json(b"<html>", &at).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_page_panics(page in "[<>aA =\"'/hrefü&#x]{0,60}") {
            hrefs(&page);
        }
    }
}
