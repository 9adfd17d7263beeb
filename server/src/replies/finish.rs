//! The end of a reply job: one transaction, fenced by the lease, that stores the reply and the decision or neither.

use engine::fence::{Scene, Verdict, may_finish};
use engine::metrics::event::What;
use engine::rules::Action;
use engine::turn::Speaker;

use crate::app::App;
use crate::events::record;
use crate::hand_off::{hand_off, with};
use crate::hub::Item;
use crate::protocol::record::Decision;
use crate::protocol::record::json;
use crate::protocol::server::Frame;
use crate::publish::{self, Changes};
use crate::said::say;
use crate::store::conversations::Conversation;
use crate::store::jobs::Job;
use crate::store::messages::Message;
use crate::store::suggestions::Suggestion;
use crate::store::{StoreError, Tx};
use crate::tasks;

use super::Made;

/// Why a reply that took too long went to a person.
const TIMED_OUT: &str = "The reply took longer than replies.timeout_s allows.";
/// First digits of the drafter's hash that records show.
const HASH_DIGITS: usize = 12;

/// Stores what came of a job, if it may still be said, and tells everybody.
pub(super) async fn finish(
    app: &App,
    (job, lease): (&Job, &str),
    before: &Conversation,
    made: &Made,
) -> Result<(), StoreError> {
    failpoint!("K12");
    if app.shutdown.is_cancelled() && made.outcome.cancelled {
        // The job stays leased; the next start takes it up.
        made.show.withdraw(app);
        return Ok(());
    }
    let mut decision = decision(app, job, made);
    let mut tx = app.store.begin().await?;
    let (row, verdict) = fenced(&mut tx, job, lease).await?;
    let cancelled = made.outcome.cancelled && !made.timed_out;
    if cancelled && row.is_some() {
        let what = What::DraftCancelled { for_seq: job.for_seq };
        record(app, &mut tx, Some(&job.conversation), what).await?;
    }
    let Some(mut row) = row.filter(|_| matches!(verdict, Verdict::Reply | Verdict::Suggest)) else {
        if verdict == Verdict::Leave {
            keep(app, &mut tx, job, made).await?;
        }
        tx.commit().await?;
        made.show.withdraw(app);
        app.hub.to_watchers(&job.conversation, &Item::Suggestion);
        return Ok(());
    };
    if verdict == Verdict::Suggest && made.outcome.decision.action == Action::Send {
        // A person holds the conversation: however sure it is, the draft is theirs to send.
        decision.action = Action::Hold.as_str().into();
    }
    let mut messages = Vec::new();
    let mut sent = false;
    if !cancelled {
        record(app, &mut tx, Some(&row.id), decided(&decision, made)).await?;
        let wanted = match verdict {
            Verdict::Reply => end(app, &mut tx, &mut row, (job, made)).await?,
            _ => None,
        };
        sent = wanted.as_ref().is_some_and(|message| message.draft_id.is_some());
        if let Some(message) = wanted {
            messages.push(say(app, &mut tx, &mut row, message).await?);
        }
        if let (Verdict::Reply, Some(left)) = (verdict, &made.outcome.left) {
            messages.extend(tasks::keep(app, &mut tx, &mut row, left).await?);
        }
        if !sent {
            keep(app, &mut tx, job, made).await?;
        }
        let body = json(&decision);
        tx.decide(&row.id, job.for_seq, (app.clock.now_ms(), &body)).await?;
    }
    failpoint!("K13");
    tx.finish_job(&job.id).await?;
    tx.update_conversation(&row).await?;
    tx.commit().await?;
    failpoint!("K14");
    if let Some(fault) = &made.outcome.fault {
        tracing::error!(fault, "a reply failed and was handed to a person");
    }
    if !sent {
        made.show.withdraw(app);
    }
    let changes = Changes { passed: row.state != before.state, conversation: row, messages };
    tell(app, changes, (!cancelled).then_some(decision));
    Ok(())
}

/// The conversation, and what may become of the draft by what has happened since it was begun.
async fn fenced(
    tx: &mut Tx,
    job: &Job,
    lease: &str,
) -> Result<(Option<Conversation>, Verdict), StoreError> {
    let leased = tx.holds_job(&job.id, lease).await?;
    let Some(row) = tx.conversation(&job.conversation).await? else {
        return Ok((None, Verdict::Drop));
    };
    let verdict = may_finish(job.claim(), scene(tx, &row, leased).await?);
    Ok((Some(row), verdict))
}

/// The conversation as the fence sees it.
async fn scene(tx: &mut Tx, row: &Conversation, leased: bool) -> Result<Scene, StoreError> {
    Ok(Scene {
        state: row.holder()?,
        generation: row.generation,
        leased,
        visitor: tx.newest(&row.id, Speaker::Visitor).await?,
        owner: tx.newest(&row.id, Speaker::Owner).await?,
    })
}

