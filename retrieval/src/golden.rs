//! The owner's golden questions: what each has to find, and which ones an edit would turn from right to wrong.

use engine::scope::Scope;
use engine::search::{Hit, Phrase, Query, Search, SearchError};
use engine::text::words;
use serde::{Deserialize, Serialize};

/// Name of the file in the knowledge folder, one question a line.
pub const FILE: &str = "golden.jsonl";
/// Questions that are read at most.
pub const MOST: usize = 1_000;
/// Questions up to which the file grows by itself.
const GROWN: usize = 500;
/// Characters of a question that is added by itself.
const MAX_QUESTION: usize = 300;
/// Digits in a row that tell nobody; spaces and the like between them do not count.
const MAX_DIGITS: usize = 5;
/// Passages from the top among which the answer has to be.
const TOP: usize = 3;
/// Share of the answer's words that a passage has to have.
const HOLDS: f32 = 0.8;
/// Characters of a passage that a verdict shows.
const SHOWN: usize = 160;

/// A question with what it has to find. Without `doc` and `answer` nothing may be found: a person answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// As a visitor asks it.
    pub question: String,
    /// Document that has to be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// Words that the passage has to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// A line that is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{FILE}: line {line}: {problem}. A line reads {{\"question\": \"…\", \"doc\": \"page.md\", \"answer\": \"…\"}}."
)]
pub struct GoldenError {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// Reads the file; empty lines are skipped.
///
/// # Errors
/// [`GoldenError`] with the first bad line.
pub fn parse(text: &str) -> Result<Vec<Golden>, GoldenError> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let refuse = |problem: String| GoldenError { line: at + 1, problem };
        let golden: Golden = serde_json::from_str(line).map_err(|e| refuse(e.to_string()))?;
        if words(&golden.question).is_empty() {
            return Err(refuse("the question has no words".into()));
        }
        if found.len() == MOST {
            return Err(refuse(format!("{MOST} questions are the most")));
        }
        found.push(golden);
    }
    Ok(found)
}

/// The file with one more question, as it was asked by a visitor; none when it has the question already, has grown
/// enough, or when the question may tell who asked it.
///
/// # Errors
/// [`GoldenError`] when the file cannot be read.
pub fn grown(text: &str, golden: &Golden) -> Result<Option<String>, GoldenError> {
    let known = parse(text)?;
    let asked = words(&golden.question);
    let double = known.iter().any(|one| words(&one.question) == asked);
    if double || asked.len() < 2 || known.len() >= GROWN || is_personal(&golden.question) {
        return Ok(None);
    }
    let Ok(line) = serde_json::to_string(golden) else { return Ok(None) };
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    Ok(Some(format!("{text}{end}{line}\n")))
}

/// Whether a question holds an address, a link or a number that may be somebody's, or is a whole story.
fn is_personal(question: &str) -> bool {
    let mut digits = 0;
    let mut long = false;
    for c in question.chars() {
        match c {
            c if c.is_numeric() => digits += 1,
            ' ' | '-' | '.' | '/' | '(' | ')' | '+' | '\u{a0}' => {}
            _ => digits = 0,
        }
        long |= digits > MAX_DIGITS;
    }
    let link = question.contains(['@', '\n']) || question.contains("://");
    long || link || question.chars().count() > MAX_QUESTION
}

/// What a question finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether it is what it has to find.
    pub right: bool,
    /// Document of the best passage; none when nothing is close enough to answer.
    pub doc: Option<String>,
    /// Beginning of that passage.
    pub text: String,
    /// Its nearness, -1 to 1.
    pub cosine: f32,
}

/// A question whose answer an edit changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flip {
    /// The question.
    pub question: String,
    /// What it finds now.
    pub before: Verdict,
    /// What it would find.
    pub after: Verdict,
}

impl Flip {
    /// Whether the edit makes a right answer wrong.
    pub fn is_loss(&self) -> bool {
        self.before.right && !self.after.right
    }
}

/// Asks one question; nothing is answered below the nearness `floor`.
///
/// # Errors
/// As [`Search::search`].
pub fn judge(
    search: &dyn Search,
    golden: &Golden,
    embedding: &[f32],
    floor: f32,
) -> Result<Verdict, SearchError> {
    let asked = Phrase { text: &golden.question, embedding };
    let hits = search.search(&Query {
        asked,
        in_context: None,
        points_back: false,
        scope: &Scope::default(),
        limit: TOP,
    })?;
    let close = hits.iter().any(|hit| hit.nearness() >= floor);
    let first = hits.first().filter(|_| close);
    let wanted = golden.answer.as_deref().map(words).unwrap_or_default();
    let fits = |passage: &engine::search::Passage| {
        let doc = golden.doc.as_ref().is_none_or(|doc| *doc == passage.doc);
        doc && holds(&words(&passage.text), &wanted)
    };
    let nothing = golden.doc.is_none() && golden.answer.is_none();
    Ok(Verdict {
        right: if nothing { !close } else { close && hits.iter().any(|hit| fits(&hit.passage)) },
        doc: first.map(|hit| hit.passage.doc.clone()),
        text: first.map(|hit| hit.passage.text.chars().take(SHOWN).collect()).unwrap_or_default(),
        cosine: first.map_or(0.0, Hit::nearness),
    })
}

