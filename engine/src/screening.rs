//! What is decided before a search: the owner's rules, the caps on automatic replies, and what each intent may do.

use crate::parts::Parts;
use crate::policy::Autonomy;
use crate::progress;
use crate::reply::{End, Progress, decide, say};
use crate::rules::{Action, Decision, Heard, Reason, Rule, RuleAction};
use crate::sink::{Sink, Stopped};
use crate::tasks::{Course, Left, Line, Scene, Step, course, say_again};
use crate::turn::Turn;

/// Decides over a message before anything is drafted; `None` goes on. Tasks come first, beside the rules that ask for a person;
/// these come before the caps, the other rules after them; what an intent may do comes last.
pub(crate) fn screen(
    parts: &Parts<'_>,
    turn: &Turn,
    sink: &mut Sink<'_>,
    known: &mut Progress,
) -> Result<Option<End>, Stopped> {
    let heard =
        Heard { text: &turn.question, reading: &known.reading, frustration: known.frustration };
    let rule = parts.policy.before(&heard);
    let scene = Scene { parts, turn, heard: &heard };
    match course(scene, rule) {
        Course::Step(step) => return take(sink, known, *step).map(Some),
        Course::Aside => known.again = say_again(scene),
        Course::None => {}
    }
    if let Some(rule) = rule.filter(|rule| rule.action == RuleAction::HandOff) {
        let decision = decide(Action::HandOff, &rule.id, rule.reason);
        return Ok(Some(hand_off(parts, decision, rule.say_id())));
    }
    if let Some(end) = capped(parts, turn) {
        return Ok(Some(end));
    }
    match rule {
        Some(Rule { action: RuleAction::Say, id, reason, say: text, .. }) => {
            return say(parts, sink, text, (id, *reason)).map(Some);
        }
        Some(rule) => known.held = Some(rule.clone()),
        None => {
            let bands = parts.policy.bands(&known.reading, parts.tuned.send_at);
            if bands.autonomy == Autonomy::Off {
                let decision = decide(Action::HandOff, &bands.rule("off"), Reason::IntentPolicy);
                return Ok(Some(hand_off(parts, decision, "person_answers")));
            }
        }
    }
    Ok(None)
}

/// Says what a step of a task says; it leaves its card, the task and what it brings about.
fn take(sink: &mut Sink<'_>, known: &mut Progress, step: Step) -> Result<End, Stopped> {
    let text = step.text();
    let Step { say, card, task, effects, hand_off, rule } = step;
    let reason = if rule.starts_with("flow:") { Reason::Flow } else { Reason::Action };
    known.left = Some(Left { card, task, effects });
    if let Some(reason) = hand_off {
        let decision = decide(Action::HandOff, &rule, reason);
        return Ok(End::Decided { decision, say: Some(text) });
    }
    (sink.confidence, sink.sure) = (1.0, true);
    for line in say {
        match line {
            Line::Plain(text) => sink.frame(&text)?,
            Line::Quote { text, passage, span } => sink.piece(text, &passage, span)?,
        }
    }
    Ok(End::Decided { decision: decide(Action::Send, &rule, reason), say: None })
}

/// The caps on automatic replies in a row.
fn capped(parts: &Parts<'_>, turn: &Turn) -> Option<End> {
    let (rule, reason) = if turn.bot_turns >= parts.policy.turn_cap {
        ("turn-cap", Reason::TurnCap)
    } else if progress::stalled(parts.templates, turn) >= parts.policy.stalled_cap {
        ("no-progress", Reason::NoProgress)
    } else {
        return None;
    };
    Some(hand_off(parts, decide(Action::HandOff, rule, reason), "no_progress"))
}

fn hand_off(parts: &Parts<'_>, decision: Decision, text: &str) -> End {
    End::Decided { decision, say: Some(parts.templates.say(text)) }
}
