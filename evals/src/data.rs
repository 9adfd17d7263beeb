//! Reads evaluation sets: `kb.jsonl`, `queries.jsonl`, `qrels.tsv` and the demo cases, with errors that name file and line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use engine::turn::{Message, Speaker, Turn};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A document of a knowledge base.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Doc {
    #[serde(alias = "id")]
    pub(crate) doc_id: String,
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) text: String,
}

/// A question, with what came before it and a reference answer where the set has one.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Question {
    pub(crate) qid: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) history: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) answer: Option<String>,
    #[serde(default)]
    pub(crate) answerability: Option<String>,
}

impl Question {
    /// Whether the set says that nothing answers it.
    pub(crate) fn is_unanswerable(&self) -> bool {
        self.answerability.as_deref() == Some("UNANSWERABLE")
    }

    /// The turn that a reply is made for.
    pub(crate) fn turn(&self) -> Turn {
        let speaker = |who: &str| if who == "user" { Speaker::Visitor } else { Speaker::Bot };
        let message =
            |(who, text): &(String, String)| Message { speaker: speaker(who), text: text.clone() };
        Turn {
            history: self.history.iter().map(message).collect(),
            ..Turn::asking(self.text.clone())
        }
    }
}

/// A question over the demo knowledge; `doc` is the answering file without `.md`, and without it nothing answers.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DemoCase {
    pub(crate) qid: String,
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) doc: Option<String>,
    /// Phrases that a right reply holds, in any case.
    #[serde(default)]
    pub(crate) must_contain: Vec<String>,
}

#[derive(Deserialize)]
struct Removed {
    doc_id: String,
}

/// The three files of a set.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SetOptions {
    /// Documents: `doc_id`, `title`, `text`.
    #[arg(long, value_name = "FILE")]
    pub(crate) kb: PathBuf,
    /// Questions: `qid`, `text`, perhaps `history`, `answer`, `answerability`.
    #[arg(long, value_name = "FILE")]
    pub(crate) queries: PathBuf,
    /// Which documents answer which question: `qid`, `doc_id`, relevance, with tabs between.
    #[arg(long, value_name = "FILE")]
    pub(crate) qrels: Option<PathBuf>,
    /// Questions at most, spread evenly over the file; 0 takes all.
    #[arg(long, default_value_t = 0)]
    pub(crate) limit: usize,
}

/// A set as it was read.
pub(crate) struct Set {
    pub(crate) docs: Vec<Doc>,
    pub(crate) questions: Vec<Question>,
    pub(crate) qrels: Qrels,
}

impl Set {
    /// Reads the files.
    ///
    /// # Errors
    /// Naming file and line: what is missing, no JSON, stands twice, or names a document that is not there.
    pub(crate) fn read(options: &SetOptions) -> Result<Self> {
        let docs = docs(&options.kb)?;
        let questions = questions(&options.queries, options.limit)?;
        let qrels = options.qrels.as_deref().map(qrels).transpose()?.unwrap_or_default();
        if let Some(path) = &options.qrels {
            let known: HashSet<&str> = docs.iter().map(|doc| doc.doc_id.as_str()).collect();
            for (qid, relevant) in &qrels {
                if let Some(doc) = relevant.iter().find(|doc| !known.contains(doc.as_str())) {
                    bail!(
                        "{}: {qid} names the document {doc}, which is not in {}",
                        path.display(),
                        options.kb.display()
                    );
                }
            }
        }
        Ok(Self { docs, questions, qrels })
    }
}

/// Questions; an id that stands twice is an error.
pub(crate) fn questions(path: &Path, limit: usize) -> Result<Vec<Question>> {
    let all: Vec<Question> = lines(path)?;
    once(path, all.iter().map(|question| question.qid.as_str()))?;
    let step = if limit == 0 { 1 } else { all.len().div_ceil(limit).max(1) };
    Ok(all.into_iter().step_by(step).collect())
}

