//! The owner's documents: found in a folder or given one by one, in a fixed order, each with a hash.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::readers::front_matter::{self, FrontMatter};

/// Bytes of one document at most.
const MAX_BYTES: u64 = 2 * 1024 * 1024;
/// Folders inside folders at most.
const MAX_DEPTH: usize = 16;

/// A document as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Path below the knowledge folder, with `/` between parts; names the document.
    pub path: String,
    /// The whole source.
    pub source: String,
    /// Byte of `source` where the text begins, after the front matter.
    pub start: usize,
    /// What the front matter says.
    pub matter: FrontMatter,
    /// Hex SHA-256 of `path` and `source`.
    pub hash: String,
}

impl Document {
    /// A document from its parts.
    ///
    /// # Errors
    /// When the front matter cannot be read.
    pub fn new(path: &str, source: String) -> Result<Self, front_matter::FrontMatterError> {
        let (matter, start) = front_matter::split(&source)?;
        let hash = hex(Sha256::new().chain_update(path).chain_update([0]).chain_update(&source));
        Ok(Self { path: path.into(), source, start, matter, hash })
    }

    /// A document of an evaluation set: Markdown without front matter.
    pub fn from_parts(id: &str, title: &str, markdown: String) -> Self {
        let matter = FrontMatter { title: Some(title.into()), ..FrontMatter::default() };
        let hash = hex(Sha256::new().chain_update(id).chain_update([0]).chain_update(&markdown));
        Self { path: id.into(), source: markdown, start: 0, matter, hash }
    }
}

/// All documents, sorted by path.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    documents: Vec<Document>,
    hash: String,
}

/// A file that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}", path = .path.display())]
pub struct Skipped {
    /// The file.
    pub path: PathBuf,
    /// Why, with the line where there is one.
    pub problem: String,
}

/// Why a knowledge folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The folder cannot be listed.
    #[error("the knowledge folder {path} cannot be read: {source}. Check the path under [knowledge] dir and its permissions.", path = .path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No document is in it.
    #[error("the knowledge folder {path} holds no document that can be read{}. Put .md or .txt files there.", left_out(.skipped), path = .path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
        /// Files that were left out.
        skipped: Vec<Skipped>,
    },
}

fn left_out(skipped: &[Skipped]) -> String {
    skipped.iter().map(|file| format!("; {file}")).collect()
}

impl Corpus {
    /// Takes documents as they are.
    pub fn new(mut documents: Vec<Document>) -> Self {
        documents.sort_by(|a, b| a.path.cmp(&b.path));
        let hashes = documents.iter().fold(Sha256::new(), |hash, doc| hash.chain_update(&doc.hash));
        Self { hash: hex(hashes), documents }
    }

    /// Reads all `.md` and `.txt` files below `folder`; hidden files are skipped, bad ones reported.
    ///
    /// # Errors
    /// [`CorpusError`] when the folder cannot be listed or holds no document.
    pub fn read(folder: &Path) -> Result<(Self, Vec<Skipped>), CorpusError> {
        let mut walk = Walk { root: folder, documents: Vec::new(), skipped: Vec::new() };
        walk.folder(folder, 0)
            .map_err(|source| CorpusError::Unreadable { path: folder.into(), source })?;
        if walk.documents.is_empty() {
            return Err(CorpusError::Empty { path: folder.into(), skipped: walk.skipped });
        }
        Ok((Self::new(walk.documents), walk.skipped))
    }

    /// The documents.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Version of the whole: hex SHA-256 over all documents.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

struct Walk<'a> {
    root: &'a Path,
    documents: Vec<Document>,
    skipped: Vec<Skipped>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, depth: usize) -> std::io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let kind = entry.file_type()?;
            if hidden {
                continue;
            }
            if kind.is_dir() && depth < MAX_DEPTH {
                if let Err(error) = self.folder(&path, depth + 1) {
                    self.skipped.push(Skipped { path, problem: error.to_string() });
                }
            } else if path.extension().is_some_and(|end| end == "md" || end == "txt")
                && let Err(problem) = self.file(&path)
            {
                self.skipped.push(Skipped { path, problem });
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<(), String> {
        let meta = fs::symlink_metadata(path).map_err(|e| e.to_string())?;
        if !meta.is_file() {
            return Err("is no ordinary file; links are not followed".into());
        }
        if meta.len() > MAX_BYTES {
            return Err(format!("has {} bytes, {MAX_BYTES} is the most", meta.len()));
        }
        let bytes = fs::read(path).map_err(|e| e.to_string())?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let before = e.as_bytes()[..e.utf8_error().valid_up_to()].iter();
            format!("line {}: is no UTF-8 text", before.filter(|b| **b == b'\n').count() + 1)
        })?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let below = path.strip_prefix(self.root).unwrap_or(path);
        let name: Vec<String> =
            below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        self.documents.push(Document::new(&name.join("/"), text).map_err(|e| e.to_string())?);
        Ok(())
    }
}

/// Lower-case hex of a finished hash.
pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
