//! Compares what a step brought with what the case expects; each difference is a sentence.

use serde_json::Value;

use super::case::Step;

/// What a step brought.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The newest message of the other side.
    pub(super) reply: Option<Value>,
    /// Automatic replies.
    pub(super) replies: usize,
    /// Who holds the conversation when the step is over.
    pub(super) state: String,
    /// What is asked after the chat; null for nothing.
    pub(super) survey: Value,
    /// Milliseconds until each acknowledgement.
    pub(super) acks: Vec<f64>,
    /// Milliseconds until the first text.
    pub(super) first_ms: Option<f64>,
    /// Milliseconds until the whole reply.
    pub(super) complete_ms: Option<f64>,
}

/// What is not as the step expects, as far as the visitor sees it.
pub(super) fn judge(step: &Step, seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    match &seen.reply {
        Some(reply) => wrong.extend(judge_reply(step, reply)),
        None if step.needs_reply() => wrong.push("no reply came".into()),
        None => {}
    }
    if step.no_reply && seen.replies > 0 {
        wrong.push(format!("the bot answered: {}", text_of(seen.reply.as_ref())));
    }
    if seen.replies > 1 {
        wrong.push(format!("{} automatic replies came instead of one", seen.replies));
    }
    if let Some(state) = step.state.as_ref().filter(|state| **state != seen.state) {
        wrong.push(format!("the conversation is in state {}, not {state}", seen.state));
    }
    let asked = seen.survey["kind"].as_str().unwrap_or("none");
    if let Some(survey) = step.survey.as_ref().filter(|survey| *survey != asked) {
        wrong.push(format!("what is asked is {asked}, not {survey}"));
    }
    if let (Some(limit), Some(took)) = (step.within_ms, seen.complete_ms)
        && took > limit
    {
        wrong.push(format!("the reply took {took:.0} ms, more than {limit:.0}"));
    }
    wrong
}

fn judge_reply(step: &Step, reply: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let text = text_of(Some(reply));
    let folded = text.to_lowercase();
    let holds = |part: &&String| folded.contains(&part.to_lowercase());
    let missing = step.reply_contains.iter().filter(|part| !holds(part));
    wrong.extend(missing.map(|part| format!("\"{part}\" is not in the reply: {text}")));
    let unwanted = step.reply_lacks.iter().filter(holds);
    wrong.extend(unwanted.map(|part| format!("\"{part}\" is in the reply: {text}")));
    let citations = reply["citations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let docs: Vec<&str> = citations.iter().filter_map(|c| c["doc"].as_str()).collect();
    if !step.cites.is_empty() && !step.cites.iter().any(|doc| docs.contains(&doc.as_str())) {
        wrong.push(format!("none of {:?} is cited, but {docs:?}: {text}", step.cites));
    }
    if step.no_citation && !docs.is_empty() {
        wrong.push(format!("{docs:?} are cited: {text}"));
    }
    if let Some(from) = step.from.as_ref().filter(|from| reply["from"] != from.as_str()) {
        wrong.push(format!("the reply is from {}, not \"{from}\"", reply["from"]));
    }
    wrong
}

/// What is not as the step expects on the owner's side.
pub(super) fn judge_owner(step: &Step, detail: &Value) -> Vec<String> {
    let rows = [
        ("decision", &step.decision, &detail["decision"]["action"]),
        ("reason", &step.reason, &detail["decision"]["reason"]),
        ("tag", &step.tag, &detail["conversation"]["tag"]),
    ];
    let differs = rows.into_iter().filter_map(|(name, wanted, got)| {
        let wanted = wanted.as_deref().filter(|wanted| got.as_str() != Some(wanted))?;
        Some(format!("the {name} is {got}, not \"{wanted}\""))
    });
    differs.collect()
}

fn text_of(reply: Option<&Value>) -> &str {
    reply.and_then(|reply| reply["text"].as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(step: &str, change: impl Fn(&mut Seen), expect: &[&str]) {
        let step: Step = toml::from_str(step).unwrap();
        let reply =
            json!({"from": "bot", "text": "Paste the Script tag.", "citations": [{"doc": "a.md"}]});
        let mut seen = Seen {
            reply: Some(reply),
            replies: 1,
            state: "bot".into(),
            complete_ms: Some(900.0),
            ..Seen::default()
        };
        change(&mut seen);
        let wrong = judge(&step, &seen);
        assert_eq!(wrong.len(), expect.len(), "{wrong:?}");
        wrong.iter().zip(expect).for_each(|(got, part)| assert!(got.contains(part), "{got}"));
    }

    /// Each expectation holds for a good reply and catches a planted fault.
    #[test]
    fn every_expectation_can_fail() {
        let same = |_: &mut Seen| {};
        let none = |seen: &mut Seen| (seen.reply, seen.replies, seen.complete_ms) = (None, 0, None);
        check("reply_contains = ['script TAG']", same, &[]);
        check("reply_contains = ['cookie']", same, &["\"cookie\" is not in"]);
        check("reply_contains = ['script']", none, &["no reply came"]);
        check("reply_lacks = ['cookie']", same, &[]);
        check("reply_lacks = ['script']", same, &["\"script\" is in"]);
        check("reply_lacks = ['script']", none, &["no reply came"]);
        check("cites = ['b.md', 'a.md']", same, &[]);
        check("cites = ['b.md']", same, &["none of [\"b.md\"] is cited"]);
        check("no_citation = true", same, &["are cited"]);
        check("no_citation = true", none, &["no reply came"]);
        check("from = 'system'", same, &["not \"system\""]);
        check("no_reply = true", none, &[]);
        check("no_reply = true", same, &["the bot answered"]);
        check("state = 'bot'", same, &[]);
        check("state = 'waiting'", same, &["in state bot, not waiting"]);
        check("within_ms = 1000", same, &[]);
        check("within_ms = 100", same, &["took 900 ms"]);
        check("within_ms = 100", none, &["no reply came"]);
        check("state = 'bot'", |seen| seen.replies = 2, &["2 automatic replies"]);
    }

    #[test]
    fn the_owners_side_can_fail() {
        let step: Step =
            toml::from_str("decision = 'send'\nreason = 'confident'\ntag = 'Pricing'").unwrap();
        let mut detail = json!({
            "decision": {"action": "send", "reason": "confident"}, "conversation": {"tag": "Pricing"}
        });
        assert!(judge_owner(&step, &detail).is_empty());
        detail["decision"]["action"] = "hold".into();
        assert_eq!(judge_owner(&step, &detail), ["the decision is \"hold\", not \"send\""]);
        assert_eq!(judge_owner(&step, &Value::Null).len(), 3);
    }
}
