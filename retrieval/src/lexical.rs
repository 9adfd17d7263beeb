//! Ranks passages by their words: BM25 over title, headings and text, with English stems, on tantivy's index.

use std::path::Path;

use tantivy::postings::Postings;
use tantivy::query::Bm25Weight;
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer,
    StopWordFilter, TextAnalyzer,
};
use tantivy::{DocSet, Index, Searcher, TERMINATED, TantivyDocument, Term};

use engine::search::Passage;

/// Name of the analyser in the index.
const ANALYSER: &str = "porchlight_en";
/// Bytes a word may have.
const MAX_WORD: usize = 40;
/// Memory from which the writer would begin another segment; what is needed is taken bit by bit.
const WRITER_BYTES: usize = 2_000_000_000;
/// Weight of each field's BM25: a word in the title or a heading says more than one in the text.
const BOOSTS: [f32; 3] = [1.5, 1.5, 1.0];

/// A passage's score for a query.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Lexical {
    /// Sum of the fields' BM25, 0 or more.
    pub bm25: f32,
    /// Share of the query's idf mass whose words stand in the passage, 0 to 1.
    pub coverage: f32,
}

/// What the words of a query say of all passages.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// The passages' scores, in their order.
    pub passages: Vec<Lexical>,
    /// Sum of the idf of the query's words.
    pub mass: f32,
}

/// The words of all passages; passage n is document n.
pub struct LexicalIndex {
    searcher: Searcher,
    analyser: TextAnalyzer,
    fields: [Field; 3],
}

impl LexicalIndex {
    /// Builds it in `folder`, which exists and is empty, or in memory.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn build<'a>(
        folder: Option<&Path>,
        passages: impl Iterator<Item = &'a Passage>,
    ) -> tantivy::Result<Self> {
        let (schema, fields) = schema();
        let index = match folder {
            Some(folder) => Index::create_in_dir(folder, schema)?,
            None => Index::create_in_ram(schema),
        };
        index.tokenizers().register(ANALYSER, analyser()?);
        // One thread and one commit: passages keep their order, in one segment.
        let mut writer = index.writer_with_num_threads(1, WRITER_BYTES)?;
        writer.set_merge_policy(Box::new(tantivy::merge_policy::NoMergePolicy));
        for passage in passages {
            let mut document = TantivyDocument::default();
            document.add_text(fields[0], &passage.title);
            document.add_text(fields[1], passage.heading.join(" "));
            document.add_text(fields[2], &passage.text);
            writer.add_document(document)?;
        }
        writer.commit()?;
        writer.wait_merging_threads()?;
        Self::over(&index, fields)
    }

    /// Opens what [`LexicalIndex::build`] left in `folder`, after checking its checksums.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn open(folder: &Path) -> tantivy::Result<Self> {
        let (_, fields) = schema();
        let index = Index::open_in_dir(folder)?;
        let damaged = index.validate_checksum()?;
        if let Some(file) = damaged.iter().next() {
            let problem = format!("checksum of {} does not match", file.display());
            return Err(tantivy::TantivyError::SystemError(problem));
        }
        index.tokenizers().register(ANALYSER, analyser()?);
        Self::over(&index, fields)
    }

    fn over(index: &Index, fields: [Field; 3]) -> tantivy::Result<Self> {
        let searcher = index.reader()?.searcher();
        // Segments are ordered by size, so in several passage n would no longer be document n.
        if searcher.segment_readers().len() > 1 {
            let problem = "it has more than one segment: the documents are too many for one index";
            return Err(tantivy::TantivyError::SystemError(problem.into()));
        }
        Ok(Self { searcher, analyser: analyser()?, fields })
    }

    /// Number of passages.
    pub fn len(&self) -> usize {
        usize::try_from(self.searcher.num_docs()).unwrap_or(usize::MAX)
    }

    /// Whether there is no passage.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The score of every passage, in their order.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn scores(&self, query: &str) -> tantivy::Result<Words> {
        let mut scores = vec![Lexical::default(); self.len()];
        let words = self.words(query);
        let mut mass = 0.0;
        let mut held: Vec<bool> = vec![false; scores.len()];
        for word in &words {
            held.fill(false);
            for (field, boost) in self.fields.into_iter().zip(BOOSTS) {
                self.add(&Term::from_field_text(field, word), boost, &mut scores, &mut held)?;
            }
            let count = held.iter().filter(|held| **held).count();
            let idf = idf(count, scores.len());
            mass += idf;
            let holders = scores.iter_mut().zip(&held).filter(|(_, held)| **held);
            holders.for_each(|(score, _)| score.coverage += idf);
        }
        if mass > 0.0 {
            scores.iter_mut().for_each(|score| score.coverage /= mass);
        }
        Ok(Words { passages: scores, mass })
    }

    /// Adds one word's BM25 in one field and marks the passages that hold it.
    fn add(
        &self,
        term: &Term,
        boost: f32,
        scores: &mut [Lexical],
        held: &mut [bool],
    ) -> tantivy::Result<()> {
        if self.searcher.doc_freq(term)? == 0 {
            return Ok(());
        }
        let weight =
            Bm25Weight::for_terms(&self.searcher, std::slice::from_ref(term))?.boost_by(boost);
        let mut first = 0_usize;
        for segment in self.searcher.segment_readers() {
            let norms = segment.get_fieldnorms_reader(term.field())?;
            let inverted = segment.inverted_index(term.field())?;
            if let Some(mut postings) =
                inverted.read_postings(term, IndexRecordOption::WithFreqs)?
            {
                let mut doc = postings.doc();
                while doc != TERMINATED {
                    let passage = first + doc as usize;
                    scores[passage].bm25 +=
                        weight.score(norms.fieldnorm_id(doc), postings.term_freq());
                    held[passage] = true;
                    doc = postings.advance();
                }
            }
            first += segment.max_doc() as usize;
        }
        Ok(())
    }

    /// The distinct stems of a text, without words that stand everywhere.
    fn words(&self, text: &str) -> Vec<String> {
        let mut analyser = self.analyser.clone();
        let mut stream = analyser.token_stream(text);
        let mut words: Vec<String> = Vec::new();
        while let Some(token) = stream.next() {
            if !words.contains(&token.text) {
                words.push(token.text.clone());
            }
        }
        words
    }
}

