//! What visitors say beside answers: stop, skip, done, back, stuck; and what is a question.

use std::sync::LazyLock;

use crate::phrase::Phrase;
use crate::text;

/// Words of a message that may be a command; longer ones say something.
const SHORT: usize = 8;

/// What a short message may want of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// No more of it.
    Stop,
    /// Not this question.
    Skip,
    /// On to the next.
    Done,
    /// The one before.
    Back,
    /// A person has to help.
    Stuck,
}

/// Phrases of each command, and the words that a message may have for it.
const SAID: [(Command, usize, &[&str]); 5] = [
    (
        Command::Stop,
        SHORT,
        &[
            "stop",
            "stop it|this|that|asking|please",
            "never mind",
            "nevermind|nvm|forget",
            "cancel",
            "quit|exit|abort",
            "leave it",
            "no thanks|thank",
            "not interested",
            "changed my mind",
            "don't|dont want|wanna|like to|this|that|any|anymore",
            "enough",
            "let's|lets stop|leave|drop",
            "drop it",
            "leave me alone",
            "not now",
            "another time",
            "i'll|i pass|do this|it later",
        ],
    ),
    (
        Command::Skip,
        SHORT,
        &[
            "skip~",
            "skip this|it|that",
            "pass",
            "rather|prefer not",
            "would not|prefer",
            "don't|dont|haven't|havent have|got|one|any|it|yet|decided",
            "do|have not have|got|one|any|decided",
            "have|got none|nothing|no",
            "next question",
            "not sure",
            "unsure|undecided",
            "don't|dont|do not know",
            "dunno|idk",
            "no idea|clue|comment|answer",
            "n a",
            "na|none|nothing|nope",
            "not yet|applicable|relevant|important|decided",
            "can't|cannot say|tell",
            "hard to say|tell",
            "private|confidential",
            "tbd|tba",
            "we'll see",
            "doesn't matter",
            "later",
            "none of your",
            "why do you need",
        ],
    ),
    (
        Command::Stuck,
        usize::MAX,
        &[
            "stuck",
            "stuk",
            "i'm|im|i am|are|we're lost|confused|blocked",
            "doesn't|doesnt|does|didn't|didnt|did|won't|isn't|not|never work~|working|worked|help|start|open|load",
            "not working",
            "can't|cannot|cant|couldn't|unable get|find|do|open|run|start|see|to|continue|go|install|proceed",
            "get|got|gives|giving|shows|see|throws|with an|a error|errors",
            "error|errors",
            "fails|failed|failing|crashes|crashed",
            "need help|somebody|someone",
            "help me",
            "nothing happens|happened",
        ],
    ),
    (
        Command::Back,
        SHORT,
        &[
            "back",
            "previous|earlier|last step|one",
            "again",
            "repeat",
            "the step before",
            "one step back",
            "what was the last|previous|first",
        ],
    ),
    (
        Command::Done,
        SHORT,
        &[
            "done",
            "next",
            "ok|okay|okey|k|kk|alright|fine|great|perfect|super|good|cool|nice",
            "yes|yep|yeah|yup|ya|y|sure",
            "works|worked|working",
            "did it|that|this",
            "finished|finish|complete|completed",
            "ready",
            "got it|that",
            "go on|ahead",
            "continue|proceed",
            "made it",
            "that's it|done",
            "check|checked",
            "have|has it|that",
            "what's|whats next",
            "i have",
            "it's|its there|running|up|done",
            "sent|uploaded|attached|added",
            "here it is|you",
        ],
    ),
];

static PHRASES: LazyLock<Vec<(Command, usize, Vec<Phrase>)>> = LazyLock::new(|| {
    let compiled = |words: &[&str]| -> Vec<Phrase> {
        words.iter().filter_map(|text| Phrase::try_from((*text).to_owned()).ok()).collect()
    };
    SAID.iter().map(|(command, most, words)| (*command, *most, compiled(words))).collect()
});

