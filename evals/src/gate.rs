//! `gate`: figures against what they must reach; anything that is missing counts as not reached.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use toml::Spanned;

use crate::report::stored::{Stored, apart};

/// Options of `gate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What has to be reached.
    #[arg(long, default_value = "evals/thresholds.toml", value_name = "FILE")]
    thresholds: PathBuf,
    /// Results as `--json` writes them.
    #[arg(required = true, value_name = "RESULT")]
    results: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thresholds {
    gate: Vec<Spanned<Gate>>,
}

/// One figure's bound.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gate {
    suite: String,
    set: String,
    /// Name of the figure; of a group, with a dot: `final.ndcg@10`.
    figure: String,
    at_least: Option<f64>,
    at_most: Option<f64>,
}

impl Gate {
    /// What makes it no gate: it could not fail, or could not be passed.
    fn fault(&self) -> Option<&'static str> {
        let bounds = [self.at_least, self.at_most];
        if bounds.iter().flatten().any(|bound| !bound.is_finite()) {
            return Some("a bound has to be a finite number");
        }
        match (self.at_least, self.at_most) {
            (None, None) => Some("neither at_least nor at_most is given"),
            (Some(least), Some(most)) if least > most => Some("at_least is above at_most"),
            _ => None,
        }
    }
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let gates = gates(&options.thresholds)?;
    ensure!(!options.results.is_empty(), "no result is given");
    let results =
        options.results.iter().map(|path| Stored::read(path)).collect::<Result<Vec<_>>>()?;
    apart(&results)?;
    let mut failed = 0;
    for (line, gate) in &gates {
        let verdict = judge(gate, &results);
        failed += usize::from(verdict.is_err());
        let what = format!("{} {} {}", gate.suite, gate.set, gate.figure);
        crate::print_line(&match verdict {
            Ok(text) => format!("ok      {what}: {text}"),
            Err(text) => {
                format!("FAILED  {what}: {text} ({}:{line})", options.thresholds.display())
            }
        });
    }
    ensure!(
        failed == 0,
        "{}: {failed} of {} gates are not reached",
        options.thresholds.display(),
        gates.len()
    );
    Ok(())
}

/// The gates of a file with their lines.
fn gates(path: &Path) -> Result<Vec<(usize, Gate)>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let line = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    let read: Thresholds = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        anyhow!("{}:{}: {}", path.display(), line(at), error.message())
    })?;
    ensure!(!read.gate.is_empty(), "{}: it holds no gate", path.display());
    let mut gates: Vec<(usize, Gate)> = Vec::new();
    for row in read.gate {
        let (number, gate) = (line(row.span().start), row.into_inner());
        if let Some(fault) = gate.fault() {
            return Err(anyhow!("{}:{number}: {fault}", path.display()));
        }
        let same = |other: &Gate| {
            (&other.suite, &other.set, &other.figure) == (&gate.suite, &gate.set, &gate.figure)
        };
        if let Some((first, _)) = gates.iter().find(|(_, other)| same(other)) {
            return Err(anyhow!(
                "{}:{number}: the figure has a gate in line {first} already",
                path.display()
            ));
        }
        gates.push((number, gate));
    }
    Ok(gates)
}

