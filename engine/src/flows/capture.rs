//! A lead: asks for one thing at a time, takes what a message holds in any order, says what it has understood.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Found, Reader};
use super::book::{Capture, Condition, Qualify};
use super::said::{self, Command};
use super::slot::{Slot, SlotKind};
use super::{ASIDES, Lead, LeadStatus, Level, Place, Stage, TRIES, cite, joined};
use crate::rules::Reason;
use crate::tasks::{Effect, Left, Line, Row, Step};
use crate::text;
use crate::turn::Speaker;

/// Words by which somebody takes back what they have said.
const CORRECTING: [&str; 9] =
    ["actually", "sorry", "correction", "meant", "wrong", "instead", "rather", "typo", "mistake"];
/// Characters of an answer that is repeated at most.
const SHOWN_CHARS: usize = 80;

/// What is known of a lead.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// By id of the slot.
    answers: BTreeMap<String, Answer>,
    /// Ids of slots that are left out.
    skipped: Vec<String>,
    /// Id of the slot that was asked for last.
    asked: String,
    /// Answers to it that could not be read.
    tries: u32,
}

impl Progress {
    pub(super) fn waits_for(&self, capture: &Capture) -> String {
        let asked = capture.slots.iter().find(|slot| slot.id == self.asked);
        asked.map(|slot| format!("asks for: {}", slot.label)).unwrap_or_default()
    }

    fn reader<'a>(&'a self, stage: Stage<'a>, capture: &'a Capture) -> Reader<'a> {
        let asked = (!self.asked.is_empty()).then_some(self.asked.as_str());
        Reader { slots: &capture.slots, asked, entities: stage.scene.parts.entities }
    }

    /// Takes what a message holds; those that are new, in its order.
    fn take(&mut self, words: &str, found: Vec<Found>) -> Vec<(String, Answer)> {
        let said = text::words(words);
        let corrects = said.iter().any(|word| CORRECTING.contains(&word.as_str()));
        let mut new = Vec::new();
        for Found { slot, answer, .. } in found {
            let open = slot == self.asked || corrects || !self.answers.contains_key(&slot);
            if open && self.answers.get(&slot) != Some(&answer) {
                self.skipped.retain(|id| *id != slot);
                self.answers.insert(slot.clone(), answer.clone());
                new.push((slot, answer));
            }
        }
        new
    }

    fn rows(&self, capture: &Capture) -> Vec<Row> {
        let row = |slot: &Slot| {
            self.answers.get(&slot.id).map(|answer| Row::new(&slot.label, &answer.text))
        };
        capture.slots.iter().filter_map(row).collect()
    }
}

pub(super) fn begin(stage: Stage<'_>, capture: &Capture) -> Step {
    let mut progress = Progress::default();
    let found = progress.reader(stage, capture).read(stage.words());
    let mut new = progress.take(stage.words(), found);
    new.extend(told_before(stage, capture, &mut progress));
    advance(stage, capture, progress, (&stage.flow.opening, &new))
}

/// How to reach the visitor, where they have said so earlier in the conversation.
fn told_before(
    stage: Stage<'_>,
    capture: &Capture,
    progress: &mut Progress,
) -> Vec<(String, Answer)> {
    let mut new = Vec::new();
    for message in stage.scene.turn.history.iter().rev().filter(|m| m.speaker == Speaker::Visitor) {
        let found = progress.reader(stage, capture).read(&message.text);
        let reaches = |found: &Found| {
            capture.slots.iter().any(|slot| {
                slot.id == found.slot && matches!(slot.kind, SlotKind::Email | SlotKind::Phone)
            })
        };
        new.extend(progress.take("", found.into_iter().filter(reaches).collect()));
    }
    new
}

