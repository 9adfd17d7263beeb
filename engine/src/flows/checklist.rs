//! A checklist on its way: questions with options that branch, requests for a file, and an outcome at the end.

use serde::{Deserialize, Serialize};

use super::checks::{Check, Checklist};
use super::said::{self, Command};
use super::slot::Choice;
use super::{ASIDES, FILE, Place, Stage, TRIES, choice, cite, joined};
use crate::rules::Reason;
use crate::tasks::{Card, Effect, Left, Line, Row, Step};
use crate::text;

/// Characters of an answer in the owner's summary.
const SHOWN_CHARS: usize = 200;

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
