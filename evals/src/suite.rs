//! `suite`: every measurement on every folder of data whose files have the shape for it, each in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::data;

/// Documents from which a quick run leaves a folder out.
const QUICK_DOCUMENTS: usize = 1_000;
/// Questions of a quick run's slower measurements.
const QUICK_LIMIT: &str = "100";
/// Drafts of a quick run.
const QUICK_DRAFTS: &str = "40";
/// Folders inside the folder of data.
const DEPTH: usize = 2;

/// Options of `suite`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder of data; folders in it, and folders in those, are looked at.
    #[arg(value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for the results; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Leave out large folders, take samples elsewhere: under ten minutes on two cores.
    #[arg(long)]
    quick: bool,
    /// Print the commands and run none.
    #[arg(long)]
    list: bool,
}

/// One command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Job {
    /// Name of the result, without `.json`.
    name: String,
    arguments: Vec<String>,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut jobs = vec![job("demo", &["demo"]), job("transcripts", &["transcripts", "--spawn"])];
    if let Some(folder) = &options.data {
        let mut folders = Vec::new();
        walk(folder, DEPTH, &mut folders)?;
        for folder in &folders {
            let found = jobs_of(folder, options.quick)?;
            if found.is_empty() {
                crate::print_line(&format!("nothing to measure: {}", folder.display()));
            }
            jobs.extend(found);
        }
    }
    if !options.quick {
        jobs.push(job("speed", &["speed"]));
    }
    std::fs::create_dir_all(&options.out)
        .with_context(|| format!("{} cannot be made", options.out.display()))?;
    let program = std::env::current_exe().context("this program's own path")?;
    let mut failed = Vec::new();
    for job in jobs {
        crate::print_line(&format!("\nporchlight-evals {}", job.arguments.join(" ")));
        if options.list {
            continue;
        }
        let mut command = Command::new(&program);
        command
            .args(&job.arguments)
            .arg("--json")
            .arg(options.out.join(format!("{}.json", job.name)));
        let status =
            command.status().with_context(|| format!("{} cannot be run", program.display()))?;
        if !status.success() {
            failed.push(job.name);
        }
    }
    ensure!(failed.is_empty(), "these measurements failed: {}", failed.join(", "));
    Ok(())
}

fn job(name: &str, arguments: &[&str]) -> Job {
    Job { name: name.into(), arguments: arguments.iter().map(|a| (*a).to_owned()).collect() }
}

/// Folders with files in them, in the order of their names.
fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    let unread = || format!("{} cannot be read", folder.display());
    let mut inside = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unread)? {
        let path = entry.with_context(unread)?.path();
        if path.is_dir() {
            inside.push(path);
        }
    }
    inside.sort();
    for path in inside {
        found.push(path.clone());
        if depth > 1 {
            walk(&path, depth - 1, found)?;
        }
    }
    Ok(())
}

/// What a folder's files have the shape for.
fn jobs_of(folder: &Path, quick: bool) -> Result<Vec<Job>> {
    let mut jobs = questions(folder, quick)?;
    jobs.extend(intents(folder)?);
    Ok(jobs)
}

