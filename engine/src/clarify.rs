//! Asking which of two is meant, once, instead of guessing; and reading what the visitor chose.

use crate::prompt::Templates;
use crate::search::{Hit, Passage};
use crate::text;
use crate::turn::{Message, Speaker, Turn};

/// A passage of another document competes from this share of the best one's score on.
const SCORE_SHARE: f32 = 0.85;
/// Nearness that both need to be plausible.
const PLAUSIBLE: f32 = 0.35;
/// Words of a question that leaves open what is meant, at most; longer ones say it.
const OPEN_WORDS: usize = 9;
/// A choice has at most this many words; more is a new question.
const CHOICE_WORDS: usize = 8;

/// The two that a visitor may choose from, as they are named to them.
pub type Options = [String; 2];

/// The names of the two passages that compete for a question: of different documents, near each other in score, both
/// plausible; and the question is short enough to leave open which is meant.
pub fn competing(question: &str, hits: &[Hit]) -> Option<Options> {
    let first = hits.first()?;
    let second = hits.iter().find(|hit| hit.passage.doc != first.passage.doc)?;
    let close = second.score >= first.score * SCORE_SHARE;
    let plausible = first.nearness().min(second.nearness()) >= PLAUSIBLE;
    let open = text::words(question).len() <= OPEN_WORDS;
    let options = [name(&first.passage), name(&second.passage)];
    (close && plausible && open && options[0] != options[1]).then_some(options)
}

/// What a passage is called in a question: its innermost heading, without the question mark, or the document's title.
pub fn name(passage: &Passage) -> String {
    let name = passage.heading.last().unwrap_or(&passage.title);
    name.trim().trim_end_matches('?').trim().to_owned()
}

/// The question that names both.
pub fn ask(templates: &Templates, [first, second]: &Options) -> String {
    templates.say("clarify").replace("{first}", first).replace("{second}", second)
}

/// The two that `text` asked about; `None` when it is no such question of these templates.
fn asked(templates: &Templates, text: &str) -> Option<Options> {
    let pattern = templates.say("clarify");
    let (before, rest) = pattern.split_once("{first}")?;
    let (between, after) = rest.split_once("{second}")?;
    let inner = text.strip_prefix(before)?.strip_suffix(after)?;
    let (first, second) = inner.split_once(between)?;
    Some([first.to_owned(), second.to_owned()])
}

/// Whether the bot's message asked which of two is meant.
pub fn is_asking(templates: &Templates, text: &str) -> bool {
    asked(templates, text).is_some()
}

/// The option that `answer` chooses of those that `asking` named; `None` when it chooses none or both.
pub fn chosen(templates: &Templates, asking: &str, answer: &str) -> Option<String> {
    let options = asked(templates, asking)?;
    let words = text::words(answer);
    if words.is_empty() || words.len() > CHOICE_WORDS {
        return None;
    }
    let says = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let named = options.each_ref().map(|option| text::content_words(option));
    let share = |at: usize| {
        let own = named[at].iter().filter(|word| !named[1 - at].contains(word));
        own.filter(|word| words.contains(word)).count()
    };
    let [first, second] = options;
    match (share(0), share(1)) {
        (a, b) if a > b => Some(first),
        (a, b) if b > a => Some(second),
        _ if says(&["first", "1", "1st", "one", "former"]) && !says(&["second", "2", "two"]) => {
            Some(first)
        }
        _ if says(&["second", "2", "2nd", "two", "latter"]) && !says(&["first", "1"]) => {
            Some(second)
        }
        _ => None,
    }
}

/// The turn as it is meant when it answers such a question: the question asked before, with what was chosen; `None` when the
/// last automatic message asked nothing of the kind, or nothing was chosen.
pub fn resolved(templates: &Templates, turn: &Turn) -> Option<(Turn, String)> {
    let (asking, before) = last_said(turn)?;
    let choice = chosen(templates, &asking.text, &turn.question)?;
    let from = before.iter().rposition(|m| m.speaker != Speaker::Visitor).map_or(0, |at| at + 1);
    let asked: Vec<&str> = before[from..].iter().map(|message| message.text.as_str()).collect();
    let question = format!("{}\n{choice}", asked.join("\n"));
    Some((Turn { question, history: before[..from].to_vec(), ..turn.clone() }, choice))
}

/// Whether the last automatic message asked which of two is meant.
pub fn has_just_asked(templates: &Templates, turn: &Turn) -> bool {
    last_said(turn).is_some_and(|(message, _)| is_asking(templates, &message.text))
}

/// The message right before the visitor's newest words, if it is the bot's, with all before it.
fn last_said(turn: &Turn) -> Option<(&Message, &[Message])> {
    turn.history.split_last().filter(|(last, _)| last.speaker == Speaker::Bot)
}

/// Puts the passages that were chosen first; the others keep their order.
pub fn chosen_first(hits: Vec<Hit>, choice: &str) -> Vec<Hit> {
    let (mut first, rest): (Vec<Hit>, Vec<Hit>) =
        hits.into_iter().partition(|hit| name(&hit.passage) == choice);
    first.extend(rest);
    first
}
