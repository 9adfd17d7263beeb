//! The one verb: from a turn to a draft, a confidence and a decision.

use std::ops::ControlFlow;

use crate::confidence::{Confidence, Signals};
use crate::draft::{Draft, Mode, Piece};
use crate::finding::{self, Found};
use crate::hours::Availability;
use crate::intent::Reading;
use crate::model::Model;
use crate::policy::{Autonomy, Bands};
use crate::rules::{Action, Decision, Heard, Reason, Rule};
use crate::scope::{Scope, primary};
use crate::screening::screen;
use crate::search::{Hit, Search};
use crate::sink::{Sink, Stopped};
use crate::tasks::{Left, Scene};
use crate::turn::{Speaker, Turn};
use crate::wording::Guardrail;
use crate::{clarify, compose, frustration, language, quote, text, tickets};

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
    /// How annoyed the message sounds, 0 to 1.
    pub frustration: f32,
    /// Confidence in the draft, or in there being an answer.
    pub confidence: Confidence,
    /// Confidence from which a draft was to be sent, and from which it was to be held, 0 to 1.
    pub bands: (f32, f32),
    /// What is left of a task; `None` when none was on, or when it waits as before.
    pub left: Option<Left>,
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
    make(parts, turn, on_event, false)
}

/// Makes a suggestion for the person who holds the conversation: as [`reply`] does, but no rule, cap or intent keeps it from being
/// drafted, and the visitor is asked nothing.
pub fn suggest(
    parts: &Parts<'_>,
    turn: &Turn,
    on_event: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
) -> Outcome {
    make(parts, turn, on_event, true)
}

fn make(
    parts: &Parts<'_>,
    turn: &Turn,
    on_event: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    for_person: bool,
) -> Outcome {
    let language = language::of_visitor(turn);
    let spoken = language.map(|code| parts.templates.spoken_in(code));
    let parts = &Parts { templates: spoken.as_ref().unwrap_or(parts.templates), ..*parts };
    let mut sink = Sink::new(on_event);
    let mut progress = Progress { mode: parts.mode, for_person, language, ..Progress::default() };
    let end = run(parts, turn, &mut sink, &mut progress);
    let again = progress.again.take();
    let guarded = sink.guarded();
    let draft = sink.into_draft();
    let mut outcome = match end {
        Ok(End::Decided { decision, say }) => progress.outcome(parts, decision, say),
        Ok(End::Drafted { unsupported }) => settle(parts, progress, (&draft, guarded), unsupported),
        Err(Stopped::Guarded) => {
            let rule = guarded.map_or("guardrail", |guardrail| &guardrail.id);
            let decision = decide(Action::HandOff, rule, Reason::Guardrail);
            progress.outcome(parts, decision, Some(parts.templates.say("person_answers")))
        }
        Err(Stopped::Cancelled) => {
            let decision = decide(Action::HandOff, "cancelled", Reason::LowConfidence);
            Outcome { cancelled: true, ..progress.outcome(parts, decision, None) }
        }
        Err(Stopped::Fault(error)) => {
            let decision = decide(Action::HandOff, "fault", Reason::Fault);
            let say = Some(parts.templates.say("fault"));
            Outcome { fault: Some(error), ..progress.outcome(parts, decision, say) }
        }
    };
    outcome.draft = Some(draft).filter(|d| !d.pieces.is_empty());
    if !for_person && !outcome.cancelled {
        outcome = after_hours(parts, turn, outcome);
    }
    if let Some(again) = again {
        ask_again(&mut outcome, again);
    }
    outcome
}

/// While nobody is there, what a person would be asked for becomes a ticket, unless it cannot wait.
fn after_hours(parts: &Parts<'_>, turn: &Turn, outcome: Outcome) -> Outcome {
    if outcome.decision.action == Action::Send || turn.standing.hours == Availability::Open {
        return outcome;
    }
    let (reading, frustration) = (&outcome.reading, outcome.frustration);
    let heard = Heard { text: &turn.question, reading, frustration };
    let Some(step) = tickets::begin(Scene { parts, turn, heard: &heard }) else { return outcome };
    let piece = Piece { text: step.text(), cite: None };
    // What a task has brought about before it asked for a person is kept.
    let mut effects = outcome.left.map(|left| left.effects).unwrap_or_default();
    effects.extend(step.effects);
    Outcome {
        decision: decide(Action::Send, &step.rule, Reason::AfterHours),
        draft: Some(Draft { pieces: vec![piece], citations: vec![] }),
        say: None,
        left: Some(Left { card: step.card, task: step.task, effects }),
        ..outcome
    }
}