/// Whether a message says one of these, in a sentence short enough to be nothing else.
pub(super) fn says(text: &str, command: Command) -> bool {
    if command == Command::Done && text.contains(['👍', '✅', '👌', '✔', '✓']) {
        return true;
    }
    let Some((_, most, phrases)) = PHRASES.iter().find(|(one, ..)| *one == command) else {
        return false;
    };
    let sentences = text::sentences(text);
    let words: usize = sentences.iter().map(Vec::len).sum();
    words <= *most
        && sentences.iter().any(|words| phrases.iter().any(|p| p.places(words).next().is_some()))
}

/// Whether a bare no is all that a message says.
pub(super) fn is_no(text: &str) -> bool {
    let words = text::words(text);
    let refuses = ["no", "nope", "nah", "na", "non", "nein", "n"];
    !words.is_empty()
        && words.len() <= 3
        && words.first().is_some_and(|w| refuses.contains(&w.as_str()))
}

/// Words that open a question.
const ASKING: [&str; 20] = [
    "what", "what's", "whats", "how", "how's", "where", "where's", "when", "why", "who", "who's",
    "which", "whose", "explain", "does", "do", "did", "is", "are", "will",
];
/// Phrases that open a question or a request.
const REQUESTS: [&str; 7] = [
    "can|could|would|may|should|shall|must you|i|we|it|this|that|the|they|one|someone|somebody",
    "tell|show|explain|send|give me|us",
    "i'd|would like|love|want to know|see|understand",
    "i|we want|need to know",
    "i|we wonder|wondering|was wondering",
    "have|has you|it|the",
    "before|first .. what|how|where|when|why|who|which|is|are|does|do|can",
];

static OPENINGS: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    REQUESTS.iter().filter_map(|text| Phrase::try_from((*text).to_owned()).ok()).collect()
});

/// Whether a sentence asks something.
pub(super) fn asks(sentence: &str) -> bool {
    if sentence.contains(['?', '？', '؟']) {
        return true;
    }
    let words = text::words(sentence);
    // Greetings and the like before it say nothing.
    let little = |word: &&String| {
        [
            "hi", "hello", "hey", "and", "but", "so", "ok", "okay", "well", "also", "sorry",
            "please", "btw", "um",
        ]
        .contains(&word.as_str())
    };
    let skipped = words.iter().take_while(little).count();
    let words = &words[skipped..];
    let opens =
        words.len() > 1 && words.first().is_some_and(|word| ASKING.contains(&word.as_str()));
    opens || OPENINGS.iter().any(|p| p.places(words).next().is_some_and(|place| place.start == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_short() {
        use Command::{Back, Done, Skip, Stop, Stuck};
        for (text, command, expect) in [
            ("stop", Stop, true),
            ("Never mind.", Stop, true),
            ("no thanks", Stop, true),
            ("forget it", Stop, true),
            ("Nvm, I will write an e-mail", Stop, true),
            ("we want to stop paying for three different help desks that we use", Stop, false),
            ("skip", Skip, true),
            ("I'd rather not say", Skip, true),
            ("don't have one", Skip, true),
            ("not sure yet", Skip, true),
            ("Blumenhaus", Skip, false),
            ("done", Done, true),
            ("👍", Done, true),
            ("ok next", Done, true),
            ("that worked", Done, true),
            ("go back", Back, true),
            ("I'm stuck", Stuck, true),
            ("it does not work", Stuck, true),
            ("I get an error when I run it", Stuck, true),
            ("done", Stuck, false),
        ] {
            assert_eq!(says(text, command), expect, "{text:?} {command:?}");
        }
    }

    #[test]
    fn questions_are_told_from_answers() {
        for (text, expect) in [
            ("What does it cost?", true),
            ("what does it cost", true),
            ("is it free", true),
            ("can you do that in German", true),
            ("and how long does that take", true),
            ("I want to know the price first", true),
            ("tell me about the price", true),
            ("jo@example.org", false),
            ("40 people", false),
            ("Blumenhaus Köln", false),
            ("We are a small agency and answer too many mails", false),
            ("could be 40", false),
            ("as soon as possible", false),
            ("", false),
        ] {
            assert_eq!(asks(text), expect, "{text:?}");
        }
    }
}
