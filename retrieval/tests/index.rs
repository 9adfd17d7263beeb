//! Indexes on disk: built, opened, taken over in part, refused when they do not fit, and searched.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;

use engine::scope::Scope;
use engine::search::{Phrase, Query, Search, SearchError};
use retrieval::corpus::CorpusError;
use retrieval::index::{Built, Index, IndexError, Progress};
use retrieval::manifest::EmbedderId;
use retrieval::{Corpus, Document};

const DIMENSION: usize = 64;

/// Words hashed into a vector: meaning without a model.
fn embed_one(text: &str) -> Vec<f32> {
    let mut row = vec![0.01_f32; DIMENSION];
    for word in engine::text::words(text) {
        let hash = word.bytes().fold(7_usize, |hash, byte| hash * 31 + usize::from(byte));
        row[hash % DIMENSION] += 1.0;
    }
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    row.iter().map(|x| x / length).collect()
}

fn embed(texts: &[&str], _: Progress) -> Result<Vec<Vec<f32>>, String> {
    Ok(texts.iter().map(|text| embed_one(text)).collect())
}

fn embedder() -> EmbedderId {
    EmbedderId { id: "words".into(), dimension: DIMENSION }
}

fn corpus(files: &[(&str, &str)]) -> Corpus {
    Corpus::new(
        files.iter().map(|(path, text)| Document::new(path, (*text).into()).unwrap()).collect(),
    )
}

const PORTS: (&str, &str) = (
    "ports.md",
    "# Ports\nPorchlight listens on port 7878.\n## Change it\nSet `listen` to another port.\n",
);
const REFUNDS: (&str, &str) =
    ("pay/refunds.md", "---\ntitle: Refunds\narea: billing\n---\nRefunds take five days.\n");

fn top(index: &Index, text: &str) -> String {
    found(index, text, &Scope::default()).first().cloned().unwrap_or_default()
}

/// Documents that are found, best first.
fn found(index: &Index, text: &str, scope: &Scope) -> Vec<String> {
    let asked = Phrase { text, embedding: &embed_one(text) };
    let hits = index
        .search(&Query { asked, in_context: None, points_back: false, scope, limit: 5 })
        .unwrap();
    hits.iter().map(|hit| hit.passage.doc.clone()).collect()
}

#[test]
fn documents_for_others_are_left_out() {
    let old =
        "---\ntitle: Refunds\nversion: 1, 1.5\nlanguage: en-GB\n---\nRefunds take nine days.\n";
    let new = "---\ntitle: Refunds\nversion: 2\narea: billing\n---\nRefunds take five days.\n";
    let corpus = corpus(&[("old.md", old), ("new.md", new), PORTS]);
    let index = Index::in_memory(corpus, &embedder(), &mut embed).unwrap();
    let all = Scope::default();
    for (scope, expect) in [
        (all.clone(), vec!["new.md", "old.md", "ports.md"]),
        (Scope { version: "1.5".into(), ..all.clone() }, vec!["old.md", "ports.md"]),
        (Scope { version: "2".into(), ..all.clone() }, vec!["new.md", "ports.md"]),
        (Scope { version: "3".into(), ..all.clone() }, vec!["ports.md"]),
        (
            Scope { area: "Billing".into(), version: "1".into(), ..all.clone() },
            vec!["old.md", "ports.md"],
        ),
        (Scope { language: "en".into(), ..all.clone() }, vec!["new.md", "old.md", "ports.md"]),
        // What names no language has the one that its words are in, where they tell.
        (Scope { language: "de".into(), ..all }, vec!["new.md"]),
    ] {
        let mut docs = found(&index, "How long do refunds take?", &scope);
        docs.sort();
        docs.dedup();
        assert_eq!(docs, expect, "{scope:?}");
    }
}

#[test]
fn a_question_finds_its_passage() {
    let index = Index::in_memory(corpus(&[PORTS, REFUNDS]), &embedder(), &mut embed).unwrap();
    assert_eq!(index.len(), 3);
    assert_eq!(top(&index, "How long do refunds take?"), "pay/refunds.md");
    assert_eq!(top(&index, "which port does it listen on"), "ports.md");
    let passage =
        index.passage_at("pay/refunds.md", REFUNDS.1.find("Refunds take").unwrap()).unwrap();
    assert_eq!((passage.title.as_str(), passage.scope.area.as_str()), ("Refunds", "billing"));
    assert!(index.document("ports.md").is_some() && index.document("none.md").is_none());
    let short = index.search(&Query {
        asked: Phrase { text: "x", embedding: &[1.0] },
        in_context: None,
        points_back: false,
        scope: &Scope::default(),
        limit: 5,
    });
    assert_eq!(short.unwrap_err(), SearchError::Dimension { expected: DIMENSION, got: 1 });
}

