//! Scripted `Model` and `Search` for tests: what they answer is written down beforehand.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::draft::Mode;
use crate::model::{Model, ModelCard, ModelError, Prompt, Sampling, Stop, Token};
use crate::search::{Hit, Passage, Query, Search, SearchError, Sentence, SentenceKind};
use crate::text::words;

/// Dimensions of [`ScriptedModel`]'s vectors.
pub const DIMENSION: usize = 64;

/// A model whose vectors are hashed words and whose free text is a script.
pub struct ScriptedModel {
    card: ModelCard,
    /// Free text that `generate` gives, by a part of the prompt's last user message.
    pub scripts: HashMap<String, String>,
    /// Words that it knows; all when the list is empty.
    pub known: Vec<String>,
    /// Called before every token; tests block or fail in it.
    pub before_token: Option<Box<dyn Fn() -> Result<(), ModelError> + Send + Sync>>,
}

impl Default for ScriptedModel {
    fn default() -> Self {
        let card = ModelCard {
            encoder: "scripted-encoder".into(),
            dimension: DIMENSION,
            drafter: "scripted-drafter".into(),
            drafter_sha256: "0".repeat(64),
            context_tokens: 2048,
            draft: Mode::Quote,
        };
        Self { card, scripts: HashMap::new(), known: Vec::new(), before_token: None }
    }
}

impl ScriptedModel {
    fn step(&self) -> Result<(), ModelError> {
        self.before_token.as_ref().map_or(Ok(()), |hook| hook())
    }

    fn script(&self, prompt: &Prompt) -> &str {
        let asked = prompt.messages.iter().rev().map(|m| m.text.as_str());
        asked
            .flat_map(|text| {
                self.scripts.iter().filter(move |(part, _)| text.contains(part.as_str()))
            })
            .map(|(_, script)| script.as_str())
            .next()
            .unwrap_or_default()
    }
}

impl Model for ScriptedModel {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        Ok(texts.iter().map(|text| hashed_words(text)).collect())
    }

    fn knows_word(&self, word: &str) -> bool {
        self.known.is_empty() || self.known.iter().any(|known| known == word)
    }

    fn count_tokens(&self, text: &str) -> Result<usize, ModelError> {
        Ok(words(text).len())
    }

    fn score(&self, _prompt: &Prompt, continuations: &[&str]) -> Result<Vec<f32>, ModelError> {
        self.step()?;
        Ok(continuations.iter().map(|text| -1.0 / (1.0 + text.len() as f32)).collect())
    }

    fn generate(
        &self,
        prompt: &Prompt,
        sampling: &Sampling,
        on_token: &mut dyn FnMut(&Token) -> ControlFlow<()>,
    ) -> Result<Stop, ModelError> {
        for (count, piece) in self.script(prompt).split_inclusive(' ').enumerate() {
            if count == sampling.max_tokens {
                return Ok(Stop::Length);
            }
            self.step()?;
            if on_token(&Token { text: piece.into(), logprob: -0.1 }).is_break() {
                return Ok(Stop::Cancelled);
            }
        }
        Ok(Stop::End)
    }
}

/// A search over a handful of passages by shared words.
#[derive(Default)]
pub struct ScriptedSearch {
    passages: Vec<Arc<Passage>>,
    /// Languages that there are documents in; any when the list is empty.
    pub languages: Vec<String>,
}

impl ScriptedSearch {
    /// A search over `(doc, heading, sentences)`.
    pub fn new(passages: &[(&str, &str, &[&str])]) -> Self {
        let passages = passages.iter().map(|p| Arc::new(passage(p.0, p.1, p.2))).collect();
        Self { passages, languages: Vec::new() }
    }

    /// A search over these passages.
    pub fn of(passages: Vec<Passage>) -> Self {
        Self { passages: passages.into_iter().map(Arc::new).collect(), languages: Vec::new() }
    }

    /// The passage of `doc` that starts at byte `start`.
    pub fn passage_at(&self, doc: &str, start: usize) -> Option<Arc<Passage>> {
        self.passages.iter().find(|p| p.doc == doc && p.span.start == start).cloned()
    }
}

impl Search for ScriptedSearch {
    fn search(&self, query: &Query<'_>) -> Result<Vec<Hit>, SearchError> {
        let wanted = words(query.asked.text);
        let mut hits: Vec<Hit> = self.passages.iter().map(|p| hit(p, query, &wanted)).collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score));
        hits.truncate(query.limit);
        Ok(hits)
    }

    fn speaks(&self, language: &str) -> bool {
        self.languages.is_empty() || self.languages.iter().any(|known| known == language)
    }

    fn passages_of(&self, path: &str) -> Vec<Arc<Passage>> {
        self.passages.iter().filter(|passage| passage.doc == path).cloned().collect()
    }

    fn knowledge_version(&self) -> &str {
        "scripted"
    }
}

/// A passage of prose sentences.
pub fn passage(doc: &str, heading: &str, sentences: &[&str]) -> Passage {
    let mut at = 0;
    let sentence = |text: &&str| {
        let span = at..at + text.len();
        at = span.end + 1;
        Sentence { text: (*text).into(), span, block: 0, kind: SentenceKind::Prose }
    };
    let sentences: Vec<Sentence> = sentences.iter().map(sentence).collect();
    Passage {
        doc: doc.into(),
        title: doc.trim_end_matches(".md").into(),
        heading: vec![heading.into()],
        scope: crate::scope::Scope::default(),
        span: 0..sentences.last().map_or(0, |s| s.span.end),
        text: sentences.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join(" "),
        sentences,
    }
}

fn hit(passage: &Arc<Passage>, query: &Query<'_>, wanted: &[String]) -> Hit {
    let text = format!("{} {}", passage.heading.join(" "), passage.text);
    let have = words(&text);
    let shared = wanted.iter().filter(|word| have.contains(word)).count() as f32;
    let coverage = shared / wanted.len().max(1) as f32;
    let cosine = crate::intent::dot(query.asked.embedding, &hashed_words(&text));
    Hit {
        passage: passage.clone(),
        score: coverage,
        cosine,
        unit: cosine,
        bm25: shared,
        coverage,
        typical: 0.0,
    }
}

/// Words hashed (FNV-1a) into a unit-length bag.
fn hashed_words(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0_f32; DIMENSION];
    for word in words(text) {
        let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
            (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
        });
        vector[(hash % DIMENSION as u64) as usize] += 1.0;
    }
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|x| *x /= norm);
    }
    vector
}
