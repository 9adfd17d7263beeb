//! The visitor's socket: hello, messages, typing, asking for a person.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State};
use axum::response::Response;
use engine::scope::Scope;
use engine::turn::Speaker;

use crate::accept::Seat;
use crate::app::{App, Peer};
use crate::clock::{fingerprint, is_hex};
use crate::conversation::{self, Refusal, Visitor};
use crate::hub::{Class, Lane};
use crate::protocol::client::VisitorFrame;
use crate::protocol::record;
use crate::protocol::server::{Frame, SiteName, VisitorWelcome, Welcome};
use crate::protocol::{MAX_TEXT, VERSION};
use crate::quiet;
use crate::store::StoreError;
use crate::store::conversations::Conversation;

use super::{Complaint, Talk, limited, run, spawn};

/// Messages that are read from the database at once.
const PAGE: i64 = 200;
/// How long "the visitor types" holds without a renewal.
const TYPING_MS: u32 = 6_000;

/// `GET /widget/ws`.
pub async fn open(
    State(app): State<Arc<App>>,
    seat: Option<Extension<Seat>>,
    peer: Option<Extension<Peer>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let seat = seat.map(|Extension(seat)| seat);
    limited(upgrade).on_upgrade(move |socket| async move {
        let (lane, peer) = (app.hub.unplaced(), peer.map(|Extension(peer)| peer));
        let talk = VisitorTalk { lane, app: Arc::clone(&app), visitor: None, peer };
        spawn(&Arc::clone(&app), run(app, (socket, seat), Talk::Visitor(talk)));
    })
}

/// One visitor's side of the protocol.
pub(super) struct VisitorTalk {
    app: Arc<App>,
    pub(super) lane: Lane,
    visitor: Option<Visitor>,
    peer: Option<Peer>,
}

impl VisitorTalk {
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
        if let VisitorFrame::Hello { v, token, conversation, last_seq, scope } = frame {
            let known = scope.check().map(|()| scope).map_err(|error| {
                Complaint::fatal("bad_scope", format!("The page's scope was refused: {error}."))
            })?;
            self.hello(v, (token, conversation), last_seq, out).await?;
            if let Some(visitor) = &mut self.visitor {
                visitor.scope = known;
            }
            return Ok(());
        }
        let first = || Complaint::fatal("hello_first", "The first frame must be hello.");
        let visitor = self.visitor.clone().ok_or_else(first)?;
        match frame {
            VisitorFrame::Hello { .. } => Ok(()),
            VisitorFrame::Send { client_msg_id, text } => {
                let sent = self.send(&visitor, &client_msg_id, &text, out).await;
                sent.map_err(|complaint| complaint.about(&client_msg_id))
            }
            VisitorFrame::Typing { on } => {
                self.typing(&visitor, on).await;
                Ok(())
            }
            VisitorFrame::Read { seq } => match &visitor.conversation {
                Some(id) => conversation::read(&self.app, id, Speaker::Visitor, seq)
                    .await
                    .map_err(complaint),
                None => Ok(()),
            },
            VisitorFrame::AskPerson {} => {
                let changes =
                    conversation::ask_person(&self.app, &visitor).await.map_err(complaint)?;
                self.begin(&changes.conversation.id);
                conversation::publish(&self.app, changes).await;
                Ok(())
            }
        }
    }
}

