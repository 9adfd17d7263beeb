//! Checklists: answers branch, files are asked for, outcomes are cited.

use engine::rules::Reason;
use engine::testing::passage;

use crate::talk::{SHIPPED, Talk};

fn talk() -> Talk {
    let reset = passage(
        "security.md",
        "I forgot my password. What can I do?",
        &["Run `porchlight reset-owner` on the server."],
    );
    Talk::over(SHIPPED, vec![reset])
}

#[test]
fn answers_branch_to_a_cited_outcome() {
    let mut talk = talk();
    let said = talk.say("I'm stuck, the set-up link does not work");
    assert!(said.text.contains("reset-owner"), "{}", said.text);
    assert_eq!(said.options.join("|"), "Yes|No|I'm stuck");
    let said = talk.say("no, how would I have known");
    assert!(!talk.is_on() && said.cites == ["security.md"], "{said:?}");
    assert_eq!(
        (said.rows[0].label.as_str(), said.rows[0].value.as_str()),
        ("Fresh link tried", "No")
    );
}

#[test]
fn a_file_is_asked_for_and_what_was_answered_is_kept() {
    for (words, value) in [
        ("File: console.png", "console.png"),
        ("done", "the visitor says that it was sent"),
        ("I have none", "none"),
        ("404 not found", "404 not found"),
    ] {
        let mut talk = talk();
        talk.say("the setup link is broken");
        talk.say("yes");
        let said = talk.say("something else");
        assert!(said.upload && said.text.contains("screenshot"), "{said:?}");
        let said = talk.say(words);
        assert_eq!((talk.is_on(), said.hand_off), (false, Some(Reason::Stuck)), "{words}");
        assert_eq!(said.rows[2].value, value);
    }
}

#[test]
fn a_question_in_between_is_no_answer_and_nonsense_is_asked_twice() {
    let mut talk = talk();
    talk.say("I can't sign in");
    let said = talk.say("Where do I run that?");
    assert!(
        said.aside && said.text.starts_with("To go on: The set-up link works once."),
        "{said:?}"
    );
    assert!(talk.say("banana").text.contains("Yes, No"));
    let said = talk.say("banana");
    assert_eq!((talk.is_on(), said.hand_off), (false, Some(Reason::Stuck)));
}

#[test]
fn what_the_first_words_tell_is_not_asked() {
    let flows = "[[flow]]\nid='c'\nkind='checklist'\ntitle='T'\nwords=['broken']\n\
        [[flow.check]]\nid='a'\nask='Which?'\noption=[{text='Red', words=['red'], then='b'}, {text='Blue', then='x'}]\n\
        [[flow.check]]\nid='b'\nask='Old?'\nyes='x'\nno='x'\n[[flow.outcome]]\nid='x'\nsay='Bye.'\n";
    let mut talk = Talk::over(flows, vec![]);
    let said = talk.say("the red one is broken");
    assert_eq!((said.text.as_str(), said.rows[0].value.as_str()), ("Old?", "Red"));
    assert_eq!(talk.say("dunno").text, "Please choose one of these: Yes, No.");
    assert_eq!(talk.say("yes").text, "Bye.");
}
