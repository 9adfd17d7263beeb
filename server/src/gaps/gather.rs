//! What visitors have asked lately, and what became of it.

use std::collections::HashMap;

use engine::gaps::{Fate, Judgement, MOST, failure, question};
use engine::metrics::event::{Event, What};
use engine::metrics::{Case, cases};
use engine::rules::{Action, Reason};
use serde::de::DeserializeOwned;

use super::WINDOW_MS;
use super::draft::LONGEST;
use crate::app::App;
use crate::replies::turn::turn;
use crate::store::StoreError;
use crate::store::messages::Message;

/// Conversations that are read at most, the newest.
const CONVERSATIONS: i64 = 2_000;
/// Messages of one that are read at most.
const MESSAGES: i64 = 400;

/// A question of a visitor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    pub(super) conversation: String,
    pub(super) seq: i64,
    /// The browser; the conversation where that is unknown.
    pub(super) visitor: String,
    /// Masked, in one line.
    pub(super) text: String,
    /// 0 to 1; none when it was served well, or is no matter of the documents.
    pub(super) failure: Option<f64>,
}

/// A conversation that was answered by a person and is closed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Talk {
    pub(super) rows: Vec<Message>,
}

/// What was asked in the last four weeks, the newest first, and where people have answered.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) questions: Vec<Question>,
    pub(super) answered: HashMap<String, Talk>,
}

/// Reads it, [`MOST`] questions at most. Conversations that only try the measuring out are left out.
pub(super) async fn gather(app: &App) -> Result<Gathered, StoreError> {
    let since = app.clock.now_ms() - WINDOW_MS;
    let mut gathered = Gathered::default();
    for id in app.store.decided_since(since, CONVERSATIONS).await? {
        if gathered.questions.len() >= MOST {
            break;
        }
        one(app, &id, since, &mut gathered).await?;
    }
    gathered.questions.truncate(MOST);
    Ok(gathered)
}

async fn one(app: &App, id: &str, since: i64, into: &mut Gathered) -> Result<(), StoreError> {
    let Some(row) = app.store.conversation(id).await? else { return Ok(()) };
    let events = app.store.events_of(id).await?;
    let cases = cases(&events);
    if cases.is_empty() {
        return Ok(());
    }
    let rows = app.store.messages(id, (row.head - MESSAGES).max(0), MESSAGES).await?;
    let settled = app.store.settled_suggestions(id).await?;
    let lengths: HashMap<i64, usize> =
        settled.iter().map(|one| (one.for_seq, one.text.chars().count())).collect();
    let visitor =
        row.visitor.clone().filter(|one| !one.is_empty()).unwrap_or_else(|| id.to_owned());
    let mut decided = 0;
    for event in &events {
        let What::ReplyDecided { for_seq, action, reason, .. } = &event.what else { continue };
        let before = std::mem::replace(&mut decided, *for_seq);
        let text = asked(&rows, *for_seq, before)?;
        if event.at < since || text.is_empty() {
            continue;
        }
        let (Some(action), Some(reason)) = (known::<Action>(action), known::<Reason>(reason))
        else {
            continue;
        };
        let suggestion = judgement(&events, *for_seq, &lengths);
        let fate = Fate { action, reason, suggestion, csat: csat(&cases, event.at) };
        into.questions.push(Question {
            conversation: id.to_owned(),
            seq: *for_seq,
            visitor: visitor.clone(),
            text,
            failure: failure(&fate),
        });
    }
    let by_person = rows.iter().any(|row| row.speaker == engine::turn::Speaker::Owner.as_str());
    if by_person
        && rows.len() <= LONGEST
        && row.state == engine::conversation::State::Closed.as_str()
    {
        into.answered.insert(id.to_owned(), Talk { rows });
    }
    Ok(())
}

/// The words that a decision was about, in one line, masked.
fn asked(rows: &[Message], seq: i64, decided: i64) -> Result<String, StoreError> {
    let until = rows.partition_point(|row| row.seq <= seq);
    Ok(question(&turn(&rows[..until], 0, decided.min(seq - 1))?.question))
}

/// A word of the stream as the engine has it; none of a newer version's words.
fn known<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

/// What the owner made of the suggestion for a message.
fn judgement(events: &[Event], seq: i64, lengths: &HashMap<i64, usize>) -> Option<Judgement> {
    events.iter().rev().find_map(|event| match event.what {
        What::SuggestionAccepted { for_seq } if for_seq == seq => Some(Judgement::Accepted),
        What::SuggestionDiscarded { for_seq } if for_seq == seq => Some(Judgement::Discarded),
        What::SuggestionEdited { for_seq, distance } if for_seq == seq => {
            let length = lengths.get(&seq).copied().unwrap_or(1).max(1);
            Some(Judgement::Edited(distance as f64 / length as f64))
        }
        _ => None,
    })
}

/// The rating of the case that was open at a moment.
fn csat(cases: &[Case], at: i64) -> Option<f64> {
    let case = cases.iter().rev().find(|case| case.began_at <= at)?;
    case.rating().map(f64::from)
}
