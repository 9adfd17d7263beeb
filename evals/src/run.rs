//! What every measurement shares: its options, the setting it ran in, its figures on the screen and as JSON.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Map, Value};

/// Options of every measurement.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct RunOptions {
    /// Write the figures to this file, as one JSON object.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Seeds every choice that is made at random.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
}

/// What a figure depends on.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Setting {
    /// Encoder's id and the SHA-256 of its weights.
    pub(crate) encoder: String,
    pub(crate) encoder_sha256: String,
    /// Drafter's id and the SHA-256 of its weights.
    pub(crate) drafter: String,
    pub(crate) drafter_sha256: String,
    /// `quote` or `compose`.
    pub(crate) mode: String,
    /// Version of the knowledge.
    pub(crate) knowledge: String,
    /// SHA-256 of policy.toml, templates.toml and intents.toml.
    pub(crate) policy_sha256: String,
    pub(crate) templates_sha256: String,
    pub(crate) intents_sha256: String,
    /// `cpu` or `cuda`.
    pub(crate) device: String,
    /// Threads of the arithmetic.
    pub(crate) threads: String,
    /// What was chosen on the command line, files left out: `--limit 100 --drop-fraction 0.3`.
    pub(crate) options: String,
    /// Processor and cores.
    pub(crate) machine: String,
    /// Commit of the source, with a `+` when files were changed.
    pub(crate) commit: String,
}

impl Setting {
    /// The parts that no model or document changes.
    pub(crate) fn here() -> Self {
        Self {
            threads: models::device::threads().to_string(),
            options: choices(std::env::args().skip(2)),
            machine: machine(),
            commit: commit(),
            ..Self::default()
        }
    }
}

/// One measurement's outcome.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RunResult {
    /// Name of the command.
    suite: &'static str,
    /// Name of the data.
    set: String,
    seed: u64,
    setting: Setting,
    /// The figures, some in groups.
    #[serde(flatten)]
    figures: Map<String, Value>,
}

impl RunResult {
    /// Nothing measured yet. `data` is the file or folder that names the set.
    pub(crate) fn new(
        suite: &'static str,
        data: &Path,
        options: &RunOptions,
        setting: Setting,
    ) -> Self {
        let whole = data.canonicalize().unwrap_or_else(|_| data.to_owned());
        let folder = if whole.is_dir() { Some(whole.as_path()) } else { whole.parent() };
        let name = folder.and_then(Path::file_name).unwrap_or_default();
        let set = name.to_string_lossy().into_owned();
        Self { suite, set, seed: options.seed, setting, figures: Map::new() }
    }

    /// Tells apart a run over the same data that was done otherwise: `stackfaq` becomes `stackfaq-text`.
    pub(crate) fn variant(&mut self, name: &str) {
        self.set = format!("{}-{name}", self.set);
    }

    /// Adds a figure; not-a-number becomes null.
    pub(crate) fn figure(&mut self, name: &str, value: f64) {
        self.figures.insert(name.into(), number(value));
    }

    /// Adds a figure of a group, as of one leg of the search.
    pub(crate) fn grouped(&mut self, group: &str, name: &str, value: f64) {
        let entry = self.figures.entry(group).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(group) = entry {
            group.insert(name.into(), number(value));
        }
    }

    /// Adds anything else: curves, pairs, cases.
    pub(crate) fn detail(&mut self, name: &str, value: impl Serialize) -> Result<()> {
        self.figures.insert(name.into(), serde_json::to_value(value).context(name.to_owned())?);
        Ok(())
    }

    /// Prints the numbers as a table and writes the JSON file if one was asked for.
    pub(crate) fn finish(&self, options: &RunOptions) -> Result<()> {
        crate::print_line(&format!("{} {}", self.suite, self.set));
        for (name, value) in &self.figures {
            match value {
                Value::Object(group) => {
                    let cells = group
                        .iter()
                        .filter_map(|(name, value)| Some(format!("{name} {}", shown(value)?)));
                    crate::print_line(&format!(
                        "  {name:<28} {}",
                        cells.collect::<Vec<_>>().join("  ")
                    ));
                }
                value => {
                    if let Some(text) = shown(value) {
                        crate::print_line(&format!("  {name:<28} {text}"));
                    }
                }
            }
        }
        let Some(path) = &options.json else { return Ok(()) };
        let text =
            serde_json::to_string_pretty(self).context("the figures cannot be written as JSON")?;
        std::fs::write(path, text + "\n")
            .with_context(|| format!("{} cannot be written", path.display()))
    }
}

fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => number
            .as_f64()
            .map(|n| if n.fract() == 0.0 { format!("{n}") } else { format!("{n:.4}") }),
        Value::Null => Some("-".into()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// A bar on a terminal, nothing elsewhere.
pub(crate) fn bar(what: &str, length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta}");
    ProgressBar::new(length as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what.to_owned())
}

/// Numbers that look random and are the same for the same seed (splitmix64, Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Puts a list into a random order (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let at = self.roll() % (last as u64 + 1);
            list.swap(last, usize::try_from(at).unwrap_or(0));
        }
    }
}

/// Options whose values name files or places; what they hold is known by other fields.
const PLACES: [&str; 12] = [
    "--kb",
    "--queries",
    "--qrels",
    "--train",
    "--test",
    "--oos",
    "--json",
    "--models-dir",
    "--prompts",
    "--indexes",
    "--server",
    "--grounded",
];

/// The options of a command line that say what was measured and how.
fn choices(arguments: impl Iterator<Item = String>) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut skip = false;
    for argument in arguments {
        let option = argument.starts_with("--");
        skip = match argument.split_once('=') {
            Some((name, _)) if option && PLACES.contains(&name) => continue,
            _ if option => PLACES.contains(&argument.as_str()),
            _ => skip,
        };
        if !skip && (option || !kept.is_empty()) {
            kept.push(argument);
        }
    }
    kept.join(" ")
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("{}, {cores} cores", name.trim_start_matches([' ', '\t', ':']).trim())
}

fn commit() -> String {
    let git = |args: &[&str]| {
        let output = std::process::Command::new("git").args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(head) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".into() };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])
        .is_some_and(|list| !list.is_empty());
    if changed { format!("{head}+") } else { head }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_kept_and_files_are_not() {
        let rows = [
            (
                "--kb a/b.jsonl --limit 100 --qrels q --drop-fraction 0.3",
                "--limit 100 --drop-fraction 0.3",
            ),
            ("--kb=a/b.jsonl --fields=text --leave-out-shared", "--fields=text --leave-out-shared"),
            ("evals/cases --spawn --json out.json", "--spawn"),
            ("", ""),
        ];
        for (line, expect) in rows {
            assert_eq!(choices(line.split_whitespace().map(str::to_owned)), expect);
        }
    }

    #[test]
    fn dice_are_the_same_for_the_same_seed() {
        let rolls = |seed| {
            let mut dice = Dice::new(seed);
            (0..5).map(|_| dice.roll()).collect::<Vec<_>>()
        };
        assert_eq!(rolls(7), rolls(7));
        assert_ne!(rolls(7), rolls(8));
        let mut list: Vec<u32> = (0..100).collect();
        Dice::new(1).shuffle(&mut list);
        assert_ne!(list, (0..100).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..100).collect::<Vec<_>>());
    }
}
