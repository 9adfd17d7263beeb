//! Commands of the owner on conversations.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use engine::conversation::State as Holder;
use engine::rules::Reason;
use engine::summary::three_lines;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::calls::{self, Call};
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::clock::is_hex;
use crate::closing;
use crate::conversation::{self, Refusal, Written};
use crate::error::ApiError;
use crate::hub::Item;
use crate::knowledge::learn;
use crate::protocol::MAX_TEXT;
use crate::protocol::record::{LiveDraft, Message, Named, Reading, Suggestion, Summary, raw};
use crate::publish;
use crate::store::conversations::Overview;
use crate::store::messages;
use crate::store::promises::Promised;
use crate::surveys::review::{self, Opinions};
use crate::{summary, tags, tasks};

/// Conversations of the list at most.
const LIST: i64 = 200;
/// Messages of one conversation at most, the newest.
const MESSAGES: i64 = 1_000;

#[derive(Debug, Serialize)]
pub(super) struct List {
    conversations: Vec<Summary>,
}

/// `GET /console/api/conversations`.
pub(super) async fn list(State(app): State<Arc<App>>, _: SignedIn) -> Result<Json<List>, ApiError> {
    let rows = app.store.overviews(LIST).await?;
    let summary = |row: Overview| {
        let online = app.hub.visitor_online(&row.conversation.id);
        Summary::of(row, online)
    };
    Ok(Json(List { conversations: rows.into_iter().map(summary).collect() }))
}

#[derive(Debug, Serialize)]
pub(super) struct Detail {
    conversation: Summary,
    messages: Vec<Message>,
    suggestion: Option<Suggestion>,
    decision: Option<Box<RawValue>>,
    draft: Option<LiveDraft>,
    /// What the messages were read as.
    readings: Vec<Reading>,
    /// What the visitor has named, the newest first.
    named: Vec<Named>,
    /// What was asked, what was tried and why a person is asked for; while a person is waited for or holds the conversation.
    summary: Option<[String; 3]>,
    /// What is being done, and what it has brought.
    #[serde(flatten)]
    described: tasks::Described,
    /// Calls of actions, the newest first.
    calls: Vec<Call>,
    /// E-mail address that the visitor has lately shown to be theirs.
    verified: Option<String>,
    /// The newest ticket that came of it.
    ticket: Option<super::tickets::View>,
    /// What was promised about when a person replies, last.
    promise: Option<Promise>,
    /// What the visitor has said afterwards, and what the owner makes of it.
    #[serde(flatten)]
    opinions: Opinions,
}

/// What was promised: minutes, when a reply was due, and when there was one.
#[derive(Debug, Serialize)]
struct Promise {
    minutes: Option<i64>,
    due_at: i64,
    kept_at: Option<i64>,
}

impl Promise {
    /// Nothing where no time was promised, or nobody waits any more.
    fn of(row: Promised) -> Option<Self> {
        let Promised { minutes, due_at, kept_at, .. } = row;
        due_at.filter(|_| row.dropped_at.is_none()).map(|due_at| Self { minutes, due_at, kept_at })
    }
}

/// `GET /console/api/conversations/ID`.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Detail>, ApiError> {
    let row = app.store.overview(&id).await?.ok_or(Refusal::Unknown)?;
    let after = (row.conversation.head - MESSAGES).max(0);
    let messages = app.store.messages(&id, after, MESSAGES).await?;
    let summary = summary(&row, &messages);
    let opinions = review::opinions(&app, &row.conversation).await?;
    let named = tags::named(&app.mind.prompts().entities, &messages);
    Ok(Json(Detail {
        summary,
        conversation: Summary::of(row, app.hub.visitor_online(&id)),
        messages: messages.into_iter().map(Message::from).collect(),
        suggestion: app.store.open_suggestion(&id).await?.map(Suggestion::from),
        decision: app.store.newest_decision(&id).await?.map(raw),
        draft: app.desk.live(&id),
        ticket: app.store.ticket_of(&id).await?.map(Into::into),
        promise: app.store.promised(&id).await?.and_then(Promise::of),
        named,
        opinions,
        readings: tags::readings(&app, &id, after + 1).await?,
        described: tasks::described(&app, &id).await?,
        calls: calls::listed(&app, Some(&id)).await?,
        verified: app.store.proved(&id, app.clock.now_ms()).await?,
    }))
}