#[test]
fn an_index_opens_as_it_was_built_and_keeps_what_has_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Index::open(folder.path(), corpus(&[PORTS]), &embedder());
    assert!(matches!(missing, Err(IndexError::Missing(_))));
    let build = |files: &[(&str, &str)]| {
        Index::build(folder.path(), corpus(files), &embedder(), &mut embed).unwrap()
    };
    assert_eq!(build(&[PORTS]).1, Built { embedded: 2, reused: 0 });
    assert_eq!(build(&[PORTS, REFUNDS]).1, Built { embedded: 1, reused: 2 });
    let opened = Index::open(folder.path(), corpus(&[PORTS, REFUNDS]), &embedder()).unwrap();
    assert_eq!(top(&opened, "How long do refunds take?"), "pay/refunds.md");
}

#[test]
fn a_kept_index_is_taken_again_and_others_are_swept_away() {
    let folder = tempfile::tempdir().unwrap();
    let build = |files: &[(&str, &str)]| {
        Index::build(folder.path(), corpus(files), &embedder(), &mut embed).unwrap()
    };
    let states = [&[PORTS][..], &[PORTS, REFUNDS], &[REFUNDS]];
    states.iter().for_each(|files| drop(build(files)));
    let sweep = |keep: &[&[(&str, &str)]]| {
        let keep: Vec<String> = keep.iter().map(|files| corpus(files).hash().into()).collect();
        Index::sweep(folder.path(), &embedder(), &keep).unwrap();
        fs::read_dir(folder.path()).unwrap().count()
    };
    assert_eq!(sweep(&states), 4, "the pointer and three directories");
    let (index, built) = build(states[0]);
    assert_eq!(built, Built { embedded: 0, reused: 2 });
    fs::create_dir(folder.path().join("index-0123.tmp")).unwrap();
    assert_eq!(sweep(&states[1..2]), 3, "the pointer, the current one and the one to keep");
    assert_eq!(top(&index, "which port does it listen on"), "ports.md");
    Index::open(folder.path(), corpus(states[0]), &embedder()).unwrap();
    assert_eq!(build(states[2]).1, Built { embedded: 1, reused: 0 });
}

fn check_refused(
    change: impl Fn(&Path),
    files: &[(&str, &str)],
    embedder: &EmbedderId,
    expect: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    Index::build(folder.path(), corpus(&[PORTS]), &self::embedder(), &mut embed).unwrap();
    let name = fs::read_to_string(folder.path().join("CURRENT")).unwrap();
    change(&folder.path().join(name));
    let error = Index::open(folder.path(), corpus(files), embedder).unwrap_err().to_string();
    assert!(error.contains(expect), "{error}");
    let mut embed = |texts: &[&str], _: Progress| {
        Ok(texts.iter().map(|t| embed_one(t)[..embedder.dimension].to_vec()).collect())
    };
    Index::build(folder.path(), corpus(files), embedder, &mut embed).unwrap();
    Index::open(folder.path(), corpus(files), embedder).unwrap();
}

#[test]
fn an_index_that_does_not_fit_is_refused_and_built_again() {
    let same = |_: &Path| {};
    check_refused(same, &[REFUNDS], &embedder(), "the documents have changed");
    let other = EmbedderId { id: "other".into(), dimension: 32 };
    check_refused(
        same,
        &[PORTS],
        &other,
        "made with the encoder words (64 dimensions), other (32 dimensions) is set",
    );
    let flip = |at: &Path| {
        let mut bytes = fs::read(at.join("vectors.bin")).unwrap();
        bytes[5] ^= 1;
        fs::write(at.join("vectors.bin"), bytes).unwrap();
    };
    check_refused(flip, &[PORTS], &embedder(), "vectors.bin: checksum does not match");
    check_refused(
        |at| fs::remove_dir_all(at).unwrap(),
        &[PORTS],
        &embedder(),
        "damaged: manifest.json",
    );
    check_refused(
        |at| fs::remove_dir_all(at.join("lexical")).unwrap(),
        &[PORTS],
        &embedder(),
        "is damaged",
    );
    let format = |at: &Path| {
        let text = fs::read_to_string(at.join("manifest.json")).unwrap();
        fs::write(at.join("manifest.json"), text.replace("\"format\": 2", "\"format\": 99"))
            .unwrap();
    };
    check_refused(format, &[PORTS], &embedder(), "it has format 99");
}

