//! `scale`: how fast the search is over many passages, how fast they are indexed, and what memory they take.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use engine::finding;
use engine::metrics::percentile;
use engine::model::Model;
use models::scheduler::Handle;
use retrieval::manifest::EmbedderId;
use retrieval::{Corpus, Document, Index, chunk};

use crate::data::{self, Question};
use crate::house::{self, HouseOptions};
use crate::resident;
use crate::run::{RunOptions, RunResult};

/// Passages that a reply asks for.
const HITS: usize = 10;

/// Options of `scale`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    /// Documents, JSON lines; given several times they are read one after the other until there are enough.
    #[arg(long, required = true)]
    kb: Vec<PathBuf>,
    /// Questions, JSON lines.
    #[arg(long)]
    queries: PathBuf,
    /// Questions to ask at most, spread over the file; 0 is all.
    #[arg(long, default_value_t = 300)]
    limit: usize,
    /// Numbers of passages, rising.
    #[arg(long, value_delimiter = ',', default_value = "5000,50000")]
    sizes: Vec<usize>,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(options.sizes.is_sorted(), "--sizes have to rise");
    let questions = data::questions(&options.queries, options.limit)?;
    let mut documents = documents(&options.kb)?.into_iter();
    let model = house::models(&options.house)?;
    let mut result = RunResult::new(
        "scale",
        &options.queries,
        &options.run,
        house::setting(&options.house, &model),
    );
    let mut ground =
        Ground { embedder: embedder(&model), model, before: resident::mib("self"), index: None };
    let mut taken: Vec<Document> = Vec::new();
    let mut passages = 0;
    for size in &options.sizes {
        while passages < *size {
            let next = documents.next().with_context(|| {
                format!("the documents have {passages} passages; {size} were asked for")
            })?;
            passages += chunk::passages(&next).len();
            taken.push(next);
        }
        for (name, value) in ground.grow(taken.clone(), &questions)? {
            result.grouped(&size.to_string(), name, value);
        }
    }
    result.figure("queries", questions.len() as f64);
    result.finish(&options.run)
}

/// All documents; those of several files are told apart by the file's number.
fn documents(files: &[PathBuf]) -> Result<Vec<Document>> {
    let mut all = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let named = |doc: data::Doc| {
            Document::from_parts(&format!("{number}/{}", doc.doc_id), &doc.title, doc.text)
        };
        all.extend(data::docs(file)?.into_iter().map(named));
    }
    Ok(all)
}

fn embedder(model: &Handle) -> EmbedderId {
    let card = model.card();
    EmbedderId { id: card.encoder.clone(), dimension: card.dimension }
}

/// An index that grows.
struct Ground {
    model: Handle,
    embedder: EmbedderId,
    /// Mebibytes of this process before there was an index.
    before: Option<f64>,
    index: Option<Index>,
}

impl Ground {
    /// Indexes `documents`, of which those before are a part, and asks the questions.
    fn grow(
        &mut self,
        documents: Vec<Document>,
        questions: &[Question],
    ) -> Result<[(&'static str, f64); 7]> {
        let corpus = Corpus::new(documents);
        let mut embed =
            |texts: &[&str], _| self.model.embed(texts).map_err(|error| error.to_string());
        let start = Instant::now();
        let (index, embedded) = match self.index.take() {
            None => {
                let index = Index::in_memory(corpus, &self.embedder, &mut embed)?;
                let embedded = index.len();
                (index, embedded)
            }
            Some(before) => {
                let (index, built) = before.candidate(corpus, &self.embedder, &mut embed)?;
                (index, built.embedded)
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        let passages = index.len() as f64;
        let words: usize = index.passages().iter().map(|p| p.text.split_whitespace().count()).sum();
        let vectors = index.vectors().to_bytes().len() as f64 / f64::from(1 << 20);
        let taken =
            resident::mib("self").zip(self.before).map_or(f64::NAN, |(now, before)| now - before);
        let times = self.ask(&index, questions)?;
        self.index = Some(index);
        let percent = |share| percentile(&times, share).unwrap_or(f64::NAN);
        Ok([
            ("passages", passages),
            ("words_per_passage", words as f64 / passages),
            ("indexed_per_second", embedded as f64 / seconds),
            ("vectors_mib_per_1000", vectors / passages * 1_000.0),
            ("resident_mib_per_1000", taken / passages * 1_000.0),
            ("latency_p50_ms", percent(0.5)),
            ("latency_p95_ms", percent(0.95)),
        ])
    }

    /// Milliseconds from each question to its passages.
    fn ask(&self, index: &Index, questions: &[Question]) -> Result<Vec<f64>> {
        let mut times = Vec::with_capacity(questions.len());
        for question in questions {
            let turn = question.turn();
            let start = Instant::now();
            let mut vectors = self.model.embed(&[turn.question.as_str()])?;
            let embedding = vectors.pop().context("the encoder gave no vector")?;
            finding::find((&self.model, index), &turn, embedding, HITS)?;
            times.push(start.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok(times)
    }
}
