//! The visitor's side of a talk: hello, messages, how far they have read, typing, asking for a person.

mod surveys;
mod visits;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State as Shared};
use axum::response::{IntoResponse, Response};
use engine::conversation::State;
use engine::metrics::event::Visit;
use engine::scope::Scope;

use crate::accept::Seat;
use crate::actions::codes;
use crate::app::{App, Peer};
use crate::clock::{fingerprint, is_hex};
use crate::conversation::{self, Mark, Refusal, Visitor};
use crate::error::ApiError;
use crate::events::convert::{self, Teller};
use crate::events::visits::Opening;
use crate::hub::{Item, LINGER, Lane, Name};
use crate::limits::Place;
use crate::protocol::client::VisitorFrame;
use crate::protocol::record::Asked;
use crate::protocol::server::{Frame, SiteName, VisitorWelcome, Welcome};
use crate::protocol::{MAX_TEXT, VERSION};
use crate::store::StoreError;
use crate::store::conversations::Conversation;
use crate::surveys::{Answer, shown};
use crate::{publish, quiet, tasks};

use super::show::Page;
use super::wire::Wire;
use super::{Complaint, Talk, limited, run, spawn};

/// Seconds after which an address with too many connections may try again.
const RETRY_S: u64 = 10;
/// Hex digits of a history's name.
const EPOCH: usize = 32;
/// Ids of unsent messages that a hello may name.
const MAX_OUTBOX: usize = 100;
/// How long "the visitor types" holds without a renewal.
const TYPING_MS: u32 = 6_000;

/// `GET /widget/ws`.
pub async fn open(
    Shared(app): Shared<Arc<App>>,
    seat: Option<Extension<Seat>>,
    peer: Option<Extension<Peer>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let seat = seat.map(|Extension(seat)| seat);
    let peer = peer.map(|Extension(peer)| peer);
    let talk = match VisitorTalk::new(&app, (seat.as_ref(), peer)) {
        Ok(talk) => talk,
        Err(refused) => return refused.into_response(),
    };
    limited(upgrade).on_upgrade(move |socket| async move {
        let wire = Wire::Socket(Box::new(socket));
        spawn(&Arc::clone(&app), run(app, (wire, seat), Talk::Visitor(talk)));
    })
}

/// One visitor's side of the protocol.
pub(super) struct VisitorTalk {
    app: Arc<App>,
    pub(super) lane: Lane,
    pub(super) page: Page,
    visitor: Option<Visitor>,
    peer: Option<Peer>,
    /// Counts it among the talks of its address.
    _place: Option<Place>,
}

/// What a hello says of what the client has.
struct Has {
    token: Option<String>,
    conversation: Option<String>,
    epoch: Option<String>,
    last_seq: i64,
    outbox: Vec<String>,
}

impl VisitorTalk {
    /// A talk that has not begun.
    ///
    /// # Errors
    /// When its address has too many open, or the server has hardly any connection left.
    pub(super) fn new(
        app: &Arc<App>,
        (seat, peer): (Option<&Seat>, Option<Peer>),
    ) -> Result<Self, ApiError> {
        if seat.is_some_and(Seat::is_scarce) {
            return Err(ApiError::too_many(RETRY_S));
        }
        let place = match peer {
            Some(Peer(address)) => {
                Some(app.limits.talk(address).ok_or_else(|| ApiError::too_many(RETRY_S))?)
            }
            None => None,
        };
        let (lane, page) = (Lane::default(), Page::default());
        Ok(Self { app: Arc::clone(app), lane, page, visitor: None, peer, _place: place })
    }

    /// Whether the hello has come.
    pub(super) fn greeted(&self) -> bool {
        self.visitor.is_some()
    }

