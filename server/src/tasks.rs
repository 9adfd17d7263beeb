//! Tasks in the database: what stands when a turn begins, and what a step leaves behind, in the transaction that stores its words.

use engine::actions::Ground;
use engine::conversation::State;
use engine::flows::Lead;
use engine::tasks::{Effect, Left, Standing, Step, Task};
use engine::turn::Speaker;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::actions::{self, codes};
use crate::app::App;
use crate::conversation::{self, Refusal, Visitor};
use crate::hand_off::{hand_off, with};
use crate::leads::{self, News};
use crate::notify::{self, Event, Notice};
use crate::protocol::record::raw;
use crate::publish::Changes;
use crate::said::say;
use crate::store::conversations::Conversation;
use crate::store::messages::Message;
use crate::store::tasks::Tasks;
use crate::store::{StoreError, Tx};
use crate::{follow_ups, hours, tickets};

/// How long a file may be sent after it was asked for.
const UPLOAD_MS: i64 = 60 * 60 * 1_000;

/// What stands beside the words of a conversation's next turn. A stored task that means nothing to this version is over.
///
/// # Errors
/// When the database fails.
pub async fn standing(app: &App, conversation: &str) -> Result<Standing, StoreError> {
    let tasks = app.store.tasks(conversation).await?;
    let now = app.clock.now_ms();
    let verified = app.store.proved(conversation, now).await?;
    let hours = hours::availability(app, now).await?;
    let task = read(&tasks);
    Ok(Standing { task, verified, hours, fresh: app.ids.id() })
}

/// The task that is on.
fn read(tasks: &Tasks) -> Option<Task> {
    let text = tasks.task.as_deref()?;
    let read = serde_json::from_str(text);
    if let Err(error) = &read {
        tracing::error!(%error, "a stored task cannot be read and is over");
    }
    read.ok()
}

/// Whether what is being done waits for a one-time code.
///
/// # Errors
/// When the database fails.
pub async fn waits_for_code(tx: &mut Tx, conversation: &str) -> Result<bool, StoreError> {
    let task = read(&tx.tasks(conversation).await?);
    Ok(matches!(task, Some(Task::Action(request)) if request.waits_for_code()))
}

/// What is being done, for the owner: its title, and what it waits for.
///
/// # Errors
/// When the database fails.
pub async fn described(app: &App, conversation: &str) -> Result<Described, StoreError> {
    let tasks = app.store.tasks(conversation).await?;
    let books = &app.mind.prompts().books;
    let task = read(&tasks).and_then(|task| match task {
        Task::Flow(run) => {
            books.flows.flow(&run).map(|flow| (flow.title.clone(), run.waits_for(flow)))
        }
        Task::Action(request) => Some(engine::actions::describe(&books.actions, &request)),
        Task::Ticket(_) => Some(("Ticket".into(), String::new())),
    });
    let task = task.map(|(title, at)| Doing { title, at });
    Ok(Described { task, collected: raw(tasks.collected) })
}

/// What is being done in a conversation, and what it has brought.
#[derive(Debug, Serialize)]
pub struct Described {
    task: Option<Doing>,
    collected: Box<RawValue>,
}

#[derive(Debug, Serialize)]
struct Doing {
    title: String,
    at: String,
}

/// Keeps what a step leaves, and has its effects done; what there is to say beside the step's own words comes back.
///
/// # Errors
/// When the database fails.
pub async fn keep(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    left: &Left,
) -> Result<Vec<Message>, StoreError> {
    let (now, mut messages) = (app.clock.now_ms(), vec![]);
    let mut tasks = tx.tasks(&row.id).await?;
    follow_ups::after_step(app, tx, &row.id, (read(&tasks).as_ref(), left)).await?;
    let task = left.task.as_ref().and_then(|task| serde_json::to_string(task).ok());
    let moved = task != tasks.task || !left.effects.is_empty();
    tasks.task = task;
    for effect in &left.effects {
        match effect {
            Effect::Collected(rows) => {
                tasks.collected = serde_json::to_string(rows).unwrap_or_else(|_| "[]".into());
            }
            Effect::Upload { what } => {
                (tasks.upload_what, tasks.upload_until) = (what.clone(), now + UPLOAD_MS);
            }
            Effect::Lead(lead) => tell(app, tx, &row.id, lead).await?,
            Effect::Call(call) => {
                messages.extend(actions::request(app, tx, row, call, now).await?);
            }
            Effect::SendCode { email } => codes::want(app, tx, &row.id, email, now).await?,
            Effect::Ticket(draft) => {
                tickets::open(app, tx, &row.id, draft, (tickets::BOT, now)).await?;
            }
        }
    }
    tx.put_tasks(&row.id, &tasks, now).await?;
    if moved {
        // What was done step by step was progress: the caps on automatic replies count anew.
        row.counted_from = row.head;
    }
    Ok(messages)
}

