//! The one verb: from a turn to a draft, a confidence and a decision.

use std::ops::ControlFlow;

use crate::confidence::{Calibration, Confidence, SHIPPED, Signals};
use crate::draft::{Draft, Mode};
use crate::finding::{self, Found};
use crate::intent::Reading;
use crate::model::Model;
use crate::rules::{Action, Decision, Reason, Rule, RuleAction};
use crate::search::Hit;
use crate::sink::{Sink, Stopped};
use crate::turn::Turn;
use crate::{compose, quote, text};

pub use crate::parts::Parts;
pub use crate::sink::Event;

/// Passages that are looked at for one reply.
const HITS: usize = 10;
/// Characters at the end of a question that are searched for; rules read all of it.
const QUESTION_CHARS: usize = 2_000;

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What becomes of it.
    pub decision: Decision,
    /// The draft, when one was made. With [`Action::Send`] always there.
    pub draft: Option<Draft>,
    /// How the draft was made.
    pub mode: Mode,
    /// What the visitor is told when the draft is not sent.
    pub say: Option<String>,
    /// What the message was read as.
    pub reading: Reading,
    /// Confidence in the draft, or in there being an answer.
    pub confidence: Confidence,
    /// Whether the caller stopped it; nothing of a cancelled turn may be sent.
    pub cancelled: bool,
    /// What failed, for the log, when `decision.reason` is [`Reason::Fault`].
    pub fault: Option<String>,
}