#[test]
fn the_encoder_hears_how_far_the_documents_are() {
    let long: String = (0..40).map(|n| format!("## Part {n}\nSentence {n}.\n")).collect();
    let files: &[(&str, &str)] = &[("a.md", &long), ("b.md", &long), PORTS];
    let mut heard = Vec::new();
    let mut embed = |texts: &[&str], progress: Progress| {
        heard.push((progress.done, progress.of));
        self::embed(texts, progress)
    };
    Index::in_memory(corpus(files), &embedder(), &mut embed).unwrap();
    assert_eq!(heard, [(0, 3), (0, 3), (1, 3), (1, 3)]);
}

#[test]
fn a_failed_build_leaves_the_index_before() {
    let folder = tempfile::tempdir().unwrap();
    Index::build(folder.path(), corpus(&[PORTS]), &embedder(), &mut embed).unwrap();
    let mut fails = |_: &[&str], _: Progress| Err("out of breath".into());
    let failed = Index::build(folder.path(), corpus(&[PORTS, REFUNDS]), &embedder(), &mut fails);
    assert_eq!(
        failed.unwrap_err().to_string(),
        "the encoder failed on pay/refunds.md: out of breath"
    );
    let mut wrong = |_: &[&str], _: Progress| Ok(vec![vec![1.0]]);
    assert!(Index::build(folder.path(), corpus(&[REFUNDS]), &embedder(), &mut wrong).is_err());
    Index::open(folder.path(), corpus(&[PORTS]), &embedder()).unwrap();
}

#[test]
fn a_folder_is_read_file_by_file_and_bad_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert!(matches!(Corpus::read(folder.path()), Err(CorpusError::Empty { .. })));
    assert!(matches!(Corpus::read(&at("none")), Err(CorpusError::Unreadable { .. })));
    fs::create_dir(at("deep")).unwrap();
    fs::write(at("deep/good.md"), "Good.").unwrap();
    fs::write(at("bad.md"), b"one\ntwo\n\xff\xfe").unwrap();
    fs::write(at("open.md"), "---\ntitle: x\n").unwrap();
    fs::write(at("yaml.md"), "---\ntitle: [x\n---\ny").unwrap();
    fs::write(at("picture.png"), "no text").unwrap();
    fs::write(at(".hidden.md"), "hidden").unwrap();
    let (corpus, skipped) = Corpus::read(folder.path()).unwrap();
    let paths: Vec<&str> = corpus.documents().iter().map(|d| d.path.as_str()).collect();
    assert_eq!(paths, ["deep/good.md"]);
    let problems: Vec<String> = skipped.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].ends_with("bad.md: line 3: is no UTF-8 text"), "{problems:?}");
    assert!(
        problems[1].contains("open.md: line 1: the front matter opened with --- is never closed"),
        "{problems:?}"
    );
    assert!(problems[2].contains("yaml.md: line "), "{problems:?}");
}

#[test]
fn headings_are_tried_with_their_answers_and_without() {
    let corpus = corpus(&[
        (
            "a.md",
            "# A\n## How long do refunds take?\nRefunds take five days.\n## Port\nIt is 7878.\n",
        ),
        ("b.md", "# B\n## How long do refunds take?\nAs long as they take.\n"),
        ("c.md", "# C\n## Where are backups kept?\nBackups are kept in the data folder.\n"),
    ]);
    let index = Index::in_memory(corpus, &embedder(), &mut embed).unwrap();
    let trials = index.trials(10);
    let asked: Vec<(&str, &str)> =
        trials.iter().map(|trial| (trial.question.as_str(), trial.doc.as_str())).collect();
    assert_eq!(asked, [("How long do refunds take?", "a.md"), ("Where are backups kept?", "c.md")]);
    assert_eq!((index.trials(1).len(), index.trials(0).len()), (1, 1));
    let tried = index.try_out(&trials[0], &embed_one(&trials[0].question)).unwrap();
    assert!(["a.md", "b.md"].contains(&tried.answered[0].passage.doc.as_str()));
    // The twin's heading says the same, so it is left out as well.
    let left: Vec<&str> = tried.unanswered.iter().map(|hit| hit.passage.doc.as_str()).collect();
    assert_eq!(left, ["c.md"]);
}
