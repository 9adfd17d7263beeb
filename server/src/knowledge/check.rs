//! Looks the published knowledge over, with what only the server knows: file times and the answers so far.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use retrieval::Index;
use retrieval::health::{self, Differ, Facts, Report};

use super::Shelf;

/// Findings of one kind that the command line prints; the console and `--json` have all.
const SHOWN: usize = 50;

/// The report over `index`, whose documents lie on `shelf`.
pub fn report(
    index: &Index,
    shelf: &Shelf,
    cited: &HashSet<String>,
    (now, stale_days): (i64, u32),
) -> Report {
    let files = shelf.snapshot().unwrap_or_default();
    let written: BTreeMap<String, i64> = index
        .documents()
        .iter()
        .filter_map(|doc| Some((doc.path.clone(), files.modified_ms(&doc.path)?)))
        .collect();
    let exists = |path: &str| shelf.folder.join(path).is_file();
    health::report(index, &Facts { written: &written, now, stale_days, cited, exists: &exists })
}

/// The report for people.
pub fn describe(report: &Report) -> String {
    let links =
        report.links.iter().map(|link| format!("{}  {}: {}", link.at, link.target, link.problem));
    let contradictions = report.contradictions.iter().map(|pair| {
        let differ = match pair.differ {
            Differ::Number => "another number",
            Differ::Negation => "one denies it",
        };
        let (first, second) = (&pair.first, &pair.second);
        format!(
            "{}  {}\n  {}  {}\n      ({differ}; their passages' cosine is {:.2})",
            first.at, first.text, second.at, second.text, pair.cosine
        )
    });
    let duplicates = report.duplicates.iter().map(|pair| {
        format!(
            "{}  {}  {} ({:.0} % of the words)",
            pair.first,
            pair.second,
            pair.text,
            pair.shared * 100.0
        )
    });
    let stale = report.stale.iter().map(|old| format!("{}  {} days", old.doc, old.days));
    let mut out = String::new();
    section(&mut out, "Links that lead nowhere", links.collect());
    section(&mut out, "Sentences that may contradict each other", contradictions.collect());
    section(&mut out, "Passages that say the same", duplicates.collect());
    section(&mut out, "Documents that nobody has touched for long", stale.collect());
    section(&mut out, "Documents that no answer has cited yet", report.unreached.clone());
    if report.uncompared > 0 {
        let _ =
            writeln!(out, "{} passages were not compared: there are too many.", report.uncompared);
    }
    if out.is_empty() { "Nothing was found.\n".into() } else { out }
}

fn section(out: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "{title}: {}", lines.len());
    for line in lines.iter().take(SHOWN) {
        let _ = writeln!(out, "  {line}");
    }
    if lines.len() > SHOWN {
        let _ = writeln!(out, "  … and {} more; --json prints all", lines.len() - SHOWN);
    }
    out.push('\n');
}
