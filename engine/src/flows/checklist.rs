//! A checklist: questions with options that branch, requests for a file, and an outcome at the end.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::file::{Wrong, path};
use super::said::{self, Command};
use super::slot::{Choice, Slot, SlotKind};
use super::{ASIDES, FILE, Place, Stage, TRIES, choice, cite, joined};
use crate::phrase::Phrase;
use crate::rules::Reason;
use crate::tasks::{Card, Effect, Left, Line, Row, Step};
use crate::text;

/// Checks and outcomes of a flow at most.
const MOST: usize = 40;
/// Options of a check at most.
const OPTIONS: usize = 8;
/// Characters of an answer in the owner's summary.
const SHOWN_CHARS: usize = 200;

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
    fn slot(&self) -> Slot {
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

/// How far a list has got.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Way {
    /// Id of the check that is asked.
    check: String,
    /// Answers to it that could not be read.
    tries: u32,
    /// What was answered.
    answers: Vec<Row>,
}

impl Way {
    pub(super) fn waits_for(&self, list: &Checklist) -> String {
        let asked = list.checks.iter().find(|check| check.id == self.check);
        asked.map(|check| format!("asks: {}", check.label)).unwrap_or_default()
    }
}

pub(super) fn begin(stage: Stage<'_>, list: &Checklist) -> Step {
    let mut way = Way::default();
    let Some(mut check) = list.checks.first() else {
        return stage.says(stage.text("flow_finished"));
    };
    let sentences = text::sentences(stage.words());
    // What the first words tell already is not asked for.
    for _ in 0..list.checks.len() {
        let meant = |choice: &Choice| sentences.iter().any(|words| choice::is_meant(choice, words));
        let Some(number) = check.options.iter().position(meant) else { break };
        way.answers.push(Row::new(&check.label, &check.options[number].name));
        match list.checks.iter().find(|next| next.id == check.then[number]) {
            Some(next) => check = next,
            None => {
                return end(stage, list, (&check.then[number], way.answers), &stage.flow.opening);
            }
        }
    }
    way.check.clone_from(&check.id);
    ask(stage, check, way, &joined(&[&stage.flow.opening, &check.ask]))
}

pub(super) fn go_on(stage: Stage<'_>, list: &Checklist, way: &Way) -> Option<Step> {
    let words = stage.words();
    let Some(check) = list.checks.iter().find(|check| check.id == way.check) else {
        // The owner has taken the question away meanwhile.
        return Some(stuck(stage, way));
    };
    let stops = || !words.contains('?') && said::says(words, Command::Stop);
    if stage.presses("flow_stop") {
        return Some(stage.says(stage.text("flow_stopped")));
    }
    if stage.presses("flow_stuck") || text::words(words).iter().any(|word| word == "stuck") {
        return Some(stuck(stage, way));
    }
    let answer = match &check.upload {
        Some(_) => file(stage),
        None => chosen(stage, check),
    };
    match answer {
        Some((number, value)) => {
            let mut answers = way.answers.clone();
            answers.push(Row::new(&check.label, value));
            Some(follow(stage, list, &check.then[number], answers))
        }
        None if said::asks(words) || stage.leads_elsewhere() => None,
        None if stops() => Some(stage.says(stage.text("flow_stopped"))),
        None => Some(unread(stage, check, way.clone())),
    }
}

/// The option that a message means, by its place and name. A question means none unless it names one.
fn chosen(stage: Stage<'_>, check: &Check) -> Option<(usize, String)> {
    let words = stage.words();
    let slot = check.slot();
    let place = |name: &str| check.options.iter().position(|option| option.name == name);
    let spans = super::sentences_of(words);
    let told = spans.into_iter().map(|span| &words[span]).filter(|sentence| !said::asks(sentence));
    let name = told.filter_map(|sentence| choice::chosen(&slot, sentence)).next()?;
    Some((place(name)?, name.to_owned()))
}