/// Keeps a lead, and tells the owner of it.
async fn tell(app: &App, tx: &mut Tx, conversation: &str, lead: &Lead) -> Result<(), StoreError> {
    let Some(News { title, text, urgent }) = leads::keep(app, tx, conversation, lead).await? else {
        return Ok(());
    };
    let conversation = conversation.to_owned();
    let notice = Notice { event: Event::NewLead, conversation, title, text, urgent };
    notify::event(app, tx, notice, app.clock.now_ms()).await
}

/// Says what a step says that no reply job has made: after a button, a right code, the end of a call.
///
/// # Errors
/// When the database fails.
pub async fn apply(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    step: Step,
) -> Result<Vec<Message>, StoreError> {
    let text = step.text();
    let Step { card, task, effects, hand_off: reason, .. } = step;
    let mut messages = Vec::new();
    let reason = reason.filter(|_| row.state == State::Bot.as_str());
    let sentence = match reason {
        Some(reason) => hand_off(app, tx, row, reason.as_str()).await?,
        None => None,
    };
    let text = with(&text, sentence.as_deref());
    if !text.is_empty() {
        let message =
            Message { card: card_json(card.as_ref()), ..Message::plain(Speaker::Bot, &text) };
        messages.push(say(app, tx, row, message).await?);
    }
    messages.extend(keep(app, tx, row, &Left { card, task, effects }).await?);
    Ok(messages)
}

/// What was being done is over.
///
/// # Errors
/// When the database fails.
pub async fn drop_task(tx: &mut Tx, conversation: &str, now: i64) -> Result<(), StoreError> {
    let tasks = Tasks { task: None, ..tx.tasks(conversation).await? };
    tx.put_tasks(conversation, &tasks, now).await
}

/// A card as it is stored.
pub fn card_json(card: Option<&engine::tasks::Card>) -> Option<String> {
    card.and_then(|card| serde_json::to_string(card).ok())
}

/// The visitor has pressed a button of the card that asks for confirmation. A card that is no longer the newest, or another
/// holder, changes nothing.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn confirm(
    app: &App,
    visitor: &Visitor,
    request: &str,
    yes: bool,
) -> Result<Option<Changes>, Refusal> {
    let Some(id) = &visitor.conversation else { return Err(Refusal::Unknown) };
    let mut tx = app.store.begin().await?;
    let row = tx.conversation(id).await?;
    let row = row.filter(|row| row.token_hash == visitor.token_hash);
    let mut row = row.ok_or(Refusal::Unknown)?;
    let Some(Task::Action(standing)) = read(&tx.tasks(id).await?) else { return Ok(None) };
    if row.holder()? != State::Bot || standing.id() != request {
        return Ok(None);
    }
    let prompts = app.mind.prompts();
    let proved = tx.proved(id, app.clock.now_ms()).await?;
    let verified = proved.as_deref();
    let ground = Ground { book: &prompts.books.actions, templates: &prompts.templates, verified };
    let Some(step) = engine::actions::confirmed(ground, &standing, yes) else { return Ok(None) };
    conversation::begin_again(app, &mut tx, &row).await?;
    changed(app, tx, (&mut row, step)).await.map(Some)
}

/// The visitor has shown that `email` is theirs: what waited for it goes on. Within the transaction that has counted the code.
///
/// # Errors
/// When the database fails.
pub async fn proved(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    email: &str,
) -> Result<Vec<Message>, StoreError> {
    let Some(Task::Action(request)) = read(&tx.tasks(&row.id).await?) else { return Ok(vec![]) };
    if row.holder()? != State::Bot {
        return Ok(vec![]);
    }
    let prompts = app.mind.prompts();
    let verified = Some(email);
    let ground = Ground { book: &prompts.books.actions, templates: &prompts.templates, verified };
    let step = engine::actions::proved(ground, &request);
    apply(app, tx, row, step).await
}

async fn changed(
    app: &App,
    mut tx: Tx,
    (row, step): (&mut Conversation, Step),
) -> Result<Changes, Refusal> {
    let before = row.state.clone();
    let messages = apply(app, &mut tx, row, step).await?;
    tx.update_conversation(row).await?;
    tx.commit().await?;
    Ok(Changes { passed: row.state != before, conversation: row.clone(), messages })
}