/// What the visitor gets, and the conversation's next state.
async fn end(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    (job, made): (&Job, &Made),
) -> Result<Option<Message>, StoreError> {
    let outcome = &made.outcome;
    let reply_to = Some(job.for_seq);
    if made.timed_out {
        let sentence = hand_off(app, tx, row, "timeout").await?;
        let fault = app.mind.prompts().templates.say("fault");
        let line = Message::plain(Speaker::Bot, &with(&fault, sentence.as_deref()));
        return Ok(Some(Message { reply_to, ..line }));
    }
    if let (Action::Send, Some(draft)) = (outcome.decision.action, &outcome.draft) {
        return Ok(Some(Message {
            pieces: json(&draft.pieces),
            citations: json(&made.show.citations()),
            draft_id: Some(job.id.clone()),
            reply_to,
            card: tasks::card_json(outcome.left.as_ref().and_then(|left| left.card.as_ref())),
            ..Message::plain(Speaker::Bot, &draft.text())
        }));
    }
    let sentence = hand_off(app, tx, row, outcome.decision.reason.as_str()).await?;
    let say = with(outcome.say.as_deref().unwrap_or_default(), sentence.as_deref());
    let say = Some(say).filter(|say| !say.is_empty());
    Ok(say.map(|say| Message { reply_to, ..Message::plain(Speaker::Bot, &say) }))
}

/// Keeps a draft that was not sent as a suggestion.
async fn keep(app: &App, tx: &mut Tx, job: &Job, made: &Made) -> Result<(), StoreError> {
    let Some(draft) = made.outcome.draft.as_ref().filter(|draft| !draft.citations.is_empty())
    else {
        return Ok(());
    };
    let suggestion = Suggestion {
        id: job.id.clone(),
        conversation: job.conversation.clone(),
        for_seq: job.for_seq,
        text: draft.text(),
        pieces: json(&draft.pieces),
        citations: json(&made.show.citations()),
        confidence: f64::from(made.outcome.confidence.value),
    };
    tx.suggest(&suggestion, app.clock.now_ms()).await
}

/// The decision for the stream of events.
fn decided(decision: &Decision, made: &Made) -> What {
    What::ReplyDecided {
        for_seq: decision.for_seq,
        action: decision.action.clone(),
        rule: decision.rule.clone(),
        reason: decision.reason.clone(),
        confidence: decision.confidence,
        frustration: made.outcome.frustration,
        tags: decision.intents.iter().map(|tag| tag.id.clone()).collect(),
    }
}

fn decision(app: &App, job: &Job, made: &Made) -> Decision {
    let (outcome, card) = (&made.outcome, app.mind.model.card());
    let hash: String = card.drafter_sha256.chars().take(HASH_DIGITS).collect();
    let named = outcome.confidence.signals.named();
    let tone = [("frustration", outcome.frustration)];
    Decision {
        action: outcome.decision.action.as_str().into(),
        rule: if made.timed_out { "timeout".into() } else { outcome.decision.rule.clone() },
        reason: if made.timed_out {
            "timeout".into()
        } else {
            outcome.decision.reason.as_str().into()
        },
        why: if made.timed_out { TIMED_OUT.into() } else { outcome.decision.reason.why().into() },
        confidence: outcome.confidence.value,
        signals: named.into_iter().chain(tone).map(|(n, value)| (n.to_owned(), value)).collect(),
        send_at: outcome.bands.0,
        hold_at: outcome.bands.1,
        intents: outcome.reading.tags.clone(),
        for_seq: job.for_seq,
        mode: outcome.mode.as_str().into(),
        drafter: format!("{} ({hash})", card.drafter),
        knowledge: made.edition.short_version(),
        timings_ms: made.timings.clone(),
    }
}

fn tell(app: &App, changes: Changes, decision: Option<Decision>) {
    let id = changes.conversation.id.clone();
    publish::changes(app, changes);
    if let Some(decision) = decision {
        let frame = Frame::Decision { conversation: id.clone(), decision: Box::new(decision) };
        app.hub.to_watchers(&id, &Item::Durable(frame.text()));
    }
}

/// Gives a job that no worker finishes to a person.
pub(super) async fn give_up(app: &App, job: &Job, now: i64) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    if !tx.job_is_lost(&job.id, now).await? {
        return Ok(());
    }
    let Some(mut row) = tx.conversation(&job.conversation).await? else { return Ok(()) };
    let before = row.clone();
    let mut messages = Vec::new();
    let scene = scene(&mut tx, &row, true).await?;
    if may_finish(job.claim(), scene) == Verdict::Reply {
        let sentence = hand_off(app, &mut tx, &mut row, "fault").await?;
        let fault = app.mind.prompts().templates.say("fault");
        let line = Message::plain(Speaker::Bot, &with(&fault, sentence.as_deref()));
        let line = Message { reply_to: Some(job.for_seq), ..line };
        messages.push(say(app, &mut tx, &mut row, line).await?);
    }
    tx.finish_job(&job.id).await?;
    tx.update_conversation(&row).await?;
    tx.commit().await?;
    let changes = Changes { passed: row.state != before.state, conversation: row, messages };
    tell(app, changes, None);
    Ok(())
}
