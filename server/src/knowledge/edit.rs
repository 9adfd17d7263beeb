//! An edit from the console: tried on a candidate index before the file is written, and stopped where it makes right
//! answers wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engine::search::Search;
use retrieval::golden::{self, Flip, Golden, Verdict};
use retrieval::index::Progress;
use retrieval::readers::foreign::Kind;
use retrieval::{Corpus, Document, Index, corpus};
use serde::Serialize;

use super::{Library, disk};
use crate::clock::fingerprint;

/// Bytes of a text that the console may write.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Bytes of a document's path.
const MAX_PATH: usize = 200;
/// How long an edit waits for an encoder that visitors keep busy.
const PATIENCE: Duration = Duration::from_secs(30);
/// Endings of files that are text as they are; those of foreign formats may be written too.
const TEXTS: [&str; 2] = [".md", ".txt"];

/// Why an edit is not tried or not written; each is shown to the owner.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// No name for a document.
    #[error(
        "`{0}` cannot be a document's name: use letters, digits, `-`, `_`, `.` and `/`, and end it with .md, .txt, .html, .docx, .pdf, .csv or .jsonl"
    )]
    Name(String),
    /// The text is no document.
    #[error("{0}")]
    Text(String),
    /// The file is not what the edit began with.
    #[error(
        "the file was changed meanwhile; open it again, then make the edit in what it says now"
    )]
    Changed,
    /// A version is pinned.
    #[error("a version is pinned, so edits are not published; publish the files again first")]
    Pinned,
    /// Right answers would become wrong.
    #[error("{} answers that are right now would be wrong; look at them, then save all the same or change the text", .0.losses())]
    Losses(Box<Trial>),
    /// The golden questions cannot be read.
    #[error(transparent)]
    Golden(#[from] golden::GoldenError),
    /// Something of ours failed.
    #[error("{0}")]
    Failed(String),
}

/// What an edit would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// The passages that the document would be cut into.
    pub passages: Vec<Preview>,
    /// Golden questions that were asked.
    pub questions: usize,
    /// Those that are answered rightly now.
    pub right_before: usize,
    /// Those that would be.
    pub right_after: usize,
    /// Those whose answer changes, losses first.
    pub flips: Vec<Flip>,
}

impl Trial {
    /// Right answers that would become wrong.
    pub fn losses(&self) -> usize {
        self.flips.iter().filter(|flip| flip.is_loss()).count()
    }
}

/// One passage of a document that is being edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Title and headings above it.
    pub heading: Vec<String>,
    /// What it says.
    pub text: String,
}

/// An edit: `bytes` are the whole new file; none deletes the document.
#[derive(Debug, Clone)]
pub struct Edit {
    /// Path below the knowledge folder.
    pub path: String,
    /// What the file shall hold.
    pub bytes: Option<Vec<u8>>,
}

/// Whether a document of this name is text that can be edited as it is.
pub fn is_text(path: &str) -> bool {
    TEXTS.iter().any(|end| path.ends_with(end))
}

impl Library {
    /// The bytes of a document's file and what names this state of it; none when there is no such file.
    ///
    /// # Errors
    /// [`EditError::Name`] and [`EditError::Failed`].
    pub fn source(&self, path: &str) -> Result<Option<(Vec<u8>, String)>, EditError> {
        let file = self.file(path)?;
        match fs::read(&file) {
            Ok(bytes) => {
                let state = fingerprint(&bytes);
                Ok(Some((bytes, state)))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EditError::Failed(format!("{path} cannot be read: {error}"))),
        }
    }

    /// Builds a candidate with the edit, cuts the document and asks the golden questions before and after. Writes nothing.
    ///
    /// # Errors
    /// [`EditError`] when the name or the text is bad, a version is pinned, or the encoder fails.
    pub fn try_edit(&self, edit: &Edit, floor: f32) -> Result<Trial, EditError> {
        self.file(&edit.path)?;
        if self.status.borrow().pinned.is_some() {
            return Err(EditError::Pinned);
        }
        let edition = self.edition();
        let corpus = self.with(edition.index().corpus(), edit)?;
        let failed = |error: &dyn std::fmt::Display| EditError::Failed(error.to_string());
        let until = Instant::now() + PATIENCE;
        let in_time = || match Instant::now() < until {
            true => Ok(()),
            false => Err("visitors keep the encoder busy; try again in a moment".to_owned()),
        };
        let mut embed = |texts: &[&str], _: Progress| self.embed_gently(texts, &in_time);
        let (candidate, _) = edition
            .index()
            .candidate(corpus, &self.embedder, &mut embed)
            .map_err(|error| failed(&error))?;
        let golden = self.golden()?;
        let questions: Vec<&str> = golden.iter().map(|one| one.question.as_str()).collect();
        let vectors = self.embed_gently(&questions, &in_time).map_err(EditError::Failed)?;
        let ask = |search: &dyn Search| judged(search, (&golden, &vectors), floor);
        let before = ask(edition.as_ref()).map_err(|error| failed(&error))?;
        let after = ask(&candidate).map_err(|error| failed(&error))?;
        let right = |verdicts: &[Verdict]| verdicts.iter().filter(|verdict| verdict.right).count();
        Ok(Trial {
            passages: previews(&candidate, &edit.path),
            questions: golden.len(),
            right_before: right(&before),
            right_after: right(&after),
            flips: golden::flips(&golden, before, after),
        })
    }

