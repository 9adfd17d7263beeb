//! A question and its answer as a section of a Markdown page: what somebody typed stays text, whatever it looks like.

/// Name of the page that grows from chats, below the knowledge folder.
pub const FILE: &str = "from-chats.md";
/// How it begins.
const TITLE: &str = "# Questions from chats\n";

/// The page with one more section at its end.
pub fn appended(page: &str, question: &str, answer: &str) -> String {
    let page = if page.trim().is_empty() { TITLE } else { page };
    format!("{}\n\n{}", page.trim_end(), section(question, answer))
}

/// `## Question` and the answer below it.
pub fn section(question: &str, answer: &str) -> String {
    format!("## {}\n\n{}\n", heading(question), body(answer))
}

/// One line that holds no markup.
fn heading(question: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = question.chars().map(plain).collect();
    line.split_whitespace().map(escaped).collect::<Vec<_>>().join(" ")
}

/// Every sign that Markdown could read as its own, with a backslash before it.
fn escaped(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    for c in word.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '$' | '!'
        ) && needs(c, word)
        {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// `!` means something before `[` only, `$` and `&` only within a word.
fn needs(sign: char, word: &str) -> bool {
    match sign {
        '!' => word.contains("!["),
        '&' => word.contains(';'),
        '$' => false,
        _ => true,
    }
}

/// Paragraphs and lists, and nothing that could end the section or swallow the next one: no headings, fences, rules, HTML or quotes.
fn body(answer: &str) -> String {
    let lines: Vec<String> = answer.trim().lines().map(body_line).collect();
    let mut kept: Vec<&str> = Vec::new();
    for line in &lines {
        if !(line.is_empty() && kept.last().is_some_and(|last| last.is_empty())) {
            kept.push(line);
        }
    }
    kept.join("\n")
}

fn body_line(line: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = line.chars().map(plain).collect();
    let (marker, rest) = list_marker(line.trim());
    let words: Vec<String> = rest.split_whitespace().map(escaped).collect();
    let text = words.join(" ");
    // Lines of one sign are rules or underline a heading; a sign and a blank, or a number and a dot, begin lists of their own.
    let structural = text.starts_with(['-', '+', '=', ':']) || !list_marker(&text).0.is_empty();
    match structural {
        true if text.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{marker}{}", text.replacen(['.', ')'], "\\.", 1))
        }
        true => format!("{marker}\\{text}"),
        false => format!("{marker}{text}"),
    }
}

/// `- `, `* `, `+ ` or `1. ` before what a line says.
fn list_marker(line: &str) -> (&str, &str) {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let end = match line[digits..].chars().next() {
        Some('.' | ')') if (1..=3).contains(&digits) => digits + 1,
        Some('-' | '*' | '+') if digits == 0 => 1,
        _ => return ("", line),
    };
    match line[end..].starts_with(' ') && !line[end..].trim().is_empty() {
        true => (&line[..=end], line[end..].trim_start()),
        false => ("", line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_text() {
        for (question, answer, expect) in [
            ("Do you ship to Malta?", "Yes.", "## Do you ship to Malta?\n\nYes.\n"),
            ("a\n# b", "x", "## a \\# b\n\nx\n"),
            ("<b>?", "# no\n---\n```\nx", "## \\<b\\>?\n\n\\# no\n\\---\n\\`\\`\\`\nx\n"),
            ("q", "- one\n- two\n1. three", "## q\n\n- one\n- two\n1. three\n"),
            ("q", "-\n===\n\n\n\n<!-- x", "## q\n\n\\-\n\\===\n\n\\<!-- x\n"),
            ("q", "    code\n[a]: b", "## q\n\ncode\n\\[a\\]: b\n"),
            ("q", "- - - -", "## q\n\n- \\- - -\n"),
            ("5 * 3 & 4", "R&D costs $5", "## 5 \\* 3 & 4\n\nR&D costs $5\n"),
        ] {
            assert_eq!(section(question, answer), expect);
        }
    }

    #[test]
    fn a_page_grows_at_its_end() {
        let first = appended("", "One?", "Yes.");
        assert_eq!(first, "# Questions from chats\n\n## One?\n\nYes.\n");
        assert_eq!(appended(&first, "Two?", "No."), format!("{first}\n## Two?\n\nNo.\n"));
    }
}
