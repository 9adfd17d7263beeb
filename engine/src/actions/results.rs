//! What is shown of an answer: values at places that the owner has named, cleaned, and nothing else.

use serde_json::Value;

use crate::tasks::Row;

use super::address::plain;

/// Values of a list that are shown.
const LISTED: usize = 10;
/// Marks on one letter that are shown; text that means to do harm stacks them without end.
const MARKS: usize = 2;

/// A value of the answer that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Where it stands: an RFC 6901 pointer, `/order/status`.
    pub pointer: String,
    /// What it is called.
    pub label: String,
    /// Characters of it that are shown at most.
    pub most: usize,
}

impl Shown {
    /// The row for it, when the answer has it.
    pub(super) fn row(&self, answer: &Value) -> Option<Row> {
        let value = match answer.pointer(&self.pointer)? {
            Value::Array(values) => {
                let texts: Vec<String> = values.iter().take(LISTED).filter_map(plain).collect();
                texts.join(", ")
            }
            value => plain(value)?,
        };
        let value = clean(&value, self.most);
        (!value.is_empty()).then(|| Row::new(self.label.clone(), value))
    }
}

/// Foreign text as it may be shown: one line, at most `most` characters, without control characters, invisible ones, marks that
/// turn the direction of writing, and links.
pub fn clean(text: &str, most: usize) -> String {
    // Far more than is shown, so that a long text costs no more than a short one.
    let seen = text.chars().take(most.saturating_mul(8).max(64)).filter(|c| !is_hidden(*c));
    let mut marks = 0;
    let near: String = seen
        .filter(|c| {
            marks = if is_mark(*c) { marks + 1 } else { 0 };
            marks <= MARKS
        })
        .collect();
    let words: Vec<&str> =
        near.split_whitespace().map(|word| if is_link(word) { "…" } else { word }).collect();
    let line = words.join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// Characters that are not seen, or that change how others are. White space is kept, it divides words.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{e000}'..='\u{f8ff}')
}

/// Marks that stand on the letter before.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Whether a word is an address that somebody could follow.
fn is_link(word: &str) -> bool {
    let lower = word.to_lowercase();
    let schemes = [
        "://",
        "www.",
        "javascript:",
        "data:",
        "mailto:",
        "tel:",
        "vbscript:",
        "file:",
        "](",
        "//",
    ];
    schemes.iter().any(|scheme| lower.contains(scheme))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn foreign_text_is_cleaned() {
        for (text, most, expect) in [
            ("On its way", 60, "On its way"),
            ("a\u{0}b\u{7}\nc\r\n d\t", 60, "ab c d"),
            ("\u{202e}gnp.exe\u{2066}", 60, "gnp.exe"),
            ("pay\u{200b}\u{feff}pal\u{e0041}", 60, "paypal"),
            ("see https://evil.example/?q=1 now", 60, "see … now"),
            ("[x](javascript:alert(1)) WWW.evil.example //evil.example", 60, "… … …"),
            ("abcdef", 4, "abc…"),
            ("", 4, ""),
            ("e\u{301} a\u{301}\u{302}\u{303}\u{304}b", 60, "e\u{301} a\u{301}\u{302}b"),
            ("<script>alert(1)</script>", 60, "<script>alert(1)</script>"),
        ] {
            assert_eq!(clean(text, most), expect, "{text:?}");
        }
        assert_eq!(clean(&"x".repeat(1_000_000), 10).chars().count(), 10);
    }

    #[test]
    fn only_named_places_are_shown() {
        let answer = json!({
            "order": {"status": "On its way", "secret": "x", "items": ["Lamp", 2, {"price": 1}], "paid": true},
            "total": 12.5, "big": 1e300, "none": null, "deep": {"a": 1}, "empty": "\u{200b}"
        });
        let row = |pointer: &str| {
            let shown = Shown { pointer: pointer.into(), label: "L".into(), most: 40 };
            shown.row(&answer).map(|row| row.value)
        };
        for (pointer, expect) in [
            ("/order/status", Some("On its way")),
            ("/order/items", Some("Lamp, 2")),
            ("/order/paid", Some("true")),
            ("/total", Some("12.5")),
            ("/big", Some("1e+300")),
            ("/none", None),
            ("/deep", None),
            ("/missing", None),
            ("/empty", None),
            ("", None),
        ] {
            assert_eq!(row(pointer).as_deref(), expect, "{pointer}");
        }
    }

    proptest::proptest! {
        #[test]
        fn cleaned_text_is_short_and_holds_nothing_hidden(text in "\\PC{0,200}", most in 1usize..50) {
            let cleaned = clean(&text, most);
            proptest::prop_assert!(cleaned.chars().count() <= most);
            proptest::prop_assert!(!cleaned.chars().any(|c| c.is_control() || is_hidden(c)));
        }
    }
}
