//! Passages of the owner's documents that a flow shows, as quotes with their place.

use std::sync::Arc;

use crate::search::{Passage, Search, Sentence, SentenceKind};
use crate::tasks::Line;

/// Characters of an opening from which no further sentence is quoted.
const ENOUGH_CHARS: usize = 300;
/// Sentences of an opening at most.
const SENTENCES: usize = 4;

/// The passages of a document, from the one under `heading` on; all when that is empty.
pub(super) fn passages(search: &dyn Search, document: &str, heading: &str) -> Vec<Arc<Passage>> {
    let mut all = search.passages_of(document);
    let wanted = heading.trim().to_lowercase();
    if !wanted.is_empty() {
        let is_it = |passage: &Arc<Passage>| {
            passage.heading.iter().any(|one| one.trim().to_lowercase() == wanted)
        };
        all.retain(is_it);
    }
    all
}

/// What is not there of a document that a flow names.
pub(super) fn missing(search: &dyn Search, document: &str, heading: &str) -> Option<String> {
    if document.is_empty() || !passages(search, document, heading).is_empty() {
        return None;
    }
    Some(match search.passages_of(document).is_empty() {
        true => format!("There is no document `{document}`."),
        false => format!("The document `{document}` has no heading `{heading}`."),
    })
}

/// The opening of a document, or of what stands under one of its headings, as quotes.
pub(super) fn opening(search: &dyn Search, document: &str, heading: &str) -> Vec<Line> {
    let Some(passage) = passages(search, document, heading).into_iter().next() else {
        return vec![];
    };
    let mut lines = Vec::new();
    let mut chars = 0;
    for sentence in passage.sentences.iter().take(SENTENCES) {
        if chars >= ENOUGH_CHARS {
            break;
        }
        chars += sentence.text.chars().count();
        let gap = if lines.is_empty() { "\n\n" } else { gap(sentence) };
        lines.push(quote(&passage, sentence, gap));
    }
    lines
}

/// A sentence of a passage as a line, after `gap`.
pub(super) fn quote(passage: &Arc<Passage>, sentence: &Sentence, gap: &str) -> Line {
    let mark = match sentence.kind {
        SentenceKind::Item { number: None, .. } => "• ",
        _ => "",
    };
    Line::Quote {
        text: format!("{gap}{mark}{}", sentence.text),
        passage: Arc::clone(passage),
        span: sentence.span.clone(),
    }
}

/// White space before a sentence that is not the first.
fn gap(sentence: &Sentence) -> &'static str {
    if sentence.kind == SentenceKind::Prose { " " } else { "\n" }
}
