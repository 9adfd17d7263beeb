//! `calibration`: what an owner's verdicts and chosen share of wrong answers make of the confidence, on documents apart.
//!
//! The documents of each set are parted in two halves at random. Questions about one half stand for the owner's verdicts,
//! those about the other are measured, and the other way round, so that each question is measured once.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use anyhow::Result;
use engine::confidence::{Calibration, Judged, RiskCurve, SHIPPED, Signals, as_visitor};
use engine::metrics::{aurc, auroc, coverage_at_error, ece, interval, percentile};
use engine::model::Model;

use crate::house::{House, HouseOptions};
use crate::judged::{self, Asked};
use crate::run::{self, Dice, RunOptions, RunResult};

/// Bins of the calibration error.
const BINS: usize = 10;
/// Questions that the documents ask of themselves, as in the server.
const TRIALS: usize = 200;
/// Draws for the calibration error that a perfect confidence shows on as few questions.
const DRAWS: usize = 100;
/// Error at which the coverage is told: 90 % precision.
const ERROR: f64 = 0.1;

/// Options of `calibration`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    /// Folders with `kb.jsonl[.gz]`, `queries.jsonl` and `qrels.tsv`; `FOLDER:REMOVED.jsonl` leaves documents out,
    /// `FOLDER:OTHER` asks the questions of another folder too.
    #[arg(long = "set", required = true)]
    sets: Vec<String>,
    /// Questions of each folder at most, spread evenly; 0 takes all.
    #[arg(long, default_value_t = 300)]
    limit: usize,
    /// Share of wrong answers among those sent that the owner allows, 0 to 1.
    #[arg(long, default_value_t = 0.05)]
    wrong: f32,
}

/// One question's ending.
struct Row {
    signals: Signals,
    right: bool,
    about: String,
}

/// Confidence and whether it was right.
type Scored = Vec<(f64, bool)>;

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut result: Option<RunResult> = None;
    let mut totals: Vec<Vec<(&'static str, f64)>> = Vec::new();
    for spec in &options.sets {
        let set = judged::open(&options.house, spec, options.limit)?;
        let result = result.get_or_insert_with(|| {
            RunResult::new("calibration", Path::new("."), &options.run, set.house.setting())
        });
        let bar = run::bar(&set.name, set.asked.len());
        let ask = |asked: &Asked| {
            bar.inc(1);
            ask(&set.house, asked)
        };
        let rows: Vec<Row> = set.asked.iter().map(ask).collect();
        bar.finish_and_clear();
        let mut figures = ranking(&rows, options.run.seed);
        figures.extend(choice(&rows, options));
        figures.extend(beginning(&set.house, &rows, options.wrong)?);
        for (name, value) in &figures {
            result.grouped(&set.name, name, *value);
        }
        totals.push(figures);
    }
    let Some(mut result) = result else { return Ok(()) };
    for (at, (name, _)) in totals.first().into_iter().flatten().enumerate() {
        let values = totals.iter().filter_map(|figures| figures.get(at).map(|figure| figure.1));
        let known: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        result.grouped("mean", name, known.iter().sum::<f64>() / known.len().max(1) as f64);
    }
    result.finish(&options.run)
}

fn ask(house: &House, asked: &Asked) -> Row {
    let (first, outcome) = house.look_up(&asked.question.turn());
    let right = first.is_some_and(|doc| asked.relevant.contains(&doc));
    Row { signals: outcome.confidence.signals, right, about: asked.about.clone() }
}

/// Both halves of the documents, each with the calibration that the other half's verdicts make.
fn halves(rows: &[Row], seed: u64) -> [(Calibration, Vec<&Row>); 2] {
    let distinct: BTreeSet<&str> = rows.iter().map(|row| row.about.as_str()).collect();
    let mut order: Vec<&str> = distinct.into_iter().collect();
    Dice::new(seed).shuffle(&mut order);
    let first: HashSet<&str> = order.iter().take(order.len() / 2).copied().collect();
    let half = |is_first| {
        let (own, other): (Vec<&Row>, Vec<&Row>) =
            rows.iter().partition(|row| first.contains(row.about.as_str()) == is_first);
        let judged = |row: &&Row| Judged { signals: row.signals, right: row.right };
        let verdicts: Vec<Judged> = other.iter().map(judged).collect();
        (SHIPPED.with_verdicts(&verdicts), own)
    };
    [half(true), half(false)]
}

