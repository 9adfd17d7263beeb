//! `fit`: fits the confidence on several sets, and on all but one for each.

use std::ops::ControlFlow;

use anyhow::Result;
use engine::metrics::{auroc, ece, ndcg, token_f1};
use engine::reply::{Event, Outcome};

use crate::house::{House, HouseOptions};
use crate::judged::{self, Asked};
use crate::logistic::{self, Example};
use crate::run::bar;

/// Bins of the calibration error.
const BINS: usize = 10;

/// Options of `fit`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    /// Folders with `kb.jsonl[.gz]`, `queries.jsonl` and `qrels.tsv`; `FOLDER:REMOVED.jsonl` leaves documents out,
    /// `FOLDER:OTHER` asks the questions of another folder too.
    #[arg(long = "set", required = true)]
    sets: Vec<String>,
    /// Questions of each set at most.
    #[arg(long, default_value_t = 300)]
    limit: usize,
    /// Finish the drafts and compare them with the reference answers; without it only the signals are measured.
    #[arg(long)]
    drafts: bool,
}

/// One question's ending.
struct Row {
    example: Example,
    confidence: f64,
    ndcg: Option<f64>,
    f1: Option<f64>,
}

/// One set's rows.
struct Set {
    name: String,
    rows: Vec<Row>,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut sets = Vec::new();
    for spec in &options.sets {
        let set = measure(options, spec)?;
        report(&set);
        sets.push(set);
    }
    fit(&sets);
    Ok(())
}

fn measure(options: &Options, spec: &str) -> Result<Set> {
    let judged::Set { name, house, asked } = judged::open(&options.house, spec, options.limit)?;
    let bar = bar(&name, asked.len());
    let mut rows = Vec::new();
    for asked in &asked {
        rows.push(ask(&house, asked, options.drafts));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let weight = 1.0 / rows.len() as f64 * 300.0;
    rows.iter_mut().for_each(|row| row.example.weight = weight);
    Ok(Set { name, rows })
}

fn ask(house: &House, asked: &Asked, drafts: bool) -> Row {
    let Asked { question, relevant, .. } = asked;
    let mut found: Vec<String> = Vec::new();
    let outcome: Outcome = house.reply(&question.turn(), &mut |event| {
        if let Event::Found(hits) = event {
            for hit in hits {
                if !found.contains(&hit.passage.doc) {
                    found.push(hit.passage.doc.clone());
                }
            }
        }
        // All signals are known when a draft starts.
        let enough = matches!(event, Event::Started { .. }) && !drafts;
        if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let right = found.first().is_some_and(|doc| relevant.contains(doc));
    let hits: Vec<bool> = found.iter().map(|doc| relevant.contains(doc)).collect();
    let reference = question.answer.as_ref().filter(|_| drafts && !relevant.is_empty());
    Row {
        example: Example { features: outcome.confidence.signals.features(), right, weight: 1.0 },
        confidence: f64::from(outcome.confidence.value),
        ndcg: (!relevant.is_empty()).then(|| ndcg(&hits, relevant.len(), 10)),
        f1: reference
            .map(|answer| token_f1(&outcome.draft.map(|d| d.text()).unwrap_or_default(), answer)),
    }
}

fn report(set: &Set) {
    let scored: Vec<(f64, bool)> =
        set.rows.iter().map(|r| (r.confidence, r.example.right)).collect();
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
    crate::print_line(&format!(
        "{:<36} n {:>4}  right {:.3}  AUROC {:.3}  ECE {:.3}  nDCG@10 {:.3}  token F1 {:.3}",
        set.name,
        set.rows.len(),
        scored.iter().filter(|s| s.1).count() as f64 / scored.len() as f64,
        auroc(&scored).unwrap_or(f64::NAN),
        ece(&scored, BINS),
        mean(set.rows.iter().filter_map(|r| r.ndcg).collect()),
        mean(set.rows.iter().filter_map(|r| r.f1).collect()),
    ));
}

/// Fits on all sets; and, for each set, on the others alone, which tells what an unseen owner gets.
fn fit(sets: &[Set]) {
    for held_out in sets {
        let others = sets.iter().filter(|set| set.name != held_out.name);
        let examples: Vec<Example> = others.flat_map(|s| &s.rows).map(|r| r.example).collect();
        let scored = apply(&logistic::fit(&examples), held_out);
        crate::print_line(&format!(
            "left out: {:<36} AUROC {:.3}  ECE {:.3}",
            held_out.name,
            auroc(&scored).unwrap_or(f64::NAN),
            ece(&scored, BINS)
        ));
    }
    let examples: Vec<Example> = sets.iter().flat_map(|s| &s.rows).map(|r| r.example).collect();
    crate::print_line(&format!("{:?}", logistic::fit(&examples)));
}

fn apply(calibration: &engine::confidence::Calibration, set: &Set) -> Vec<(f64, bool)> {
    let value = |example: &Example| {
        let sum: f32 = calibration.weights.iter().zip(example.features).map(|(w, x)| w * x).sum();
        1.0 / (1.0 + f64::from(-(sum + calibration.bias)).exp())
    };
    set.rows.iter().map(|row| (value(&row.example), row.example.right)).collect()
}
