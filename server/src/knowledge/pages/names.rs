//! The name of a page among the documents: made of its address, one for each, and good as the name of a file.

use retrieval::readers::foreign::Kind;
use url::Url;

use crate::clock::fingerprint;

/// Folder of pages among the documents.
pub const FOLDER: &str = "web";
/// Letters of a part of an address that are kept.
const MAX_PART: usize = 60;
/// Folders of an address that are kept.
const MAX_FOLDERS: usize = 8;
/// Digits that tell two addresses apart whose names would be the same.
const DIGITS: usize = 8;

/// The ending that tells a page's format; none for what is not read. `text` goes by the ending of the address.
pub(super) fn ending(content_type: &str, url: &Url) -> Option<&'static str> {
    let format = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match format.as_str() {
        "text/html" | "application/xhtml+xml" => Some(Kind::Html.ending()),
        "application/pdf" => Some(Kind::Pdf.ending()),
        "text/markdown" | "text/x-markdown" => Some("md"),
        "text/plain" if url.path().ends_with(".md") => Some("md"),
        "text/plain" => Some("txt"),
        _ => None,
    }
}

/// The path of a page among the documents: `web/HOST/folder/page.html`.
pub(super) fn path(url: &Url, ending: &str) -> String {
    // What a name cannot hold is told apart by digits of the whole address.
    let mut exact = url.query().is_none();
    let mut plain = |part: &str, dots: bool| {
        let good = |c: char| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c) || (dots && c == '.')
        };
        let name: String = part.to_ascii_lowercase().chars().take(MAX_PART).collect();
        let name = name.replace(|c| !good(c), "-");
        exact &= name == part && !name.starts_with('.');
        if name.starts_with('.') { format!("-{name}") } else { name }
    };
    let host = match (url.host_str().unwrap_or_default(), url.scheme(), url.port()) {
        (host, "https", None) => host.to_owned(),
        // No name ends in a part of digits, so this is no other host's.
        (host, _, port) => format!("{host}.{}", port.unwrap_or(80)),
    };
    let mut parts = vec![FOLDER.to_owned(), plain(&host, true)];
    let mut folders: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).collect();
    let last = if url.path().ends_with('/') { None } else { folders.pop() };
    parts.extend(folders.iter().take(MAX_FOLDERS).map(|part| plain(part, false)));
    let stem = last.and_then(|last| last.strip_suffix(&format!(".{ending}")));
    let mut name = plain(stem.or(last).unwrap_or("index"), false);
    // Pages rarely have an ending, other files nearly always.
    exact &= stem.is_some() != (ending == Kind::Html.ending());
    let empty = url.path().split('/').skip(1).filter(|part| part.is_empty()).count();
    exact &= empty == usize::from(last.is_none());
    exact &= folders.len() <= MAX_FOLDERS && last != Some("index");
    if !exact {
        let digits = fingerprint(url.as_str());
        name = format!("{name}-{}", digits.get(..DIGITS).unwrap_or(&digits));
    }
    parts.push(format!("{name}.{ending}"));
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_address_has_a_name_of_its_own_that_a_folder_can_hold() {
        for (url, expect) in [
            ("https://a.example", "web/a.example/index.html"),
            ("https://a.example/docs/", "web/a.example/docs/index.html"),
            ("https://a.example/docs/install", "web/a.example/docs/install.html"),
            ("http://a.example/", "web/a.example.80/index.html"),
            ("https://a.example:8443/x", "web/a.example.8443/x.html"),
        ] {
            assert_eq!(path(&Url::parse(url).unwrap(), "html"), expect);
        }
        let mut seen = HashSet::new();
        let long = format!("https://a.example/{}", "x".repeat(500));
        let deep = format!("https://a.example/{}y", "x/".repeat(30));
        for url in [
            "https://a.example/",
            "https://a.example/index",
            "https://a.example//",
            "https://a.example/index.html",
            "https://a.example/x",
            "https://a.example/X",
            "https://a.example/x/",
            "https://a.example/x//",
            "https://a.example//x",
            "https://a.example/x?",
            "https://a.example/x?y=1",
            "https://a.example/x?y=2",
            "https://a.example/x.html/y",
            "https://a.example/x-html/y",
            "https://a.example/.htaccess",
            "https://a.example/a%20b",
            "https://a.example/a%2e%2e/b",
            "https://a.example/%00",
            "https://a.example/ü",
            "https://[::1]:80/",
            "http://a.example/x",
            &long,
            &deep,
        ] {
            let name = path(&Url::parse(url).unwrap(), "html");
            let part = |part: &str| {
                !part.is_empty()
                    && !part.starts_with('.')
                    && part.len() <= 80
                    && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            };
            assert!(name.split('/').all(part) && name.split('/').count() < 16, "{url}: {name}");
            assert!(seen.insert(name.clone()), "{url}: {name}");
        }
    }

    #[test]
    fn the_format_is_told_by_what_the_server_says() {
        let url = Url::parse("https://a.example/readme.md").unwrap();
        for (content_type, expect) in [
            ("text/html; charset=utf-8", Some("html")),
            ("Application/PDF", Some("pdf")),
            ("text/plain", Some("md")),
            ("text/markdown", Some("md")),
            ("image/svg+xml; x", None),
            ("", None),
        ] {
            assert_eq!(ending(content_type, &url), expect, "{content_type}");
        }
        let other = Url::parse("https://a.example/readme").unwrap();
        assert_eq!(ending("text/plain", &other), Some("txt"));
    }
}
