//! Cuts a document into passages: at headings, and where a section is long, between blocks; lists stay whole.

use std::sync::Arc;

use engine::scope::Scope;
use engine::search::{Passage, Sentence, SentenceKind};

use crate::corpus::Document;
use crate::readers::{Block, BlockKind, markdown};
use crate::{languages, sentences};

/// Words from which a passage takes no further block; about 200 tokens of the encoder.
const TARGET_WORDS: usize = 150;
/// Words from which even a list is cut; the encoder reads 256 tokens.
const MAX_WORDS: usize = 400;

/// The passages of a document, in reading order.
pub fn passages(document: &Document) -> Vec<Arc<Passage>> {
    let blocks = markdown::blocks(&document.source, document.start);
    let (title, scope) = (title(document, &blocks), languages::scope(document, &blocks));
    let mut cutter =
        Cutter { document, title, scope, heading: Vec::new(), open: Vec::new(), done: Vec::new() };
    for block in blocks {
        cutter.block(block);
    }
    cutter.flush();
    cutter.done
}

/// The front matter's title, else the first heading of level 1, else the file's name.
fn title(document: &Document, blocks: &[Block]) -> String {
    let first = blocks.iter().find(|block| block.kind == BlockKind::Heading(1));
    let heading = first.map(|block| block.text.trim().to_owned());
    let name = document.path.rsplit('/').next().unwrap_or(&document.path);
    document.matter.title.clone().or(heading).unwrap_or_else(|| stem(name).into())
}

/// The file's name without its ending.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem })
}

struct Cutter<'a> {
    document: &'a Document,
    title: String,
    scope: Scope,
    heading: Vec<(u8, String)>,
    open: Vec<Block>,
    done: Vec<Arc<Passage>>,
}

impl Cutter<'_> {
    fn block(&mut self, block: Block) {
        if let BlockKind::Heading(level) = block.kind {
            self.flush();
            self.heading.retain(|(above, _)| *above < level);
            self.heading.push((level, block.text.trim().into()));
            return;
        }
        let words: usize = self.open.iter().map(|b| b.text.split_whitespace().count()).sum();
        let follows = self.open.last().is_some_and(|last| stays_with(last, &block));
        if (words >= TARGET_WORDS && !follows) || words >= MAX_WORDS {
            let lead_in = self.open.last().is_some_and(|last| leads(last, &block));
            let carried = if lead_in && self.open.len() > 1 { self.open.pop() } else { None };
            self.flush();
            self.open.extend(carried);
        }
        self.open.push(block);
    }

    fn flush(&mut self) {
        let blocks = std::mem::take(&mut self.open);
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else { return };
        let span = first.span.start..last.span.end.max(first.span.end);
        let same_as_title = |(level, text): &(u8, String)| *level == 1 && *text == self.title;
        let heading =
            self.heading.iter().filter(|h| !same_as_title(h)).map(|(_, text)| text.clone());
        self.done.push(Arc::new(Passage {
            doc: self.document.path.clone(),
            title: self.title.clone(),
            heading: heading.collect(),
            scope: self.scope.clone(),
            span,
            text: blocks.iter().map(|b| b.text.trim()).collect::<Vec<_>>().join("\n"),
            sentences: sentences_of(&blocks),
        }));
    }
}

/// Items of one list, and a list, code block or table with the lines before it.
fn stays_with(before: &Block, next: &Block) -> bool {
    match (before.kind, next.kind) {
        (BlockKind::Item { .. }, BlockKind::Item { .. }) | (BlockKind::Row, BlockKind::Row) => true,
        _ => leads(before, next),
    }
}

/// Whether `before` introduces `next` ("To start it:").
fn leads(before: &Block, next: &Block) -> bool {
    let opens = before.text.trim_end().ends_with(':');
    opens && matches!(next.kind, BlockKind::Item { .. } | BlockKind::Row | BlockKind::Code)
}

