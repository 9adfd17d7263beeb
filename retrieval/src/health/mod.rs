//! What is wrong with the knowledge itself: broken links, doubles, contradictions, old and unread documents.
//!
//! All of it is hints for the owner, found without a model's opinion: each names its places, and a person decides.

mod claims;
mod links;
mod pairs;

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::{Document, Index};
pub use links::broken_links;
pub use pairs::pairs;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Path of the document.
    pub doc: String,
    /// Line of the file, from 1.
    pub line: usize,
}

impl Place {
    /// The place of byte `at` of a document.
    fn of(document: &Document, at: usize) -> Self {
        let end = at.min(document.source.len());
        let before = document.source.as_bytes()[..end].iter();
        Self { doc: document.path.clone(), line: before.filter(|b| **b == b'\n').count() + 1 }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.doc, self.line)
    }
}

/// A link that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokenLink {
    /// Where it stands.
    pub at: Place,
    /// What it names.
    pub target: String,
    /// Why nothing is there.
    pub problem: String,
}

/// Two passages that say the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Duplicate {
    /// The first.
    pub first: Place,
    /// The second.
    pub second: Place,
    /// Beginning of the first.
    pub text: String,
    /// Cosine of their vectors, -1 to 1.
    pub cosine: f32,
    /// Share of their words that both have, 0 to 1.
    pub shared: f32,
}

/// Two sentences about the same thing that cannot both be true.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contradiction {
    /// The first.
    pub first: Said,
    /// The second.
    pub second: Said,
    /// How they differ.
    pub differ: Differ,
    /// Cosine of their passages' vectors, -1 to 1.
    pub cosine: f32,
}

/// A sentence and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Where.
    pub at: Place,
    /// The sentence.
    pub text: String,
}

/// How two sentences contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Differ {
    /// Another number, price or duration.
    Number,
    /// One says that it is, the other that it is not.
    Negation,
}

/// A document that nobody has touched for long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stale {
    /// Its path.
    pub doc: String,
    /// Whole days since it was written.
    pub days: i64,
}

/// What was found in one state of the knowledge.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Links that lead nowhere.
    pub links: Vec<BrokenLink>,
    /// Passages that say the same.
    pub duplicates: Vec<Duplicate>,
    /// Sentences that cannot both be true.
    pub contradictions: Vec<Contradiction>,
    /// Documents that nobody has touched for long, the oldest first.
    pub stale: Vec<Stale>,
    /// Documents that no answer has cited yet; empty as long as there is no answer at all.
    pub unreached: Vec<String>,
    /// Passages that were not compared with others, because there are too many.
    pub uncompared: usize,
}

/// What the documents themselves do not say.
pub struct Facts<'a> {
    /// When each document was written last, in milliseconds since 1970.
    pub written: &'a BTreeMap<String, i64>,
    /// Now, in milliseconds since 1970.
    pub now: i64,
    /// Days after which a document is old.
    pub stale_days: u32,
    /// Documents that answers have cited.
    pub cited: &'a HashSet<String>,
    /// Whether a file that is no document lies at this path of the folder.
    pub exists: &'a dyn Fn(&str) -> bool,
}

/// Looks the knowledge over.
pub fn report(index: &Index, facts: &Facts<'_>) -> Report {
    let (duplicates, contradictions, uncompared) = pairs(index);
    Report {
        links: broken_links(index.documents(), facts.exists),
        duplicates,
        contradictions,
        stale: stale(index.documents(), facts),
        unreached: unreached(index.documents(), facts.cited),
        uncompared,
    }
}

fn stale(documents: &[Document], facts: &Facts<'_>) -> Vec<Stale> {
    let age = |doc: &Document| {
        let days = (facts.now - facts.written.get(&doc.path)?) / DAY_MS;
        (days >= i64::from(facts.stale_days)).then(|| Stale { doc: doc.path.clone(), days })
    };
    let mut found: Vec<Stale> = documents.iter().filter_map(age).collect();
    found.sort_by(|a, b| b.days.cmp(&a.days).then_with(|| a.doc.cmp(&b.doc)));
    found
}

fn unreached(documents: &[Document], cited: &HashSet<String>) -> Vec<String> {
    let missing = documents.iter().filter(|doc| !cited.is_empty() && !cited.contains(&doc.path));
    missing.map(|doc| doc.path.clone()).collect()
}
