//! Foreign formats: told by the file's ending and turned into Markdown, which then is the document's source.

use std::path::Path;
use std::str::FromStr;

use super::{docx, html, pairs, pdf};

/// A format that is turned into Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A web page.
    Html,
    /// A table of questions and answers.
    Csv,
    /// A question with its answer as a JSON object on each line.
    JsonLines,
    /// A document of Word and its like.
    Docx,
    /// A document for print.
    Pdf,
}

/// Turns a file's bytes into Markdown, or says why not; [`convert`] does it here, others do it in a process of its own.
pub type Convert<'a> = dyn Fn(Kind, &[u8]) -> Result<String, String> + 'a;

/// Why a file cannot be turned into Markdown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// A line is wrong.
    #[error("line {line}: {problem}")]
    Line {
        /// Line of the file, from 1.
        line: u64,
        /// What is wrong and what to do.
        problem: String,
    },
    /// It is not what its ending says, or broken.
    #[error("is no {kind} file that can be read: {problem}")]
    Damaged {
        /// What it should be.
        kind: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// It opens with a password only.
    #[error("is protected by a password. Save it without one.")]
    Locked,
    /// Nothing is in it.
    #[error("is empty")]
    Empty,
    /// No page has text.
    #[error("has no text on its {pages} pages: {why}")]
    NoText {
        /// Pages of the document.
        pages: usize,
        /// Why, and what to do.
        why: &'static str,
    },
    /// It unpacks to more than any document needs.
    #[error("unpacks to more than {most} bytes, which no document needs")]
    Bomb {
        /// Bytes at most.
        most: u64,
    },
    /// Its parts are nested beyond reason.
    #[error("is nested deeper than {most} levels")]
    Deep {
        /// Levels at most.
        most: usize,
    },
    /// It has more of something than is read.
    #[error("has more than {most} {what}. Split it.")]
    Many {
        /// Of what.
        what: &'static str,
        /// How many at most.
        most: usize,
    },
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Html, Self::Csv, Self::JsonLines, Self::Docx, Self::Pdf];

    /// By the file's ending, in upper or lower case.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "htm" | "xhtml" => Some(Self::Html),
            "ndjson" => Some(Self::JsonLines),
            ending => ending.parse().ok(),
        }
    }

    /// Its usual ending.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::Docx => "docx",
            Self::Pdf => "pdf",
        }
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(ending: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.ending() == ending).ok_or(())
    }
}

/// Markdown of the file, in this process and without limits on time and memory: for files that are trusted.
///
/// # Errors
/// [`ConvertError`].
pub fn convert(kind: Kind, bytes: &[u8]) -> Result<String, ConvertError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ConvertError::Empty);
    }
    match kind {
        Kind::Html => html::markdown(bytes),
        Kind::Csv => pairs::csv(bytes),
        Kind::JsonLines => pairs::json_lines(bytes),
        Kind::Docx => docx::markdown(bytes),
        Kind::Pdf => pdf::markdown(bytes),
    }
}

/// [`convert`] in the shape of [`Convert`].
///
/// # Errors
/// The text of a [`ConvertError`].
pub fn convert_here(kind: Kind, bytes: &[u8]) -> Result<String, String> {
    convert(kind, bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell_the_kind() {
        for (name, kind) in [
            ("a.html", Some(Kind::Html)),
            ("a.HTM", Some(Kind::Html)),
            ("b/c.Pdf", Some(Kind::Pdf)),
            ("faq.jsonl", Some(Kind::JsonLines)),
            ("faq.csv", Some(Kind::Csv)),
            ("a.docx", Some(Kind::Docx)),
            ("a.md", None),
            ("docx", None),
        ] {
            assert_eq!(Kind::of(Path::new(name)), kind, "{name}");
        }
    }

    #[test]
    fn empty_and_mistaken_files_are_refused() {
        let text = b"Just some text, and not what the ending says.\n".as_slice();
        for kind in Kind::ALL {
            assert_eq!(convert(kind, b""), Err(ConvertError::Empty), "{kind:?}");
            assert_eq!(convert(kind, b" \n\t\r\n"), Err(ConvertError::Empty), "{kind:?}");
        }
        for (kind, bytes, expect) in [
            (Kind::Pdf, text, "is no PDF file that can be read: it does not begin like one"),
            (Kind::Docx, text, "is no DOCX file that can be read: it does not begin like one"),
            (
                Kind::Docx,
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on",
                "an old Word file or one with a password",
            ),
            (Kind::Csv, text, "line 1: names no column `question` and `answer`"),
            (Kind::JsonLines, text, "line 1: is no JSON object"),
            (Kind::Html, b"%PDF-1.7 \0\x01\x02", "line 1: holds a NUL byte"),
            (Kind::Csv, b"PK\x03\x04\0\0", "line 1: holds a NUL byte"),
            (Kind::JsonLines, b"{}\n\xff\xfa", "line 2: is no UTF-8 text"),
            (Kind::Html, b"<p>a\n<p>b\n<p>\xe4", "line 3: is no UTF-8 text"),
            (
                Kind::Html,
                b"<script>1</script>",
                "is no HTML file that can be read: it shows no text",
            ),
        ] {
            let said = convert_here(kind, bytes).unwrap_err();
            assert!(said.contains(expect), "{kind:?}: {said}");
        }
    }
}