fn sentences_of(blocks: &[Block]) -> Vec<Sentence> {
    let mut found = Vec::new();
    for (index, block) in (0_u32..).zip(blocks) {
        let kind = match block.kind {
            BlockKind::Heading(_) | BlockKind::Prose => SentenceKind::Prose,
            BlockKind::Item { list, number } => SentenceKind::Item { list, number },
            BlockKind::Row => SentenceKind::Row,
            BlockKind::Code => SentenceKind::Code,
        };
        let whole = matches!(kind, SentenceKind::Code | SentenceKind::Row);
        let ranges = if whole {
            std::iter::once(0..block.text.trim_end().len()).collect()
        } else {
            sentences::split(&block.text)
        };
        for range in ranges.into_iter().filter(|range| !range.is_empty()) {
            let start = block.places.get(range.start).copied().unwrap_or(block.span.start);
            let end = block.places.get(range.end).copied().unwrap_or(block.span.end);
            let text = block.text[range].to_owned();
            found.push(Sentence { text, span: start..end.max(start), block: index, kind });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(source: &str) -> Vec<Arc<Passage>> {
        passages(&Document::new("dir/page.md", source.into()).unwrap())
    }

    #[test]
    fn passages_follow_the_headings() {
        let found = cut(
            "---\ntitle: Ports\narea: ops\n---\n# Ports\nIntro.\n## How?\nUse it. Then stop.\n### Deep\nx\n## Next\ny\n",
        );
        let shape: Vec<(Vec<String>, String)> =
            found.iter().map(|p| (p.heading.clone(), p.text.clone())).collect();
        let row = |heading: &[&str], text: &str| {
            (heading.iter().map(|h| (*h).to_owned()).collect(), text.to_owned())
        };
        assert_eq!(
            shape,
            [
                row(&[], "Intro."),
                row(&["How?"], "Use it. Then stop."),
                row(&["How?", "Deep"], "x"),
                row(&["Next"], "y"),
            ]
        );
        assert!(
            found
                .iter()
                .all(|p| p.title == "Ports" && p.scope.area == "ops" && p.doc == "dir/page.md")
        );
    }

    #[test]
    fn lists_stay_whole_with_their_lead_in() {
        let prose = "Word ".repeat(TARGET_WORDS);
        let items: String =
            (1..=30).map(|n| format!("{n}. Do the step number {n} with care\n")).collect();
        let found = cut(&format!("{prose}\n\nTo do it:\n\n{items}"));
        assert_eq!(found.len(), 2);
        assert!(found[1].text.starts_with("To do it:"));
        assert_eq!(found[1].sentences.len(), 31);
    }

    proptest! {
        #[test]
        fn no_markdown_panics_and_spans_stay_in_order(source in "([ -~]|\n|\n\n|# |- |1\\. |> |```|\\||😀|\u{200b}|<b>|:){0,120}") {
            let document = Document::from_parts("d", "t", source);
            let found = passages(&document);
            let mut before = 0;
            for passage in &found {
                prop_assert!(passage.span.start >= before && passage.span.end <= document.source.len());
                before = passage.span.start;
                for sentence in &passage.sentences {
                    prop_assert!(sentence.span.start >= passage.span.start && sentence.span.end <= passage.span.end);
                    prop_assert!(!sentence.text.trim().is_empty());
                }
            }
        }

        #[test]
        fn every_word_ends_up_in_one_passage(words in proptest::collection::vec("[a-z]{3,9}", 1..600), heads in proptest::collection::vec(0_usize..600, 0..5)) {
            let mut source = String::new();
            for (n, word) in words.iter().enumerate() {
                if heads.contains(&n) { source.push_str("\n\n## Head\n\n"); }
                source.push_str(word);
                source.push_str(if n % 40 == 39 { ".\n\n" } else if n % 9 == 8 { ". " } else { " " });
            }
            let found = passages(&Document::from_parts("d", "t", source));
            let text: Vec<String> = found.iter().flat_map(|p| p.text.split_whitespace().map(|w| w.trim_matches('.').to_owned()).collect::<Vec<_>>()).collect();
            prop_assert_eq!(text, words);
        }
    }
}
