//! The steps of a document's numbered list, one at a time, as quotes; "I'm stuck" calls a person with the step that was reached.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::said::{self, Command};
use super::{ASIDES, Place, Stage, cite, joined};
use crate::rules::Reason;
use crate::search::{Passage, Search, Sentence, SentenceKind};
use crate::tasks::{Effect, Left, Line, Row, Step};

/// Steps of a list at most; what is longer is no list to be walked through.
const MOST: usize = 40;
/// Characters of a step in the owner's summary.
const SHOWN_CHARS: usize = 120;

/// A numbered list of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guide {
    /// Path of the document.
    pub document: String,
    /// The heading that the list stands under; empty for the document's first.
    pub heading: String,
    /// What is said after the last step; empty takes the house's own.
    pub done: String,
}

/// The step that is shown, from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reached {
    at: usize,
}

impl Reached {
    pub(super) fn waits_for(self) -> String {
        format!("step {}", self.at + 1)
    }
}

/// What one step says, with where it stands.
type Item = Vec<(Arc<Passage>, Sentence)>;

impl Guide {
    /// What is missing in the documents.
    pub(super) fn problem(&self, search: &dyn Search) -> Option<String> {
        cite::missing(search, &self.document, &self.heading).or_else(|| {
            let none = items(search, self).is_empty();
            none.then(|| format!("There is no numbered list in `{}`.", self.document))
        })
    }
}

/// The items of the guide's list, with the code and the sentences that stand between them.
fn items(search: &dyn Search, guide: &Guide) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut number = 0;
    'all: for passage in cite::passages(search, &guide.document, &guide.heading) {
        for sentence in &passage.sentences {
            match sentence.kind {
                SentenceKind::Item { number: Some(own), .. }
                    if items.is_empty() || own == number + 1 =>
                {
                    if items.len() == MOST {
                        break 'all;
                    }
                    number = own;
                    items.push(vec![(Arc::clone(&passage), sentence.clone())]);
                }
                SentenceKind::Item { number: Some(own), .. } if own == number => {
                    add(&mut items, &passage, sentence);
                }
                SentenceKind::Item { number: Some(_), .. } => break 'all,
                SentenceKind::Code | SentenceKind::Item { number: None, .. } => {
                    add(&mut items, &passage, sentence);
                }
                // The list has ended.
                _ if !items.is_empty() => break 'all,
                _ => {}
            }
        }
    }
    items
}

/// Adds a sentence to the step that it belongs to; before the first it belongs to none.
fn add(items: &mut [Item], passage: &Arc<Passage>, sentence: &Sentence) {
    if let Some(item) = items.last_mut() {
        item.push((Arc::clone(passage), sentence.clone()));
    }
}

pub(super) fn begin(stage: Stage<'_>, guide: &Guide) -> Step {
    show(stage, guide, 0, &stage.flow.opening)
}

pub(super) fn go_on(stage: Stage<'_>, guide: &Guide, Reached { at }: Reached) -> Option<Step> {
    let words = stage.words();
    let says = |command| said::says(words, command);
    if stage.presses("flow_stuck") || says_stuck(words) {
        return Some(stuck(stage, guide, at));
    }
    if stage.presses("flow_done") {
        return Some(show(stage, guide, at + 1, ""));
    }
    if said::asks(words) && !says_next(words) {
        return None;
    }
    if says(Command::Stop) {
        return Some(stage.says(stage.text("flow_stopped")));
    }
    if says(Command::Stuck) {
        return Some(stuck(stage, guide, at));
    }
    if says(Command::Back) {
        return Some(show(stage, guide, at.saturating_sub(1), ""));
    }
    let goes_on = says(Command::Done) || says(Command::Skip);
    goes_on.then(|| show(stage, guide, at + 1, ""))
}

fn says_stuck(words: &str) -> bool {
    crate::text::words(words).iter().any(|word| word == "stuck")
}

fn says_next(words: &str) -> bool {
    crate::text::words(words).last().is_some_and(|word| word == "next")
}

/// Shows a step, or ends after the last.
fn show(stage: Stage<'_>, guide: &Guide, at: usize, before: &str) -> Step {
    let items = items(stage.scene.parts.search, guide);
    if items.is_empty() {
        let text = stage.text("flow_hand_off");
        return Step { hand_off: Some(Reason::NoPassage), ..stage.says(text) };
    }
    let Some(item) = items.get(at) else {
        let done =
            if guide.done.is_empty() { stage.text("flow_finished") } else { guide.done.clone() };
        let row = Row::new(&stage.flow.title, format!("all {} steps done", items.len()));
        return Step { effects: vec![Effect::Collected(vec![row])], ..stage.says(done) };
    };
    let mut say = vec![Line::Plain(joined(&[before, &heading(stage, at, items.len())]))];
    say.extend(lines(item));
    Step {
        say,
        card: stage.choices(&[], &["flow_done", "flow_stuck"]),
        effects: vec![Effect::Collected(vec![reached(stage, &items, at)])],
        task: stage.kept(Place::Steps(Reached { at }), 0),
        ..stage.says("")
    }
}

/// `Step 2 of 5:`
fn heading(stage: Stage<'_>, at: usize, count: usize) -> String {
    let text = stage.text("flow_step");
    text.replace("{number}", &(at + 1).to_string()).replace("{count}", &count.to_string())
}

fn lines(item: &Item) -> impl Iterator<Item = Line> + '_ {
    let mut block = None;
    item.iter().map(move |(passage, sentence)| {
        let gap = if block == Some(sentence.block) { " " } else { "\n" };
        block = Some(sentence.block);
        cite::quote(passage, sentence, gap)
    })
}

fn stuck(stage: Stage<'_>, guide: &Guide, at: usize) -> Step {
    let items = items(stage.scene.parts.search, guide);
    let mut rows = vec![reached(stage, &items, at)];
    rows.push(Row::new("Stuck", short(stage.words())));
    Step {
        effects: vec![Effect::Collected(rows)],
        hand_off: Some(Reason::Stuck),
        ..stage.says(stage.text("flow_hand_off"))
    }
}

/// The step that was reached, for the owner.
fn reached(stage: Stage<'_>, items: &[Item], at: usize) -> Row {
    let text: Vec<&str> =
        items.get(at).into_iter().flatten().map(|(_, s)| s.text.as_str()).collect();
    let place = format!("step {} of {}: {}", at + 1, items.len(), text.join(" "));
    Row::new(&stage.flow.title, short(&place))
}

fn short(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN_CHARS).collect()
}

/// The step again, after a question in between.
pub(super) fn pending(stage: Stage<'_>, guide: &Guide, reached: Reached) -> Option<(String, Left)> {
    if stage.asides >= ASIDES {
        return Some(Stage::let_go(vec![]));
    }
    let count = items(stage.scene.parts.search, guide).len();
    let ask = heading(stage, reached.at, count);
    let text = stage.text("flow_back").replace("{ask}", ask.trim_end_matches(':'));
    let card = stage.choices(&[], &["flow_done", "flow_stuck"]);
    let task = stage.kept(Place::Steps(reached), stage.asides);
    (count > 0).then_some((text, Left { card, task, effects: vec![] }))
}
