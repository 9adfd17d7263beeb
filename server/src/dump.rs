//! The database as JSON lines, for the program that compares it with what clients were told.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::config::Settings;
use crate::startup::data;
use crate::store::Store;
use crate::store::conversations::Conversation;
use crate::store::dump::Standing;
use crate::store::messages::Message;

/// Rows that are read at once.
const PAGE: i64 = 200;

/// One line.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'a> {
    /// The first one.
    Database { sqlite: String, integrity: Vec<String> },
    Conversation {
        id: &'a str,
        epoch: &'a str,
        head: i64,
        state: &'a str,
        generation: i64,
        marks: Marks,
    },
    /// After its conversation, in order.
    Message {
        conversation: &'a str,
        seq: i64,
        from: &'a str,
        id: Option<&'a str>,
        text: &'a str,
        reply_to: Option<i64>,
        draft_id: Option<&'a str>,
    },
    /// After the messages of its conversation.
    Job { conversation: &'a str, for_seq: i64, status: &'a str, leased_until: i64 },
    /// The last one: without it the dump is not whole.
    End { conversations: usize, messages: usize, jobs: usize },
}

/// How far each side has got, as seqs.
#[derive(Debug, Serialize)]
struct Marks {
    owner_read: i64,
    visitor_delivered: i64,
    visitor_read: i64,
}

/// Writes all of it; a page of messages is the most that is in memory.
///
/// # Errors
/// When there is no database, a server is at work on it, it cannot be read, or `out` cannot be written.
pub async fn write(settings: &Settings, out: &mut impl Write) -> Result<()> {
    let path = data::path(settings);
    ensure!(
        path.exists(),
        "there is no database {}. Name the folder of one with --data-dir.",
        path.display()
    );
    let _lock = data::lock(settings)?;
    let store = data::database(settings).await?;
    let written = lines(&store, out).await;
    store.close().await;
    written
}

async fn lines(store: &Store, out: &mut impl Write) -> Result<()> {
    let (sqlite, integrity) = (store.sqlite_version().await?, store.integrity().await?);
    line(out, &Line::Database { sqlite, integrity })?;
    let (mut conversations, mut messages, mut jobs) = (0, 0, 0);
    let mut after = String::new();
    loop {
        let ids = store.conversation_ids(&after, PAGE).await?;
        let Some(last) = ids.last().cloned() else { break };
        for id in ids {
            let row = store.conversation(&id).await?.context("a conversation has gone")?;
            line(out, &Line::from(&row))?;
            conversations += 1;
            messages += messages_of(store, &id, out).await?;
            for job in store.jobs_of(&id).await? {
                line(out, &Line::job(&id, &job))?;
                jobs += 1;
            }
        }
        after = last;
    }
    line(out, &Line::End { conversations, messages, jobs })
}

async fn messages_of(store: &Store, id: &str, out: &mut impl Write) -> Result<usize> {
    let (mut count, mut after) = (0, i64::MIN);
    loop {
        let page = store.messages(id, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = last.seq;
        count += page.len();
        for message in &page {
            line(out, &Line::from(message))?;
        }
    }
}

fn line(out: &mut impl Write, line: &Line) -> Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    Ok(out.write_all(b"\n")?)
}

impl<'a> From<&'a Conversation> for Line<'a> {
    fn from(row: &'a Conversation) -> Self {
        Self::Conversation {
            id: &row.id,
            epoch: &row.epoch,
            head: row.head,
            state: &row.state,
            generation: row.generation,
            marks: Marks {
                owner_read: row.owner_read,
                visitor_delivered: row.visitor_delivered,
                visitor_read: row.visitor_read,
            },
        }
    }
}

impl<'a> From<&'a Message> for Line<'a> {
    fn from(message: &'a Message) -> Self {
        Self::Message {
            conversation: &message.conversation,
            seq: message.seq,
            from: &message.speaker,
            id: message.client_msg_id.as_deref(),
            text: &message.text,
            reply_to: message.reply_to,
            draft_id: message.draft_id.as_deref(),
        }
    }
}

impl<'a> Line<'a> {
    fn job(conversation: &'a str, job: &'a Standing) -> Self {
        let (for_seq, leased_until) = (job.for_seq, job.leased_until);
        Self::Job { conversation, for_seq, status: &job.status, leased_until }
    }
}
