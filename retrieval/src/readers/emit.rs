//! Writes Markdown that reads back as the very text it was given.

/// A page of Markdown that grows block by block.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    /// Whether the last block was an item of a list.
    in_list: bool,
}

/// What the top of the page says about it.
#[derive(Debug, Default)]
pub(super) struct Top<'a> {
    /// Title of the document.
    pub(super) title: Option<&'a str>,
    /// Language of the text, as a BCP 47 tag.
    pub(super) language: Option<&'a str>,
    /// What was left out of it, and why.
    pub(super) left_out: Option<&'a str>,
}

/// Characters of a title at most.
const MAX_TITLE: usize = 300;
/// Bytes of a language tag at most.
const MAX_TAG: usize = 35;

impl Page {
    /// A heading of level 1 to 6; deeper ones are 6.
    pub(super) fn heading(&mut self, level: usize, text: &str) {
        let text = escape(text);
        if !text.is_empty() {
            self.block(&format!(
                "{} {}",
                "#".repeat(level.clamp(1, 6)),
                text.trim_end_matches('#')
            ));
        }
    }

    /// A paragraph. `text` is Markdown of one line without block marks at its start.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.block(&guarded(text));
    }

    /// An item of a list, `indent` spaces to the right, after a marker such as `-` or `2.`.
    pub(super) fn item(&mut self, indent: usize, marker: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let line = format!("{:indent$}{marker} {}", "", guarded(text));
        if self.in_list {
            self.text.push_str(&line);
            self.text.push('\n');
        } else {
            self.block(&line);
            self.in_list = true;
        }
    }

    /// A table of escaped cells; the first row is its head.
    pub(super) fn table(&mut self, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let mut lines = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let cells: Vec<String> = (0..columns)
                .map(|n| row.get(n).map(|cell| cell.replace('|', "\\|")).unwrap_or_default())
                .collect();
            lines.push(format!("| {} |", cells.join(" | ")));
            if number == 0 {
                lines.push(format!("|{}", "---|".repeat(columns)));
            }
        }
        if columns > 0 {
            self.block(&lines.join("\n"));
        }
    }

    /// Code as it stands.
    pub(super) fn code(&mut self, code: &str) {
        let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat((longest + 1).max(3));
        if !code.trim().is_empty() {
            self.block(&format!("{fence}\n{}\n{fence}", code.trim_matches('\n').trim_end()));
        }
    }

    /// Markdown that is known to be whole blocks.
    pub(super) fn block(&mut self, markdown: &str) {
        let markdown = markdown.trim_end();
        if markdown.trim().is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(markdown);
        self.text.push('\n');
        self.in_list = false;
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The whole page under its front matter.
    pub(super) fn finish(self, top: &Top<'_>) -> String {
        let title = top.title.map(one_line).filter(|title| !title.is_empty());
        let title: Option<String> = title.map(|title| title.chars().take(MAX_TITLE).collect());
        let language = top.language.filter(|tag| !tag.is_empty() && tag.len() <= MAX_TAG);
        let keys =
            [("title", title.as_deref()), ("language", language), ("left_out", top.left_out)];
        let lines: String = keys
            .iter()
            // A JSON text is a YAML text as well.
            .filter_map(|(key, value)| {
                Some(format!("{key}: {}\n", serde_json::Value::from((*value)?)))
            })
            .collect();
        if lines.is_empty() { self.text } else { format!("---\n{lines}---\n\n{}", self.text) }
    }
}

/// The text with single spaces, without control characters.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.chars().filter(|c| !c.is_control()).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// Text of one line as Markdown: what would be markup is escaped.
pub(super) fn escape(text: &str) -> String {
    let line = one_line(text);
    let mut out = String::with_capacity(line.len() + 8);
    escape_into(&line, &mut out);
    out
}

/// Adds a part of a line as Markdown; its spaces stay.
pub(super) fn escape_into(text: &str, out: &mut String) {
    let mut before = out.chars().next_back().unwrap_or(' ');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '~' => true,
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            '<' => next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'),
            '&' => next.is_ascii_alphanumeric() || next == '#',
            _ => false,
        };
        if markup {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
}

