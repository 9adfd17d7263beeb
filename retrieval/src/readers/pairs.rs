//! Questions with their answers, from CSV or JSON lines: each question becomes a heading, its answer the text below.

use serde::Deserialize;

use super::foreign::ConvertError;
use super::{decode, emit, html};

/// Pairs of one file at most.
const MAX_PAIRS: usize = 20_000;
/// Bytes of one question or answer at most.
const MAX_FIELD: usize = 256 * 1024;
/// Names of the question's column; the first is the one that messages name.
const QUESTION: [&str; 3] = ["question", "q", "prompt"];
/// Names of the answer's column.
const ANSWER: [&str; 4] = ["answer", "a", "response", "completion"];
/// What separates fields; told by the first line.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// A question with its answer.
#[derive(Debug, Deserialize)]
struct Pair {
    #[serde(alias = "q", alias = "prompt")]
    question: String,
    #[serde(alias = "a", alias = "response", alias = "completion")]
    answer: String,
}

/// Markdown of a CSV file with the columns `question` and `answer`.
///
/// # Errors
/// [`ConvertError`], with the line, when the columns are missing or a row has another number of fields.
pub fn csv(bytes: &[u8]) -> Result<String, ConvertError> {
    let text = decode::text(bytes, None)?;
    let head = text.lines().next().unwrap_or_default();
    let count = |separator: &u8| head.bytes().filter(|byte| byte == separator).count();
    let separator = SEPARATORS.into_iter().rev().max_by_key(count).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|error| ragged(&error))?.clone();
    let column = |names: &[&str]| {
        columns.iter().position(|name| names.iter().any(|known| name.eq_ignore_ascii_case(known)))
    };
    let (Some(question), Some(answer)) = (column(&QUESTION), column(&ANSWER)) else {
        let problem =
            "names no column `question` and `answer`. Let the first line be question,answer";
        return Err(ConvertError::Line { line: 1, problem: problem.into() });
    };
    let mut page = Pairs::default();
    for record in reader.records() {
        let record = record.map_err(|error| ragged(&error))?;
        let line = record.position().map_or(1, csv::Position::line);
        let field = |at: usize| record.get(at).unwrap_or_default();
        page.add(line, field(question), field(answer))?;
    }
    page.finish()
}

fn ragged(error: &csv::Error) -> ConvertError {
    let line = error.position().map_or(1, csv::Position::line);
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "has {len} fields, the first line has {expected_len}. Put text with a separator in it between quotes."
        ),
        _ => error.to_string(),
    };
    ConvertError::Line { line, problem }
}

/// Markdown of a file whose lines are JSON objects with `question` and `answer`.
///
/// # Errors
/// [`ConvertError`], with the line.
pub fn json_lines(bytes: &[u8]) -> Result<String, ConvertError> {
    let text = decode::text(bytes, None)?;
    let mut page = Pairs::default();
    for (line, json) in (1..).zip(text.lines()) {
        if json.trim().is_empty() {
            continue;
        }
        let pair: Pair = serde_json::from_str(json).map_err(|error| {
            // The place within the line; its number is said already.
            let said = error.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            let problem = format!(
                "is no JSON object with the texts `question` and `answer`: {said} in column {}",
                error.column()
            );
            ConvertError::Line { line, problem }
        })?;
        page.add(line, &pair.question, &pair.answer)?;
    }
    page.finish()
}

#[derive(Default)]
struct Pairs {
    page: emit::Page,
    count: usize,
}

impl Pairs {
    /// Adds a pair; one that lacks its answer is not answered yet and left out.
    fn add(&mut self, line: u64, question: &str, answer: &str) -> Result<(), ConvertError> {
        let error = |problem: String| Err(ConvertError::Line { line, problem });
        if question.len().max(answer.len()) > MAX_FIELD {
            return error(format!("has a field of more than {MAX_FIELD} bytes"));
        }
        if answer.trim().is_empty() {
            return Ok(());
        }
        if question.trim().is_empty() {
            return error("has an answer without a question".into());
        }
        self.count += 1;
        if self.count > MAX_PAIRS {
            return Err(ConvertError::Many { what: "questions", most: MAX_PAIRS });
        }
        self.page.heading(2, question);
        self.page.block(&contained(answer)?);
        Ok(())
    }

    fn finish(self) -> Result<String, ConvertError> {
        if self.page.is_empty() {
            return Err(ConvertError::Empty);
        }
        Ok(self.page.finish(&emit::Top::default()))
    }
}

