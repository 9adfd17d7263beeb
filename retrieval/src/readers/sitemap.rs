//! Sitemaps: the pages of a website, or other sitemaps, as its owner lists them.

use quick_xml::Reader;
use quick_xml::XmlVersion::Implicit1_0;
use quick_xml::events::Event;

use super::decode;
use super::entity::character;
use super::foreign::ConvertError;

/// Addresses that are taken from one sitemap at most.
pub const MOST: usize = 5_000;
/// Elements inside elements at most; sitemaps have four.
const MAX_DEPTH: usize = 16;
/// Bytes of an address at most, as the format has it.
const MAX_ADDRESS: usize = 2_048;

/// What a sitemap lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// Addresses of pages.
    pub pages: Vec<String>,
    /// Addresses of further sitemaps.
    pub maps: Vec<String>,
    /// Whether there are more than [`MOST`].
    pub more: bool,
}

impl Sitemap {
    /// Reads a sitemap, an index of sitemaps, or plain text with an address on each line.
    ///
    /// # Errors
    /// [`ConvertError`] when it is none of these.
    pub fn read(bytes: &[u8]) -> Result<Self, ConvertError> {
        let text = decode::text(bytes, None)?;
        let mut sitemap = Self::default();
        if text.trim_start().starts_with('<') {
            sitemap.walk(&text)?;
        } else {
            text.lines().for_each(|line| sitemap.add(line, false));
        }
        if sitemap.pages.is_empty() && sitemap.maps.is_empty() {
            return Err(damaged("it lists no address"));
        }
        Ok(sitemap)
    }

    /// One line for each address, for another process; [`Sitemap::from_lines`] reads them.
    pub fn to_lines(&self) -> String {
        let pages = self.pages.iter().map(|page| format!("page {page}\n"));
        let maps = self.maps.iter().map(|map| format!("map {map}\n"));
        let more = self.more.then(|| "more\n".to_owned());
        pages.chain(maps).chain(more).collect()
    }

    /// What [`Sitemap::to_lines`] wrote.
    pub fn from_lines(lines: &str) -> Self {
        let mut sitemap = Self::default();
        for line in lines.lines() {
            match line.split_once(' ') {
                Some(("page", page)) => sitemap.pages.push(page.into()),
                Some(("map", map)) => sitemap.maps.push(map.into()),
                _ => sitemap.more |= line == "more",
            }
        }
        sitemap
    }

    fn walk(&mut self, text: &str) -> Result<(), ConvertError> {
        let mut reader = Reader::from_str(text);
        let mut inside: Vec<String> = Vec::new();
        let mut address = String::new();
        while !self.more {
            let event = reader.read_event();
            let at = reader.buffer_position();
            let broken = |problem: &str| damaged(&format!("byte {at}: {problem}"));
            match event.map_err(|error| broken(&error.to_string()))? {
                Event::Start(tag) => {
                    if inside.len() == MAX_DEPTH {
                        return Err(ConvertError::Deep { most: MAX_DEPTH });
                    }
                    inside.push(tag.local_name().as_ref().to_owned());
                    address.clear();
                }
                Event::End(_) => {
                    let path: Vec<&str> = inside.iter().map(String::as_str).collect();
                    match path.as_slice() {
                        ["urlset", "url", "loc"] => self.add(&address, false),
                        ["sitemapindex", "sitemap", "loc"] => self.add(&address, true),
                        _ => {}
                    }
                    inside.pop();
                }
                Event::Text(text) => address.push_str(&text.xml_content(Implicit1_0)),
                Event::CData(text) => address.push_str(&text.xml_content(Implicit1_0)),
                // Entities of its own are what bombs are made of; those of addresses are known.
                Event::DocType(_) => return Err(broken("it declares entities")),
                Event::GeneralRef(name) => match character(&name) {
                    Some(text) => address.push_str(&text),
                    None => return Err(broken("it names an entity of its own")),
                },
                Event::Eof if inside.is_empty() => return Ok(()),
                Event::Eof => return Err(broken("it ends too early")),
                _ => {}
            }
            address.truncate(address.floor_char_boundary(MAX_ADDRESS + 1));
        }
        Ok(())
    }

    fn add(&mut self, address: &str, map: bool) {
        let address = address.trim();
        let plain = !address.contains(char::is_control) && address.len() <= MAX_ADDRESS;
        if address.is_empty() || !plain {
            return;
        }
        if self.pages.len() + self.maps.len() == MOST {
            self.more = true;
            return;
        }
        let list = if map { &mut self.maps } else { &mut self.pages };
        list.push(address.to_owned());
    }
}

fn damaged(problem: &str) -> ConvertError {
    ConvertError::Damaged { kind: "sitemap", problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<(&[&str], &[&str]), &str>) {
        let found = Sitemap::read(text.as_bytes());
        match (&found, expect) {
            (Ok(sitemap), Ok((pages, maps))) => {
                assert_eq!(sitemap.pages, pages, "{text}");
                assert_eq!(sitemap.maps, maps, "{text}");
                assert_eq!(Sitemap::from_lines(&sitemap.to_lines()), *sitemap);
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            _ => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn addresses_are_listed_and_bombs_are_refused() {
        check(
            "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>\
             <url><loc> https://a.example/?b=1&amp;c=2 </loc><lastmod>2026-01-01</lastmod></url>\
             <url><loc><![CDATA[https://a.example/d]]></loc></url></urlset>",
            Ok((&["https://a.example/?b=1&c=2", "https://a.example/d"], &[])),
        );
        check(
            "\u{feff}<x:sitemapindex xmlns:x='s'><x:sitemap><x:loc>https://a.example/1.xml</x:loc></x:sitemap></x:sitemapindex>",
            Ok((&[], &["https://a.example/1.xml"])),
        );
        check(
            "https://a.example/\n\nhttps://a.example/b\n",
            Ok((&["https://a.example/", "https://a.example/b"], &[])),
        );
        check("<urlset><url><loc>https://a.example/", Err("it ends too early"));
        check("<!DOCTYPE x [<!ENTITY a 'b'>]><urlset/>", Err("declares entities"));
        check("<urlset><url><loc>&a;</loc></url></urlset>", Err("an entity of its own"));
        check("<html><body>Not found</body></html>", Err("lists no address"));
        check(&"<a>".repeat(100), Err("nested deeper than 16"));
        check(
            &format!("<urlset><url><loc>x{}</loc></url></urlset>", "y".repeat(3_000)),
            Err("lists no address"),
        );
        check("", Err("lists no address"));
    }

    #[test]
    fn only_so_many_are_taken() {
        let url = "<url><loc>https://a.example/</loc></url>";
        for (count, more) in [(MOST, false), (MOST + 1, true), (20 * MOST, true)] {
            let sitemap =
                Sitemap::read(format!("<urlset>{}</urlset>", url.repeat(count)).as_bytes());
            let sitemap = sitemap.unwrap();
            assert_eq!((sitemap.pages.len(), sitemap.more), (MOST, more));
        }
    }
}
