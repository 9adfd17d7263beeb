//! `frustration`: how well annoyance is told from calm; and the fit of the head that the engine ships.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use engine::frustration;
use engine::metrics::auroc;
use engine::model::Model;
use engine::turn::Turn;
use models::scheduler::Handle;
use serde::Deserialize;

use crate::data;
use crate::house::{self, HouseOptions};
use crate::person::name;
use crate::run::{self, RunOptions, RunResult};

/// Messages that are encoded at once.
const BATCH: usize = 64;
/// Steps of the descent.
const STEPS: usize = 400;
/// Length of a step.
const RATE: f64 = 8.0;
/// Share of the last step that the next one keeps.
const MOMENTUM: f64 = 0.9;
/// Penalty on the weights' squares.
const L2: f64 = 1e-5;
/// Scores for which false alarms are counted.
const SCORES: [f32; 3] = [0.5, 0.8, 0.9];

/// Options of `frustration`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    /// Messages to judge: `text` and `frustrated`.
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// Messages of which hardly any is annoyed, `text` in each row; may be given several times.
    #[arg(long, value_name = "FILE")]
    calm: Vec<PathBuf>,
    /// Messages to fit the head on, of the shape of `--test`; needs `--write`.
    #[arg(long, value_name = "FILE", requires = "write")]
    train: Option<PathBuf>,
    /// Where the fitted head is written: `engine/src/frustration/head.rs`.
    #[arg(long, value_name = "FILE", requires = "train")]
    write: Option<PathBuf>,
    /// Print the calm messages that sound annoyed.
    #[arg(long)]
    verbose: bool,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    #[serde(default)]
    frustrated: bool,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let model = house::models(&options.house)?;
    if let (Some(train), Some(write)) = (&options.train, &options.write) {
        let cases: Vec<Case> = data::lines(train)?;
        let head = fit(&vectors(&model, &cases)?, &cases);
        std::fs::write(write, source(&model.card().encoder, &head))
            .with_context(|| format!("{} cannot be written", write.display()))?;
        crate::print_line("The head is written. Build again, then measure it without --train.");
        return Ok(());
    }
    let setting = house::setting(&options.house, &model);
    let mut result = RunResult::new("frustration", &options.test, &options.run, setting);
    let cases: Vec<Case> = data::lines(&options.test)?;
    let (scores, tones) = judged(&model, &cases)?;
    let labelled = |values: &[f32]| -> Vec<(f64, bool)> {
        values
            .iter()
            .zip(&cases)
            .map(|(value, case)| (f64::from(*value), case.frustrated))
            .collect()
    };
    result.figure("messages", cases.len() as f64);
    result.figure("auroc", auroc(&labelled(&scores)).unwrap_or(f64::NAN));
    result.figure("auroc_head_alone", auroc(&labelled(&tones)).unwrap_or(f64::NAN));
    for score in SCORES {
        let heard = |annoyed: bool| {
            let all = scores.iter().zip(&cases).filter(|(_, case)| case.frustrated == annoyed);
            all.fold((0_usize, 0_usize), |(n, of), (value, _)| {
                (n + usize::from(*value >= score), of + 1)
            })
        };
        let ((hits, annoyed), (alarms, calm)) = (heard(true), heard(false));
        result.grouped("recall", &score.to_string(), hits as f64 / annoyed as f64);
        result.grouped("false_alarms", &score.to_string(), alarms as f64 / calm as f64);
    }
    options.calm.iter().try_for_each(|path| calm(options, &model, path, &mut result))?;
    result.finish(&options.run)
}

/// How often calm messages sound annoyed.
fn calm(options: &Options, model: &Handle, path: &Path, result: &mut RunResult) -> Result<()> {
    let cases: Vec<Case> = data::lines(path)?;
    let (scores, _) = judged(model, &cases)?;
    for score in SCORES {
        let alarms = scores.iter().filter(|value| **value >= score).count();
        let share = alarms as f64 / cases.len().max(1) as f64;
        result.grouped(&format!("false_alarms_{}", name(path)), &score.to_string(), share);
    }
    if options.verbose {
        for (score, case) in scores.iter().zip(&cases).filter(|(s, _)| **s >= SCORES[2]) {
            crate::print_line(&format!("{score:.2} {}", case.text));
        }
    }
    Ok(())
}