/// The figure beside its bound; an error when it is not reached or not there.
fn judge(gate: &Gate, results: &[Stored]) -> Result<String, String> {
    let result = results.iter().find(|r| r.suite == gate.suite && r.set == gate.set);
    let result = result.ok_or("no such result is given")?;
    let file = result.file.display();
    let figure = result.figure(&gate.figure).ok_or_else(|| format!("{file} has no such figure"))?;
    let value = figure.as_f64().ok_or_else(|| match figure.is_null() {
        true => format!("it is null in {file}: it could not be measured"),
        false => format!("it is no number in {file}"),
    })?;
    match (gate.at_least, gate.at_most) {
        (Some(least), _) if value < least => Err(format!("{value:.4} is below {least}, {file}")),
        (_, Some(most)) if value > most => Err(format!("{value:.4} is above {most}, {file}")),
        _ => Ok(format!("{value:.4}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the command over one result of suite `s` and set `a`, and others.
    fn gate(bound: &str, files: &[&str]) -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let thresholds = write("t.toml", bound);
        let results =
            files.iter().enumerate().map(|(at, text)| write(&format!("r{at}.json"), text));
        run(&Options { thresholds, results: results.collect() })
    }

    fn row(set: &str, figure: &str, bound: &str) -> String {
        format!("[[gate]]\nsuite = \"s\"\nset = \"{set}\"\nfigure = \"{figure}\"\n{bound}\n")
    }

    const RESULT: &str = r#"{"suite":"s","set":"a","seed":7,"setting":{},
        "final":{"ndcg@10":0.9,"bad":null},"ms":12.0,"word":"x"}"#;

    fn check(set: &str, figure: &str, bound: &str, passes: bool) {
        let verdict = gate(&row(set, figure, bound), &[RESULT]);
        assert_eq!(verdict.is_ok(), passes, "{set} {figure} {bound}: {verdict:?}");
        if let Err(error) = verdict {
            assert!(error.to_string().ends_with("t.toml: 1 of 1 gates are not reached"), "{error}");
        }
    }

    #[test]
    fn a_planted_regression_is_caught() {
        check("a", "final.ndcg@10", "at_least = 0.9", true);
        check("a", "final.ndcg@10", "at_least = 0.91", false);
        check("a", "ms", "at_most = 12", true);
        check("a", "ms", "at_most = 11.9", false);
        check("a", "ms", "at_least = 1\nat_most = 13", true);
        check("a", "ms", "at_least = 12.5\nat_most = 13", false);
        check("a", "ms", "at_least = 1\nat_most = 2", false);
        for figure in ["final.bad", "final.none", "none", "none.ndcg@10", "final", "word", "ms.p50"]
        {
            check("a", figure, "at_least = 0", false);
            check("a", figure, "at_most = 1000", false);
        }
        check("b", "ms", "at_most = 1000", false);
        let one_of_two =
            row("a", "ms", "at_most = 12") + &row("a", "final.ndcg@10", "at_least = 1");
        assert!(gate(&one_of_two, &[RESULT]).is_err());
    }

    #[test]
    fn what_is_not_reached_is_said_with_its_reason() {
        let judged = |figure: &str, bound: &str| {
            let folder = tempfile::tempdir().unwrap();
            let (toml, json) = (folder.path().join("t.toml"), folder.path().join("r.json"));
            std::fs::write(&toml, row("a", figure, bound)).unwrap();
            std::fs::write(&json, RESULT).unwrap();
            judge(&gates(&toml).unwrap()[0].1, &[Stored::read(&json).unwrap()]).unwrap_err()
        };
        for (figure, bound, expect) in [
            ("final.ndcg@10", "at_least = 0.91", "0.9000 is below 0.91"),
            ("ms", "at_most = 11", "12.0000 is above 11"),
            ("final.bad", "at_least = 0", "it is null"),
            ("none", "at_least = 0", "has no such figure"),
            ("word", "at_least = 0", "it is no number"),
        ] {
            let said = judged(figure, bound);
            assert!(said.contains(expect) && said.contains("r.json"), "{said}");
        }
    }

    #[test]
    fn wrong_files_are_named_with_their_line() {
        let good = row("a", "ms", "at_most = 12");
        let check = |thresholds: &str, files: &[&str], expect: &str| {
            let error = format!("{:#}", gate(thresholds, files).unwrap_err());
            assert!(error.contains(expect), "{error}");
        };
        for (thresholds, expect) in [
            ("", "t.toml:1: missing field `gate`"),
            ("gate = []", "t.toml: it holds no gate"),
            (&row("a", "ms", ""), "t.toml:1: neither at_least nor at_most"),
            (&row("a", "ms", "at_leest = 1"), "t.toml:5: unknown field `at_leest`"),
            (&row("a", "ms", "at_least = nan"), "t.toml:1: a bound has to be a finite number"),
            (&row("a", "ms", "at_most = inf"), "t.toml:1: a bound has to be a finite number"),
            (&row("a", "ms", "at_least = 1\nat_most = inf"), "a bound has to be a finite number"),
            (&row("a", "ms", "at_least = 2\nat_most = 1"), "t.toml:1: at_least is above at_most"),
            (&format!("{good}{good}"), "t.toml:6: the figure has a gate in line 1 already"),
            (&format!("{good}[[gates]]"), "t.toml:6: unknown field `gates`"),
        ] {
            check(thresholds, &[RESULT], expect);
        }
        check(&good, &[], "no result is given");
        check(&good, &[RESULT, RESULT], "r1.json are both results of s a");
        check(&good, &["{\n\"suite\":"], "r0.json:2");
        check(&good, &["{\"suite\":\"s\",\"ms\":NaN}"], "r0.json:1");
    }
}
