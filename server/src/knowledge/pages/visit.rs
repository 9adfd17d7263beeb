//! Visits to websites, one after the other: what their `robots.txt` forbids is left alone, each redirect is looked at
//! anew, and a site that does not answer is not asked on and on.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use url::Url;

use super::robots::Robots;
use crate::outbound::pages::{Answer, Asked, PageClient, PageError};

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// Failures one after the other after which a site is left alone for this round.
const PATIENCE: u32 = 3;
/// The pause between two requests to one site that asks for none.
pub const GAP: Duration = Duration::from_millis(100);
/// Formats that are read.
const DOCUMENTS: &str =
    "text/html, application/xhtml+xml, text/markdown, text/plain;q=0.9, application/pdf;q=0.8";

/// Waits so long; says whether to go on.
pub(super) type Wait<'a> = dyn Fn(Duration) -> bool + 'a;

/// What a visit brought.
#[derive(Debug)]
pub(super) enum Visit {
    /// The copy that is there is still good.
    Same,
    /// A page, and where it was found.
    Found(Url, Box<Answer>),
    /// It is there no more, by this HTTP status.
    Gone(u16),
}

/// The sites of one round.
pub(super) struct Visits<'a> {
    client: &'a PageClient,
    wait: &'a Wait<'a>,
    gap: Duration,
    sites: HashMap<String, Site>,
}

#[derive(Default)]
struct Site {
    robots: Option<Result<Robots, String>>,
    last: Option<Instant>,
    failures: u32,
}

impl<'a> Visits<'a> {
    pub(super) fn new(client: &'a PageClient, wait: &'a Wait<'a>, gap: Duration) -> Self {
        Self { client, wait, gap, sites: HashMap::new() }
    }

    /// Whether to go on.
    pub(super) fn go_on(&self) -> bool {
        (self.wait)(Duration::ZERO)
    }

    /// Fetches a page; `copy` is what names the copy that is there.
    pub(super) fn page(
        &mut self,
        url: &Url,
        copy: (Option<&str>, Option<&str>),
    ) -> Result<Visit, String> {
        let (at, answer) = self.follow(url, (DOCUMENTS, copy), true)?;
        match answer.status {
            200 => Ok(Visit::Found(at, Box::new(answer))),
            304 => Ok(Visit::Same),
            status @ (404 | 410) => Ok(Visit::Gone(status)),
            status @ (401 | 403) => Err(format!(
                "answers {status}: it is not open to everybody. Put its text into a file of the knowledge folder"
            )),
            status => Err(format!("answers {status}. It is tried again within the hour")),
        }
    }

    /// Fetches a sitemap; `robots.txt` speaks of pages only.
    pub(super) fn sitemap(&mut self, url: &Url) -> Result<(Url, Vec<u8>), String> {
        match self.follow(url, ("application/xml, text/xml, text/plain", (None, None)), false)? {
            (at, answer) if answer.status == 200 => Ok((at, answer.body)),
            (_, answer) => Err(format!("answers {}. Is its address right?", answer.status)),
        }
    }

    fn follow(
        &mut self,
        url: &Url,
        (accept, copy): (&str, (Option<&str>, Option<&str>)),
        heed: bool,
    ) -> Result<(Url, Answer), String> {
        let mut at = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            if heed {
                self.heed(&at)?;
            }
            let answer = self.ask(&Asked { url: &at, accept, copy })?;
            let moved = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
            let Some(location) = answer.location.as_ref().filter(|_| moved) else {
                return Ok((at, answer));
            };
            let next = at.join(location);
            let next =
                next.map_err(|error| format!("leads to `{location}`, no address: {error}"))?;
            // A stranger shall not choose which private pages are published.
            if self.client.is_named(&next) && !self.client.is_named(&at) {
                return Err(format!("leads to {next}, which is private. Name that address itself"));
            }
            at = next;
            at.set_fragment(None);
        }
        Err(format!("leads on more than {MAX_REDIRECTS} times"))
    }

    /// One request, after the pause that the site wants.
    fn ask(&mut self, asked: &Asked<'_>) -> Result<Answer, String> {
        let name = asked.url.origin().ascii_serialization();
        let site = self.sites.entry(name.clone()).or_default();
        if site.failures >= PATIENCE {
            return Err(format!(
                "is not fetched: {name} has failed {PATIENCE} times. It is tried again within the hour"
            ));
        }
        let wanted = site.robots.as_ref().and_then(|robots| robots.as_ref().ok()?.delay());
        let since = site.last.map_or(Duration::MAX, |last| last.elapsed());
        let pause = wanted.unwrap_or(self.gap).max(self.gap).saturating_sub(since);
        if !(self.wait)(pause) {
            return Err("is not fetched: the server stops".into());
        }
        let answer = self.client.get(asked);
        site.last = Some(Instant::now());
        let broken = matches!(answer, Err(PageError::Slow(_) | PageError::Failed(_)));
        site.failures = if broken { site.failures + 1 } else { 0 };
        answer.map_err(|error| error.to_string())
    }

    /// Refuses what the site's `robots.txt` forbids.
    fn heed(&mut self, url: &Url) -> Result<(), String> {
        let name = url.origin().ascii_serialization();
        let known = self.sites.get(&name).and_then(|site| site.robots.clone());
        let robots = known.unwrap_or_else(|| self.robots(url));
        self.sites.entry(name.clone()).or_default().robots = Some(robots.clone());
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        match robots {
            Err(problem) => Err(format!("is not fetched: {name}/robots.txt {problem}")),
            Ok(robots) if robots.allows(&path) => Ok(()),
            Ok(_) => Err(format!(
                "is not fetched: {name}/robots.txt forbids it. Ask who runs the site, or put the text into the knowledge folder"
            )),
        }
    }

    /// The rules of a site; one that cannot say them is left alone, one that has none allows everything.
    fn robots(&mut self, url: &Url) -> Result<Robots, String> {
        let at = url.join("/robots.txt").map_err(|error| error.to_string())?;
        let (_, answer) = self.follow(&at, ("text/plain", (None, None)), false)?;
        match answer.status {
            200 => Ok(Robots::read(&answer.body)),
            400..=428 | 430..=499 => Ok(Robots::default()),
            status => Err(format!("answers {status}")),
        }
    }
}
