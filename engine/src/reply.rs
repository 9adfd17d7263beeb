//! The one verb: from a turn to a draft, a confidence and a decision.

use std::ops::{ControlFlow, Range};

use crate::confidence::{Calibration, Confidence, SHIPPED, Signals};
use crate::draft::{Citation, Draft, Mode, Piece};
use crate::intent::{IntentBook, Reading};
use crate::model::{Model, ModelError};
use crate::prompt::{self, Templates};
use crate::rules::{Action, Decision, Policy, Reason, Rule, RuleAction};
use crate::search::{Hit, Passage, Query, Search, SearchError};
use crate::turn::Turn;
use crate::{compose, quote, text};

/// Passages that are looked at for one reply.
const HITS: usize = 10;
/// Characters at the end of a question that are searched for; rules read all of it.
const QUESTION_CHARS: usize = 2_000;

/// All that a reply is made from.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// The owner's documents.
    pub search: &'a dyn Search,
    /// Encoder and drafter.
    pub model: &'a dyn Model,
    /// The owner's intents.
    pub intents: &'a IntentBook,
    /// The owner's policy.
    pub policy: &'a Policy,
    /// The texts around answers.
    pub templates: &'a Templates,
    /// How to draft.
    pub mode: Mode,
}

/// What happens on the way, in this order; `Token` and `Piece` repeat.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The message was read.
    Read(&'a Reading),
    /// Passages were found.
    Found(&'a [Hit]),
    /// Drafting starts.
    Started {
        /// How the draft is made.
        mode: Mode,
        /// Whether a rule keeps this draft from the visitor already.
        held: bool,
    },
    /// A token of a sentence that is not checked yet. Owners may see it at once.
    Token(&'a str),
    /// A sentence was checked and may be shown to the visitor.
    Piece {
        /// The sentence with the white space before it.
        piece: &'a Piece,
        /// All citations so far; `piece.cite` counts into it from 1.
        citations: &'a [Citation],
        /// Confidence with this piece.
        confidence: f32,
    },
    /// A sentence that no passage supports; free text ends here.
    Unsupported(&'a str),
}

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
    if text::words(&turn.question).is_empty() {
        return say(parts, sink, "unclear", ("unreadable", Reason::Unreadable));
    }
    let question = embed(parts.model, &turn.question)?;
    progress.reading = parts.intents.read(&question);
    sink.emit(Event::Read(&progress.reading))?;
    if let Some(end) = before_search(parts, whole, sink, progress)? {
        return Ok(end);
    }
    let wanted = prompt::search_text(turn);
    let question = if wanted == turn.question { question } else { embed(parts.model, &wanted)? };
    let query = Query { text: &wanted, embedding: &question, limit: HITS };
    let hits = parts.search.search(&query)?;
    progress.signals = Signals::of_hits(&hits);
    sink.emit(Event::Found(&hits))?;
    if hits.is_empty() || progress.signals.cosine < parts.policy.passage_floor {
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
    if let Some(rule) = parts.policy.before(turn, &progress.reading) {
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
    if turn.bot_turns >= parts.policy.turn_cap {
        let decision = decide(Action::HandOff, "turn-cap", Reason::TurnCap);
        return Ok(Some(End::Decided { decision, say: Some(parts.templates.say("hand_off")) }));
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

/// Why a reply ended early.
pub(crate) enum Stopped {
    /// The caller said so.
    Cancelled,
    /// A model or the index failed.
    Fault(String),
}

impl From<ModelError> for Stopped {
    fn from(error: ModelError) -> Self {
        Self::Fault(error.to_string())
    }
}

impl From<SearchError> for Stopped {
    fn from(error: SearchError) -> Self {
        Self::Fault(error.to_string())
    }
}

/// Collects the draft and reports it as it grows.
pub(crate) struct Sink<'a> {
    on_event: &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    draft: Draft,
    confidence: f32,
}

impl<'a> Sink<'a> {
    fn new(on_event: &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>) -> Self {
        Self { on_event, draft: Draft::default(), confidence: 0.0 }
    }

    fn emit(&mut self, event: Event<'_>) -> Result<(), Stopped> {
        match (self.on_event)(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stopped::Cancelled),
        }
    }

    /// Asks whether to go on before something slow.
    pub(crate) fn check(&mut self) -> Result<(), Stopped> {
        self.emit(Event::Token(""))
    }

    /// Whether nothing was written yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.draft.pieces.is_empty()
    }

    /// The text so far.
    pub(crate) fn text(&self) -> String {
        self.draft.text()
    }

    /// Its length in characters.
    pub(crate) fn text_chars(&self) -> usize {
        self.draft.pieces.iter().map(|piece| piece.text.chars().count()).sum()
    }

    /// A token of a sentence on its way.
    pub(crate) fn token(&mut self, text: &str) -> Result<(), Stopped> {
        self.emit(Event::Token(text))
    }

    /// A sentence that `span` of `passage` supports.
    pub(crate) fn piece(
        &mut self,
        text: String,
        passage: &Passage,
        span: Range<usize>,
    ) -> Result<(), Stopped> {
        let number = self.cite(passage, span);
        self.push(Piece { text, cite: Some(number) })
    }

    /// A sentence around the answer.
    pub(crate) fn frame(&mut self, text: &str) -> Result<(), Stopped> {
        if text.is_empty() {
            return Ok(());
        }
        self.token(text)?;
        self.push(Piece { text: text.into(), cite: None })
    }

    /// A sentence that nothing supports.
    pub(crate) fn unsupported(&mut self, sentence: &str) -> Result<(), Stopped> {
        self.emit(Event::Unsupported(sentence))
    }

    fn push(&mut self, piece: Piece) -> Result<(), Stopped> {
        self.draft.pieces.push(piece);
        let Some(piece) = self.draft.pieces.last() else { return Ok(()) };
        let event =
            Event::Piece { piece, citations: &self.draft.citations, confidence: self.confidence };
        match (self.on_event)(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stopped::Cancelled),
        }
    }

    /// The number of the passage's citation, widened to hold `span`; a new one when it is cited first.
    fn cite(&mut self, passage: &Passage, span: Range<usize>) -> usize {
        let same = |c: &Citation| c.doc == passage.doc && c.passage == passage.span;
        if let Some(index) = self.draft.citations.iter().position(same) {
            let cited = &mut self.draft.citations[index].span;
            *cited = cited.start.min(span.start)..cited.end.max(span.end);
            return index + 1;
        }
        self.draft.citations.push(Citation {
            doc: passage.doc.clone(),
            title: passage.title.clone(),
            heading: passage.heading.clone(),
            passage: passage.span.clone(),
            span,
        });
        self.draft.citations.len()
    }

    fn into_draft(self) -> Draft {
        self.draft
    }
}
