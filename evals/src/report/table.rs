//! The table of a suite: each figure of each set beside the baseline's, and the difference.

use serde_json::Value;

use super::Series;
use super::compare::{Verdict, verdict, way};
use super::plots::{digits, digits_beside, escape};

/// How many figures of a suite are better and worse than the baseline's.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) better: usize,
    pub(super) worse: usize,
}

/// The table, and what it says.
pub(super) fn table(suite: &[&Series<'_>]) -> (String, Tally) {
    let mut tally = Tally::default();
    let mut rows = String::new();
    let mut group = String::new();
    for name in names(suite) {
        let (of, last) = name.rsplit_once('.').unwrap_or(("", &name));
        if of != group {
            let columns: usize = suite.iter().map(|series| width(series)).sum();
            rows.push_str(&format!(
                "<tr class=\"group\"><th scope=\"rowgroup\">{}</th><td colspan=\"{columns}\"></td></tr>",
                escape(of)
            ));
            group = of.to_owned();
        }
        let cells: String = suite.iter().map(|series| cells(series, &name, &mut tally)).collect();
        let class = if of.is_empty() { "" } else { " class=\"of\"" };
        rows.push_str(&format!("<tr{class}><th scope=\"row\">{}</th>{cells}</tr>\n", escape(last)));
    }
    let head = head(suite);
    let table =
        format!("<div class=\"scroll\"><table>{head}<tbody>\n{rows}</tbody></table></div>\n");
    (table, tally)
}

/// Names of all figures, those of the baselines too; groups last.
fn names(suite: &[&Series<'_>]) -> Vec<String> {
    let results = suite.iter().flat_map(|series| [Some(series.now), series.baseline]).flatten();
    let mut names: Vec<String> = results.flat_map(|result| result.names()).collect();
    names.sort_by(|a, b| (a.contains('.'), a).cmp(&(b.contains('.'), b)));
    names.dedup();
    names
}

fn width(series: &Series<'_>) -> usize {
    if series.baseline.is_some() { 3 } else { 1 }
}

fn head(suite: &[&Series<'_>]) -> String {
    let (mut sets, mut columns) = (String::new(), String::new());
    for series in suite {
        let runs = match series.runs.len() {
            1 => String::new(),
            runs => format!(" <span class=\"faint\">last of {runs} runs</span>"),
        };
        sets.push_str(&format!(
            "<th class=\"first\" scope=\"colgroup\" colspan=\"{}\">{}{runs}</th>",
            width(series),
            escape(&series.now.set)
        ));
        columns.push_str("<th class=\"first\">now</th>");
        if series.baseline.is_some() {
            columns.push_str("<th>baseline</th><th>difference</th>");
        }
    }
    format!(
        "<thead><tr><th class=\"name\" rowspan=\"2\">figure</th>{sets}</tr><tr>{columns}</tr></thead>"
    )
}

fn cells(series: &Series<'_>, name: &str, tally: &mut Tally) -> String {
    let now = format!("<td class=\"first\">{}</td>", shown(series.now.figure(name)));
    let Some(baseline) = series.baseline else { return now };
    let before = format!("<td class=\"stored\">{}</td>", shown(baseline.figure(name)));
    let change = match (series.now.number(name), baseline.number(name)) {
        (Some(now), Some(before)) => {
            let verdict = verdict(name, now, before);
            (verdict, difference(now, before))
        }
        // What was measured and no longer is.
        (None, Some(_)) if way(name).is_some() => (Verdict::Worse, "gone".into()),
        _ => (Verdict::Even, String::new()),
    };
    let class = match change.0 {
        Verdict::Better => " class=\"better\"",
        Verdict::Worse => " class=\"worse\"",
        Verdict::Even => "",
    };
    tally.better += usize::from(change.0 == Verdict::Better);
    tally.worse += usize::from(change.0 == Verdict::Worse);
    format!("{now}{before}<td{class}>{}</td>", change.1)
}

fn difference(now: f64, before: f64) -> String {
    let (by, larger) = (now - before, now.abs().max(before.abs()));
    let text = digits_beside(by.abs(), larger);
    match by {
        0.0 => "0".into(),
        by if by > 0.0 => format!("+{text}"),
        _ => format!("−{text}"),
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::Number(number)) => number.as_f64().map(digits).unwrap_or_default(),
        Some(Value::String(text)) => escape(text),
        Some(Value::Bool(yes)) => yes.to_string(),
        _ => "–".into(),
    }
}
