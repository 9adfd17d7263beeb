//! The mail of the week: planned for Monday morning, written before it is due to leave, sent once.
//!
//! Counting a week takes a while, and what is due is done inside a transaction that everybody waits for. So the plan says first that it
//! is time, then a letter is written into it outside of any transaction, and sending takes only the letter out.

use serde::{Deserialize, Serialize};

use super::boards::{self, plain};
use super::{items, letter, refresh, week};
use crate::app::App;
use crate::jobs::{self, Due};
use crate::notify::{self, Event, Notice};
use crate::outbox::Channel;
use crate::protocol::record::json;
use crate::store::due::Item;
use crate::store::{StoreError, Tx};

/// There is one plan of its kind.
const SUBJECT: &str = "scorecard";
/// How long a letter may take to be written before it is looked for again.
const AGAIN_MS: i64 = 5 * 60_000;
/// A letter that has waited for so long has failed for good; another one is written.
const STUCK_MS: i64 = 86_400_000;

/// What is planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Plan {
    /// It is time, and the letter is not written yet.
    late: bool,
    letter: Option<Letter>,
    /// The week whose mail was sent last.
    sent: String,
}

/// A letter that is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Letter {
    title: String,
    text: String,
}

fn due(due_at: i64, plan: &Plan) -> Due {
    Due { kind: jobs::WEEKLY.into(), subject: SUBJECT.into(), due_at, body: json(plan) }
}

/// When the next mail leaves.
fn next(app: &App) -> i64 {
    week::mail_at(app.clock.now_ms(), app.mind.prompts().books.hours.time_zone())
}

/// Sees to it that the next mail is planned for the right moment, and writes the one that is due.
///
/// # Errors
/// When the database fails.
pub async fn look(app: &App) -> Result<(), StoreError> {
    let now = app.clock.now_ms();
    let planned = app.store.planned(jobs::WEEKLY, SUBJECT).await?;
    let Some(Item { due: before, .. }) = planned else {
        let mut tx = app.store.begin().await?;
        jobs::plan(&mut tx, due(next(app), &Plan::default())).await?;
        return tx.commit().await;
    };
    let plan: Plan = serde_json::from_str(&before.body).unwrap_or_default();
    if plan.letter.is_some() && now < before.due_at + STUCK_MS {
        return Ok(());
    }
    if !plan.late && before.due_at > now {
        // The hours may have moved to another zone, or the clock may have been set.
        let at = next(app);
        return if at == before.due_at { Ok(()) } else { replan(app, &before, (at, &plan)).await };
    }
    let letter = Some(write(app).await?);
    replan(app, &before, (now, &Plan { late: false, letter, ..plan })).await?;
    app.due.notify_one();
    Ok(())
}

/// Plans it anew, unless it was sent or planned anew by somebody else meanwhile.
async fn replan(app: &App, before: &Due, (at, plan): (i64, &Plan)) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    tx.move_due(before, &due(at, plan)).await?;
    tx.commit().await
}

/// Due work: sends the letter, and plans the next one.
///
/// # Errors
/// When the database fails.
pub async fn send(app: &App, tx: &mut Tx, body: &str) -> Result<(), StoreError> {
    let now = app.clock.now_ms();
    let plan: Plan = serde_json::from_str(body).unwrap_or_default();
    let week = items::week(app).name;
    if plan.sent == week {
        return jobs::plan(tx, due(next(app), &Plan { sent: week, ..Plan::default() })).await;
    }
    let Some(letter) = plan.letter else {
        app.measured.notify_one();
        return jobs::plan(tx, due(now + AGAIN_MS, &Plan { late: true, ..plan })).await;
    };
    notify::event(app, tx, notice(letter), now).await?;
    jobs::plan(tx, due(next(app), &Plan { sent: week, ..Plan::default() })).await
}

fn notice(Letter { title, text }: Letter) -> Notice {
    Notice {
        event: Event::WeeklyScorecard,
        conversation: String::new(),
        title,
        text,
        urgent: false,
    }
}

/// The letter about the week that is over.
async fn write(app: &App) -> Result<Letter, StoreError> {
    refresh(app).await?;
    let last = {
        let prompts = app.mind.prompts();
        week::last(app.clock.now_ms(), prompts.books.hours.time_zone())
    };
    let title = format!("Your chats in the week of {}", last.name);
    Ok(Letter { title, text: text(app, last.period).await? })
}

async fn text(app: &App, period: engine::metrics::Period) -> Result<String, StoreError> {
    let cards = plain(app, &[period, boards::before(period)]).await?;
    let items = items::list(app).await?;
    let page = format!("{}/console/#/scorecard", app.origins.base());
    let week = items::week(app).name;
    Ok(match cards.as_slice() {
        [card, earlier] => letter::text((card, earlier), (&items, &week), &page),
        _ => String::new(),
    })
}

/// Sends a mail about the last seven days at once; to whom it goes, by the routes' names.
///
/// # Errors
/// When the database fails.
pub async fn now(app: &App) -> Result<Vec<String>, StoreError> {
    let prompts = app.mind.prompts();
    let told = prompts.notify.told(Event::WeeklyScorecard).into_iter();
    let to: Vec<String> = told
        .filter(|(channel, _, _)| *channel != Channel::Browser)
        .map(|(channel, target, _)| channel.name(&target))
        .collect();
    if to.is_empty() {
        return Ok(to);
    }
    refresh(app).await?;
    let now = app.clock.now_ms();
    let period = engine::metrics::Period { from: now - 7 * 86_400_000, to: now };
    let letter =
        Letter { title: "Your chats in the last 7 days".into(), text: text(app, period).await? };
    let mut tx = app.store.begin().await?;
    notify::event(app, &mut tx, notice(letter), now).await?;
    tx.commit().await?;
    Ok(to)
}
