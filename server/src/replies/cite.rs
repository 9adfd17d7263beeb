//! Turns a citation of the engine into one that can be shown: the passage as text, with the supporting part marked.

use std::ops::Range;

use engine::search::Passage;
use retrieval::Index;

use crate::protocol::record::Citation;

/// The citations of a draft, numbered from 1.
pub(super) fn citations(index: &Index, cited: &[engine::draft::Citation]) -> Vec<Citation> {
    cited.iter().enumerate().map(|(at, citation)| show(index, at + 1, citation)).collect()
}

fn show(index: &Index, number: usize, cited: &engine::draft::Citation) -> Citation {
    let passage = index.passage_at(&cited.doc, cited.passage.start);
    let (excerpt, mark) =
        passage.map(|p| (p.text.clone(), mark(p, &cited.span))).unwrap_or_default();
    Citation {
        number,
        doc: cited.doc.clone(),
        title: cited.title.clone(),
        heading: cited.heading.clone(),
        excerpt,
        mark,
        url: page_url(&cited.doc, &cited.span),
    }
}

/// The page that shows a place of a document.
pub fn page_url(doc: &str, span: &Range<usize>) -> String {
    let doc: String = doc.split('/').map(encoded).collect::<Vec<_>>().join("/");
    if span.is_empty() {
        return format!("/kb/{doc}");
    }
    format!("/kb/{doc}?start={}&end={}#cited", span.start, span.end)
}

/// Where the sentences within `span` stand in the passage's text, in UTF-16 units.
fn mark(passage: &Passage, span: &Range<usize>) -> [usize; 2] {
    let mut from = 0;
    let mut found: Option<Range<usize>> = None;
    for sentence in &passage.sentences {
        let Some(at) = passage.text[from..].find(&sentence.text).map(|at| from + at) else {
            continue;
        };
        from = at + sentence.text.len();
        if sentence.span.start < span.end && span.start < sentence.span.end {
            found = Some(found.map_or(at, |range| range.start)..from);
        }
    }
    let units = |bytes: usize| passage.text[..bytes].encode_utf16().count();
    found.map_or([0, 0], |range| [units(range.start), units(range.end)])
}

/// Percent-encodes what may not stand in a path.
fn encoded(part: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    part.bytes()
        .map(|b| if plain(&b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use retrieval::Corpus;
    use retrieval::corpus::Document;
    use retrieval::manifest::EmbedderId;

    use super::*;

    #[test]
    fn the_mark_covers_the_cited_sentences() {
        let source = "# Töne\n\nErst **dies** 🎵. Then that. And more.\n";
        let corpus = Corpus::new(vec![Document::from_parts("a b/töne.md", "Töne", source.into())]);
        let embedder = EmbedderId { id: "x".into(), dimension: 1 };
        let index =
            Index::in_memory(corpus, &embedder, &mut |texts, _| Ok(vec![vec![1.0]; texts.len()]))
                .unwrap();
        let start = source.find("Erst").unwrap();
        let span = source.find("Then").unwrap()..source.find(" And").unwrap();
        let (doc, title, heading) = ("a b/töne.md".to_owned(), "Töne".to_owned(), vec![]);
        let cited =
            engine::draft::Citation { doc, title, heading, passage: start..source.len(), span };
        let shown = &citations(&index, &[cited])[0];
        let units: Vec<u16> = shown.excerpt.encode_utf16().collect();
        assert_eq!(String::from_utf16(&units[shown.mark[0]..shown.mark[1]]).unwrap(), "Then that.");
        assert!(shown.url.starts_with("/kb/a%20b/t%C3%B6ne.md?start="), "{}", shown.url);
    }
}
