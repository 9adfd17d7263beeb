//! Ranks what both legs found once more, sentence by sentence, and with the conversation in mind.
//!
//! A passage's vector blurs what its sentences say, and its title alone may be the question; so the nearest of its
//! heading and sentences counts as much as the whole. Words count by how much of the question they cover. The weights
//! are round numbers from a sweep over nine sets of very different owners, where all of their neighbours do as well.

/// Weight of the share of the question's words that the passage holds; cosines have weight 1.
const COVERAGE: f32 = 0.35;
/// Weight of BM25, as a share of about the most that the question's words could score.
const BM25: f32 = 0.2;
/// Sum of all weights: scores lie between 0 and 1.
const WHOLE: f32 = 2.0 + COVERAGE + BM25;
/// BM25 of one word that stands in the text often: its idf times k1 + 1 (k1 = 1.2, as in tantivy).
const MOST: f32 = 2.2;
/// A question whose best passage is this near stands for itself.
const NEAR: f32 = 0.6;
/// How fast the words before gain weight below that.
const PULL: f32 = 2.0;
/// Weight of the words before when the question points back at them.
const POINTED: f32 = 0.6;

/// What is known of one candidate for one wording of the question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Cosine with the passage, -1 to 1.
    pub cosine: f32,
    /// Cosine with the nearest of its heading and sentences, -1 to 1.
    pub unit: f32,
    /// Share of the question's idf mass that it holds, 0 to 1.
    pub coverage: f32,
    /// BM25, 0 or more.
    pub bm25: f32,
}

impl Evidence {
    /// How well it answers, 0 to 1; `mass` is the sum of the idf of the question's words.
    pub fn score(&self, mass: f32) -> f32 {
        let words = if mass > 0.0 { (self.bm25 / (mass * MOST)).min(1.0) } else { 0.0 };
        let sum =
            self.cosine.max(0.0) + self.unit.max(0.0) + COVERAGE * self.coverage + BM25 * words;
        (sum / WHOLE).clamp(0.0, 1.0)
    }

    /// Both wordings' evidence, the second with `weight`.
    pub fn with(&self, other: &Self, weight: f32) -> Self {
        let mix = |a: f32, b: f32| (a + weight * b) / (1.0 + weight);
        Self {
            cosine: mix(self.cosine, other.cosine),
            unit: mix(self.unit, other.unit),
            coverage: mix(self.coverage, other.coverage),
            bm25: mix(self.bm25, other.bm25),
        }
    }
}

/// Weight of the question together with the words before it, against 1 for the question alone: the less the question
/// alone finds, the more it leans on what came before. `best` is the best cosine that it finds alone.
/// One that points back leans on it in any case.
pub fn lean(best: f32, points_back: bool) -> f32 {
    let least = if points_back { POINTED } else { 0.0 };
    (PULL * (NEAR - best)).clamp(least, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn questions_that_find_little_lean_on_the_words_before() {
        let rows =
            [(0.9, 0.0, 0.6), (0.6, 0.0, 0.6), (0.35, 0.5, 0.6), (0.1, 1.0, 1.0), (-1.0, 1.0, 1.0)];
        for (best, alone, pointing) in rows {
            assert!((lean(best, false) - alone).abs() < 1e-6, "{best}");
            assert!((lean(best, true) - pointing).abs() < 1e-6, "{best}");
        }
    }

    proptest! {
        #[test]
        fn more_of_anything_is_never_worse(
            a in -1.0_f32..1.0, b in -1.0_f32..1.0, c in 0.0_f32..1.0, d in 0.0_f32..60.0,
            more in 0.0_f32..0.5, mass in 0.0_f32..30.0,
        ) {
            let one = Evidence { cosine: a, unit: b, coverage: c, bm25: d };
            let score = one.score(mass);
            prop_assert!((0.0..=1.0).contains(&score));
            for better in [
                Evidence { cosine: a + more, ..one },
                Evidence { unit: b + more, ..one },
                Evidence { coverage: c + more, ..one },
                Evidence { bm25: d + more, ..one },
            ] {
                prop_assert!(better.score(mass) >= score);
            }
            prop_assert_eq!(one.with(&one, more).score(mass) > score + 1e-5, false);
        }
    }
}
