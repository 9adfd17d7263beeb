//! The commands as they are called: bad files are refused with file and line, before any model is loaded.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::Path;
use std::process::Command;

const KB: &str = "{\"doc_id\":\"d1\",\"title\":\"T\",\"text\":\"Text.\"}\n{\"doc_id\":\"d2\",\"title\":\"U\",\"text\":\"Other.\"}\n";
const QUERIES: &str = "{\"qid\":\"q1\",\"text\":\"what?\"}\n";
const QRELS: &str = "qid\tdoc_id\trelevance\nq1\td1\t1\n";

fn evals(folder: &Path, args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_porchlight-evals"))
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), said)
}

/// Runs every command over one set with one file replaced; each has to name it.
fn check(file: &str, text: Option<&str>, expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("kb.jsonl", KB);
    write("queries.jsonl", QUERIES);
    write("qrels.tsv", QRELS);
    match text {
        Some(text) => write(file, text),
        None => std::fs::remove_file(folder.path().join(file)).unwrap(),
    }
    for command in ["retrieval", "answerability", "draft"] {
        let args =
            [command, "--kb", "kb.jsonl", "--queries", "queries.jsonl", "--qrels", "qrels.tsv"];
        let (good, said) = evals(folder.path(), &args);
        assert!(
            !good && said.contains(expect) && !said.contains("panicked"),
            "{command} {expect}: {said}"
        );
    }
}

#[test]
fn a_device_that_is_not_there_is_said_before_any_model_is_loaded() {
    let Err(missing) = models::device::open(models::device::Place::Cuda) else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("kb.jsonl"), KB).unwrap();
    std::fs::write(folder.path().join("queries.jsonl"), QUERIES).unwrap();
    let args =
        ["devices", "--kb", "kb.jsonl", "--queries", "queries.jsonl", "--models-dir", "none"];
    let (good, said) = evals(folder.path(), &args);
    assert!(!good && said.contains(&format!("device cuda: {missing}")), "{said}");
}

#[test]
fn wrong_files_are_named_with_their_line() {
    check("kb.jsonl", None, "kb.jsonl cannot be read");
    check("kb.jsonl", Some(""), "kb.jsonl: the file holds no rows");
    check("kb.jsonl", Some("{\"doc_id\":\"d1\",\"text\":\"x\"}\n\nnonsense\n"), "kb.jsonl:3");
    check(
        "kb.jsonl",
        Some("{\"doc_id\":\"d1\",\"text\":\"x\"}\n{\"doc_id\":\"d1\",\"text\":\"y\"}\n"),
        "kb.jsonl: rows 1 and 2 share the id d1",
    );
    check("kb.jsonl", Some("{\"id\":\"d1\"}\n"), "kb.jsonl:1");
    check("queries.jsonl", None, "queries.jsonl cannot be read");
    check("queries.jsonl", Some("[]\n"), "queries.jsonl:1");
    check("queries.jsonl", Some(&QUERIES.repeat(2)), "queries.jsonl: rows 1 and 2 share the id q1");
    check("qrels.tsv", Some(""), "qrels.tsv: no question has a relevant document");
    check("qrels.tsv", Some("q1\td1\n"), "qrels.tsv:1: three fields");
    check("qrels.tsv", Some("q1\td1\t1\nq1\td2\tnan\n"), "qrels.tsv:2: `nan` is no number");
    check("qrels.tsv", Some("q1\td1\t1\nq1\td2\tyes\n"), "qrels.tsv:2: `yes` is no number");
    check(
        "qrels.tsv",
        Some("q1\tnowhere\t1\n"),
        "q1 names the document nowhere, which is not in kb.jsonl",
    );
}

/// Figures of a command over a small set, without what a clock measured.
fn figures(command: &str, threads: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("kb.jsonl", KB);
    write(
        "queries.jsonl",
        "{\"qid\":\"q1\",\"text\":\"what text?\"}\n{\"qid\":\"q2\",\"text\":\"and othr?\",\"history\":[[\"user\",\"text\"]]}\n",
    );
    write("qrels.tsv", "q1\td1\t1\nq2\td2\t1\n");
    let prompts = concat!(env!("CARGO_MANIFEST_DIR"), "/../prompts");
    let files = ["--kb", "kb.jsonl", "--queries", "queries.jsonl", "--qrels", "qrels.tsv"];
    let rest = ["--prompts", prompts, "--json", "out.json", "--threads", threads];
    let (good, said) = evals(folder.path(), &[&[command][..], &files, &rest].concat());
    assert!(good, "{command}: {said}");
    let text = std::fs::read_to_string(folder.path().join("out.json")).unwrap();
    let mut result: serde_json::Value = serde_json::from_str(&text).unwrap();
    let whole = result.as_object_mut().unwrap();
    assert_eq!(whole["setting"]["threads"], threads);
    let timed = |name: &str| ["_ms", "seconds", "per_second"].iter().any(|end| name.ends_with(end));
    whole.retain(|name, _| !timed(name) && !["setting", "set"].contains(&name.as_str()));
    result
}

#[test]
fn two_runs_agree_to_the_digit_whatever_the_threads() {
    for command in ["retrieval", "answerability", "draft"] {
        let first = figures(command, "1");
        assert!(first.as_object().unwrap().len() > 3, "{first}");
        assert_eq!(first, figures(command, "2"), "{command}");
    }
}
