//! Collects a draft while it is made and reports what happens on the way.

use std::ops::{ControlFlow, Range};

use crate::draft::{Citation, Draft, Mode, Piece};
use crate::finding::FindError;
use crate::intent::Reading;
use crate::model::ModelError;
use crate::search::{Hit, Passage};
use crate::wording::{GuardAction, Guardrail};

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
        /// Whether that is enough to show the piece before the decision.
        sure: bool,
    },
    /// A sentence that no passage supports; free text ends here.
    Unsupported(&'a str),
}

/// Why a reply ended early.
pub(crate) enum Stopped {
    /// The caller said so.
    Cancelled,
    /// A guardrail ends the draft before a sentence.
    Guarded,
    /// A model or the index failed.
    Fault(String),
}

impl From<ModelError> for Stopped {
    fn from(error: ModelError) -> Self {
        Self::Fault(error.to_string())
    }
}

impl From<FindError> for Stopped {
    fn from(error: FindError) -> Self {
        Self::Fault(error.to_string())
    }
}

/// Collects the draft and reports it as it grows.
pub(crate) struct Sink<'a> {
    on_event: &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    draft: Draft,
    /// What no sentence may say to the visitor.
    guardrails: &'a [Guardrail],
    /// The guardrail that one has said.
    guarded: Option<&'a Guardrail>,
    /// Stands before the first sentence, once there is one.
    pub(crate) greeting: String,
    /// Confidence that the next pieces are reported with.
    pub(crate) confidence: f32,
    /// Whether that is enough to show them before the decision.
    pub(crate) sure: bool,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(on_event: &'a mut dyn FnMut(Event<'_>) -> ControlFlow<()>) -> Self {
        Self {
            on_event,
            draft: Draft::default(),
            guardrails: &[],
            guarded: None,
            greeting: String::new(),
            confidence: 0.0,
            sure: false,
        }
    }

    /// Holds the sentences from the documents against these from now on.
    pub(crate) fn guard(&mut self, guardrails: &'a [Guardrail]) {
        self.guardrails = guardrails;
    }

    /// The guardrail that a sentence has said.
    pub(crate) fn guarded(&self) -> Option<&'a Guardrail> {
        self.guarded
    }

    pub(crate) fn emit(&mut self, event: Event<'_>) -> Result<(), Stopped> {
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
        self.check_guardrails(&text)?;
        let text = self.greeted(text)?;
        let number = self.cite(passage, span);
        self.push(Piece { text, cite: Some(number) })
    }

    /// A sentence as it stands in the draft: on a line of its own when the greeting comes before it.
    fn greeted(&mut self, sentence: String) -> Result<String, Stopped> {
        if self.greeting.is_empty() {
            return Ok(sentence);
        }
        let text = std::mem::take(&mut self.greeting);
        self.push(Piece { text, cite: None })?;
        Ok(format!("\n{}", sentence.trim_start()))
    }

    /// From a guarded sentence on, the visitor is shown nothing of the draft.
    fn check_guardrails(&mut self, sentence: &str) -> Result<(), Stopped> {
        let Some(guardrail) = self.guardrails.iter().find(|g| g.stops(sentence)) else {
            return Ok(());
        };
        self.guarded.get_or_insert(guardrail);
        self.sure = false;
        match guardrail.action {
            GuardAction::Hold => Ok(()),
            GuardAction::HandOff => Err(Stopped::Guarded),
        }
    }

    /// A sentence around the answer.
    pub(crate) fn frame(&mut self, text: &str) -> Result<(), Stopped> {
        if text.is_empty() {
            return Ok(());
        }
        let text = self.greeted(text.into())?;
        self.token(&text)?;
        self.push(Piece { text, cite: None })
    }

    /// A sentence that nothing supports.
    pub(crate) fn unsupported(&mut self, sentence: &str) -> Result<(), Stopped> {
        self.emit(Event::Unsupported(sentence))
    }

    fn push(&mut self, piece: Piece) -> Result<(), Stopped> {
        self.draft.pieces.push(piece);
        let Some(piece) = self.draft.pieces.last() else { return Ok(()) };
        let (confidence, sure) = (self.confidence, self.sure);
        let event = Event::Piece { piece, citations: &self.draft.citations, confidence, sure };
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

    pub(crate) fn into_draft(self) -> Draft {
        self.draft
    }
}
