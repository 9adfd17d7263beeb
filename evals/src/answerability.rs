//! `answerability`: how far the confidence can be trusted, on questions with and without an answer in the documents.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use engine::metrics::{aurc, auroc, brier, coverage_at_error, ece, risk_coverage};

use crate::data::{Question, Set, SetOptions};
use crate::house::{House, HouseOptions};
use crate::run::{self, Dice, RunOptions, RunResult};

/// Bins of the calibration error and of the reliability diagram.
const BINS: usize = 10;

/// Options of `answerability`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    set: SetOptions,
    /// Take away the documents of this share of the questions, so that they lose their answer, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    drop_fraction: f64,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!((0.0..=1.0).contains(&options.drop_fraction), "--drop-fraction lies between 0 and 1");
    ensure!(options.set.qrels.is_some(), "answerability needs --qrels");
    let mut set = Set::read(&options.set)?;
    let dropped = drop_documents(&mut set, options.drop_fraction, options.run.seed);
    ensure!(!set.docs.is_empty(), "no document is left; take a smaller --drop-fraction");
    let house = House::open_docs(&options.house, set.docs)?;
    let bar = run::bar("answerability", set.questions.len());
    let mut scored = Vec::new();
    for question in &set.questions {
        let relevant = set.qrels.get(&question.qid).cloned().unwrap_or_default();
        scored.push(judge(&house, question, &relevant));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mut result =
        RunResult::new("answerability", &options.set.kb, &options.run, house.setting());
    let right = scored.iter().filter(|s| s.1).count() as f64;
    result.figure("queries", scored.len() as f64);
    result.figure("dropped_documents", dropped as f64);
    result.figure("right_share", right / scored.len() as f64);
    result.figure("auroc", auroc(&scored).unwrap_or(f64::NAN));
    result.figure("aurc", aurc(&scored));
    result.figure("ece", ece(&scored, BINS));
    result.figure("brier", brier(&scored));
    result.figure("coverage_at_5_percent_error", coverage_at_error(&scored, 0.05));
    result.detail("risk_coverage", risk_coverage(&scored))?;
    result.detail("reliability", reliability(&scored))?;
    result.finish(&options.run)
}

/// Removes the relevant documents of a share of the answerable questions; how many documents went.
fn drop_documents(set: &mut Set, fraction: f64, seed: u64) -> usize {
    let mut answerable: Vec<String> = set.questions.iter().map(|q| q.qid.clone()).collect();
    answerable.retain(|qid| set.qrels.contains_key(qid));
    Dice::new(seed).shuffle(&mut answerable);
    let count = (answerable.len() as f64 * fraction).round() as usize;
    let gone: HashSet<String> = answerable
        .iter()
        .take(count)
        .filter_map(|qid| set.qrels.get(qid))
        .flatten()
        .cloned()
        .collect();
    set.docs.retain(|doc| !gone.contains(&doc.doc_id));
    set.qrels.values_mut().for_each(|docs| docs.retain(|doc| !gone.contains(doc)));
    set.qrels.retain(|_, docs| !docs.is_empty());
    gone.len()
}

/// The confidence of a reply, and whether its best passage is one that answers.
fn judge(house: &House, question: &Question, relevant: &HashSet<String>) -> (f64, bool) {
    let (first, outcome) = house.look_up(&question.turn());
    let right = !question.is_unanswerable() && first.is_some_and(|doc| relevant.contains(&doc));
    (f64::from(outcome.confidence.value), right)
}

/// For each bin of confidence: mean confidence, share that was right, number of cases.
fn reliability(scored: &[(f64, bool)]) -> Vec<(f64, f64, usize)> {
    let bin = |value: f64| ((value * BINS as f64) as usize).min(BINS - 1);
    let rows = (0..BINS).map(|at| {
        let inside: Vec<&(f64, bool)> = scored.iter().filter(|s| bin(s.0) == at).collect();
        let n = inside.len().max(1) as f64;
        let right = inside.iter().filter(|s| s.1).count() as f64;
        (inside.iter().map(|s| s.0).sum::<f64>() / n, right / n, inside.len())
    });
    rows.filter(|row| row.2 > 0).collect()
}
