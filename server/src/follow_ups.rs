//! Visitors of the night: planned when they leave something behind, brought to the owner when somebody is there again.

use engine::hours::Availability;
use engine::tasks::{Left, Task};
use engine::turn::Speaker;
use serde_json::json;

use crate::app::App;
use crate::hand_off::hand_off;
use crate::jobs::{self, Due};
use crate::notify::{self, Event, Notice};
use crate::publish::Changes;
use crate::store::conversations::Conversation;
use crate::store::suggestions::Suggestion;
use crate::store::{StoreError, Tx};
use crate::tickets;

/// How soon it is looked again whether somebody is there, when nobody can tell when.
const AGAIN_MS: i64 = 10 * 60 * 1_000;
/// Characters of the matter in the owner's suggestion.
const MATTER_CHARS: usize = 80;

/// A step has left this: a visitor who is on the way to a ticket is followed up, one who wants none is not.
///
/// # Errors
/// When the database fails.
pub async fn after_step(
    app: &App,
    tx: &mut Tx,
    conversation: &str,
    (before, left): (Option<&Task>, &Left),
) -> Result<(), StoreError> {
    match (before, &left.task) {
        (_, Some(Task::Ticket(_))) => plan(app, tx, conversation).await,
        // Something else that was done in one step is no reason not to come back.
        (Some(Task::Ticket(_)), None) if left.effects.is_empty() => {
            jobs::drop(tx, jobs::FOLLOW_UP, conversation).await
        }
        _ => Ok(()),
    }
}

async fn plan(app: &App, tx: &mut Tx, conversation: &str) -> Result<(), StoreError> {
    let now = app.clock.now_ms();
    let away = crate::hours::away_until(app, now).await?;
    let prompts = app.mind.prompts();
    // Who is away for an unknown time may be back at any moment.
    let from = away.map_or(Some(now), |until| (until > 0).then_some(until));
    let due_at = from.and_then(|from| prompts.books.hours.follow_up_at(from));
    let due = Due {
        kind: jobs::FOLLOW_UP.into(),
        subject: conversation.into(),
        due_at: due_at.unwrap_or(now + AGAIN_MS).max(now + 1),
        body: "{}".into(),
    };
    jobs::plan(tx, due).await
}

/// Due work: somebody is there again, so the conversation comes to them, with words to begin with.
///
/// # Errors
/// When the database fails.
pub async fn due(app: &App, tx: &mut Tx, conversation: &str) -> Result<Vec<Changes>, StoreError> {
    let Some(mut row) = tx.conversation(conversation).await? else { return Ok(vec![]) };
    let now = app.clock.now_ms();
    if crate::hours::availability(app, now).await? != Availability::Open {
        // The hours were changed, or the owner has gone away, since it was planned.
        plan(app, tx, conversation).await?;
        return Ok(vec![]);
    }
    if row.state != engine::conversation::State::Bot.as_str() {
        return Ok(vec![]);
    }
    let asked = row.updated_at;
    hand_off(app, tx, &mut row, engine::rules::Reason::FollowUp.as_str()).await?;
    tx.outdate_jobs(conversation).await?;
    tx.outdate_suggestions(conversation).await?;
    let ticket =
        tx.ticket_of(conversation).await?.filter(|ticket| ticket.status != tickets::SOLVED);
    let asks = tx.newest_text(conversation, Speaker::Visitor).await?.unwrap_or_default();
    let matter = ticket.as_ref().map(|ticket| ticket.subject.clone()).unwrap_or_default();
    let text = greeting(app, (now, asked), &matter);
    if !text.is_empty() {
        suggest(app, tx, &row, text).await?;
    }
    tell(app, tx, &row, (&asks, ticket.map(|ticket| ticket.summary))).await?;
    tx.update_conversation(&row).await?;
    Ok(vec![Changes { conversation: row, messages: vec![], passed: true }])
}

/// Words for the owner to begin with.
fn greeting(app: &App, (now, asked): (i64, i64), matter: &str) -> String {
    let prompts = app.mind.prompts();
    let hours = &prompts.books.hours;
    let id = if matter.is_empty() { "follow_up_plain" } else { "follow_up" };
    let text = prompts.templates.say(id);
    text.replace("{greeting}", hours.greeting(now))
        .replace("{when}", &hours.since(now, asked))
        .replace("{matter}", &engine::tickets::line(matter, MATTER_CHARS))
}

async fn suggest(
    app: &App,
    tx: &mut Tx,
    row: &Conversation,
    text: String,
) -> Result<(), StoreError> {
    let suggestion = Suggestion {
        id: app.ids.id(),
        conversation: row.id.clone(),
        for_seq: tx.newest(&row.id, Speaker::Visitor).await?,
        pieces: json!([{ "text": text, "cite": null }]).to_string(),
        citations: "[]".into(),
        text,
        confidence: 1.0,
    };
    tx.suggest(&suggestion, app.clock.now_ms()).await
}

/// The summary of the night, for the owner alone.
async fn tell(
    app: &App,
    tx: &mut Tx,
    row: &Conversation,
    (asks, summary): (&str, Option<String>),
) -> Result<(), StoreError> {
    let text = summary.unwrap_or_else(|| asks.to_owned());
    let notice = Notice {
        event: Event::FollowUp,
        conversation: row.id.clone(),
        title: "A visitor of the night waits to hear from you".into(),
        text,
        urgent: false,
    };
    notify::event(app, tx, notice, app.clock.now_ms()).await
}
