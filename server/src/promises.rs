//! What a visitor is told about when a person replies: from the owner's own figures, kept, and the owner is warned before it breaks.

use engine::hours::Promise;
use engine::language::of_visitor;
use engine::turn::Speaker;

use crate::app::App;
use crate::jobs::{self, Due};
use crate::notify::{self, Event, Notice};
use crate::replies::turn::turn;
use crate::store::conversations::Conversation;
use crate::store::{StoreError, Tx};

/// How far back replies count.
const SINCE_MS: i64 = 28 * 24 * 60 * 60 * 1_000;
/// Replies that are looked at, the newest.
const REPLIES: i64 = 500;
/// Messages that the visitor's language is read from.
const RECENT: i64 = 20;
/// The language that moments are said in.
const ENGLISH: &str = "en";
/// Reasons of hand-offs whose words do not say when somebody is there.
const SILENT: [&str; 3] = ["fault", "timeout", "busy"];

/// How long replies took of late, in milliseconds of office hours.
///
/// # Errors
/// When the database fails.
pub async fn figures(app: &App, now: i64) -> Result<Vec<i64>, StoreError> {
    let replied = app.store.replied(now - SINCE_MS, REPLIES).await?;
    let prompts = app.mind.prompts();
    let hours = &prompts.books.hours;
    // Who asked at night was promised nothing, and says nothing about the day.
    let asked_by_day = replied.into_iter().filter(|(asked, _)| hours.is_open(*asked));
    Ok(asked_by_day.map(|(asked, at)| hours.open_ms_between(asked, at)).collect())
}

/// A person is asked for: notes it, plans the warning, and gives the sentence that the visitor is told besides. Without office hours
/// nothing is promised.
///
/// # Errors
/// When the database fails.
pub async fn at_hand_off(
    app: &App,
    tx: &mut Tx,
    row: &Conversation,
    now: i64,
) -> Result<Option<String>, StoreError> {
    let id = row.id.as_str();
    let closed = crate::hours::is_closed(app, now).await?;
    let prompts = app.mind.prompts();
    let hours = &prompts.books.hours;
    if closed || !hours.is_set() {
        tx.promise((&app.ids.id(), id), now, (None, None)).await?;
        let silent = row.reason.as_deref().is_some_and(|reason| SILENT.contains(&reason));
        return if closed && silent { away(app, now).await } else { Ok(None) };
    }
    let figures = figures(app, now).await?;
    let (promise, minutes) = (hours.promise(now, &figures), hours.usual_minutes(&figures));
    tx.promise((&app.ids.id(), id), now, (minutes, promise.due_at())).await?;
    if let Some(due_at) = promise.due_at() {
        plan(tx, (jobs::PROMISE, id), now + (due_at - now) / 5 * 4).await?;
    }
    Ok(Some(sentence(app, id, &promise).await?).filter(|sentence| !sentence.is_empty()))
}

/// A person is asked for: the owner is told when nobody has answered for a while.
///
/// # Errors
/// When the database fails.
pub async fn remind(app: &App, tx: &mut Tx, id: &str, now: i64) -> Result<(), StoreError> {
    match notify::unanswered_after(app) {
        Some(after) => plan(tx, (jobs::UNANSWERED, id), now + after).await,
        None => Ok(()),
    }
}

/// That nobody is there, for hand-offs that are not the visitor's wish.
async fn away(app: &App, now: i64) -> Result<Option<String>, StoreError> {
    let engine::hours::Availability::Closed { opens } =
        crate::hours::availability(app, now).await?
    else {
        return Ok(None);
    };
    let id = if opens.is_empty() { "away_unknown" } else { "away" };
    let text = app.mind.prompts().templates.say(id).replace("{opens}", &opens);
    Ok(Some(text).filter(|text| !text.is_empty()))
}

async fn plan(tx: &mut Tx, (kind, id): (&str, &str), due_at: i64) -> Result<(), StoreError> {
    let due = Due { kind: kind.into(), subject: id.into(), due_at, body: "{}".into() };
    jobs::plan(tx, due).await
}

/// The promise in the visitor's language.
async fn sentence(app: &App, id: &str, promise: &Promise) -> Result<String, StoreError> {
    let head = app.store.conversation(id).await?.map_or(0, |row| row.head);
    let rows = app.store.messages(id, (head - RECENT).max(0), RECENT).await?;
    let language = of_visitor(&turn(&rows, 0, 0)?);
    let prompts = app.mind.prompts();
    let say = |id: &str| prompts.templates.say_in(language.unwrap_or(ENGLISH), id);
    Ok(match promise {
        Promise::Within { minutes, .. } => {
            say("promise_minutes").replace("{minutes}", &minutes.to_string())
        }
        Promise::By { when, .. } if language.is_none_or(|language| language == ENGLISH) => {
            say("promise_by").replace("{when}", when)
        }
        Promise::By { .. } | Promise::Soon => say("promise_soon"),
    })
}

/// A person has written at `at`: what was promised is kept, and nobody needs to be warned or reminded.
///
/// # Errors
/// When the database fails.
pub async fn kept(tx: &mut Tx, conversation: &str, at: i64) -> Result<(), StoreError> {
    tx.keep_promises(conversation, at).await?;
    forget(tx, conversation).await
}

/// Nobody is waited for any more: the conversation went back to the bot, or is over.
///
/// # Errors
/// When the database fails.
pub async fn ended(tx: &mut Tx, conversation: &str, now: i64) -> Result<(), StoreError> {
    tx.end_promises(conversation, now).await?;
    forget(tx, conversation).await
}

async fn forget(tx: &mut Tx, conversation: &str) -> Result<(), StoreError> {
    for kind in [jobs::PROMISE, jobs::UNANSWERED, jobs::FOLLOW_UP] {
        jobs::drop(tx, kind, conversation).await?;
    }
    Ok(())
}

/// Due work: the promise is about to break.
///
/// # Errors
/// When the database fails.
pub async fn warn(app: &App, tx: &mut Tx, conversation: &str) -> Result<(), StoreError> {
    let promised = tx.promised(conversation).await?;
    let open = promised.filter(|p| p.kept_at.is_none() && p.dropped_at.is_none());
    let Some(due_at) = open.and_then(|promised| promised.due_at) else { return Ok(()) };
    let now = app.clock.now_ms();
    let when = app.mind.prompts().books.hours.when(now, due_at);
    let late = if due_at < now { "has broken" } else { "is about to break" };
    let text = tx.newest_text(conversation, Speaker::Visitor).await?.unwrap_or_default();
    let notice = Notice {
        event: Event::PromiseDue,
        conversation: conversation.into(),
        title: format!("A promise {late}: a reply was promised for {when}"),
        text,
        urgent: false,
    };
    notify::event(app, tx, notice, now).await
}
