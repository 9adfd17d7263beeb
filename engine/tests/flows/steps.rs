//! The steps of a document, one at a time.

use engine::rules::Reason;
use engine::search::{Passage, SentenceKind};
use engine::testing::passage;

use crate::talk::Talk;

const FLOWS: &str = "[[flow]]\nid='s'\nkind='steps'\ntitle='Install'\ndocument='a.md'\nheading='How?'\nwords=['walk me']\nopening='Gladly.'\n";

/// A list with a lead-in, code within it, and an end.
fn document() -> Vec<Passage> {
    let list = |number| SentenceKind::Item { list: 0, number: Some(number) };
    let mut how = passage(
        "a.md",
        "How?",
        &[
            "Do this:",
            "Get it.",
            "It is big.",
            "Run it:",
            "run --now",
            "Look at it.",
            "That is all.",
        ],
    );
    let kinds = [
        SentenceKind::Prose,
        list(1),
        list(1),
        list(2),
        SentenceKind::Code,
        list(3),
        SentenceKind::Prose,
    ];
    let blocks = [0, 1, 1, 2, 3, 4, 5];
    for (sentence, (kind, block)) in how.sentences.iter_mut().zip(kinds.into_iter().zip(blocks)) {
        (sentence.kind, sentence.block) = (kind, block);
    }
    vec![passage("a.md", "Why?", &["Because."]), how]
}

#[test]
fn one_step_at_a_time() {
    let mut talk = Talk::over(FLOWS, document());
    let said = talk.say("walk me through it");
    assert_eq!(said.text, "Gladly. Step 1 of 3:\nGet it. It is big.");
    assert_eq!(
        (said.options.join("|").as_str(), said.cites[0].as_str()),
        ("Done|I'm stuck", "a.md")
    );
    assert_eq!(talk.say("done").text, "Step 2 of 3:\nRun it:\nrun --now");
    assert_eq!(talk.say("go back").text, "Step 1 of 3:\nGet it. It is big.");
    talk.say("ok");
    let said = talk.say("How long does it take?");
    assert!(said.aside && said.text.starts_with("Step 2 of 3 is still open"), "{said:?}");
    assert_eq!(talk.say("👍").text, "Step 3 of 3:\nLook at it.");
    let said = talk.say("yep, works");
    assert!(!talk.is_on() && said.text == "Thank you, that is all.", "{said:?}");
    assert_eq!(said.rows[0].value, "all 3 steps done");
}

#[test]
fn who_is_stuck_gets_a_person_who_knows_the_step() {
    for words in [
        "I'm stuck",
        "I'm stuck, what now?",
        "it does not work",
        "I get an error",
        "that didn't work",
    ] {
        let mut talk = Talk::over(FLOWS, document());
        talk.say("walk me through it");
        talk.say("done");
        let said = talk.say(words);
        assert_eq!((talk.is_on(), said.hand_off), (false, Some(Reason::Stuck)), "{words}");
        assert_eq!(said.rows[0].value, "step 2 of 3: Run it: run --now");
        assert_eq!(said.rows[1].value, words);
    }
}

#[test]
fn a_document_that_is_gone_calls_a_person() {
    let mut talk = Talk::over(FLOWS, vec![]);
    let said = talk.say("walk me through it");
    assert_eq!((talk.is_on(), said.hand_off), (false, Some(Reason::NoPassage)));
}
