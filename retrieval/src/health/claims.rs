//! What a sentence claims, as far as words tell: its subject, its numbers with their units, whether it denies.

use std::collections::{BTreeSet, HashSet};

use engine::search::{Sentence, SentenceKind};
use engine::text::words;

use super::Differ;

/// Words that two sentences have to share before they are about the same thing.
const LEAST_SHARED: usize = 3;
/// Share of all their words that both have, from which two sentences are about the same thing.
const ABOUT_THE_SAME: f32 = 0.6;
/// The same for a denial, where a stray "not" would say much.
const SAME_BUT_DENIED: f32 = 0.7;

const STOP: [&str; 58] = [
    "a", "an", "and", "are", "as", "at", "be", "been", "by", "can", "do", "does", "for", "from",
    "had", "has", "have", "how", "if", "in", "into", "is", "it", "its", "of", "on", "or", "our",
    "so", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to",
    "up", "was", "we", "were", "what", "when", "where", "which", "who", "will", "with", "would",
    "you", "your", "yours", "us", "may", "also",
];
const DENIALS: [&str; 9] =
    ["not", "no", "never", "cannot", "without", "neither", "nor", "none", "nobody"];
const NUMBERS: [(&str, &str); 12] = [
    ("one", "1"),
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("ten", "10"),
    ("eleven", "11"),
    ("twelve", "12"),
];
const CURRENCIES: [(char, &str); 4] =
    [('$', "dollar"), ('€', "euro"), ('£', "pound"), ('%', "percent")];

/// One sentence, ready to be compared.
#[derive(Debug, Clone, Default)]
pub(super) struct Claim {
    /// Stems of the words that carry meaning, without numbers.
    about: BTreeSet<String>,
    /// Those written as names: in capitals within the sentence, or with a digit or underscore inside.
    names: BTreeSet<String>,
    /// Number and stem of the word after it, or the currency.
    numbers: Vec<(String, String)>,
    denies: bool,
}

impl Claim {
    /// What a sentence claims; `None` for code and for questions.
    pub(super) fn of(sentence: &Sentence) -> Option<Self> {
        let text = sentence.text.trim();
        // Cells of a row stand for themselves, so rows of one table look alike and say different things.
        let plain = !matches!(sentence.kind, SentenceKind::Code | SentenceKind::Row);
        (plain && !text.ends_with('?')).then(|| Self::read(text))
    }

    fn read(text: &str) -> Self {
        let mut claim = Self::default();
        let mut waiting: Option<String> = None;
        for (place, token) in text.split_whitespace().enumerate() {
            let bare = token.trim_matches(|c: char| !c.is_alphanumeric() && !"$€£%".contains(c));
            if let Some((number, unit)) = number(bare) {
                claim.numbers.extend(waiting.take().map(|number| (number, String::new())));
                match unit {
                    Some(unit) => claim.numbers.push((number, unit)),
                    None => waiting = Some(number),
                }
                continue;
            }
            let sign = CURRENCIES.iter().find(|(sign, _)| bare.chars().eq([*sign]));
            if let Some((number, (_, name))) = waiting.take_if(|_| sign.is_some()).zip(sign) {
                claim.numbers.push((number, (*name).to_owned()));
            }
            claim.word(bare, place, &mut waiting);
        }
        claim.numbers.extend(waiting.map(|number| (number, String::new())));
        claim
    }

    fn word(&mut self, bare: &str, place: usize, waiting: &mut Option<String>) {
        for word in words(bare) {
            self.denies |= DENIALS.contains(&word.as_str()) || word.ends_with("n't");
            if STOP.contains(&word.as_str()) || DENIALS.contains(&word.as_str()) {
                continue;
            }
            let stem = stem(&word);
            self.numbers.extend(waiting.take().map(|number| (number, stem.clone())));
            let capital = place > 0 && bare.chars().any(char::is_uppercase);
            if capital || bare.contains('_') || word.chars().any(|c| c.is_ascii_digit()) {
                self.names.insert(stem.clone());
            }
            self.about.insert(stem);
        }
    }

