//! Phrases as a policy writes them: words, starts of words, alternatives, gaps, and slips of the pen that are let pass.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;

/// Words that a gap may stand for.
const GAP: usize = 4;
/// Characters from which a word may hold a slip; shorter ones have too many neighbours.
const SHORTEST_SLIP: usize = 4;

/// Words that are looked for in a sentence, in this order.
///
/// Parts are divided by spaces. `talk|speak` is either word, `refund*` every word that starts so, `person~` the word
/// with one slip of the pen at most, and `..` any words between, four at most; at the end it is all that follows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Phrase {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Gap,
    AnyOf(Vec<Word>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    text: String,
    fit: Fit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Whole,
    Start,
    Slip,
}

/// A phrase that can never stand in a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the phrase `{phrase}` {problem}")]
pub struct BadPhrase {
    phrase: String,
    problem: &'static str,
}

impl TryFrom<String> for Phrase {
    type Error = BadPhrase;

    fn try_from(phrase: String) -> Result<Self, BadPhrase> {
        let parts: Vec<Part> = phrase.split_whitespace().map(part).collect();
        let empty = |part: &Part| matches!(part, Part::AnyOf(words) if words.iter().any(|w| w.text.is_empty()));
        let problem = if parts.is_empty() {
            "has no words"
        } else if parts.first() == Some(&Part::Gap) {
            "begins with `..`; a gap stands behind a word"
        } else if parts.iter().any(empty) {
            "has an empty word, as in `a||b` or `*`"
        } else {
            return Ok(Self { parts });
        };
        Err(BadPhrase { phrase, problem })
    }
}

fn part(text: &str) -> Part {
    if text == ".." {
        return Part::Gap;
    }
    Part::AnyOf(text.to_lowercase().split('|').map(word).collect())
}

fn word(text: &str) -> Word {
    let (text, fit) = match (text.strip_suffix('*'), text.strip_suffix('~')) {
        (Some(start), _) => (start, Fit::Start),
        (_, Some(near)) => (near, Fit::Slip),
        (None, None) => (text, Fit::Whole),
    };
    Word { text: text.into(), fit }
}

impl fmt::Display for Phrase {
    /// As a policy would write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { " " })?;
            match part {
                Part::Gap => f.write_str("..")?,
                Part::AnyOf(words) => {
                    for (at, word) in words.iter().enumerate() {
                        f.write_str(if at == 0 { "" } else { "|" })?;
                        f.write_str(&word.text)?;
                        f.write_str(word.fit.mark())?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Fit {
    fn mark(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Start => "*",
            Self::Slip => "~",
        }
    }
}

impl Word {
    fn fits(&self, word: &str) -> bool {
        match self.fit {
            Fit::Whole => word == self.text,
            Fit::Start => word.starts_with(&self.text),
            Fit::Slip => word == self.text || one_slip(word, &self.text),
        }
    }
}

/// Whether two words differ by one letter that is missing, added, changed or swapped with the next.
fn one_slip(a: &str, b: &str) -> bool {
    let long = |word: &str| word.chars().count() >= SHORTEST_SLIP;
    long(a) && long(b) && strsim::osa_distance(a, b) <= 1
}

impl Phrase {
    /// Where the phrase stands in `words` (lower case), as ranges of them; each from its beginning to the nearest end.
    pub fn places<'a>(&'a self, words: &'a [String]) -> impl Iterator<Item = Range<usize>> + 'a {
        let ends = |start| end_of(words, start, &self.parts).map(|end| start..end);
        (0..words.len()).filter_map(ends)
    }
}

/// Where `parts` end when they begin at `at`.
fn end_of(words: &[String], at: usize, parts: &[Part]) -> Option<usize> {
    match parts.split_first() {
        None => Some(at),
        Some((Part::Gap, [])) => Some(words.len()),
        Some((Part::Gap, rest)) => (at..=at + GAP).find_map(|next| end_of(words, next, rest)),
        Some((Part::AnyOf(choices), rest)) => {
            let word = words.get(at)?;
            let fits = choices.iter().any(|choice| choice.fits(word));
            fits.then(|| end_of(words, at + 1, rest)).flatten()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words;

    fn check(text: &str, phrase: &str, expect: Option<Range<usize>>) {
        let phrase = Phrase::try_from(phrase.to_owned()).unwrap();
        assert_eq!(phrase.places(&words(text)).next(), expect, "{text:?} / {phrase:?}");
    }

    #[test]
    fn phrases_stand_where_a_reader_sees_them() {
        for (text, phrase, expect) in [
            ("I want a REFUND now", "refund", Some(3..4)),
            ("refunds please", "refund", None),
            ("refunds please", "refund*", Some(0..1)),
            ("Can I talk to a person?", "talk to a person", Some(2..6)),
            ("talk to the person", "talk to a person", None),
            ("I don’t care", "don't", Some(1..2)),
            ("", "refund", None),
            ("we speak with you", "talk|speak to|with", Some(1..3)),
            ("talk to a very nice human", "talk .. human", Some(0..6)),
            ("talk human", "talk .. human", Some(0..2)),
            ("talk to a a a a human", "talk .. human", None),
            ("a humna", "human~", Some(1..2)),
            ("a hmna", "human~", None),
            ("my agnet", "agent~", Some(1..2)),
            ("on", "one~", None),
            ("how many people are there", "how many ..", Some(0..5)),
            ("how many", "how many ..", Some(0..2)),
        ] {
            check(text, phrase, expect);
        }
    }

    #[test]
    fn phrases_that_can_never_match_are_refused() {
        for (phrase, part) in [
            ("", "no words"),
            (" ", "no words"),
            (".. a", "`..`"),
            ("a||b", "empty"),
            ("*", "empty"),
        ] {
            let error = Phrase::try_from(phrase.to_owned()).unwrap_err().to_string();
            assert!(error.contains(part), "{phrase:?}: {error}");
        }
    }

    #[test]
    fn a_phrase_is_shown_as_it_was_written() {
        for text in ["talk|speak~ .. human*", "how many ..", "refund*", "don't"] {
            assert_eq!(Phrase::try_from(text.to_owned()).unwrap().to_string(), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_place_lies_in_the_words(text in "\\PC{0,80}", phrase in "[a-z]{1,5}[*~]?( \\.\\. [a-z|]{1,6})?") {
            if let Ok(phrase) = Phrase::try_from(phrase) {
                let words = words(&text);
                for place in phrase.places(&words) {
                    proptest::prop_assert!(place.start < place.end && place.end <= words.len());
                }
            }
        }
    }
}
