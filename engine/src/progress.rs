//! Progress of a conversation: which automatic replies brought the visitor further, and how many in a row did not.

use crate::clarify;
use crate::phrase::Phrase;
use crate::prompt::Templates;
use crate::text;
use crate::turn::{Message, Speaker, Turn};

/// Share of content words from which two questions ask the same.
const SAME: f32 = 0.75;
/// A message with at most this many words may be thanks or a complaint; longer ones are read as questions.
const SHORT: usize = 14;

/// What an automatic reply came to, as what the visitor said next shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It answered and was not asked again, a choice was made, or the visitor is content.
    Forward,
    /// It did not answer, or the visitor had to ask again or says that it did not help.
    Stalled,
    /// A greeting in kind.
    Neither,
}

/// Automatic replies without progress up to now, in a row; those since a person last held the conversation count.
///
/// Progress is an answer from the documents that is not asked for again and not turned down, a choice between two that were
/// offered, or thanks. Greetings neither count nor end the row.
pub fn stalled(templates: &Templates, turn: &Turn) -> u32 {
    let mut row = 0;
    for (asked, reply, next) in exchanges(turn).into_iter().rev() {
        match step(templates, &asked, reply, &next) {
            Step::Forward => break,
            Step::Stalled => row += 1,
            Step::Neither => {}
        }
    }
    row
}

/// The last `bot_turns` automatic replies, each with the visitor's words before and after it.
fn exchanges(turn: &Turn) -> Vec<(String, &str, String)> {
    let is_bot = |message: &Message| message.speaker == Speaker::Bot;
    let places: Vec<usize> =
        (0..turn.history.len()).filter(|at| is_bot(&turn.history[*at])).collect();
    let counted = usize::try_from(turn.bot_turns).unwrap_or(usize::MAX).min(places.len());
    let visitors = |messages: &[Message]| {
        let own = messages.iter().filter(|m| m.speaker == Speaker::Visitor);
        own.map(|m| m.text.as_str()).collect::<Vec<_>>().join("\n")
    };
    let skipped = places.len() - counted;
    let triple = |n: usize| {
        let from = if n == 0 { 0 } else { places[n - 1] + 1 };
        let asked = visitors(&turn.history[from..places[n]]);
        let next = match places.get(n + 1) {
            Some(end) => visitors(&turn.history[places[n] + 1..*end]),
            None => turn.question.clone(),
        };
        (asked, turn.history[places[n]].text.as_str(), next)
    };
    (skipped..places.len()).map(triple).collect()
}

fn step(templates: &Templates, asked: &str, reply: &str, next: &str) -> Step {
    if is_content(next) {
        return Step::Forward;
    }
    if clarify::is_asking(templates, reply) {
        let made = clarify::chosen(templates, reply, next).is_some();
        return if made { Step::Forward } else { Step::Stalled };
    }
    match templates.id_of(reply) {
        Some("small_talk" | "assistant") => Step::Neither,
        Some(_) => Step::Stalled,
        None if asks_again(asked, next) || is_turned_down(next) || text::words(next).is_empty() => {
            Step::Stalled
        }
        None => Step::Forward,
    }
}

/// Whether `next` asks what `before` asked, in the same words or nearly.
pub fn asks_again(before: &str, next: &str) -> bool {
    let (a, b) = (text::content_words(before), text::content_words(next));
    let shared = a.iter().filter(|word| b.contains(word)).count();
    !a.is_empty() && !b.is_empty() && shared as f32 >= SAME * a.len().max(b.len()) as f32
}

/// Whether the visitor says that something helped.
fn is_content(text: &str) -> bool {
    let rows = [
        "thank|thanks|thx|ty|cheers|perfect|great|awesome|brilliant",
        "that|it helped|helps|works|worked",
        "got it",
        "solved|sorted",
    ];
    says(text, &rows) && !is_turned_down(text)
}

/// Whether the visitor says that the last answer did not help.
pub fn is_turned_down(text: &str) -> bool {
    let rows = [
        "not what i asked|meant|want|wanted|need",
        "didn't|doesn't|does|did|not .. help|work|answer",
        "still not|doesn't|can't|isn't|broken|wrong|nothing|the",
        "that's|thats|this|it|is wrong|useless|incorrect",
        "already tried|did|read|know|said|told",
        "no use|luck|good",
        "try again",
        "wrong answer",
        "makes no sense",
        "you don't understand",
        "not .. question",
    ];
    says(text, &rows) || text::words(text) == ["no"]
}

fn says(text: &str, rows: &[&str]) -> bool {
    let sentences = text::sentences(text);
    if sentences.iter().map(Vec::len).sum::<usize>() > SHORT {
        return false;
    }
    let phrases: Vec<Phrase> =
        rows.iter().filter_map(|row| Phrase::try_from((*row).to_owned()).ok()).collect();
    sentences.iter().any(|words| phrases.iter().any(|p| p.places(words).next().is_some()))
}
