//! The owner's documents: found in a folder or given one by one, in a fixed order, each with a hash.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::golden;
use crate::readers::foreign::{Convert, Kind};
use crate::readers::front_matter::{self, FrontMatter};

/// Bytes of one document's text at most.
pub const MAX_BYTES: u64 = 2 * 1024 * 1024;
/// Bytes of a file that is turned into text, at most; fonts and pictures take most of it.
pub const MAX_FOREIGN_BYTES: u64 = 32 * 1024 * 1024;
/// Endings of documents that are not read, and what to do about them.
const UNREAD: [&str; 12] =
    ["doc", "docm", "odt", "rtf", "pages", "epub", "xls", "xlsx", "ods", "ppt", "pptx", "odp"];
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
    #[error("the knowledge folder {path} holds no document that can be read{}. Put .md, .txt, .html, .csv, .jsonl, .docx or .pdf files there.", left_out(.skipped), path = .path.display())]
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

    /// Reads the Markdown and plain text below `folder` as [`Corpus::read_with`] does; other formats count as bad.
    ///
    /// # Errors
    /// [`CorpusError`] when the folder cannot be listed or holds no document.
    pub fn read(folder: &Path) -> Result<(Self, Vec<Skipped>), CorpusError> {
        Self::read_with(folder, &|kind, _| {
            Err(format!("{} files are not read here", kind.ending()))
        })
    }

    /// Reads all documents below `folder`, those of foreign formats through `convert`; hidden files are skipped, bad
    /// ones reported.
    ///
    /// # Errors
    /// [`CorpusError`] when the folder cannot be listed or holds no document.
    pub fn read_with(
        folder: &Path,
        convert: &Convert<'_>,
    ) -> Result<(Self, Vec<Skipped>), CorpusError> {
        let mut walk = Walk { root: folder, convert, documents: Vec::new(), skipped: Vec::new() };
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
    convert: &'a Convert<'a>,
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
            if kind.is_dir() {
                if depth < MAX_DEPTH
                    && let Err(error) = self.folder(&path, depth + 1)
                {
                    self.skipped.push(Skipped { path, problem: error.to_string() });
                }
            } else if let Err(problem) = self.file(&path) {
                self.skipped.push(Skipped { path, problem });
            }
        }
        Ok(())
    }

    /// Adds a document; what is none by its ending is passed over.
    fn file(&mut self, path: &Path) -> Result<(), String> {
        // The owner's own test questions are no answers for visitors.
        if path == self.root.join(golden::FILE) {
            return Ok(());
        }
        let below = path.strip_prefix(self.root).unwrap_or(path);
        let name: Vec<String> =
            below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let load = |most| bytes(path, most);
        self.documents.extend(document(&name.join("/"), &load, self.convert)?);
        Ok(())
    }
}

/// Gives a file's bytes, or says that they are more than so many.
pub type Load<'a> = dyn Fn(u64) -> Result<Vec<u8>, String> + 'a;

/// The document that a file below the knowledge folder makes; none when its ending is that of no document.
///
/// # Errors
/// Why the file cannot be read, with the line where there is one.
pub fn document(
    path: &str,
    load: &Load<'_>,
    convert: &Convert<'_>,
) -> Result<Option<Document>, String> {
    let file = Path::new(path);
    let ending = file.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let source = match Kind::of(file) {
        Some(kind) => convert(kind, &load(MAX_FOREIGN_BYTES)?)?,
        None if ending == "md" || ending == "txt" => text(load(MAX_BYTES)?)?,
        None if UNREAD.contains(&ending.as_str()) => {
            return Err(format!(
                "is a .{ending} file, which is not read. Save it as DOCX, PDF or HTML."
            ));
        }
        None => return Ok(None),
    };
    if source.len() as u64 > MAX_BYTES {
        return Err(format!(
            "has {} bytes of text, {MAX_BYTES} is the most. Split it.",
            source.len()
        ));
    }
    Document::new(path, source).map(Some).map_err(|e| e.to_string())
}

/// The bytes of an ordinary file that is not larger than `most`.
fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let meta = fs::symlink_metadata(path).map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("is no ordinary file; links are not followed".into());
    }
    if meta.len() > most {
        return Err(format!("has {} bytes, {most} is the most", meta.len()));
    }
    fs::read(path).map_err(|e| e.to_string())
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    let text = String::from_utf8(bytes).map_err(|e| {
        let before = e.as_bytes()[..e.utf8_error().valid_up_to()].iter();
        format!("line {}: is no UTF-8 text", before.filter(|b| **b == b'\n').count() + 1)
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Lower-case hex of a finished hash.
pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
