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

#[cfg(test)]
mod tests {
    use super::*;

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
