//! Walks the body of a Word document and gathers its paragraphs and tables.

use std::collections::HashMap;

use super::styles::{self, Item, Styles};
use super::xml::{self, Step, Tag};
use crate::readers::emit;
use crate::readers::foreign::ConvertError;

/// Columns that a cell may span.
const MAX_SPAN: usize = 64;
/// Elements whose content is not shown: deleted, of an older state, doubled, or no text.
const SILENT: [&str; 16] = [
    "del",
    "moveFrom",
    "Fallback",
    "pPrChange",
    "rPrChange",
    "tblPrChange",
    "tcPrChange",
    "trPrChange",
    "sectPr",
    "instrText",
    "delText",
    "delInstrText",
    "rt",
    "tblGrid",
    "tblPrEx",
    "numberingChange",
];

/// What a paragraph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The title of the whole.
    Title,
    /// A heading, from 1.
    Heading(usize),
    /// A line of code.
    Code,
    /// A line of the table of contents.
    Contents,
    /// Running text.
    Plain,
}

/// A paragraph or a table.
#[derive(Debug)]
pub(super) enum Piece {
    /// A paragraph.
    Paragraph {
        /// What it is.
        role: Role,
        /// Its text as it stands, with its line breaks.
        raw: String,
        /// Its text as Markdown in one line.
        text: String,
        /// The list that it is in.
        item: Option<Item>,
        /// Whether all of it is bold.
        bold: bool,
    },
    /// Rows of cells, as Markdown.
    Table(Vec<Vec<String>>),
}

/// The pieces of a body, in reading order.
pub(super) fn read(
    xml: &str,
    styles: &Styles,
    links: &HashMap<String, String>,
) -> Result<Vec<Piece>, ConvertError> {
    let mut body = Body::new(styles, links);
    xml::walk(xml, &mut |step| body.step(step))?;
    Ok(body.pieces)
}

/// A paragraph that is being read.
#[derive(Debug, Default)]
struct Open {
    style: String,
    outline: Option<usize>,
    list: Option<String>,
    level: Option<usize>,
    raw: String,
    text: String,
    /// Where the text of an open link begins, and its target.
    link: Option<(usize, Option<String>)>,
    in_run: bool,
    in_text: bool,
    run_bold: bool,
    run_hidden: bool,
    /// Whether some text is not bold.
    light: bool,
    /// Pieces of text boxes that hang on this paragraph.
    boxes: Vec<Piece>,
}

#[derive(Debug, Default)]
struct Table {
    rows: Vec<Vec<Vec<Piece>>>,
    span: usize,
}

struct Body<'a> {
    styles: &'a Styles,
    links: &'a HashMap<String, String>,
    pieces: Vec<Piece>,
    paragraphs: Vec<Open>,
    tables: Vec<Table>,
    /// Levels below an element that is not shown.
    silent: usize,
    /// Drawings that are open; their own text is no text of the document, that of boxes in them is.
    drawings: usize,
    boxes: Vec<(usize, usize)>,
    /// For each open field whether its instruction is still being read.
    fields: Vec<bool>,
}

