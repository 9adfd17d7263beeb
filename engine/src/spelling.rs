//! Slips of the pen: the word of the documents, or of the intents' examples, that was meant.

use std::collections::HashMap;

use strsim::osa_distance;
use unicode_segmentation::UnicodeSegmentation;

/// Characters from which a word may be a slip; shorter ones have too many neighbours.
const SHORTEST: usize = 4;
/// Characters from which two slips are forgiven.
const LONG: usize = 8;

/// Contractions as people type them, without the apostrophe; "wont" is no slip for "want".
const CONTRACTIONS: [&str; 24] = [
    "aint", "arent", "cant", "couldnt", "didnt", "doesnt", "dont", "hadnt", "hasnt", "havent",
    "isnt", "shouldnt", "thats", "theres", "theyll", "theyre", "theyve", "wasnt", "werent", "weve",
    "whats", "wont", "wouldnt", "youre",
];

/// The text with slips replaced by the words that were meant; `None` when there are none. A slip is a word that is not
/// `known`, and for which `spelled` has another one.
pub fn mended(
    text: &str,
    known: &dyn Fn(&str) -> bool,
    spelled: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let mut whole = String::with_capacity(text.len());
    let mut changed = false;
    for piece in text.split_word_bounds() {
        let lower = piece.to_lowercase();
        let slip = lower.chars().count() >= SHORTEST
            && lower.chars().all(char::is_alphabetic)
            && !CONTRACTIONS.contains(&lower.as_str())
            && !known(&lower);
        match slip.then(|| spelled(&lower)).flatten().filter(|meant| *meant != lower) {
            Some(meant) => {
                changed = true;
                whole.push_str(&meant);
            }
            None => whole.push_str(piece),
        }
    }
    changed.then_some(whole)
}

/// The words of some texts.
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
    /// How often it stands in the texts.
    count: u32,
}

impl Vocabulary {
    /// Collects the words that are made of letters alone.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut counts: HashMap<String, u32> = HashMap::new();
        for word in texts.flat_map(UnicodeSegmentation::unicode_words) {
            if word.chars().all(char::is_alphabetic) {
                *counts.entry(word.to_lowercase()).or_default() += 1;
            }
        }
        let mut words: Vec<Word> =
            counts.into_iter().map(|(text, count)| Word::new(text, count)).collect();
        words.sort_by(|a, b| a.text.cmp(&b.text));
        Self { words }
    }

    /// The word that `word`, in lower case, was meant to be: itself when it is among the words; else one change away (a
    /// letter more, less, other, or two swapped), two in long words; of several the nearest, then the most frequent.
    /// `None` when nothing is near.
    pub fn spelled(&self, word: &str) -> Option<String> {
        if self.words.binary_search_by(|known| known.text.as_str().cmp(word)).is_ok() {
            return Some(word.to_owned());
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
            // "eateries" is no slip for "batteries": who slips twice still begins the word rightly.
            let begins = distance < 2 || known.text.chars().next() == word.chars().next();
            (distance <= far && begins && !other).then_some((distance, known))
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

    #[test]
    fn slips_find_the_word_that_was_meant() {
        let text =
            "Refunds refund invoice invoices password subscription. Sonder sander sander ß4 größe";
        let words = Vocabulary::of(["Delivery", text].into_iter());
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
            // Two changes, one of them in the first letter.
            ("dubscribtion", None),
            ("refund", Some("refund")),
            ("refxxd", None),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(words.spelled(word).as_deref(), expect, "{word}");
        }
        assert_eq!(Vocabulary::default().spelled("refund"), None);
    }

    #[test]
    fn slips_become_the_words_that_were_meant_and_nothing_else_changes() {
        let words = Vocabulary::of(["refund invoice reddy want that"].into_iter());
        let known = |word: &str| ["ready", "about"].contains(&word);
        for (text, expect) in [
            ("Where is my refudn?", Some("Where is my refund?")),
            ("An INVOCE, please!", Some("An invoice, please!")),
            ("ready about", None),
            ("rf in r2d2 rfc-1234", None),
            ("I wont say whats that", None),
            ("refund", None),
            ("", None),
        ] {
            assert_eq!(
                mended(text, &known, &|word| words.spelled(word)).as_deref(),
                expect,
                "{text}"
            );
        }
    }
}
