//! Groups of near vectors: average linkage, cut where the mean cosine of two groups falls below a threshold.

use crate::intent::dot;

/// Mean cosine from which two groups are one question.
pub const NEAR: f32 = 0.6;

/// Cosine of a unit vector and another one, -1 to 1 where both are unit vectors.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    dot(a, b)
}

/// Places of the vectors that belong together, each group in order, the groups by their first place.
///
/// The agglomeration of UPGMA by chains of nearest neighbours (Murtagh 1983): as many steps as vectors, each over what is left, so n² in
/// time and memory; 2,000 vectors take 16 MB. Of equally near ones the first counts.
pub fn clusters(vectors: &[&[f32]], near: f32) -> Vec<Vec<usize>> {
    let mut forest = Forest::of(vectors);
    let mut chain: Vec<usize> = Vec::new();
    let mut settled: Vec<Vec<usize>> = Vec::new();
    while let Some(start) = chain.last().copied().or_else(|| forest.first()) {
        if chain.is_empty() {
            chain.push(start);
        }
        let before = chain.len().checked_sub(2).map(|at| chain[at]);
        match forest.nearest(start, before).filter(|(_, cosine)| *cosine >= near) {
            // Nothing that is left will ever be near enough: means of groups do not rise (average linkage is reducible).
            None => {
                chain.pop();
                settled.extend(forest.take(start));
            }
            Some((other, _)) if Some(other) == before => {
                chain.truncate(chain.len() - 2);
                forest.merge(start.min(other), start.max(other));
            }
            Some((other, _)) => chain.push(other),
        }
    }
    for members in &mut settled {
        members.sort_unstable();
    }
    settled.sort();
    settled
}

/// Groups that are not settled, with their mean cosines.
struct Forest {
    size: usize,
    cosines: Vec<f32>,
    members: Vec<Option<Vec<usize>>>,
}

impl Forest {
    fn of(vectors: &[&[f32]]) -> Self {
        let size = vectors.len();
        let mut cosines = vec![0.0; size * size];
        for (a, one) in vectors.iter().enumerate() {
            for (b, other) in vectors.iter().enumerate().skip(a + 1) {
                let near = dot(one, other);
                cosines[a * size + b] = near;
                cosines[b * size + a] = near;
            }
        }
        Self { size, cosines, members: (0..size).map(|at| Some(vec![at])).collect() }
    }

    fn first(&self) -> Option<usize> {
        self.members.iter().position(Option::is_some)
    }

    fn left(&self) -> impl Iterator<Item = usize> {
        self.members.iter().enumerate().filter(|(_, members)| members.is_some()).map(|(at, _)| at)
    }

    /// The nearest other group; of equally near ones `before`, so that chains end, then the first.
    fn nearest(&self, at: usize, before: Option<usize>) -> Option<(usize, f32)> {
        let row = &self.cosines[at * self.size..(at + 1) * self.size];
        let mut best = before.map(|before| (before, row[before]));
        for other in self.left().filter(|other| *other != at) {
            if best.is_none_or(|(_, cosine)| row[other] > cosine) {
                best = Some((other, row[other]));
            }
        }
        best
    }

    /// Joins `b` to `a`; their mean cosines with others are weighted by their sizes (Lance and Williams 1967).
    fn merge(&mut self, a: usize, b: usize) {
        let Some(joined) = self.take(b) else { return };
        let (of_a, of_b) = (self.members[a].as_ref().map_or(0, Vec::len), joined.len());
        let share = of_b as f32 / (of_a + of_b).max(1) as f32;
        for other in 0..self.size {
            let (one, two) =
                (self.cosines[a * self.size + other], self.cosines[b * self.size + other]);
            let mean = one + (two - one) * share;
            self.cosines[a * self.size + other] = mean;
            self.cosines[other * self.size + a] = mean;
        }
        self.members[a].get_or_insert_default().extend(joined);
    }

    fn take(&mut self, at: usize) -> Option<Vec<usize>> {
        self.members[at].take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(degrees: f32) -> Vec<f32> {
        let angle = degrees.to_radians();
        vec![angle.cos(), angle.sin()]
    }

    #[test]
    fn near_vectors_are_one_group() {
        for (degrees, expect) in [
            (vec![], vec![]),
            (vec![0.0], vec![vec![0]]),
            (vec![0.0, 90.0], vec![vec![0], vec![1]]),
            (vec![0.0, 90.0, 10.0, 100.0], vec![vec![0, 2], vec![1, 3]]),
            // The ends of a row are far from each other: no chain of near ones makes one group.
            (vec![0.0, 40.0, 80.0, 120.0], vec![vec![0, 1], vec![2, 3]]),
            (vec![5.0, 5.0, 5.0], vec![vec![0, 1, 2]]),
        ] {
            let vectors: Vec<Vec<f32>> = degrees.iter().map(|degrees| at(*degrees)).collect();
            let vectors: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
            assert_eq!(clusters(&vectors, 0.6), expect, "{degrees:?}");
        }
    }
}
