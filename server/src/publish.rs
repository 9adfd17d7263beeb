//! After the commit: tells the open sockets what to read again. Nothing here can be lost, as all of it is stored.

use engine::turn::Speaker;

use crate::app::App;
use crate::hub::Item;
use crate::protocol::record;
use crate::protocol::server::Frame;
use crate::store::conversations::Conversation;
use crate::store::messages::Message;

/// What a transaction has changed.
#[derive(Debug)]
pub struct Changes {
    /// The conversation as it is now.
    pub conversation: Conversation,
    /// New messages in order.
    pub messages: Vec<Message>,
    /// Whether the holder changed.
    pub passed: bool,
}

/// Tells everybody what has changed. Drafts that are void stop first.
pub fn changes(app: &App, changes: Changes) {
    let Changes { conversation, messages, passed } = changes;
    let id = &conversation.id;
    failpoint!("K7");
    app.actions.ring();
    // What the bot says beside its replies, the end of a call for one, answers no question.
    let people = [Speaker::Visitor, Speaker::Owner].map(Speaker::as_str);
    let said = messages.iter().filter(|message| people.contains(&message.speaker.as_str()));
    app.desk.void(id, conversation.generation, said.map(|message| message.seq).max().unwrap_or(0));
    for message in messages {
        let seq = message.seq;
        let frame = Frame::Message(Box::new(record::Message::from(message)));
        let item = Item::Message { seq, text: Some(frame.text()) };
        app.hub.to_visitor(id, &item);
        failpoint!("K8");
        app.hub.to_watchers(id, &item);
    }
    if passed {
        app.hub.to_visitor(id, &Item::State);
        app.hub.to_visitor(id, &Item::Queue);
        app.hub.to_visitor(id, &Item::Survey);
        app.queue.notify_one();
    }
    line(app, id);
    app.hub.to_watchers(id, &Item::Suggestion);
}

/// Tells everybody to look whether they have all messages up to `seq`.
pub fn again(app: &App, id: &str, seq: i64) {
    let item = Item::Message { seq, text: None };
    app.hub.to_visitor(id, &item);
    app.hub.to_watchers(id, &item);
    line(app, id);
}

/// Tells the consoles that the conversation's line of their list has changed.
pub fn line(app: &App, id: &str) {
    app.hub.to_consoles(id, &Item::Line);
}

/// Tells both sides how far the other one has got.
pub fn receipts(app: &App, id: &str) {
    app.hub.to_visitor(id, &Item::Receipts);
    app.hub.to_watchers(id, &Item::Receipts);
    line(app, id);
}