/// The answer as Markdown that stays below its question: no headings, no open fences, no raw HTML.
fn contained(answer: &str) -> Result<String, ConvertError> {
    if html::is_markup(answer) {
        return html::fragment(answer);
    }
    let mut out = String::new();
    let mut fence: Option<&str> = None;
    for line in answer.lines() {
        let bare = line.trim_start();
        let marks = ["```", "~~~"].into_iter().find(|marks| bare.starts_with(marks));
        match (fence, marks) {
            (None, Some(marks)) => fence = Some(marks),
            (Some(open), Some(marks)) if open == marks => fence = None,
            _ => {}
        }
        let underline = !bare.is_empty() && bare.trim_end().bytes().all(|b| b == b'=' || b == b'-');
        let opens = bare.starts_with('#') || bare.starts_with('<') || underline;
        if fence.is_none() && marks.is_none() && opens {
            out.push('\\');
            out.push_str(bare);
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    if let Some(marks) = fence {
        out.push_str(marks);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &str, expect: &str) {
        assert_eq!(csv(bytes.as_bytes()).unwrap(), expect, "{bytes:?}");
    }

    #[test]
    fn each_question_is_a_heading() {
        check("question,answer\nHow?,So.\n", "## How?\n\nSo.\n");
        check(
            "\u{feff}Id;Answer;QUESTION\r\n1;\"So; and\r\nso.\";How?\r\n",
            "## How?\n\nSo; and\nso.\n",
        );
        check(
            "q\ta\nHow?\tSo.\n\nWhy?\t\nWhere *now*?\tHere.\n",
            "## How?\n\nSo.\n\n## Where \\*now\\*?\n\nHere.\n",
        );
        check(
            "question,answer\nHow?,\"# So\n===\n<!-- x\n```\n# code\"\n",
            "## How?\n\n\\# So\n\\===\n\\<!-- x\n```\n# code\n```\n",
        );
        check(
            "question,answer\nHow?,\"<p>So <b>it</b> is.</p><ul><li>a</li></ul>\"\n",
            "## How?\n\nSo it is.\n\n- a\n",
        );
        let lines = "{\"question\":\"How?\",\"answer\":\"So.\",\"id\":7}\n\n{\"q\":\"Why?\",\"a\":\"Thus.\"}\n";
        assert_eq!(json_lines(lines.as_bytes()).unwrap(), "## How?\n\nSo.\n\n## Why?\n\nThus.\n");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (bytes, expect) in [
            ("question,answer\na,b\nc\n", "line 3: has 1 fields, the first line has 2"),
            ("question,answer\na,b,c\n", "line 2: has 3 fields"),
            ("question,answer\n\"a\nb\",c\nd,e,f\n", "line 4: has 3 fields"),
            ("question,text\na,b\n", "line 1: names no column"),
            ("question,answer\n,b\n", "line 2: has an answer without a question"),
            ("question,answer\n", "is empty"),
            ("question,answer\nHow?,\n", "is empty"),
        ] {
            let said = csv(bytes.as_bytes()).unwrap_err().to_string();
            assert!(said.contains(expect), "{bytes:?}: {said}");
        }
        for (bytes, expect) in [
            (
                "{\"question\":\"a\",\"answer\":\"b\"}\n{\"question\":\"a\"}\n",
                "line 2: is no JSON object with the texts `question` and `answer`: missing field `answer` in column",
            ),
            ("[1]\n", "line 1: is no JSON object"),
            ("{\"question\":\"a\",\"answer\":[\"b\"]}\n", "invalid type"),
            (&format!("{{\"question\":{}", "[".repeat(100_000)), "line 1: is no JSON object"),
        ] {
            let said = json_lines(bytes.as_bytes()).unwrap_err().to_string();
            assert!(said.contains(expect), "{bytes:?}: {said}");
        }
        let long = format!("question,answer\nHow?,{}\n", "a".repeat(MAX_FIELD + 1));
        assert!(
            csv(long.as_bytes())
                .unwrap_err()
                .to_string()
                .contains("line 2: has a field of more than")
        );
        let many = format!("question,answer\n{}", "a,b\n".repeat(MAX_PAIRS + 1));
        assert!(
            csv(many.as_bytes()).unwrap_err().to_string().contains("more than 20000 questions")
        );
    }
}