    /// Handles one text frame; frames to answer at once are put into `out`.
    pub(super) async fn frame(
        &mut self,
        text: &str,
        out: &mut Vec<Frame>,
    ) -> Result<(), Complaint> {
        let frame: VisitorFrame = serde_json::from_str(text).map_err(|error| {
            Complaint::mild("bad_frame", format!("The frame was not understood: {error}."))
        })?;
        failpoint!("K2");
        if let VisitorFrame::Hello { v, token, conversation, epoch, last_seq, outbox, scope } =
            frame
        {
            scope.check().map_err(|error| {
                Complaint::fatal("bad_scope", format!("The page's scope was refused: {error}."))
            })?;
            speaks(v)?;
            self.again()?;
            return self
                .hello(Has { token, conversation, epoch, last_seq, outbox }, scope, out)
                .await;
        }
        let first = || Complaint::fatal("hello_first", "The first frame must be hello.");
        let visitor = self.visitor.clone().ok_or_else(first)?;
        match frame {
            VisitorFrame::Hello { .. } => Ok(()),
            VisitorFrame::Ping {} => {
                out.push(Frame::Pong {});
                Ok(())
            }
            VisitorFrame::Send { client_msg_id, text } => {
                let sent = self.send(&visitor, &client_msg_id, &text, out).await;
                sent.map_err(|complaint| complaint.about(&client_msg_id))
            }
            VisitorFrame::Typing { on } => {
                self.typing(&visitor, on).await;
                Ok(())
            }
            VisitorFrame::Delivered { seq } => self.mark(&visitor, Mark::Delivered, seq).await,
            VisitorFrame::Read { seq } => self.mark(&visitor, Mark::VisitorRead, seq).await,
            VisitorFrame::AskPerson {} => {
                self.paced(&visitor)?;
                let changes =
                    conversation::ask_person(&self.app, &visitor).await.map_err(complaint)?;
                self.begin(&changes.conversation.id);
                publish::changes(&self.app, changes);
                Ok(())
            }
            VisitorFrame::Confirm { request, yes } => {
                self.paced(&visitor)?;
                let changes = tasks::confirm(&self.app, &visitor, &request, yes).await;
                self.tell(changes.map_err(complaint)?);
                Ok(())
            }
            VisitorFrame::Opened { session, visitor: browser, page, referrer, campaign } => {
                let visit = Visit { page, referrer, campaign, visitor: browser };
                self.opened(&visitor, Opening { session, visit }).await
            }
            VisitorFrame::Converted(conversion) => {
                self.paced(&visitor)?;
                let Some(id) = &visitor.conversation else { return Ok(()) };
                let done = convert::convert(&self.app, id, (conversion, Teller::Page)).await;
                done.map_err(|error| Complaint::mild("bad_conversion", error.to_string()))
            }
            VisitorFrame::Resolve {} => self.resolve(&visitor).await,
            VisitorFrame::SurveyAnswer { id, score, comment } => {
                self.rate(&visitor, &id, Answer { score, comment }).await
            }
            VisitorFrame::SurveyDecline { id } => self.decline(&visitor, &id).await,
            VisitorFrame::Code { code } => {
                self.paced(&visitor)?;
                let changes = codes::enter(&self.app, &visitor, &code).await.map_err(complaint)?;
                publish::changes(&self.app, changes);
                Ok(())
            }
        }
    }

    fn tell(&self, changes: Option<publish::Changes>) {
        if let Some(changes) = changes {
            publish::changes(&self.app, changes);
        }
    }
}

/// Whether this version of the protocol is spoken here.
pub(super) fn speaks(version: u32) -> Result<(), Complaint> {
    if version == VERSION {
        return Ok(());
    }
    let message =
        format!("Version {version} is not spoken here, version {VERSION} is. Reload the page.");
    Err(Complaint::fatal("unsupported_version", message))
}

impl VisitorTalk {
    async fn hello(
        &mut self,
        has: Has,
        scope: Scope,
        out: &mut Vec<Frame>,
    ) -> Result<(), Complaint> {
        let token = has.token.filter(|token| is_hex(token, 64));
        let row = self.resumed(token.as_deref(), has.conversation).await?;
        let token = token.unwrap_or_else(|| self.app.ids.secret());
        let begun = row.map(|row| (Name::from(row.id), row.epoch));
        // All connections of a visitor who has not written yet name the history alike.
        let first = || fingerprint(format!("epoch {token}")).chars().take(EPOCH).collect();
        let epoch: String = begun.as_ref().map_or_else(first, |(_, epoch)| epoch.clone());
        let id = begun.map(|(id, _)| id);
        self.visitor = Some(Visitor {
            conversation: id.as_deref().map(str::to_owned),
            token_hash: fingerprint(&token),
            epoch: epoch.clone(),
            scope,
            visit: None,
        });
        if self.page.conversation != id.clone().unwrap_or_default() {
            // What still waits in the lane is of another conversation.
            self.leave();
            self.lane = Lane::default();
            self.page = Page::default();
        }
        let Some(id) = id else {
            self.app.hub.greet(&self.lane);
            out.push(self.welcome(token, epoch, Standing::default()));
            return Ok(());
        };
        // First the lane, then the head: what comes later is in the lane, the rest in the database.
        self.app.hub.place(&mut self.lane, &id);
        let standing =
            self.standing(&id, (has.epoch, has.last_seq), &has.outbox).await.map_err(fatal)?;
        self.page.conversation = Name::clone(&id);
        self.page.cursor = if standing.restored { 0 } else { has.last_seq.max(0) };
        self.page.asked = standing.survey.is_some();
        let head = standing.row.as_ref().map_or(0, |row| row.head);
        let epoch = standing.row.as_ref().map_or(epoch, |row| row.epoch.clone());
        out.push(self.welcome(token, epoch, standing));
        self.lane.put(&id, Item::Message { seq: head, text: None });
        publish::line(&self.app, &id);
        Ok(())
    }

