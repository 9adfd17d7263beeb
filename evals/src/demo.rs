//! `demo`: asks the demo questions and reports what a visitor would get: right source, right words, decisions, times.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use engine::draft::Mode;
use engine::metrics::{auroc, percentile};
use engine::reply::{Event, Outcome};
use engine::rules::{Action, Reason};
use engine::turn::Turn;

use crate::baseline;
use crate::data::{self, DemoCase};
use crate::house::{House, HouseOptions};
use crate::run::{RunOptions, RunResult};

/// Options of `demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    /// Folder of documents.
    #[arg(long, default_value = "knowledge")]
    knowledge: PathBuf,
    /// Folder with `answerable.jsonl` and `unanswerable.jsonl`.
    #[arg(long, default_value = "evals/cases/demo")]
    cases: PathBuf,
    /// Write the figures to this baseline, with the hashes of what they depend on.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Print every answer.
    #[arg(long)]
    verbose: bool,
}

/// What came of one question.
struct Seen {
    case: DemoCase,
    outcome: Outcome,
    first_ms: Option<f64>,
    total_ms: f64,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let house = House::open_folder(&options.house, &options.knowledge)?;
    let answerable = ask_all(&house, data::lines(&options.cases.join("answerable.jsonl"))?);
    let unanswerable = ask_all(&house, data::lines(&options.cases.join("unanswerable.jsonl"))?);
    if options.verbose {
        answerable.iter().chain(&unanswerable).for_each(show);
    }
    let figures = Figures::of(&answerable, &unanswerable);
    let mut result = RunResult::new("demo", &options.knowledge, &options.run, house.setting());
    figures.rows().iter().for_each(|(name, value)| result.figure(name, *value));
    report("answerable", &answerable, &mut result);
    report("unanswerable", &unanswerable, &mut result);
    result.finish(&options.run)?;
    match &options.write {
        Some(path) => baseline::write(path, &figures.rows()),
        None => Ok(()),
    }
}

/// What is kept of a run.
struct Figures {
    answerable: usize,
    unanswerable: usize,
    cites_right: usize,
    says_right: usize,
    right_and_sent: usize,
    sent_wrong: usize,
    sent_unanswerable: usize,
    auroc: f64,
}

impl Figures {
    fn of(answerable: &[Seen], unanswerable: &[Seen]) -> Self {
        let sent = |seen: &Seen| done(seen) == "send";
        let count =
            |wanted: &dyn Fn(&Seen) -> bool| answerable.iter().filter(|s| wanted(s)).count();
        let right =
            answerable.iter().map(|s| (f64::from(s.outcome.confidence.value), says_right(s)));
        let none = unanswerable.iter().map(|s| (f64::from(s.outcome.confidence.value), false));
        let scored: Vec<(f64, bool)> = right.chain(none).collect();
        Self {
            answerable: answerable.len(),
            unanswerable: unanswerable.len(),
            cites_right: count(&cites_right),
            says_right: count(&says_right),
            right_and_sent: count(&|s| cites_right(s) && says_right(s) && sent(s)),
            sent_wrong: count(&|s| sent(s) && !says_right(s)),
            sent_unanswerable: unanswerable.iter().filter(|s| sent(s)).count(),
            auroc: auroc(&scored).unwrap_or(f64::NAN),
        }
    }

    fn rows(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("answerable", self.answerable as f64),
            ("unanswerable", self.unanswerable as f64),
            ("cites_right", self.cites_right as f64),
            ("says_right", self.says_right as f64),
            ("right_and_sent", self.right_and_sent as f64),
            ("sent_wrong", self.sent_wrong as f64),
            ("sent_unanswerable", self.sent_unanswerable as f64),
            ("confidence_auroc", self.auroc),
        ]
    }
}

/// What the visitor got: an answer, a question which is meant, a text of the owner's, or nothing yet.
fn done(seen: &Seen) -> &'static str {
    match (seen.outcome.decision.action, seen.outcome.decision.reason) {
        (Action::Send, Reason::Confident) => "send",
        (Action::Send, Reason::Competing) => "ask",
        (Action::Send, _) => "say",
        (action, _) => action.as_str(),
    }
}

fn ask_all(house: &House, cases: Vec<DemoCase>) -> Vec<Seen> {
    cases.into_iter().map(|case| ask(house, case)).collect()
}

fn ask(house: &House, case: DemoCase) -> Seen {
    let turn = Turn::asking(case.text.clone());
    let start = Instant::now();
    let ms = || start.elapsed().as_secs_f64() * 1000.0;
    let mut first_ms = None;
    let outcome = house.reply(&turn, &mut |event| {
        if matches!(event, Event::Piece { .. }) && first_ms.is_none() {
            first_ms = Some(ms());
        }
        ControlFlow::Continue(())
    });
    let total_ms = ms();
    Seen { case, outcome, first_ms, total_ms }
}

fn cites_right(seen: &Seen) -> bool {
    let Some(draft) = &seen.outcome.draft else { return false };
    let wanted = seen.case.doc.as_ref().map(|doc| format!("{doc}.md"));
    draft.citations.iter().any(|c| Some(&c.doc) == wanted.as_ref())
}

fn says_right(seen: &Seen) -> bool {
    let Some(draft) = &seen.outcome.draft else { return false };
    let (text, phrases) = (plain(&draft.text()), &seen.case.must_contain);
    !phrases.is_empty() && phrases.iter().all(|phrase| text.contains(&plain(phrase)))
}

/// Lower case without markup and with single spaces.
fn plain(text: &str) -> String {
    let bare: String = text.to_lowercase().chars().filter(|c| !matches!(c, '`' | '*')).collect();
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn report(group: &str, seen: &[Seen], result: &mut RunResult) {
    for what in ["send", "ask", "say", "hold", "hand_off"] {
        let count = seen.iter().filter(|s| done(s) == what).count();
        result.grouped(&format!("{group}_decisions"), what, count as f64);
    }
    let firsts: Vec<f64> = seen.iter().filter_map(|s| s.first_ms).collect();
    let totals: Vec<f64> = seen.iter().map(|s| s.total_ms).collect();
    for (name, values) in [("first_text", firsts), ("total", totals)] {
        for (figure, q) in [("p50", 0.5), ("p95", 0.95)] {
            let value = percentile(&values, q).unwrap_or(f64::NAN);
            result.grouped(&format!("{group}_{name}_ms"), figure, value);
        }
    }
}

fn show(seen: &Seen) {
    let outcome = &seen.outcome;
    let mode = if outcome.mode == Mode::Quote { "quote" } else { "compose" };
    let mark = match (cites_right(seen), says_right(seen)) {
        (true, true) => "right",
        (false, true) => "right words, other source",
        (true, false) => "right source, other words",
        (false, false) => "",
    };
    crate::print_line(&format!(
        "\n{} {}\n  {} by {} ({mode}), confidence {:.2} {:?}  [{mark}]\n  {}",
        seen.case.qid,
        seen.case.text,
        done(seen),
        outcome.decision.rule,
        outcome.confidence.value,
        outcome.confidence.signals.named().map(|(_, v)| (v * 100.0).round() / 100.0),
        outcome.draft.as_ref().map(|d| d.text().replace('\n', "\n  ")).unwrap_or_default(),
    ));
}
