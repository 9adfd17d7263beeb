//! Puts letters together to lines in reading order, column by column.

use super::glyphs::Glyph;

/// From this gap on, in sizes of the letters, there is a space between two letters.
const SPACE: f64 = 0.17;
/// From this gap on, a new piece begins: the next column or the next cell.
const GAP: f64 = 1.0;
/// How far apart baselines of one line may be, in sizes of the letters.
const SAME_LINE: f64 = 0.35;
/// Least width of the space between two columns, in sizes of the letters.
const GUTTER: f64 = 0.9;
/// Lines of running text that a column has at least, the last on a page may end early.
const MIN_LINES: usize = 2;
/// Lines of running text that two columns have together, at least.
const MIN_BOTH: usize = 6;
/// Letters that a line of running text has at least; most cells of tables have fewer.
const MIN_LETTERS: usize = 25;
/// Share of the column's width that a line of running text fills; few cells of tables do.
const FILLED: f64 = 0.75;
/// Columns inside columns at most.
const MAX_SPLITS: usize = 6;
/// Places at which a page may be split that are tried.
const MAX_PLACES: usize = 120;

/// Letters side by side without a large gap.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// What it says.
    pub(super) text: String,
    /// Left end in points.
    pub(super) x: f64,
    /// Right end.
    pub(super) end: f64,
    /// Baseline in points from the top.
    pub(super) y: f64,
    /// Size of its letters in points, the largest.
    pub(super) size: f64,
    /// Whether all of it is bold.
    pub(super) bold: bool,
    /// Whether the page says that it belongs to a heading.
    pub(super) heading: bool,
}

/// Pieces on one baseline, from left to right.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The pieces; at least one.
    pub(super) pieces: Vec<Piece>,
    /// Baseline in points from the top.
    pub(super) y: f64,
    /// Largest size.
    pub(super) size: f64,
}

/// A column, or a part of a page as wide as it: lines that are read one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Region {
    /// The lines from top to bottom.
    pub(super) lines: Vec<Line>,
}

impl Line {
    /// Left end.
    pub(super) fn x(&self) -> f64 {
        self.pieces.first().map_or(0.0, |piece| piece.x)
    }

    /// Right end.
    pub(super) fn end(&self) -> f64 {
        self.pieces.last().map_or(0.0, |piece| piece.end)
    }

    /// Whether all of it is bold.
    pub(super) fn bold(&self) -> bool {
        self.pieces.iter().all(|piece| piece.bold)
    }

    /// What it says.
    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// The regions of a page in reading order.
pub(super) fn regions(glyphs: &[Glyph]) -> Vec<Region> {
    let mut out = Vec::new();
    order(joined(pieces(glyphs)), MAX_SPLITS, &mut out);
    out
}

/// Letters that follow one another, as they were drawn.
fn pieces(glyphs: &[Glyph]) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let mut space = false;
    for glyph in glyphs {
        if glyph.text.trim().is_empty() {
            space = true;
            continue;
        }
        let follows = out.last().is_some_and(|last| {
            let gap = glyph.x - last.end;
            let size = last.size.max(glyph.size);
            (glyph.y - last.y).abs() < SAME_LINE * size && (-0.5 * size..GAP * size).contains(&gap)
        });
        match out.last_mut() {
            Some(last) if follows => {
                // The same letter again in the same place is a shadow.
                if glyph.x - last.end < -0.3 * glyph.size && last.text.ends_with(&glyph.text) {
                    continue;
                }
                if space || glyph.x - last.end > SPACE * glyph.size {
                    last.text.push(' ');
                }
                last.text.push_str(&glyph.text);
                last.end = last.end.max(glyph.end);
                last.bold &= glyph.bold;
                last.heading |= glyph.heading;
                if glyph.size > last.size {
                    (last.size, last.y) = (glyph.size, glyph.y);
                }
            }
            _ => out.push(Piece {
                text: glyph.text.clone(),
                x: glyph.x,
                end: glyph.end,
                y: glyph.y,
                size: glyph.size,
                bold: glyph.bold,
                heading: glyph.heading,
            }),
        }
        space = false;
    }
    out
}

/// Pieces that stand close together on one line although they were not drawn one after the other.
fn joined(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    let mut out: Vec<Piece> = Vec::new();
    for line in lines(pieces) {
        let first = out.len();
        for piece in line.pieces {
            let last = out[first..].last_mut().filter(|last| {
                let gap = piece.x - last.end;
                let alike = (piece.size / last.size).clamp(0.8, 1.25) == piece.size / last.size;
                alike && (-0.3 * piece.size..0.6 * piece.size).contains(&gap)
            });
            match last {
                None => out.push(piece),
                Some(last) => {
                    if piece.x - last.end > SPACE * piece.size {
                        last.text.push(' ');
                    }
                    last.text.push_str(&piece.text);
                    last.end = last.end.max(piece.end);
                    last.bold &= piece.bold;
                    last.heading |= piece.heading;
                }
            }
        }
    }
    out
}

/// Pieces with the same baseline together; `pieces` go from top to bottom.
fn lines(pieces: Vec<Piece>) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    for piece in pieces {
        match out.last_mut() {
            Some(line) if (piece.y - line.y).abs() < SAME_LINE * piece.size.min(line.size) => {
                line.size = line.size.max(piece.size);
                line.pieces.push(piece);
            }
            _ => out.push(Line { y: piece.y, size: piece.size, pieces: vec![piece] }),
        }
    }
    for line in &mut out {
        line.pieces.sort_by(|a, b| a.x.total_cmp(&b.x));
    }
    out
}

