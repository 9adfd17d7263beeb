//! The owner's socket: hello with a ticket, watching a conversation, typing.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, State};
use axum::response::Response;
use engine::turn::Speaker;

use crate::accept::Seat;
use crate::app::App;
use crate::auth::Holder;
use crate::conversation;
use crate::hub::{Class, Lane};
use crate::protocol::VERSION;
use crate::protocol::client::OwnerFrame;
use crate::protocol::server::{Frame, OwnerName, Welcome};

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
        let talk = OwnerTalk { lane: app.hub.unplaced(), app: Arc::clone(&app), owner: None };
        spawn(&Arc::clone(&app), run(app, (socket, seat), Talk::Owner(talk)));
    })
}

/// One owner's side of the protocol.
pub(super) struct OwnerTalk {
    app: Arc<App>,
    pub(super) lane: Lane,
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
                self.app.hub.to_visitor(&conversation, &frame, Class::Fleeting);
                Ok(())
            }
            OwnerFrame::Watch { conversation } => {
                self.app.hub.watch(&self.lane, conversation.clone());
                if let Some(id) = conversation {
                    // An unknown id watches nothing.
                    let _ = conversation::read(&self.app, &id, Speaker::Owner, i64::MAX).await;
                    conversation::line(&self.app, &id).await;
                }
                Ok(())
            }
        }
    }
}

impl OwnerTalk {
    fn hello(&mut self, version: u32, ticket: &str, out: &mut Vec<Frame>) -> Result<(), Complaint> {
        if version != VERSION {
            let message = format!(
                "Version {version} is not spoken here, version {VERSION} is. Reload the page."
            );
            return Err(Complaint::fatal("unsupported_version", message));
        }
        let owner = self.app.doors.redeem(ticket, self.app.clock.now_ms());
        let holder = owner
            .ok_or_else(|| Complaint::fatal("bad_ticket", "The ticket is not valid. Sign in."))?;
        if self.owner.is_none() {
            self.app.hub.leave(&self.lane);
            self.lane = self.app.hub.console();
        }
        let owner = Some(OwnerName { name: holder.name.clone() });
        self.owner = Some(holder);
        out.push(Frame::Welcome(Box::new(Welcome { v: VERSION, visitor: None, owner })));
        Ok(())
    }
}