/// Makes a reply to `turn`. `on_event` may say `Break` at any event: the draft stops at the next token.
///
/// Never fails: when a model or the index does, the outcome is a hand-off with `fault` set.
pub fn reply(
    parts: &Parts<'_>,
    turn: &Turn,
    on_event: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Outcome {
    let mut sink = Sink::new(on_event);
    let mut progress = Progress { mode: parts.mode, ..Progress::default() };
    let end = run(parts, turn, &mut sink, &mut progress);
    let draft = sink.into_draft();
    let mut outcome = match end {
        Ok(End::Decided { decision, say }) => progress.outcome(decision, say),
        Ok(End::Drafted { unsupported }) => settle(parts, progress, &draft, unsupported),
        Err(Stopped::Cancelled) => {
            let decision = decide(Action::HandOff, "cancelled", Reason::LowConfidence);
            Outcome { cancelled: true, ..progress.outcome(decision, None) }
        }
        Err(Stopped::Fault(error)) => {
            let decision = decide(Action::HandOff, "fault", Reason::Fault);
            let say = Some(parts.templates.say("fault"));
            Outcome { fault: Some(error), ..progress.outcome(decision, say) }
        }
    };
    outcome.draft = Some(draft).filter(|d| !d.pieces.is_empty());
    outcome
}

/// What is known while a reply is made.
struct Progress {
    mode: Mode,
    reading: Reading,
    signals: Signals,
    held: Option<Rule>,
}

impl Default for Progress {
    fn default() -> Self {
        let signals = Signals::default();
        Self { mode: Mode::Quote, reading: Reading::default(), signals, held: None }
    }
}

impl Progress {
    fn outcome(self, decision: Decision, say: Option<String>) -> Outcome {
        Outcome {
            decision,
            draft: None,
            mode: self.mode,
            say,
            reading: self.reading,
            confidence: calibration().confidence(self.signals),
            cancelled: false,
            fault: None,
        }
    }
}

/// How `run` ended when nothing broke.
enum End {
    /// A rule decided before drafting.
    Decided { decision: Decision, say: Option<String> },
    /// A draft stands in the sink.
    Drafted { unsupported: bool },
}

fn run(
    parts: &Parts<'_>,
    turn: &Turn,
    sink: &mut Sink<'_>,
    progress: &mut Progress,
) -> Result<End, Stopped> {
    let whole = turn;
    let turn = &Turn { question: newest_words(&turn.question), ..turn.clone() };
    if text::words(&whole.question).is_empty() {
        return say(parts, sink, "unclear", ("unreadable", Reason::Unreadable));
    }
    let question = embed(parts.model, &turn.question)?;
    progress.reading = parts.intents.read(&question);
    sink.emit(Event::Read(&progress.reading))?;
    if let Some(end) = before_search(parts, whole, sink, progress)? {
        return Ok(end);
    }
    if text::words(&turn.question).is_empty() {
        return say(parts, sink, "unclear", ("unreadable", Reason::Unreadable));
    }
    let Found { hits, question } =
        finding::find((parts.model, parts.search), turn, question, HITS)?;
    progress.signals = Signals::of_hits(&hits);
    sink.emit(Event::Found(&hits))?;
    if hits.first().is_none_or(|hit| hit.nearness() < parts.policy.passage_floor) {
        return Ok(nothing_found(parts, progress));
    }
    draft(parts, turn, (&question, &hits), sink, progress)
}

/// The end of a long question: what was written last is what is asked.
fn newest_words(question: &str) -> String {
    let skipped = question.chars().count().saturating_sub(QUESTION_CHARS);
    question.chars().skip(skipped).collect()
}

/// Rules before a search; `None` goes on.
fn before_search(
    parts: &Parts<'_>,
    turn: &Turn,
    sink: &mut Sink<'_>,
    progress: &mut Progress,
) -> Result<Option<End>, Stopped> {
    let rule = parts.policy.before(turn, &progress.reading);
    let asks_person = rule.is_some_and(|rule| rule.action == RuleAction::HandOff);
    if turn.bot_turns >= parts.policy.turn_cap && !asks_person {
        let decision = decide(Action::HandOff, "turn-cap", Reason::TurnCap);
        return Ok(Some(End::Decided { decision, say: Some(parts.templates.say("hand_off")) }));
    }
    if let Some(rule) = rule {
        match rule.action {
            RuleAction::Say => {
                return say(parts, sink, &rule.say, (&rule.id, rule.reason)).map(Some);
            }
            RuleAction::HandOff => {
                let text = if rule.say.is_empty() { "hand_off" } else { &rule.say };
                let decision = decide(Action::HandOff, &rule.id, rule.reason);
                return Ok(Some(End::Decided { decision, say: Some(parts.templates.say(text)) }));
            }
            RuleAction::Hold => progress.held = Some(rule.clone()),
        }
    }
    Ok(None)
}

/// Drafts in the wanted mode; free text whose first sentence is unsupported falls back to quoting.
fn draft(
    parts: &Parts<'_>,
    turn: &Turn,
    (question, hits): (&[f32], &[Hit]),
    sink: &mut Sink<'_>,
    progress: &mut Progress,
) -> Result<End, Stopped> {
    let candidates = quote::candidates(parts.model, question, hits)?;
    progress.signals.sentence = candidates.best_cosine;
    progress.signals.support = 1.0;
    sink.confidence = calibration().confidence(progress.signals).value;
    let held = progress.held.is_some();
    sink.emit(Event::Started { mode: progress.mode, held })?;
    let mut unsupported = false;
    if progress.mode == Mode::Compose {
        unsupported = compose::draft(parts, turn, hits, sink)?.is_some();
        if !sink.is_empty() {
            return Ok(End::Drafted { unsupported });
        }
        progress.mode = Mode::Quote;
        sink.emit(Event::Started { mode: Mode::Quote, held })?;
    }
    quote::draft(parts, turn, hits, &candidates, sink)?;
    Ok(End::Drafted { unsupported: unsupported && sink.is_empty() })
}

/// The decision over a finished draft.
fn settle(parts: &Parts<'_>, progress: Progress, draft: &Draft, unsupported: bool) -> Outcome {
    let mut decision = parts.policy.after(&calibration().confidence(progress.signals));
    if draft.pieces.is_empty() {
        let reason = if unsupported { Reason::Unsupported } else { Reason::NoPassage };
        decision = decide(Action::HandOff, "no-draft", reason);
    } else if let Some(rule) = progress.held.as_ref().filter(|_| decision.action != Action::HandOff)
    {
        decision = decide(Action::Hold, &rule.id, rule.reason);
    }
    let named = progress.held.as_ref().map(|rule| rule.say.clone()).filter(|say| !say.is_empty());
    let say = match decision.action {
        Action::Send => None,
        Action::Hold => Some(parts.templates.say(&named.unwrap_or_else(|| "hold".into()))),
        Action::HandOff => Some(parts.templates.say("hand_off")),
    };
    progress.outcome(decision, say)
}

fn nothing_found(parts: &Parts<'_>, progress: &Progress) -> End {
    let (rule, reason) = match progress.reading.tags.is_empty() {
        true => ("off-topic", Reason::OffTopic),
        false => ("no-passage", Reason::NoPassage),
    };
    let decision = decide(Action::HandOff, rule, reason);
    End::Decided { decision, say: Some(parts.templates.say("hand_off")) }
}

/// Answers with one of the owner's texts.
fn say(
    parts: &Parts<'_>,
    sink: &mut Sink<'_>,
    id: &str,
    (rule, reason): (&str, Reason),
) -> Result<End, Stopped> {
    sink.confidence = 1.0;
    sink.frame(&parts.templates.say(id))?;
    Ok(End::Decided { decision: decide(Action::Send, rule, reason), say: None })
}

fn decide(action: Action, rule: &str, reason: Reason) -> Decision {
    Decision { action, rule: rule.into(), reason }
}

fn calibration() -> Calibration {
    SHIPPED
}

fn embed(model: &dyn Model, text: &str) -> Result<Vec<f32>, Stopped> {
    let mut vectors = model.embed(&[text])?;
    vectors.pop().ok_or_else(|| Stopped::Fault("the encoder gave no vector".into()))
}
