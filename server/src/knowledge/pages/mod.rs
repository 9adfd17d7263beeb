//! Web pages as documents: fetched now and then, kept as they came, so that a start without a network has them all.

mod names;
mod robots;
mod round;
mod sitemaps;
mod task;
mod visit;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

use super::disk;
use crate::config::{Knowledge, PageUrl};
use crate::reader::Reader;
pub use names::FOLDER;
use retrieval::Document;
use retrieval::corpus::{self, Skipped};
use retrieval::reading::Snapshot;
pub use round::Round;
use serde::{Deserialize, Serialize};
pub use task::start;
use tokio::sync::Notify;
pub use visit::GAP;

/// Folder of the pages in the data folder.
const KEPT: &str = "pages";
/// What is known of them.
const LIST: &str = "pages.json";
/// Folder of their bytes, each file named by its hash.
const BODIES: &str = "bodies";

/// A page, or one that could not be fetched yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Its address.
    pub url: PageUrl,
    /// The setting it comes from: its own address, or that of a sitemap.
    pub from: PageUrl,
    /// When it was asked for last, in milliseconds since 1970.
    pub asked_at: i64,
    /// The last good copy.
    pub copy: Option<Copy>,
    /// Why there is no newer one.
    pub problem: Option<String>,
}

/// What a page said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// Name among the documents.
    pub path: String,
    /// Hex SHA-256 of its bytes.
    pub sha256: String,
    /// What the server calls this state.
    pub etag: Option<String>,
    /// When the server says it was changed.
    pub last_modified: Option<String>,
    /// When it was first seen so, in milliseconds since 1970.
    pub changed_at: i64,
}

/// All that is known of the pages.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct List {
    /// When all were asked for last, in milliseconds since 1970; 0 for never.
    pub asked_at: i64,
    /// The pages.
    pub pages: Vec<Page>,
    /// What is wrong with each sitemap.
    pub sitemaps: BTreeMap<String, String>,
}

/// What could not be fetched, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// Address of the page or the sitemap.
    pub url: String,
    /// What happened, and what to do.
    pub problem: String,
    /// Whether its last good copy answers.
    pub kept: bool,
}

impl std::fmt::Display for Missed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let instead = if self.kept { "its last good copy answers" } else { "it is left out" };
        write!(f, "{} {}; {instead}", self.url, self.problem.trim_end_matches('.'))
    }
}

/// The pages of the settings and their copies.
#[derive(Debug)]
pub struct Pages {
    folder: PathBuf,
    urls: Vec<PageUrl>,
    sitemaps: Vec<PageUrl>,
    /// Rings when the owner wants all pages asked for now.
    bell: Notify,
    list: Mutex<Arc<List>>,
}

impl Pages {
    /// Those of the settings, with the copies in the data folder. Copies that no setting names any more are passed over.
    pub fn open(data_dir: &Path, settings: &Knowledge) -> Self {
        let folder = data_dir.join(KEPT);
        let (urls, sitemaps) = (settings.urls.clone(), settings.sitemaps.clone());
        let mut list = read(&folder.join(LIST));
        list.pages.retain(|page| urls.contains(&page.from) || sitemaps.contains(&page.from));
        list.sitemaps.retain(|map, _| sitemaps.iter().any(|one| one.as_str() == map.as_str()));
        Self { folder, urls, sitemaps, bell: Notify::new(), list: Mutex::new(Arc::new(list)) }
    }

    /// Whether the settings name no page and no sitemap.
    pub fn is_empty(&self) -> bool {
        self.urls.is_empty() && self.sitemaps.is_empty()
    }

    /// Has all pages asked for now.
    pub fn ask_now(&self) {
        self.bell.notify_one();
    }

    /// What is known now.
    pub fn list(&self) -> Arc<List> {
        Arc::clone(&self.list.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What could not be fetched the last time.
    pub fn missed(&self) -> Vec<Missed> {
        let list = self.list();
        let missed = |url: &str, problem: &str, kept: bool| Missed {
            url: url.into(),
            problem: problem.into(),
            kept,
        };
        let maps = list.sitemaps.iter().map(|(map, problem)| {
            let kept = list.pages.iter().any(|p| p.from.as_str() == map && p.copy.is_some());
            missed(map, problem, kept)
        });
        let pages = list.pages.iter().filter_map(|page| {
            Some(missed(page.url.as_str(), page.problem.as_ref()?, page.copy.is_some()))
        });
        maps.chain(pages).collect()
    }

    /// The pages as documents, and those that cannot be read with the names they would have in `folder`.
    pub fn documents(&self, folder: &Path, reader: &Reader) -> (Vec<Document>, Vec<Skipped>) {
        let (mut documents, mut skipped) = (Vec::new(), Vec::new());
        for page in &self.list().pages {
            let Some(copy) = &page.copy else { continue };
            let load = |_| fs::read(self.body(&copy.sha256)).map_err(|error| error.to_string());
            let convert = |kind, bytes: &[u8]| reader.read(kind, bytes);
            match corpus::document(&copy.path, &load, &convert) {
                Ok(document) => documents.extend(document.map(|mut document| {
                    document.matter.url = Some(page.url.as_str().into());
                    document
                })),
                Err(problem) => {
                    let problem = format!("{} {problem}", page.url.as_str());
                    skipped.push(Skipped { path: folder.join(&copy.path), problem });
                }
            }
        }
        (documents, skipped)
    }

    /// Notes the copies among the files.
    pub fn stamp(&self, files: &mut Snapshot) {
        let list = self.list();
        let copies = list.pages.iter().filter_map(|page| page.copy.as_ref());
        copies.for_each(|copy| files.add(&copy.path, copy.changed_at));
    }

    /// Keeps the bytes of a page.
    fn keep(&self, sha256: &str, bytes: &[u8]) -> io::Result<()> {
        disk::write(&self.body(sha256), bytes)
    }

    /// Makes this what is known, here and on disk.
    fn install(&self, list: List) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&list).map_err(io::Error::other)?;
        disk::write(&self.folder.join(LIST), &text)?;
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(list);
        Ok(())
    }

    /// Removes the bytes that no page has any more.
    fn sweep(&self) -> io::Result<()> {
        let list = self.list();
        let used: HashSet<&str> = list
            .pages
            .iter()
            .filter_map(|page| page.copy.as_ref())
            .map(|copy| copy.sha256.as_str())
            .collect();
        let Ok(bodies) = fs::read_dir(self.folder.join(BODIES)) else { return Ok(()) };
        for entry in bodies.flatten() {
            if !used.contains(entry.file_name().to_string_lossy().as_ref()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn body(&self, sha256: &str) -> PathBuf {
        self.folder.join(BODIES).join(sha256)
    }
}

/// The list on disk; one that cannot be read is made again.
fn read(path: &Path) -> List {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return List::default(),
        Err(error) => {
            tracing::error!("{} cannot be read: {error}", path.display());
            return List::default();
        }
    };
    serde_json::from_slice(&text).unwrap_or_else(|error| {
        tracing::error!("{} is damaged, all pages are fetched again: {error}", path.display());
        List::default()
    })
}
