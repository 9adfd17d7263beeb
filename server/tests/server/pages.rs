//! Pages of the web as documents: what is fetched and what is refused, over a real listener.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use server::clock::Clock;
use server::config::{Knowledge, PageUrl};
use server::knowledge::pages::{Pages, Round};
use server::outbound::pages::{Lookup, PageClient, PageLimits};
use server::reader::{Allowance, Reader};
use tempfile::TempDir;

use crate::site::{Site, answer};

const LIMITS: PageLimits = PageLimits {
    connect: Duration::from_secs(20),
    silence: Duration::from_secs(20),
    whole: Duration::from_secs(20),
    bytes: 100_000,
};

/// Settings over a site, and what rounds leave in the data folder.
struct Desk {
    data: TempDir,
    settings: Knowledge,
    limits: PageLimits,
    lookup: Lookup,
    now: i64,
}

impl Desk {
    /// Fetches the pages of `site`, which is allowed although it is private.
    fn over(site: &Site) -> Self {
        let settings = Knowledge {
            allow_private: vec![format!("127.0.0.1:{}", site.port).try_into().unwrap()],
            ..Knowledge::default()
        };
        let lookup: Lookup = Arc::new(|name| match name {
            "intern.example" => Ok(vec![IpAddr::from([127, 0, 0, 1])]),
            name => panic!("{name} is looked up"),
        });
        Self { data: tempfile::tempdir().unwrap(), settings, limits: LIMITS, lookup, now: 1_000 }
    }

    fn urls(mut self, urls: &[String]) -> Self {
        self.settings.urls = urls.iter().map(|url| url.clone().try_into().unwrap()).collect();
        self
    }

    fn sitemap(mut self, url: &str) -> Self {
        self.settings.sitemaps = vec![PageUrl::try_from(url.to_owned()).unwrap()];
        self
    }

    fn reader(&self) -> Reader {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_porchlight"));
        Reader::with_program(program, self.data.path(), Allowance::default())
    }

    /// One round over all pages, and the pages after it.
    fn round(&mut self) -> Pages {
        drop(rustls::crypto::ring::default_provider().install_default());
        self.now += 1_000;
        let now = self.now;
        let pages = Pages::open(self.data.path(), &self.settings);
        let allowed = self.settings.allow_private.iter().cloned().map(String::from).collect();
        let client = PageClient::new(self.limits, allowed, Arc::clone(&self.lookup)).unwrap();
        let round = Round {
            pages: &pages,
            client: &client,
            reader: &self.reader(),
            clock: &Clock::new(move || now),
            gap: Duration::ZERO,
            wait: &|_| true,
            tell: &|_| {},
        };
        round.run(i64::MAX).unwrap();
        pages
    }

    /// Path and text of each document, and what is wrong with the others.
    fn documents(&self, pages: &Pages) -> (Vec<(String, String)>, Vec<String>) {
        let (documents, skipped) = pages.documents(Path::new("k"), &self.reader());
        let text = |doc: retrieval::Document| (doc.path, doc.source[doc.start..].to_owned());
        (
            documents.into_iter().map(text).collect(),
            skipped.iter().map(ToString::to_string).collect(),
        )
    }
}

fn problems(pages: &Pages) -> Vec<String> {
    pages.missed().iter().map(|missed| missed.problem.clone()).collect()
}

#[test]
fn pages_of_each_format_become_documents_with_their_address() {
    let site = Site::open();
    site.page("/", "text/html; charset=utf-8", "<title>Shop</title><main><p>Open at <b>nine</b>.");
    site.page("/faq.md", "text/markdown", "# FAQ\n\nYes.\n");
    site.page("/robots.txt", "text/plain", "User-agent: *\nDisallow: /no\n");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../retrieval/tests/files/rotated.pdf");
    site.page("/plan.pdf", "application/pdf", std::fs::read(file).unwrap());
    let urls = ["/", "/faq.md", "/plan.pdf"].map(|path| site.url(path));
    let mut desk = Desk::over(&site).urls(&urls);
    let pages = desk.round();
    assert_eq!(problems(&pages), [""; 0]);
    let (documents, skipped) = desk.documents(&pages);
    let host = format!("web/127.0.0.1.{}", site.port);
    let expect = ["index", "faq", "plan"].map(|name| format!("{host}/{name}"));
    for ((path, _), expect) in documents.iter().zip(&expect) {
        assert!(path.starts_with(expect.as_str()), "{path} {expect}");
    }
    assert_eq!((documents.len(), documents[0].1.trim(), skipped), (3, "Open at nine.", vec![]));
    let (whole, _) = pages.documents(Path::new("k"), &desk.reader());
    assert_eq!(whole[0].matter.url.as_deref(), Some(site.url("/").as_str()));
    let asked = site.last().to_lowercase();
    assert!(
        asked.contains(concat!("user-agent: porchlight/", env!("CARGO_PKG_VERSION"))),
        "{asked}"
    );
    assert!(!asked.contains("cookie") && !asked.contains("referer"), "{asked}");
    // What is kept is there without the site, and goes with its setting.
    let again = Pages::open(desk.data.path(), &desk.settings);
    assert_eq!(desk.documents(&again).0, documents);
    let none = Pages::open(desk.data.path(), &Knowledge::default());
    assert_eq!(desk.documents(&none).0.len(), 0);
}

