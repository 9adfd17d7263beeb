//! Asking for a person, by words alone: the shipped policy over 200 phrasings and 100 messages that only look like it.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use engine::intent::{IntentFile, Reading};
use engine::policy::Policy;
use engine::prompt::Templates;
use engine::rules::{Heard, Reason};

#[derive(serde::Deserialize)]
struct Case {
    text: String,
    part: String,
}

/// Whether the reason of the first rule is the one that is wanted.
type Wanted<'a> = &'a dyn Fn(Option<Reason>) -> bool;

fn cases(lines: &str) -> Vec<Case> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Texts of `part` for which the shipped rules do not come to `wanted`, and how many there are.
fn misses(lines: &str, part: &str, wanted: Wanted<'_>) -> (Vec<String>, usize) {
    let intents = IntentFile::parse(include_str!("../../prompts/intents.toml")).unwrap();
    let templates = Templates::parse(include_str!("../../prompts/templates.toml")).unwrap();
    let text = include_str!("../../prompts/policy.toml");
    let policy = Policy::parse(text, &intents, &templates).unwrap();
    let reading = Reading::default();
    let all: Vec<Case> = cases(lines).into_iter().filter(|case| case.part == part).collect();
    let reason = |text: &str| {
        policy.before(&Heard { text, reading: &reading, frustration: 0.0 }).map(|rule| rule.reason)
    };
    let count = all.len();
    let missed = all.into_iter().filter(|case| !wanted(reason(&case.text)));
    (missed.map(|case| case.text).collect(), count)
}

#[test]
fn words_alone_hear_most_who_ask_and_few_who_do_not() {
    let asks = include_str!("../../evals/cases/person/asks.jsonl");
    let looks = include_str!("../../evals/cases/person/lookalikes.jsonl");
    let identity = include_str!("../../evals/cases/person/identity.jsonl");
    let person = |reason| reason == Some(Reason::AskedForPerson);
    let no_person = |reason| reason != Some(Reason::AskedForPerson);
    let program = |reason| reason == Some(Reason::AskedIfHuman);
    for part in ["seen", "unseen"] {
        let rows: [(&str, Wanted<'_>, f32); 3] =
            [(asks, &person, 0.03), (looks, &no_person, 0.02), (identity, &program, 0.2)];
        for (lines, wanted, share) in rows {
            let (missed, count) = misses(lines, part, wanted);
            let most = (share * count as f32) as usize;
            assert!(missed.len() <= most, "{part}, of {count}: {missed:#?}");
        }
    }
}
