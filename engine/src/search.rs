//! The seam to retrieval: a query goes in, passages with their scores come out.

use std::ops::Range;
use std::sync::Arc;

use crate::scope::Scope;

/// Finds passages. Synchronous; called from the thread that makes the reply.
pub trait Search: Send + Sync {
    /// The best passages for `query`, best first, at most `query.limit`.
    ///
    /// # Errors
    /// When the index cannot be read; an empty index is `Ok(vec![])`.
    fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>, SearchError>;

    /// The word of the documents that `word`, in lower case, was most likely meant to be: itself when they have it;
    /// `None` when they have nothing near it.
    fn spelled(&self, _word: &str) -> Option<String> {
        None
    }

    /// Whether there are documents in a language, by the first part of its BCP 47 tag; true when the language of none is known.
    fn speaks(&self, _language: &str) -> bool {
        true
    }

    /// The passages of the document at `path`, in reading order; none when there is no such document.
    fn passages_of(&self, _path: &str) -> Vec<Arc<Passage>> {
        Vec::new()
    }

    /// Version of the knowledge that answers come from: hex SHA-256 over all documents.
    fn knowledge_version(&self) -> &str;
}

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The question alone.
    pub asked: Phrase<'a>,
    /// The question after what the visitor said before it, where there is such; it counts the more, the less the
    /// question alone finds.
    pub in_context: Option<Phrase<'a>>,
    /// Whether the question points back at what was said before it ("How do I change it?").
    pub points_back: bool,
    /// Documents that are meant for others are left out.
    pub scope: &'a Scope,
    /// At most this many hits.
    pub limit: usize,
}

/// One wording of a question.
#[derive(Debug, Clone, Copy)]
pub struct Phrase<'a> {
    /// The words.
    pub text: &'a str,
    /// The same words as a unit-length vector of the encoder.
    pub embedding: &'a [f32],
}

/// A passage that was found, with the evidence for it.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The passage.
    pub passage: Arc<Passage>,
    /// How well the passage answers by itself, 0 to 1, on one scale for all questions; it and the company that passages
    /// keep make their order.
    pub score: f32,
    /// Cosine between query and passage vectors, -1 to 1.
    pub cosine: f32,
    /// Cosine between query and the nearest of the passage's heading and sentences, -1 to 1.
    pub unit: f32,
    /// BM25 score, 0 when no word matched.
    pub bm25: f32,
    /// Share of the query's idf mass whose words stand in the passage, 0 to 1.
    pub coverage: f32,
    /// What the query finds anyway: mean cosine of the passages that are nearest to it but the first, the same for all
    /// its hits.
    pub typical: f32,
}

impl Hit {
    /// Cosine of the query and the passage or the nearest of its parts, -1 to 1: what floors are held against.
    pub fn nearness(&self) -> f32 {
        self.cosine.max(self.unit)
    }

    /// Whether both legs have it before all of `hits`: 1 when it is first by words and by meaning, 0.5 when by one of
    /// them, else 0.
    pub fn agreement(&self, hits: &[Self]) -> f32 {
        let by_meaning = hits.iter().all(|hit| hit.cosine <= self.cosine);
        let by_words = self.bm25 > 0.0 && hits.iter().all(|hit| hit.bm25 <= self.bm25);
        0.5 * f32::from(u8::from(by_meaning)) + 0.5 * f32::from(u8::from(by_words))
    }
}

/// A chunk of one document, cut at headings, with byte offsets into its source file.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// Path of the document below the knowledge folder, with `/` between parts: `billing/refunds.md`.
    pub doc: String,
    /// Title of the document.
    pub title: String,
    /// Headings above the passage, outermost first, without the title.
    pub heading: Vec<String>,
    /// Whom the document is meant for, from its front matter.
    pub scope: Scope,
    /// Bytes of the source file that the passage covers.
    pub span: Range<usize>,
    /// What the passage says, without markup.
    pub text: String,
    /// The same, sentence by sentence, in reading order.
    pub sentences: Vec<Sentence>,
}

/// One sentence, list item, table row or code block of a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// What it says, without markup, on one line (code keeps its line breaks).
    pub text: String,
    /// Bytes of the source file it was read from, markup included.
    pub span: Range<usize>,
    /// Counts the blocks (paragraph, list item, row) of the passage from 0; sentences of one paragraph share it.
    pub block: u32,
    /// What kind of block it stands in.
    pub kind: SentenceKind,
}

/// The kind of block that a sentence stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentenceKind {
    /// Running text.
    Prose,
    /// Part of a list item. Items of one list share `list`; `number` is set in ordered lists.
    Item {
        /// Counts the lists of the passage from 0.
        list: u32,
        /// The item's printed number, in ordered lists.
        number: Option<u64>,
    },
    /// A row of a table, cells joined by ` · `.
    Row,
    /// A code block.
    Code,
}

/// Why a search failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The query's vector does not fit the index.
    #[error(
        "the query vector has {got} dimensions, the index has {expected}; rebuild the index with this encoder"
    )]
    Dimension {
        /// Dimensions of the index.
        expected: usize,
        /// Dimensions of the query.
        got: usize,
    },
    /// The index could not be read.
    #[error("the index could not be read: {0}")]
    Index(String),
}