/// What came of asking for a file: its name, that it was sent, pasted words, or that there is none.
fn file(stage: Stage<'_>) -> Option<(usize, String)> {
    let words = stage.words();
    if let Some(name) = words.lines().find_map(|line| line.strip_prefix(FILE)) {
        return Some((0, short(name)));
    }
    if stage.presses("flow_skip") {
        return Some((0, "none".into()));
    }
    if said::asks(words) {
        return None;
    }
    if said::says(words, Command::Skip) || said::is_no(words) {
        return Some((0, "none".into()));
    }
    if said::says(words, Command::Stop) {
        return None;
    }
    match stage.presses("flow_done") || said::says(words, Command::Done) {
        true => Some((0, "the visitor says that it was sent".into())),
        false => Some((0, short(words))),
    }
}

fn short(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN_CHARS).collect()
}

/// Asks the check that an answer leads to, or ends.
fn follow(stage: Stage<'_>, list: &Checklist, to: &str, answers: Vec<Row>) -> Step {
    match list.checks.iter().find(|check| check.id == to) {
        Some(check) => {
            let way = Way { check: check.id.clone(), tries: 0, answers };
            ask(stage, check, way, &check.ask)
        }
        None => end(stage, list, (to, answers), ""),
    }
}

/// A step that says `text` and waits for the check.
fn ask(stage: Stage<'_>, check: &Check, way: Way, text: &str) -> Step {
    let mut effects = vec![Effect::Collected(way.answers.clone())];
    let card = match &check.upload {
        Some(what) => {
            effects.push(Effect::Upload { what: what.clone() });
            Some(Card::Upload { what: what.clone() })
        }
        None => {
            let names: Vec<String> =
                check.options.iter().map(|option| option.name.clone()).collect();
            stage.choices(&names, &["flow_stuck"])
        }
    };
    let how = if check.upload.is_some() { stage.text("flow_upload") } else { String::new() };
    let task = stage.kept(Place::Checklist(way), 0);
    Step { card, effects, task, ..stage.says(joined(&[text, &how])) }
}

fn unread(stage: Stage<'_>, check: &Check, mut way: Way) -> Step {
    way.tries += 1;
    if way.tries >= TRIES {
        return stuck(stage, &way);
    }
    let names: Vec<&str> = check.options.iter().map(|option| option.name.as_str()).collect();
    let expected = stage.text("flow_choice").replace("{options}", &names.join(", "));
    ask(stage, check, way, &expected)
}

fn stuck(stage: Stage<'_>, way: &Way) -> Step {
    let mut rows = way.answers.clone();
    rows.push(Row::new(&stage.flow.title, short(stage.words())));
    Step {
        effects: vec![Effect::Collected(rows)],
        hand_off: Some(Reason::Stuck),
        ..stage.says(stage.text("flow_hand_off"))
    }
}

fn end(stage: Stage<'_>, list: &Checklist, (id, answers): (&str, Vec<Row>), before: &str) -> Step {
    let Some(outcome) = list.outcomes.iter().find(|outcome| outcome.id == id) else {
        return stuck(stage, &Way { answers, ..Way::default() });
    };
    let mut rows = answers;
    rows.push(Row::new(&stage.flow.title, &outcome.id));
    let mut say = vec![Line::Plain(joined(&[before, &outcome.say]))];
    say.extend(cite::opening(stage.scene.parts.search, &outcome.document, &outcome.heading));
    Step {
        say,
        effects: vec![Effect::Collected(rows)],
        hand_off: outcome.hand_off.then_some(Reason::Stuck),
        ..stage.says("")
    }
}

/// The check again, after a question in between.
pub(super) fn pending(stage: Stage<'_>, list: &Checklist, way: &Way) -> (String, Left) {
    let check = list.checks.iter().find(|check| check.id == way.check);
    let Some(check) = check.filter(|_| stage.asides < ASIDES) else {
        return Stage::let_go(vec![]);
    };
    let step = ask(stage, check, way.clone(), &check.ask);
    let text = stage.text("flow_again").replace("{ask}", &check.ask);
    let task = stage.kept(Place::Checklist(way.clone()), stage.asides);
    (text, Left { card: step.card, task, effects: vec![] })
}