/// The engine's score of each message, and the head's log-odds alone.
fn judged(model: &Handle, cases: &[Case]) -> Result<(Vec<f32>, Vec<f32>)> {
    let vectors = vectors(model, cases)?;
    let encoder = &model.card().encoder;
    let turn = |case: &Case| Turn::asking(case.text.clone());
    let score =
        |(case, vector): (&Case, &Vec<f32>)| frustration::score(&turn(case), encoder, vector);
    let scores = cases.iter().zip(&vectors).map(score).collect();
    Ok((scores, vectors.iter().map(|vector| frustration::logit(vector)).collect()))
}

fn vectors(model: &Handle, cases: &[Case]) -> Result<Vec<Vec<f32>>> {
    let mut vectors = Vec::with_capacity(cases.len());
    let bar = run::bar("frustration", cases.len());
    for batch in cases.chunks(BATCH) {
        let texts: Vec<&str> = batch.iter().map(|case| case.text.as_str()).collect();
        vectors.extend(model.embed(&texts)?);
        bar.inc(batch.len() as u64);
    }
    bar.finish_and_clear();
    Ok(vectors)
}

/// Weights of a logistic regression, the intercept last: gradient descent with momentum over all examples.
fn fit(vectors: &[Vec<f32>], cases: &[Case]) -> Vec<f64> {
    let size = vectors.first().map_or(0, Vec::len);
    let (mut weights, mut speed) = (vec![0.0; size + 1], vec![0.0; size + 1]);
    for _ in 0..STEPS {
        let mut gradient = vec![0.0; size + 1];
        for (vector, case) in vectors.iter().zip(cases) {
            let sum: f64 = weights.iter().zip(vector).map(|(w, x)| w * f64::from(*x)).sum();
            let likely = 1.0 / (1.0 + (-(sum + weights[size])).exp());
            let error = likely - f64::from(u8::from(case.frustrated));
            gradient.iter_mut().zip(vector).for_each(|(g, x)| *g += error * f64::from(*x));
            gradient[size] += error;
        }
        for ((weight, speed), slope) in weights.iter_mut().zip(&mut speed).zip(gradient) {
            let mean = slope / cases.len().max(1) as f64 + L2 * *weight;
            *speed = MOMENTUM * *speed - RATE * mean;
            *weight += *speed;
        }
    }
    weights
}

/// The head as the engine's source.
fn source(encoder: &str, weights: &[f64]) -> String {
    let (bias, weights) = weights.split_last().unwrap_or((&0.0, &[]));
    let mut text = format!(
        "//! Weights of the head that hears annoyance, fitted on GoEmotions (Apache-2.0) and written by\n\
        //! `porchlight-evals frustration --train goemotions/train.jsonl.gz --test goemotions/dev.jsonl.gz --write engine/src/frustration/head.rs`.\n\n\
        /// The encoder whose vectors it reads.\n\
        pub(super) const ENCODER: &str = \"{encoder}\";\n\
        /// Log-odds of a message that says nothing.\n\
        pub(super) const BIAS: f32 = {bias:.3};\n\
        /// One weight a dimension.\n\
        #[rustfmt::skip]\n\
        pub(super) const WEIGHTS: [f32; {}] = [\n",
        weights.len()
    );
    for row in weights.chunks(14) {
        let row: Vec<String> = row.iter().map(|weight| format!("{weight:.2}")).collect();
        // A string takes every line.
        let _ = writeln!(text, "    {},", row.join(", "));
    }
    text.push_str("];\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fit_finds_what_tells_them_apart() {
        let case = |frustrated| Case { text: String::new(), frustrated };
        let cases: Vec<Case> = (0..200).map(|n| case(n % 4 < 1)).collect();
        let vector = |n: usize| vec![if n % 4 < 1 { 0.6 } else { -0.2 }, (n % 7) as f32 / 70.0];
        let vectors: Vec<Vec<f32>> = (0..200).map(vector).collect();
        let weights = fit(&vectors, &cases);
        assert!(weights[0] > 5.0 && weights[1].abs() < weights[0] / 2.0, "{weights:?}");
        let text = source("e", &weights);
        assert!(text.contains("[f32; 2] = [\n"), "{text}");
    }
}