    /// How the conversation stands for a client that has it up to `last_seq` of the history `epoch`.
    async fn standing(
        &self,
        id: &str,
        (epoch, last_seq): (Option<String>, i64),
        outbox: &[String],
    ) -> Result<Standing, StoreError> {
        let store = &self.app.store;
        let mut row = store.conversation(id).await?;
        let mut restored = false;
        if let Some(row) = &mut row {
            restored = epoch.is_some_and(|epoch| epoch != row.epoch);
            if !restored && last_seq > row.head {
                // The client has seen what is no longer stored: an older copy of the database is in use.
                row.epoch = conversation::new_epoch(&self.app, id, &row.epoch).await?;
                restored = true;
            }
        }
        let outbox = &outbox[..outbox.len().min(MAX_OUTBOX)];
        let known =
            if outbox.is_empty() { BTreeMap::new() } else { store.known(id, outbox).await? };
        let queue = match &row {
            Some(row) if row.state == State::Waiting.as_str() => store.queue_place(id).await?,
            _ => None,
        };
        let survey = match &row {
            Some(row) => shown(&self.app, row).await?,
            None => None,
        };
        Ok(Standing { row, restored, known, queue, survey })
    }

    /// The conversation to go on with. A wrong secret and an unknown id look the same from outside.
    async fn resumed(
        &self,
        token: Option<&str>,
        id: Option<String>,
    ) -> Result<Option<Conversation>, Complaint> {
        let Some(id) = id else {
            // The widget may have missed the acknowledgement that would have told it.
            return match token {
                Some(token) => {
                    self.app.store.conversation_by_token(&fingerprint(token)).await.map_err(fatal)
                }
                None => Ok(None),
            };
        };
        let unknown = || Complaint::fatal("unknown_conversation", "There is no such conversation.");
        let token = token.ok_or_else(unknown)?;
        let row = self.app.store.conversation(&id).await.map_err(fatal)?;
        row.filter(|row| row.token_hash == fingerprint(token)).map(Some).ok_or_else(unknown)
    }

    fn welcome(&self, token: String, epoch: String, standing: Standing) -> Frame {
        let Standing { row, restored, known, queue, survey } = standing;
        let site =
            SiteName { name: self.app.site.name.clone(), greeting: self.app.site.greeting.clone() };
        let visitor = VisitorWelcome {
            token,
            epoch,
            head: row.as_ref().map_or(0, |row| row.head),
            state: row.as_ref().map_or_else(|| State::Bot.as_str().into(), |row| row.state.clone()),
            generation: row.as_ref().map_or(0, |row| row.generation),
            author: row.as_ref().and_then(|row| row.author.clone()),
            site,
            owner_online: self.app.hub.owner_online(),
            restored,
            known,
            owner_read: row.as_ref().map_or(0, |row| row.owner_read),
            queue,
            survey,
            ask_solved: self.app.mind.prompts().surveys.ask_solved,
            conversation: row.map(|row| row.id),
        };
        Frame::Welcome(Box::new(Welcome { v: VERSION, visitor: Some(visitor), owner: None }))
    }

    async fn mark(&self, visitor: &Visitor, mark: Mark, seq: i64) -> Result<(), Complaint> {
        match &visitor.conversation {
            Some(id) => conversation::mark(&self.app, id, mark, seq).await.map_err(complaint),
            None => Ok(()),
        }
    }

    async fn send(
        &mut self,
        visitor: &Visitor,
        client_msg_id: &str,
        text: &str,
        out: &mut Vec<Frame>,
    ) -> Result<(), Complaint> {
        if !is_hex(client_msg_id, 32) {
            return Err(Complaint::mild(
                "bad_frame",
                "client_msg_id is 32 lower-case hexadecimal digits.",
            ));
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(Complaint::mild("empty", "The message is empty."));
        }
        if text.chars().count() > MAX_TEXT {
            return Err(Complaint::mild(
                "too_long",
                format!("A message has {MAX_TEXT} characters at most."),
            ));
        }
        if text.contains('\0') {
            return Err(Complaint::mild("bad_frame", "A message holds no NUL characters."));
        }
        self.paced(visitor)?;
        let accepted = conversation::accept(&self.app, visitor, client_msg_id, text)
            .await
            .map_err(complaint)?;
        self.begin(&accepted.conversation);
        let (conversation, seq, at) = (accepted.conversation, accepted.seq, accepted.at);
        out.push(Frame::Ack { client_msg_id: client_msg_id.into(), conversation, seq, at });
        if let Some(changes) = accepted.changes {
            publish::changes(&self.app, changes);
            self.app.desk.ring();
        } else {
            // It may have been stored without anybody hearing of it, when the connection ended at that moment.
            publish::again(&self.app, &self.page.conversation, seq);
        }
        Ok(())
    }

