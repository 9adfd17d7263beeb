//! `person`: who asks for a person is heard, who only writes of people is not, and who asks for a bot is told the truth.

use std::path::{Path, PathBuf};

use anyhow::Result;
use engine::rules::Reason;
use serde::Deserialize;

use crate::data;
use crate::house::{Hearing, HouseOptions};
use crate::run::{RunOptions, RunResult};

/// Options of `person`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    /// Folder with `asks.jsonl`, `lookalikes.jsonl` and `identity.jsonl`: `id`, `text`, `part` (`seen` while the rule was made, or `unseen`).
    #[arg(long, default_value = "evals/cases/person")]
    cases: PathBuf,
    /// More messages that ask for no person, `text` in each row; may be given several times.
    #[arg(long, value_name = "FILE")]
    calm: Vec<PathBuf>,
    /// Print every message that is taken for something else.
    #[arg(long)]
    verbose: bool,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    #[serde(default)]
    part: String,
}

/// Whether the reason of the first rule is the one that is wanted.
type Wanted<'a> = &'a dyn Fn(Option<Reason>) -> bool;

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let hearing = Hearing::open(&options.house)?;
    let mut result = RunResult::new("person", &options.cases, &options.run, hearing.setting());
    let is = |wanted| move |reason| reason == Some(wanted);
    let (asked, wondered) = (is(Reason::AskedForPerson), is(Reason::AskedIfHuman));
    let rows: [(&str, &str, Wanted<'_>); 3] = [
        ("asks", "recall", &asked),
        ("lookalikes", "false_alarms", &asked),
        ("identity", "answered", &wondered),
    ];
    for (file, figure, wanted) in rows {
        let cases: Vec<Case> = data::lines(&options.cases.join(format!("{file}.jsonl")))?;
        for part in ["seen", "unseen"] {
            let texts: Vec<&str> =
                cases.iter().filter(|c| c.part == part).map(|c| c.text.as_str()).collect();
            let share = share(&hearing, &texts, wanted, options.verbose.then_some(file))?;
            result.grouped(figure, part, share);
        }
    }
    for path in &options.calm {
        let cases: Vec<Case> = data::lines(path)?;
        let texts: Vec<&str> = cases.iter().map(|case| case.text.as_str()).collect();
        let share = share(&hearing, &texts, &asked, options.verbose.then_some("calm"))?;
        result.grouped("false_alarms", &name(path), share);
    }
    result.finish(&options.run)
}

/// Share of the messages whose first rule has a reason that is wanted; prints those that differ from the file's usual.
fn share(
    hearing: &Hearing,
    texts: &[&str],
    wanted: Wanted<'_>,
    verbose: Option<&str>,
) -> Result<f64> {
    let mut count = 0;
    for heard in hearing.first_rules(texts)? {
        let hit = wanted(heard.reason);
        count += usize::from(hit);
        if let Some(file) = verbose
            && hit == matches!(file, "lookalikes" | "calm")
        {
            let rule = heard.rule.unwrap_or_default();
            crate::print_line(&format!("{file}: {} [{rule}]", heard.text));
        }
    }
    Ok(count as f64 / texts.len().max(1) as f64)
}

/// The folder and the file without its ending.
pub(crate) fn name(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = file.split('.').next().unwrap_or_default();
    format!("{folder}-{stem}")
}
