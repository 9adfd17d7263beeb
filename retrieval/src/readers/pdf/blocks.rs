//! Puts the lines of a column together to paragraphs, items of lists and tables.

use super::lines::{Line, Piece, Region};

/// How much larger than the usual distance of lines the one between paragraphs is.
const PARAGRAPH: f64 = 1.3;
/// How much the sizes of letters of one paragraph differ at most.
const SAME_SIZE: f64 = 1.08;
/// How much larger than running text the letters of a heading are.
pub(super) const LARGER: f64 = 1.12;
/// Share of the column's width that the last line of a paragraph leaves free, when that ends it.
const SHORT: f64 = 0.15;
/// Columns of a table at most.
const MAX_COLUMNS: usize = 16;
/// What items of lists begin with.
const BULLETS: [char; 14] = ['•', '◦', '▪', '‣', '●', '○', '■', '□', '–', '—', '·', '*', '-', '∙'];

/// A part of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Block {
    /// A paragraph or a heading.
    Text(Text),
    /// An item of a list with its marker, `-` or a number.
    Item(String, String),
    /// Rows of cells.
    Table(Vec<Vec<String>>),
}

/// A paragraph or a heading.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    /// What it says.
    pub(super) text: String,
    /// Size of its letters in points.
    pub(super) size: f64,
    /// Whether all of it is bold.
    pub(super) bold: bool,
    /// Whether the page says that it is a heading.
    pub(super) heading: bool,
    /// Number of lines.
    pub(super) lines: usize,
}

/// The blocks of a region; `body` is the size of running text.
pub(super) fn blocks(region: &Region, body: f64) -> Vec<Block> {
    let lines = &region.lines;
    let left = lines.iter().map(Line::x).fold(f64::MAX, f64::min);
    let right = lines.iter().map(Line::end).fold(f64::MIN, f64::max);
    let mut maker =
        Maker { body, leading: leading(lines), left, right, out: Vec::new(), open: None };
    let mut at = 0;
    while at < lines.len() {
        let table = table(&lines[at..]);
        match table {
            Some((rows, count)) => {
                maker.close();
                maker.out.push(Block::Table(rows));
                at += count;
            }
            None => {
                maker.line(&lines[at]);
                at += 1;
            }
        }
    }
    maker.close();
    maker.out
}

/// The usual distance of lines, in sizes of the letters.
fn leading(lines: &[Line]) -> f64 {
    let mut found: Vec<f64> = lines
        .windows(2)
        .filter(|pair| (pair[1].size - pair[0].size).abs() < 0.5)
        .map(|pair| (pair[1].y - pair[0].y) / pair[1].size.max(1.0))
        .filter(|ratio| (0.8..2.2).contains(ratio))
        .collect();
    found.sort_by(f64::total_cmp);
    // Of two distances that are seen as often the smaller is the one within paragraphs.
    found.get(found.len().saturating_sub(1) / 3).copied().unwrap_or(1.2)
}

/// A block that may go on.
struct Open {
    marker: Option<String>,
    text: Text,
    x: f64,
    last: Line,
}

struct Maker {
    body: f64,
    leading: f64,
    left: f64,
    right: f64,
    out: Vec<Block>,
    open: Option<Open>,
}

impl Maker {
    fn line(&mut self, line: &Line) {
        let larger = line.size > self.body * LARGER;
        let marked = if larger { None } else { marker(line) };
        let goes_on =
            marked.is_none() && self.open.as_ref().is_some_and(|open| self.joins(open, line));
        if let (true, Some(open)) = (goes_on, &mut self.open) {
            join(&mut open.text.text, &line.text());
            open.text.lines += 1;
            open.last = line.clone();
            return;
        }
        self.close();
        let (marker, text) = match marked {
            Some((marker, rest)) => (Some(marker), rest),
            None => (None, line.text()),
        };
        let heading = line.pieces.iter().any(|piece| piece.heading);
        let text = Text { text, size: line.size, bold: line.bold(), heading, lines: 1 };
        self.open = Some(Open { marker, text, x: line.x(), last: line.clone() });
    }

