//! Searches an index: both legs, their fusion, and the second look at what they found.

use std::borrow::Cow;
use std::sync::Arc;

use engine::scope::{Scope, primary};
use engine::search::{Hit, Passage, Phrase, Query, Search, SearchError};

use crate::Index;
use crate::company;
use crate::fusion::{self, Scores};
use crate::lexical::Words;
use crate::second_look::{self, Evidence};

/// Candidates that each leg brings to the fusion.
const CANDIDATES: usize = 60;
/// Passages whose mean cosine is typical of what a question finds.
const TYPICAL: usize = 60;
/// Best of the fusion that are looked at again.
const LOOKED_AT: usize = 100;

/// How one query ranks passages, leg by leg; each best first.
#[derive(Debug, Clone)]
pub struct Legs {
    /// By words alone; passages without any of the words are left out.
    pub lexical: Vec<Hit>,
    /// By meaning alone.
    pub dense: Vec<Hit>,
    /// Both together.
    pub fused: Vec<Hit>,
}

/// One wording's scores of all passages.
struct Scored {
    cosines: Vec<f32>,
    words: Words,
    embedding: Vec<f32>,
}

/// A candidate and its score.
type Ranked = Vec<(usize, f32)>;

impl Index {
    /// What each leg finds for one wording, at most `limit` passages each; for measuring the legs against each other
    /// and against [`Search::search`].
    ///
    /// # Errors
    /// As [`Search::search`].
    pub fn legs(&self, asked: &Phrase<'_>, limit: usize) -> Result<Legs, SearchError> {
        let asked = self.scored(asked)?;
        let (bm25, all) = (asked.bm25(), self.admitted(&Scope::default()));
        let typical = typical(&asked.cosines, &all);
        let hits = |ranked: &Ranked| -> Vec<Hit> {
            let hit = |(at, score): &(usize, f32)| {
                self.hit(*at, *score, &self.evidence(&asked, *at), typical)
            };
            ranked.iter().map(hit).collect()
        };
        let words = best(&bm25, &all, limit).into_iter().filter(|at| bm25[*at] > 0.0);
        let meaning = best(&asked.cosines, &all, limit).into_iter();
        let mut fused = fused(&asked, &all);
        fused.truncate(limit);
        Ok(Legs {
            lexical: hits(&words.map(|at| (at, bm25[at])).collect()),
            dense: hits(&meaning.map(|at| (at, asked.cosines[at])).collect()),
            fused: hits(&fused),
        })
    }

    fn scored(&self, phrase: &Phrase<'_>) -> Result<Scored, SearchError> {
        let (expected, got) = (self.vectors.dimension(), phrase.embedding.len());
        if got != expected {
            return Err(SearchError::Dimension { expected, got });
        }
        Ok(Scored {
            cosines: self.vectors.cosines(phrase.embedding),
            words: self
                .lexical
                .scores(phrase.text)
                .map_err(|e| SearchError::Index(e.to_string()))?,
            embedding: phrase.embedding.to_vec(),
        })
    }

    /// What a query finds among the passages at `admitted`, in their order: the second look at what the legs of the question,
    /// alone and in its context, have found.
    pub(crate) fn search_among(
        &self,
        admitted: &[usize],
        query: &Query<'_>,
    ) -> Result<Vec<Hit>, SearchError> {
        let asked = &self.scored(&query.asked)?;
        let nearest = admitted.iter().map(|at| asked.cosines[*at]).fold(0.0, f32::max);
        let lean = second_look::lean(nearest, query.points_back);
        let context = match &query.in_context {
            Some(phrase) if lean > 0.0 => Some(self.scored(phrase)?),
            _ => None,
        };
        let mut candidates: Vec<usize> =
            fused(asked, admitted).into_iter().map(|(at, _)| at).collect();
        if let Some(context) = &context {
            candidates.extend(fused(context, admitted).into_iter().map(|(at, _)| at));
            candidates.sort_unstable();
            candidates.dedup();
        }
        let mass = asked.words.mass;
        let typical = typical(&mixed(asked, context.as_ref(), lean), admitted);
        let looked = candidates.iter().map(|&at| {
            let own = self.evidence(asked, at);
            let Some(context) = &context else {
                return self.hit(at, own.score(mass), &own, typical);
            };
            let other = self.evidence(context, at);
            let score = own.score(mass) + lean * other.score(context.words.mass);
            self.hit(at, score / (1.0 + lean), &own.with(&other, lean), typical)
        });
        let mut hits: Vec<Hit> = looked.collect();
        let cosine = |a: usize, b: usize| self.vectors.cosine(candidates[a], candidates[b]);
        company::sort(&mut hits, &cosine);
        hits.truncate(query.limit);
        Ok(hits)
    }

