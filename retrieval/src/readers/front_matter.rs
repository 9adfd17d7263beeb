//! The YAML block at the top of a Markdown file: title, area, audience, version, language.

use engine::scope::Scope;
use serde::{Deserialize, Serialize};

/// Bytes of front matter at most.
const MAX_BYTES: usize = 16 * 1024;

/// What the front matter says; keys that are not named here are the owner's own and left alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FrontMatter {
    /// Title of the document.
    pub title: Option<String>,
    /// Product area.
    pub area: Option<String>,
    /// Whom it is written for.
    pub audience: Option<String>,
    /// Version of the product.
    pub version: Option<String>,
    /// Language of the text, as a BCP 47 tag.
    pub language: Option<String>,
    /// Page on the web that it was fetched from.
    pub url: Option<String>,
    /// What a document of a foreign format has that could not be read, such as scanned pages.
    pub left_out: Option<String>,
}

impl FrontMatter {
    /// Whom the document is meant for.
    pub fn scope(&self) -> Scope {
        let said = |value: &Option<String>| value.clone().unwrap_or_default();
        Scope {
            area: said(&self.area),
            version: said(&self.version),
            audience: said(&self.audience),
            language: said(&self.language),
        }
    }
}

/// Front matter that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct FrontMatterError {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// Splits a file into front matter and the byte where the text begins.
///
/// # Errors
/// [`FrontMatterError`] with the line when the block is not closed, too long, or no YAML map of texts.
pub fn split(source: &str) -> Result<(FrontMatter, usize), FrontMatterError> {
    let Some(first) = source.split_inclusive('\n').next().filter(|line| line.trim_end() == "---")
    else {
        return Ok((FrontMatter::default(), 0));
    };
    let mut end = first.len();
    for line in source[first.len()..].split_inclusive('\n') {
        if line.trim_end() == "---" {
            let matter = parse(&source[first.len()..end])?;
            return Ok((matter, end + line.len()));
        }
        end += line.len();
        if end > MAX_BYTES {
            let problem = format!("the front matter is longer than {MAX_BYTES} bytes");
            return Err(FrontMatterError { line: 1, problem });
        }
    }
    Err(FrontMatterError {
        line: 1,
        problem: "the front matter opened with --- is never closed".into(),
    })
}

fn parse(yaml: &str) -> Result<FrontMatter, FrontMatterError> {
    if yaml.trim().is_empty() {
        return Ok(FrontMatter::default());
    }
    serde_saphyr::from_str(yaml).map_err(|error| {
        let line = error.location().map_or(1, |at| at.line() as usize);
        let text = error.to_string();
        let problem = text.lines().next().unwrap_or("no YAML map").to_owned();
        // The opening --- is the file's first line.
        FrontMatterError { line: line + 1, problem }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matter_is_split_from_text() {
        let (matter, at) =
            split("---\ntitle: Refunds\nversion: \"0.1\"\nmine: 1\n---\nText").unwrap();
        assert_eq!(matter.title.as_deref(), Some("Refunds"));
        assert_eq!(matter.version.as_deref(), Some("0.1"));
        assert_eq!(&"---\ntitle: Refunds\nversion: \"0.1\"\nmine: 1\n---\nText"[at..], "Text");
        assert_eq!(split("no matter").unwrap(), (FrontMatter::default(), 0));
        assert_eq!(split("").unwrap().1, 0);
    }

    #[test]
    fn bad_matter_is_named_with_its_line() {
        for (source, line) in [
            ("---\ntitle: x\n", 1),
            ("---\ntitle: [a\n---\n", 2),
            ("---\na: 1\ntitle: {b: 1}\n---\n", 3),
        ] {
            let error = split(source).unwrap_err();
            assert!(error.line.abs_diff(line) <= 1, "{source:?}: {error}");
        }
        assert!(split(&format!("---\n{}", "a: b\n".repeat(10_000))).is_err());
    }
}
