//! The index: passages, their words and their vectors; built once, opened at every start, replaced as a whole.
//!
//! On disk an index is a directory of its own beside a file `CURRENT` that names it. A new one is written under a
//! name of its own and `CURRENT` is renamed into place last, so that a crash leaves the old index or the new one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::search::Passage;
use engine::spelling::Vocabulary;
use sha2::{Digest, Sha256};

use crate::corpus::hex;
use crate::disk::{self, DiskError};
use crate::embedding::Chunks;
use crate::lexical::LexicalIndex;
use crate::manifest::{EmbedderId, FORMAT, Manifest, Mismatch};
use crate::vectors::Vectors;
use crate::{Corpus, Document, Versions, languages};

pub use crate::embedding::{Built, Embed, Progress};

const CURRENT: &str = "CURRENT";
const MANIFEST: &str = "manifest.json";
const VECTORS: &str = "vectors.bin";
const LEXICAL: &str = "lexical";

/// Why an index cannot be built or opened.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is none yet.
    #[error("there is no index in {0} yet")]
    Missing(PathBuf),
    /// There is one of something else.
    #[error("the index in {folder} does not fit: {mismatch}", folder = .folder.display())]
    Mismatch {
        /// Its directory.
        folder: PathBuf,
        /// Why.
        mismatch: Mismatch,
    },
    /// Its files are not what was written.
    #[error("the index in {folder} is damaged: {problem}", folder = .folder.display())]
    Damaged {
        /// Its directory.
        folder: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file could not be written or read.
    #[error("{path}: {source}", path = .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file could not be put in its place.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The words' index failed.
    #[error("the index of words could not be written: {0}")]
    Words(#[from] tantivy::TantivyError),
    /// The encoder failed.
    #[error("the encoder failed on {doc}: {problem}")]
    Encoder {
        /// Path of the first document of the batch.
        doc: String,
        /// Why.
        problem: String,
    },
}

/// Documents that can be searched.
#[derive(Debug)]
pub struct Index {
    pub(crate) corpus: Corpus,
    pub(crate) passages: Vec<Arc<Passage>>,
    pub(crate) vectors: Vectors,
    pub(crate) lexical: LexicalIndex,
    pub(crate) vocabulary: Vocabulary,
    /// The languages of the documents, where they are known.
    pub(crate) languages: BTreeSet<String>,
}

impl Index {
    fn new(
        corpus: Corpus,
        passages: Vec<Arc<Passage>>,
        vectors: Vectors,
        lexical: LexicalIndex,
    ) -> Self {
        let texts = passages.iter().flat_map(|passage| {
            let places = std::iter::once(&passage.title).chain(&passage.heading);
            places.chain([&passage.text]).map(String::as_str)
        });
        let vocabulary = Vocabulary::of(texts);
        let languages = languages::of(&passages);
        Self { corpus, passages, vectors, lexical, vocabulary, languages }
    }

    /// An index that lives in memory alone.
    ///
    /// # Errors
    /// [`IndexError::Encoder`] and [`IndexError::Words`].
    pub fn in_memory(
        corpus: Corpus,
        embedder: &EmbedderId,
        embed: &mut Embed<'_>,
    ) -> Result<Self, IndexError> {
        let chunks = Chunks::of(&corpus);
        let (vectors, _) = chunks.embed(embedder, None, embed)?;
        let lexical = LexicalIndex::build(None, chunks.passages.iter().map(AsRef::as_ref))?;
        Ok(Self::new(corpus, chunks.passages, vectors, lexical))
    }

    /// Opens the index of `corpus` in `folder`.
    ///
    /// # Errors
    /// [`IndexError::Missing`], [`IndexError::Mismatch`] or [`IndexError::Damaged`]; all are mended by [`Index::build`].
    pub fn open(folder: &Path, corpus: Corpus, embedder: &EmbedderId) -> Result<Self, IndexError> {
        Self::open_at(&current(folder)?, corpus, embedder)
    }

    /// Opens the index of `corpus` in a directory.
    fn open_at(at: &Path, corpus: Corpus, embedder: &EmbedderId) -> Result<Self, IndexError> {
        let manifest = read_manifest(at)?;
        manifest
            .fits(&corpus, embedder)
            .map_err(|mismatch| IndexError::Mismatch { folder: at.into(), mismatch })?;
        let damaged = |problem: String| IndexError::Damaged { folder: at.into(), problem };
        let vectors = read_vectors(at, &manifest)?;
        let chunks = Chunks::of(&corpus);
        let lexical = LexicalIndex::open(&at.join(LEXICAL)).map_err(|e| damaged(e.to_string()))?;
        if lexical.len() != chunks.passages.len() || vectors.len() != chunks.passages.len() {
            return Err(damaged("its parts have different lengths".into()));
        }
        Ok(Self::new(corpus, chunks.passages, vectors, lexical))
    }

    /// Opens the current index in `folder` with the documents that it was made of, whatever the encoder.
    ///
    /// # Errors
    /// [`IndexError::Missing`] or [`IndexError::Damaged`].
    pub fn open_published(folder: &Path, versions: &Versions) -> Result<Self, IndexError> {
        let at = current(folder)?;
        let manifest = read_manifest(&at)?;
        let corpus = versions.corpus(&manifest.corpus).map_err(|error| IndexError::Damaged {
            folder: at.clone(),
            problem: error.to_string(),
        })?;
        Self::open_at(&at, corpus, &manifest.embedder)
    }

    /// Makes the index of `corpus` in `folder` the current one. One that is kept there is taken again; else it is
    /// built, with the vectors of documents that have not changed from the one before. Other indexes stay until
    /// [`Index::sweep`].
    ///
    /// # Errors
    /// [`IndexError`] when the folder cannot be written or the encoder fails; the index before stays current.
    pub fn build(
        folder: &Path,
        corpus: Corpus,
        embedder: &EmbedderId,
        embed: &mut Embed<'_>,
    ) -> Result<(Self, Built), IndexError> {
        let kept = folder.join(name(&corpus, embedder));
        if let Ok(index) = Self::open_at(&kept, corpus.clone(), embedder) {
            point(folder, &name(&corpus, embedder))?;
            let built = Built { embedded: 0, reused: index.len() };
            return Ok((index, built));
        }
        let before = before(folder, embedder);
        let chunks = Chunks::of(&corpus);
        let (vectors, built) = chunks.embed(embedder, before.as_ref(), embed)?;
        let name = name(&corpus, embedder);
        let fresh = folder.join(format!("{name}.tmp"));
        clear(&fresh)?;
        let words = fresh.join(LEXICAL);
        fs::create_dir_all(&words).map_err(io(&words))?;
        LexicalIndex::build(Some(&words), chunks.passages.iter().map(AsRef::as_ref))?;
        disk::write(&fresh.join(VECTORS), &vectors.to_bytes())?;
        let manifest = Manifest {
            format: FORMAT,
            embedder: embedder.clone(),
            corpus: corpus.hash().into(),
            documents: chunks.entries,
            vectors_sha256: hex(Sha256::new().chain_update(vectors.to_bytes())),
        };
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|e| io(&fresh)(std::io::Error::other(e)))?;
        disk::write(&fresh.join(MANIFEST), &text)?;
        let lexical = publish(folder, &name, &fresh)?;
        Ok((Self::new(corpus, chunks.passages, vectors, lexical), built))
    }

    /// The index as it would be with other documents, in memory alone; vectors of unchanged documents are taken over.
    ///
    /// # Errors
    /// [`IndexError::Encoder`] and [`IndexError::Words`].
    pub fn candidate(
        &self,
        corpus: Corpus,
        embedder: &EmbedderId,
        embed: &mut Embed<'_>,
    ) -> Result<(Self, Built), IndexError> {
        let own = Manifest {
            format: FORMAT,
            embedder: embedder.clone(),
            corpus: self.corpus.hash().into(),
            documents: Chunks::of(&self.corpus).entries,
            vectors_sha256: String::new(),
        };
        let chunks = Chunks::of(&corpus);
        let before = (own, self.vectors.clone());
        let (vectors, built) = chunks.embed(embedder, Some(&before), embed)?;
        let lexical = LexicalIndex::build(None, chunks.passages.iter().map(AsRef::as_ref))?;
        Ok((Self::new(corpus, chunks.passages, vectors, lexical), built))
    }

    /// Removes all indexes in `folder` but the current one and those of the corpora with these hashes.
    ///
    /// # Errors
    /// [`IndexError::Io`] when a directory cannot be removed.
    pub fn sweep(folder: &Path, embedder: &EmbedderId, keep: &[String]) -> Result<(), IndexError> {
        let current = current(folder)?;
        let kept: Vec<String> = keep.iter().map(|corpus| name_of(corpus, embedder)).collect();
        for entry in fs::read_dir(folder).map_err(io(folder))?.flatten() {
            let other = entry.file_name().to_string_lossy().into_owned();
            let stays = entry.path() == current || kept.contains(&other);
            if other.starts_with("index-") && !stays {
                clear(&entry.path())?;
            }
        }
        Ok(())
    }

    /// The documents as a whole.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// All passages, document by document; passage n has row n of [`Index::vectors`].
    pub fn passages(&self) -> &[Arc<Passage>] {
        &self.passages
    }

    /// The vectors of all passages.
    pub fn vectors(&self) -> &Vectors {
        &self.vectors
    }

    /// The documents, sorted by path.
    pub fn documents(&self) -> &[Document] {
        self.corpus.documents()
    }

    /// One document by its path.
    pub fn document(&self, path: &str) -> Option<&Document> {
        let documents = self.documents();
        documents.binary_search_by(|doc| doc.path.as_str().cmp(path)).ok().map(|at| &documents[at])
    }

    /// Number of passages.
    pub fn len(&self) -> usize {
        self.passages.len()
    }

    /// Whether no document says anything.
    pub fn is_empty(&self) -> bool {
        self.passages.is_empty()
    }

    /// The passage of the document `path` whose span begins at byte `start`.
    pub fn passage_at(&self, path: &str, start: usize) -> Option<&Arc<Passage>> {
        self.passages.iter().find(|p| p.doc == path && p.span.start == start)
    }
}