#[test]
fn a_page_is_fetched_anew_only_when_it_has_changed() {
    let site = Site::open();
    site.page("/a", "text/html", "<p>One.");
    site.page("/b", "text/html", "<p>Two.");
    let mut desk = Desk::over(&site).urls(&[site.url("/a"), site.url("/b")]);
    let first = desk.round().list();
    let copy =
        |list: &server::knowledge::pages::List, at: usize| list.pages[at].copy.clone().unwrap();
    site.page("/b", "text/html", "<p>Two and a half.");
    let second = desk.round().list();
    assert_eq!(copy(&first, 0), copy(&second, 0), "answered 304");
    assert_ne!(copy(&first, 1).sha256, copy(&second, 1).sha256);
    assert!(copy(&second, 1).changed_at > copy(&first, 1).changed_at);
    // The same bytes under another name of their state.
    let body = answer("200 OK", "Content-Type: text/html\r\nETag: \"new\"\r\n", b"<p>One.");
    site.raw("/a", body);
    let third = desk.round().list();
    assert_eq!(copy(&third, 0).changed_at, copy(&first, 0).changed_at);
    assert_eq!(copy(&third, 0).etag.as_deref(), Some("\"new\""));
    let bodies = std::fs::read_dir(desk.data.path().join("pages/bodies")).unwrap().count();
    assert_eq!(bodies, 2, "what no page says any more is removed");
}

#[test]
fn a_page_that_is_gone_goes_and_one_that_fails_keeps_its_copy() {
    let site = Site::open();
    for path in ["/gone", "/failing", "/other", "/broken"] {
        site.page(path, "text/html", format!("<p>This is {path}."));
    }
    let urls = ["/gone", "/failing", "/other", "/broken"].map(|path| site.url(path));
    let mut desk = Desk::over(&site).urls(&urls);
    desk.round();
    site.remove("/gone");
    site.status("/failing", "500 Internal Server Error", "");
    site.page("/other", "image/png", "x");
    site.page("/broken", "text/html", "<script>1</script>");
    let pages = desk.round();
    let missed = pages.missed();
    let kept: Vec<bool> = missed.iter().map(|missed| missed.kept).collect();
    assert_eq!(kept, [false, true, true], "{missed:?}");
    assert!(missed[0].problem.starts_with("answers 404"), "{missed:?}");
    assert!(missed[1].problem.starts_with("answers 500"), "{missed:?}");
    assert!(missed[2].problem.contains("image/png, which is not read"), "{missed:?}");
    let (documents, skipped) = desk.documents(&pages);
    let texts: Vec<&str> = documents.iter().map(|(_, text)| text.trim()).collect();
    assert_eq!(texts, ["This is /failing.", "This is /other."]);
    // What was fetched and cannot be read is named where files are; its last good text is kept there.
    assert!(skipped[0].contains("/broken is no HTML file that can be read"), "{skipped:?}");
}

/// A page, and why it is not fetched; nothing of it may be there then.
fn check(site: &Site, url: &str, limits: PageLimits, expect: &str) {
    let mut desk = Desk::over(site).urls(&[url.to_owned()]);
    desk.limits = limits;
    let pages = desk.round();
    let said = problems(&pages);
    assert!(said.len() == 1 && said[0].contains(expect), "{url}: {said:?} / {expect}");
    assert_eq!(desk.documents(&pages).0.len(), 0, "{url}");
}

