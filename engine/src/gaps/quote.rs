//! A question and its answer as a page shows them, out of what visitors and owners wrote: greetings and names go, nothing is added.

use crate::mask::mask;
use crate::text::{content_words, first_sentence, words};
use crate::tickets::line;

/// Characters of a question at most.
const QUESTION: usize = 160;
/// First words of a greeting or a signature.
const GREETINGS: [&str; 10] =
    ["hi", "hello", "hey", "dear", "hallo", "greetings", "morning", "hiya", "howdy", "moin"];
const FAREWELLS: [&str; 12] = [
    "regards",
    "best",
    "cheers",
    "sincerely",
    "yours",
    "kind",
    "warm",
    "many",
    "thanks",
    "thank",
    "greetings",
    "bye",
];
/// Words of a sentence that only greets, thanks or makes a visitor feel heard, beside those that say little.
const COURTESY: [&str; 62] = [
    "hi",
    "hello",
    "hey",
    "dear",
    "good",
    "morning",
    "afternoon",
    "evening",
    "day",
    "thanks",
    "thank",
    "thx",
    "much",
    "many",
    "lot",
    "asking",
    "reaching",
    "out",
    "writing",
    "message",
    "question",
    "great",
    "sure",
    "course",
    "no",
    "problem",
    "worries",
    "welcome",
    "you're",
    "glad",
    "happy",
    "hope",
    "helps",
    "helped",
    "let",
    "know",
    "anything",
    "else",
    "if",
    "have",
    "further",
    "more",
    "questions",
    "feel",
    "free",
    "best",
    "regards",
    "kind",
    "warm",
    "cheers",
    "bye",
    "sorry",
    "wait",
    "waiting",
    "patience",
    "moment",
    "one",
    "yes",
    "nice",
    "weekend",
    "us",
    "contacting",
];

/// A question in one line, masked, without greeting and thanks around it; empty when there is nothing else.
pub fn question(text: &str) -> String {
    let masked = mask(&crate::text::asked(text));
    let kept: Vec<String> =
        sentences(&masked).into_iter().filter(|one| !is_courtesy(one)).collect();
    line(without_greeting(kept.join(" ").trim()), QUESTION)
}

/// What an owner wrote as the answer to a page's question: masked, without greetings, names and farewells; empty when nothing is left or
/// everything asks back. `author` is the owner's name.
pub fn replies(texts: &[&str], author: &str) -> String {
    let names = words(author);
    let mut paragraphs: Vec<String> = Vec::new();
    for text in texts {
        let mut kept: Vec<String> = Vec::new();
        for line in text.lines() {
            let spoken = words(line);
            if is_farewell(&spoken, &names) {
                break;
            }
            let named = !spoken.is_empty() && spoken.iter().all(|word| names.contains(word));
            let said = said(line);
            if !named && (!said.is_empty() || line.trim().is_empty()) {
                kept.push(said);
            }
        }
        let paragraph = mask(kept.join("\n").trim());
        if !paragraph.is_empty() && !paragraphs.contains(&paragraph) {
            paragraphs.push(paragraph);
        }
    }
    let answer = paragraphs.join("\n\n");
    let asks = sentences(&answer).iter().all(|one| one.trim_end().ends_with('?'));
    if asks { String::new() } else { answer }
}

/// The sentences of one line that say something.
fn said(line: &str) -> String {
    let line = without_greeting(line.trim());
    let kept: Vec<String> = sentences(line).into_iter().filter(|one| !is_courtesy(one)).collect();
    kept.join(" ")
}

/// A line that ends a letter: "Best regards", "Thanks, Ada".
fn is_farewell(spoken: &[String], names: &[String]) -> bool {
    let first = spoken.first().is_some_and(|word| FAREWELLS.contains(&word.as_str()));
    let known = |word: &String| {
        COURTESY.contains(&word.as_str())
            || FAREWELLS.contains(&word.as_str())
            || names.contains(word)
    };
    let content: Vec<&String> = spoken.iter().filter(|word| !known(word)).collect();
    first && spoken.len() <= 5 && content.len() <= 1
}

/// Whether a sentence holds nothing but courtesy.
fn is_courtesy(sentence: &str) -> bool {
    let said = content_words(sentence);
    // "5." and "[phone]" have something to say.
    let plain = !sentence.contains(|c: char| c.is_ascii_digit() || c == '[');
    plain && said.iter().all(|word| COURTESY.contains(&word.as_str())) && !is_short_answer(sentence)
}

/// "No." and "Yes, we do." answer something.
fn is_short_answer(sentence: &str) -> bool {
    let spoken = words(sentence);
    let answers = ["yes", "no", "yep", "nope"];
    let closing = ["problem", "worries"];
    spoken.first().is_some_and(|first| answers.contains(&first.as_str()))
        && !spoken.get(1).is_some_and(|second| closing.contains(&second.as_str()))
}

/// A line without "Hi Jo," before it.
fn without_greeting(line: &str) -> &str {
    let Some(end) = line.find([',', '!', '.', '-', '–', ':', '\n']) else { return line };
    let opening = words(&line[..end]);
    let good = opening.first().is_some_and(|word| word == "good")
        && opening.len() > 1
        && is_courtesy(&line[..end]);
    let greets = opening.first().is_some_and(|word| GREETINGS.contains(&word.as_str()));
    let short = opening.len() <= 4;
    let rest = line[end..].trim_start_matches([',', '!', '.', '-', '–', ':', ' ']);
    if (greets || good) && short { rest } else { line }
}

/// Sentences of a text, with what ends them.
fn sentences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while let Some(end) = first_sentence(rest) {
        found.push(rest[..end].trim().to_owned());
        rest = rest[end..].trim_start();
    }
    if !rest.is_empty() {
        found.push(rest.to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_stands_in_one_line_without_courtesy() {
        for (text, expect) in [
            ("Do you ship to Malta?", "Do you ship to Malta?"),
            ("Hi there! Do you ship to Malta? Thanks a lot", "Do you ship to Malta?"),
            ("hi, do you ship\nto Malta", "do you ship to Malta"),
            ("Hello\nI am jo@example.org. Do you ship?", "I am [e-mail]. Do you ship?"),
            ("Good morning, is it open?", "is it open?"),
            ("Hi!", ""),
            ("", ""),
        ] {
            assert_eq!(question(text), expect, "{text:?}");
        }
    }

    fn check(texts: &[&str], expect: &str) {
        assert_eq!(replies(texts, "Ada Miller"), expect, "{texts:?}");
    }

    #[test]
    fn the_owner_is_quoted_and_nobody_is_named() {
        check(
            &["Hi Jo,\nwe ship to Malta in 5 days.\n\nBest regards\nAda Miller"],
            "we ship to Malta in 5 days.",
        );
        check(&["Hello Jo! We ship to Malta. Hope that helps!"], "We ship to Malta.");
        check(&["We ship to Malta.", "It takes 5 days."], "We ship to Malta.\n\nIt takes 5 days.");
        check(
            &["Yes, we do.\n- by mail\n- by courier\nThanks, Ada"],
            "Yes, we do.\n- by mail\n- by courier",
        );
        check(&["Which order is it?"], "");
        check(
            &["Thanks for asking! Call +49 30 12345678 or write to me@shop.example."],
            "Call [phone] or write to [e-mail].",
        );
        check(&["No."], "No.");
        check(&["You're welcome!"], "");
        check(&["Ada\nWe close at 5."], "We close at 5.");
        check(&[], "");
    }
}
