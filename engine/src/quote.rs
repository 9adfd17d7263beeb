//! `quote` drafting: only sentences of the found passages, chosen by the encoder and the drafter.
//!
//! The encoder ranks all candidates, the best one opens the reply at once. At each following sentence start the
//! drafter scores what may come next; inside a sentence every token is given.

use std::ops::Range;

use crate::intent::dot;
use crate::model::{Model, ModelError};
use crate::parts::Parts;
use crate::prompt;
use crate::search::{Hit, Passage, Sentence, SentenceKind};
use crate::sink::{Sink, Stopped};
use crate::turn::Turn;

/// Passages whose sentences are candidates.
const PASSAGES: usize = 4;
/// A passage needs this share of the best one's score.
const PASSAGE_SHARE: f32 = 0.5;
/// Weight of the unit's own cosine; the rest is the passage's score as a share of the best one's.
const OWN_WEIGHT: f32 = 0.75;
/// How far below the best a further unit of the same passage may score.
const SAME_PASSAGE: f32 = 0.15;
/// How far below the best a unit of another passage may score.
const OTHER_PASSAGE: f32 = 0.05;
/// A unit before the best one opens the reply when it scores this close.
const EARLIER: f32 = 0.12;
/// Two units this close in cosine say the same.
const SAME: f32 = 0.88;
/// Units of a reply at most.
const UNITS: usize = 3;
/// Characters from which a reply takes no further unit.
const ENOUGH_CHARS: usize = 420;
/// Weight of the drafter's mean log-probability (nats a token, relative to the candidates' mean).
const DRAFTER_WEIGHT: f32 = 0.02;
/// Words of a candidate that the drafter scores; more words cost time and change no order.
const SCORED_WORDS: usize = 12;

/// Words of a candidate that the encoder reads.
const EMBEDDED_WORDS: usize = 30;

/// Sentences that belong together: one sentence, a list with its lead-in, a code block with its lead-in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unit {
    /// Position in the hits.
    hit: usize,
    /// The passage's sentences.
    sentences: Range<usize>,
    /// What it says.
    text: String,
    /// Its vector.
    vector: Vec<f32>,
    /// How well it answers, about 0 to 1.
    score: f32,
}

/// Candidates for a reply, and the cosine of the best one with the question.
pub(crate) struct Candidates {
    units: Vec<Unit>,
    /// Cosine of question and best unit, -1 to 1; 0 without units.
    pub(crate) best_cosine: f32,
}

/// Reads the candidates out of the hits and ranks them.
pub(crate) fn candidates(
    model: &dyn Model,
    question: &[f32],
    hits: &[Hit],
) -> Result<Candidates, ModelError> {
    let top = hits.first().map_or(1.0, |hit| hit.score.max(f32::MIN_POSITIVE));
    let floor = top * PASSAGE_SHARE;
    let mut units = Vec::new();
    for (index, hit) in hits.iter().enumerate().take(PASSAGES).filter(|(_, h)| h.score >= floor) {
        units.extend(units_of(&hit.passage).into_iter().map(|sentences| (index, sentences)));
    }
    let texts: Vec<String> =
        units.iter().map(|(hit, range)| unit_text(&hits[*hit].passage, range)).collect();
    let headed: Vec<String> = units
        .iter()
        .zip(&texts)
        .map(|((hit, _), text)| with_heading(&hits[*hit].passage, text))
        .collect();
    let vectors = model.embed(&headed.iter().map(String::as_str).collect::<Vec<_>>())?;
    let mut best_cosine = 0.0_f32;
    let units =
        units.into_iter().zip(texts).zip(vectors).map(|(((hit, sentences), text), vector)| {
            let cosine = dot(question, &vector);
            best_cosine = best_cosine.max(cosine);
            let score = OWN_WEIGHT * cosine + (1.0 - OWN_WEIGHT) * hits[hit].score / top;
            Unit { hit, sentences, text, vector, score }
        });
    Ok(Candidates { units: units.collect(), best_cosine })
}

