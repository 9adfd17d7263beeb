//! The knowledge looked over: doubles and contradictions with their places, old and unread documents.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::{BTreeMap, HashSet};

use retrieval::health::{Facts, Report, report};
use retrieval::index::Progress;
use retrieval::manifest::EmbedderId;
use retrieval::{Corpus, Document, Index};

const DIMENSION: usize = 64;
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// Words hashed into a vector: meaning without a model.
fn embed(texts: &[&str], _: Progress) -> Result<Vec<Vec<f32>>, String> {
    let one = |text: &&str| {
        let mut row = vec![0.01_f32; DIMENSION];
        for word in engine::text::words(text) {
            let hash = word.bytes().fold(7_usize, |hash, byte| hash * 31 + usize::from(byte));
            row[hash % DIMENSION] += 1.0;
        }
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter().map(|x| x / length).collect()
    };
    Ok(texts.iter().map(one).collect())
}

fn look(files: &[(&str, &str)], facts: &Facts<'_>) -> Report {
    let documents = files.iter().map(|(path, text)| Document::new(path, (*text).into()).unwrap());
    let embedder = EmbedderId { id: "words".into(), dimension: DIMENSION };
    let index = Index::in_memory(Corpus::new(documents.collect()), &embedder, &mut embed).unwrap();
    report(&index, facts)
}

fn pairs(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let facts = Facts {
        written: &BTreeMap::new(),
        now: 0,
        stale_days: 1,
        cited: &HashSet::new(),
        exists: &|_| false,
    };
    let report = look(files, &facts);
    let doubles = report.duplicates.iter().map(|pair| format!("{} {}", pair.first, pair.second));
    let contradictions = report.contradictions.iter();
    let contradictions = contradictions
        .map(|pair| format!("{} {} {:?}", pair.first.at, pair.second.at, pair.differ));
    (doubles.collect(), contradictions.collect())
}

#[test]
fn doubles_and_contradictions_are_named_with_their_lines() {
    let refunds =
        "# Refunds\n\nSend the parcel back to us.\nRefunds for a parcel take 5 days to arrive.\n";
    let check = |other: &str, expect: (&[&str], &[&str])| {
        let (doubles, contradictions) = pairs(&[("a.md", refunds), ("b.md", other)]);
        assert_eq!(
            (doubles.as_slice(), contradictions.as_slice()),
            (
                expect.0.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>().as_slice(),
                expect.1.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>().as_slice()
            ),
            "{other}"
        );
    };
    check(refunds, (&["a.md:3 b.md:3"], &[]));
    check(
        &format!("---\ntitle: Money back\n---\n\n{}", refunds.replace("5 days", "seven days")),
        (&[], &["a.md:4 b.md:8 Number"]),
    );
    check(
        &refunds.replace("take 5 days to", "never take 5 days to"),
        (&[], &["a.md:4 b.md:4 Negation"]),
    );
    check("# Parcels\n\nA parcel may weigh 30 kilos.\n", (&[], &[]));
}

#[test]
fn passages_about_different_things_do_not_contradict_each_other() {
    let plans = "# Prices\n\n## Basic plan\n\nThe plan costs 5 euros for every month and user.\n\n## Pro plan\n\nThe plan costs 10 euros for every month and user.\n";
    assert_eq!(pairs(&[("prices.md", plans)]), (vec![], vec![]));
    let table = "# Limits\n\n| What | Limit |\n| --- | --- |\n| Messages an hour | 20 |\n| Messages a day | 90 |\n";
    assert_eq!(pairs(&[("limits.md", table)]), (vec![], vec![]));
}

#[test]
fn old_and_unread_documents_are_listed() {
    let files = [("a.md", "One."), ("b.md", "Two."), ("c.md", "Three.")];
    let written = BTreeMap::from([
        ("a.md".to_owned(), 0),
        ("b.md".to_owned(), 399 * DAY),
        ("c.md".to_owned(), 40 * DAY),
    ]);
    let cited = HashSet::from(["b.md".to_owned()]);
    let facts = |cited| Facts {
        written: &written,
        now: 400 * DAY,
        stale_days: 360,
        cited,
        exists: &|_| false,
    };
    let found = look(&files, &facts(&cited));
    let stale: Vec<(&str, i64)> =
        found.stale.iter().map(|old| (old.doc.as_str(), old.days)).collect();
    assert_eq!(stale, [("a.md", 400), ("c.md", 360)]);
    assert_eq!(found.unreached, ["a.md", "c.md"]);
    let found = look(&files, &facts(&HashSet::new()));
    assert!(found.unreached.is_empty(), "without any answer nothing can be said");
}
