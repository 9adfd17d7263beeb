//! How annoyed a visitor sounds: a logistic head on the encoder's vector, and cues that a reader would see.

mod head;

use crate::phrase::Phrase;
use crate::progress;
use crate::text;
use crate::turn::{Speaker, Turn};

/// Letters that a shouted word has at least.
const SHOUTED_LETTERS: usize = 3;
/// Words in capitals from which a message is shouted.
const SHOUTED_WORDS: usize = 3;
/// Share of the words in capitals from which a message is shouted.
const SHOUTED_SHARE: f32 = 0.6;
/// What each cue adds to the log-odds.
const CUES: Cues = Cues { capitals: 2.0, marks: 1.0, insult: 3.0, again: 1.5, repeated: 1.5 };

/// The cues of a message, each as what it adds to the log-odds of sounding annoyed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cues {
    /// Words in capitals.
    pub capitals: f32,
    /// Runs of exclamation or question marks.
    pub marks: f32,
    /// Words that insult the product, the bot or the people.
    pub insult: f32,
    /// Words that say that this is not the first time: "third time", "still not".
    pub again: f32,
    /// The same question as just before.
    pub repeated: f32,
}

impl Cues {
    /// The cues of the visitor's newest words.
    pub fn of(turn: &Turn) -> Self {
        let if_so = |is: bool, weight: f32| if is { weight } else { 0.0 };
        let sentences = text::sentences(&turn.question);
        let says = |rows: &[&str]| {
            let phrases = rows.iter().filter_map(|row| Phrase::try_from((*row).to_owned()).ok());
            let found = |phrase: Phrase| {
                sentences.iter().any(|words| phrase.places(words).next().is_some())
            };
            phrases.into_iter().any(found)
        };
        Self {
            capitals: if_so(is_shouted(&turn.question), CUES.capitals),
            marks: if_so(
                ["!!", "?!", "!?", "???"].iter().any(|run| turn.question.contains(run)),
                CUES.marks,
            ),
            insult: if_so(says(&INSULTS), CUES.insult),
            again: if_so(says(&AGAIN), CUES.again),
            repeated: if_so(is_repeated(turn), CUES.repeated),
        }
    }

    fn sum(self) -> f32 {
        self.capitals + self.marks + self.insult + self.again + self.repeated
    }
}

const INSULTS: [&str; 8] = [
    "stupid|dumb|idiotic|moronic|braindead .. bot|thing|software|app|site|company|machine|robot|widget|system|support",
    "you're|you|ur|are|is|this|it's .. stupid|dumb|idiot|idiots|moron|morons|incompetent|pathetic",
    "piece of shit|crap|garbage|junk|trash|rubbish",
    "what the hell|fuck|heck",
    "wtf|ffs|bullshit|fuck|fucking|fucked",
    "useless|worthless|pathetic|garbage|rubbish|crap|shit|shitty bot|thing|software|app|site|company|answer|answers|help|support|chat|product|service",
    "absolute|complete|total|utter joke|disgrace|disaster|rubbish|garbage|shambles|nonsense",
    "hate this|your|you",
];

const AGAIN: [&str; 8] = [
    "second|2nd|third|3rd|fourth|4th|fifth|tenth|hundredth|umpteenth|nth time",
    "how many|often .. times|ask|tell|repeat|explain",
    "asked|told|said|explained|written|wrote|contacted|mailed|emailed .. twice|times|already|again",
    "already asked|told|said|explained|answered|tried",
    "keep|keeps|kept asking|telling|repeating|saying|giving|failing|crashing|getting",
    "still not|isn't|doesn't|can't|won't|nothing|no|waiting|broken",
    "yet again",
    "over and over",
];

fn is_shouted(text: &str) -> bool {
    let letters = |word: &str| word.chars().filter(|c| c.is_alphabetic()).count();
    let words: Vec<&str> =
        text.split_whitespace().filter(|w| letters(w) >= SHOUTED_LETTERS).collect();
    let loud = words.iter().filter(|word| !word.chars().any(char::is_lowercase)).count();
    loud >= SHOUTED_WORDS && loud as f32 >= SHOUTED_SHARE * words.len() as f32
}

/// Whether the visitor asks what was asked right before the last automatic reply. What was asked of a person does not count.
fn is_repeated(turn: &Turn) -> bool {
    let before = turn.history.iter().rfind(|m| m.speaker == Speaker::Visitor);
    turn.bot_turns > 0 && before.is_some_and(|m| progress::asks_again(&m.text, &turn.question))
}

/// How annoyed the turn's newest words sound, 0 to 1. `vector` is the words' vector by `encoder`; the head knows one encoder
/// only, with another one the cues decide alone.
pub fn score(turn: &Turn, encoder: &str, vector: &[f32]) -> f32 {
    let tone = if encoder == head::ENCODER && vector.len() == head::WEIGHTS.len() {
        logit(vector)
    } else {
        head::BIAS
    };
    1.0 / (1.0 + (-(tone + Cues::of(turn).sum())).exp())
}

/// Log-odds of the head alone for a vector of its encoder.
pub fn logit(vector: &[f32]) -> f32 {
    let sum: f32 = head::WEIGHTS.iter().zip(vector).map(|(w, x)| w * x).sum();
    sum + head::BIAS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::Message;

    fn check(question: &str, before: Option<&str>, expect: Cues) {
        let said = |speaker, text: &str| Message { speaker, text: text.into() };
        let (history, bot_turns) = match before {
            Some(text) => (vec![said(Speaker::Visitor, text), said(Speaker::Bot, "Yes.")], 1),
            None => (vec![], 0),
        };
        let turn = Turn { history, bot_turns, ..Turn::asking(question) };
        assert_eq!(Cues::of(&turn), expect, "{question:?} after {before:?}");
    }

    #[test]
    fn cues_are_what_a_reader_sees() {
        let none = Cues::default();
        check("How do I change the port?", None, none);
        check("Is the API of the AWS SDK free?", None, none);
        check("WHY DOES NOTHING WORK HERE", None, Cues { capitals: 2.0, ..none });
        check("It does not start!!", None, Cues { marks: 1.0, ..none });
        check("Your stupid bot is no help", None, Cues { insult: 3.0, ..none });
        check("This is the third time I ask", None, Cues { again: 1.5, ..none });
        check("What is the port?", Some("what port is it"), Cues { repeated: 1.5, ..none });
        check("And the host?", Some("what port is it"), none);
    }

    #[test]
    fn an_unknown_encoder_leaves_it_to_the_cues() {
        let of = |question: &str| score(&Turn::asking(question), "another-encoder", &[0.5; 384]);
        assert!(of("How do I change the port?") < 0.5);
        assert!(of("WHAT THE HELL IS THIS, your stupid bot keeps repeating itself!!!") > 0.95);
        assert!(logit(&[0.0; 384]).is_finite());
    }
}