/// Writes the reply into `sink`.
pub(crate) fn draft(
    parts: &Parts<'_>,
    turn: &Turn,
    hits: &[Hit],
    candidates: &Candidates,
    sink: &mut Sink<'_>,
) -> Result<(), Stopped> {
    let Some(best) = best(&candidates.units) else { return Ok(()) };
    let opening = opening(&candidates.units, best);
    let mut left = eligible(&candidates.units, best, opening);
    let mut said = vec![opening];
    write(&candidates.units[opening], None, parts, hits, sink)?;
    let style = &parts.policy.style;
    while said.len() < UNITS && sink.text_chars() < ENOUGH_CHARS {
        let sentences = said.iter().map(|unit| sentences_in(&candidates.units[*unit], hits)).sum();
        left.retain(|unit| {
            fits(&candidates.units, &said, *unit)
                && sentences_in(&candidates.units[*unit], hits) <= style.left_after(sentences)
        });
        let Some(next) = choose(parts, turn, candidates, &left, sink)? else { break };
        let before = said.last().map(|unit| &candidates.units[*unit]);
        write(&candidates.units[next], before, parts, hits, sink)?;
        left.retain(|unit| *unit != next);
        said.push(next);
    }
    Ok(())
}

/// Sentences as a reader counts them: a list or a block of code with its lead-in is one.
fn sentences_in(unit: &Unit, hits: &[Hit]) -> usize {
    let sentences = &hits[unit.hit].passage.sentences[unit.sentences.clone()];
    let prose = sentences.iter().all(|sentence| sentence.kind == SentenceKind::Prose);
    if prose { sentences.len() } else { 1 }
}

fn best(units: &[Unit]) -> Option<usize> {
    (0..units.len()).max_by(|a, b| units[*a].score.total_cmp(&units[*b].score))
}

/// The unit that opens the reply: the best one, or one before it in the same passage that is nearly as good.
fn opening(units: &[Unit], best: usize) -> usize {
    let near = |unit: &Unit| {
        unit.hit == units[best].hit
            && unit.sentences.start < units[best].sentences.start
            && unit.score >= units[best].score - EARLIER
    };
    units.iter().position(near).unwrap_or(best)
}

/// Units that may follow: later ones of the same passage, and units of other passages that are nearly as good.
fn eligible(units: &[Unit], best: usize, opening: usize) -> Vec<usize> {
    let fits = |unit: &Unit| {
        let distance = units[best].score - unit.score;
        if unit.hit == units[opening].hit {
            unit.sentences.start > units[opening].sentences.start && distance <= SAME_PASSAGE
        } else {
            distance <= OTHER_PASSAGE
        }
    };
    (0..units.len()).filter(|index| fits(&units[*index])).collect()
}

/// Whether `unit` says something new, keeps the reading order of its passage, and does not return to a passage that
/// was left.
fn fits(units: &[Unit], said: &[usize], unit: usize) -> bool {
    let candidate = &units[unit];
    let left = said.iter().any(|index| units[*index].hit == candidate.hit)
        && said.last().is_some_and(|index| units[*index].hit != candidate.hit);
    if left {
        return false;
    }
    said.iter().map(|index| &units[*index]).all(|before| {
        let order =
            before.hit != candidate.hit || before.sentences.end <= candidate.sentences.start;
        let new = dot(&before.vector, &candidate.vector) < SAME && before.text != candidate.text;
        order && (new || before.hit == candidate.hit && before.text != candidate.text)
    })
}

/// The next unit by encoder and drafter together.
fn choose(
    parts: &Parts<'_>,
    turn: &Turn,
    candidates: &Candidates,
    left: &[usize],
    sink: &mut Sink<'_>,
) -> Result<Option<usize>, Stopped> {
    if left.len() < 2 {
        return Ok(left.first().copied());
    }
    sink.check()?;
    let prompt = prompt::quote_prompt(parts.templates, turn, &sink.text());
    let openings: Vec<String> =
        left.iter().map(|u| first_words(&candidates.units[*u].text)).collect();
    let openings: Vec<&str> = openings.iter().map(String::as_str).collect();
    // What stands already is an answer; a drafter that fails here only ends it earlier.
    let Ok(likely) = parts.model.score(&prompt, &openings) else { return Ok(None) };
    let mean = likely.iter().sum::<f32>() / likely.len() as f32;
    let total = |position: usize| {
        candidates.units[left[position]].score + DRAFTER_WEIGHT * (likely[position] - mean)
    };
    let best = (0..left.len()).max_by(|a, b| total(*a).total_cmp(&total(*b)));
    Ok(best.map(|position| left[position]))
}

