//! The part of the page about one suite: its table, plots, trends and lists.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::Series;
use super::compare::{is_percentile, way};
use super::plots::{Bar, Curve, bars, colour, escape, reliability, risk_coverage, trend};
use super::stored::Stored;
use super::table::table;

/// Figures whose trend is drawn; where a suite has none of them, the first few that can be better or worse.
const TRENDS: [&str; 18] = [
    "final.ndcg@10",
    "final.recall@10",
    "auroc",
    "aurc",
    "ece",
    "accuracy",
    "macro_f1",
    "oos_auroc",
    "token_f1",
    "rouge_l",
    "supported_share",
    "passed",
    "failed",
    "latency_p95_ms",
    "ttft_ms.p95",
    "ack_p99_ms",
    "first_text_p95_ms",
    "complete_p95_ms",
];
/// Trends of a suite that has none of those.
const OTHER_TRENDS: usize = 6;
/// Entries of a list that are shown.
const ENTRIES: usize = 20;

/// One suite's part.
pub(super) fn section(suite: &[&Series<'_>]) -> Result<String> {
    let name = suite.first().map_or("", |series| series.now.suite.as_str());
    let (table, tally) = table(suite);
    let baselines = suite.iter().filter(|series| series.baseline.is_some()).count();
    let summary = match (baselines, tally.better + tally.worse) {
        (0, _) => "No stored baseline.".into(),
        (_, 0) => "Nothing better, nothing worse than the baseline.".into(),
        _ => format!("{} better, {} worse than the baseline.", tally.better, tally.worse),
    };
    let apart = other_settings(suite);
    let plots = [curves(suite)?, reliabilities(suite)?, times(suite)].concat();
    let plots =
        if plots.is_empty() { plots } else { format!("<div class=\"plots\">{plots}</div>\n") };
    let (trends, lists) = (trends(suite), lists(suite));
    Ok(format!(
        "<section><h2>{}</h2>\n<p class=\"faint\">{summary}{apart}</p>\n{table}{plots}{trends}{lists}</section>\n",
        escape(name)
    ))
}

/// In what the setting of the baselines is another one, sets with the same differences together.
fn other_settings(suite: &[&Series<'_>]) -> String {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for series in suite {
        let Some(parts) = other_setting(series) else { continue };
        let set = escape(&series.now.set);
        match found.iter_mut().find(|(same, _)| *same == parts) {
            Some((_, sets)) => sets.push(set),
            None => found.push((parts, vec![set])),
        }
    }
    let line = |(parts, sets): &(String, Vec<String>)| {
        format!("<br>Other than in the baseline of {}: {parts}.", sets.join(", "))
    };
    found.iter().map(line).collect()
}

fn other_setting(series: &Series<'_>) -> Option<String> {
    let before = series.baseline?;
    let mut keys: Vec<&String> = series.now.setting.keys().chain(before.setting.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| series.now.setting.get(*key) != before.setting.get(*key));
    let mut names: Vec<String> = keys.into_iter().map(|key| escape(key)).collect();
    if series.now.seed != before.seed {
        names.push("seed".into());
    }
    (!names.is_empty()).then(|| names.join(", "))
}

fn curves(suite: &[&Series<'_>]) -> Result<String> {
    let mut curves = Vec::new();
    let mut legend = String::new();
    for (at, series) in suite.iter().enumerate() {
        let points = points(series.now)?;
        if points.is_empty() {
            continue;
        }
        let set = &series.now.set;
        legend.push_str(&format!("<span><i class=\"{}\"></i>{}</span>", colour(at), escape(set)));
        if let Some(baseline) = series.baseline {
            let label = format!("{set}, baseline");
            curves.push(Curve { label, colour: at, stored: true, points: self::points(baseline)? });
        }
        curves.push(Curve { label: set.clone(), colour: at, stored: false, points });
    }
    if curves.is_empty() {
        return Ok(String::new());
    }
    let stored = if curves.iter().any(|c| c.stored) { "; dashed: the baseline" } else { "" };
    Ok(format!(
        "<figure><h3>Risk over coverage</h3>{}<figcaption>Error when the most confident share is answered{stored}.</figcaption><div class=\"legend\">{legend}</div></figure>",
        risk_coverage(&curves)
    ))
}

/// The risk–coverage curve, without points that repeat.
fn points(result: &Stored) -> Result<Vec<(f64, f64)>> {
    let mut points: Vec<(f64, f64)> = result.list("risk_coverage")?;
    points.dedup();
    let within = points.iter().all(|p| is_share(p.0) && is_share(p.1));
    ensure!(within, "{}: `risk_coverage` leaves 0 to 1", result.file.display());
    Ok(points)
}

fn is_share(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

fn reliabilities(suite: &[&Series<'_>]) -> Result<String> {
    let mut figures = String::new();
    for (at, series) in suite.iter().enumerate() {
        let bins: Vec<(f64, f64, f64)> = series.now.list("reliability")?;
        let within = bins.iter().all(|b| is_share(b.0) && is_share(b.1) && b.2 >= 0.0);
        ensure!(within, "{}: `reliability` leaves 0 to 1", series.now.file.display());
        if bins.is_empty() {
            continue;
        }
        figures.push_str(&format!(
            "<figure><h3>Reliability, {}</h3>{}<figcaption>Below the diagonal it claims too much.</figcaption></figure>",
            escape(&series.now.set),
            reliability(&format!("reliability, {}", series.now.set), at, &bins)
        ));
    }
    Ok(figures)
}

fn times(suite: &[&Series<'_>]) -> String {
    let mut rows = Vec::new();
    for series in suite {
        for name in series.now.names().into_iter().filter(|name| is_percentile(name)) {
            let Some(value) = series.now.number(&name) else { continue };
            let label = format!("{} {}", series.now.set, name.replace("_ms", ""));
            let stored = series.baseline.and_then(|baseline| baseline.number(&name));
            rows.push(Bar { label, value, stored });
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let stored = if rows.iter().any(|row| row.stored.is_some()) {
        "<figcaption>The mark is the baseline.</figcaption>"
    } else {
        ""
    };
    format!("<figure><h3>Times</h3>{}{stored}</figure>", bars(&rows))
}

fn trends(suite: &[&Series<'_>]) -> String {
    let mut all = String::new();
    for (at, series) in suite.iter().enumerate().filter(|(_, series)| series.runs.len() > 1) {
        let known = series.now.names();
        let wanted =
            |name: &&String| TRENDS.contains(&name.as_str()) || name.starts_with("ratios.");
        let mut chosen: Vec<&String> = known.iter().filter(wanted).collect();
        if chosen.is_empty() {
            chosen = known.iter().filter(|name| way(name).is_some()).take(OTHER_TRENDS).collect();
        }
        let plots: String = chosen
            .into_iter()
            .map(|name| {
                let values: Vec<_> = series.runs.iter().map(|run| run.number(name)).collect();
                format!("<figure>{}</figure>", trend(name, at, &values))
            })
            .collect();
        all.push_str(&format!(
            "<h3>{} over {} runs</h3><div class=\"plots\">{plots}</div>\n",
            escape(&series.now.set),
            series.runs.len()
        ));
    }
    all
}

/// What no plot shows: confusions, changes and the like.
fn lists(suite: &[&Series<'_>]) -> String {
    let mut all = String::new();
    for series in suite {
        for (name, value) in &series.now.figures {
            let Value::Array(entries) = value else { continue };
            if entries.is_empty() || ["risk_coverage", "reliability"].contains(&name.as_str()) {
                continue;
            }
            let items: String = entries
                .iter()
                .take(ENTRIES)
                .map(|entry| format!("<li><code>{}</code></li>", escape(&words(entry))))
                .collect();
            let shown = entries.len().min(ENTRIES);
            all.push_str(&format!(
                "<details><summary>{}, {}: {shown} of {}</summary><ol>{items}</ol></details>\n",
                escape(&series.now.set),
                escape(name),
                entries.len()
            ));
        }
    }
    all
}

/// An entry of a list as one line.
fn words(entry: &Value) -> String {
    match entry {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(words).collect::<Vec<_>>().join("  ·  "),
        other => other.to_string(),
    }
}
