//! A checklist as it is written: checks that lead to others or to outcomes, and what may be wrong with it.

use serde::Deserialize;
use toml::Spanned;

use super::file::{Wrong, path};
use super::slot::{Choice, Slot, SlotKind};
use crate::phrase::Phrase;

/// Checks and outcomes of a flow at most.
const MOST: usize = 40;
/// Options of a check at most.
const OPTIONS: usize = 8;
/// A checklist.
#[derive(Debug, Clone, Default)]
pub struct Checklist {
    /// The first is asked first.
    pub checks: Vec<Check>,
    /// How it may end.
    pub outcomes: Vec<Outcome>,
}

/// One question.
#[derive(Debug, Clone)]
pub struct Check {
    /// Name that others lead to.
    pub id: String,
    /// Name for people.
    pub label: String,
    /// The question.
    pub ask: String,
    /// The file that is asked for; then there is nothing to choose.
    pub upload: Option<String>,
    /// What may be answered.
    pub options: Vec<Choice>,
    /// Where each option leads, or the file.
    pub then: Vec<String>,
}

/// One end.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Name that checks lead to.
    pub id: String,
    /// What is said.
    pub say: String,
    /// Document whose opening is quoted; empty for none.
    pub document: String,
    /// The heading that it is quoted from; empty for the document's first.
    pub heading: String,
    /// Whether a person is asked for.
    pub hand_off: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckEntry {
    id: String,
    #[serde(default)]
    label: String,
    ask: String,
    yes: Option<Spanned<String>>,
    no: Option<Spanned<String>>,
    #[serde(default)]
    option: Vec<Spanned<OptionEntry>>,
    upload: Option<String>,
    next: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionEntry {
    text: String,
    #[serde(default)]
    words: Vec<Phrase>,
    then: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutcomeEntry {
    id: String,
    say: String,
    document: Option<Spanned<String>>,
    #[serde(default)]
    heading: String,
    #[serde(default)]
    hand_off: bool,
}

/// A place that a check leads to, and where in the file that is said.
type Lead = (usize, String);

/// Checks a list as it is written: every place exists, none is named twice, all are reached, and no way goes in a circle.
pub(super) fn checked(
    checks: Vec<Spanned<CheckEntry>>,
    outcomes: Vec<Spanned<OutcomeEntry>>,
) -> Result<Checklist, Wrong> {
    let mut list = Checklist::default();
    let mut leads: Vec<(usize, Vec<Lead>)> = Vec::new();
    let mut ids: Vec<(usize, String)> = Vec::new();
    for spanned in checks {
        let start = spanned.span().start;
        let (check, own) = check(spanned.into_inner(), start)?;
        ids.push((start, check.id.clone()));
        leads.push((start, own));
        list.checks.push(check);
    }
    for spanned in outcomes {
        let start = spanned.span().start;
        let OutcomeEntry { id, say, document, heading, hand_off } = spanned.into_inner();
        if say.trim().is_empty() {
            return Err((start, format!("the outcome `{id}` says nothing; write it under `say`")));
        }
        ids.push((start, id.clone()));
        list.outcomes.push(Outcome {
            id,
            say,
            document: path(document, start)?,
            heading,
            hand_off,
        });
    }
    named(&ids)?;
    for (at, id) in leads.iter().flat_map(|(_, own)| own) {
        if !ids.iter().any(|(_, known)| known == id) {
            let known: Vec<&str> = ids.iter().map(|(_, id)| id.as_str()).collect();
            let problem =
                format!("there is no check or outcome `{id}`; there are {}", known.join(", "));
            return Err((*at, problem));
        }
    }
    walked(&list, &leads, &ids)?;
    Ok(list)
}

/// Each place has a name of its own.
fn named(ids: &[(usize, String)]) -> Result<(), Wrong> {
    if ids.len() > MOST {
        return Err((
            ids[MOST].0,
            format!("more than {MOST} checks and outcomes; make two flows of them"),
        ));
    }
    for (number, (at, id)) in ids.iter().enumerate() {
        if id.trim().is_empty() {
            return Err((*at, "a check or outcome has no id; give it one".into()));
        }
        if ids[..number].iter().any(|(_, other)| other == id) {
            return Err((
                *at,
                format!("`{id}` is there already; give each check and outcome its own id"),
            ));
        }
    }
    Ok(())
}

fn check(entry: CheckEntry, start: usize) -> Result<(Check, Vec<Lead>), Wrong> {
    let id = entry.id.clone();
    let wrong = |problem: &str| (start, format!("the check `{id}` {problem}"));
    if entry.ask.trim().is_empty() {
        return Err(wrong("has no `ask`, the question that it is asked with"));
    }
    if entry.yes.is_some() != entry.no.is_some() {
        return Err(wrong("has only one of `yes` and `no`; say where both lead"));
    }
    let mut options = Vec::new();
    let mut leads: Vec<Lead> = Vec::new();
    let lead = |to: Spanned<String>| (to.span().start, to.into_inner());
    for (name, to) in [("Yes", entry.yes), ("No", entry.no)] {
        if let Some(to) = to {
            options.push(Choice { name: name.into(), words: vec![] });
            leads.push(lead(to));
        }
    }
    for option in entry.option.into_iter().map(Spanned::into_inner) {
        options.push(Choice { name: option.text, words: option.words });
        leads.push(lead(option.then));
    }
    match (&entry.upload, entry.next, options.len()) {
        (Some(_), Some(next), 0) => leads.push(lead(next)),
        (Some(_), _, 0) => {
            return Err(wrong("asks for a file and does not say with `next` where that leads"));
        }
        (Some(_), ..) => {
            return Err(wrong("has `upload` and options; ask for one thing at a time"));
        }
        (None, Some(_), _) => return Err(wrong("has `next`, which belongs to `upload`")),
        (None, None, 0 | 1) => return Err(wrong("needs `yes` and `no`, two options, or `upload`")),
        (None, None, count) if count > OPTIONS => return Err(wrong("has more than 8 options")),
        _ => {}
    }
    if options.iter().any(|option| option.name.trim().is_empty()) {
        return Err(wrong("has an option without a text"));
    }
    let label = if entry.label.is_empty() { entry.ask.clone() } else { entry.label };
    let then = leads.iter().map(|(_, to)| to.clone()).collect();
    Ok((Check { id: entry.id, label, ask: entry.ask, upload: entry.upload, options, then }, leads))
}

/// Follows every way from the first check.
fn walked(
    list: &Checklist,
    leads: &[(usize, Vec<Lead>)],
    ids: &[(usize, String)],
) -> Result<(), Wrong> {
    let mut reached: Vec<&str> = Vec::new();
    // Each entry is a check and how far its ways were followed; those below it lead there.
    let mut way: Vec<(usize, usize)> = vec![(0, 0)];
    while let Some((at, next)) = way.last().copied() {
        let Some((start, to)) = leads.get(at).and_then(|(_, own)| own.get(next)) else {
            way.pop();
            continue;
        };
        if let Some(last) = way.last_mut() {
            last.1 += 1;
        }
        let known = reached.contains(&to.as_str());
        reached.push(to);
        let Some(index) = list.checks.iter().position(|check| check.id == *to) else { continue };
        if way.iter().any(|(above, _)| *above == index) {
            let problem =
                format!("`{to}` leads back to itself, so the list never ends; lead to an outcome");
            return Err((*start, problem));
        }
        if !known {
            way.push((index, 0));
        }
    }
    let lost = ids.iter().skip(1).find(|(_, id)| !reached.contains(&id.as_str()));
    match lost {
        Some((at, id)) => {
            Err((*at, format!("nothing leads to `{id}`; lead a check to it or take it out")))
        }
        None => Ok(()),
    }
}

impl Check {
    /// As a slot, to read answers with.
    pub(super) fn slot(&self) -> Slot {
        Slot {
            id: self.id.clone(),
            label: self.label.clone(),
            kind: SlotKind::Choice,
            ask: self.ask.clone(),
            required: true,
            words: vec![],
            pattern: None,
            unit: String::new(),
            options: self.options.clone(),
        }
    }
}
