//! One published state of the documents: a reply holds the one it began with until it ends.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use engine::search::{Hit, Passage, Query, Search, SearchError};
use retrieval::versions::SHORT;
use retrieval::{Document, Index};

/// An index that answers, less the documents that were deleted since it was built.
#[derive(Debug)]
pub struct Edition {
    index: Index,
    gone: ArcSwap<HashSet<String>>,
}

impl Edition {
    /// An index of which nothing is gone.
    pub fn new(index: Index) -> Self {
        Self { index, gone: ArcSwap::default() }
    }

    /// The index as it was built.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The first 12 digits of its version, as replies record it.
    pub fn short_version(&self) -> String {
        self.index.knowledge_version().chars().take(SHORT).collect()
    }

    /// A document by its path, unless it was deleted.
    pub fn document(&self, path: &str) -> Option<&Document> {
        self.index.document(path).filter(|_| !self.gone.load().contains(path))
    }

    /// Says which documents were deleted; they are found no more, even by replies that hold this edition.
    pub(super) fn strike(&self, gone: HashSet<String>) {
        if **self.gone.load() != gone {
            self.gone.store(Arc::new(gone));
        }
    }
}

impl Search for Edition {
    fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>, SearchError> {
        let gone = self.gone.load();
        if gone.is_empty() {
            return self.index.search(query);
        }
        // All that were found, so that enough are left.
        let wide = Query { limit: usize::MAX, ..*query };
        let mut hits = self.index.search(&wide)?;
        hits.retain(|hit| !gone.contains(&hit.passage.doc));
        hits.truncate(query.limit);
        Ok(hits)
    }

    fn spelled(&self, word: &str) -> Option<String> {
        self.index.spelled(word)
    }

    fn speaks(&self, language: &str) -> bool {
        self.index.speaks(language)
    }

    fn passages_of(&self, path: &str) -> Vec<Arc<Passage>> {
        if self.gone.load().contains(path) { vec![] } else { self.index.passages_of(path) }
    }

    fn knowledge_version(&self) -> &str {
        self.index.knowledge_version()
    }
}