pub(super) fn go_on(stage: Stage<'_>, capture: &Capture, progress: &Progress) -> Option<Step> {
    let words = stage.words();
    let mut progress = progress.clone();
    let Some(slot) = capture.slots.iter().find(|slot| slot.id == progress.asked) else {
        // The owner has taken the question away meanwhile.
        return Some(advance(stage, capture, progress, ("", &[])));
    };
    let is_option = slot.kind == SlotKind::Choice && super::choice::chosen(slot, words).is_some();
    let presses = |id, command| {
        stage.presses(id) || (!is_option && !words.contains('?') && said::says(words, command))
    };
    let found = progress.reader(stage, capture).read(words);
    let told = found.iter().any(|one| one.slot != slot.id || slot.kind != SlotKind::Text);
    if !told && presses("flow_stop", Command::Stop) {
        return Some(stop(stage, capture, &progress));
    }
    if !told && (presses("flow_skip", Command::Skip) || (!is_option && said::is_no(words))) {
        return Some(skip(stage, capture, progress, slot));
    }
    if found.is_empty() {
        let aside = said::asks(words) || sentences_ask(words) || stage.leads_elsewhere();
        return (!aside).then(|| unread(stage, capture, progress, slot));
    }
    if Reader::asks_too(words, &found) {
        return None;
    }
    let new = progress.take(words, found);
    if new.is_empty() {
        return Some(unread(stage, capture, progress, slot));
    }
    Some(advance(stage, capture, progress, ("", &new)))
}

fn sentences_ask(words: &str) -> bool {
    super::sentences_of(words).into_iter().any(|span| said::asks(&words[span]))
}

/// What is asked again after a question in between; the answers that stood beside it are kept.
pub(super) fn pending(stage: Stage<'_>, capture: &Capture, progress: &Progress) -> (String, Left) {
    let mut progress = progress.clone();
    let found = progress.reader(stage, capture).read(stage.words());
    let new = progress.take(stage.words(), found);
    if stage.asides >= ASIDES {
        return Stage::let_go(effects(stage, capture, &progress, LeadStatus::Stopped));
    }
    let step = advance(stage, capture, progress, ("", &new));
    let again = match new.is_empty() {
        true => stage.text("flow_again").replace("{ask}", &step.text()),
        false => step.text(),
    };
    (again, Left { card: step.card, task: step.task, effects: step.effects })
}

/// Asks for what is still open, or ends. Before it stand `said` and what was understood.
fn advance(
    stage: Stage<'_>,
    capture: &Capture,
    mut progress: Progress,
    (said, new): (&str, &[(String, Answer)]),
) -> Step {
    let noted = noted(stage, capture, new);
    let open = |slot: &&Slot| {
        !progress.answers.contains_key(&slot.id) && !progress.skipped.contains(&slot.id)
    };
    let Some(slot) = capture.slots.iter().find(open) else {
        return finish(stage, capture, &progress, joined(&[said, &noted]));
    };
    if progress.asked != slot.id {
        (progress.asked, progress.tries) = (slot.id.clone(), 0);
    }
    ask(stage, (capture, slot), progress, &joined(&[said, &noted, &slot.ask]))
}

/// A step that says `text` and waits for `slot`.
fn ask(
    stage: Stage<'_>,
    (capture, slot): (&Capture, &Slot),
    progress: Progress,
    text: &str,
) -> Step {
    let options: Vec<String> = slot.options.iter().map(|option| option.name.clone()).collect();
    let skip: &[&str] = if slot.required { &["flow_stop"] } else { &["flow_skip", "flow_stop"] };
    Step {
        card: stage.choices(&options, skip),
        effects: effects(stage, capture, &progress, LeadStatus::Open),
        task: stage.kept(Place::Capture(progress), stage.asides),
        ..stage.says(text)
    }
}

/// What was understood, said once.
fn noted(stage: Stage<'_>, capture: &Capture, new: &[(String, Answer)]) -> String {
    let shown = |(id, answer): &(String, Answer)| {
        let slot = capture.slots.iter().find(|slot| slot.id == *id)?;
        Some(slot.shown(&answer.text).chars().take(SHOWN_CHARS).collect::<String>())
    };
    let values: Vec<String> = new.iter().filter_map(shown).collect();
    if values.is_empty() {
        return String::new();
    }
    stage.text("flow_noted").replace("{values}", &values.join(", "))
}

