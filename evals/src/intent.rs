//! `intent`: how well messages are read, with the owner's examples as they would stand in `intents.toml`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use engine::intent::{IntentBook, Reading};
use engine::metrics::{auroc, coverage_at_error, ece, macro_f1, percentile};
use engine::model::Model;

use crate::house::{self, HouseOptions};
use crate::intent_sets::{OUTSIDE, SetOptions, Sets, Utterance};
use crate::run::{self, RunOptions, RunResult};

/// Bins of the calibration error.
const BINS: usize = 10;
/// Messages that are encoded at once.
const BATCH: usize = 32;
/// Messages that are read once more, one by one as visitors send them, for the time it takes.
const TIMED: usize = 100;
/// Confusions that are listed.
const CONFUSIONS: usize = 20;

/// Options of `intent`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    set: SetOptions,
    /// Trainings with seeds that follow each other; the figures are over all of them.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
}

/// How one message was read.
struct Read {
    /// The intent it belongs to, or [`OUTSIDE`].
    wanted: String,
    /// The primary tag, or [`OUTSIDE`].
    given: String,
    /// Score of the primary tag, 0 to 1; 0 without one.
    score: f64,
    /// Score of belonging to any intent, 0 to 1.
    inside: f64,
    /// Whether the intent is one of those with few examples beside many.
    new: bool,
}

impl Read {
    fn new(message: &Utterance, reading: &Reading) -> Self {
        let primary = reading.primary();
        Self {
            wanted: message.intent.clone(),
            given: primary.map_or(OUTSIDE, |tag| &tag.id).to_owned(),
            score: primary.map_or(0.0, |tag| f64::from(tag.score)),
            inside: 1.0 - f64::from(reading.out_of_scope),
            new: false,
        }
    }
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let model = house::models(&options.house)?;
    let setting = house::setting(&options.house, &model);
    let mut result = RunResult::new("intent", &options.set.test, &options.run, setting);
    for name in options.set.variants() {
        result.variant(&name);
    }
    let mut all = Measured::default();
    for round in 0..options.seeds.max(1) {
        let sets = Sets::read(&options.set, options.run.seed + round)?;
        if round == 0 {
            result.figure("intents", sets.file.intent.len() as f64);
            result.figure("intents_without_example", sets.unlearnt as f64);
            result.figure("left_out_as_shared", sets.left_out as f64);
        }
        all.add(&model, &sets)?;
    }
    report(&all.reads, &mut result)?;
    all.report(&mut result);
    result.finish(&options.run)
}

/// What one or several trainings came to.
#[derive(Default)]
struct Measured {
    reads: Vec<Read>,
    /// Seconds of each training, embedding included.
    training_s: Vec<f64>,
    /// Milliseconds of each timed message.
    times_ms: Vec<f64>,
}

impl Measured {
    /// Trains on the set and reads its messages.
    fn add(&mut self, model: &dyn Model, sets: &Sets) -> Result<()> {
        let start = Instant::now();
        let book = IntentBook::learn(&sets.file, model)?;
        self.training_s.push(start.elapsed().as_secs_f64());
        let bar = run::bar("intent", sets.messages.len());
        for batch in sets.messages.chunks(BATCH) {
            let mended = batch.iter().map(|message| mended(&book, model, &message.text));
            let texts: Vec<Cow<'_, str>> = mended.collect();
            let vectors = model.embed(&texts.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
            let reads = batch.iter().zip(texts.iter().zip(&vectors));
            let reads = reads.map(|(message, (text, vector))| {
                let new = sets.new.contains(&message.intent);
                Read { new, ..Read::new(message, &book.read(text, vector)) }
            });
            self.reads.extend(reads);
            bar.inc(batch.len() as u64);
        }
        bar.finish_and_clear();
        self.times_ms.extend(times(model, &book, &sets.messages)?);
        Ok(())
    }

    fn report(&self, result: &mut RunResult) {
        let share = |new: bool| {
            let of: Vec<&Read> =
                self.reads.iter().filter(|r| r.new == new && r.wanted != OUTSIDE).collect();
            of.iter().filter(|r| r.wanted == r.given).count() as f64 / of.len() as f64
        };
        if self.reads.iter().any(|read| read.new) {
            result.figure("accuracy_new", share(true));
            result.figure("accuracy_known", share(false));
        }
        let mean = self.training_s.iter().sum::<f64>() / self.training_s.len() as f64;
        result.figure("training_s", mean);
        for (name, share) in [("latency_p50_ms", 0.5), ("latency_p95_ms", 0.95)] {
            result.figure(name, percentile(&self.times_ms, share).unwrap_or(f64::NAN));
        }
    }
}

/// A message as a reply reads it where there are no documents: slips of the pen are mended by the examples' words.
fn mended<'a>(book: &IntentBook, model: &dyn Model, text: &'a str) -> Cow<'a, str> {
    book.mended(text, model, &|_| None).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Milliseconds of encoding and reading one message, for some spread evenly over all.