/// After the answer to something else, what the task waits for is asked again.
fn ask_again(outcome: &mut Outcome, (text, left): (String, Left)) {
    let answered = outcome.decision.action == Action::Send
        && outcome.decision.reason != Reason::Competing
        && outcome.left.is_none();
    if let Some(draft) = outcome.draft.as_mut().filter(|_| answered) {
        // A task that is let go says nothing.
        if !text.is_empty() {
            draft.pieces.push(Piece { text: format!("\n\n{text}"), cite: None });
        }
        outcome.left = Some(left);
    }
}

/// What is known while a reply is made.
pub(crate) struct Progress {
    mode: Mode,
    /// A person holds the conversation and gets what is drafted.
    for_person: bool,
    /// The language that the visitor writes, once that is sure.
    language: Option<&'static str>,
    pub(crate) reading: Reading,
    pub(crate) frustration: f32,
    signals: Signals,
    /// The rule that keeps the draft from the visitor.
    pub(crate) held: Option<Rule>,
    /// The passage or intent that the visitor chose when asked which is meant.
    choice: Option<String>,
    /// What is left of a task.
    pub(crate) left: Option<Left>,
    /// What a task waits for, when the message is about something else.
    pub(crate) again: Option<(String, Left)>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            mode: Mode::Quote,
            for_person: false,
            language: None,
            reading: Reading::default(),
            frustration: 0.0,
            signals: Signals::default(),
            held: None,
            choice: None,
            left: None,
            again: None,
        }
    }
}

impl Progress {
    fn bands<'a>(&self, parts: &Parts<'a>) -> Bands<'a> {
        parts.policy.bands(&self.reading, parts.tuned.send_at)
    }

    fn outcome(self, parts: &Parts<'_>, decision: Decision, say: Option<String>) -> Outcome {
        let bands = self.bands(parts);
        Outcome {
            decision,
            draft: None,
            mode: self.mode,
            say,
            frustration: self.frustration,
            bands: (bands.send_at, bands.hold_at),
            reading: self.reading,
            confidence: parts.tuned.calibration.confidence(self.signals),
            left: self.left,
            cancelled: false,
            fault: None,
        }
    }
}

/// How `run` ended when nothing broke.
pub(crate) enum End {
    /// It was decided without a draft from the documents.
    Decided { decision: Decision, say: Option<String> },
    /// A draft stands in the sink.
    Drafted { unsupported: bool },
}

fn run<'a>(
    parts: &Parts<'a>,
    turn: &Turn,
    sink: &mut Sink<'a>,
    progress: &mut Progress,
) -> Result<End, Stopped> {
    // An answer to what a task asks need have no words that can be looked up, nor be in a language.
    let answers = turn.standing.task.is_some() && !progress.for_person;
    if text::words(&turn.question).is_empty() && !answers {
        return say(parts, sink, "unclear", ("unreadable", Reason::Unreadable));
    }
    if let Some(end) = foreign(parts, progress).filter(|_| !answers) {
        return Ok(end);
    }
    let scope = spoken_scope(parts.search, &turn.scope, progress.language);
    let question = newest_words(&text::asked(&turn.question));
    let newest = Turn { question, scope, ..turn.clone() };
    let meant = match clarify::resolved(parts.templates, &newest) {
        Some((meant, choice)) => {
            progress.choice = Some(choice);
            meant
        }
        None => newest,
    };
    let spelled = |word: &str| parts.search.spelled(word);
    let meant = match parts.intents.mended(&meant.question, parts.model, &spelled) {
        Some(question) => Turn { question, ..meant },
        None => meant,
    };
    let question = embed(parts.model, &meant.question)?;
    progress.reading = parts.intents.read(&meant.question, &question);
    progress.frustration = frustration::score(turn, &parts.model.card().encoder, &question);
    begun(parts, turn, progress);
    sink.emit(Event::Read(&progress.reading))?;
    if !progress.for_person
        && let Some(end) = screen(parts, turn, sink, progress)?
    {
        return Ok(end);
    }
    if let Some(end) = foreign(parts, progress).filter(|_| answers) {
        return Ok(end);
    }
    if text::words(&meant.question).is_empty() {
        return say(parts, sink, "unclear", ("unreadable", Reason::Unreadable));
    }
    let Found { mut hits, question } =
        finding::find((parts.model, parts.search), &meant, question, HITS)?;
    if let Some(choice) = &progress.choice {
        hits = clarify::chosen_first(hits, choice);
    }
    progress.signals = Signals::of_hits(&hits);
    sink.emit(Event::Found(&hits))?;
    if hits.first().is_none_or(|hit| hit.nearness() < parts.policy.passage_floor) {
        return Ok(nothing_found(parts, progress));
    }
    draft(parts, &meant, (&question, &hits), sink, progress)
}

