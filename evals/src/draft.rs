//! `draft`: what the drafts are worth against reference answers, how well they are supported, and how fast they come.

use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::Result;
use engine::grounding;
use engine::metrics::{percentile, rouge_l, token_f1};
use engine::model::Model;
use engine::reply::{Event, Outcome};
use engine::rules::Action;
use engine::search::Hit;

use crate::data::{Question, Set, SetOptions};
use crate::house::{House, HouseOptions};
use crate::run::{self, RunOptions, RunResult};

/// Options of `draft`. `--model ID` and `--mode quote|compose` choose the drafter.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    set: SetOptions,
}

/// One question's draft.
struct Row {
    answerable: bool,
    sent: bool,
    /// Token F1 and ROUGE-L against the reference, where there is one; 0 without a draft.
    overlap: Option<(f64, f64)>,
    sentences: usize,
    supported: usize,
    citations: usize,
    valid_citations: usize,
    tokens: usize,
    /// Milliseconds until the first token was drafted.
    first_ms: Option<f64>,
    total_ms: f64,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let set = Set::read(&options.set)?;
    let house = House::open_docs(&options.house, set.docs)?;
    let bar = run::bar("draft", set.questions.len());
    let mut rows = Vec::new();
    for question in &set.questions {
        let known = options.set.qrels.is_none() || set.qrels.contains_key(&question.qid);
        rows.push(ask(&house, question, known && !question.is_unanswerable())?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mut result = RunResult::new("draft", &options.set.kb, &options.run, house.setting());
    report(&rows, &mut result);
    result.finish(&options.run)
}

fn ask(house: &House, question: &Question, answerable: bool) -> Result<Row> {
    let start = Instant::now();
    let ms = || start.elapsed().as_secs_f64() * 1000.0;
    let (mut hits, mut first_ms): (Vec<Hit>, Option<f64>) = (Vec::new(), None);
    let outcome = house.reply(&question.turn(), &mut |event| {
        match event {
            Event::Found(found) => hits = found.to_vec(),
            Event::Token(text) if !text.is_empty() && first_ms.is_none() => first_ms = Some(ms()),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    let total_ms = ms();
    let text = outcome.draft.as_ref().map(engine::draft::Draft::text).unwrap_or_default();
    let reference = question.answer.as_ref().filter(|_| answerable);
    let (sentences, supported) = sentences(&outcome, &hits);
    let (citations, valid_citations) = citations(&outcome, house);
    Ok(Row {
        answerable,
        sent: outcome.decision.action == Action::Send,
        overlap: reference.map(|answer| (token_f1(&text, answer), rouge_l(&text, answer))),
        sentences,
        supported,
        citations,
        valid_citations,
        tokens: if text.is_empty() { 0 } else { house.model().count_tokens(&text)? },
        first_ms,
        total_ms,
    })
}

/// Pieces that claim something, and how many of them the passages support by the engine's own check.
fn sentences(outcome: &Outcome, hits: &[Hit]) -> (usize, usize) {
    let pieces =
        outcome.draft.iter().flat_map(|draft| &draft.pieces).filter(|piece| piece.cite.is_some());
    let supported: Vec<bool> =
        pieces.map(|piece| grounding::support(&piece.text, hits).is_some()).collect();
    (supported.len(), supported.iter().filter(|yes| **yes).count())
}

/// Cited pieces, and how many cite a passage that is there and shares words with the piece.
fn citations(outcome: &Outcome, house: &House) -> (usize, usize) {
    let Some(draft) = &outcome.draft else { return (0, 0) };
    let valid = draft.pieces.iter().filter_map(|piece| {
        let citation = draft.citations.get(piece.cite?.checked_sub(1)?);
        let passage = citation.and_then(|c| house.index().passage_at(&c.doc, c.passage.start));
        let inside = citation
            .is_some_and(|c| c.passage.start <= c.span.start && c.span.end <= c.passage.end);
        Some(inside && passage.is_some_and(|p| token_f1(&piece.text, &p.text) > 0.0))
    });
    let valid: Vec<bool> = valid.collect();
    (valid.len(), valid.iter().filter(|yes| **yes).count())
}

fn report(rows: &[Row], result: &mut RunResult) {
    let overlaps: Vec<(f64, f64)> = rows.iter().filter_map(|row| row.overlap).collect();
    let mean =
        |of: fn(&(f64, f64)) -> f64| overlaps.iter().map(of).sum::<f64>() / overlaps.len() as f64;
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>() as f64;
    let count = |answerable, sent| {
        rows.iter().filter(|r| (r.answerable, r.sent) == (answerable, sent)).count() as f64
    };
    result.figure("queries", rows.len() as f64);
    result.figure("with_reference", overlaps.len() as f64);
    result.figure("token_f1", mean(|o| o.0));
    result.figure("rouge_l", mean(|o| o.1));
    result.figure("supported_share", sum(|r| r.supported) / sum(|r| r.sentences));
    result.figure("citation_validity", sum(|r| r.valid_citations) / sum(|r| r.citations));
    result.grouped("answerable", "answered", count(true, true));
    result.grouped("answerable", "abstained", count(true, false));
    result.grouped("unanswerable", "answered", count(false, true));
    result.grouped("unanswerable", "abstained", count(false, false));
    let drafted = rows.iter().filter(|row| row.first_ms.is_some());
    let seconds: f64 =
        drafted.map(|row| (row.total_ms - row.first_ms.unwrap_or(0.0)) / 1000.0).sum();
    result.figure("tokens_per_second", sum(|r| r.tokens) / seconds);
    let firsts: Vec<f64> = rows.iter().filter_map(|row| row.first_ms).collect();
    let totals: Vec<f64> = rows.iter().map(|row| row.total_ms).collect();
    for (name, values) in [("ttft_ms", firsts), ("total_ms", totals)] {
        for (figure, q) in [("p50", 0.5), ("p95", 0.95)] {
            result.grouped(name, figure, percentile(&values, q).unwrap_or(f64::NAN));
        }
    }
}
