//! Stored turns as JSON lines: what was asked, what came before, what was answered and decided. For replaying them on
//! other knowledge, another policy or another model.

use std::io::Write;

use anyhow::Result;
use engine::scope::Scope;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::protocol::record::raw;
use crate::replies::turn::turn;
use crate::store::Store;

/// Conversations that are read at once.
const PAGE: i64 = 200;

/// One turn.
#[derive(Debug, Serialize)]
struct Line {
    conversation: String,
    seq: i64,
    question: String,
    /// Speaker and text, oldest first.
    history: Vec<(&'static str, String)>,
    bot_turns: u32,
    #[serde(skip_serializing_if = "Scope::is_open")]
    scope: Scope,
    /// What the bot sent, if it sent anything.
    answer: Option<String>,
    decision: Box<RawValue>,
}

/// Writes every turn that was decided about, conversation by conversation; how many there were.
///
/// # Errors
/// When the database cannot be read or `out` cannot be written.
pub async fn write(store: &Store, out: &mut impl Write) -> Result<usize> {
    let (mut count, mut after) = (0, String::new());
    loop {
        let ids = store.conversation_ids(&after, PAGE).await?;
        let Some(last) = ids.last().cloned() else { return Ok(count) };
        for id in ids {
            count += conversation(store, &id, out).await?;
        }
        after = last;
    }
}

async fn conversation(store: &Store, id: &str, out: &mut impl Write) -> Result<usize> {
    let messages = store.messages(id, 0, i64::MAX).await?;
    let decisions = store.decisions(id).await?;
    let count = decisions.len();
    for (seq, decision) in decisions {
        let until = messages.partition_point(|message| message.seq <= seq);
        let turn = turn(&messages[..until])?;
        let answer = messages.iter().find(|message| message.reply_to == Some(seq));
        let history = turn.history.into_iter().map(|m| (m.speaker.as_str(), m.text)).collect();
        let line = Line {
            conversation: id.into(),
            seq,
            question: turn.question,
            history,
            bot_turns: turn.bot_turns,
            scope: turn.scope,
            answer: answer.map(|message| message.text.clone()),
            decision: raw(decision),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(count)
}