fn times(model: &dyn Model, book: &IntentBook, messages: &[Utterance]) -> Result<Vec<f64>> {
    let step = messages.len().div_ceil(TIMED).max(1);
    let one = |message: &Utterance| {
        let start = Instant::now();
        let text = mended(book, model, &message.text);
        let vector = model.embed(&[&text])?.pop().context("the encoder gave no vector")?;
        std::hint::black_box(book.read(&text, &vector));
        Ok(start.elapsed().as_secs_f64() * 1000.0)
    };
    messages.iter().step_by(step).map(one).collect()
}

/// Adds the figures of the readings; not-a-number where there is nothing to divide by.
fn report(reads: &[Read], result: &mut RunResult) -> Result<()> {
    let inside: Vec<&Read> = reads.iter().filter(|read| read.wanted != OUTSIDE).collect();
    let scored: Vec<(f64, bool)> = inside.iter().map(|r| (r.score, r.wanted == r.given)).collect();
    let pairs: Vec<(&str, &str)> =
        inside.iter().map(|r| (r.wanted.as_str(), r.given.as_str())).collect();
    let scope: Vec<(f64, bool)> = reads.iter().map(|r| (r.inside, r.wanted != OUTSIDE)).collect();
    let right = scored.iter().filter(|(_, right)| *right).count() as f64;
    result.figure("queries", reads.len() as f64);
    result.figure("oos_queries", (reads.len() - inside.len()) as f64);
    result.figure("accuracy", right / scored.len() as f64);
    result.figure("macro_f1", macro_f1(&pairs));
    result.figure("ece", ece(&scored, BINS));
    result.figure("oos_auroc", auroc(&scope).unwrap_or(f64::NAN));
    result.figure("oos_caught_at_95_accepted", caught(&scope, 0.95));
    result.figure("coverage_at_90_precision", coverage_at_error(&scored, 0.10));
    let tagged: Vec<(f64, bool)> =
        reads.iter().map(|r| (r.score, r.wanted == r.given && r.wanted != OUTSIDE)).collect();
    result.figure("coverage_at_80_precision", coverage_at_error(&tagged, 0.20));
    let all: Vec<(&str, &str)> =
        reads.iter().map(|r| (r.wanted.as_str(), r.given.as_str())).collect();
    result.detail("confusions", confusions(&all))
}

/// Share of the messages of no intent that score below all but `1 - accepted` of the others.
fn caught(scope: &[(f64, bool)], accepted: f64) -> f64 {
    let scores =
        |of: bool| scope.iter().filter(move |(_, own)| *own == of).map(|(score, _)| *score);
    let own: Vec<f64> = scores(true).collect();
    let floor = percentile(&own, 1.0 - accepted).unwrap_or(f64::NAN);
    scores(false).filter(|score| *score < floor).count() as f64 / scores(false).count() as f64
}

