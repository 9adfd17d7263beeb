//! Small views of plain text: words and sentences.

use unicode_segmentation::UnicodeSegmentation;

/// The words of `text` in lower case, without punctuation.
pub fn words(text: &str) -> Vec<String> {
    text.unicode_words().map(|word| word.to_lowercase().replace('’', "'")).collect()
}

/// The words of each sentence of `text`, in lower case; sentences end at `.`, `!`, `?`, `;` before white space, or at a line break.
pub fn sentences(text: &str) -> Vec<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut ends = false;
    for c in text.chars() {
        if c == '\n' || (ends && c.is_whitespace()) {
            parts.push(String::new());
        }
        ends = matches!(c, '.' | '!' | '?' | ';');
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.iter().map(|part| words(part)).filter(|words| !words.is_empty()).collect()
}

/// Words that say little about what a question is about.
const LITTLE: [&str; 60] = [
    "a", "about", "again", "am", "an", "and", "any", "are", "at", "be", "but", "by", "can",
    "could", "did", "do", "does", "for", "from", "get", "have", "hello", "help", "hi", "how", "i",
    "i'm", "in", "is", "it", "its", "just", "me", "my", "need", "of", "on", "or", "please", "so",
    "still", "tell", "that", "the", "there", "this", "to", "want", "was", "what", "what's", "when",
    "where", "which", "who", "why", "will", "with", "would", "you",
];

/// The words of `text` that say what it is about, in lower case, each once.
pub fn content_words(text: &str) -> Vec<String> {
    let mut seen = Vec::new();
    for word in words(text) {
        if !LITTLE.contains(&word.as_str()) && !seen.contains(&word) {
            seen.push(word);
        }
    }
    seen
}

/// Words that greet, thank or announce a question, beside those that say little anyway.
const COURTESY: [&str; 36] = [
    "hey",
    "good",
    "morning",
    "afternoon",
    "evening",
    "day",
    "dear",
    "team",
    "everyone",
    "all",
    "thanks",
    "thank",
    "thx",
    "cheers",
    "advance",
    "much",
    "lot",
    "many",
    "bye",
    "sorry",
    "excuse",
    "ok",
    "okay",
    "one",
    "two",
    "few",
    "quick",
    "short",
    "small",
    "simple",
    "another",
    "question",
    "questions",
    "ask",
    "let",
    "hope",
];

/// Of several lines, those that ask or tell something: greetings, thanks and the announcement of a question are left out, unless
/// there is nothing else.
pub fn asked(lines: &str) -> String {
    let says =
        |line: &&str| content_words(line).iter().any(|word| !COURTESY.contains(&word.as_str()));
    let kept: Vec<&str> = lines.lines().filter(says).collect();
    if kept.is_empty() { lines.to_owned() } else { kept.join("\n") }
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
    fn courtesy_around_a_question_is_not_what_is_asked() {
        for (lines, expect) in [
            ("Hi\none question\nIs there a default password?", "Is there a default password?"),
            ("Hello there\nHow do I add it?\nthanks in advance", "How do I add it?"),
            ("I run a shop\nhow do I start", "I run a shop\nhow do I start"),
            ("Hi\nthanks!", "Hi\nthanks!"),
            ("Hi, which port?", "Hi, which port?"),
            ("", ""),
        ] {
            assert_eq!(asked(lines), expect, "{lines:?}");
        }
    }

    #[test]
    fn words_are_kept_apart_by_sentence() {
        for (text, expect) in [
            ("Are you a bot? Get a human!", vec!["are you a bot", "get a human"]),
            ("one\ntwo", vec!["one", "two"]),
            ("Version 1.2 works", vec!["version 1.2 works"]),
            (" ?! \n", vec![]),
        ] {
            let got: Vec<String> = sentences(text).iter().map(|words| words.join(" ")).collect();
            assert_eq!(got, expect, "{text:?}");
        }
    }
}