/// Documents with questions: retrieval, answerability and, where there are answers, drafts.
fn questions(folder: &Path, quick: bool) -> Result<Vec<Job>> {
    let one_of =
        |names: [&str; 2]| names.iter().map(|n| folder.join(n)).find(|path| path.is_file());
    let kb = one_of(["kb.jsonl", "kb.jsonl.gz"]);
    let queries = one_of(["queries.jsonl", "queries.jsonl.gz"]);
    let qrels = one_of(["qrels.tsv", "qrels.tsv.gz"]);
    let (Some(kb), Some(queries), Some(qrels)) = (kb, queries, qrels) else { return Ok(vec![]) };
    let documents = data::docs(&kb)?;
    if quick && documents.len() > QUICK_DOCUMENTS {
        return Ok(vec![]);
    }
    let asked = data::questions(&queries, 0)?;
    let name = name(folder);
    let files = [("--kb", &kb), ("--queries", &queries), ("--qrels", &qrels)];
    let with = |name: String, command: &str, more: &[&str]| {
        let mut arguments = vec![command.to_owned()];
        for (option, path) in files {
            arguments.extend([option.to_owned(), path.display().to_string()]);
        }
        arguments.extend(more.iter().map(|a| (*a).to_owned()));
        Job { name, arguments }
    };
    let limited = |rest: &[&'static str], limit: &'static str| {
        let limit: &[&str] = if quick { &["--limit", limit] } else { &[] };
        [rest, limit].concat()
    };
    let mut jobs = vec![with(format!("retrieval-{name}"), "retrieval", &[])];
    let titled = documents.iter().all(|doc| !doc.title.trim().is_empty());
    if titled && documents.len() <= QUICK_DOCUMENTS {
        jobs.push(with(format!("retrieval-{name}-text"), "retrieval", &["--fields", "text"]));
    }
    let drop: &[&'static str] = if asked.iter().any(data::Question::is_unanswerable) {
        &[]
    } else {
        &["--drop-fraction", "0.3"]
    };
    let answerability = limited(drop, QUICK_LIMIT);
    jobs.push(with(format!("answerability-{name}"), "answerability", &answerability));
    if asked.iter().any(|question| question.answer.is_some()) {
        jobs.push(with(format!("draft-{name}"), "draft", &limited(&[], QUICK_DRAFTS)));
    }
    Ok(jobs)
}

/// Files of intents: `train` beside `test` or `dev`, perhaps `oos`, with the same words before.
fn intents(folder: &Path) -> Result<Vec<Job>> {
    let unread = || format!("{} cannot be read", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unread)? {
        files.push(entry.with_context(unread)?.path());
    }
    files.sort();
    let mut jobs = Vec::new();
    for train in &files {
        let file = train.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((prefix, end)) = file.split_once("train.jsonl") else { continue };
        let beside = |part: &str| {
            let path = folder.join(format!("{prefix}{part}.jsonl{end}"));
            path.is_file().then(|| path.display().to_string())
        };
        let Some(test) = beside("test").or_else(|| beside("dev")) else { continue };
        if !has_field(train, "intent")? {
            continue;
        }
        let mut arguments = vec![
            "intent".to_owned(),
            "--train".into(),
            train.display().to_string(),
            "--test".into(),
            test,
        ];
        if let Some(oos) = beside("oos") {
            arguments.extend(["--oos".into(), oos]);
        }
        arguments.push("--leave-out-shared".into());
        let name = format!("intent-{}", name(folder));
        let name = if prefix.is_empty() {
            name
        } else {
            format!("{name}-{}", prefix.trim_end_matches(['_', '-']))
        };
        let few = [arguments.clone(), vec!["--shots".into(), "10".into()]].concat();
        jobs.push(Job { name: format!("{name}-10-shot"), arguments: few });
        jobs.push(Job { name, arguments });
    }
    Ok(jobs)
}

/// Whether the first row of a file of JSON lines has a field.
fn has_field(path: &Path, field: &str) -> Result<bool> {
    let unread = || format!("{} cannot be read", path.display());
    let file = std::fs::File::open(path).with_context(unread)?;
    let reader: Box<dyn BufRead> = match path.extension().is_some_and(|end| end == "gz") {
        true => Box::new(BufReader::new(flate2::read::GzDecoder::new(file))),
        false => Box::new(BufReader::new(file)),
    };
    let Some(first) = reader.lines().next() else {
        bail!("{}: the file holds no rows", path.display())
    };
    let row: Value = serde_json::from_str(&first.with_context(unread)?)
        .with_context(|| format!("{}:1", path.display()))?;
    Ok(row.get(field).is_some())
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], quick: bool, expect: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let set = folder.path().join("shop");
        std::fs::create_dir(&set).unwrap();
        for (file, text) in files {
            std::fs::write(set.join(file), text).unwrap();
        }
        let said: Vec<String> = jobs_of(&set, quick)
            .unwrap()
            .iter()
            .map(|job| {
                let words = job.arguments.iter().map(|word| match word.rsplit_once('/') {
                    Some((_, file)) => file.to_owned(),
                    None => word.clone(),
                });
                format!("{}: {}", job.name, words.collect::<Vec<_>>().join(" "))
            })
            .collect();
        assert_eq!(said, expect);
    }

    #[test]
    fn folders_are_measured_by_what_they_hold() {
        let kb = ("kb.jsonl", "{\"doc_id\":\"d\",\"title\":\"T\",\"text\":\"x\"}\n");
        let queries = ("queries.jsonl", "{\"qid\":\"q\",\"text\":\"what?\",\"answer\":\"x\"}\n");
        let files = "--kb kb.jsonl --queries queries.jsonl --qrels qrels.tsv";
        check(
            &[kb, queries, ("qrels.tsv", "q\td\t1\n")],
            true,
            &[
                &format!("retrieval-shop: retrieval {files}"),
                &format!("retrieval-shop-text: retrieval {files} --fields text"),
                &format!(
                    "answerability-shop: answerability {files} --drop-fraction 0.3 --limit 100"
                ),
                &format!("draft-shop: draft {files} --limit 40"),
            ],
        );
        let row = "{\"id\":\"1\",\"text\":\"hi\",\"intent\":\"greet\"}\n";
        let intent = "intent --train a_train.jsonl --test a_dev.jsonl --leave-out-shared";
        check(
            &[("a_train.jsonl", row), ("a_dev.jsonl", row)],
            false,
            &[
                &format!("intent-shop-a-10-shot: {intent} --shots 10"),
                &format!("intent-shop-a: {intent}"),
            ],
        );
        check(
            &[("train.jsonl", "{\"id\":\"1\",\"emotions\":[]}\n"), ("dev.jsonl", "{}\n")],
            false,
            &[],
        );
        check(&[kb, queries], false, &[]);
    }
}