fn holds(have: &[String], wanted: &[String]) -> bool {
    let there = wanted.iter().filter(|word| have.contains(word)).count();
    there as f32 >= HOLDS * wanted.len() as f32
}

/// Pairs of verdicts that are not the same, those that become wrong first.
pub fn flips(golden: &[Golden], before: Vec<Verdict>, after: Vec<Verdict>) -> Vec<Flip> {
    let pairs = golden.iter().zip(before.into_iter().zip(after));
    let mut found: Vec<Flip> = pairs
        .filter(|(_, (before, after))| before.right != after.right || before.doc != after.doc)
        .map(|(golden, (before, after))| Flip { question: golden.question.clone(), before, after })
        .collect();
    found.sort_by_key(|flip| !flip.is_loss());
    found
}

#[cfg(test)]
mod tests {
    use engine::model::Model;
    use engine::testing::{ScriptedModel, ScriptedSearch};

    use super::*;

    #[test]
    fn bad_lines_are_named() {
        assert_eq!(parse("\n{\"question\": \"Why?\"}\n").unwrap().len(), 1);
        for (text, line) in [
            ("{\"question\": \"Why?\"}\n\nno", 3),
            ("{\"question\": \"?\"}", 1),
            ("{\"questoin\": \"x\"}", 1),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
        }
    }

    fn check_grown(text: &str, question: &str, expect: Option<&str>) {
        let doc = Some("a.md".to_owned());
        let golden = Golden { question: question.into(), doc, answer: None };
        let found = grown(text, &golden).unwrap();
        assert_eq!(found.as_deref(), expect, "{question}");
    }

    #[test]
    fn questions_are_added_once_and_tell_nobody() {
        let line = "{\"question\":\"Where is port 7878?\",\"doc\":\"a.md\"}\n";
        check_grown("", "Where is port 7878?", Some(line));
        let before = "{\"question\": \"Why?\"}";
        check_grown(before, "Where is port 7878?", Some(&format!("{before}\n{line}")));
        check_grown(line, "where is PORT 7878", None);
        for question in [
            "Why?",
            "",
            "My mail is ada@example.org, where is it?",
            "Where is order 123456?",
            "Call me at +49 (30) 12-34 please",
            "Where is my card 4111 1111 1111 1111?",
            "Is it ١٢٣٤٥٦ then?",
            "Look at https://example.org/u/ada please",
            "One\ntwo three",
            &"why ".repeat(100),
        ] {
            check_grown("", question, None);
        }
        let numbered = |n: usize| format!("{{\"question\": \"Question number n{n}\"}}\n");
        let many: String = (0..GROWN - 1).map(numbered).collect();
        check_grown(&many, "Where is port 7878?", Some(&format!("{many}{line}")));
        let full: String = (0..GROWN).map(numbered).collect();
        check_grown(&full, "Where is port 7878?", None);
        assert!(grown("no\n", &parse(line).unwrap()[0]).is_err());
    }

    #[test]
    fn a_right_answer_that_becomes_wrong_is_a_loss() {
        let before = ScriptedSearch::new(&[
            ("a.md", "Refunds", &["Refunds take five days."]),
            ("b.md", "Ports", &["The port is 7878."]),
        ]);
        let after = ScriptedSearch::new(&[
            ("a.md", "Refunds", &["Refunds take a while."]),
            ("b.md", "Ports", &["The port is 7878."]),
        ]);
        let golden = parse(
            "{\"question\": \"refunds take\", \"answer\": \"five days\"}\n{\"question\": \"port is\", \"doc\": \"b.md\"}\n{\"question\": \"zebras\"}\n",
        )
        .unwrap();
        let model = ScriptedModel::default();
        let verdicts = |search: &ScriptedSearch| -> Vec<Verdict> {
            let judged = golden.iter().map(|one| {
                // The scripted cosine is that of the words themselves.
                let vector = model.embed(&[one.question.as_str()]).unwrap().remove(0);
                judge(search, one, &vector, 0.3).unwrap()
            });
            judged.collect()
        };
        let (first, second) = (verdicts(&before), verdicts(&after));
        assert_eq!(first.iter().map(|v| v.right).collect::<Vec<_>>(), [true; 3], "{first:?}");
        let found = flips(&golden, first, second);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].is_loss() && found[0].question == "refunds take");
    }
}
