//! PDF files as Markdown: lines, columns, headings and tables told from where and how large the letters stand.

mod blocks;
mod glyphs;
mod lines;
mod margins;

use encoding_rs::{UTF_8, UTF_16BE, WINDOWS_1252};
use hayro_interpret::hayro_syntax::metadata::Metadata;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::{InterpreterCache, InterpreterSettings};

use self::blocks::{Block, Text};
use self::glyphs::Sheet;
use self::lines::Region;
use super::emit::{self, Page, Top};
use super::foreign::ConvertError;

/// Pages of a document at most.
const MAX_PAGES: usize = 3_000;
/// Bytes at its start within which a PDF says that it is one, as readers look for it.
const BEGINS_WITHIN: usize = 1024;
/// Share of letters without meaning from which a page cannot be read.
const MAX_UNKNOWN: f64 = 0.2;
/// Characters and lines of a heading at most.
const MAX_HEADING: (usize, usize) = (150, 3);

/// Markdown of a PDF file. Pages without text are named in the front matter.
///
/// # Errors
/// [`ConvertError`] when it is none, broken, locked, or has no text at all.
pub fn markdown(bytes: &[u8]) -> Result<String, ConvertError> {
    if !bytes[..bytes.len().min(BEGINS_WITHIN)].windows(5).any(|start| start == b"%PDF-") {
        return Err(damaged("it does not begin like one. Is its ending right?"));
    }
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => ConvertError::Locked,
        LoadPdfError::Decryption(_) => damaged("its encryption is not known"),
        LoadPdfError::Invalid => damaged("it is broken or cut off"),
    })?;
    let pages = pdf.pages();
    match pages.len() {
        0 => return Err(damaged("it has no pages")),
        count if count > MAX_PAGES => {
            return Err(ConvertError::Many { what: "pages", most: MAX_PAGES });
        }
        _ => {}
    }
    let (cache, settings) = (InterpreterCache::new(), InterpreterSettings::default());
    let mut read = Read::default();
    for (number, page) in (1..).zip(pages.iter()) {
        read.page(number, &glyphs::sheet(page, &cache, &settings));
    }
    margins::strip(&mut read.pages);
    let (page, top) = written(&read.pages);
    if page.is_empty() {
        let why = match read.meaningless.is_empty() {
            true => "they are pictures, such as a scan. Run text recognition (OCR) over it first.",
            false => {
                "its fonts do not say what their letters mean. Run text recognition (OCR) over it first."
            }
        };
        return Err(ConvertError::NoText { pages: pages.len(), why });
    }
    let title = top.or_else(|| title(pdf.metadata()));
    let left_out = read.left_out();
    Ok(page.finish(&Top {
        title: title.as_deref(),
        left_out: left_out.as_deref(),
        ..Top::default()
    }))
}

fn damaged(problem: &str) -> ConvertError {
    ConvertError::Damaged { kind: "PDF", problem: problem.into() }
}

fn title(metadata: &Metadata) -> Option<String> {
    let bytes = metadata.title.as_deref()?;
    let encoding = match bytes {
        [0xfe, 0xff, ..] => UTF_16BE,
        [0xef, 0xbb, 0xbf, ..] => UTF_8,
        _ => WINDOWS_1252,
    };
    emit::telling(&encoding.decode(bytes).0)
}

/// The pages that were read, and those that could not be.
#[derive(Default)]
struct Read {
    pages: Vec<margins::Sheet>,
    pictures: Vec<usize>,
    meaningless: Vec<usize>,
}

impl Read {
    fn page(&mut self, number: usize, sheet: &Sheet) {
        let known = sheet.glyphs.iter().filter(|glyph| !glyph.text.trim().is_empty()).count();
        if sheet.unknown as f64 > MAX_UNKNOWN * (known + sheet.unknown) as f64 {
            self.meaningless.push(number);
        } else if known > 0 {
            let regions = lines::regions(&sheet.glyphs);
            self.pages.push(margins::Sheet { regions, height: sheet.height });
        } else if sheet.drawn {
            self.pictures.push(number);
        }
    }

