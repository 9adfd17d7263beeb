//! `report`: results beside their stored baseline, as one HTML page that needs nothing else.

mod compare;
mod page;
mod plots;
mod section;
pub(crate) mod stored;
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result};

use stored::Stored;

/// Options of `report`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The page.
    #[arg(long, default_value = "report.html", value_name = "FILE")]
    out: PathBuf,
    /// Folder of the results to compare with.
    #[arg(long, value_name = "FOLDER")]
    baseline: Option<PathBuf>,
    /// Results as `--json` writes them; several of one suite and set are its runs, oldest first.
    #[arg(required = true, value_name = "RESULT")]
    results: Vec<PathBuf>,
}

/// The runs of one suite and set.
struct Series<'a> {
    /// Never empty, oldest first.
    runs: Vec<&'a Stored>,
    now: &'a Stored,
    baseline: Option<&'a Stored>,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let results =
        options.results.iter().map(|path| Stored::read(path)).collect::<Result<Vec<_>>>()?;
    let baselines = match &options.baseline {
        Some(folder) => stored::read_folder(folder)?,
        None => Vec::new(),
    };
    let page = page::page(&series(&results, &baselines))?;
    std::fs::write(&options.out, page)
        .with_context(|| format!("{} cannot be written", options.out.display()))?;
    crate::print_line(&format!("{}: {} results", options.out.display(), results.len()));
    Ok(())
}

/// Results put together by suite and set, in the order in which each appears first.
fn series<'a>(results: &'a [Stored], baselines: &'a [Stored]) -> Vec<Series<'a>> {
    let mut found: Vec<Series<'a>> = Vec::new();
    for result in results {
        match found.iter_mut().find(|series| series.now.is_like(result)) {
            Some(series) => {
                series.runs.push(result);
                series.now = result;
            }
            None => {
                let baseline = baselines.iter().find(|stored| stored.is_like(result));
                found.push(Series { runs: vec![result], now: result, baseline });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    fn result(suite: &str, set: &str, figures: &Value) -> String {
        let mut whole = json!({ "suite": suite, "set": set, "seed": 7, "setting": { "commit": "abc", "machine": "M" } });
        for (name, value) in figures.as_object().unwrap() {
            whole[name] = value.clone();
        }
        whole.to_string()
    }

    /// Writes `files` into a folder, reports those that are no baseline, and gives the page.
    fn report(files: &[(&str, String)]) -> Result<String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("base")).unwrap();
        files.iter().for_each(|(name, text)| {
            std::fs::write(folder.path().join(name), text).unwrap();
        });
        let given = files.iter().filter(|(name, _)| !name.starts_with("base/"));
        let out = folder.path().join("report.html");
        run(&Options {
            out: out.clone(),
            baseline: Some(folder.path().join("base")),
            results: given.map(|(name, _)| folder.path().join(name)).collect(),
        })?;
        Ok(std::fs::read_to_string(out).unwrap())
    }

    #[test]
    fn a_regression_against_the_baseline_stands_out() {
        let now = json!({ "accuracy": 0.70, "ece": 0.04, "auroc": null, "n": 3 });
        let before =
            json!({ "accuracy": 0.75, "ece": 0.05, "auroc": 0.9, "macro_f1": 0.6, "n": 3 });
        let stored = result("intent", "s", &before).replace("abc", "def");
        let files = [("a.json", result("intent", "s", &now)), ("base/a.json", stored)];
        let page = report(&files).unwrap();
        for expect in [
            "<td class=\"worse\">−0.0500</td>",
            "<td class=\"better\">−0.0100</td>",
            "<td class=\"stored\">0.9000</td><td class=\"worse\">gone</td>",
            "<td class=\"stored\">0.6000</td><td class=\"worse\">gone</td>",
            "1 better, 3 worse",
            "Other than in the baseline of s: commit.",
        ] {
            assert!(page.contains(expect), "{expect}: {page}");
        }
    }

    #[test]
    fn texts_are_escaped_and_the_page_needs_nothing_else() {
        let evil = "<script src=\"http://x\">&'";
        let lists = json!({ evil: 0.5, "note": evil, "pairs": [[evil, 1]], "g": { evil: 1.5 },
            "latency": { "p50_ms": 3.0 }, "risk_coverage": [[0.5, 0.0], [1.0, 0.5]],
            "reliability": [[0.1, 0.2, 3]] });
        let mut with_setting: Value = serde_json::from_str(&result(evil, evil, &lists)).unwrap();
        with_setting["setting"] = json!({ evil: evil });
        let text = with_setting.to_string();
        let page =
            report(&[("a.json", text.clone()), ("b.json", text.clone()), ("base/a.json", text)])
                .unwrap();
        assert!(page.contains("&lt;script src=&quot;http://x&quot;&gt;&amp;&#39;"), "{page}");
        let bare = page.replace("&quot;http://x&quot;", "");
        for forbidden in ["<script", "http", "url(", "@import", "<link", "<img"] {
            assert!(!bare.contains(forbidden), "{forbidden}: {page}");
        }
        assert!(page.contains("over 2 runs") && page.contains("share right"), "{page}");
    }

    #[test]
    fn wrong_files_are_named() {
        let good = || result("a", "b", &json!({}));
        let check = |files: &[(&str, String)], expect: &str| {
            let error = format!("{:#}", report(files).unwrap_err());
            assert!(error.contains(expect), "{error}");
        };
        check(&[("bad.json", "{\n\"suite\": oops}".into())], "bad.json:2");
        check(&[("bad.json", "{\"suite\": \"a\", \"x\": NaN}".into())], "bad.json:1");
        check(&[("bad.json", "[]".into())], "bad.json:1");
        check(
            &[("bad.json", "{\"suite\":\"a\",\"seed\":1,\"setting\":{}}".into())],
            "missing field `set`",
        );
        check(&[("a.json", good()), ("base/a.json", "{".into())], "a.json:1");
        check(
            &[("a.json", good()), ("base/a.json", good()), ("base/b.json", good())],
            "are both results of a b",
        );
        for wrong in [json!([[0.1, null]]), json!([[0.1, 1.5]]), json!(["x"]), json!({ "a": 1 })] {
            let text = result("a", "b", &json!({ "risk_coverage": wrong }));
            check(&[("curve.json", text)], "curve.json: `risk_coverage`");
        }
        assert!(
            Stored::read(Path::new("nowhere.json"))
                .unwrap_err()
                .to_string()
                .contains("nowhere.json")
        );
    }
}