    /// Tries the edit, then writes the file; the keeper publishes it. `base` names the state that the edit began with,
    /// none a document that is new.
    ///
    /// # Errors
    /// [`EditError`]; [`EditError::Losses`] unless `all_the_same`.
    pub fn save(
        &self,
        edit: &Edit,
        base: Option<&str>,
        (floor, all_the_same): (f32, bool),
    ) -> Result<Trial, EditError> {
        let trial = self.try_edit(edit, floor)?;
        if trial.losses() > 0 && !all_the_same {
            return Err(EditError::Losses(Box::new(trial)));
        }
        let now = self.source(&edit.path)?.map(|(_, fingerprint)| fingerprint);
        if now.as_deref() != base {
            return Err(EditError::Changed);
        }
        let file = self.file(&edit.path)?;
        let written = match &edit.bytes {
            Some(bytes) => disk::write(&file, bytes),
            None => fs::remove_file(&file),
        };
        written.map_err(|error| {
            EditError::Failed(format!(
                "{} cannot be written: {error}. Check the folder's permissions.",
                file.display()
            ))
        })?;
        tracing::info!(path = edit.path, "a document was edited in the console");
        self.ring();
        Ok(trial)
    }

    /// The corpus with the edit in it. A foreign file is read in a process of its own.
    fn with(&self, corpus: &Corpus, edit: &Edit) -> Result<Corpus, EditError> {
        let others = corpus.documents().iter().filter(|doc| doc.path != edit.path).cloned();
        let mut documents: Vec<Document> = others.collect();
        if let Some(bytes) = &edit.bytes {
            if is_text(&edit.path) && bytes.len() > MAX_BYTES {
                return Err(EditError::Text(format!("a text has {MAX_BYTES} bytes at most")));
            }
            let load = |most| match bytes.len() as u64 > most {
                true => Err(format!("has {} bytes, {most} is the most", bytes.len())),
                false => Ok(bytes.clone()),
            };
            let convert = |kind, bytes: &[u8]| self.shelf.reader.read(kind, bytes);
            let document = corpus::document(&edit.path, &load, &convert);
            let refused = |problem| EditError::Text(format!("{} {problem}", edit.path));
            documents.extend(document.map_err(refused)?);
        }
        if documents.is_empty() {
            return Err(EditError::Text("the last document cannot be deleted".into()));
        }
        Ok(Corpus::new(documents))
    }

    /// The owner's golden questions; none without the file.
    fn golden(&self) -> Result<Vec<Golden>, EditError> {
        match fs::read_to_string(self.shelf.folder.join(golden::FILE)) {
            Ok(text) => Ok(golden::parse(&text)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => {
                Err(EditError::Failed(format!("{} cannot be read: {error}", golden::FILE)))
            }
        }
    }

    /// The file of a document, which lies in the knowledge folder, whatever its name says.
    fn file(&self, path: &str) -> Result<PathBuf, EditError> {
        let refused = || EditError::Name(path.into());
        let plain = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
        let good =
            |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain);
        let named = is_text(path) || (Kind::of(Path::new(path)).is_some() && path != golden::FILE);
        if !named || path.len() > MAX_PATH || !path.split('/').all(good) {
            return Err(refused());
        }
        let mut file = self.shelf.folder.clone();
        for part in path.split('/') {
            file.push(part);
            // Links are not followed when the folder is read, so nothing is written through one.
            if fs::symlink_metadata(&file).is_ok_and(|meta| meta.is_symlink()) {
                return Err(refused());
            }
        }
        Ok(file)
    }
}

fn judged(
    search: &dyn Search,
    (golden, vectors): (&[Golden], &[Vec<f32>]),
    floor: f32,
) -> Result<Vec<Verdict>, engine::search::SearchError> {
    let pairs = golden.iter().zip(vectors);
    pairs.map(|(one, vector)| golden::judge(search, one, vector, floor)).collect()
}

fn previews(index: &Index, path: &str) -> Vec<Preview> {
    let own = index.passages().iter().filter(|passage| passage.doc == path);
    own.map(|passage| Preview {
        heading: [vec![passage.title.clone()], passage.heading.clone()].concat(),
        text: passage.text.clone(),
    })
    .collect()
}
