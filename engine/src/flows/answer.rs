//! Answers in a visitor's words: several in any order out of free text, and the one that was asked for more leniently.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::slot::{Slot, SlotKind};
use super::{address, choice, figures, meant, said, sentences_of, words_of};
use crate::entities::{Entities, Entity, Kind, currency};
use crate::phrase::Phrase;
use crate::text;

/// Characters of an answer in words at most.
const TEXT_CHARS: usize = 200;
/// Words behind a phrase that announces an answer, at most.
const ANNOUNCED_WORDS: usize = 8;
/// Words between a number and the word that it belongs to, at most.
const NEAR: usize = 2;

/// An answer that fills a slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// As it is kept and shown.
    pub text: String,
    /// What it counts, of numbers and amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
}

impl Answer {
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), number: None }
    }
}

/// An answer and where it stands in the message, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) slot: String,
    pub(super) answer: Answer,
    pub(super) span: Range<usize>,
}

/// What is asked of a message.
pub(super) struct Reader<'a> {
    pub(super) slots: &'a [Slot],
    /// The slot that was asked for last.
    pub(super) asked: Option<&'a str>,
    pub(super) entities: &'a Entities,
}

impl Reader<'_> {
    /// The answers that a message holds: first the asked slot's, then the others' in their order, none of them twice. What the
    /// asked slot takes beyond that is whatever is left of the message and no question.
    pub(super) fn read(&self, message: &str) -> Vec<Found> {
        let message = &address::plain(message);
        let entities = self.entities.find(message);
        let asked = self.slots.iter().find(|slot| Some(slot.id.as_str()) == self.asked);
        let others = self.slots.iter().filter(|slot| Some(slot.id.as_str()) != self.asked);
        let mut found: Vec<Found> = Vec::new();
        for slot in asked.into_iter().chain(others) {
            let taken: Vec<Range<usize>> = found.iter().map(|one| one.span.clone()).collect();
            found.extend(strict(slot, message, (&entities, &taken)));
        }
        if let Some(slot) = asked.filter(|slot| found.iter().all(|one| one.slot != slot.id)) {
            found.extend(meant::lenient(slot, message, &found));
        }
        found
    }

    /// What is asked in the message beside the answers, if anything is.
    pub(super) fn asks_too(message: &str, found: &[Found]) -> bool {
        let message = &address::plain(message);
        sentences_of(message).into_iter().any(|span| {
            let answered = found.iter().any(|one| overlap(&one.span, &span));
            let sentence = &message[span];
            !answered && said::asks(sentence) && text::words(sentence).len() > 2
        })
    }
}

pub(super) fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// An answer that is meant for a slot whatever was asked.
fn strict(
    slot: &Slot,
    message: &str,
    (entities, taken): (&[Entity], &[Range<usize>]),
) -> Option<Found> {
    let free = |span: &Range<usize>| !taken.iter().any(|other| overlap(span, other));
    let found = |span: Range<usize>, answer: Answer| Found { slot: slot.id.clone(), answer, span };
    if let Some(captures) = slot.pattern.as_ref().and_then(|pattern| pattern.captures(message)) {
        let place = captures.iter().skip(1).flatten().next().or_else(|| captures.get(0))?;
        let answer = figured(slot.kind, place.as_str());
        return free(&place.range()).then(|| answer.map(|answer| found(place.range(), answer)))?;
    }
    let of_kind = |kind: Kind| {
        let mut all = entities.iter().filter(|one| one.kind == kind);
        all.find(|one| free(&one.span)).map(|one| found(one.span.clone(), entity_answer(one)))
    };
    match slot.kind {
        SlotKind::Email => of_kind(Kind::Email),
        SlotKind::Phone => of_kind(Kind::Phone),
        SlotKind::Date => of_kind(Kind::Date),
        SlotKind::Amount => of_kind(Kind::Amount).or_else(|| counted(slot, message, &free)),
        SlotKind::Number => counted(slot, message, &free),
        SlotKind::Choice => announced_choice(slot, message),
        SlotKind::Text => announced(slot, message, taken),
    }
}

fn entity_answer(entity: &Entity) -> Answer {
    let number = match entity.kind {
        Kind::Amount => entity.value.split(' ').next().and_then(|number| number.parse().ok()),
        _ => None,
    };
    Answer { text: entity.value.clone(), number }
}

/// A text as an answer of the kind.
pub(super) fn figured(kind: SlotKind, text: &str) -> Option<Answer> {
    if !kind.is_figure() {
        return Some(Answer::of(cut(text.trim())));
    }
    Some(priced(kind, figures::find(text).into_iter().next()?, text))
}

/// A number of a sentence; an amount with the currency that the sentence names.
fn priced(kind: SlotKind, figure: figures::Figure, sentence: &str) -> Answer {
    let currency = currency(sentence).filter(|_| kind == SlotKind::Amount);
    let text = match currency {
        Some(code) => format!("{} {code}", figure.text),
        None => figure.text,
    };
    Answer { text, number: Some(figure.value) }
}