/// The words with the space before each, as they would follow the text so far.
fn first_words(text: &str) -> String {
    text.split_whitespace().take(SCORED_WORDS).map(|word| format!(" {word}")).collect()
}

/// Emits one unit, sentence by sentence, token by token.
fn write(
    unit: &Unit,
    before: Option<&Unit>,
    parts: &Parts<'_>,
    hits: &[Hit],
    sink: &mut Sink<'_>,
) -> Result<(), Stopped> {
    let passage = &hits[unit.hit].passage;
    let sentences = &passage.sentences[unit.sentences.clone()];
    if before.is_none() && sentences.iter().all(|s| matches!(s.kind, SentenceKind::Item { .. })) {
        sink.frame(&parts.templates.say("list_opening"))?;
    }
    let mut previous = before
        .filter(|b| b.hit == unit.hit)
        .and_then(|b| passage.sentences.get(b.sentences.end - 1));
    for sentence in sentences {
        let gap =
            gap(previous, sentence, sink.is_empty(), before.is_some_and(|b| b.hit != unit.hit));
        let text = format!("{gap}{}{}", marker(previous, sentence), sentence.text);
        for token in text.split_inclusive(char::is_whitespace) {
            sink.token(token)?;
        }
        sink.piece(text, passage, sentence.span.clone())?;
        previous = Some(sentence);
    }
    Ok(())
}

/// White space between two sentences of a reply.
fn gap(
    previous: Option<&Sentence>,
    next: &Sentence,
    empty: bool,
    other_passage: bool,
) -> &'static str {
    match (previous, next.kind) {
        _ if empty => "",
        (None, SentenceKind::Prose) if other_passage => "\n\n",
        (None, _) => "\n",
        (Some(p), SentenceKind::Item { .. }) if p.block == next.block => " ",
        (Some(_), SentenceKind::Item { .. } | SentenceKind::Row | SentenceKind::Code) => "\n",
        (Some(p), SentenceKind::Prose) if p.kind != SentenceKind::Prose => "\n\n",
        (Some(_), SentenceKind::Prose) => " ",
    }
}

/// The number or bullet in front of the first sentence of a list item.
fn marker(previous: Option<&Sentence>, next: &Sentence) -> String {
    match next.kind {
        SentenceKind::Item { .. } if previous.is_some_and(|p| p.block == next.block) => {
            String::new()
        }
        SentenceKind::Item { number: Some(number), .. } => format!("{number}. "),
        SentenceKind::Item { number: None, .. } => "• ".into(),
        SentenceKind::Prose | SentenceKind::Row | SentenceKind::Code => String::new(),
    }
}

/// Cuts a passage into units: lists and code blocks with their lead-in, rows and sentences alone, and a sentence
/// that opens with a pronoun together with the one before it.
fn units_of(passage: &Passage) -> Vec<Range<usize>> {
    let mut units: Vec<Range<usize>> = Vec::new();
    for (index, sentence) in passage.sentences.iter().enumerate() {
        let previous = index.checked_sub(1).map(|i| &passage.sentences[i]);
        match (previous.is_some_and(|p| belongs(p, sentence)), units.last_mut()) {
            (true, Some(unit)) => unit.end = index + 1,
            _ => units.push(index..index + 1),
        }
    }
    units.retain(|unit| !is_table_head(&passage.sentences, unit));
    units
}

/// Whether a unit is the first row of a table and nothing else: what its columns are called answers nothing.
fn is_table_head(sentences: &[Sentence], unit: &Range<usize>) -> bool {
    let is_row = |at: Option<usize>| {
        at.and_then(|at| sentences.get(at)).is_some_and(|s| s.kind == SentenceKind::Row)
    };
    let alone = unit.len() == 1 && is_row(Some(unit.start));
    alone && !is_row(unit.start.checked_sub(1)) && is_row(Some(unit.end))
}

