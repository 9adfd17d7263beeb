//! A slot of a flow: what is asked, and what kind of answer fills it.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use toml::Spanned;

use super::file::Wrong;
use crate::entities::compile;
use crate::phrase::Phrase;

/// Options of a choice at most.
const OPTIONS: usize = 8;
/// Characters of an option or a label at most.
const NAME_CHARS: usize = 60;

/// What kind of answer a slot takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotKind {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A few words.
    Text,
    /// A number of something.
    Number,
    /// An amount of money.
    Amount,
    /// A day, or a time such as "next month".
    Date,
    /// One of the owner's options.
    Choice,
}

impl SlotKind {
    /// Whether its answers can be counted.
    pub(super) fn is_figure(self) -> bool {
        matches!(self, Self::Number | Self::Amount)
    }
}

/// Something that is asked.
#[derive(Debug, Clone)]
pub struct Slot {
    /// Name that conditions use.
    pub id: String,
    /// Name for people.
    pub label: String,
    /// What fills it.
    pub kind: SlotKind,
    /// The question.
    pub ask: String,
    /// Whether the flow is of no use without it.
    pub required: bool,
    /// Phrases that announce the answer in a longer message: a number beside them, the words behind them.
    pub words: Vec<Phrase>,
    /// A pattern of the answer in a longer message; its group, where there is one, is the answer.
    pub pattern: Option<Regex>,
    /// What stands behind a number when it is repeated: `people`.
    pub unit: String,
    /// What may be chosen.
    pub options: Vec<Choice>,
}

/// One option of a choice.
#[derive(Debug, Clone)]
pub struct Choice {
    /// As it is shown and kept.
    pub name: String,
    /// Phrases that mean it.
    pub words: Vec<Phrase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    id: String,
    label: String,
    kind: SlotKind,
    ask: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    words: Vec<Phrase>,
    pattern: Option<Spanned<String>>,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    options: Vec<String>,
    #[serde(default)]
    means: BTreeMap<Spanned<String>, Vec<Phrase>>,
}

impl Slot {
    /// Checks a slot as it is written, which begins at byte `start` of the file.
    pub(super) fn checked(entry: Entry, start: usize) -> Result<Self, Wrong> {
        let id = entry.id.clone();
        let wrong = |problem: String| (start, format!("the slot `{id}` {problem}"));
        if entry.id.trim().is_empty() || entry.ask.trim().is_empty() {
            return Err(wrong("has no id or no `ask`, the question that it is asked with".into()));
        }
        if entry.label.trim().is_empty() || entry.label.chars().count() > NAME_CHARS {
            return Err(wrong(format!("has no label of 1 to {NAME_CHARS} characters")));
        }
        let options = options(&entry).map_err(|(at, problem)| match at {
            Some(at) => (at, problem),
            None => wrong(problem),
        })?;
        if entry.kind == SlotKind::Choice && options.len() < 2 {
            return Err(wrong("is a choice of fewer than two `options`".into()));
        }
        if entry.kind != SlotKind::Choice && !options.is_empty() {
            return Err(wrong("has `options`, which belong to the kind choice".into()));
        }
        let pattern = entry.pattern.as_ref().map(pattern).transpose()?;
        Ok(Self {
            id: entry.id,
            label: entry.label,
            kind: entry.kind,
            ask: entry.ask,
            required: entry.required,
            words: entry.words,
            pattern,
            unit: entry.unit,
            options,
        })
    }

    /// An answer as it is repeated to the visitor.
    pub(super) fn shown(&self, value: &str) -> String {
        if self.unit.is_empty() { value.to_owned() } else { format!("{value} {}", self.unit) }
    }
}

/// The options with what means them, or what is wrong with them and where, when that is not the slot itself.
fn options(entry: &Entry) -> Result<Vec<Choice>, (Option<usize>, String)> {
    let unknown = entry.means.keys().find(|name| !entry.options.contains(name.get_ref()));
    if let Some(name) = unknown {
        let problem = format!("`{}` under `means` is none of the options", name.get_ref());
        return Err((Some(name.span().start), problem));
    }
    let bad = |name: &&String| name.trim().is_empty() || name.chars().count() > NAME_CHARS;
    if entry.options.len() > OPTIONS || entry.options.iter().any(|name| bad(&name)) {
        return Err((
            None,
            format!(
                "has options that do not fit: {OPTIONS} at most, each of 1 to {NAME_CHARS} characters"
            ),
        ));
    }
    let words = |name: &str| {
        let own = entry.means.iter().find(|(option, _)| option.get_ref() == name);
        own.map(|(_, words)| words.clone()).unwrap_or_default()
    };
    Ok(entry.options.iter().map(|name| Choice { name: name.clone(), words: words(name) }).collect())
}

fn pattern(written: &Spanned<String>) -> Result<Regex, Wrong> {
    let (text, at) = (written.get_ref(), written.span().start);
    let regex = compile(text, true).map_err(|error| {
        (at, format!("the pattern `{text}` is no regular expression of the kind that is understood: {error}"))
    })?;
    match regex.is_match("") {
        true => Err((
            at,
            format!("the pattern `{text}` also matches no text at all; ask for a character"),
        )),
        false => Ok(regex),
    }
}
