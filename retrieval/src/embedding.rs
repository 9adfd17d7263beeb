//! Cuts documents into passages and lets the encoder read them; what it has read before is taken over.

use std::collections::HashMap;
use std::sync::Arc;

use engine::search::Passage;

use crate::index::IndexError;
use crate::manifest::{EmbedderId, Entry, Manifest};
use crate::vectors::Vectors;
use crate::{Corpus, chunk};

/// Texts given to the encoder at once.
const BATCH: usize = 64;
/// Words of a sentence that the encoder reads for the second look.
const SENTENCE_WORDS: usize = 60;

/// Turns texts into unit vectors, in their order; called with at most 64 texts and how far the documents are by then.
pub type Embed<'a> = dyn FnMut(&[&str], Progress) -> Result<Vec<Vec<f32>>, String> + 'a;

/// How far the documents that have to be embedded are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Documents that are done.
    pub done: usize,
    /// All of them; 1 or more.
    pub of: usize,
}

/// How much of an index was made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Built {
    /// Passages that were given to the encoder.
    pub embedded: usize,
    /// Passages whose vectors were taken over from the index before.
    pub reused: usize,
}

/// A corpus cut into passages.
pub(crate) struct Chunks {
    pub(crate) passages: Vec<Arc<Passage>>,
    pub(crate) entries: Vec<Entry>,
}

impl Chunks {
    pub(crate) fn of(corpus: &Corpus) -> Self {
        let mut chunks = Self { passages: Vec::new(), entries: Vec::new() };
        for document in corpus.documents() {
            let passages = chunk::passages(document);
            chunks.entries.push(Entry { hash: document.hash.clone(), passages: passages.len() });
            chunks.passages.extend(passages);
        }
        chunks
    }

    /// Vectors of all passages, those of unchanged documents from `before`.
    ///
    /// # Errors
    /// [`IndexError::Encoder`].
    pub(crate) fn embed(
        &self,
        embedder: &EmbedderId,
        before: Option<&(Manifest, Vectors)>,
        embed: &mut Embed<'_>,
    ) -> Result<(Vectors, Built), IndexError> {
        let known = before.map(|(manifest, _)| manifest.rows()).unwrap_or_default();
        // Where each passage's vectors stand in the index before.
        let mut old: Vec<Option<usize>> = Vec::with_capacity(self.passages.len());
        for entry in &self.entries {
            let same = known.get(entry.hash.as_str()).filter(|(_, count)| *count == entry.passages);
            old.extend((0..entry.passages).map(|n| same.map(|(first, _)| first + n)));
        }
        let pairs = self.passages.iter().zip(&old);
        let missing: Vec<&Passage> =
            pairs.filter(|(_, old)| old.is_none()).map(|(p, _)| &**p).collect();
        let texts: Vec<Vec<String>> = missing.iter().map(|passage| texts(passage)).collect();
        let read = read(&missing, &texts, embedder, embed)?;
        let mut fresh = texts.iter();
        let mut vectors = Vectors::new(embedder.dimension);
        for old in &old {
            match (old, before) {
                (Some(old), Some((_, before))) => vectors.push_from(before, *old),
                _ => {
                    let texts = fresh.next().into_iter().flatten();
                    let rows: Vec<&[f32]> = texts
                        .filter_map(|text| read.get(text.as_str()).map(Vec::as_slice))
                        .collect();
                    if let [row, units @ ..] = rows.as_slice() {
                        vectors.push(row, units);
                    }
                }
            }
        }
        let embedded = missing.len();
        Ok((vectors, Built { embedded, reused: self.passages.len() - embedded }))
    }
}

/// Lets the encoder read the texts of passages, each text once: headings stand over many passages, sentences recur.
fn read<'a>(
    passages: &[&'a Passage],
    texts: &'a [Vec<String>],
    embedder: &EmbedderId,
    embed: &mut Embed<'_>,
) -> Result<HashMap<&'a str, Vec<f32>>, IndexError> {
    let mut rows: HashMap<&str, Vec<f32>> = HashMap::new();
    let mut distinct: Vec<(&str, &str)> = Vec::new();
    for (passage, texts) in passages.iter().zip(texts) {
        for text in texts {
            if rows.insert(text, Vec::new()).is_none() {
                distinct.push((text, &passage.doc));
            }
        }
    }
    // In the corpus's order, which is that of their paths.
    let mut documents: Vec<&str> = passages.iter().map(|passage| passage.doc.as_str()).collect();
    documents.dedup();
    for batch in distinct.chunks(BATCH) {
        let done = documents.partition_point(|doc| *doc < batch[0].1);
        let progress = Progress { done, of: documents.len() };
        let failed = |problem: String| IndexError::Encoder { doc: batch[0].1.into(), problem };
        let texts: Vec<&str> = batch.iter().map(|(text, _)| *text).collect();
        let found = embed(&texts, progress).map_err(failed)?;
        if found.len() != batch.len() || found.iter().any(|row| row.len() != embedder.dimension) {
            return Err(failed("it gave vectors of an unexpected shape".into()));
        }
        rows.extend(texts.into_iter().zip(found));
    }
    Ok(rows)
}

/// What the encoder reads of a passage: where it stands and what it says, then where it stands alone, then each
/// sentence.
fn texts(passage: &Passage) -> Vec<String> {
    let mut place: Vec<&str> = vec![&passage.title];
    place.extend(passage.heading.iter().map(String::as_str));
    let place = place.join("\n");
    let whole = format!("{place}\n{}", passage.text);
    let first_words =
        |text: &str| text.split_whitespace().take(SENTENCE_WORDS).collect::<Vec<_>>().join(" ");
    let sentences = passage.sentences.iter().map(|sentence| first_words(&sentence.text));
    let place = Some(place).filter(|place| !place.trim().is_empty());
    std::iter::once(whole).chain(place).chain(sentences).collect()
}
