//! Plays one case over the real wire: does what each step says and collects what came of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::case::{Case, Step};
use super::judge::{self, Seen};
use super::owner::Owner;
use crate::wire::{self, Visitor};

/// Longest wait for something that is due, whatever else comes meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait, after that, for what is stored.
const SETTLING: Duration = Duration::from_secs(10);
/// How long an automatic reply is waited for where none may come.
const SILENCE: Duration = Duration::from_secs(2);

/// What came of a case.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// What was not as expected: step and reason.
    pub(super) failures: Vec<String>,
    /// Steps whose owner's side could not be looked at.
    pub(super) unchecked: usize,
    /// Milliseconds until each message was acknowledged.
    pub(super) acks: Vec<f64>,
    /// Milliseconds until the first text of each reply.
    pub(super) firsts: Vec<f64>,
    /// Milliseconds until each whole reply.
    pub(super) completes: Vec<f64>,
}

/// Plays it. An error is a broken wire, not a failed expectation.
pub(super) async fn play(server: &str, owner: Option<&Owner>, case: &Case) -> Result<Played> {
    let (visitor, welcome) = Visitor::open(server).await?;
    let token = welcome["token"].clone();
    let (conversation, survey, holder) = (Value::Null, Value::Null, "bot".to_owned());
    let mut player = Player { visitor, token, conversation, own_seq: 0, head: 0, holder, survey };
    let mut played = Played::default();
    for (number, step) in case.step.iter().enumerate() {
        let place = || format!("step {}", number + 1);
        let seen = player.act(step).await.with_context(place)?;
        let mut wrong = judge::judge(step, &seen);
        match owner {
            Some(owner) if step.asks_owner() => {
                let id = player.conversation.as_str().unwrap_or_default();
                let detail = owner.decided(id, player.own_seq).await.with_context(place)?;
                wrong.extend(judge::judge_owner(step, &detail));
            }
            _ => played.unchecked += usize::from(step.asks_owner()),
        }
        played.failures.extend(wrong.into_iter().map(|text| format!("{}: {text}", place())));
        played.acks.extend(seen.acks);
        played.firsts.extend(seen.first_ms);
        played.completes.extend(seen.complete_ms);
    }
    player.visitor.close().await?;
    Ok(played)
}

/// A visitor in a conversation.
struct Player {
    visitor: Visitor,
    token: Value,
    /// Id of the conversation; null before the first message.
    conversation: Value,
    /// Seq of the visitor's newest message.
    own_seq: i64,
    /// Newest seq that was seen.
    head: i64,
    /// Who held the conversation when the last step was over.
    holder: String,
    /// What was asked after the chat then; null for nothing.
    survey: Value,
}

impl Player {
    /// Does what the step says and reads until what is due has come, or can no longer come.
    async fn act(&mut self, step: &Step) -> Result<Seen> {
        let start = Instant::now();
        let words = step.words();
        if step.ask_person {
            self.visitor.frame(&json!({"type": "ask_person"})).await?;
        }
        for frame in self.after_chat(step) {
            self.visitor.frame(&frame).await?;
        }
        for text in &words {
            self.visitor.say(text).await?;
        }
        let mut seen = Seen::default();
        while seen.acks.len() < words.len() {
            let come = self.read(start, PATIENCE, &mut seen).await?;
            come.context("a message was not acknowledged in time")?;
        }
        // Only the bot answers by itself; who waits for a person gets nothing more.
        let due = step.ask_person || (self.holder == "bot" && !step.no_reply && !words.is_empty());
        let patience = if due { PATIENCE } else { SILENCE };
        while !self.is_answered(&seen) && self.read(start, patience, &mut seen).await?.is_some() {}
        self.settle(start, &mut seen).await?;
        if !self.is_answered(&seen) {
            (seen.reply, seen.complete_ms) = (None, None);
        }
        Ok(seen)
    }

    /// Whether the newest words have a reply; one that came before them answers earlier words.
    fn is_answered(&self, seen: &Seen) -> bool {
        seen.reply.as_ref().is_some_and(|reply| reply["seq"].as_i64() > Some(self.own_seq))
    }

    /// Says hello again, which tells what is stored by now: the holder, and messages that were not seen.
    async fn settle(&mut self, start: Instant, seen: &mut Seen) -> Result<()> {
        let hello = json!({
            "type": "hello", "v": 1, "token": self.token, "conversation": self.conversation, "last_seq": self.head
        });
        self.visitor.frame(&hello).await?;
        let mut stored = None;
        while stored.is_none_or(|head| self.head < head) {
            let patience = PATIENCE + SETTLING;
            let frame = self.read(start, patience, seen).await?.context("no second welcome")?;
            if frame["type"] == "welcome" {
                stored = frame["head"].as_i64();
                self.holder = frame["state"].as_str().unwrap_or_default().to_owned();
                self.survey = frame["survey"].clone();
            }
        }
        (seen.state, seen.survey) = (self.holder.clone(), self.survey.clone());
        Ok(())
    }

    /// What the step does at the end of a chat and after it.
    fn after_chat(&self, step: &Step) -> Vec<Value> {
        let mut frames = Vec::new();
        if step.resolve {
            frames.push(json!({"type": "resolve"}));
        }
        let id = &self.survey["id"];
        if let Some(score) = step.rate {
            frames.push(json!({"type": "survey_answer", "id": id, "score": score, "comment": ""}));
        }
        if step.decline {
            frames.push(json!({"type": "survey_decline", "id": id}));
        }
        frames
    }

    /// Takes in the next frame; none when `patience` is over, counted from the start of the step.
    async fn read(
        &mut self,
        start: Instant,
        patience: Duration,
        seen: &mut Seen,
    ) -> Result<Option<Value>> {
        // A bound over all, for pings of the server begin a single wait anew.
        let left = patience.saturating_sub(start.elapsed());
        let Ok(next) = timeout(left, self.visitor.next(PATIENCE * 2)).await else {
            return Ok(None);
        };
        let (frame, at) = next?;
        let ms = (at - start).as_secs_f64() * 1000.0;
        match frame["type"].as_str() {
            Some("ack") => {
                self.conversation = frame["conversation"].clone();
                self.own_seq = frame["seq"].as_i64().unwrap_or(0);
                seen.acks.push(ms);
            }
            Some("error" | "going_away") => bail!("the server answered {frame}"),
            Some("draft") if wire::shows_text(&frame) => _ = seen.first_ms.get_or_insert(ms),
            Some("message") => self.take(&frame, ms, seen),
            _ => {}
        }
        Ok(Some(frame))
    }

    /// Takes in a stored message that was not seen before.
    fn take(&mut self, message: &Value, ms: f64, seen: &mut Seen) {
        let seq = message["seq"].as_i64().unwrap_or(0);
        if seq <= self.head {
            return;
        }
        self.head = seq;
        if self.conversation.is_null() {
            self.conversation = message["conversation"].clone();
        }
        if !wire::is_reply(message) {
            return;
        }
        seen.replies += usize::from(message["from"] == "bot");
        seen.first_ms.get_or_insert(ms);
        seen.complete_ms = Some(ms);
        seen.reply = Some(message.clone());
    }
}
