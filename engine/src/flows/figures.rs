//! Numbers as people write them: `1,200`, `2.5k`, `forty-two`, `half a dozen`, `10 to 15`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::entities::decimal;

/// Numbers are below this; beyond it they are something else.
const MOST: f64 = 1e12;

/// A number in a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    /// Where it stands, in bytes.
    pub(super) span: Range<usize>,
    /// What it comes to; of a range the lower end.
    pub(super) value: f64,
    /// As it is kept: `1200`, `10-15`.
    pub(super) text: String,
}

const SMALL: [(&str, f64); 34] = [
    ("zero", 0.0),
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fourty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
    ("hundred", 100.0),
    ("thousand", 1_000.0),
    ("million", 1_000_000.0),
    ("dozen", 12.0),
    ("couple", 2.0),
];

/// Digits with what multiplies them, and the other end of a range.
static DIGITS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let number = r"\d{1,3}(?:[.,'\u{a0} ]\d{3})+(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,2})?";
    let times = r"(?:\s?(?i:k|m|thousand|million|hundred|dozen|grand)\b)?";
    Regex::new(&format!(r"({number})({times})(?:\s?(?:-|–|—|to|or|and)\s?({number})({times}))?"))
        .ok()
});

/// The numbers of a text in order.
pub(super) fn find(text: &str) -> Vec<Figure> {
    let mut found: Vec<Figure> = digits(text);
    for figure in spelled(text) {
        let free = |other: &Figure| {
            other.span.end <= figure.span.start || figure.span.end <= other.span.start
        };
        if found.iter().all(free) {
            found.push(figure);
        }
    }
    found.sort_by_key(|figure| figure.span.start);
    found
}

fn digits(text: &str) -> Vec<Figure> {
    let Some(pattern) = DIGITS.as_ref() else { return vec![] };
    let alone = |span: &Range<usize>| {
        let before = text[..span.start].chars().next_back();
        let after = &text[span.end..];
        // "30ish" is 30.
        let after = after.strip_prefix("ish").unwrap_or(after).chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || "._/@".contains(c))
            && !after.is_some_and(|c| c.is_alphanumeric() || "_@/%".contains(c))
    };
    let figure = |captures: regex::Captures<'_>| {
        let whole = captures.get(0)?;
        let part = |group| captures.get(group).map_or("", |m: regex::Match<'_>| m.as_str());
        let first = value(part(1), part(2))?;
        // Of "between 2 and 4k" the first end is in thousands too.
        let first = match (part(2).trim(), part(4).trim()) {
            ("", times) if !times.is_empty() => value(part(1), times)?,
            _ => first,
        };
        let range = (!part(3).is_empty()).then(|| value(part(3), part(4))).flatten();
        let range = range.filter(|second| *second > first);
        match range {
            Some(second) => Some((whole.range(), first, format!("{first}-{second}"))),
            None => {
                let end = captures.get(2).map_or(whole.end(), |m| m.end());
                Some((whole.start()..end, first, first.to_string()))
            }
        }
    };
    let all = pattern.captures_iter(text).filter_map(figure);
    all.filter(|(span, value, _)| alone(span) && *value < MOST)
        .map(|(span, value, text)| Figure { span, value, text })
        .collect()
}

fn value(digits: &str, times: &str) -> Option<f64> {
    let number: f64 = decimal(&digits.replace(' ', "")).parse().ok()?;
    let times = match times.trim().to_lowercase().as_str() {
        "k" | "thousand" | "grand" => 1_000.0,
        "m" | "million" => 1_000_000.0,
        "hundred" => 100.0,
        "dozen" => 12.0,
        _ => 1.0,
    };
    Some(number * times)
}

/// Numbers in words. "one" alone is seldom a number, so it counts only beside others.
fn spelled(text: &str) -> Vec<Figure> {
    let words = super::words_of(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let run = words[at..].iter().take_while(|(_, word)| is_part(word)).count();
        if run == 0 {
            at += 1;
            continue;
        }
        let names: Vec<&str> = words[at..at + run].iter().map(|(_, word)| word.as_str()).collect();
        let span = words[at].0.start..words[at + run - 1].0.end;
        if let Some(value) = sum(&names) {
            found.push(Figure { span, value, text: value.to_string() });
        }
        at += run;
    }
    found
}

fn is_part(word: &str) -> bool {
    matches!(word, "half" | "a" | "and") || small(word).is_some()
}

fn small(word: &str) -> Option<f64> {
    let bare = word.strip_suffix('s').unwrap_or(word);
    SMALL.iter().find(|(name, _)| *name == word || *name == bare).map(|(_, value)| *value)
}

/// `["two", "hundred", "and", "forty"]` is 240.
fn sum(names: &[&str]) -> Option<f64> {
    let mut total = 0.0;
    let mut group = 0.0_f64;
    let mut seen = false;
    let mut half = false;
    for name in names {
        match (*name, small(name)) {
            ("half", _) => half = true,
            (_, None) => {}
            (_, Some(value)) => {
                seen = true;
                if value >= 1_000.0 {
                    total += group.max(1.0) * value;
                    group = 0.0;
                } else if matches!(*name, "hundred" | "dozen" | "hundreds" | "dozens") {
                    group = group.max(1.0) * value;
                } else {
                    group += value;
                }
            }
        }
    }
    let all = (total + group) * if half { 0.5 } else { 1.0 };
    (seen && all < MOST).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, expect) in [
            ("40", &[(40.0, "40")][..]),
            ("about 1,200 of us", &[(1200.0, "1200")]),
            ("1.200", &[(1200.0, "1200")]),
            ("12 000 visitors", &[(12000.0, "12000")]),
            ("2.5k", &[(2500.0, "2500")]),
            ("10K or so", &[(10000.0, "10000")]),
            ("10-15 people", &[(10.0, "10-15")]),
            ("between 2 and 4k", &[(2000.0, "2000-4000")]),
            ("10 to 15", &[(10.0, "10-15")]),
            ("forty", &[(40.0, "40")]),
            ("forty-two", &[(42.0, "42")]),
            ("two hundred and forty people", &[(240.0, "240")]),
            ("three thousand", &[(3000.0, "3000")]),
            ("half a dozen", &[(6.0, "6")]),
            ("a dozen", &[(12.0, "12")]),
            ("two dozen", &[(24.0, "24")]),
            ("5 grand", &[(5000.0, "5000")]),
            ("a shop and a café", &[]),
            ("abc123", &[]),
            ("jo2@example.org", &[]),
            ("15%", &[]),
            ("", &[]),
        ] {
            let found = find(text);
            let found: Vec<(f64, &str)> =
                found.iter().map(|f| (f.value, f.text.as_str())).collect();
            assert_eq!(found, expect, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_number_lies_in_its_text(text in "\\PC{0,60}|[0-9a-z .,k-]{0,40}") {
            for figure in find(&text) {
                proptest::prop_assert!(text.get(figure.span.clone()).is_some() && figure.value >= 0.0);
            }
        }
    }
}
