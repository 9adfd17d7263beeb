//! Answers in a visitor's words: several in any order out of free text, and the one that was asked for more leniently.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::slot::{Slot, SlotKind};
use super::{address, choice, figures, said, sentences_of, words_of};
use crate::entities::{Entities, Entity, Kind, currency};
use crate::phrase::Phrase;
use crate::text;

/// Characters of an answer in words at most.
const TEXT_CHARS: usize = 200;
/// Words behind a phrase that announces an answer, at most.
const ANNOUNCED_WORDS: usize = 8;
/// Words between a number and the word that it belongs to, at most.
const NEAR: usize = 2;
/// Characters of a time in words at most.
const DATE_CHARS: usize = 60;
/// Words of an answer that says "just me", at most.
const ALONE_WORDS: usize = 4;
/// Words around an answer that announce it and say nothing themselves.
const ANNOUNCING: [&str; 19] = [
    "mail",
    "email",
    "e",
    "address",
    "phone",
    "number",
    "it's",
    "here",
    "reach",
    "contact",
    "call",
    "under",
    "sorry",
    "meant",
    "actually",
    "correction",
    "around",
    "roughly",
    "approximately",
];
/// Digits of a phone number (ITU-T E.164 allows 15).
const PHONE_DIGITS: Range<usize> = 7..16;

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
    fn of(text: impl Into<String>) -> Self {
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
            found.extend(lenient(slot, message, &found));
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

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
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
fn figured(kind: SlotKind, text: &str) -> Option<Answer> {
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
                && let Some(answer) = worded(value).map(Answer::of)
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

fn trimmed(text: &str) -> &str {
    text.trim().trim_end_matches(['.', ',', ';', '!', '?', ':']).trim()
}

/// The first characters of a text on one line.
fn cut(text: &str) -> String {
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

/// An answer to what was just asked, out of what the other answers leave of the message.
fn lenient(slot: &Slot, message: &str, found: &[Found]) -> Option<Found> {
    let rest = |span: &Range<usize>| left(message, span, found);
    let open: Vec<Range<usize>> = sentences_of(message)
        .into_iter()
        .filter(|span| {
            !found.iter().any(|one| one.slot != slot.id && covers(message, span, &one.span))
        })
        .collect();
    let answer_of = |span: Range<usize>| {
        let sentence = rest(&span);
        let answer = match slot.kind {
            SlotKind::Choice => choice::chosen(slot, &sentence).map(Answer::of),
            _ if said::asks(&sentence) => None,
            SlotKind::Email => None,
            SlotKind::Phone => dialled(&sentence).map(Answer::of),
            SlotKind::Number => number(&sentence),
            SlotKind::Amount => figured(SlotKind::Amount, &sentence),
            SlotKind::Date => {
                is_time(&sentence).then(|| Answer::of(first_chars(trimmed(&sentence), DATE_CHARS)))
            }
            SlotKind::Text => worded(&sentence).map(Answer::of),
        };
        answer.map(|answer| Found { slot: slot.id.clone(), answer, span })
    };
    if slot.kind == SlotKind::Text && open.len() > 1 {
        return whole(slot, message, &open, found);
    }
    open.into_iter().find_map(answer_of)
}

/// All sentences that are no questions, as one answer in words.
fn whole(slot: &Slot, message: &str, open: &[Range<usize>], found: &[Found]) -> Option<Found> {
    let told: Vec<&Range<usize>> =
        open.iter().filter(|span| !said::asks(&message[(*span).clone()])).collect();
    let text: Vec<String> = told.iter().map(|span| left(message, span, found)).collect();
    let answer = worded(&text.join(" ")).map(Answer::of)?;
    let span = told.first()?.start..told.first()?.end;
    Some(Found { slot: slot.id.clone(), answer, span })
}

/// Whether an answer takes all that a sentence says.
fn covers(message: &str, sentence: &Range<usize>, answer: &Range<usize>) -> bool {
    if !overlap(sentence, answer) {
        return false;
    }
    let (from, to) = (answer.start.max(sentence.start), answer.end.min(sentence.end));
    let outside = format!("{} {}", &message[sentence.start..from], &message[to..sentence.end]);
    text::content_words(&outside).iter().all(|word| ANNOUNCING.contains(&word.as_str()))
}

/// A sentence without the answers that were found in it.
fn left(message: &str, sentence: &Range<usize>, found: &[Found]) -> String {
    let mut text = String::new();
    let mut at = sentence.start;
    let mut spans: Vec<&Range<usize>> =
        found.iter().map(|one| &one.span).filter(|span| overlap(span, sentence)).collect();
    spans.sort_by_key(|span| span.start);
    for span in spans {
        if span.start > at {
            text.push_str(&message[at..span.start]);
            text.push(' ');
        }
        at = at.max(span.end);
    }
    text.push_str(message.get(at..sentence.end.max(at)).unwrap_or_default());
    text.trim_matches([' ', ',', ';', '\n', '\t', '(', ')', '<', '>', '/', '-', '–']).to_owned()
}

/// Openings of an answer that say nothing themselves.
const FRAMES: [&str; 16] = [
    "we are called ",
    "it's called ",
    "it is called ",
    "i work at ",
    "i work for ",
    "we're called ",
    "my name is ",
    "the name is ",
    "our company is ",
    "company is ",
    "it's ",
    "it is ",
    "its ",
    "that's ",
    "that would be ",
    "called ",
];

/// An answer in words, without what frames it; none when nothing is left.
fn worded(sentence: &str) -> Option<String> {
    let mut bare = trimmed(sentence);
    for frame in FRAMES {
        let cut = bare.get(..frame.len()).filter(|start| start.eq_ignore_ascii_case(frame));
        if cut.is_some() && bare.len() > frame.len() {
            bare = bare[frame.len()..].trim_start();
            break;
        }
    }
    (!text::words(bare).is_empty()).then(|| cut(bare))
}

fn first_chars(text: &str, most: usize) -> String {
    cut(text).chars().take(most).collect()
}

/// A phone number as somebody writes it who was asked for one.
fn dialled(sentence: &str) -> Option<String> {
    let part = |c: char| c.is_ascii_digit() || " +()-./".contains(c);
    let runs = sentence.split(|c| !part(c)).map(str::trim);
    runs.filter_map(|run| {
        let digits: String = run.chars().filter(char::is_ascii_digit).collect();
        let plus = if run.starts_with('+') { "+" } else { "" };
        PHONE_DIGITS.contains(&digits.len()).then(|| format!("{plus}{digits}"))
    })
    .next()
}

fn number(sentence: &str) -> Option<Answer> {
    if let Some(answer) = figured(SlotKind::Number, sentence) {
        return Some(answer);
    }
    let words = text::words(sentence);
    let alone = [
        "just|only me|myself|us",
        "me alone|myself|only",
        "by myself|on my own",
        "solo|freelancer|alone",
        "one",
    ];
    // "Just me and my husband" is not one.
    if words.len() > ALONE_WORDS {
        return None;
    }
    let is_alone = alone.iter().filter_map(|text| Phrase::try_from((*text).to_owned()).ok());
    let is_alone = is_alone.into_iter().any(|phrase| phrase.places(&words).next().is_some());
    is_alone.then(|| Answer { text: "1".into(), number: Some(1.0) })
}

/// Words that tell a time.
const TIMES: [&str; 44] = [
    "today",
    "tonight",
    "tomorrow",
    "now",
    "asap",
    "soon",
    "immediately",
    "possible",
    "day",
    "days",
    "week",
    "weeks",
    "weekend",
    "month",
    "months",
    "quarter",
    "year",
    "years",
    "spring",
    "summer",
    "autumn",
    "fall",
    "winter",
    "christmas",
    "easter",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "q1",
    "q2",
    "q3",
    "q4",
    "morning",
    "afternoon",
    "evening",
    "end",
    "mid",
    "early",
    "late",
    "whenever",
];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Whether a sentence tells a time in words.
fn is_time(sentence: &str) -> bool {
    let words = text::words(sentence);
    let month = |word: &String| MONTHS.iter().any(|m| word.starts_with(m)) && word.len() <= 9;
    let year = |word: &String| {
        word.len() == 4 && word.starts_with("20") && word.bytes().all(|b| b.is_ascii_digit())
    };
    let time = |word: &String| TIMES.contains(&word.as_str()) || month(word) || year(word);
    let day = words.len() <= 3
        && sentence.contains(['.', '/'])
        && sentence.contains(|c: char| c.is_ascii_digit());
    words.iter().any(time) || day
}