    /// Whether `line` belongs to the block that is open.
    fn joins(&self, open: &Open, line: &Line) -> bool {
        let last = &open.last;
        let size = last.size.max(line.size);
        let far = line.y - last.y > PARAGRAPH * self.leading.max(1.0) * size || line.y < last.y;
        let heading = line.pieces.iter().any(|piece| piece.heading);
        let other = size / last.size.min(line.size) > SAME_SIZE
            || open.text.bold != line.bold() && (open.text.lines == 1 || line.bold())
            || open.text.heading != heading;
        let width = self.right - self.left;
        let short = last.end() < self.right - SHORT * width;
        let sentence = open.text.text.ends_with(['.', '!', '?', ':', ';']);
        let text = line.text();
        let capital =
            text.starts_with(|c: char| c.is_uppercase() || c.is_numeric() || "¿¡„“\"«".contains(c));
        // A first line that is set in begins a paragraph, one that is set out ends an item.
        let set_in =
            open.marker.is_none() && line.x() > last.x() + 0.9 * size && open.text.lines > 1;
        let set_out =
            open.marker.is_some() && line.x() < open.x + 0.3 * size && (short || sentence);
        let apart = far || other || set_in || set_out;
        !(apart || short && sentence && capital)
    }

    fn close(&mut self) {
        let Some(Open { marker, text, .. }) = self.open.take() else { return };
        self.out.push(match marker {
            Some(marker) => Block::Item(marker, text.text),
            None => Block::Text(text),
        });
    }
}

/// Adds a line to a text: words that were divided at the line's end come together again.
pub(super) fn join(text: &mut String, next: &str) {
    let next = next.trim_start();
    let soft = text.ends_with('\u{ad}');
    let mut end = text.chars().rev();
    let divided =
        matches!(end.next(), Some('-' | '\u{2010}')) && end.next().is_some_and(char::is_lowercase);
    let wide = |c: Option<char>| c.is_some_and(|c| ('\u{3000}'..='\u{9fff}').contains(&c));
    if soft || divided && next.starts_with(char::is_lowercase) {
        text.pop();
    } else if !(wide(text.chars().next_back()) && wide(next.chars().next())) {
        text.push(' ');
    }
    text.push_str(next);
}

/// The marker of an item and the rest of its line.
fn marker(line: &Line) -> Option<(String, String)> {
    let text = line.text();
    let (first, rest) = text.split_once(' ')?;
    let rest = rest.trim().to_owned();
    let mut bullet = first.chars();
    let is_bullet = bullet.next().is_some_and(|c| BULLETS.contains(&c)) && bullet.next().is_none();
    if rest.is_empty() {
        None
    } else if is_bullet {
        Some(("-".into(), rest))
    } else {
        let number = first.strip_suffix(['.', ')'])?;
        let counts = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
        counts.then(|| (format!("{number}."), rest))
    }
}

/// The table that begins with the first of these lines, and how many lines it takes.
fn table(lines: &[Line]) -> Option<(Vec<Vec<String>>, usize)> {
    let mut count = 0;
    while let Some(line) = lines.get(count) {
        let before = count.checked_sub(1).map(|n| &lines[n]);
        let near = before.is_none_or(|before| {
            line.y - before.y < 3.5 * line.size
                && (line.size / before.size).clamp(0.8, 1.25) == line.size / before.size
        });
        let cells = line.pieces.len() > 1 && marker(line).is_none();
        if !near || !(cells || count > 0 && wraps(&lines[..count], line)) {
            break;
        }
        count += 1;
    }
    // Lines of one piece at the end are no part of it.
    while count > 0
        && lines[count - 1].pieces.len() < 2
        && !inside(&lines[..count - 1], &lines[count - 1])
    {
        count -= 1;
    }
    let lines = &lines[..count];
    let columns = columns(lines);
    let full = |line: &&Line| used(line, &columns) > 1;
    if !(2..=MAX_COLUMNS).contains(&columns.len()) || lines.iter().filter(full).count() < 2 {
        return None;
    }
    Some((rows(lines, &columns), count))
}

/// Whether a line of one piece is the rest of a cell: below a column that is not the first.
fn inside(lines: &[Line], line: &Line) -> bool {
    let columns = columns(lines);
    let at =
        |piece: &Piece| columns.iter().position(|(from, to)| piece.x < *to && piece.end > *from);
    line.pieces.len() == 1 && at(&line.pieces[0]).is_some_and(|column| column > 0)
}

fn wraps(lines: &[Line], line: &Line) -> bool {
    let near = lines.last().is_some_and(|last| line.y - last.y < 1.5 * line.size);
    let columns = columns(lines);
    let within = columns.iter().filter(|(from, to)| line.x() < *to && line.end() > *from).count();
    near && within == 1 && (inside(lines, line) || line.text().starts_with(char::is_lowercase))
}

