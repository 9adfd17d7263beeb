//! How alike two texts are by their letters: words, pairs of words and parts of words, weighted by how rare they are.

use std::collections::{BTreeMap, HashMap};

use unicode_segmentation::UnicodeSegmentation;

/// Lengths of the parts of a word, in characters. Parts survive a slip of the pen elsewhere in the word.
const PARTS: [usize; 2] = [3, 4];

/// The examples, by the parts that stand in them.
#[derive(Debug, Clone, Default)]
pub(super) struct Letters {
    parts: HashMap<u64, Part>,
    examples: usize,
}

/// A part and where it stands.
#[derive(Debug, Clone, Default)]
struct Part {
    /// ln((1 + examples) / (1 + examples with it)) + 1.
    rarity: f32,
    /// The examples with it, and its share of each one's unit-length vector.
    holders: Vec<(usize, f32)>,
}

impl Letters {
    pub(super) fn new(texts: &[&str]) -> Self {
        let bags: Vec<BTreeMap<u64, f32>> = texts.iter().map(|text| bag(text)).collect();
        let mut parts: HashMap<u64, Part> = HashMap::new();
        for (at, bag) in bags.iter().enumerate() {
            for (key, weight) in bag {
                parts.entry(*key).or_default().holders.push((at, *weight));
            }
        }
        let mut lengths = vec![0.0_f32; texts.len()];
        for part in parts.values_mut() {
            part.rarity = ((1 + texts.len()) as f32 / (1 + part.holders.len()) as f32).ln() + 1.0;
        }
        // In the order of the texts, so that the sums are the same on every run.
        for (length, bag) in lengths.iter_mut().zip(&bags) {
            let squares = bag.iter().map(|(key, weight)| (weight * parts[key].rarity).powi(2));
            *length = squares.sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        }
        for part in parts.values_mut() {
            let rarity = part.rarity;
            part.holders.iter_mut().for_each(|(at, weight)| *weight *= rarity / lengths[*at]);
        }
        Self { parts, examples: texts.len() }
    }

    /// Cosine of `text` to each example, 0 to 1. What stands in no example has no say.
    pub(super) fn cosines(&self, text: &str) -> Vec<f32> {
        let mut cosines = vec![0.0; self.examples];
        let mut square = 0.0_f32;
        for (key, weight) in bag(text) {
            let Some(part) = self.parts.get(&key) else { continue };
            let weight = weight * part.rarity;
            square += weight * weight;
            for (at, share) in &part.holders {
                cosines[*at] += weight * share;
            }
        }
        let length = square.sqrt().max(f32::MIN_POSITIVE);
        cosines.iter_mut().for_each(|cosine| *cosine /= length);
        cosines
    }
}

/// The parts of a text, hashed, with the root of how often each stands there.
fn bag(text: &str) -> BTreeMap<u64, f32> {
    let mut counts: BTreeMap<u64, f32> = BTreeMap::new();
    let mut count = |kind: char, part: &[char]| {
        let bytes =
            std::iter::once(kind).chain(part.iter().copied()).map(|c| u64::from(u32::from(c)));
        *counts.entry(hash(bytes)).or_default() += 1.0;
    };
    let mut before: Vec<char> = Vec::new();
    for word in text.unicode_words() {
        let word: Vec<char> = word.to_lowercase().chars().collect();
        count('w', &word);
        let framed: Vec<char> =
            std::iter::once('^').chain(word.iter().copied()).chain(['$']).collect();
        for length in PARTS {
            framed.windows(length).for_each(|part| count('p', part));
        }
        if !before.is_empty() {
            before.push(' ');
            before.extend(&word);
            count('b', &before);
        }
        before = word;
    }
    counts.values_mut().for_each(|count| *count = count.sqrt());
    counts
}

/// FNV-1a over numbers (Fowler, Noll and Vo).
fn hash(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0xcbf2_9ce4_8422_2325, |hash, n| (hash ^ n).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slips_stay_near_and_others_are_far() {
        let letters = Letters::new(&["Where is my invoice?", "Cancel my subscription", "Hello"]);
        for (text, nearest) in
            [("where is my invocie", 0), ("cancle subscripton", 1), ("HELLO", 2), ("helo", 2)]
        {
            let cosines = letters.cosines(text);
            let best = (0..3).max_by(|a, b| cosines[*a].total_cmp(&cosines[*b])).unwrap();
            assert_eq!(best, nearest, "{text}: {cosines:?}");
        }
        assert_eq!(letters.cosines("¿?"), [0.0; 3]);
        assert!(Letters::new(&[]).cosines("a").is_empty());
    }

    proptest! {
        #[test]
        fn cosines_are_cosines(texts in proptest::collection::vec(".{0,30}", 1..6)) {
            let refs: Vec<&str> = texts.iter().map(String::as_str).collect();
            let letters = Letters::new(&refs);
            for (at, text) in refs.iter().enumerate() {
                let cosines = letters.cosines(text);
                prop_assert!(cosines.iter().all(|c| (0.0..=1.001).contains(c)), "{cosines:?}");
                let readable = text.unicode_words().next().is_some();
                prop_assert!(!readable || (cosines[at] - 1.0).abs() < 1e-3, "{text:?}: {cosines:?}");
            }
        }
    }
}