/// A number beside one of the slot's words: `40 people`, `a team of 12`.
fn counted(slot: &Slot, message: &str, free: &dyn Fn(&Range<usize>) -> bool) -> Option<Found> {
    let figures = figures::find(message);
    for sentence in sentences_of(message) {
        let words = words_in(message, &sentence);
        let places = word_places(&slot.words, &words);
        for place in places {
            let near = |figure: &&figures::Figure| {
                let before = words.iter().position(|(span, _)| span.start >= figure.span.end);
                let after = words.iter().rposition(|(span, _)| span.end <= figure.span.start);
                let inside = figure.span.start >= sentence.start && figure.span.end <= sentence.end;
                let leads =
                    before.is_some_and(|next| next <= place.start && place.start - next <= NEAR);
                let follows = after.is_some_and(|last| last + 1 == place.end);
                inside && (leads || follows) && free(&figure.span)
            };
            if let Some(figure) = figures.iter().find(near) {
                let answer = priced(slot.kind, figure.clone(), &message[sentence]);
                // The words beside it belong to it.
                let (first, last) = (&words[place.start].0, &words[place.end - 1].0);
                let span = figure.span.start.min(first.start)..figure.span.end.max(last.end);
                return Some(Found { slot: slot.id.clone(), answer, span });
            }
        }
    }
    None
}

/// The words of a sentence with their places in the message.
fn words_in(message: &str, sentence: &Range<usize>) -> Vec<(Range<usize>, String)> {
    let all = words_of(&message[sentence.clone()]).into_iter();
    all.map(|(span, word)| (span.start + sentence.start..span.end + sentence.start, word)).collect()
}

fn word_places(phrases: &[Phrase], words: &[(Range<usize>, String)]) -> Vec<Range<usize>> {
    let words: Vec<String> = words.iter().map(|(_, word)| word.clone()).collect();
    let mut places: Vec<Range<usize>> =
        phrases.iter().flat_map(|phrase| phrase.places(&words).collect::<Vec<_>>()).collect();
    places.sort_by_key(|place| place.start);
    places
}

/// What follows a phrase that announces it, up to the next comma or clause.
fn announced(slot: &Slot, message: &str, taken: &[Range<usize>]) -> Option<Found> {
    for sentence in sentences_of(message) {
        let words = words_in(message, &sentence);
        for place in word_places(&slot.words, &words) {
            let Some((first, _)) = words.get(place.end) else { continue };
            let mut end = sentence.end;
            let last = words.get(place.end + ANNOUNCED_WORDS);
            end = last.map_or(end, |(span, _)| end.min(span.start));
            end = taken
                .iter()
                .filter(|t| t.start >= first.start)
                .fold(end, |end, t| end.min(t.start));
            let rest = &message[first.start..end];
            let value = trimmed(&rest[..clause(rest)]);
            if !text::content_words(value).is_empty()
                && let Some(answer) = meant::worded(value).map(Answer::of)
            {
                let span = first.start..first.start + value.len();
                return Some(Found { slot: slot.id.clone(), answer, span });
            }
        }
    }
    None
}

/// Length in bytes of the first clause.
fn clause(text: &str) -> usize {
    let breaks = [
        ", ",
        "; ",
        ". ",
        "! ",
        "? ",
        " and we",
        " and i ",
        " and our",
        " and my",
        " and the",
        " and it",
        " but ",
        " - ",
        " – ",
        " (",
        " with ",
        " looking ",
        " who ",
        " which ",
    ];
    let lower = text.to_lowercase();
    if lower.len() != text.len() {
        return text.len();
    }
    breaks.iter().filter_map(|one| lower.find(one)).min().unwrap_or(text.len())
}

pub(super) fn trimmed(text: &str) -> &str {
    text.trim().trim_end_matches(['.', ',', ';', '!', '?', ':']).trim()
}

/// The first characters of a text on one line.
pub(super) fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(TEXT_CHARS).collect()
}

/// An option whose words or whole name stand in the message.
fn announced_choice(slot: &Slot, message: &str) -> Option<Found> {
    for sentence in sentences_of(message) {
        let words: Vec<String> = text::words(&message[sentence.clone()]);
        let named = slot.options.iter().find(|option| {
            let by_words = choice::is_meant(option, &words);
            let name = text::words(&option.name);
            // A name of one little word ("Yes") is meant only when it was asked for.
            let whole = name.len() > 1 && words.windows(name.len()).any(|part| part == name);
            by_words || whole
        });
        if let Some(option) = named {
            return Some(Found {
                slot: slot.id.clone(),
                answer: Answer::of(&option.name),
                span: sentence,
            });
        }
    }
    None
}