/// Relevant documents of each question.
pub(crate) type Qrels = BTreeMap<String, HashSet<String>>;

/// One JSON object a line.
pub(crate) fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text = read(path)?;
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row = serde_json::from_str(line);
        rows.push(row.with_context(|| format!("{}:{}", path.display(), number + 1))?);
    }
    ensure!(!rows.is_empty(), "{}: the file holds no rows", path.display());
    Ok(rows)
}

/// Refuses ids of which one stands twice.
///
/// # Errors
/// Naming the file and both rows.
pub(crate) fn once<'a>(path: &Path, ids: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = HashMap::new();
    for (row, id) in ids.enumerate() {
        if let Some(first) = seen.insert(id, row) {
            bail!("{}: rows {} and {} share the id {id}", path.display(), first + 1, row + 1);
        }
    }
    Ok(())
}

/// Documents; an id that stands twice is an error.
pub(crate) fn docs(path: &Path) -> Result<Vec<Doc>> {
    let docs: Vec<Doc> = lines(path)?;
    once(path, docs.iter().map(|doc| doc.doc_id.as_str()))?;
    Ok(docs)
}

/// `qid <tab> doc_id <tab> relevance`; rows with relevance 0 are left out, a heading row is skipped.
pub(crate) fn qrels(path: &Path) -> Result<Qrels> {
    let mut found = Qrels::new();
    for (number, line) in
        read(path)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty())
    {
        let fields: Vec<&str> = line.split('\t').collect();
        let [qid, doc, relevance] = fields[..] else {
            bail!("{}:{}: three fields with tabs between them are due", path.display(), number + 1);
        };
        match relevance.trim().parse::<f32>() {
            Ok(value) if value > 0.0 && value.is_finite() => {
                found.entry(qid.into()).or_default().insert(doc.into());
            }
            Ok(value) if value.is_finite() => {}
            Err(_) if number == 0 => {}
            _ => bail!("{}:{}: `{relevance}` is no number", path.display(), number + 1),
        }
    }
    ensure!(!found.is_empty(), "{}: no question has a relevant document", path.display());
    Ok(found)
}

/// Ids of documents to leave out.
pub(crate) fn removed(path: &Path) -> Result<HashSet<String>> {
    Ok(lines::<Removed>(path)?.into_iter().map(|row| row.doc_id).collect())
}

fn read(path: &Path) -> Result<String> {
    let raw = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    if path.extension().is_some_and(|end| end == "gz") {
        let mut text = String::new();
        let mut unpacked = flate2::read::GzDecoder::new(raw.as_slice());
        std::io::Read::read_to_string(&mut unpacked, &mut text)
            .with_context(|| format!("{} is no gzip file of UTF-8 text", path.display()))?;
        return Ok(text);
    }
    String::from_utf8(raw).with_context(|| format!("{} is no UTF-8 text", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: std::fmt::Debug>(
        name: &str,
        text: &str,
        read: fn(&Path) -> Result<T>,
        expect: &str,
    ) {
        let path =
            std::env::temp_dir().join(format!("porchlight-evals-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let error = format!("{:#}", read(&path).unwrap_err());
        std::fs::remove_file(&path).unwrap();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn bad_files_are_named_with_their_line() {
        check("a", "{\"doc_id\":\"1\",\"text\":\"x\"}\n{oops\n", docs, ":2");
        check(
            "b",
            "{\"doc_id\":\"1\",\"text\":\"x\"}\n{\"doc_id\":\"1\",\"text\":\"y\"}\n",
            docs,
            "share the id 1",
        );
        check("c", "\n", docs, "no rows");
        check("d", "q1\tdoc\n", qrels, ":1: three fields");
        check("e", "q1\td1\t1\nq2\td2\tx\n", qrels, ":2: `x` is no number");
        check("f", "q1\td1\t0\n", qrels, "no question");
    }
}