/// Ranges of x that have text, gaps between them.
fn columns(lines: &[Line]) -> Vec<(f64, f64)> {
    let mut ranges: Vec<(f64, f64)> =
        lines.iter().flat_map(|line| &line.pieces).map(|piece| (piece.x, piece.end)).collect();
    ranges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut out: Vec<(f64, f64)> = Vec::new();
    for (from, to) in ranges {
        match out.last_mut() {
            Some(last) if from < last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

fn used(line: &Line, columns: &[(f64, f64)]) -> usize {
    let used = |(from, to): &&(f64, f64)| line.pieces.iter().any(|p| p.x < *to && p.end > *from);
    columns.iter().filter(used).count()
}

/// Cells by column; lines that stand closer than the rows do go on with the row above.
fn rows(lines: &[Line], columns: &[(f64, f64)]) -> Vec<Vec<String>> {
    let gaps = lines.windows(2).map(|pair| (pair[1].y - pair[0].y) / pair[1].size);
    let (near, far): (Vec<f64>, Vec<f64>) = gaps.partition(|gap| *gap < 1.35);
    let wrapped = !near.is_empty() && far.iter().any(|gap| *gap > 1.6);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut above: Option<&Line> = None;
    for line in lines {
        let mut cells = vec![String::new(); columns.len()];
        for piece in &line.pieces {
            let column = columns.iter().position(|(from, to)| piece.x < *to && piece.end > *from);
            let cell = &mut cells[column.unwrap_or(0)];
            if cell.is_empty() { cell.push_str(&piece.text) } else { join(cell, &piece.text) }
        }
        let close = above.is_some_and(|above| line.y - above.y < 1.35 * line.size);
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        let part = cells[0].is_empty() || wrapped && filled < columns.len();
        let alone = line.pieces.len() == 1;
        match rows.last_mut() {
            Some(row) if close && (part || alone) => {
                for (cell, more) in row.iter_mut().zip(cells).filter(|(_, more)| !more.is_empty()) {
                    if cell.is_empty() { *cell = more } else { join(cell, &more) }
                }
            }
            _ => rows.push(cells),
        }
        above = Some(line);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(y: f64, pieces: &[(f64, &str)]) -> Line {
        let piece = |(x, text): &(f64, &str)| Piece {
            text: (*text).into(),
            x: *x,
            end: x + 5.0 * text.chars().count() as f64,
            y,
            size: 10.0,
            bold: false,
            heading: false,
        };
        Line { pieces: pieces.iter().map(piece).collect(), y, size: 10.0 }
    }

    fn check(lines: &[(f64, &[(f64, &str)])], expect: &[&str]) {
        let lines = lines.iter().map(|(y, pieces)| line(*y, pieces)).collect();
        let shown: Vec<String> = blocks(&Region { lines }, 10.0)
            .into_iter()
            .map(|block| match block {
                Block::Text(text) => text.text,
                Block::Item(marker, text) => format!("{marker} {text}"),
                Block::Table(rows) => {
                    rows.iter().map(|row| row.join("|")).collect::<Vec<_>>().join("/")
                }
            })
            .collect();
        assert_eq!(shown, expect);
    }

    #[test]
    fn lines_become_paragraphs_and_items() {
        check(
            &[
                (12.0, &[(0.0, "The first line of a para-")]),
                (24.0, &[(0.0, "graph goes on and on here")]),
                (36.0, &[(0.0, "and ends.")]),
                (48.0, &[(0.0, "The second one begins it.")]),
                (80.0, &[(0.0, "Far below.")]),
                (92.0, &[(0.0, "• one")]),
                (104.0, &[(10.0, "goes on")]),
                (116.0, &[(0.0, "2."), (20.0, "two")]),
            ],
            &[
                "The first line of a paragraph goes on and on here and ends.",
                "The second one begins it.",
                "Far below.",
                "- one goes on",
                "2. two",
            ],
        );
    }

    #[test]
    fn aligned_pieces_become_tables() {
        check(
            &[
                (12.0, &[(0.0, "Zone"), (60.0, "Price")]),
                (32.0, &[(0.0, "1"), (60.0, "4.99 and a")]),
                (44.0, &[(60.0, "surcharge")]),
                (64.0, &[(0.0, "2"), (70.0, "9")]),
                (90.0, &[(0.0, "Prices hold for a year, all of them.")]),
            ],
            &["Zone|Price/1|4.99 and a surcharge/2|9", "Prices hold for a year, all of them."],
        );
    }
}
