//! Takes away what is no text of its own: running heads, feet, page numbers and tables of contents.

use std::collections::HashMap;

use super::lines::{Line, Region};

/// Part of the page's height, at the top and at the bottom, in which heads and feet stand.
const MARGIN: f64 = 0.1;
/// Share of the pages on which a line stands that is no part of the text; heads may differ left and right.
const REPEATED: f64 = 0.3;

/// A page with its regions.
#[derive(Debug)]
pub(super) struct Sheet {
    /// In reading order.
    pub(super) regions: Vec<Region>,
    /// Height in points.
    pub(super) height: f64,
}

/// Removes lines in the margins that repeat, numbers of pages, and lines that only lead to a page.
pub(super) fn strip(pages: &mut [Sheet]) {
    let mut seen: HashMap<(bool, String), usize> = HashMap::new();
    for page in pages.iter() {
        let mut here: Vec<(bool, String)> = page
            .regions
            .iter()
            .flat_map(|r| &r.lines)
            .filter_map(|l| sign(l, page.height))
            .collect();
        here.sort();
        here.dedup();
        here.into_iter().for_each(|sign| *seen.entry(sign).or_default() += 1);
    }
    let enough = ((pages.len() as f64 * REPEATED).ceil() as usize).max(2);
    for page in pages {
        let height = page.height;
        let repeats = |line: &Line| {
            sign(line, height).is_some_and(|sign| {
                is_number(&sign.1) || seen.get(&sign).is_some_and(|count| *count >= enough)
            })
        };
        page.regions.iter_mut().for_each(|region| {
            region.lines.retain(|line| !repeats(line) && !leads(line));
        });
        page.regions.retain(|region| !region.lines.is_empty());
    }
}

/// Whether a line leads to a page by a row of dots, as in a table of contents.
fn leads(line: &Line) -> bool {
    let text: String = line.text().split_whitespace().collect();
    text.contains(".....") && text.ends_with(|c: char| c.is_ascii_digit() || "ivx".contains(c))
}

/// Which margin a line stands in, and what it says, all numbers alike.
fn sign(line: &Line, height: f64) -> Option<(bool, String)> {
    let top = line.y < MARGIN * height;
    let bottom = line.y > (1.0 - MARGIN) * height;
    let mut text = String::new();
    for c in line.text().chars() {
        match c.is_ascii_digit() {
            true if text.ends_with('#') => {}
            true => text.push('#'),
            false => text.push(c),
        }
    }
    (top || bottom).then_some((top, text))
}

/// Whether it is nothing but the number of a page: `#`, `– # –`, `Page # of #`, `#/#`.
fn is_number(sign: &str) -> bool {
    const WORDS: [&str; 9] =
        ["page", "seite", "página", "pagina", "strona", "p.", "of", "von", "de"];
    let has = sign.contains('#');
    has && sign
        .split(|c: char| c.is_whitespace() || "/-–—|·".contains(c))
        .all(|word| word.is_empty() || word == "#" || WORDS.contains(&word.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::pdf::lines::Piece;

    fn page(lines: &[(f64, &str)]) -> Sheet {
        let line = |(y, text): &(f64, &str)| Line {
            pieces: vec![Piece {
                text: (*text).into(),
                x: 0.0,
                end: 9.0,
                y: *y,
                size: 9.0,
                bold: false,
                heading: false,
            }],
            y: *y,
            size: 9.0,
        };
        Sheet { regions: vec![Region { lines: lines.iter().map(line).collect() }], height: 100.0 }
    }

    #[test]
    fn heads_feet_and_numbers_go() {
        let mut pages = [
            page(&[(5.0, "Manual"), (50.0, "Manual"), (95.0, "Seite 1 von 2")]),
            page(&[
                (5.0, "Manual"),
                (50.0, "Text"),
                (60.0, "Fees . . . . . . . 7"),
                (93.0, "Only here"),
                (95.0, "– 2 –"),
            ]),
        ];
        strip(&mut pages);
        let texts: Vec<String> =
            pages.iter().flat_map(|p| &p.regions).flat_map(|r| &r.lines).map(Line::text).collect();
        assert_eq!(texts, ["Manual", "Text", "Only here"]);
    }
}
