//! Leads: answers in any order, interrupted, skipped, stopped, qualified; and no text keeps a flow from ending.

use engine::flows::{LeadStatus, Level};
use engine::rules::Reason;
use engine::testing::passage;
use proptest::prelude::*;

use crate::talk::{SHIPPED, Said, Talk};

fn values(said: &Said) -> Vec<(String, String)> {
    let slots = said.lead.as_ref().map(|lead| lead.slots.clone()).unwrap_or_default();
    slots.into_iter().map(|row| (row.label, row.value)).collect()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect()
}

fn priced() -> Talk {
    let price = ["Porchlight is free.", "There is no paid plan."];
    Talk::over(SHIPPED, vec![passage("price-and-scope.md", "How much does it cost?", &price)])
}

#[test]
fn a_first_message_that_says_it_all_is_asked_only_for_the_rest() {
    let mut talk = Talk::shipped();
    let said = talk.say(
        "We are a shop with 40 people, can someone from sales call me? My mail is jo@example.org",
    );
    assert!(said.text.contains("I have noted jo@example.org, 40 people."), "{}", said.text);
    assert!(said.text.ends_with("What would you like to use the chat for?"), "{}", said.text);
    assert_eq!(values(&said), pairs(&[("E-mail", "jo@example.org"), ("People", "40")]));
    let lead = said.lead.unwrap();
    assert_eq!((lead.level, lead.status, lead.urgent), (Level::High, LeadStatus::Open, true));
    let said = talk.say("answering the same ten mails every day");
    assert!(said.text.ends_with("When would you like to start?"), "{}", said.text);
    assert_eq!(said.options[0], "This month");
    let said = talk.say("as soon as possible");
    let lead = said.lead.unwrap();
    assert_eq!((lead.status, lead.slots[3].value.as_str()), (LeadStatus::Complete, "This month"));
    assert_eq!(said.hand_off, Some(Reason::Lead));
    assert!(!talk.is_on());
}

#[test]
fn others_are_given_a_guide_with_its_place() {
    let mut talk = priced();
    talk.say("Can I talk to sales?");
    talk.say("kim@example.org");
    talk.say("3");
    talk.say("our web shop");
    let said = talk.say("Just looking");
    assert_eq!(said.lead.unwrap().level, Level::Low);
    assert_eq!((said.hand_off, said.cites[0].as_str()), (None, "price-and-scope.md"));
    assert!(said.text.contains("Porchlight is free."), "{}", said.text);
}

#[test]
fn a_question_in_between_leaves_the_flow_standing_and_keeps_what_it_tells() {
    let mut talk = Talk::shipped();
    talk.say("I want to talk to sales");
    let said = talk.say("What does it cost?");
    assert!(said.aside && talk.is_on());
    assert_eq!(said.text, "To go on: Which e-mail address may we write to?");
    let said = talk.say("kim@example.org. Does it work offline?");
    assert!(said.aside, "{said:?}");
    assert_eq!(values(&said), pairs(&[("E-mail", "kim@example.org")]));
    assert!(said.text.contains("kim@example.org") && said.text.contains("How many people"));
    let said = talk.say("can someone from sales call me?");
    assert!(said.aside && talk.is_on(), "the flow is not begun anew: {said:?}");
    let said = talk.say("5");
    assert_eq!(values(&said), pairs(&[("E-mail", "kim@example.org"), ("People", "5")]));
}

#[test]
fn a_flow_is_let_go_when_only_questions_come() {
    let mut talk = Talk::shipped();
    talk.say("I want to talk to sales");
    let asked: Vec<Said> = (0..5).map(|_| talk.say("How does it work?")).collect();
    assert!(asked.iter().all(|said| said.aside));
    assert_eq!((talk.is_on(), asked[4].text.as_str()), (false, ""));
}

#[test]
fn skip_and_stop_in_words_and_as_choices() {
    for (word, on) in [
        ("skip", true),
        ("Skip", true),
        ("rather not say", true),
        ("never mind", false),
        ("Stop", false),
        ("stop please", false),
    ] {
        let mut talk = Talk::shipped();
        talk.say("I want to talk to sales");
        talk.say("kim@example.org");
        let said = talk.say(word);
        assert_eq!(talk.is_on(), on, "{word}: {said:?}");
        let lead = said.lead.unwrap();
        let status = if on { LeadStatus::Open } else { LeadStatus::Stopped };
        assert_eq!((lead.status, lead.slots.len()), (status, 1), "{word}");
    }
}

#[test]
fn what_is_required_is_asked_twice_and_then_a_person_is() {
    for (first, second) in [("purple", "green"), ("skip", "no"), ("kim@example", "kim at home")] {
        let mut talk = Talk::shipped();
        talk.say("I want to talk to sales");
        let said = talk.say(first);
        assert!(talk.is_on() && said.hand_off.is_none(), "{first}: {said:?}");
        let said = talk.say(second);
        assert_eq!((talk.is_on(), said.hand_off), (false, Some(Reason::Stuck)), "{second}");
    }
}

#[test]
fn what_is_not_required_is_left_out_after_two_tries() {
    let mut talk = Talk::shipped();
    talk.say("I want to talk to sales");
    talk.say("kim@example.org");
    assert!(talk.say("plenty").text.contains("in digits"));
    let said = talk.say("really plenty");
    assert!(said.text.starts_with("No problem") && said.text.contains("use the chat"), "{said:?}");
}

#[test]
fn an_answer_can_be_put_right() {
    let mut talk = Talk::shipped();
    talk.say("I want to talk to sales, kim@example.org, 4 people");
    let said = talk.say("sorry, I meant 14 people");
    assert_eq!(values(&said), pairs(&[("E-mail", "kim@example.org"), ("People", "14")]));
    assert!(said.text.contains("14 people"), "{}", said.text);
}

#[test]
fn an_address_from_before_is_not_asked_for_again() {
    let mut talk = Talk::shipped();
    assert!(talk.say("Hi, I am kim@example.org").aside);
    let said = talk.say("I want to talk to sales");
    assert_eq!(values(&said), pairs(&[("E-mail", "kim@example.org")]));
    assert!(said.text.contains("kim@example.org"));
}

/// What visitors may write: any text, and words that mean something to a flow.
fn words() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "skip",
        "stop",
        "no",
        "yes",
        "done",
        "back",
        "I'm stuck",
        "what?",
        "40 people",
        "jo@example.org",
        "jo@",
        "next month",
        "5k",
        "File: x.png",
        "talk to sales",
        "walk me through the set-up",
        "the set-up link is broken",
        "\u{202e}x",
        "ß at İ dot x",
        "1e400",
    ]);
    prop_oneof!["\\PC{0,80}", "[a-z0-9 ,.?@:-]{0,60}", known.prop_map(str::to_owned)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Slots times three and five turns are enough, whatever is written; none of it panics.
    #[test]
    fn a_lead_ends_whatever_is_written(said in prop::collection::vec(words(), 17)) {
        let mut talk = Talk::shipped();
        talk.say("I want to talk to sales");
        for text in &said {
            if !talk.is_on() {
                break;
            }
            talk.say(text);
        }
        prop_assert!(!talk.is_on(), "{said:?}");
    }

    #[test]
    fn no_text_makes_a_flow_panic(begins in prop::sample::select(vec!["walk me through the set-up", "the set-up link is broken"]), said in prop::collection::vec(words(), 0..12)) {
        let mut talk = Talk::shipped();
        talk.say(begins);
        for text in &said {
            let said = talk.say(text);
            prop_assert!(said.text.chars().count() < 2_000);
        }
    }
}