/// Name of the directory: other documents, another encoder or another format make another.
fn name(corpus: &Corpus, embedder: &EmbedderId) -> String {
    name_of(corpus.hash(), embedder)
}

fn name_of(corpus: &str, embedder: &EmbedderId) -> String {
    let parts =
        [corpus, &embedder.id, &embedder.dimension.to_string(), &FORMAT.to_string()].join("\n");
    format!("index-{}", &hex(Sha256::new().chain_update(parts))[..16])
}

/// The current index's directory.
fn current(folder: &Path) -> Result<PathBuf, IndexError> {
    let Ok(name) = fs::read_to_string(folder.join(CURRENT)) else {
        return Err(IndexError::Missing(folder.into()));
    };
    Ok(folder.join(name.trim()))
}

fn read_manifest(at: &Path) -> Result<Manifest, IndexError> {
    let damaged = |problem: String| IndexError::Damaged { folder: at.into(), problem };
    let text = fs::read(at.join(MANIFEST)).map_err(|e| damaged(format!("{MANIFEST}: {e}")))?;
    serde_json::from_slice(&text).map_err(|e| damaged(format!("{MANIFEST}: {e}")))
}

fn read_vectors(at: &Path, manifest: &Manifest) -> Result<Vectors, IndexError> {
    let damaged = |problem: String| IndexError::Damaged { folder: at.into(), problem };
    let bytes = fs::read(at.join(VECTORS)).map_err(|e| damaged(format!("{VECTORS}: {e}")))?;
    if hex(Sha256::new().chain_update(&bytes)) != manifest.vectors_sha256 {
        return Err(damaged(format!("{VECTORS}: checksum does not match")));
    }
    let vectors = Vectors::from_bytes(&bytes, manifest.embedder.dimension);
    let vectors = vectors.ok_or_else(|| damaged(format!("{VECTORS}: holds no whole rows")))?;
    let rows =
        manifest.documents.iter().try_fold(0_usize, |n, entry| n.checked_add(entry.passages));
    if Some(vectors.len()) == rows {
        Ok(vectors)
    } else {
        Err(damaged(format!("{VECTORS}: has other rows than the manifest")))
    }
}

/// The index before, as far as its vectors can be used again.
fn before(folder: &Path, embedder: &EmbedderId) -> Option<(Manifest, Vectors)> {
    let at = current(folder).ok()?;
    let manifest = read_manifest(&at).ok()?;
    manifest.fits_embedder(embedder).ok()?;
    let vectors = read_vectors(&at, &manifest).ok()?;
    Some((manifest, vectors))
}

/// Renames the finished directory into place, then the pointer.
fn publish(folder: &Path, name: &str, fresh: &Path) -> Result<LexicalIndex, IndexError> {
    let at = folder.join(name);
    clear(&at)?;
    fs::rename(fresh, &at).map_err(io(&at))?;
    let lexical = LexicalIndex::open(&at.join(LEXICAL))?;
    point(folder, name)?;
    Ok(lexical)
}

/// Makes an index that is there the current one.
fn point(folder: &Path, name: &str) -> Result<(), IndexError> {
    disk::replace(&folder.join(CURRENT), name.as_bytes())?;
    Ok(())
}

fn clear(folder: &Path) -> Result<(), IndexError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(folder)(error)),
        _ => Ok(()),
    }
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> IndexError {
    let path = path.to_owned();
    move |source| IndexError::Io { path, source }
}