/// A title that a program filled in tells nothing: it is left out.
pub(super) fn telling(title: &str) -> Option<String> {
    const EMPTY: [&str; 6] =
        ["word document", "document", "untitled", "unnamed", "anonymous", "title"];
    const ENDINGS: [&str; 12] = [
        ".doc", ".docx", ".odt", ".rtf", ".pdf", ".txt", ".indd", ".tex", ".dvi", ".md", ".html",
        ".csv",
    ];
    let title = one_line(title);
    let lower = title.to_lowercase();
    let empty = lower.is_empty()
        || EMPTY.contains(&lower.as_str())
        || lower.starts_with("microsoft word -");
    (!empty && !ENDINGS.iter().any(|ending| lower.ends_with(ending))).then_some(title)
}

/// A link, when it leads to another site or to a mailbox; what is relative leads nowhere from here.
pub(super) fn link(text: &str, url: &str) -> Option<String> {
    let lower = url.to_ascii_lowercase();
    let outside = ["https://", "http://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme));
    let plain = !url.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\\".contains(c));
    (outside && plain && !text.trim().is_empty()).then(|| format!("[{}](<{url}>)", text.trim()))
}

/// Escapes what would open a block at the start of a line.
fn guarded(line: &str) -> String {
    let line = line.trim();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let number = (1..=9).contains(&digits) && line[digits..].starts_with(['.', ')']);
    if line.starts_with(['#', '>', '+', '-', '=', '~', '|', ':']) {
        format!("\\{line}")
    } else if number {
        format!("{}\\{}", &line[..digits], &line[digits..])
    } else {
        line.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::readers::{BlockKind, markdown};

    fn shown(markdown: &str) -> Vec<(BlockKind, String)> {
        let blocks = markdown::blocks(markdown, 0);
        blocks.into_iter().map(|block| (block.kind, block.text.trim().to_owned())).collect()
    }

    #[test]
    fn tables_and_lists_read_back() {
        let mut page = Page::default();
        page.item(0, "-", "one");
        page.item(2, "-", "- deep");
        page.item(0, "-", "two");
        page.table(&[vec!["a|b".into(), "c".into()], vec!["d".into()]]);
        page.heading(9, "End # of _it_ #");
        let kinds = |list| BlockKind::Item { list, number: None };
        let expect = [
            (kinds(0), "one"),
            (kinds(1), "- deep"),
            (kinds(0), "two"),
            (BlockKind::Row, "a|b · c"),
            (BlockKind::Row, "d · "),
            (BlockKind::Heading(6), "End # of _it_"),
        ];
        let found = shown(&page.finish(&Top::default()));
        let found: Vec<(BlockKind, &str)> = found.iter().map(|(k, t)| (*k, t.trim())).collect();
        assert_eq!(found, expect.map(|(kind, text)| (kind, text.trim())));
    }

    #[test]
    fn the_title_survives_any_character() {
        let page =
            Page::default().finish(&Top { title: Some("a: \"b\" \\ #\t\u{1}'"), ..Top::default() });
        let (matter, _) = crate::readers::front_matter::split(&page).unwrap();
        assert_eq!(matter.title.as_deref(), Some("a: \"b\" \\ # '"));
    }

    proptest! {
        #[test]
        fn any_line_reads_back_as_it_was(text in "[ -~äß€]{1,60}") {
            let line = one_line(&text);
            prop_assume!(!line.is_empty());
            let mut page = Page::default();
            page.paragraph(&escape(&text));
            prop_assert_eq!(shown(&page.finish(&Top::default())), [(BlockKind::Prose, line.clone())]);
            let mut page = Page::default();
            page.heading(2, &text);
            let line = line.trim_end_matches('#').trim_end();
            prop_assume!(!line.is_empty());
            prop_assert_eq!(shown(&page.finish(&Top::default())), [(BlockKind::Heading(2), line.to_owned())]);
        }
    }
}
