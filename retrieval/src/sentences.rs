//! Cuts plain text into sentences the way a reader would.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Abbreviations after which a sentence goes on.
const ABBREVIATIONS: [&str; 16] = [
    "e.g.", "i.e.", "etc.", "vs.", "cf.", "approx.", "incl.", "no.", "fig.", "mr.", "mrs.", "ms.",
    "dr.", "st.", "inc.", "ltd.",
];

/// Byte ranges of the sentences of `text`, without the white space around them, in order.
pub fn split(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, piece) in text.split_sentence_bound_indices() {
        let range = trimmed(piece, at);
        if range.is_empty() {
            continue;
        }
        match found.last_mut() {
            Some(last) if goes_on(&text[last.clone()], &text[range.clone()]) => {
                last.end = range.end
            }
            _ => found.push(range),
        }
    }
    found
}

fn trimmed(piece: &str, at: usize) -> Range<usize> {
    let start = at + (piece.len() - piece.trim_start().len());
    start..(at + piece.trim_end().len()).max(start)
}

/// Whether `next` belongs to the sentence `before`.
fn goes_on(before: &str, next: &str) -> bool {
    let last = before.rsplit(char::is_whitespace).next().unwrap_or_default().to_lowercase();
    let last = last.trim_start_matches(['(', '"', '“']);
    let ended = before
        .trim_end_matches([')', ']', '"', '”', '’', '\''])
        .ends_with(['.', '!', '?', ':', '…', '。']);
    let lower = next.chars().next().is_some_and(char::is_lowercase);
    let number = last
        .strip_suffix('.')
        .is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
    ABBREVIATIONS.contains(&last) || !ended || lower || (number && before.len() <= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let found: Vec<&str> = split(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn sentences_are_cut_where_a_reader_would() {
        check("One. Two! Three?", &["One.", "Two!", "Three?"]);
        check("Use e.g. port 80. Then stop.", &["Use e.g. port 80.", "Then stop."]);
        check("Version 1.2.3 is out. Get it.", &["Version 1.2.3 is out.", "Get it."]);
        check("Edit config.toml and save. Done.", &["Edit config.toml and save.", "Done."]);
        check("Ask Dr. Who. He knows.", &["Ask Dr. Who.", "He knows."]);
        check("  spaced  ", &["spaced"]);
        check("", &[]);
    }
}
