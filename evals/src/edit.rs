//! Times the gate before an edit: a candidate index with one document changed, and all golden questions before and after.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use engine::model::Model;
use engine::search::Search;
use retrieval::golden::{self, Golden, Verdict};
use retrieval::index::{Embed, Progress};
use retrieval::manifest::EmbedderId;
use retrieval::readers::foreign;
use retrieval::{Corpus, Document, Index, chunk};

use crate::house::{HouseOptions, models};
use crate::print_line;

/// Nearness below which nothing is answered; the time does not depend on it.
const FLOOR: f32 = 0.5;

/// What to time.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    /// Folder of documents; taken again under other names until there are enough.
    #[arg(long, default_value = "knowledge")]
    knowledge: PathBuf,
    /// Passages at least.
    #[arg(long, default_value_t = 1_000)]
    passages: usize,
    /// Golden questions, made of the passages' headings.
    #[arg(long, default_value_t = 100)]
    questions: usize,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let model = models(&options.house)?;
    let card = model.card();
    let embedder = EmbedderId { id: card.encoder.clone(), dimension: card.dimension };
    let mut embed =
        |texts: &[&str], _: Progress| model.embed(texts).map_err(|error| error.to_string());
    let (mut documents, index) = enough(options, &embedder, &mut embed)?;
    let golden = questions(&index, options.questions);
    let asked: Vec<&str> = golden.iter().map(|one| one.question.as_str()).collect();
    let changed = documents.first_mut().context("there is no document")?;
    *changed = Document::new(&changed.path, format!("{}\nAn edit.\n", changed.source))?;
    let corpus = Corpus::new(documents);

    let began = Instant::now();
    let vectors = model.embed(&asked)?;
    let asking = began.elapsed();
    let (candidate, built) = index.candidate(corpus, &embedder, &mut embed)?;
    let building = began.elapsed() - asking;
    let judge = |search: &dyn Search| -> Result<Vec<Verdict>> {
        let pairs = golden.iter().zip(&vectors);
        pairs.map(|(one, vector)| Ok(golden::judge(search, one, vector, FLOOR)?)).collect()
    };
    let (before, after) = (judge(&index)?, judge(&candidate)?);
    let whole = began.elapsed();
    let judging = whole - asking - building;

    let flips = golden::flips(&golden, before, after).len();
    print_line(&format!(
        "{} passages, {} golden questions, {flips} flips\n\
         questions embedded    {asking:>9.1?}\n\
         candidate built       {building:>9.1?} ({} passages embedded)\n\
         asked before, after   {judging:>9.1?}\n\
         the gate              {whole:>9.1?}",
        index.len(),
        golden.len(),
        built.embedded,
    ));
    Ok(())
}

/// The documents under other names again and again until they have enough passages, and their index.
fn enough(
    options: &Options,
    embedder: &EmbedderId,
    embed: &mut Embed<'_>,
) -> Result<(Vec<Document>, Index)> {
    let (own, _) = Corpus::read_with(&options.knowledge, &foreign::convert_here)?;
    let mut documents: Vec<Document> = Vec::new();
    let mut passages = 0;
    while passages < options.passages {
        let round = documents.len();
        for doc in own.documents() {
            // Other words in each, so that no two documents are the same.
            let source = format!("{}\n\nThis is edition {round}.\n", doc.source);
            let copy = Document::new(&format!("{round}/{}", doc.path), source)?;
            passages += chunk::passages(&copy).len();
            documents.push(copy);
        }
        ensure!(passages > 0, "{} holds no passage", options.knowledge.display());
    }
    let index = Index::in_memory(Corpus::new(documents.clone()), embedder, embed)?;
    Ok((documents, index))
}

/// Questions that have to find the document they were made of.
fn questions(index: &Index, most: usize) -> Vec<Golden> {
    let headed = index.passages().iter().filter(|passage| !passage.heading.is_empty());
    let question = |passage: &std::sync::Arc<engine::search::Passage>| Golden {
        question: passage.heading.join(" "),
        doc: Some(passage.doc.clone()),
        answer: None,
    };
    headed.map(question).take(most).collect()
}
