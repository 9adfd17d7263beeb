//! Which pages to fetch: those of the settings, and those that their sitemaps list.

use std::collections::{BTreeMap, HashSet, VecDeque};

use retrieval::readers::sitemap::{MOST, Sitemap};
use url::Url;

use super::visit::Visits;
use super::{List, Pages};
use crate::config::PageUrl;
use crate::reader::Reader;

/// Sitemaps that one setting may lead to.
const MAX_MAPS: usize = 50;
/// Sitemaps inside indexes of sitemaps.
const MAX_DEPTH: usize = 2;

/// The pages that are wanted, each with the setting it comes from, [`MOST`] at most.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) pages: Vec<(PageUrl, PageUrl)>,
    /// What is wrong with each sitemap.
    pub(super) problems: BTreeMap<String, String>,
    seen: HashSet<PageUrl>,
}

impl Wanted {
    /// Reads the sitemaps. One that fails keeps the pages that `before` knows from it.
    pub(super) fn of(
        pages: &Pages,
        before: &List,
        (visits, reader): (&mut Visits<'_>, &Reader),
    ) -> Self {
        let mut wanted = Self::default();
        for url in &pages.urls {
            wanted.add(url, url);
        }
        for from in &pages.sitemaps {
            let mut walk = Walk { wanted: &mut wanted, from, strangers: 0 };
            let walked = walk.all(visits, reader);
            let problem = walked.err().or_else(|| walk.left_out());
            if let Some(problem) = problem {
                let known = before.pages.iter().filter(|page| page.from == *from);
                known.for_each(|page| wanted.add(&page.url, from));
                wanted.problems.insert(from.as_str().into(), problem);
            }
        }
        wanted
    }

    fn add(&mut self, url: &PageUrl, from: &PageUrl) {
        if self.pages.len() < MOST && self.seen.insert(url.clone()) {
            self.pages.push((url.clone(), from.clone()));
        }
    }
}

/// The way through the sitemaps of one setting.
struct Walk<'a> {
    wanted: &'a mut Wanted,
    from: &'a PageUrl,
    /// Pages of other sites, which a sitemap has no say over.
    strangers: usize,
}

impl Walk<'_> {
    fn all(&mut self, visits: &mut Visits<'_>, reader: &Reader) -> Result<(), String> {
        let mut ahead = VecDeque::from([(self.from.url().clone(), 0)]);
        let mut seen = HashSet::new();
        let mut problem = Ok(());
        while let Some((url, depth)) = ahead.pop_front() {
            if !seen.insert(url.clone()) {
                continue;
            }
            if seen.len() > MAX_MAPS || depth > MAX_DEPTH {
                return Err(format!(
                    "leads to more than {MAX_MAPS} sitemaps, or to sitemaps inside sitemaps inside sitemaps; the rest is left out"
                ));
            }
            let found =
                visits.sitemap(&url).and_then(|(at, bytes)| Ok((at, reader.sitemap(&bytes)?)));
            match found {
                Ok((at, sitemap)) => {
                    let maps = self.take(&at, &sitemap)?;
                    ahead.extend(maps.into_iter().map(|map| (map, depth + 1)));
                }
                // The other sitemaps may be good.
                Err(error) if problem.is_ok() => problem = Err(named(&url, self.from, &error)),
                Err(_) => {}
            }
        }
        problem
    }

    /// Takes a sitemap's pages, and says which further sitemaps there are.
    fn take(&mut self, at: &Url, sitemap: &Sitemap) -> Result<Vec<Url>, String> {
        for page in &sitemap.pages {
            match PageUrl::try_from(page.clone()) {
                Ok(page) if page.url().origin() == at.origin() => self.wanted.add(&page, self.from),
                _ => self.strangers += 1,
            }
        }
        if sitemap.more || self.wanted.pages.len() >= MOST {
            return Err(format!("lists more than {MOST} pages; the rest is left out"));
        }
        let maps = sitemap.maps.iter().filter_map(|map| Url::parse(map).ok());
        Ok(maps.filter(|map| map.origin() == at.origin()).collect())
    }

    fn left_out(&self) -> Option<String> {
        (self.strangers > 0).then(|| {
            format!(
                "lists {} pages of other sites, which are left out. Name the sitemaps of those sites",
                self.strangers
            )
        })
    }
}

/// The problem of a sitemap that another one led to.
fn named(url: &Url, from: &PageUrl, problem: &str) -> String {
    if url == from.url() { problem.to_owned() } else { format!("lists {url}, which {problem}") }
}
