//! Reading `policy.toml`: what is accepted, and which line is named when something is wrong.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use engine::confidence::Confidence;
use engine::intent::{IntentFile, Reading, Scored};
use engine::policy::{Policy, PolicyError};
use engine::prompt::Templates;
use engine::rules::Action;

const FIGURES: &str =
    "send_at = 0.5\nhold_at = 0.3\npassage_floor = 0.2\nturn_cap = 12\nstalled_cap = 3\n";

fn parse(text: &str) -> Result<Policy, PolicyError> {
    let intents = IntentFile::parse(include_str!("../../prompts/intents.toml")).unwrap();
    let templates = Templates::parse(include_str!("../../prompts/templates.toml")).unwrap();
    Policy::parse(text, &intents, &templates)
}

#[test]
fn the_policy_that_ships_is_valid() {
    let policy = parse(include_str!("../../prompts/policy.toml")).unwrap();
    assert!(policy.rule.len() > 5, "{policy:?}");
}

#[test]
fn mistakes_name_their_line() {
    let guardrail = "[[guardrail]]\nid = 'g'\naction = 'hold'\n";
    let rule = "[[rule]]\nid = 'r'\naction = 'hold'\nreason = 'money_words'\n";
    for (text, line, part) in [
        (
            "send_at = 1.5\nhold_at = 0.3\npassage_floor = 0.2\nturn_cap = 12\nstalled_cap = 3\n",
            1,
            "between 0 and 1",
        ),
        (
            "send_at = 0.5\nhold_at = 0.6\npassage_floor = 0.2\nturn_cap = 12\nstalled_cap = 3\n",
            2,
            "between 0 and 0.5",
        ),
        (
            "send_at = 0.5\nhold_at = 0.3\npassage_floor = 0.2\nturn_cap = 12\nstalled_cap = 0\n",
            5,
            "stalled_cap",
        ),
        (&format!("{FIGURES}colour = 1\n"), 6, "colour"),
        (
            &format!("{FIGURES}[intent.billing]\n\n[intent.biling]\nautonomy = 'off'\n"),
            8,
            "no intent `biling` in intents.toml; it has pricing, billing",
        ),
        (&format!("{FIGURES}[intent.billing]\nautonomy = 'sometimes'\n"), 7, "sometimes"),
        (
            &format!("{FIGURES}[intent.billing]\nhold_at = 0.9\n"),
            6,
            "hold_at of the intent `billing`",
        ),
        (
            &format!("{FIGURES}{rule}words = ['a']\n\n{rule}words = ['b']\n"),
            12,
            "stands in line 6 already",
        ),
        (&format!("{FIGURES}[style]\nsentences = 0\n"), 6, "between 1 and 20"),
        (&format!("{FIGURES}[style]\ntone = 'x'\n"), 7, "unknown field `tone`"),
        (&format!("{FIGURES}{guardrail}words = []\n"), 6, "`g` names no words"),
        (&format!("{FIGURES}{guardrail}words = ['..']\n"), 9, "begins with `..`"),
        (
            &format!("{FIGURES}{guardrail}words = ['a']\n{guardrail}words = ['b']\n"),
            10,
            "another guardrail",
        ),
        (&format!("{FIGURES}{rule}"), 6, "can never match"),
        (&format!("{FIGURES}{rule}words = ['.. a']\n"), 10, "begins with `..`"),
        (&format!("{FIGURES}\n{rule}intents = ['nobody']\n"), 7, "no intent `nobody`"),
        (&format!("{FIGURES}{rule}words = ['a']\nsay = 'nothing'\n"), 6, "says `nothing`"),
        (&format!("{FIGURES}{rule}frustration = 7.0\n"), 6, "a score is 7"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(&format!("line {line}")) && error.contains(part), "{text}\n{error}");
    }
}

#[test]
fn an_intent_has_bands_and_autonomy_of_its_own() {
    let text = format!(
        "{FIGURES}[intent.billing]\nautonomy = 'draft'\n[intent.pricing]\nsend_at = 0.9\n[intent.refund]\nautonomy = 'off'\n"
    );
    let policy = parse(&text).unwrap();
    for (intent, confidence, action, rule) in [
        ("general", 0.6, Action::Send, "confident"),
        ("general", 0.4, Action::Hold, "unsure"),
        ("general", 0.2, Action::HandOff, "low-confidence"),
        ("pricing", 0.6, Action::Hold, "unsure:pricing"),
        ("pricing", 0.9, Action::Send, "confident:pricing"),
        ("billing", 0.9, Action::Hold, "draft-only:billing"),
        ("billing", 0.2, Action::HandOff, "low-confidence:billing"),
    ] {
        let tag = Scored { id: intent.into(), label: intent.into(), score: 0.8 };
        let reading = Reading { tags: vec![tag], ..Reading::default() };
        let confidence = Confidence { value: confidence, ..Confidence::default() };
        let decision = policy.bands(&reading, None).after(&confidence);
        assert_eq!((decision.action, decision.rule.as_str()), (action, rule), "{intent}");
    }
}

#[test]
fn a_chosen_threshold_is_never_below_what_is_held() {
    let policy = parse(FIGURES).unwrap();
    for (chosen, send_at) in [(Some(0.1), policy.hold_at), (Some(0.9), 0.9), (None, policy.send_at)]
    {
        let bands = policy.bands(&Reading::default(), chosen);
        assert_eq!((bands.send_at, bands.hold_at), (send_at, policy.hold_at), "{chosen:?}");
    }
}
