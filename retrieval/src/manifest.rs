//! What an index directory says about itself; an index that does not fit is refused, never guessed at.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::Corpus;

/// Raised whenever chunks, the text that is embedded, or the files' layout change.
pub const FORMAT: u32 = 2;

/// The encoder an index was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedderId {
    /// Id in the models' manifest.
    pub id: String,
    /// Length of its vectors.
    pub dimension: usize,
}

/// The file `manifest.json` of an index directory, written last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// Whose vectors these are.
    pub embedder: EmbedderId,
    /// Hash of the corpus.
    pub corpus: String,
    /// The documents in order.
    pub documents: Vec<Entry>,
    /// Hex SHA-256 of `vectors.bin`.
    pub vectors_sha256: String,
}

/// One document of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Hash of the document.
    pub hash: String,
    /// Number of its passages; their vectors stand in order.
    pub passages: usize,
}

/// Why an index does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another version of Porchlight wrote it.
    #[error("it has format {found}, this version reads {FORMAT}")]
    Format {
        /// Its format.
        found: u32,
    },
    /// Other vectors.
    #[error("it was made with the encoder {found}, {expected} is set")]
    Embedder {
        /// Its encoder.
        found: String,
        /// The encoder in use.
        expected: String,
    },
    /// Other documents.
    #[error("the documents have changed since")]
    Corpus,
}

impl Manifest {
    /// Whether the vectors can be used with `embedder`, whatever the documents.
    ///
    /// # Errors
    /// The first [`Mismatch`] of format or encoder.
    pub fn fits_embedder(&self, embedder: &EmbedderId) -> Result<(), Mismatch> {
        let name = |e: &EmbedderId| format!("{} ({} dimensions)", e.id, e.dimension);
        if self.format != FORMAT {
            return Err(Mismatch::Format { found: self.format });
        }
        if self.embedder != *embedder {
            return Err(Mismatch::Embedder {
                found: name(&self.embedder),
                expected: name(embedder),
            });
        }
        Ok(())
    }

    /// Whether the index is the one of `corpus` and `embedder`.
    ///
    /// # Errors
    /// The first [`Mismatch`].
    pub fn fits(&self, corpus: &Corpus, embedder: &EmbedderId) -> Result<(), Mismatch> {
        self.fits_embedder(embedder)?;
        if self.corpus == corpus.hash() { Ok(()) } else { Err(Mismatch::Corpus) }
    }

    /// Where each document's vectors begin, and how many there are, by the document's hash.
    pub fn rows(&self) -> HashMap<&str, (usize, usize)> {
        let mut first = 0;
        let mut rows = HashMap::new();
        for entry in &self.documents {
            rows.insert(entry.hash.as_str(), (first, entry.passages));
            first += entry.passages;
        }
        rows
    }
}