    /// How two sentences contradict each other, if they do.
    pub(super) fn against(&self, other: &Self) -> Option<Differ> {
        let shared = self.about.intersection(&other.about).count();
        let all = self.about.union(&other.about).count();
        let same = shared as f32 / all.max(1) as f32;
        if shared < LEAST_SHARED || same < ABOUT_THE_SAME || self.names_another(other) {
            return None;
        }
        if self.denies != other.denies && same >= SAME_BUT_DENIED && self.numbers == other.numbers {
            return Some(Differ::Negation);
        }
        (self.denies == other.denies && self.counts_differently(other)).then_some(Differ::Number)
    }

    /// Whether each names something that the other does not: "the Basic plan", "the Pro plan".
    fn names_another(&self, other: &Self) -> bool {
        let own = self.names.iter().any(|name| !other.about.contains(name));
        let theirs = other.names.iter().any(|name| !self.about.contains(name));
        own && theirs
    }

    /// Whether both count the same thing, and no count of one is a count of the other.
    fn counts_differently(&self, other: &Self) -> bool {
        let units: HashSet<&String> = self.numbers.iter().map(|(_, unit)| unit).collect();
        let counts = |claim: &Self, unit: &String| -> BTreeSet<String> {
            let fitting = claim.numbers.iter().filter(|(_, own)| own == unit);
            fitting.map(|(number, _)| number.clone()).collect()
        };
        units.into_iter().any(|unit| {
            let (own, theirs) = (counts(self, unit), counts(other, unit));
            !theirs.is_empty() && own.is_disjoint(&theirs)
        })
    }
}

/// A number as digits, with its currency where it is written with one.
fn number(token: &str) -> Option<(String, Option<String>)> {
    let unit = CURRENCIES.iter().find(|(sign, _)| token.contains(*sign));
    let digits = token.trim_matches(|c: char| CURRENCIES.iter().any(|(sign, _)| *sign == c));
    let spelled = NUMBERS.iter().find(|(word, _)| digits.eq_ignore_ascii_case(word));
    let unit = unit.map(|(_, name)| (*name).to_owned());
    if let Some((_, number)) = spelled {
        return Some(((*number).to_owned(), unit));
    }
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || ".,:".contains(c));
    plain.then(|| (digits.replace(',', ""), unit))
}

/// A word without the endings that English puts on it; rough, and the same for both sides.
pub(super) fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let cut = ["ing", "ed", "es", "s"].iter().find_map(|end| word.strip_suffix(end));
    let stem = cut.filter(|stem| stem.len() >= 3).unwrap_or(word);
    stem.trim_end_matches('e').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(first: &str, second: &str, expect: Option<Differ>) {
        let (a, b) = (Claim::read(first), Claim::read(second));
        assert_eq!(a.against(&b), expect, "{first} / {second}: {a:?} {b:?}");
        assert_eq!(b.against(&a), expect, "the order does not matter");
    }

    #[test]
    fn sentences_that_cannot_both_be_true() {
        use Differ::{Negation, Number};
        check(
            "Refunds take 5 days to arrive.",
            "Refunds arrive after they take seven days.",
            Some(Number),
        );
        check("The Pro plan costs $10 a month.", "The Pro plan costs 12 $ a month.", Some(Number));
        check("The Pro plan costs $10 a month.", "The Pro plan costs $10 a month.", None);
        check("The Pro plan costs $10 a month.", "The Basic plan costs $5 a month.", None);
        check(
            "The key timeout_s has the default 60.",
            "The key keep_versions has the default 10.",
            None,
        );
        check("Porchlight reads PDF files.", "Porchlight does not read PDF files.", Some(Negation));
        check("Porchlight reads PDF files.", "Porchlight doesn't read HTML pages.", None);
        check("Orders ship within two days.", "Orders ship within 2 days.", None);
        check("Orders ship within two days.", "Orders ship within 2 days or 5 days.", None);
        check("Support is open 9 to 17 hours.", "Lunch is from 12 to 13 hours.", None);
        check(
            "The warranty covers batteries for 12 months.",
            "The warranty covers batteries for 24 months.",
            Some(Number),
        );
        check("Short.", "Long 5.", None);
    }
}
