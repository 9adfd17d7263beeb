//! Small views of plain text: words and phrases.

use unicode_segmentation::UnicodeSegmentation;

/// The words of `text` in lower case, without punctuation.
pub fn words(text: &str) -> Vec<String> {
    text.unicode_words().map(|word| word.to_lowercase().replace('’', "'")).collect()
}

/// Whether `phrase` stands in `words` as whole consecutive words. A part that ends in `*` matches every word that starts so.
pub fn contains_phrase(words: &[String], phrase: &str) -> bool {
    let parts: Vec<String> = phrase.split_whitespace().map(str::to_lowercase).collect();
    let fits = |(word, part): (&String, &String)| match part.strip_suffix('*') {
        Some(start) => word.starts_with(start),
        None => word == part,
    };
    !parts.is_empty() && words.windows(parts.len()).any(|run| run.iter().zip(&parts).all(fits))
}

/// Abbreviations whose dot ends no sentence.
const ABBREVIATIONS: [&str; 9] =
    ["e.g.", "i.e.", "etc.", "vs.", "mr.", "mrs.", "ms.", "dr.", "no."];

/// Length in bytes of the first finished sentence of `text`; `None` while none is finished.
///
/// A sentence ends at `.`, `!` or `?` (and closing quotes or brackets) before white space, or at a line break.
/// The dot of an abbreviation or of a list number ("1.") ends none.
pub fn first_sentence(text: &str) -> Option<usize> {
    let mut seen_word = false;
    for (at, c) in text.char_indices() {
        if c == '\n' && seen_word {
            return Some(at);
        }
        if c.is_whitespace() && seen_word && ends_sentence(&text[..at]) {
            return Some(at);
        }
        seen_word |= c.is_alphanumeric();
    }
    None
}

fn ends_sentence(text: &str) -> bool {
    let bare = text.trim_end_matches(['"', '\'', ')', ']', '”', '’', '*']);
    let last = bare.rsplit(char::is_whitespace).next().unwrap_or_default().to_lowercase();
    let number = last.strip_suffix('.').is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()));
    bare.ends_with(['.', '!', '?']) && !number && !ABBREVIATIONS.contains(&last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_a_reader_would_end_them() {
        for (text, expect) in [
            ("One. Two", Some("One.")),
            ("One.", None),
            ("Use e.g. this one. Next", Some("Use e.g. this one.")),
            ("1. Open it. 2. Close", Some("1. Open it.")),
            ("Version 1.2 works! Yes", Some("Version 1.2 works!")),
            ("A line\nnext", Some("A line")),
            ("\n\n", None),
            ("He said \"go.\" Then", Some("He said \"go.\"")),
        ] {
            assert_eq!(first_sentence(text).map(|end| &text[..end]), expect, "{text:?}");
        }
    }

    #[test]
    fn phrases_match_whole_words() {
        for (text, phrase, expect) in [
            ("I want a REFUND now", "refund", true),
            ("refunds please", "refund", false),
            ("refunds please", "refund*", true),
            ("Can I talk to a person?", "talk to a person", true),
            ("talk to the person", "talk to a person", false),
            ("I don’t care", "don't", true),
            ("", "refund", false),
            ("refund", "", false),
        ] {
            assert_eq!(contains_phrase(&words(text), phrase), expect, "{text:?} / {phrase:?}");
        }
    }
}
