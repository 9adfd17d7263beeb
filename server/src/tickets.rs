//! Tickets: opened by the bot after hours or by the owner, changed, and answered.

use engine::metrics::event::What;
use engine::summary::three_lines;
use engine::tickets::{Draft, Priority, SUBJECT_CHARS, SUMMARY_CHARS, line};

use crate::app::App;
use crate::conversation::{self, Refusal, Written};
use crate::events::record;
use crate::notify::{self, Event, Notice};
use crate::publish::{self, Changes};
use crate::store::tickets::{Change, Ticket};
use crate::store::{StoreError, Tx};
use crate::summary;
use crate::surveys::silence;

/// Who made what the bot made.
pub const BOT: &str = "bot";
/// The status of a ticket that nobody has taken up.
pub const OPEN: &str = "open";
/// The status of one that waits for the visitor.
pub const PENDING: &str = "pending";
/// The status of one that is done with.
pub const SOLVED: &str = "solved";

/// Labels of a ticket at most, and characters of one.
const TAGS: usize = 10;
const TAG_CHARS: usize = 60;
/// Messages that a summary is made from.
const RECENT: i64 = 200;

/// What is changed of a ticket; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// In one line.
    pub subject: Option<String>,
    /// In lines.
    pub summary: Option<String>,
    /// Labels.
    pub tags: Option<Vec<String>>,
    /// Word of a [`Priority`].
    pub priority: Option<Priority>,
    /// [`OPEN`], [`PENDING`] or [`SOLVED`].
    pub status: Option<String>,
    /// Where the visitor can be reached; empty for nowhere.
    pub email: Option<String>,
}

/// Opens a ticket for a conversation; `by` is [`BOT`] or the name of an owner. What comes again while the conversation's ticket is
/// unsolved is added to that one.
///
/// # Errors
/// [`StoreError`].
pub async fn open(
    app: &App,
    tx: &mut Tx,
    conversation: &str,
    draft: &Draft,
    (by, now): (&str, i64),
) -> Result<Ticket, StoreError> {
    let standing = tx.ticket_of(conversation).await?.filter(|ticket| ticket.status != SOLVED);
    if let Some(ticket) = standing.filter(|_| by == BOT) {
        return add(tx, ticket, draft, now).await;
    }
    let labels = labels(app, conversation, draft).await?;
    let ticket = Ticket {
        id: app.ids.id(),
        number: 0,
        conversation: conversation.into(),
        subject: line(&draft.subject, SUBJECT_CHARS),
        summary: whole_summary(app, conversation, &draft.summary).await?,
        tags: json(&labels),
        priority: draft.priority.as_str().into(),
        status: OPEN.into(),
        email: draft.email.clone(),
        made_by: by.into(),
        created_at: now,
        updated_at: now,
    };
    let ticket = tx.add_ticket(ticket).await?;
    let what = What::TicketOpened { number: ticket.number };
    record(app, tx, Some(conversation), what).await?;
    log(tx, &ticket, (by, now), ("made", &ticket.subject)).await?;
    let notice = Notice {
        event: Event::NewTicket,
        conversation: conversation.into(),
        title: format!("Ticket {}: {}", ticket.number, ticket.subject),
        text: ticket.summary.clone(),
        urgent: draft.priority == Priority::Urgent,
    };
    notify::event(app, tx, notice, now).await?;
    Ok(ticket)
}

/// Adds to a ticket what the visitor has said besides.
async fn add(tx: &mut Tx, ticket: Ticket, draft: &Draft, now: i64) -> Result<Ticket, StoreError> {
    let more = format!("{}\n{}", ticket.summary, draft.summary);
    let rises = priority(&ticket.priority) < draft.priority;
    let ticket = Ticket {
        summary: cut(&more, SUMMARY_CHARS),
        priority: if rises { draft.priority.as_str().into() } else { ticket.priority },
        email: draft.email.clone().or(ticket.email),
        updated_at: now,
        ..ticket
    };
    tx.update_ticket(&ticket).await?;
    log(tx, &ticket, (BOT, now), ("added", &draft.subject)).await?;
    Ok(ticket)
}

/// What the visitor said about it, then what was asked and tried.
async fn whole_summary(app: &App, conversation: &str, said: &str) -> Result<String, StoreError> {
    let head = app.store.conversation(conversation).await?.map_or(0, |row| row.head);
    let rows = app.store.messages(conversation, (head - RECENT).max(0), RECENT).await?;
    let cited = summary::cited(&rows);
    let [asked, tried, _] = three_lines(&summary::lines(&rows, &cited), "");
    let said = if said.trim().is_empty() { &asked } else { said };
    Ok(cut(&format!("{said}\n{tried}"), SUMMARY_CHARS))
}

/// The draft's labels, or the conversation's own.
async fn labels(app: &App, conversation: &str, draft: &Draft) -> Result<Vec<String>, StoreError> {
    if !draft.tags.is_empty() {
        return Ok(clean_tags(&draft.tags));
    }
    let row = app.store.conversation(conversation).await?;
    Ok(row.and_then(|row| row.tag).into_iter().collect())
}