/// What is taken for what and how often, most frequent first, equal ones by name.
fn confusions(pairs: &[(&str, &str)]) -> Vec<(String, String, usize)> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for pair in pairs.iter().filter(|(wanted, given)| wanted != given) {
        *counts.entry(*pair).or_default() += 1;
    }
    let mut rows: Vec<_> =
        counts.into_iter().map(|((w, g), n)| (w.to_owned(), g.to_owned(), n)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.2));
    rows.truncate(CONFUSIONS);
    rows
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use engine::intent::Scored;
    use serde_json::Value;

    use super::*;
    use crate::run::Setting;

    fn figures(reads: &[(&str, &str, f64, f64)]) -> Value {
        let read = |(wanted, given, score, inside): &(&str, &str, f64, f64)| Read {
            wanted: (*wanted).to_owned(),
            given: (*given).to_owned(),
            score: *score,
            inside: *inside,
            new: false,
        };
        let reads: Vec<Read> = reads.iter().map(read).collect();
        let options = RunOptions::default();
        let mut result = RunResult::new("intent", Path::new("x"), &options, Setting::default());
        report(&reads, &mut result).unwrap();
        serde_json::to_value(&result).unwrap()
    }

    #[test]
    fn figures_fall_when_readings_get_worse() {
        let good = figures(&[
            ("a", "a", 1.0, 1.0),
            ("a", "a", 1.0, 0.9),
            ("b", "b", 1.0, 0.8),
            ("oos", "oos", 0.0, 0.1),
        ]);
        // The planted regression: one taken for another with full belief, one sure reading out of scope.
        let bad = figures(&[
            ("a", "a", 1.0, 0.9),
            ("a", "b", 1.0, 0.9),
            ("b", "b", 0.9, 0.8),
            ("oos", "b", 0.9, 0.95),
        ]);
        for (name, before, after) in [
            ("accuracy", 1.0, 2.0 / 3.0),
            ("macro_f1", 1.0, 2.0 / 3.0),
            ("ece", 0.0, 0.3),
            ("oos_auroc", 1.0, 0.0),
            ("oos_caught_at_95_accepted", 1.0, 0.0),
            ("coverage_at_90_precision", 1.0, 0.0),
            ("coverage_at_80_precision", 0.75, 0.0),
            ("queries", 4.0, 4.0),
            ("oos_queries", 1.0, 1.0),
        ] {
            for (from, expect) in [(&good, before), (&bad, after)] {
                let got = from[name].as_f64().unwrap();
                assert!((got - expect).abs() < 1e-9, "{name}: {got} is not {expect}");
            }
        }
        assert_eq!(good["confusions"], serde_json::json!([]));
        assert_eq!(bad["confusions"], serde_json::json!([["a", "b", 1], ["oos", "b", 1]]));
        assert_eq!(figures(&[("a", "a", 1.0, 1.0)])["oos_auroc"], Value::Null);
    }

    #[test]
    fn the_primary_tag_is_what_was_read() {
        let message: Utterance =
            serde_json::from_str(r#"{"id":"1","text":"t","intent":"a"}"#).unwrap();
        let tag = |id: &str, score| Scored { id: id.into(), label: id.into(), score };
        let reading = |tags| Reading { tags, out_of_scope: 0.25, nearest: 0.5 };
        let two = Read::new(&message, &reading(vec![tag("b", 0.5), tag("a", 0.375)]));
        assert_eq!((two.given.as_str(), two.score, two.inside), ("b", 0.5, 0.75));
        let none = Read::new(&message, &reading(Vec::new()));
        assert_eq!((none.given.as_str(), none.score), (OUTSIDE, 0.0));
    }

    #[test]
    fn the_most_frequent_confusions_are_listed() {
        let pairs = [("a", "b"), ("a", "a"), ("c", "a"), ("a", "b"), ("b", "a")];
        let row = |w: &str, g: &str, n| (w.to_owned(), g.to_owned(), n);
        assert_eq!(confusions(&pairs), [row("a", "b", 2), row("b", "a", 1), row("c", "a", 1)]);
        let names: Vec<String> = (0..30).map(|n| format!("{n:02}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
        assert_eq!(confusions(&many).len(), CONFUSIONS);
    }
}
