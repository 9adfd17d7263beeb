//! Turns files into blocks of plain text that remember where they stood.

mod decode;
pub mod docx;
mod emit;
mod entity;
pub mod foreign;
pub mod front_matter;
pub mod html;
pub mod markdown;
pub mod pairs;
pub mod pdf;
pub mod sitemap;

use std::ops::Range;

/// A paragraph, list item, table row, code block or heading of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it says, without markup.
    pub text: String,
    /// Bytes of the source it was read from, markup included.
    pub span: Range<usize>,
    /// For each byte of `text` the byte of the source it came from.
    pub places: Vec<usize>,
    /// What it is.
    pub kind: BlockKind,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// A heading of level 1 to 6.
    Heading(u8),
    /// Running text.
    Prose,
    /// An item of a list. `list` counts the document's lists from 0; `number` is set in ordered lists.
    Item {
        /// Which list.
        list: u32,
        /// The printed number.
        number: Option<u64>,
    },
    /// A row of a table.
    Row,
    /// A code block.
    Code,
}
