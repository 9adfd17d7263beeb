//! Which of several options an answer means.

use super::slot::{Choice, Slot};
use crate::text;

/// Words of an answer that its first word decides, at most.
const SHORT: usize = 8;
/// Characters from which two words may differ by a slip or an ending.
const LONG: usize = 4;
/// First words that mean yes.
const YES: [&str; 16] = [
    "yes",
    "yeah",
    "yep",
    "yup",
    "ya",
    "y",
    "sure",
    "ok",
    "okay",
    "correct",
    "right",
    "indeed",
    "definitely",
    "absolutely",
    "certainly",
    "already",
];
/// First words that mean no.
const NO: [&str; 7] = ["no", "nope", "nah", "n", "not", "never", "negative"];
/// Words of a sentence that make it a no.
const NEGATIVE: [&str; 16] = [
    "not", "no", "never", "nope", "nothing", "none", "didnt", "doesnt", "dont", "hasnt", "havent",
    "isnt", "wasnt", "cant", "cannot", "wont",
];
/// How far into a sentence such a word makes it a no, in words.
const EARLY: usize = 6;

/// The option that a sentence means when it was asked for: by name, by its words, or by the words that only it has.
pub(super) fn chosen<'a>(slot: &'a Slot, sentence: &str) -> Option<&'a str> {
    let words = text::words(sentence);
    let named = |option: &&Choice| !words.is_empty() && text::words(&option.name) == words;
    let by_words = |option: &&Choice| is_meant(option, &words);
    let by_answer = |option: &&Choice| answers(&option.name, &words);
    let options = || slot.options.iter();
    let found = options()
        .find(named)
        .or_else(|| options().find(by_words))
        .or_else(|| options().find(by_answer));
    found.map(|option| option.name.as_str()).or_else(|| nearest(slot, sentence))
}

/// Whether one of the option's own phrases stands in the words.
pub(super) fn is_meant(option: &Choice, words: &[String]) -> bool {
    option.words.iter().any(|phrase| phrase.places(words).next().is_some())
}

/// The one option that shares the most words with the sentence.
fn nearest<'a>(slot: &'a Slot, sentence: &str) -> Option<&'a str> {
    let said = text::content_words(sentence);
    let shared = |option: &Choice| {
        let own = text::content_words(&option.name);
        own.iter().filter(|word| said.iter().any(|one| alike(one, word))).count()
    };
    let most = slot.options.iter().map(shared).max().filter(|most| *most > 0)?;
    let mut best = slot.options.iter().filter(|option| shared(option) == most);
    let first = best.next()?;
    best.next().is_none().then_some(first.name.as_str())
}

/// Whether two words are the same but for a slip or an ending.
fn alike(one: &str, other: &str) -> bool {
    let long = one.chars().count() >= LONG && other.chars().count() >= LONG;
    let near = || {
        strsim::osa_distance(one, other) <= 1 || one.starts_with(other) || other.starts_with(one)
    };
    one == other || (long && near())
}

/// Whether a sentence says the yes or no that an option is.
fn answers(option: &str, words: &[String]) -> bool {
    let Some(first) = words.first().map(String::as_str) else { return false };
    let negative = |word: &String| NEGATIVE.contains(&word.as_str()) || word.ends_with("n't");
    let is_no =
        words.iter().take(EARLY).any(negative) || (words.len() <= SHORT && NO.contains(&first));
    match option.to_lowercase().as_str() {
        "no" => is_no,
        "yes" => {
            let of_course = first == "of" && words.get(1).is_some_and(|word| word == "course");
            let did = matches!(first, "i" | "it" | "we" | "they")
                && words.len() <= SHORT
                && words.len() > 1;
            !is_no && words.len() <= SHORT && (YES.contains(&first) || of_course || did)
        }
        _ => false,
    }
}