impl std::fmt::Debug for LexicalIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LexicalIndex").field("passages", &self.len()).finish_non_exhaustive()
    }
}

/// Inverse document frequency as BM25 has it (Robertson and Zaragoza 2009), never negative.
fn idf(holders: usize, passages: usize) -> f32 {
    let (holders, passages) = (holders as f32, passages as f32);
    (1.0 + (passages - holders + 0.5) / (holders + 0.5)).ln()
}

fn schema() -> (Schema, [Field; 3]) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(ANALYSER)
        .set_index_option(IndexRecordOption::WithFreqs);
    let options = TextOptions::default().set_indexing_options(indexing);
    let fields =
        ["title", "heading", "text"].map(|name| builder.add_text_field(name, options.clone()));
    (builder.build(), fields)
}

fn analyser() -> tantivy::Result<TextAnalyzer> {
    let missing = || {
        tantivy::TantivyError::SystemError("tantivy was built without English stop words".into())
    };
    let stop_words = StopWordFilter::new(Language::English).ok_or_else(missing)?;
    Ok(TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(MAX_WORD))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(stop_words)
        .filter(Stemmer::new(Language::English))
        .build())
}

#[cfg(test)]
mod tests {
    use crate::Document;

    use super::*;

    fn index(texts: &[&str]) -> LexicalIndex {
        let documents = texts.iter().map(|text| Document::from_parts("d", "", (*text).into()));
        let passages: Vec<_> = documents.flat_map(|d| crate::chunk::passages(&d)).collect();
        LexicalIndex::build(None, passages.iter().map(std::convert::AsRef::as_ref)).unwrap()
    }

    #[test]
    fn words_rank_passages_by_stem_rarity_and_coverage() {
        let index =
            index(&["Refunds take five days.", "Invoices and refunds.", "The weather is fine."]);
        let scores = index.scores("How long does a refund take?").unwrap().passages;
        assert!(scores[0].bm25 > scores[1].bm25 && scores[1].bm25 > 0.0, "{scores:?}");
        assert_eq!(scores[2], Lexical::default());
        assert!(
            scores[0].coverage > scores[1].coverage && scores[0].coverage < 1.0,
            "`long` stands nowhere"
        );
        assert_eq!(index.scores("the and of").unwrap().passages, [Lexical::default(); 3]);
        assert_eq!(index.scores("").unwrap().passages, [Lexical::default(); 3]);
    }

    #[test]
    fn odd_queries_do_no_harm() {
        let index = index(&["Some text."]);
        for query in ["\"(:*^~[", "AND OR NOT", "\u{0}\u{200b}", &"x".repeat(100_000)] {
            assert_eq!(index.scores(query).unwrap().passages.len(), 1, "{query:.20}");
        }
    }
}
