//! What news becomes on one client's screen: read from the database when the client gets to it, so that it is never old.

use crate::app::App;
use crate::hub::{Item, Name, News};
use crate::protocol::record::{self, Message, Summary};
use crate::protocol::server::{Frame, Text};
use crate::store::StoreError;
use crate::{surveys, tags};

use super::wire::Wire;

/// Messages that are read from the database at once.
const PAGE: i64 = 200;

/// The conversation on a client's screen.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// It; empty for none.
    pub(super) conversation: Name,
    /// Newest seq that the client was sent or said to have.
    pub(super) cursor: i64,
    /// Whether the client is a console, where frames name their conversation.
    pub(super) console: bool,
    /// Whether the visitor was shown a question.
    pub(super) asked: bool,
}

impl Page {
    /// Sends what there is to show; `false` when the client did not take it in time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) async fn show(
        &mut self,
        app: &App,
        News { about, item }: News,
        wire: &mut Wire,
    ) -> Result<bool, StoreError> {
        let here = about == self.conversation;
        let frame = match item {
            Item::Message { seq, text } if here => {
                return self.messages(app, (seq, text), wire).await;
            }
            Item::State if here => self.state(app).await?,
            Item::Receipts if here => self.receipts(app).await?,
            Item::Queue if here => {
                Some(Frame::Queue { place: app.store.queue_place(&self.conversation).await? })
            }
            Item::Suggestion if here => self.suggestion(app).await?,
            Item::Survey if here => self.survey(app).await?,
            Item::Reading(seq) if here => tags::frame(app, &about, seq).await?,
            Item::Line => line(app, &about).await?,
            Item::Durable(text) | Item::Newest(_, text) | Item::Fleeting(text) => {
                return Ok(wire.send(&text, None).await);
            }
            // It is about a conversation that has left the screen meanwhile.
            _ => None,
        };
        match frame {
            Some(frame) => Ok(wire.send(&frame.text(), None).await),
            None => Ok(true),
        }
    }

    /// Sends the messages after the cursor up to `seq`, in pages: the client's pace is the reading's pace.
    async fn messages(
        &mut self,
        app: &App,
        (seq, text): (i64, Option<Text>),
        wire: &mut Wire,
    ) -> Result<bool, StoreError> {
        if let Some(text) = text.filter(|_| seq == self.cursor + 1) {
            self.cursor = seq;
            return Ok(wire.send(&text, Some(seq)).await);
        }
        while self.cursor < seq {
            let page = app.store.messages(&self.conversation, self.cursor, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for message in page {
                self.cursor = message.seq;
                let frame = Frame::Message(Box::new(Message::from(message)));
                if !wire.send(&frame.text(), Some(self.cursor)).await {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn state(&self, app: &App) -> Result<Option<Frame>, StoreError> {
        let row = app.store.conversation(&self.conversation).await?;
        Ok(row.map(|row| Frame::State {
            state: row.state,
            generation: row.generation,
            author: row.author,
        }))
    }

    async fn receipts(&self, app: &App) -> Result<Option<Frame>, StoreError> {
        let row = app.store.conversation(&self.conversation).await?;
        Ok(row.map(|row| Frame::Receipts {
            conversation: self.console.then(|| row.id.clone()),
            visitor_delivered: row.visitor_delivered,
            visitor_read: row.visitor_read,
            owner_read: row.owner_read,
        }))
    }

    /// What is asked now; nothing where nothing was asked before either.
    async fn survey(&mut self, app: &App) -> Result<Option<Frame>, StoreError> {
        let Some(row) = app.store.conversation(&self.conversation).await? else { return Ok(None) };
        let survey = surveys::shown(app, &row).await?;
        let before = std::mem::replace(&mut self.asked, survey.is_some());
        Ok((before || self.asked).then(|| Frame::Survey { survey: survey.map(Box::new) }))
    }

    async fn suggestion(&self, app: &App) -> Result<Option<Frame>, StoreError> {
        let open = app.store.open_suggestion(&self.conversation).await?;
        let suggestion = open.map(|row| Box::new(record::Suggestion::from(row)));
        Ok(Some(Frame::Suggestion { conversation: self.conversation.to_string(), suggestion }))
    }
}

/// The conversation's line of the owner's list.
async fn line(app: &App, id: &Name) -> Result<Option<Frame>, StoreError> {
    let overview = app.store.overview(id).await?;
    Ok(overview.map(|overview| {
        let summary = Summary::of(overview, app.hub.visitor_online(id));
        Frame::Conversation { conversation: Box::new(summary) }
    }))
}
