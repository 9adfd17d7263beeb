//! Shows a draft while it is made: everything to the owner, to the visitor what the policy allows.

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::draft::Piece;
use engine::reply::Event;

use crate::app::App;
use crate::config::Stream;
use crate::hub::Item;
use crate::knowledge::Edition;
use crate::prompts::Prompts;
use crate::protocol::record::Citation;
use crate::protocol::server::{Draft, Frame, Phase, Preamble};
use crate::store::jobs::Job;

use super::cite;

/// How long "the bot types" holds without a renewal.
const TYPING_MS: u32 = 10_000;
/// How long a visitor sees no text before a line says that it is being looked up.
const PREAMBLE_MS: u32 = 1_000;

/// One draft's way to the screens.
#[derive(Debug)]
pub(super) struct Show {
    /// The documents that it cites.
    edition: Arc<Edition>,
    conversation: String,
    draft_id: String,
    /// Whether the visitor may see it at all.
    visible: bool,
    /// Whether the visitor sees single tokens; with guardrails only whole sentences, as what one keeps back must not have
    /// been seen.
    tokens: bool,
    /// Whether the visitor has seen any of it.
    shown: bool,
    started: bool,
    citations: Vec<Citation>,
    stages: BTreeMap<String, i64>,
}

impl Show {
    /// Begins a reply in the visitor's `language`.
    pub(super) fn new(
        app: &App,
        (job, edition): (&Job, &Arc<Edition>),
        (visible, language): (bool, &str),
        prompts: &Prompts,
    ) -> Self {
        let show = Self {
            edition: Arc::clone(edition),
            conversation: job.conversation.clone(),
            draft_id: job.id.clone(),
            visible,
            tokens: app.mind.stream == Stream::Tokens && prompts.policy.guardrail.is_empty(),
            shown: false,
            started: false,
            citations: Vec::new(),
            stages: BTreeMap::new(),
        };
        let looking = prompts.templates.say_in(language, "looking");
        let preamble = Preamble { text: looking, after_ms: PREAMBLE_MS };
        show.typing(app, true, Some(preamble).filter(|line| !line.text.is_empty()));
        show
    }

    fn typing(&self, app: &App, on: bool, status: Option<Preamble>) {
        if self.visible {
            let (from, expires_ms) = ("bot", TYPING_MS);
            let frame = Frame::Typing { conversation: None, from, on, expires_ms, status };
            app.hub.to_visitor(&self.conversation, &Item::Fleeting(frame.text()));
        }
    }

    /// Passes one event on.
    pub(super) fn event(&mut self, app: &App, event: Event<'_>) {
        match event {
            Event::Read(_) => self.stage(app, "read"),
            Event::Found(_) => self.stage(app, "search"),
            Event::Started { held, .. } => {
                self.visible &= !held;
                self.start(app);
            }
            Event::Token("") => {}
            Event::Token(text) => self.token(app, text),
            Event::Piece { piece, citations, confidence, sure } => {
                self.stage(app, "first_piece");
                self.piece(app, piece, (citations, confidence, sure));
            }
            Event::Unsupported(_) => self.stage(app, "unsupported"),
        }
    }

    /// Notes when a stage was reached first.
    fn stage(&mut self, app: &App, name: &str) {
        let now = app.clock.now_ms();
        self.stages.entry(name.into()).or_insert(now);
    }

    fn start(&mut self, app: &App) {
        self.started = true;
        self.citations.clear();
        app.desk.update(&self.conversation, |live| {
            live.pieces.clear();
            live.citations.clear();
            live.tail.clear();
        });
        let frame = self.frame(Phase::Start);
        self.to_owner(app, frame.clone());
        if self.visible && app.mind.stream != Stream::Decided {
            self.to_visitor(app, frame);
        }
    }

    fn token(&mut self, app: &App, text: &str) {
        app.desk.update(&self.conversation, |live| live.tail.push_str(text));
        let frame = Draft { token: Some(text.into()), ..self.frame(Phase::Token) };
        self.to_owner(app, frame.clone());
        if self.visible && self.tokens {
            self.shown = true;
            self.to_visitor(app, frame);
        }
    }

    fn piece(
        &mut self,
        app: &App,
        piece: &Piece,
        (cited, confidence, sure): (&[engine::draft::Citation], f32, bool),
    ) {
        if !self.started {
            self.start(app);
        }
        let citations = cite::citations(self.edition.index(), cited);
        let fresh: Vec<Citation> =
            citations.iter().filter(|c| !self.citations.contains(c)).cloned().collect();
        app.desk.update(&self.conversation, |live| {
            live.pieces.push(piece.clone());
            live.tail.clear();
            live.citations.clone_from(&citations);
            live.confidence = confidence;
        });
        self.citations = citations;
        let frame =
            Draft { piece: Some(piece.clone()), citations: fresh, ..self.frame(Phase::Piece) };
        self.to_owner(app, Draft { confidence: Some(confidence), ..frame.clone() });
        // A visitor sees no text that the decision is about to take away.
        if self.visible && app.mind.stream != Stream::Decided && sure {
            self.shown = true;
            self.to_visitor(app, frame);
        }
    }

    /// Ends what is on the screens when no message does it.
    pub(super) fn withdraw(&self, app: &App) {
        let frame = self.frame(Phase::Stop);
        if self.started {
            self.to_owner(app, frame.clone());
        }
        if self.shown || (self.visible && self.started) {
            let frame = Frame::Draft(Box::new(frame));
            app.hub.to_visitor(&self.conversation, &Item::Durable(frame.text()));
        }
        self.typing(app, false, None);
    }

    /// The citations of what was drafted.
    pub(super) fn citations(&self) -> &[Citation] {
        &self.citations
    }

    /// Milliseconds from `began` to each stage.
    pub(super) fn timings(&self, began: i64) -> BTreeMap<String, i64> {
        self.stages.iter().map(|(name, at)| (name.clone(), at - began)).collect()
    }

    fn frame(&self, phase: Phase) -> Draft {
        Draft {
            conversation: None,
            draft_id: self.draft_id.clone(),
            phase,
            piece: None,
            token: None,
            citations: vec![],
            confidence: None,
        }
    }

    fn to_owner(&self, app: &App, draft: Draft) {
        let draft = Draft { conversation: Some(self.conversation.clone()), ..draft };
        let item = if draft.phase == Phase::Stop { Item::Durable } else { Item::Fleeting };
        let frame = Frame::Draft(Box::new(draft));
        app.hub.to_watchers(&self.conversation, &item(frame.text()));
    }

    fn to_visitor(&self, app: &App, draft: Draft) {
        app.desk.unless_stopped(&self.conversation, || {
            let frame = Frame::Draft(Box::new(draft));
            app.hub.to_visitor(&self.conversation, &Item::Fleeting(frame.text()));
        });
    }
}
