//! The documents' own words, and the one that a slip of the pen was meant to be.

use std::collections::HashMap;

use engine::search::Passage;
use strsim::osa_distance;
use unicode_segmentation::UnicodeSegmentation;

/// Characters from which two slips are forgiven.
const LONG: usize = 8;

/// The words of all passages.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// In the order of the alphabet.
    words: Vec<Word>,
}

#[derive(Debug, Clone)]
struct Word {
    text: String,
    chars: usize,
    /// One bit for each of its characters, folded into 64.
    letters: u64,
    /// How often it stands in the passages.
    count: u32,
}

impl Vocabulary {
    /// Collects the words of titles, headings and texts that are made of letters alone.
    pub fn of<'a>(passages: impl Iterator<Item = &'a Passage>) -> Self {
        let mut counts: HashMap<String, u32> = HashMap::new();
        for passage in passages {
            let places = std::iter::once(&passage.title).chain(&passage.heading);
            for word in places.chain([&passage.text]).flat_map(|text| text.unicode_words()) {
                if word.chars().all(char::is_alphabetic) {
                    *counts.entry(word.to_lowercase()).or_default() += 1;
                }
            }
        }
        let mut words: Vec<Word> =
            counts.into_iter().map(|(text, count)| Word::new(text, count)).collect();
        words.sort_by(|a, b| a.text.cmp(&b.text));
        Self { words }
    }

    /// The word that `word`, in lower case, was meant to be: one change away (a letter more, less, other, or two
    /// swapped), two in long words; of several the nearest, then the most frequent. `None` when `word` itself stands
    /// in the documents or nothing is near.
    pub fn nearest(&self, word: &str) -> Option<String> {
        if self.words.binary_search_by(|known| known.text.as_str().cmp(word)).is_ok() {
            return None;
        }
        let wanted = Word::new(word.into(), 0);
        let far = if wanted.chars >= LONG { 2 } else { 1 };
        let near = |known: &&Word| {
            known.chars.abs_diff(wanted.chars) <= far
                && (known.letters ^ wanted.letters).count_ones() as usize <= 2 * far
        };
        let scored = self.words.iter().filter(near).filter_map(|known| {
            // "uninstall" is no slip for "install": a word before which something stands says something else.
            let other = known.text.ends_with(word) || word.ends_with(&known.text);
            let distance = osa_distance(&known.text, word);
            (distance <= far && !other).then_some((distance, known))
        });
        // The first of equals, so that the choice does not change from run to run.
        let best = scored.min_by_key(|(distance, known)| (*distance, u32::MAX - known.count));
        best.map(|(_, known)| known.text.clone())
    }
}

impl Word {
    fn new(text: String, count: u32) -> Self {
        let letters = text.chars().fold(0, |bits, c| bits | 1 << (u32::from(c) % 64));
        Self { chars: text.chars().count(), letters, count, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, chunk};

    #[test]
    fn slips_find_the_word_that_was_meant() {
        let text =
            "Refunds refund invoice invoices password subscription. Sonder sander sander ß4 größe";
        let document = Document::from_parts("d", "Delivery", text.into());
        let passages = chunk::passages(&document);
        let words = Vocabulary::of(passages.iter().map(AsRef::as_ref));
        for (word, expect) in [
            ("refudn", Some("refund")),
            ("invoce", Some("invoice")),
            ("delivrey", Some("delivery")),
            ("subscribtoin", Some("subscription")),
            ("subscribtiom", Some("subscription")),
            ("pasword", Some("password")),
            // Two are one change away: the more frequent one.
            ("snder", Some("sander")),
            // A word before which something stands is another word, not a slip.
            ("unsubscription", None),
            ("repassword", None),
            ("grösse", None),
            ("größee", Some("größe")),
            ("refund", None),
            ("refxxd", None),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(words.nearest(word).as_deref(), expect, "{word}");
        }
        assert_eq!(Vocabulary::default().nearest("refund"), None);
    }
}
