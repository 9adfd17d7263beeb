//! An answer to what was just asked: read leniently, out of what the other answers leave of the message.

use std::ops::Range;

use super::answer::{Answer, Found, cut, figured, overlap, trimmed};
use super::slot::{Slot, SlotKind};
use super::{choice, said, sentences_of};
use crate::phrase::Phrase;
use crate::text;

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

/// An answer to what was just asked, out of what the other answers leave of the message.
pub(super) fn lenient(slot: &Slot, message: &str, found: &[Found]) -> Option<Found> {
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
pub(super) fn worded(sentence: &str) -> Option<String> {
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