impl<'a> Body<'a> {
    fn new(styles: &'a Styles, links: &'a HashMap<String, String>) -> Self {
        Self {
            styles,
            links,
            pieces: Vec::new(),
            paragraphs: Vec::new(),
            tables: Vec::new(),
            silent: 0,
            drawings: 0,
            boxes: Vec::new(),
            fields: Vec::new(),
        }
    }

    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Open(_, _) if self.silent > 0 => self.silent += 1,
            Step::Close(_) if self.silent > 0 => self.silent -= 1,
            Step::Text(_) if self.silent > 0 => {}
            Step::Open(name, _) if SILENT.contains(&name) => self.silent = 1,
            Step::Open(name, tag) => self.open(name, &tag),
            Step::Close(name) => self.close(name),
            Step::Text(text) => self.text(text),
        }
    }

    fn open(&mut self, name: &str, tag: &Tag<'_>) {
        match name {
            "drawing" | "pict" | "object" => self.drawings += 1,
            "txbxContent" => {
                self.boxes.push((self.drawings, self.tables.len()));
                self.drawings = 0;
            }
            _ if self.drawings > 0 => {}
            "p" => self.paragraphs.push(Open::default()),
            "tbl" => self.tables.push(Table::default()),
            "tr" => self.in_table(|table| table.rows.push(Vec::new())),
            "tc" => self.in_table(|table| {
                table.span = 1;
                if let Some(row) = table.rows.last_mut() {
                    row.push(Vec::new());
                }
            }),
            "gridSpan" => {
                let span = styles::number(tag.value()).unwrap_or(1).clamp(1, MAX_SPAN);
                self.in_table(|table| table.span = span);
            }
            "fldChar" => match tag.get("fldCharType").as_deref() {
                Some("begin") => self.fields.push(true),
                Some("separate") => {
                    self.fields.last_mut().into_iter().for_each(|field| *field = false)
                }
                Some("end") => drop(self.fields.pop()),
                _ => {}
            },
            "hyperlink" => {
                let target = tag.get("id").and_then(|id| self.links.get(&id).cloned());
                if let Some(open) = self.paragraphs.last_mut() {
                    open.link = Some((open.text.len(), target));
                }
            }
            _ => {
                let hidden = self.fields.contains(&true);
                if let Some(open) = self.paragraphs.last_mut() {
                    open.element(name, tag, hidden);
                }
            }
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "drawing" | "pict" | "object" => self.drawings = self.drawings.saturating_sub(1),
            "txbxContent" => {
                if let Some((drawings, tables)) = self.boxes.pop() {
                    self.drawings = drawings;
                    self.tables.truncate(tables);
                }
            }
            _ if self.drawings > 0 => {}
            "p" => {
                if let Some(open) = self.paragraphs.pop() {
                    self.paragraph(open);
                }
            }
            "tc" => self.in_table(|table| {
                let more = table.span.saturating_sub(1);
                if let Some(row) = table.rows.last_mut() {
                    row.extend((0..more).map(|_| Vec::new()));
                }
            }),
            "tbl" => {
                let inside = self.boxes.last().map_or(0, |(_, tables)| *tables);
                if self.tables.len() > inside
                    && let Some(table) = self.tables.pop()
                {
                    table.pieces().into_iter().for_each(|piece| self.keep(piece));
                }
            }
            "hyperlink" => self.paragraphs.last_mut().into_iter().for_each(Open::end_link),
            "r" => self.paragraphs.last_mut().into_iter().for_each(|open| open.in_run = false),
            "t" => self.paragraphs.last_mut().into_iter().for_each(|open| open.in_text = false),
            _ => {}
        }
    }

    fn in_table(&mut self, change: impl FnOnce(&mut Table)) {
        if let Some(table) = self.tables.last_mut() {
            change(table);
        }
    }

    fn text(&mut self, text: &str) {
        let hidden = self.drawings > 0 || self.fields.contains(&true);
        if let Some(open) = self.paragraphs.last_mut()
            && open.in_text
            && !hidden
        {
            open.add(text);
        }
    }

    fn paragraph(&mut self, mut open: Open) {
        open.end_link();
        let role =
            open.outline.and_then(styles::outline).unwrap_or_else(|| self.styles.role(&open.style));
        let styled = self.styles.item(&open.style);
        // List 0 takes a paragraph out of its style's list.
        let list = open.list.clone().or_else(|| styled.as_ref().map(|(list, _)| list.clone()));
        let level = open.level.or(styled.map(|(_, level)| level)).unwrap_or(0);
        let item = list.filter(|list| list != "0").map(|list| (list, level));
        let text = emit::one_line(&open.text);
        if !text.is_empty() && role != Role::Contents {
            let bold = !open.light;
            self.keep(Piece::Paragraph { role, raw: open.raw, text, item, bold });
        }
        open.boxes.into_iter().for_each(|piece| self.keep(piece));
    }

    /// Puts a piece where it belongs: after the paragraph that a box hangs on, into the open cell, or onto the page.
    fn keep(&mut self, piece: Piece) {
        let in_box = self.boxes.last().map_or(0, |(_, tables)| *tables);
        if self.tables.len() > in_box
            && let Some(cell) = self.tables.last_mut().and_then(|t| t.rows.last_mut()?.last_mut())
        {
            cell.push(piece);
        } else if let Some(open) = self.paragraphs.last_mut() {
            open.boxes.push(piece);
        } else {
            self.pieces.push(piece);
        }
    }
}

impl Open {
    fn element(&mut self, name: &str, tag: &Tag<'_>, hidden: bool) {
        match name {
            "pStyle" => self.style = tag.value().unwrap_or_default(),
            "outlineLvl" => self.outline = styles::number(tag.value()),
            "numId" => self.list = tag.value(),
            "ilvl" => self.level = styles::number(tag.value()),
            "r" => {
                self.in_run = true;
                self.run_bold = false;
                self.run_hidden = false;
            }
            "b" => self.run_bold = tag.is_on(),
            "vanish" | "webHidden" => self.run_hidden = tag.is_on(),
            "t" => self.in_text = true,
            _ if hidden || !self.in_run => {}
            "tab" | "ptab" => self.add("\t"),
            "br" | "cr" => self.add("\n"),
            "noBreakHyphen" => self.add("-"),
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        if self.run_hidden {
            return;
        }
        self.light |= !self.run_bold && !text.trim().is_empty();
        self.raw.push_str(text);
        emit::escape_into(text, &mut self.text);
    }

    fn end_link(&mut self) {
        let Some((start, Some(target))) = self.link.take() else { return };
        if let Some(link) = self.text.get(start..).and_then(|text| emit::link(text, &target)) {
            self.text.truncate(start);
            self.text.push_str(&link);
        }
    }
}

impl Table {
    /// The table, or what is in it when it only frames one column.
    fn pieces(self) -> Vec<Piece> {
        if self.rows.iter().all(|row| row.len() < 2) {
            return self.rows.into_iter().flatten().flatten().collect();
        }
        let cell = |pieces: &Vec<Piece>| pieces.iter().map(flat).collect::<Vec<_>>().join(" ");
        let mut rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        if rows.is_empty() { Vec::new() } else { vec![Piece::Table(rows)] }
    }
}

/// A piece within a cell, as one line.
fn flat(piece: &Piece) -> String {
    match piece {
        Piece::Paragraph { text, .. } => text.clone(),
        Piece::Table(rows) => rows.iter().map(|row| row.join(" · ")).collect::<Vec<_>>().join("; "),
    }
}
