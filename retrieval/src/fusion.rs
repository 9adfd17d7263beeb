//! Puts the words' ranking and the meaning's ranking together, query by query.
//!
//! Rank fusion loses to its better leg wherever the other is weak, so scores are fused instead: both legs scaled to 0
//! to 1 within the query (min-max; Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval"),
//! then mixed with a weight that leans to the meaning where the words say little.

/// Weight of the dense leg when the words cover the whole query, and when they cover nothing.
const DENSE_WEIGHT: (f32, f32) = (0.5, 0.8);
/// Cosine that the dense leg's scale starts at: unrelated texts score about this much with all-MiniLM-L6-v2.
const COSINE_FLOOR: f32 = 0.0;

/// A candidate's scores in both legs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    /// Cosine, -1 to 1.
    pub cosine: f32,
    /// BM25, 0 or more.
    pub bm25: f32,
    /// Share of the query's idf mass in the passage, 0 to 1.
    pub coverage: f32,
}

/// Fused scores of all candidates of one query, 0 to 1, in the order given.
pub fn fuse(candidates: &[Scores]) -> Vec<f32> {
    let top = |of: fn(&Scores) -> f32| candidates.iter().map(of).fold(0.0_f32, f32::max);
    let (best_cosine, best_bm25) = (top(|c| c.cosine), top(|c| c.bm25));
    let covered = top(|c| c.coverage).clamp(0.0, 1.0);
    let weight = DENSE_WEIGHT.1 + (DENSE_WEIGHT.0 - DENSE_WEIGHT.1) * covered;
    let dense = |c: &Scores| scaled(c.cosine - COSINE_FLOOR, best_cosine - COSINE_FLOOR);
    candidates
        .iter()
        .map(|c| weight * dense(c) + (1.0 - weight) * scaled(c.bm25, best_bm25))
        .collect()
}

/// `value` as a share of `best`, 0 when there is no best.
fn scaled(value: f32, best: f32) -> f32 {
    if best > 0.0 { (value / best).clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scores(cosine: f32, bm25: f32, coverage: f32) -> Scores {
        Scores { cosine, bm25, coverage }
    }

    #[test]
    fn the_best_of_both_legs_wins() {
        let fused = fuse(&[scores(0.8, 9.0, 1.0), scores(0.7, 2.0, 0.3), scores(0.1, 8.0, 0.9)]);
        assert!(fused[0] > 0.999 && fused[0] > fused[1] && fused[1] > fused[2], "{fused:?}");
        assert_eq!(fuse(&[]), Vec::<f32>::new());
        assert_eq!(fuse(&[scores(-0.2, 0.0, 0.0)]), [0.0]);
    }

    proptest! {
        #[test]
        fn more_in_one_leg_is_never_worse(a in -1.0_f32..1.0, b in -1.0_f32..1.0, bm25 in 0.0_f32..20.0) {
            let fused = fuse(&[scores(a.max(b), bm25, 0.5), scores(a.min(b), bm25, 0.5)]);
            prop_assert!(fused[0] >= fused[1]);
            prop_assert!(fused.iter().all(|f| (0.0..=1.0).contains(f)));
        }
    }
}