/// The answer could not be read: what is expected is said once, then the question is left out, or a person is asked for.
fn unread(stage: Stage<'_>, capture: &Capture, mut progress: Progress, slot: &Slot) -> Step {
    progress.tries += 1;
    if progress.tries >= TRIES {
        return leave(stage, capture, progress, slot);
    }
    let id = match slot.kind {
        SlotKind::Email => "flow_email",
        SlotKind::Phone => "flow_phone",
        SlotKind::Text => "flow_text",
        SlotKind::Number => "flow_number",
        SlotKind::Amount => "flow_amount",
        SlotKind::Date => "flow_date",
        SlotKind::Choice => "flow_choice",
    };
    let names: Vec<&str> = slot.options.iter().map(|option| option.name.as_str()).collect();
    let expected = stage.text(id).replace("{options}", &names.join(", "));
    ask(stage, (capture, slot), progress, &expected)
}

fn skip(stage: Stage<'_>, capture: &Capture, mut progress: Progress, slot: &Slot) -> Step {
    if !slot.required {
        return leave(stage, capture, progress, slot);
    }
    progress.tries += 1;
    if progress.tries >= TRIES {
        return leave(stage, capture, progress, slot);
    }
    let text = joined(&[&stage.text("flow_required"), &slot.ask]);
    ask(stage, (capture, slot), progress, &text)
}

/// Goes on without an answer; where the flow is of no use without it, a person is asked for.
fn leave(stage: Stage<'_>, capture: &Capture, mut progress: Progress, slot: &Slot) -> Step {
    if slot.required {
        return Step {
            effects: effects(stage, capture, &progress, LeadStatus::Stopped),
            hand_off: Some(Reason::Stuck),
            ..stage.says(stage.text("flow_failed"))
        };
    }
    progress.skipped.push(slot.id.clone());
    advance(stage, capture, progress, (&stage.text("flow_left_out"), &[]))
}

fn stop(stage: Stage<'_>, capture: &Capture, progress: &Progress) -> Step {
    let effects = effects(stage, capture, progress, LeadStatus::Stopped);
    Step { effects, ..stage.says(stage.text("flow_stopped")) }
}

fn finish(stage: Stage<'_>, capture: &Capture, progress: &Progress, before: String) -> Step {
    let rule = capture.qualify.iter().find(|rule| holds(rule, &progress.answers));
    let own = rule.map(|rule| rule.say.as_str()).filter(|say| !say.is_empty());
    let done = own.unwrap_or(&capture.done);
    let done = if done.is_empty() { stage.text("flow_finished") } else { done.to_owned() };
    let mut say = vec![Line::Plain(joined(&[&before, &done]))];
    if let Some(rule) = rule.filter(|rule| !rule.guide.is_empty()) {
        say.extend(cite::opening(stage.scene.parts.search, &rule.guide, &rule.heading));
    }
    let hand_off = rule.filter(|rule| rule.hand_off).map(|_| Reason::Lead);
    let effects = effects(stage, capture, progress, LeadStatus::Complete);
    Step { say, effects, hand_off, ..stage.says("") }
}

/// The lead as it stands, for the owner; nothing while nothing is known.
fn effects(
    stage: Stage<'_>,
    capture: &Capture,
    progress: &Progress,
    status: LeadStatus,
) -> Vec<Effect> {
    let slots = progress.rows(capture);
    if slots.is_empty() {
        return vec![];
    }
    // While something is open, only what is certain already counts.
    let certain = |rule: &&Qualify| {
        holds(rule, &progress.answers) && (status == LeadStatus::Complete || !rule.when.is_empty())
    };
    let rule = capture.qualify.iter().find(certain);
    let lead = Lead {
        flow: stage.flow.id.clone(),
        title: stage.flow.title.clone(),
        level: rule.map_or(Level::Normal, |rule| rule.level),
        status,
        slots: slots.clone(),
        urgent: rule.is_some_and(|rule| rule.notify),
    };
    vec![Effect::Lead(lead), Effect::Collected(slots)]
}

fn holds(rule: &Qualify, answers: &BTreeMap<String, Answer>) -> bool {
    rule.when.iter().all(|condition| match condition {
        Condition::AtLeast { slot, least } => answers
            .get(slot)
            .and_then(|answer| answer.number)
            .is_some_and(|number| number >= *least),
        Condition::OneOf { slot, options } => {
            answers.get(slot).is_some_and(|answer| options.contains(&answer.text))
        }
    })
}