    /// Refuses an address that writes or begins conversations faster than people do.
    fn paced(&self, visitor: &Visitor) -> Result<(), Complaint> {
        let Some(seconds) = self.too_many(visitor) else { return Ok(()) };
        let message = format!("Too many messages. Please wait {seconds} seconds.");
        let complaint = Complaint::mild("too_fast", message);
        Err(Complaint { retry_after_ms: Some(seconds * 1_000), ..complaint })
    }

    /// A further hello on the same connection costs as much as another connection.
    fn again(&self) -> Result<(), Complaint> {
        let Some(Peer(address)) = self.peer.filter(|_| self.greeted()) else { return Ok(()) };
        self.app.limits.socket(address).map_err(|seconds| {
            let complaint = Complaint::fatal("too_fast", "Too many greetings. Please wait.");
            Complaint { retry_after_ms: Some(seconds * 1_000), ..complaint }
        })
    }

    /// Seconds to wait when this address writes or begins conversations faster than people do.
    fn too_many(&self, visitor: &Visitor) -> Option<u64> {
        let Peer(address) = self.peer?;
        let limits = &self.app.limits;
        let begins = visitor.conversation.is_none();
        let begun = if begins { limits.conversation(address) } else { Ok(()) };
        begun.and_then(|()| limits.message(address)).err()
    }

    /// From the first stored message on the lane belongs to the conversation.
    fn begin(&mut self, id: &str) {
        let Some(visitor) = &mut self.visitor else { return };
        if visitor.conversation.is_none() {
            visitor.conversation = Some(id.into());
            self.page.conversation = id.into();
            self.app.hub.place(&mut self.lane, &self.page.conversation);
        }
    }

    async fn typing(&self, visitor: &Visitor, on: bool) {
        let Some(id) = &visitor.conversation else { return };
        let conversation = Some(id.clone());
        let frame = Frame::Typing {
            conversation,
            from: "visitor",
            on,
            expires_ms: TYPING_MS,
            status: None,
        };
        self.app.hub.to_watchers(id, &Item::Fleeting(frame.text()));
        if let Err(error) = quiet::typing(&self.app, id, on).await {
            tracing::error!(%error, "a reply could not wait for a visitor who types");
        }
    }
}

impl VisitorTalk {
    /// Leaves the conversation; the owner sees it a while later, if no other page of the visitor is open then.
    fn leave(&mut self) {
        let Some(id) = self.app.hub.leave(&mut self.lane) else { return };
        let app = Arc::clone(&self.app);
        spawn(&self.app, async move {
            let waited = app.shutdown.run_until_cancelled(tokio::time::sleep(LINGER)).await;
            if waited.is_some() && app.hub.is_gone(&id) {
                publish::line(&app, &id);
            }
        });
    }
}

impl Drop for VisitorTalk {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What a welcome says of a conversation.
#[derive(Default)]
struct Standing {
    row: Option<Conversation>,
    restored: bool,
    known: BTreeMap<String, i64>,
    queue: Option<i64>,
    survey: Option<Asked>,
}

fn complaint(refusal: Refusal) -> Complaint {
    let message = refusal.to_string();
    match refusal {
        Refusal::Unknown | Refusal::UnknownSuggestion => {
            Complaint::fatal("unknown_conversation", message)
        }
        Refusal::IdReused => Complaint::mild("id_reused", message),
        // Files come by another way, so the second cannot be.
        Refusal::Illegal(_) | Refusal::Full(_) => Complaint::mild("bad_frame", message),
        Refusal::Store(error) => failed(error),
    }
}

/// A hello that fails half-way would leave the widget without an answer, so it begins again with a new socket.
fn fatal(error: StoreError) -> Complaint {
    Complaint { fatal: true, code: "internal", ..failed(error) }
}

fn failed(error: StoreError) -> Complaint {
    tracing::error!(%error, "the database failed on a visitor's frame");
    let message = "This could not be stored. It will be tried again.";
    Complaint { retry_after_ms: Some(2_000), ..Complaint::mild("busy", message) }
}
