//! Passages beside each other: which say the same, and which cannot both be true.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::search::Passage;
use engine::text::words;

use super::claims::{Claim, stem};
use super::{Contradiction, Duplicate, Place, Said};
use crate::{Document, Index};

/// Passages that are compared with each other at most; twice as many take four times as long.
const MOST: usize = 12_000;
/// Cosine from which two passages may be about the same thing.
const RELATED: f32 = 0.6;
/// Cosine and share of words from which they say the same.
const SAME_COSINE: f32 = 0.85;
const SAME_WORDS: f32 = 0.75;
/// Words below which two passages alike are no loss.
const LEAST_WORDS: usize = 8;
/// Characters of a text that a report shows.
const SHOWN: usize = 160;

/// A passage, ready to be compared.
struct Side<'a> {
    passage: &'a Arc<Passage>,
    document: &'a Document,
    words: BTreeSet<String>,
    /// The last heading above it, else the title.
    heading: Vec<String>,
    /// Position of a sentence and what it claims.
    claims: Vec<(usize, Claim)>,
}

/// Doubles and contradictions, and how many passages were too many to compare.
pub fn pairs(index: &Index) -> (Vec<Duplicate>, Vec<Contradiction>, usize) {
    let sides: Vec<Side<'_>> =
        index.passages().iter().take(MOST).filter_map(|passage| side(index, passage)).collect();
    let (mut duplicates, mut contradictions) = (Vec::new(), Vec::new());
    for (at, first) in sides.iter().enumerate() {
        let cosines = index.vectors().cosines(index.vectors().row(at));
        for (second, cosine) in sides.iter().zip(cosines).skip(at + 1) {
            if cosine < RELATED || parallel(&first.heading, &second.heading) {
                continue;
            }
            let found = contradictions_of(first, second, cosine);
            if found.is_empty() {
                duplicates.extend(duplicate(first, second, cosine));
            }
            contradictions.extend(found);
        }
    }
    duplicates.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
    contradictions.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
    (duplicates, contradictions, index.len() - sides.len())
}

fn side<'a>(index: &'a Index, passage: &'a Arc<Passage>) -> Option<Side<'a>> {
    let document = index.document(&passage.doc)?;
    let claims = passage.sentences.iter().enumerate();
    let claims = claims.filter_map(|(at, sentence)| Some((at, Claim::of(sentence)?))).collect();
    let heading = words(passage.heading.last().unwrap_or(&passage.title));
    let words = words(&passage.text).iter().map(|word| stem(word)).collect();
    Some(Side { passage, document, words, heading, claims })
}

fn duplicate(first: &Side<'_>, second: &Side<'_>, cosine: f32) -> Option<Duplicate> {
    let shared = first.words.intersection(&second.words).count();
    let all = first.words.union(&second.words).count();
    let share = shared as f32 / all.max(1) as f32;
    let same = cosine >= SAME_COSINE && share >= SAME_WORDS && all >= LEAST_WORDS;
    same.then(|| Duplicate {
        first: Place::of(first.document, first.passage.span.start),
        second: Place::of(second.document, second.passage.span.start),
        text: shown(&first.passage.text),
        cosine,
        shared: share,
    })
}

fn contradictions_of(first: &Side<'_>, second: &Side<'_>, cosine: f32) -> Vec<Contradiction> {
    let mut found = Vec::new();
    for (a, one) in &first.claims {
        for (b, other) in &second.claims {
            if let Some(differ) = one.against(other) {
                let (first, second) = (said(first, *a), said(second, *b));
                found.push(Contradiction { first, second, differ, cosine });
            }
        }
    }
    found
}

/// Whether two headings name different things in the same words: "Basic plan" and "Pro plan".
fn parallel(first: &[String], second: &[String]) -> bool {
    let differing = first.iter().zip(second).filter(|(a, b)| a != b).count();
    first.len() == second.len() && differing > 0 && differing * 2 <= first.len()
}

fn said(side: &Side<'_>, sentence: usize) -> Said {
    let sentence = &side.passage.sentences[sentence];
    Said { at: Place::of(side.document, sentence.span.start), text: shown(&sentence.text) }
}

/// The beginning of a text on one line.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    let cut: String = line.chars().take(SHOWN).collect();
    format!("{cut}…")
}