/// A message that begins a flow is about what the owner says the flow is about.
fn begun(parts: &Parts<'_>, turn: &Turn, progress: &mut Progress) {
    let (reading, frustration) = (&progress.reading, progress.frustration);
    let heard = Heard { text: &turn.question, reading, frustration };
    let tag = parts.books.flows.starts(&heard).and_then(|flow| flow.tag.as_deref());
    let intent = parts.intents.intents().iter().find(|(id, _)| Some(id.as_str()) == tag);
    if let Some((id, label)) = intent {
        progress.reading.lead_with(id, label);
    }
}

/// A message in a language that no document is in goes to a person: what the rules and the encoder know is another language.
fn foreign(parts: &Parts<'_>, progress: &Progress) -> Option<End> {
    let code = progress.language.filter(|code| !parts.search.speaks(code))?;
    if progress.for_person {
        return None;
    }
    let own = parts.templates.say("other_language");
    let say = if own.is_empty() { parts.templates.say("hand_off") } else { own };
    let rule = format!("language:{code}");
    let decision = decide(Action::HandOff, &rule, Reason::OtherLanguage);
    Some(End::Decided { decision, say: Some(say) })
}

/// The turn's scope in the visitor's language, which comes before that of the page; one that no document is in is left open.
fn spoken_scope(search: &dyn Search, scope: &Scope, language: Option<&str>) -> Scope {
    let language = language.unwrap_or(&scope.language);
    let known = !language.is_empty() && search.speaks(primary(language));
    Scope { language: if known { language.into() } else { String::new() }, ..scope.clone() }
}

/// The end of a long question: what was written last is what is asked.
fn newest_words(question: &str) -> String {
    let skipped = question.chars().count().saturating_sub(QUESTION_CHARS);
    question.chars().skip(skipped).collect()
}

/// Drafts in the wanted mode; free text whose first sentence is unsupported falls back to quoting.
fn draft<'a>(
    parts: &Parts<'a>,
    turn: &Turn,
    (question, hits): (&[f32], &[Hit]),
    sink: &mut Sink<'a>,
    progress: &mut Progress,
) -> Result<End, Stopped> {
    let candidates = quote::candidates(parts.model, question, hits)?;
    progress.signals.sentence = candidates.best_cosine;
    progress.signals.support = 1.0;
    let confidence = parts.tuned.calibration.confidence(progress.signals);
    let bands = progress.bands(parts);
    let held = progress.for_person || progress.held.is_some() || bands.autonomy != Autonomy::Auto;
    if !held
        && bands.after(&confidence).action == Action::Hold
        && may_ask(parts, turn, progress)
        && let Some(options) = clarify::competing(&turn.question, hits)
    {
        return ask(parts, sink, &options);
    }
    (sink.confidence, sink.sure) = (confidence.value, confidence.value >= bands.send_at);
    sink.emit(Event::Started { mode: progress.mode, held })?;
    if !progress.for_person {
        word(parts, turn, sink);
    }
    let mut unsupported = false;
    if progress.mode == Mode::Compose {
        unsupported = compose::draft(parts, turn, hits, sink)?.is_some();
        if sink.is_empty() {
            progress.mode = Mode::Quote;
            sink.emit(Event::Started { mode: Mode::Quote, held })?;
        }
    }
    if sink.is_empty() {
        quote::draft(parts, turn, hits, &candidates, sink)?;
        unsupported &= sink.is_empty();
    }
    if !progress.for_person
        && !sink.is_empty()
        && !unsupported
        && !parts.policy.style.closing.is_empty()
    {
        sink.frame(&format!("\n{}", parts.policy.style.closing))?;
    }
    Ok(End::Drafted { unsupported })
}

