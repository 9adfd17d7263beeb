//! Which passage supports a sentence: shared content words, with numbers, names and negation exact.

use std::ops::Range;

use crate::search::{Hit, Passage};
use crate::text;

/// Share of a sentence's content words that neighbouring sentences of one passage have to hold.
const SUPPORT: f32 = 0.6;
/// Neighbouring sentences of a passage that may support a sentence together.
const WINDOW: usize = 3;

/// The place that supports a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Support {
    /// Position in the hits.
    pub hit: usize,
    /// The passage's sentences that hold it.
    pub sentences: Range<usize>,
    /// Share of the sentence's content words found there, [`SUPPORT`] to 1.
    pub share: f32,
}

/// Finds the passage that supports `sentence`; `None` when none does.
///
/// A number of the sentence that the place lacks, or a negation on one side only, is no support.
/// Sentences without content words ("Yes, you can.") are not supported by anything.
pub fn support(sentence: &str, hits: &[Hit]) -> Option<Support> {
    let wanted = Claim::of(sentence);
    if wanted.content.is_empty() {
        return None;
    }
    let mut best: Option<Support> = None;
    for (index, hit) in hits.iter().enumerate() {
        if let Some((sentences, share)) = best_window(&wanted, &hit.passage)
            && best.as_ref().is_none_or(|b| share > b.share)
        {
            best = Some(Support { hit: index, sentences, share });
        }
    }
    best
}

fn best_window(wanted: &Claim, passage: &Passage) -> Option<(Range<usize>, f32)> {
    let claims: Vec<Claim> = passage.sentences.iter().map(|s| Claim::of(&s.text)).collect();
    let context = Claim::of(&format!("{} {}", passage.title, passage.heading.join(" ")));
    let mut best: Option<(Range<usize>, f32)> = None;
    // Short windows first: of two that hold as much, the tighter one is cited.
    for length in 1..=WINDOW.min(claims.len()) {
        for start in 0..=claims.len() - length {
            let share = wanted.share_in(&claims[start..start + length], &context);
            if share >= SUPPORT && best.as_ref().is_none_or(|(_, s)| share > *s) {
                best = Some((start..start + length, share));
            }
        }
    }
    best
}

/// A sentence taken apart.
struct Claim {
    content: Vec<String>,
    numbers: Vec<String>,
    negated: bool,
}

impl Claim {
    fn of(sentence: &str) -> Self {
        let words = text::words(sentence);
        let is_number = |word: &&String| word.chars().any(|c| c.is_ascii_digit());
        Self {
            numbers: words.iter().filter(is_number).cloned().collect(),
            negated: words.iter().any(|word| is_negation(word)),
            content: words.iter().filter(|w| is_content(w)).map(|w| stem(w)).collect(),
        }
    }

    /// Share of this claim's content in `window`; 0 when a number is missing or the negation differs.
    fn share_in(&self, window: &[Claim], context: &Claim) -> f32 {
        let holds = |part: fn(&Claim) -> &Vec<String>, word: &String| {
            window.iter().any(|c| part(c).contains(word)) || part(context).contains(word)
        };
        let numbers = self.numbers.iter().all(|n| holds(|c| &c.numbers, n));
        let negation = self.negated == window.iter().any(|c| c.negated);
        if !numbers || !negation {
            return 0.0;
        }
        let found = self.content.iter().filter(|w| holds(|c| &c.content, w)).count();
        found as f32 / self.content.len() as f32
    }
}

fn is_negation(word: &str) -> bool {
    matches!(
        word,
        "not" | "no" | "never" | "cannot" | "none" | "nothing" | "without" | "neither" | "nor"
    ) || word.ends_with("n't")
}

/// Function words of English that carry no claim.
const FUNCTION_WORDS: [&str; 64] = [
    "a", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "do",
    "does", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its",
    "may", "of", "on", "once", "or", "our", "should", "so", "such", "than", "that", "the", "their",
    "them", "then", "there", "these", "they", "this", "those", "to", "was", "we", "were", "what",
    "when", "where", "which", "will", "with", "would", "yes", "you", "your", "also", "just",
];

fn is_content(word: &str) -> bool {
    !FUNCTION_WORDS.contains(&word) && !is_negation(word)
}

/// Cuts the commonest English endings, so that "installs" meets "install"; both sides are cut alike.
fn stem(word: &str) -> String {
    let cut = ["ing", "ed", "es", "s"].iter().find_map(|end| word.strip_suffix(end));
    match cut {
        Some(short) if short.chars().count() >= 3 => short.trim_end_matches('e').into(),
        _ => word.trim_end_matches('e').into(),
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::passage;

    fn check(sentence: &str, expect: Option<Range<usize>>) {
        let sentences = [
            "Porchlight listens on port 7878.",
            "Change the port with --listen.",
            "Backups are not encrypted.",
        ];
        let passage = Arc::new(passage("a.md", "Port", &sentences));
        let hit = Hit {
            passage,
            score: 1.0,
            cosine: 1.0,
            unit: 1.0,
            bm25: 1.0,
            coverage: 1.0,
            typical: 0.0,
        };
        assert_eq!(support(sentence, &[hit]).map(|s| s.sentences), expect, "{sentence}");
    }

    #[test]
    fn supports_what_stands_there_and_nothing_else() {
        check("Porchlight listens on port 7878.", Some(0..1));
        check("You can change the port by --listen.", Some(1..2));
        check("Porchlight listens on port 8080.", None);
        check("Backups are encrypted.", None);
        check("Backups are not encrypted.", Some(2..3));
        check("Porchlight supports SSO with Okta.", None);
        check("Yes, you can.", None);
        check("", None);
    }
}