/// A place between two columns, and the pieces beside it, which go from `from` to before `to`.
struct Split {
    x: f64,
    from: usize,
    to: usize,
}

/// Takes columns apart until there are none; `pieces` go from top to bottom.
fn order(pieces: Vec<Piece>, splits: usize, out: &mut Vec<Region>) {
    let found = if splits == 0 { None } else { split(&pieces) };
    let Some(Split { x, from, to }) = found else {
        if !pieces.is_empty() {
            out.push(Region { lines: lines(pieces) });
        }
        return;
    };
    let mut above = pieces;
    let below = above.split_off(to);
    let beside = above.split_off(from);
    let (left, right): (Vec<Piece>, Vec<Piece>) =
        beside.into_iter().partition(|piece| piece.end <= x);
    for part in [above, left, right, below] {
        order(part, splits - 1, out);
    }
}

/// The best place to split, if there are columns.
fn split(pieces: &[Piece]) -> Option<Split> {
    let mut places: Vec<f64> = pieces.iter().map(|piece| piece.end + 0.5).collect();
    places.sort_by(f64::total_cmp);
    places.dedup_by(|a, b| (*a - *b).abs() < 3.0);
    let step = places.len().div_ceil(MAX_PLACES).max(1);
    let mut best: Option<(usize, Split)> = None;
    for x in places.into_iter().step_by(step) {
        let mut from = 0;
        for to in 0..=pieces.len() {
            let crosses = pieces.get(to).is_none_or(|piece| piece.x < x && piece.end > x);
            if !crosses {
                continue;
            }
            let score = columns(&pieces[from..to], x);
            if score > best.as_ref().map_or(0, |(score, _)| *score) {
                best = Some((score, Split { x, from, to }));
            }
            from = to + 1;
        }
    }
    best.map(|(_, split)| split)
}

/// How many lines stand side by side left and right of `x`, when there is running text on both sides; else 0.
fn columns(pieces: &[Piece], x: f64) -> usize {
    let (left, right): (Vec<&Piece>, Vec<&Piece>) = pieces.iter().partition(|piece| piece.end <= x);
    let size = pieces.iter().map(|piece| piece.size).fold(0.0, f64::max).min(12.0);
    let edge = left.iter().map(|piece| piece.end).fold(f64::MIN, f64::max);
    let next = right.iter().map(|piece| piece.x).fold(f64::MAX, f64::min);
    let prose = |side: &[&Piece]| {
        let width = side.iter().map(|piece| piece.end - piece.x).fold(0.0, f64::max);
        let running = side.iter().filter(|piece| {
            piece.end - piece.x > FILLED * width && piece.text.chars().count() >= MIN_LETTERS
        });
        running.count()
    };
    let lines = [prose(&left), prose(&right)];
    let running = lines.iter().all(|count| *count >= MIN_LINES) && lines[0] + lines[1] >= MIN_BOTH;
    if running && next - edge >= GUTTER * size { left.len().min(right.len()) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(x: f64, y: f64, text: &str) -> Vec<Glyph> {
        let place = |(n, c): (usize, char)| Glyph {
            text: c.into(),
            x: x + 5.0 * n as f64,
            end: x + 5.0 * n as f64 + 5.0,
            y,
            size: 10.0,
            bold: false,
            heading: false,
        };
        text.chars().enumerate().map(place).collect()
    }

    fn check(parts: &[(f64, f64, &str)], expect: &[&[&str]]) {
        let glyphs: Vec<Glyph> =
            parts.iter().flat_map(|(x, y, text)| words(*x, *y, text)).collect();
        let found: Vec<Vec<String>> = regions(&glyphs)
            .iter()
            .map(|region| {
                region
                    .lines
                    .iter()
                    .map(|line| {
                        line.pieces
                            .iter()
                            .map(|piece| piece.text.as_str())
                            .collect::<Vec<_>>()
                            .join(" | ")
                    })
                    .collect()
            })
            .collect();
        assert_eq!(found, expect, "{parts:?}");
    }

    #[test]
    fn letters_become_lines() {
        check(
            &[(0.0, 10.0, "one"), (20.0, 10.0, "two"), (0.0, 22.0, "three")],
            &[&["one two", "three"]],
        );
        check(&[(200.0, 10.0, "b"), (0.0, 10.0, "a"), (0.0, 10.2, "a")], &[&["a | b"]]);
    }

    #[test]
    fn columns_are_read_one_after_the_other() {
        let left = "left column of running text";
        let right = "right column of running text";
        for shift in [0.0, 6.0] {
            let mut parts =
                vec![(0.0, 10.0, "a title that goes over both of the columns, from left to right")];
            for n in 0..6 {
                parts.push((0.0, 40.0 + 12.0 * f64::from(n), left));
                parts.push((170.0, 40.0 + shift + 12.0 * f64::from(n), right));
            }
            check(&parts, &[&[parts[0].2], &[left; 6], &[right; 6]]);
        }
        let row: Vec<(f64, f64, &str)> = (0..6)
            .flat_map(|n| {
                [(0.0, 12.0 * f64::from(n), "Zone"), (170.0, 12.0 * f64::from(n), "4.99")]
            })
            .collect();
        check(&row, &[&["Zone | 4.99"; 6]]);
    }
}