/// What the owner wants around a reply and out of it.
fn word<'a>(parts: &Parts<'a>, turn: &Turn, sink: &mut Sink<'a>) {
    sink.guard(&parts.policy.guardrail);
    if turn.history.iter().all(|message| message.speaker != Speaker::Bot) {
        sink.greeting.clone_from(&parts.policy.style.greeting);
    }
}

/// The decision over a finished draft.
fn settle(
    parts: &Parts<'_>,
    progress: Progress,
    (draft, guarded): (&Draft, Option<&Guardrail>),
    unsupported: bool,
) -> Outcome {
    let bands = progress.bands(parts);
    let mut decision = bands.after(&parts.tuned.calibration.confidence(progress.signals));
    if draft.pieces.is_empty() {
        let reason = if unsupported { Reason::Unsupported } else { Reason::NoPassage };
        decision = decide(Action::HandOff, "no-draft", reason);
    } else if let Some(rule) = &progress.held {
        decision = decide(Action::Hold, &rule.id, rule.reason);
    } else if let Some(guardrail) = guarded.filter(|_| decision.action != Action::HandOff) {
        decision = decide(guardrail.action.into(), &guardrail.id, Reason::Guardrail);
    }
    let hold = progress.held.as_ref().map_or("hold", Rule::say_id);
    let say = match decision.action {
        Action::Send => None,
        Action::Hold => Some(parts.templates.say(hold)),
        Action::HandOff => Some(parts.templates.say("hand_off")),
    };
    progress.outcome(parts, decision, say)
}

/// Nothing in the documents is near: a person is asked for.
fn nothing_found(parts: &Parts<'_>, progress: &Progress) -> End {
    let (rule, reason) = match progress.reading.tags.is_empty() {
        true => ("off-topic", Reason::OffTopic),
        false => ("no-passage", Reason::NoPassage),
    };
    let decision = decide(Action::HandOff, rule, reason);
    End::Decided { decision, say: Some(parts.templates.say("hand_off")) }
}

/// Whether the visitor may be asked which is meant: never twice in a row.
fn may_ask(parts: &Parts<'_>, turn: &Turn, progress: &Progress) -> bool {
    !progress.for_person
        && progress.choice.is_none()
        && !clarify::has_just_asked(parts.templates, turn)
}

/// Asks which of two is meant.
fn ask(parts: &Parts<'_>, sink: &mut Sink<'_>, options: &clarify::Options) -> Result<End, Stopped> {
    (sink.confidence, sink.sure) = (1.0, true);
    sink.frame(&clarify::ask(parts.templates, options))?;
    Ok(End::Decided { decision: decide(Action::Send, "clarify", Reason::Competing), say: None })
}

/// Answers with one of the owner's texts.
pub(crate) fn say(
    parts: &Parts<'_>,
    sink: &mut Sink<'_>,
    id: &str,
    (rule, reason): (&str, Reason),
) -> Result<End, Stopped> {
    (sink.confidence, sink.sure) = (1.0, true);
    sink.frame(&parts.templates.say(id))?;
    Ok(End::Decided { decision: decide(Action::Send, rule, reason), say: None })
}

pub(crate) fn decide(action: Action, rule: &str, reason: Reason) -> Decision {
    Decision { action, rule: rule.into(), reason }
}

fn embed(model: &dyn Model, text: &str) -> Result<Vec<f32>, Stopped> {
    let mut vectors = model.embed(&[text])?;
    vectors.pop().ok_or_else(|| Stopped::Fault("the encoder gave no vector".into()))
}