/// Changes a ticket; each change is noted.
///
/// # Errors
/// [`StoreError`].
pub async fn edit(app: &App, ticket: Ticket, edit: &Edit, by: &str) -> Result<Ticket, StoreError> {
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    let Some(before) = tx.ticket(&ticket.id).await? else { return Ok(ticket) };
    let mut after = before.clone();
    if let Some(subject) = &edit.subject {
        after.subject = line(subject, SUBJECT_CHARS);
    }
    if let Some(summary) = &edit.summary {
        after.summary = cut(summary, SUMMARY_CHARS);
    }
    if let Some(tags) = &edit.tags {
        after.tags = json(&clean_tags(tags));
    }
    if let Some(priority) = edit.priority {
        after.priority = priority.as_str().into();
    }
    if let Some(status) = &edit.status {
        after.status.clone_from(status);
    }
    if let Some(email) = &edit.email {
        after.email = Some(email.clone()).filter(|email| !email.is_empty());
    }
    for (what, detail) in changed(&before, &after) {
        log(&mut tx, &after, (by, now), (what, &detail)).await?;
        after.updated_at = now;
    }
    tx.update_ticket(&after).await?;
    if after.status == SOLVED {
        silence::listen(app, &mut tx, &after.conversation).await?;
    }
    tx.commit().await?;
    Ok(after)
}

fn changed(before: &Ticket, after: &Ticket) -> Vec<(&'static str, String)> {
    let email = |ticket: &Ticket| ticket.email.clone().unwrap_or_default();
    let rows = [
        ("subject", before.subject.clone(), after.subject.clone()),
        ("summary", before.summary.clone(), after.summary.clone()),
        ("tags", before.tags.clone(), after.tags.clone()),
        ("priority", before.priority.clone(), after.priority.clone()),
        ("status", before.status.clone(), after.status.clone()),
        ("email", email(before), email(after)),
    ];
    let rows = rows.into_iter().filter(|(_, before, after)| before != after);
    rows.map(|(what, _, after)| (what, after)).collect()
}

/// Answers a ticket: a mail to the visitor, if an address is known, and a message in the conversation, both or neither. The ticket
/// then waits for the visitor. Whether a mail is sent comes back.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn reply(
    app: &App,
    ticket: &Ticket,
    (owner, text): (&str, &str),
) -> Result<bool, Refusal> {
    let now = app.clock.now_ms();
    let written = Written {
        client_msg_id: app.ids.id(),
        text: text.into(),
        suggestion: None,
        template: None,
        written_at: None,
    };
    let mut tx = app.store.begin().await?;
    let to = (owner, ticket.conversation.as_str());
    let (_, changes) = conversation::put(app, &mut tx, to, (&written, None)).await?;
    let mailed = match &ticket.email {
        Some(email) => {
            let about = (ticket.conversation.as_str(), "ticket_reply");
            let subject = format!("[{}] {}", ticket.number, ticket.subject);
            notify::mail::to_visitor(app, &mut tx, about, (email, &subject, text), now).await?
        }
        None => false,
    };
    if let Some(ticket) = tx.ticket(&ticket.id).await? {
        log(&mut tx, &ticket, (owner, now), ("replied", if mailed { "by e-mail" } else { "" }))
            .await?;
        if ticket.status == OPEN {
            log(&mut tx, &ticket, (owner, now), ("status", PENDING)).await?;
            tx.update_ticket(&Ticket { status: PENDING.into(), updated_at: now, ..ticket }).await?;
        }
    }
    tx.commit().await?;
    changes.into_iter().for_each(|changes: Changes| publish::changes(app, changes));
    Ok(mailed)
}

/// Notes what became of a ticket.
async fn log(
    tx: &mut Tx,
    ticket: &Ticket,
    (by, at): (&str, i64),
    (what, detail): (&str, &str),
) -> Result<(), StoreError> {
    let change = Change { at, made_by: by.into(), what: what.into(), detail: detail.into() };
    tx.log_ticket(&ticket.id, &change).await
}

fn clean_tags(tags: &[String]) -> Vec<String> {
    let mut clean: Vec<String> = Vec::new();
    for tag in tags.iter().map(|tag| line(tag, TAG_CHARS)).filter(|tag| !tag.is_empty()) {
        if clean.len() < TAGS && !clean.contains(&tag) {
            clean.push(tag);
        }
    }
    clean
}

/// The priority of a stored word.
pub fn priority(word: &str) -> Priority {
    serde_json::from_value(word.into()).unwrap_or_default()
}

/// Plain text, without control characters other than line breaks.
fn cut(text: &str, most: usize) -> String {
    text.trim().chars().filter(|c| !c.is_control() || *c == '\n').take(most).collect()
}

fn json(labels: &[String]) -> String {
    serde_json::to_string(labels).unwrap_or_else(|_| "[]".into())
}