impl VisitorTalk {
    async fn hello(
        &mut self,
        version: u32,
        (token, conversation): (Option<String>, Option<String>),
        last_seq: i64,
        out: &mut Vec<Frame>,
    ) -> Result<(), Complaint> {
        if version != VERSION {
            let message = format!(
                "Version {version} is not spoken here, version {VERSION} is. Reload the page."
            );
            return Err(Complaint::fatal("unsupported_version", message));
        }
        let token = token.filter(|token| is_hex(token, 64));
        let row = self.resumed(token.as_deref(), conversation).await?;
        let token = token.unwrap_or_else(|| self.app.ids.secret());
        let epoch = row.as_ref().map_or_else(|| self.app.ids.id(), |row| row.epoch.clone());
        let id = row.as_ref().map(|row| row.id.clone());
        self.visitor = Some(Visitor {
            conversation: id.clone(),
            token_hash: fingerprint(&token),
            epoch: epoch.clone(),
            scope: Scope::default(),
        });
        // First the lane, then the head: what comes later is in the lane, the rest in the database.
        if let Some(id) = &id {
            self.app.hub.place(&self.lane, id);
        }
        let row = match &id {
            Some(id) => self.app.store.conversation(id).await.map_err(fatal)?,
            None => None,
        };
        out.push(self.welcome(token, epoch, row.as_ref()));
        if let Some(row) = row {
            self.replay(&row, last_seq, out).await?;
            conversation::line(&self.app, &row.id).await;
        }
        Ok(())
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

    fn welcome(&self, token: String, epoch: String, row: Option<&Conversation>) -> Frame {
        let site =
            SiteName { name: self.app.site.name.clone(), greeting: self.app.site.greeting.clone() };
        let visitor = VisitorWelcome {
            token,
            conversation: row.map(|row| row.id.clone()),
            epoch,
            head: row.map_or(0, |row| row.head),
            state: row.map_or_else(|| "bot".into(), |row| row.state.clone()),
            generation: row.map_or(0, |row| row.generation),
            author: row.and_then(|row| row.author.clone()),
            site,
            owner_online: self.app.hub.owner_online(),
        };
        Frame::Welcome(Box::new(Welcome { v: VERSION, visitor: Some(visitor), owner: None }))
    }

    /// Every stored message after `last_seq`; a number from the future replays nothing.
    async fn replay(
        &self,
        row: &Conversation,
        last_seq: i64,
        out: &mut Vec<Frame>,
    ) -> Result<(), Complaint> {
        let mut after = last_seq.max(0);
        while after < row.head {
            let page = self.app.store.messages(&row.id, after, PAGE).await.map_err(fatal)?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            out.extend(
                page.into_iter()
                    .map(|message| Frame::Message(Box::new(record::Message::from(message)))),
            );
        }
        Ok(())
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
        if let Some(seconds) = self.too_many(visitor) {
            let message = format!("Too many messages. Please wait {seconds} seconds.");
            let complaint = Complaint::mild("too_fast", message);
            return Err(Complaint { retry_after_ms: Some(seconds * 1_000), ..complaint });
        }
        let accepted = conversation::accept(&self.app, visitor, client_msg_id, text)
            .await
            .map_err(complaint)?;
        self.begin(&accepted.conversation);
        let (conversation, seq, at) = (accepted.conversation, accepted.seq, accepted.at);
        out.push(Frame::Ack { client_msg_id: client_msg_id.into(), conversation, seq, at });
        if let Some(changes) = accepted.changes {
            conversation::publish(&self.app, changes).await;
            self.app.desk.ring();
        }
        Ok(())
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
            self.app.hub.place(&self.lane, id);
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
        self.app.hub.to_watchers(id, &frame, Class::Fleeting);
        if let Err(error) = quiet::typing(&self.app, id, on).await {
            tracing::error!(%error, "a reply could not wait for a visitor who types");
        }
    }
}

impl Drop for VisitorTalk {
    fn drop(&mut self) {
        let Some(id) = self.visitor.as_ref().and_then(|visitor| visitor.conversation.clone())
        else {
            return;
        };
        self.app.hub.leave(&self.lane);
        let app = Arc::clone(&self.app);
        spawn(&self.app, async move { conversation::line(&app, &id).await });
    }
}

fn complaint(refusal: Refusal) -> Complaint {
    let message = refusal.to_string();
    match refusal {
        Refusal::Unknown | Refusal::UnknownSuggestion => {
            Complaint::fatal("unknown_conversation", message)
        }
        Refusal::IdReused => Complaint::mild("id_reused", message),
        Refusal::Illegal(_) => Complaint::mild("bad_frame", message),
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