    /// What was left out, in words.
    fn left_out(&self) -> Option<String> {
        let parts = [
            (&self.pictures, "without text (pictures, such as a scan)"),
            (&self.meaningless, "in fonts that do not say what their letters mean"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(pages, _)| !pages.is_empty())
            .map(|(pages, why)| {
                let numbers: Vec<String> = pages.iter().take(20).map(usize::to_string).collect();
                let more = if pages.len() > 20 { " and more" } else { "" };
                let word = if pages.len() == 1 { "page" } else { "pages" };
                format!("{word} {}{more} {why}", numbers.join(", "))
            })
            .collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// Size of running text: the one that most letters have.
fn body_size(pages: &[margins::Sheet]) -> f64 {
    let mut sizes: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
    let lines = pages.iter().flat_map(|page| &page.regions).flat_map(|region| &region.lines);
    for piece in lines.flat_map(|line| &line.pieces) {
        *sizes.entry((piece.size * 2.0).round() as u32).or_default() += piece.text.chars().count();
    }
    let most = sizes.into_iter().max_by_key(|(_, letters)| *letters);
    most.map_or(10.0, |(size, _)| f64::from(size) / 2.0)
}

/// The pages as Markdown, and the text of the only heading of level 1.
fn written(pages: &[margins::Sheet]) -> (Page, Option<String>) {
    let body = body_size(pages);
    let regions = pages.iter().flat_map(|page| &page.regions);
    let blocks = connected(regions.map(|region: &Region| blocks::blocks(region, body)));
    let ranks = ranks(&blocks, body);
    let once =
        |key: &Rank| blocks.iter().filter(|block| rank(block, body) == Some(*key)).count() == 1;
    // The largest is the title when there is one of it.
    let first = if ranks.first().is_some_and(once) { 1 } else { 2 };
    let (mut page, mut title) = (Page::default(), None);
    for block in &blocks {
        match block {
            Block::Item(marker, text) => page.item(0, marker, &emit::escape(text)),
            Block::Table(rows) => {
                let escaped =
                    |row: &Vec<String>| row.iter().map(|cell| emit::escape(cell)).collect();
                page.table(&rows.iter().map(escaped).collect::<Vec<_>>());
            }
            Block::Text(text) => match rank(block, body) {
                None => page.paragraph(&emit::escape(&text.text)),
                Some(key) => {
                    let level = first + ranks.iter().position(|known| *known == key).unwrap_or(0);
                    if level == 1 {
                        title = Some(emit::one_line(&text.text));
                    }
                    page.heading(level, &text.text);
                }
            },
        }
    }
    (page, title)
}

/// What tells headings of different levels apart: larger ones first, then bold ones.
type Rank = (std::cmp::Reverse<u32>, bool);

/// The rank of a heading; nothing for other blocks.
fn rank(block: &Block, body: f64) -> Option<Rank> {
    let Block::Text(Text { text, size, bold, heading, lines }) = block else { return None };
    let length = text.chars().count();
    let ends = text.ends_with(['.', ',', ';', ':']);
    let short =
        length <= MAX_HEADING.0 && *lines <= MAX_HEADING.1 && text.chars().any(char::is_alphabetic);
    let larger = *size > body * blocks::LARGER && !(ends && length > 60);
    let strong = *bold && *size > body * 0.95 && !ends && *lines <= 2;
    let key = (std::cmp::Reverse((size * 2.0).round() as u32), !*bold);
    (short && (*heading || larger || strong)).then_some(key)
}

fn ranks(blocks: &[Block], body: f64) -> Vec<Rank> {
    let mut found: Vec<Rank> = blocks.iter().filter_map(|block| rank(block, body)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The blocks of all regions; a sentence that a column or page breaks off goes on in the next.
fn connected(regions: impl Iterator<Item = Vec<Block>>) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    for blocks in regions {
        let mut blocks = blocks.into_iter();
        let first = blocks.next();
        match (out.last_mut(), first) {
            (Some(Block::Text(last)), Some(Block::Text(next))) if goes_on(last, &next) => {
                blocks::join(&mut last.text, &next.text);
                last.lines += next.lines;
            }
            (_, first) => out.extend(first),
        }
        out.extend(blocks);
    }
    out
}

fn goes_on(last: &Text, next: &Text) -> bool {
    let ended = last.text.ends_with(['.', '!', '?', ':', ';', '"', '”', ')']);
    let alike = (last.size - next.size).abs() < 0.6 && last.bold == next.bold && !last.heading;
    alike && !ended && next.text.starts_with(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_decoded() {
        for (bytes, expect) in [
            (b"\xfe\xff\0F\0\xe9\0e".as_slice(), Some("Fée")),
            (b"Pr\xe9is", Some("Préis")),
            (b"\xef\xbb\xbfPr\xc3\xa9is", Some("Préis")),
            (b"Microsoft Word - a.doc", None),
            (b"untitled", None),
            (b"a.indd", None),
        ] {
            let metadata = Metadata { title: Some(bytes.into()), ..Metadata::default() };
            assert_eq!(title(&metadata).as_deref(), expect, "{bytes:?}");
        }
    }

    #[test]
    fn pages_that_are_left_out_are_named() {
        let read = Read { pictures: vec![2, 5], meaningless: vec![7], ..Read::default() };
        assert_eq!(
            read.left_out().as_deref(),
            Some(
                "pages 2, 5 without text (pictures, such as a scan); page 7 in fonts that do not say what their letters mean"
            )
        );
        assert_eq!(Read::default().left_out(), None);
    }
}