/// How well the confidence, as shipped and after verdicts, tells right from wrong, beside a threshold on the cosine.
fn ranking(rows: &[Row], seed: u64) -> Vec<(&'static str, f64)> {
    let scored = |value: &dyn Fn(&Row) -> f32| -> Scored {
        rows.iter().map(|row| (f64::from(value(row)), row.right)).collect()
    };
    let cosine = scored(&|row| row.signals.cosine);
    let shipped = scored(&|row| SHIPPED.confidence(row.signals).value);
    let own: Scored = halves(rows, seed)
        .into_iter()
        .flat_map(|(own, half)| {
            half.into_iter()
                .map(move |row| (f64::from(own.confidence(row.signals).value), row.right))
        })
        .collect();
    let auroc = |scored: &Scored| auroc(scored).unwrap_or(f64::NAN);
    vec![
        ("questions", rows.len() as f64),
        ("right", rows.iter().filter(|row| row.right).count() as f64 / rows.len() as f64),
        ("auroc_cosine", auroc(&cosine)),
        ("auroc", auroc(&shipped)),
        ("auroc_own", auroc(&own)),
        ("aurc_cosine", aurc(&cosine)),
        ("aurc", aurc(&shipped)),
        ("covered_cosine", coverage_at_error(&cosine, ERROR)),
        ("covered", coverage_at_error(&shipped, ERROR)),
        ("ece", ece(&shipped, BINS)),
        ("ece_own", ece(&own, BINS)),
        ("ece_perfect", perfect(&own, seed)),
    ]
}

/// The calibration error that these confidences would show if each were exactly right.
fn perfect(scored: &Scored, seed: u64) -> f64 {
    let mut dice = Dice::new(seed);
    let mut draw = || {
        let drawn = scored.iter().map(|(value, _)| {
            let chance = dice.roll() as f64 / u64::MAX as f64;
            (*value, chance < *value)
        });
        ece(&drawn.collect::<Scored>(), BINS)
    };
    (0..DRAWS).map(|_| draw()).sum::<f64>() / DRAWS as f64
}

/// What comes of "at most this share of wrong answers", chosen on one half and held against the other.
fn choice(rows: &[Row], options: &Options) -> Vec<(&'static str, f64)> {
    let halves = halves(rows, options.run.seed);
    let (mut sent, mut wrong) = (0, 0);
    for (at, (own, half)) in halves.iter().enumerate() {
        let other = &halves[1 - at].1;
        let curve =
            RiskCurve::new(other.iter().map(|row| own.confidence(row.signals).value).collect());
        let send_at = curve.send_at(options.wrong);
        let reached = half.iter().filter(|row| own.confidence(row.signals).value >= send_at);
        for row in reached {
            sent += 1;
            wrong += usize::from(!row.right);
        }
    }
    kept(["sent", "sent_wrong", "kept"], (sent, wrong, rows.len()), options.wrong)
}

/// The same for an owner who has neither visitors nor verdicts yet: chosen on questions that the documents ask of themselves.
fn beginning(house: &House, rows: &[Row], allowed: f32) -> Result<Vec<(&'static str, f64)>> {
    let index = house.index();
    let (mut answered, mut unanswered) = (Vec::new(), Vec::new());
    for trial in index.trials(TRIALS) {
        let vector = house.model().embed(&[&trial.question])?.pop().unwrap_or_default();
        let tried = index.try_out(&trial, &vector)?;
        let signals =
            |hits: &[engine::search::Hit]| Signals { support: 1.0, ..Signals::of_hits(hits) };
        answered.push(signals(&tried.answered));
        if !tried.unanswered.is_empty() {
            unanswered.push(signals(&tried.unanswered));
        }
    }
    let confidences = answered
        .iter()
        .map(|signals| as_visitor(&SHIPPED, signals, true))
        .chain(unanswered.iter().map(|signals| as_visitor(&SHIPPED, signals, false)));
    let send_at = RiskCurve::new(confidences.collect()).send_at(allowed);
    let reached: Vec<&Row> =
        rows.iter().filter(|row| SHIPPED.confidence(row.signals).value >= send_at).collect();
    let wrong = reached.iter().filter(|row| !row.right).count();
    let mut figures = kept(
        ["sent_at_first", "sent_wrong_at_first", "kept_at_first"],
        (reached.len(), wrong, rows.len()),
        allowed,
    );
    let median = |signals: &[Signals]| {
        let odds: Vec<f64> =
            signals.iter().map(|signals| f64::from(SHIPPED.log_odds(signals))).collect();
        percentile(&odds, 0.5).unwrap_or(f64::NAN)
    };
    let visitors = |right: bool| -> Vec<Signals> {
        rows.iter().filter(|row| row.right == right).map(|row| row.signals).collect()
    };
    figures.extend([
        ("trials", answered.len() as f64),
        ("own_words_answered", median(&answered) - median(&visitors(true))),
        ("own_words_unanswered", median(&unanswered) - median(&visitors(false))),
    ]);
    Ok(figures)
}

/// Share sent, share of those wrong, and 1 when the allowed share lies in or above the 95 % interval of what was seen.
fn kept(
    [sent_name, wrong_name, kept_name]: [&'static str; 3],
    (sent, wrong, of): (usize, usize, usize),
    allowed: f32,
) -> Vec<(&'static str, f64)> {
    let (low, _) = interval(wrong, sent);
    vec![
        (sent_name, sent as f64 / of.max(1) as f64),
        (wrong_name, if sent == 0 { f64::NAN } else { wrong as f64 / sent as f64 }),
        (kept_name, f64::from(u8::from(low <= f64::from(allowed)))),
    ]
}