    /// Passages that a question of `scope` may be answered from, in their order.
    fn admitted(&self, scope: &Scope) -> Vec<usize> {
        let all = 0..self.passages.len();
        if scope.is_open() || self.leaves_out_none(scope) {
            return all.collect();
        }
        all.filter(|at| scope.admits(&self.passages[*at].scope)).collect()
    }

    /// Whether a scope asks for nothing but the one language that all documents are in, which most questions do.
    fn leaves_out_none(&self, scope: &Scope) -> bool {
        let rest = Scope { language: String::new(), ..scope.clone() };
        let language = primary(&scope.language);
        rest.is_open() && self.languages.iter().all(|known| known.eq_ignore_ascii_case(language))
    }

    fn evidence(&self, scored: &Scored, at: usize) -> Evidence {
        let words = scored.words.passages[at];
        Evidence {
            cosine: scored.cosines[at],
            unit: self.vectors.nearest_unit(at, &scored.embedding),
            coverage: words.coverage,
            bm25: words.bm25,
        }
    }

    fn hit(&self, at: usize, score: f32, evidence: &Evidence, typical: f32) -> Hit {
        let Evidence { cosine, unit, coverage, bm25 } = *evidence;
        let passage = Arc::clone(&self.passages[at]);
        Hit { passage, score, cosine, unit, bm25, coverage, typical }
    }
}

impl Scored {
    fn bm25(&self) -> Vec<f32> {
        self.words.passages.iter().map(|passage| passage.bm25).collect()
    }
}

/// Cosines of the question, after the words before it with the weight `lean` where there are such.
fn mixed<'a>(asked: &'a Scored, context: Option<&Scored>, lean: f32) -> Cow<'a, [f32]> {
    let Some(context) = context else { return Cow::Borrowed(&asked.cosines) };
    let pairs = asked.cosines.iter().zip(&context.cosines);
    pairs.map(|(own, other)| (own + lean * other) / (1.0 + lean)).collect()
}

/// Mean of the highest cosines of `admitted` after the first: of [`TYPICAL`], or of half of them where there are few.
fn typical(cosines: &[f32], admitted: &[usize]) -> f32 {
    let count = TYPICAL.min(admitted.len().div_ceil(2));
    let others = best(cosines, admitted, count + 1).split_off(1.min(admitted.len()));
    others.iter().map(|at| cosines[*at]).sum::<f32>() / others.len().max(1) as f32
}

/// The best of both legs among `admitted`, ranked by their fused scores.
fn fused(scored: &Scored, admitted: &[usize]) -> Ranked {
    let bm25 = scored.bm25();
    let mut chosen = best(&scored.cosines, admitted, CANDIDATES);
    chosen.extend(best(&bm25, admitted, CANDIDATES).into_iter().filter(|at| bm25[*at] > 0.0));
    chosen.sort_unstable();
    chosen.dedup();
    let scores: Vec<Scores> = chosen
        .iter()
        .map(|at| Scores {
            cosine: scored.cosines[*at],
            bm25: bm25[*at],
            coverage: scored.words.passages[*at].coverage,
        })
        .collect();
    let fused = fusion::fuse(&scores);
    let all: Vec<usize> = (0..fused.len()).collect();
    best(&fused, &all, LOOKED_AT).into_iter().map(|at| (chosen[at], fused[at])).collect()
}

impl Search for Index {
    fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>, SearchError> {
        self.search_among(&self.admitted(query.scope), query)
    }

    fn spelled(&self, word: &str) -> Option<String> {
        self.vocabulary.spelled(word)
    }

    fn speaks(&self, language: &str) -> bool {
        self.languages.is_empty() || self.languages.contains(&language.to_lowercase())
    }

    fn passages_of(&self, path: &str) -> Vec<Arc<Passage>> {
        self.passages().iter().filter(|passage| passage.doc == path).cloned().collect()
    }

    fn knowledge_version(&self) -> &str {
        self.corpus.hash()
    }
}

/// The `count` positions of `among` with the highest scores, highest first; equal scores in their order.
fn best(scores: &[f32], among: &[usize], count: usize) -> Vec<usize> {
    let mut order = among.to_vec();
    let higher = |a: &usize, b: &usize| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b));
    if order.len() > count && count > 0 {
        order.select_nth_unstable_by(count - 1, higher);
    }
    order.truncate(count);
    order.sort_unstable_by(higher);
    order
}
