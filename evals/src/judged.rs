//! Questions over a knowledge base, some of which nothing answers: removed documents, another owner's questions, own labels.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::data::{self, Question};
use crate::house::{House, HouseOptions};

/// A knowledge base and what is asked of it.
pub(crate) struct Set {
    /// Name for the results: `stackfaq`, `stackfaq near`, `stackfaq far`.
    pub(crate) name: String,
    pub(crate) house: House,
    pub(crate) asked: Vec<Asked>,
}

/// A question with what answers it.
pub(crate) struct Asked {
    pub(crate) question: Question,
    /// Documents that answer; none when nothing does.
    pub(crate) relevant: HashSet<String>,
    /// Tells apart questions about different documents, removed ones counted.
    pub(crate) about: String,
}

/// What is done to a set so that some questions have no answer.
enum Without<'a> {
    /// Only what the set says itself.
    Own,
    /// These documents are left out.
    Documents(&'a Path),
    /// The questions of this other set are asked too.
    Strangers(&'a Path),
}

/// Opens `FOLDER`, `FOLDER:REMOVED.jsonl` (documents left out) or `FOLDER:OTHER` (that folder's questions are asked too).
/// Folders hold `kb.jsonl[.gz]`, `queries.jsonl` and `qrels.tsv`; of each `limit` questions at most, spread evenly.
///
/// # Errors
/// When a file cannot be read, or nothing is asked.
pub(crate) fn open(options: &HouseOptions, spec: &str, limit: usize) -> Result<Set> {
    let (folder, without) = match spec.split_once(':') {
        None => (Path::new(spec), Without::Own),
        Some((folder, other)) if Path::new(other).is_dir() => {
            (Path::new(folder), Without::Strangers(Path::new(other)))
        }
        Some((folder, removed)) => (Path::new(folder), Without::Documents(Path::new(removed))),
    };
    let removed = match without {
        Without::Documents(list) => data::removed(list)?,
        _ => HashSet::new(),
    };
    let packed = folder.join("kb.jsonl.gz");
    let kb = if packed.exists() { packed } else { folder.join("kb.jsonl") };
    let docs = data::docs(&kb)?.into_iter().filter(|doc| !removed.contains(&doc.doc_id)).collect();
    let mut asked = questions(folder, limit, &removed)?;
    if let Without::Strangers(other) = without {
        let strangers = questions(other, limit, &HashSet::new())?;
        asked
            .extend(strangers.into_iter().map(|asked| Asked { relevant: HashSet::new(), ..asked }));
    }
    ensure!(!asked.is_empty(), "{spec}: no questions");
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let kind = match without {
        Without::Own => "",
        Without::Documents(_) => " near",
        Without::Strangers(_) => " far",
    };
    Ok(Set { name: format!("{name}{kind}"), house: House::open_docs(options, docs)?, asked })
}

fn questions(folder: &Path, limit: usize, removed: &HashSet<String>) -> Result<Vec<Asked>> {
    let qrels = data::qrels(&folder.join("qrels.tsv"))?;
    let questions = data::questions(&folder.join("queries.jsonl"), limit)?;
    let asked = questions.into_iter().map(|question| {
        let all = qrels.get(&question.qid).cloned().unwrap_or_default();
        let about = all.iter().min().unwrap_or(&question.qid).clone();
        let answers = |doc: &String| !removed.contains(doc) && !question.is_unanswerable();
        let relevant = all.into_iter().filter(answers).collect();
        Asked { question, relevant, about }
    });
    Ok(asked.collect())
}
