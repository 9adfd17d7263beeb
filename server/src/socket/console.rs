//! The owner's socket: hello with a ticket, watching a conversation, typing.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State};
use axum::response::Response;

use crate::accept::Seat;
use crate::app::App;
use crate::auth::Holder;
use crate::conversation::{self, Mark};
use crate::hub::{Item, LINGER, Lane, Name};
use crate::protocol::VERSION;
use crate::protocol::client::OwnerFrame;
use crate::protocol::server::{Frame, OwnerName, Welcome};
use crate::publish;

use super::show::Page;
use super::visitor::speaks;
use super::wire::Wire;
use super::{Complaint, Talk, limited, run, spawn};

/// How long "the owner types" holds without a renewal.
const TYPING_MS: u32 = 6_000;

/// `GET /console/ws`.
pub async fn open(
    State(app): State<Arc<App>>,
    seat: Option<Extension<Seat>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let seat = seat.map(|Extension(seat)| seat);
    limited(upgrade).on_upgrade(move |socket| async move {
        // Until the hello the lane belongs to nobody; an owner counts as online from the hello on.
        let page = Page { console: true, ..Page::default() };
        let talk = OwnerTalk { lane: Lane::default(), page, app: Arc::clone(&app), owner: None };
        let wire = Wire::Socket(Box::new(socket));
        spawn(&Arc::clone(&app), run(app, (wire, seat), Talk::Owner(talk)));
    })
}

/// One owner's side of the protocol.
pub(super) struct OwnerTalk {
    app: Arc<App>,
    pub(super) lane: Lane,
    pub(super) page: Page,
    owner: Option<Holder>,
}

impl OwnerTalk {
    /// A socket ends with the session that opened it.
    pub(super) async fn may_stay(&self) -> Result<(), Complaint> {
        let Some(holder) = &self.owner else { return Ok(()) };
        let now = self.app.clock.now_ms();
        match self.app.store.owner_by_session(&holder.session, now).await {
            Ok(None) => Err(Complaint::fatal("bad_ticket", "The session has ended. Sign in.")),
            // A database that fails for a moment signs nobody out.
            Ok(Some(_)) | Err(_) => Ok(()),
        }
    }

    /// Whether the hello has come.
    pub(super) fn greeted(&self) -> bool {
        self.owner.is_some()
    }

    /// Handles one text frame; frames to answer at once are put into `out`.
    pub(super) async fn frame(
        &mut self,
        text: &str,
        out: &mut Vec<Frame>,
    ) -> Result<(), Complaint> {
        let frame: OwnerFrame = serde_json::from_str(text).map_err(|error| {
            Complaint::mild("bad_frame", format!("The frame was not understood: {error}."))
        })?;
        if let OwnerFrame::Hello { v, ticket } = frame {
            return self.hello(v, &ticket, out);
        }
        if self.owner.is_none() {
            return Err(Complaint::fatal("hello_first", "The first frame must be hello."));
        }
        match frame {
            OwnerFrame::Hello { .. } => Ok(()),
            OwnerFrame::Typing { conversation, on } => {
                let frame = Frame::Typing {
                    conversation: None,
                    from: "owner",
                    on,
                    expires_ms: TYPING_MS,
                    status: None,
                };
                self.app.hub.to_visitor(&conversation, &Item::Fleeting(frame.text()));
                Ok(())
            }
            OwnerFrame::Watch { conversation, last_seq } => {
                self.watch(conversation.as_deref(), last_seq).await
            }
            OwnerFrame::Ping {} => {
                out.push(Frame::Pong {});
                Ok(())
            }
        }
    }
}

impl OwnerTalk {
    fn hello(&mut self, version: u32, ticket: &str, out: &mut Vec<Frame>) -> Result<(), Complaint> {
        speaks(version)?;
        let owner = self.app.doors.redeem(ticket, self.app.clock.now_ms());
        let holder = owner
            .ok_or_else(|| Complaint::fatal("bad_ticket", "The ticket is not valid. Sign in."))?;
        if self.owner.is_none() {
            self.app.hub.console(&self.lane);
        }
        let owner = Some(OwnerName { name: holder.name.clone() });
        self.owner = Some(holder);
        out.push(Frame::Welcome(Box::new(Welcome { v: VERSION, visitor: None, owner })));
        Ok(())
    }
    /// Puts a conversation on the screen, of which the console has all up to `last_seq`; an unknown id shows nothing.
    async fn watch(&mut self, id: Option<&str>, last_seq: Option<i64>) -> Result<(), Complaint> {
        self.page.conversation = id.map(Name::from).unwrap_or_default();
        // First the lane, then the head: what comes later is in the lane.
        self.app.hub.watch(&self.lane, id.map(|_| &self.page.conversation));
        let Some(id) = id else { return Ok(()) };
        let row = self.app.store.conversation(id).await.map_err(|error| {
            tracing::error!(%error, "a conversation could not be read for the console");
            Complaint::fatal("internal", "The database failed.")
        })?;
        let Some(row) = row else { return Ok(()) };
        self.page.cursor = last_seq.unwrap_or(row.head);
        self.lane.put(&self.page.conversation, Item::Message { seq: row.head, text: None });
        if let Some(seq) = last_seq {
            // A mark that cannot be stored is made by the next look.
            let _ = conversation::mark(&self.app, id, Mark::OwnerRead, seq).await;
        }
        self.lane.put(&self.page.conversation, Item::Receipts);
        publish::line(&self.app, id);
        Ok(())
    }
}

impl Drop for OwnerTalk {
    fn drop(&mut self) {
        self.app.hub.leave(&mut self.lane);
        if self.owner.is_none() {
            return;
        }
        let app = Arc::clone(&self.app);
        spawn(&self.app, async move {
            app.shutdown.run_until_cancelled(tokio::time::sleep(LINGER)).await;
            if !app.hub.owner_online() {
                app.hub.tell_presence();
            }
        });
    }
}
