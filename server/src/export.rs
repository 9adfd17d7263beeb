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
    /// What an owner made of the suggestion, where there was one.
    verdict: Option<Verdict>,
    decision: Box<RawValue>,
}

/// What an owner made of a suggestion.
#[derive(Debug, Serialize)]
struct Verdict {
    /// `accepted`, `edited` or `discarded`.
    fate: String,
    suggested: String,
    /// What was sent, if anything was.
    sent: Option<String>,
    /// Characters between the two.
    distance: Option<i64>,
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
    let counted_from = store.conversation(id).await?.map_or(0, |row| row.counted_from);
    let settled = store.settled_suggestions(id).await?;
    let mut decided = 0;
    for (seq, decision) in decisions {
        let until = messages.partition_point(|message| message.seq <= seq);
        // Where counting began for turns before the newest hand-back is not kept.
        let counted_from = if seq > counted_from { counted_from } else { 0 };
        let turn = turn(&messages[..until], counted_from, decided)?;
        decided = seq;
        let answer = messages.iter().find(|message| message.reply_to == Some(seq));
        let judged = settled.iter().rfind(|settled| settled.for_seq == seq);
        let verdict = judged.map(|settled| Verdict {
            fate: settled.status.clone(),
            suggested: settled.text.clone(),
            sent: settled.sent.clone(),
            distance: settled.distance,
        });
        let history = turn.history.into_iter().map(|m| (m.speaker.as_str(), m.text)).collect();
        let line = Line {
            conversation: id.into(),
            seq,
            question: turn.question,
            history,
            bot_turns: turn.bot_turns,
            scope: turn.scope,
            answer: answer.map(|message| message.text.clone()),
            verdict,
            decision: raw(decision),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(count)
}