#[test]
fn what_must_not_be_asked_is_not_asked() {
    let site = Site::open();
    let secret = Site::open();
    secret.page("/", "text/html", "<p>Secret.");
    let (port, own) = (secret.port, site.port);
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://017700000001:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[64:ff9b::7f00:1]:{port}/"),
        format!("http://intern.example:{port}/"),
        format!("http://１２７.0.0.1:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        check(&site, &url, LIMITS, "name `");
        let robots = format!("User-agent: *\nDisallow:\nSitemap: {url}\n");
        site.page("/robots.txt", "text/plain", robots);
        site.status("/away", "302 Found", &format!("Location: {url}\r\n"));
        // Headers are ASCII; other letters lead nowhere.
        let expect = if url.is_ascii() { "under [knowledge] allow_private" } else { "answers 302" };
        check(&site, &site.url("/away"), LIMITS, expect);
    }
    for (location, expect) in [
        (format!("http://user:word@127.0.0.1:{own}/"), "holds no password"),
        ("file:///etc/passwd".to_owned(), "begins with http://"),
        ("/away".to_owned(), "leads on more than 5 times"),
        ("http://[".to_owned(), "no address"),
    ] {
        site.status("/away", "301 Moved Permanently", &format!("Location: {location}\r\n"));
        check(&site, &site.url("/away"), LIMITS, expect);
    }
    assert_eq!(secret.asked(), [""; 0], "nobody knocked");
}

#[test]
fn what_has_no_end_is_ended() {
    let site = Site::open();
    let short = PageLimits { silence: Duration::from_millis(50), ..LIMITS };
    let at_once = PageLimits { whole: Duration::ZERO, ..LIMITS };
    site.page("/big", "text/html", vec![b'x'; 100_001]);
    check(&site, &site.url("/big"), LIMITS, "has more than 0 MiB");
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n";
    site.raw("/unsaid", [head.as_slice(), &vec![b'x'; 200_000]].concat());
    check(&site, &site.url("/unsaid"), LIMITS, "has more than 0 MiB");
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 10_000_000]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 20_000);
    let packed = "Content-Type: text/html\r\nContent-Encoding: gzip\r\n";
    site.raw("/bomb", answer("200 OK", packed, &bomb));
    check(&site, &site.url("/bomb"), LIMITS, "has more than 0 MiB");
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Endless: 1\r\nContent-Length: 9\r\n\r\n<p>";
    site.raw("/slow", head.to_vec());
    check(&site, &site.url("/slow"), short, "takes more than 0 seconds");
    site.raw("/silent", b"HTTP/1.1 200 OK\r\nX-Endless: 1\r\n".to_vec());
    check(&site, &site.url("/silent"), short, "takes more than 0 seconds");
    site.page("/drip", "text/html", "<p>Drop.");
    check(&site, &site.url("/drip"), at_once, "takes more than 0 seconds");
}

#[test]
fn robots_are_respected_and_a_site_that_cannot_say_is_left_alone() {
    let site = Site::open();
    site.page("/page?x", "text/html", "<p>A page.");
    for (status, body, expect) in [
        ("200 OK", "User-agent: porchlight\nDisallow: /page?\n", "robots.txt forbids it"),
        ("503 Service Unavailable", "", "/robots.txt answers 503"),
        ("429 Too Many Requests", "", "/robots.txt answers 429"),
    ] {
        site.raw("/robots.txt", answer(status, "", body.as_bytes()));
        site.asked();
        check(&site, &site.url("/page?x"), LIMITS, expect);
        assert_eq!(site.asked(), ["/robots.txt"], "{status}");
    }
    for status in ["404 Not Found", "403 Forbidden"] {
        site.raw("/robots.txt", answer(status, "", b""));
        let mut desk = Desk::over(&site).urls(&[site.url("/page?x")]);
        assert_eq!(problems(&desk.round()), [""; 0]);
    }
    // A redirect is no way around.
    site.raw("/robots.txt", answer("200 OK", "", b"User-agent: *\nDisallow: /page\n"));
    site.status("/way", "307 Temporary Redirect", "Location: /page?x\r\n");
    site.asked();
    check(&site, &site.url("/way"), LIMITS, "robots.txt forbids it");
    assert_eq!(site.asked(), ["/robots.txt", "/way"]);
}

fn sitemap(urls: impl Iterator<Item = String>) -> String {
    let urls: String = urls.map(|url| format!("<url><loc>{url}</loc></url>")).collect();
    format!("<?xml version=\"1.0\"?><urlset>{urls}</urlset>")
}

#[test]
fn a_sitemap_names_its_own_pages_and_no_others() {
    let site = Site::open();
    for path in ["/a", "/b", "/c"] {
        site.page(path, "text/html", format!("<p>This is {path}."));
    }
    let index = format!(
        "<sitemapindex><sitemap><loc>{}</loc></sitemap><sitemap><loc>{}</loc></sitemap></sitemapindex>",
        site.url("/one.xml"),
        site.url("/two.xml")
    );
    site.page("/sitemap.xml", "application/xml", index);
    let one = [site.url("/a"), site.url("/b"), "https://elsewhere.example/".into(), "no".into()];
    site.page("/one.xml", "application/xml", sitemap(one.into_iter()));
    site.page(
        "/two.xml",
        "application/xml",
        sitemap([site.url("/c"), site.url("/a#x")].into_iter()),
    );
    let mut desk = Desk::over(&site).sitemap(&site.url("/sitemap.xml"));
    let pages = desk.round();
    assert_eq!(desk.documents(&pages).0.len(), 3);
    assert!(problems(&pages)[0].contains("lists 2 pages of other sites"), "{:?}", problems(&pages));
    // A page that the sitemap no longer has goes; a sitemap that fails keeps what is known of it.
    site.page("/two.xml", "application/xml", sitemap([site.url("/a")].into_iter()));
    site.page("/one.xml", "application/xml", sitemap([site.url("/a")].into_iter()));
    let pages = desk.round();
    assert_eq!((desk.documents(&pages).0.len(), problems(&pages)), (1, vec![]));
    site.page("/one.xml", "application/xml", "<urlset><url>");
    site.page("/two.xml", "application/xml", sitemap([site.url("/b")].into_iter()));
    let pages = desk.round();
    assert_eq!(desk.documents(&pages).0.len(), 2);
    let said = &problems(&pages)[0];
    assert!(said.contains("/one.xml, which is no sitemap file that can be read"), "{said}");
    site.status("/sitemap.xml", "404 Not Found", "");
    let pages = desk.round();
    assert_eq!(desk.documents(&pages).0.len(), 2);
    assert!(problems(&pages)[0].starts_with("answers 404"), "{:?}", problems(&pages));
}

#[test]
fn sitemaps_without_end_are_bounded() {
    let site = Site::open();
    let nest = |n: usize| {
        format!(
            "<sitemapindex><sitemap><loc>{}</loc></sitemap></sitemapindex>",
            site.url(&format!("/{n}.xml"))
        )
    };
    (0..9).for_each(|n| site.page(&format!("/{n}.xml"), "application/xml", nest(n + 1)));
    let mut desk = Desk::over(&site).sitemap(&site.url("/0.xml"));
    assert!(problems(&desk.round())[0].contains("sitemaps inside sitemaps"), "nested");
    assert_eq!(site.asked(), ["/0.xml", "/1.xml", "/2.xml"]);
    let maps =
        (0..60).map(|n| format!("<sitemap><loc>{}</loc></sitemap>", site.url(&format!("/m{n}"))));
    let maps: String = maps.collect();
    site.page("/0.xml", "application/xml", format!("<sitemapindex>{maps}</sitemapindex>"));
    assert!(problems(&desk.round())[0].contains("more than 50 sitemaps"), "many");
    assert_eq!(site.asked().len(), 50);
    // Far more pages than are taken; that none is fetched is up to robots.txt.
    site.page("/robots.txt", "text/plain", "User-agent: *\nDisallow: /\n");
    site.page("/0.xml", "application/xml", sitemap((0..6_000).map(|n| site.url(&format!("/{n}")))));
    desk.limits.bytes = 10_000_000;
    let pages = desk.round();
    assert!(
        problems(&pages)[0].contains("lists more than 5000 pages"),
        "{:?}",
        problems(&pages)[0]
    );
    assert_eq!((pages.list().pages.len(), site.asked().len()), (5_000, 2));
}

#[test]
fn a_site_that_is_down_is_not_asked_on_and_on() {
    let site = Site::open();
    for n in 0..9 {
        site.raw(&format!("/{n}"), b"no answer at all".to_vec());
    }
    let urls: Vec<String> = (0..9).map(|n| site.url(&format!("/{n}"))).collect();
    let mut desk = Desk::over(&site).urls(&urls);
    let said = problems(&desk.round());
    assert_eq!(said.len(), 9);
    assert!(said[0].starts_with("cannot be reached"), "{said:?}");
    assert!(said[8].contains("has failed 3 times"), "{said:?}");
    assert_eq!(site.asked(), ["/robots.txt", "/0", "/1", "/2"]);
}
