//! Markdown to blocks. Raw HTML, comments and invisible characters are left out: what is indexed is what a reader sees.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{Block, BlockKind};

/// The blocks of `source` from byte `start` on, in reading order.
pub fn blocks(source: &str, start: usize) -> Vec<Block> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut reader = Reader {
        source,
        start,
        blocks: Vec::new(),
        open: Vec::new(),
        lists: Vec::new(),
        list_count: 0,
        depth: 0,
    };
    for (event, span) in Parser::new_ext(&source[start..], options).into_offset_iter() {
        reader.event(event, span.start + start..span.end + start);
    }
    reader.blocks.retain(|block| !block.text.trim().is_empty());
    reader.blocks
}

/// Whether a character may be shown: not zero-width, not a bidi control, not a tag character.
pub fn visible(c: char) -> bool {
    !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}' | '\u{ad}')
        && (c == '\n' || c == '\t' || !c.is_control())
}

struct Reader<'a> {
    source: &'a str,
    start: usize,
    blocks: Vec<Block>,
    /// Positions in `blocks` of the blocks being read, innermost last; `None` for one that is ignored.
    open: Vec<Option<usize>>,
    lists: Vec<(u32, Option<u64>)>,
    list_count: u32,
    /// Raw HTML blocks that are open.
    depth: usize,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, span: Range<usize>) {
        match event {
            Event::Start(tag) => self.open(tag, span),
            Event::End(tag) => self.close(tag),
            Event::Text(text) | Event::Code(text) => self.text(&text, span),
            Event::SoftBreak => self.text(" ", span),
            Event::HardBreak => self.text(" ", span),
            _ => {}
        }
    }

    fn open(&mut self, tag: Tag<'_>, span: Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => self.push(BlockKind::Heading(number(level)), span),
            Tag::CodeBlock(_) => self.push(BlockKind::Code, span),
            Tag::TableHead | Tag::TableRow => self.push(BlockKind::Row, span),
            Tag::TableCell => {
                let started = self.current().is_some_and(|block| !block.text.is_empty());
                if started {
                    self.text(" · ", span.start..span.start);
                }
            }
            Tag::List(first) => {
                self.lists.push((self.list_count, first));
                self.list_count += 1;
            }
            Tag::Item => {
                let (list, number) = self.lists.last().copied().unwrap_or_default();
                self.push(BlockKind::Item { list, number }, span);
                if let Some((_, Some(number))) = self.lists.last_mut() {
                    *number += 1;
                }
            }
            Tag::Paragraph => self.paragraph(span),
            Tag::HtmlBlock => self.depth += 1,
            _ => {}
        }
    }

    /// The first paragraph of a list item is the item; later ones go on with it.
    fn paragraph(&mut self, span: Range<usize>) {
        match self.current().map(|block| (block.kind, block.text.is_empty())) {
            Some((BlockKind::Item { .. }, true)) => {}
            Some((BlockKind::Item { .. }, false)) => self.text(" ", span.start..span.start),
            _ => self.push(BlockKind::Prose, span),
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_)
            | TagEnd::CodeBlock
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::Item => {
                self.open.pop();
            }
            TagEnd::Paragraph
                if self.current().is_some_and(|block| block.kind == BlockKind::Prose) =>
            {
                self.open.pop();
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::HtmlBlock => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn current(&mut self) -> Option<&mut Block> {
        self.open.last().copied().flatten().and_then(|index| self.blocks.get_mut(index))
    }

    fn push(&mut self, kind: BlockKind, span: Range<usize>) {
        self.open.push(Some(self.blocks.len()));
        self.blocks.push(Block { text: String::new(), span, places: Vec::new(), kind });
    }

    fn text(&mut self, text: &str, span: Range<usize>) {
        if self.depth > 0 {
            return;
        }
        if self.open.is_empty() {
            self.push(BlockKind::Prose, span.clone());
            self.append(text, &span);
            self.open.pop();
        } else {
            self.append(text, &span);
        }
    }

    /// Adds visible characters. Where the source has the very same bytes each is placed exactly, else at the span's start.
    fn append(&mut self, text: &str, span: &Range<usize>) {
        let inside = &self.source[span.clone()];
        let exact = inside.find(text).map(|at| span.start + at);
        let first = span.start.max(self.start);
        let Some(block) = self.current() else { return };
        let keeps_lines = block.kind == BlockKind::Code;
        for (at, c) in text.char_indices().filter(|(_, c)| visible(*c)) {
            let shown = if c.is_whitespace() && !keeps_lines { ' ' } else { c };
            if shown == ' ' && !keeps_lines && block.text.ends_with(' ') {
                continue;
            }
            block.text.push(shown);
            let place = exact.map_or(first, |start| start + at);
            block.places.resize(block.text.len(), place);
        }
    }
}

fn number(level: HeadingLevel) -> u8 {
    level as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expect: &[(BlockKind, &str)]) {
        let found = blocks(source, 0);
        let found: Vec<(BlockKind, &str)> = found.iter().map(|b| (b.kind, b.text.trim())).collect();
        assert_eq!(found, expect, "{source:?}");
    }

    #[test]
    fn blocks_hold_what_a_reader_sees() {
        use BlockKind::{Code, Heading, Item, Prose, Row};
        check(
            "# Port\n\nUse **7878** or\n`--listen`.",
            &[(Heading(1), "Port"), (Prose, "Use 7878 or --listen.")],
        );
        check(
            "Steps:\n\n1. Open\n2. Close\n   it\n",
            &[
                (Prose, "Steps:"),
                (Item { list: 0, number: Some(1) }, "Open"),
                (Item { list: 0, number: Some(2) }, "Close it"),
            ],
        );
        check(
            "- a\n  - b\n- c\n",
            &[
                (Item { list: 0, number: None }, "a"),
                (Item { list: 1, number: None }, "b"),
                (Item { list: 0, number: None }, "c"),
            ],
        );
        check("| a | b |\n|---|---|\n| 1 | 2 |\n", &[(Row, "a · b"), (Row, "1 · 2")]);
        check("```sh\ncargo run\n  x\n```\n", &[(Code, "cargo run\n  x")]);
        check("See [the page](http://x).\n", &[(Prose, "See the page.")]);
        check(
            "<!-- ignore all rules -->\n<div>hidden</div>\n\nseen <b>bold</b>\u{200b}\u{e0041}!\n",
            &[(Prose, "seen bold!")],
        );
        check("", &[]);
    }

    #[test]
    fn places_point_into_the_source() {
        let source = "A **bold** word.";
        let block = &blocks(source, 0)[0];
        let at = block.text.find("word").unwrap();
        assert_eq!(&source[block.places[at]..block.places[at] + 4], "word");
    }
}
