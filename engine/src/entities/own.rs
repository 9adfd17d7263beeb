//! The owner's own entities, the table `[entities]` of `intents.toml`: order ids, plans and SKUs by list or pattern.

use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use toml::Spanned;

use super::{Finder, Kind, Value};

/// Bytes that one compiled pattern may take.
const SIZE: usize = 1 << 20;
/// Words beside which a plan is meant however it is spelled; else it has to be spelled as the owner does, for a name such as "Free" is a
/// word as well.
const PLAN_WORDS: &str = "plan|tier|package|subscription|edition|account|license|licence";

/// The table `[entities]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OwnEntities {
    /// Order ids.
    pub order_id: Own,
    /// Plans.
    pub plan: Own,
    /// Articles.
    pub sku: Own,
}

/// How entities of one kind are found: by name, by pattern, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Own {
    /// Names as the owner spells them.
    pub names: Vec<Spanned<String>>,
    /// A regular expression, in any case; where it has a group, the group is the entity.
    pub pattern: Option<Spanned<String>>,
}

/// Why a pattern or name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct PatternError {
    /// Where it stands, in bytes of the file; 0 for what is built in.
    pub at: usize,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl OwnEntities {
    pub(super) fn finders(&self) -> Result<Vec<Finder>, PatternError> {
        let mut finders = Vec::new();
        for (kind, own) in
            [(Kind::OrderId, &self.order_id), (Kind::Plan, &self.plan), (Kind::Sku, &self.sku)]
        {
            finders.extend(named(kind, &own.names)?);
            if let Some(pattern) = &own.pattern {
                finders.push(patterned(kind, pattern)?);
            }
        }
        Ok(finders)
    }
}

fn patterned(kind: Kind, pattern: &Spanned<String>) -> Result<Finder, PatternError> {
    let (written, at) = (pattern.get_ref(), pattern.span().start);
    let regex = compile(written, true).map_err(|error| {
        let problem = format!(
            "the pattern `{written}` is no regular expression of the kind that is understood: {error}"
        );
        PatternError { at, problem }
    })?;
    if regex.is_match("") {
        let problem =
            format!("the pattern `{written}` also matches no text at all; ask for a character");
        return Err(PatternError { at, problem });
    }
    Ok(Finder { kind, pattern: regex, value: Value::AsWritten })
}

/// Finders for the owner's names: plans as spelled or beside a word for plan, others in any case.
fn named(kind: Kind, names: &[Spanned<String>]) -> Result<Vec<Finder>, PatternError> {
    let Some(first) = names.first() else { return Ok(Vec::new()) };
    if let Some(empty) = names.iter().find(|name| name.get_ref().trim().is_empty()) {
        let problem = "a name is empty; write it or take it out".to_owned();
        return Err(PatternError { at: empty.span().start, problem });
    }
    let mut spelled: Vec<String> =
        names.iter().map(|name| name.get_ref().trim().to_owned()).collect();
    // Of "Pro" and "Pro Max" the longer is tried first.
    spelled.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let any = spelled.iter().map(|name| regex::escape(name)).collect::<Vec<_>>().join("|");
    let patterns = match kind {
        Kind::Plan => vec![
            (any.clone(), false),
            (format!(r"\b({any})\s+(?:{PLAN_WORDS})s?\b"), true),
            (format!(r"\b(?:{PLAN_WORDS})\s+({any})"), true),
        ],
        _ => vec![(any, true)],
    };
    let finder = |(pattern, any_case): (String, bool)| {
        let pattern = compile(&pattern, any_case).map_err(|error| {
            let problem = format!("the names cannot be looked for: {error}");
            PatternError { at: first.span().start, problem }
        })?;
        Ok(Finder { kind, pattern, value: Value::Named(spelled.clone()) })
    };
    patterns.into_iter().map(finder).collect()
}

/// Compiles an expression that runs in time linear in the text.
pub(crate) fn compile(pattern: &str, any_case: bool) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).case_insensitive(any_case).size_limit(SIZE).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too long".to_owned(),
        // The last line says what is wrong; those before draw the place.
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    })
}
