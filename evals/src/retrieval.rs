//! `retrieval`: how well each leg of the search ranks the documents that answer.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use engine::finding;
use engine::metrics::{ndcg, percentile, recall, reciprocal_rank};
use engine::model::Model;
use engine::search::{Hit, Phrase};
use engine::turn::Turn;

use crate::data::{Set, SetOptions};
use crate::house::{House, HouseOptions};
use crate::run::{self, Dice, RunOptions, RunResult};
use crate::typos::slipped;

/// Passages that are looked at for ten documents.
const PASSAGES: usize = 100;
/// Rank until which figures look.
const K: usize = 10;

/// Options of `retrieval`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    set: SetOptions,
    /// Which fields are indexed: `title,text` or `text`.
    #[arg(long, default_value = "title,text", value_parser = ["title,text", "text"])]
    fields: String,
    /// Put a slip of the pen into this share of the questions' words, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    typos: f64,
}

/// One leg's sums over all questions.
#[derive(Default)]
struct Leg {
    rows: Vec<[f64; 5]>,
}

impl Leg {
    fn add(&mut self, hits: &[Hit], relevant: &std::collections::HashSet<String>) {
        let mut docs: Vec<&str> = Vec::new();
        for hit in hits {
            if !docs.contains(&hit.passage.doc.as_str()) {
                docs.push(&hit.passage.doc);
            }
        }
        let ranked: Vec<bool> = docs.iter().map(|doc| relevant.contains(*doc)).collect();
        let n = relevant.len();
        let at = |k| recall(&ranked, n, k);
        self.rows.push([ndcg(&ranked, n, K), at(1), at(5), at(K), reciprocal_rank(&ranked, K)]);
    }

    fn report(&self, name: &str, result: &mut RunResult) {
        for (at, figure) in
            ["ndcg@10", "recall@1", "recall@5", "recall@10", "mrr@10"].iter().enumerate()
        {
            let sum: f64 = self.rows.iter().map(|row| row[at]).sum();
            result.grouped(name, figure, sum / self.rows.len() as f64);
        }
    }
}

fn embedding(house: &House, text: &str) -> Result<Vec<f32>> {
    house.model().embed(&[text])?.pop().context("the encoder gave no vector")
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(options.set.qrels.is_some(), "retrieval needs --qrels");
    ensure!((0.0..=1.0).contains(&options.typos), "--typos lies between 0 and 1");
    let mut set = Set::read(&options.set)?;
    if options.fields == "text" {
        set.docs.iter_mut().for_each(|doc| doc.title.clear());
    }
    let questions: Vec<_> =
        set.questions.iter().filter(|q| set.qrels.contains_key(&q.qid)).collect();
    ensure!(
        !questions.is_empty(),
        "no question has a relevant document; do the ids of queries and qrels agree?"
    );
    let start = Instant::now();
    let house = House::open_docs(&options.house, set.docs)?;
    let index_seconds = start.elapsed().as_secs_f64();
    let mut legs: [Leg; 4] = Default::default();
    let mut times = Vec::new();
    let mut dice = Dice::new(options.run.seed);
    let bar = run::bar("retrieval", questions.len());
    for question in &questions {
        let mut turn: Turn = question.turn();
        turn.question = slipped(&turn.question, options.typos, &mut dice);
        let start = Instant::now();
        let embedding = embedding(&house, &turn.question)?;
        let found =
            finding::find((house.model(), house.index()), &turn, embedding.clone(), PASSAGES)?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
        let asked = Phrase { text: &turn.question, embedding: &embedding };
        let single = house.index().legs(&asked, PASSAGES)?;
        let relevant = &set.qrels[&question.qid];
        for (leg, hits) in
            legs.iter_mut().zip([&single.lexical, &single.dense, &single.fused, &found.hits])
        {
            leg.add(hits, relevant);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mut result = RunResult::new("retrieval", &options.set.kb, &options.run, house.setting());
    if options.fields == "text" {
        result.variant("text");
    }
    if options.typos > 0.0 {
        result.variant("typos");
    }
    for (leg, name) in legs.iter().zip(["lexical", "dense", "fused", "final"]) {
        leg.report(name, &mut result);
    }
    result.figure("queries", questions.len() as f64);
    result.figure("latency_p50_ms", percentile(&times, 0.5).unwrap_or(f64::NAN));
    result.figure("latency_p95_ms", percentile(&times, 0.95).unwrap_or(f64::NAN));
    result.figure("index_seconds", index_seconds);
    result.finish(&options.run)
}