/// The three lines for the person who takes over. A stored value that means nothing adds nothing to them.
fn summary(row: &Overview, messages: &[messages::Message]) -> Option<[String; 3]> {
    let state = row.conversation.holder().ok()?;
    if !matches!(state, Holder::Waiting | Holder::Owner) {
        return None;
    }
    let cited = summary::cited(messages);
    let lines = summary::lines(messages, &cited);
    Some(three_lines(&lines, why(row.conversation.reason.as_deref())))
}

/// Why a person is asked for, as a sentence.
fn why(reason: Option<&str>) -> &'static str {
    let Some(word) = reason else { return "You have taken it yourself." };
    match serde_json::from_value::<Reason>(word.into()) {
        Ok(reason) => reason.why(),
        Err(_) => "No reply could be made in time.",
    }
}

/// `POST /console/api/conversations/ID/take`.
pub(super) async fn take(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    to_the_end(&Arc::clone(&app), async move {
        let changes = conversation::take(&app, &signed_in.owner.name, &id).await?;
        publish::changes(&app, changes);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    client_msg_id: String,
    text: String,
    #[serde(default)]
    suggestion: Option<String>,
    #[serde(default)]
    template: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Stored {
    seq: i64,
}

/// `POST /console/api/conversations/ID/messages`.
pub(super) async fn write(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    body: Result<Json<Body>, JsonRejection>,
) -> Result<Json<Stored>, ApiError> {
    let Json(body) = body.map_err(super::account::unreadable)?;
    let text = body.text.trim().to_owned();
    let invalid =
        |message: &str| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message);
    if text.is_empty() || text.chars().count() > MAX_TEXT || text.contains('\0') {
        return Err(invalid(&format!("A message has 1 to {MAX_TEXT} characters.")));
    }
    if !is_hex(&body.client_msg_id, 32) {
        return Err(invalid("client_msg_id is 32 lower-case hexadecimal digits."));
    }
    let (client_msg_id, suggestion) = (body.client_msg_id, body.suggestion);
    let template = body.template.filter(|id| is_hex(id, 32));
    let written = Written { client_msg_id, text, suggestion, template, written_at: None };
    to_the_end(&Arc::clone(&app), async move {
        let name = &signed_in.owner.name;
        let (seq, changes) = conversation::write(&app, name, &id, &written).await?;
        if let Some(changes) = changes {
            publish::changes(&app, changes);
            if let Some(suggestion) = &written.suggestion {
                app.mind.tuning.ring();
                learn::accepted(&app, &id, suggestion).await;
            }
        }
        Ok(Json(Stored { seq }))
    })
    .await
}

/// `POST /console/api/conversations/ID/hand-back`.
pub(super) async fn hand_back(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    to_the_end(&Arc::clone(&app), async move {
        let changes = conversation::hand_back(&app, &id).await?;
        publish::changes(&app, changes);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `POST /console/api/conversations/ID/close`.
pub(super) async fn close(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    to_the_end(&Arc::clone(&app), async move {
        let changes = closing::close(&app, &id).await?;
        publish::changes(&app, changes);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// `POST /console/api/conversations/ID/suggestions/SID/discard`.
pub(super) async fn discard(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path((id, suggestion)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    conversation::discard(&app, &id, &suggestion).await?;
    app.mind.tuning.ring();
    app.hub.to_watchers(&id, &Item::Suggestion);
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a command to its end even when its client goes: what is stored is always told to the others.
async fn to_the_end<T: Send + 'static>(
    app: &App,
    command: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, ApiError> {
    let ended = app.doors.sockets.spawn(command).await;
    Ok(ended.map_err(|error| ApiError::internal(&error))??)
}