/// Whether `next` cannot stand without `previous`.
fn belongs(previous: &Sentence, next: &Sentence) -> bool {
    use SentenceKind as K;
    let led_in = previous.text.trim_end().ends_with(':');
    match (previous.kind, next.kind) {
        (K::Item { list: a, .. }, K::Item { list: b, .. }) => a == b,
        // Steps right below a sentence are what it speaks of, colon or not.
        (K::Prose, K::Item { number: Some(_), .. }) => true,
        (K::Prose | K::Item { .. }, K::Item { .. } | K::Code | K::Row) => led_in,
        (K::Row, K::Row) | (_, K::Code) => false,
        (K::Prose, K::Prose) => leans_back(&next.text) && previous.block == next.block,
        _ => false,
    }
}

/// Openings that point at the sentence before.
fn leans_back(sentence: &str) -> bool {
    let first = crate::text::words(sentence).into_iter().next().unwrap_or_default();
    ["it", "this", "that", "these", "those", "they", "then", "otherwise", "instead", "both"]
        .contains(&first.as_str())
}

fn unit_text(passage: &Passage, sentences: &Range<usize>) -> String {
    let texts: Vec<&str> =
        passage.sentences[sentences.clone()].iter().map(|s| s.text.as_str()).collect();
    texts.join(" ")
}

/// The text that is embedded: a sentence of an FAQ answers the question in its heading. Of a list its beginning is
/// read, as the steps themselves seldom share a word with the question.
fn with_heading(passage: &Passage, text: &str) -> String {
    let heading = passage.heading.last().unwrap_or(&passage.title);
    let beginning: Vec<&str> = text.split_whitespace().take(EMBEDDED_WORDS).collect();
    format!("{heading} {}", beginning.join(" "))
}

#[cfg(test)]
mod tests {
    use crate::scope::Scope;

    use super::*;

    fn sentence(text: &str, block: u32, kind: SentenceKind) -> Sentence {
        Sentence { text: text.into(), span: 0..text.len(), block, kind }
    }

    fn check(sentences: Vec<Sentence>, expect: &[Range<usize>]) {
        let passage = Passage {
            doc: "a.md".into(),
            title: "A".into(),
            heading: vec![],
            scope: Scope::default(),
            span: 0..100,
            text: String::new(),
            sentences,
        };
        assert_eq!(units_of(&passage), expect);
    }

    #[test]
    fn the_head_of_a_table_is_no_unit() {
        let row = |text, block| sentence(text, block, SentenceKind::Row);
        let prose = sentence("Keys:", 0, SentenceKind::Prose);
        let prose_end = || sentence("Done.", 0, SentenceKind::Prose);
        check(vec![row("Key · Meaning", 0), row("a · b", 1), row("c · d", 2)], &[1..2, 2..3]);
        check(vec![prose, row("Key · Meaning", 1), row("a · b", 2)], &[0..2, 2..3]);
        check(vec![prose_end(), row("a · b", 0)], &[0..1, 1..2]);
    }

    #[test]
    fn lists_stay_whole_with_their_lead_in() {
        let item = |n| SentenceKind::Item { list: 0, number: Some(n) };
        check(
            vec![
                sentence("Porchlight is one program.", 0, SentenceKind::Prose),
                sentence("To start it:", 1, SentenceKind::Prose),
                sentence("Open a terminal.", 2, item(1)),
                sentence("Type the command.", 3, item(2)),
                sentence("Then press Enter.", 3, item(2)),
                sentence("The page opens.", 4, SentenceKind::Prose),
                sentence("It shows three links.", 4, SentenceKind::Prose),
            ],
            &[0..1, 1..5, 5..7],
        );
        check(
            vec![
                sentence("Add this line:", 0, SentenceKind::Prose),
                sentence("<script>", 1, SentenceKind::Code),
                sentence("Save.", 2, SentenceKind::Prose),
            ],
            &[0..2, 2..3],
        );
    }
}
