//! One round over all pages: those that changed are kept anew, those that are gone go, the others stay as they are.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use sha2::{Digest, Sha256};
use url::Url;

use super::sitemaps::Wanted;
use super::visit::{Visit, Visits, Wait};
use super::{Copy, List, Page, Pages, names};
use crate::clock::{Clock, hex};
use crate::config::PageUrl;
use crate::knowledge::status::Count;
use crate::outbound::pages::{Answer, PageClient};
use crate::reader::Reader;

/// Pages after which what was fetched so far is published.
const PART: usize = 100;

/// What a round needs.
pub struct Round<'a> {
    /// The pages.
    pub pages: &'a Pages,
    /// Fetches them.
    pub client: &'a PageClient,
    /// Reads sitemaps.
    pub reader: &'a Reader,
    /// The time.
    pub clock: &'a Clock,
    /// The least pause between two requests to one site.
    pub gap: Duration,
    /// Waits; says whether to go on.
    pub wait: &'a Wait<'a>,
    /// Is told how far the round is.
    pub tell: &'a dyn Fn(Count),
}

impl Round<'_> {
    /// Asks for all pages that were asked for before `due` or failed. Blocks.
    ///
    /// # Errors
    /// When the data folder cannot be written.
    pub fn run(&self, due: i64) -> io::Result<()> {
        let before = self.pages.list();
        let mut visits = Visits::new(self.client, self.wait, self.gap);
        let wanted = Wanted::of(self.pages, &before, (&mut visits, self.reader));
        if !visits.go_on() {
            return Ok(());
        }
        let known: HashMap<&PageUrl, &Page> = before.pages.iter().map(|p| (&p.url, p)).collect();
        let old = |url: &PageUrl| known.get(url).map(|page| (*page).clone());
        let mut list =
            List { asked_at: before.asked_at, pages: Vec::new(), sitemaps: wanted.problems };
        let of = wanted.pages.len();
        for (done, (url, from)) in wanted.pages.iter().enumerate() {
            (self.tell)(Count { done, of });
            let rest = || wanted.pages[done..].iter().filter_map(|(url, _)| old(url));
            if done > 0 && done % PART == 0 {
                let mut part = list.clone();
                part.pages.extend(rest());
                self.pages.install(part)?;
            }
            let fresh = |page: &Page| page.problem.is_none() && page.asked_at >= due;
            let page = match old(url) {
                Some(page) if fresh(&page) => Page { from: from.clone(), ..page },
                old => self.page(&mut visits, (url, from), old)?,
            };
            // What was not asked to its end stays as it was.
            if !visits.go_on() {
                list.pages.extend(rest());
                return self.pages.install(list);
            }
            list.pages.push(page);
        }
        list.asked_at = self.clock.now_ms();
        self.pages.install(list)?;
        self.pages.sweep()
    }

    fn page(
        &self,
        visits: &mut Visits<'_>,
        (url, from): (&PageUrl, &PageUrl),
        old: Option<Page>,
    ) -> io::Result<Page> {
        let copy = old.and_then(|page| page.copy);
        let names = copy.as_ref().map(|copy| (copy.etag.as_deref(), copy.last_modified.as_deref()));
        let visit = visits.page(url.url(), names.unwrap_or_default());
        let now = self.clock.now_ms();
        let (copy, problem) = match visit {
            Ok(Visit::Same) => (copy, None),
            Ok(Visit::Found(at, answer)) => {
                match self.found((url.url(), &at), &answer, now, copy.as_ref())? {
                    Ok(fresh) => (Some(fresh), None),
                    Err(problem) => (copy, Some(problem)),
                }
            }
            Ok(Visit::Gone(status)) => {
                let problem = format!(
                    "answers {status}: it is there no more. Take it out of the settings, or mend its address"
                );
                (None, Some(problem))
            }
            Err(problem) => (copy, Some(problem)),
        };
        if let Some(problem) = &problem {
            tracing::warn!("{} {problem}", url.as_str());
        }
        Ok(Page { url: url.clone(), from: from.clone(), asked_at: now, copy, problem })
    }

    /// Keeps what a page says, unless its format is not read.
    fn found(
        &self,
        (url, at): (&Url, &Url),
        answer: &Answer,
        now: i64,
        old: Option<&Copy>,
    ) -> io::Result<Result<Copy, String>> {
        let Some(ending) = names::ending(&answer.content_type, at) else {
            let said = match answer.content_type.as_str() {
                "" => "of no named format",
                named => named,
            };
            return Ok(Err(format!(
                "is {said}, which is not read; pages are HTML, Markdown, text or PDF"
            )));
        };
        let sha256 = hex(&Sha256::digest(&answer.body));
        let path = names::path(url, ending);
        let same = old.filter(|old| old.sha256 == sha256 && old.path == path);
        if same.is_none() {
            self.pages.keep(&sha256, &answer.body)?;
        }
        Ok(Ok(Copy {
            changed_at: same.map_or(now, |old| old.changed_at),
            etag: answer.etag.clone(),
            last_modified: answer.last_modified.clone(),
            path,
            sha256,
        }))
    }
}
