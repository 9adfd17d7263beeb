//! The whole page: what it is, the suites, and the setting that the figures depend on.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::Series;
use super::plots::escape;
use super::section::section;

const STYLE: &str = include_str!("page.css");

/// The page about all series.
pub(super) fn page(all: &[Series<'_>]) -> Result<String> {
    let mut suites: Vec<&str> = Vec::new();
    for series in all {
        if !suites.contains(&series.now.suite.as_str()) {
            suites.push(&series.now.suite);
        }
    }
    let mut body = String::new();
    for suite in suites {
        let of: Vec<_> = all.iter().filter(|series| series.now.suite == suite).collect();
        body.push_str(&section(&of)?);
    }
    let setting = setting(all);
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Porchlight, measured</title>\n<style>\n{STYLE}</style></head><body>\n\
         <h1>Porchlight, measured</h1>\n\
         <p class=\"faint\">Differences are coloured by whether they are <span class=\"better\">better</span> or \
         <span class=\"worse\">worse</span> for that figure; times and speeds only when they differ by more than a \
         tenth.</p>\n{body}{setting}</body></html>\n"
    ))
}

/// What the latest results depend on: one row for each different value, with the results it stands for.
fn setting(all: &[Series<'_>]) -> String {
    let mut values: BTreeMap<&str, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for series in all {
        let name = format!("{} {}", series.now.suite, series.now.set);
        let seed = ("seed", series.now.seed.to_string());
        let setting = series.now.setting.iter().map(|(key, value)| (key.as_str(), value.clone()));
        for (key, value) in setting.chain([seed]).filter(|(_, value)| !value.is_empty()) {
            values.entry(key).or_default().entry(value).or_default().push(name.clone());
        }
    }
    let mut rows = String::new();
    for (key, values) in &values {
        for (value, names) in values {
            let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            let of = if names.len() == all.len() {
                "all".into()
            } else if values.len() == 1 {
                "all that have it".into()
            } else {
                names.into_iter().collect::<Vec<_>>().join(", ")
            };
            rows.push_str(&format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n",
                escape(key),
                escape(value),
                escape(&of)
            ));
        }
    }
    format!(
        "<section><h2>Setting</h2>\n<div class=\"scroll\"><table class=\"setting\"><thead><tr><th class=\"name\">part</th><th>value</th><th>results</th></tr></thead><tbody>\n{rows}</tbody></table></div></section>\n"
    )
}
