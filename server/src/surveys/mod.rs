//! What visitors are asked after a case, and what they say: asked in the transaction that resolves it, answered at most once.

pub mod review;
pub mod silence;

use engine::conversation::State;
use engine::mask::mask;
use engine::metrics::event::{By, What};
use engine::surveys::{ANSWER_MS, CHANGE_MS, Kind, NPS_MAX, Past, Status, ask};
use engine::turn::Speaker;

use crate::app::App;
use crate::events::record;
use crate::hub::Item;
use crate::protocol::record::{Asked, Decision};
use crate::publish;
use crate::store::conversations::Conversation;
use crate::store::surveys::{Resolved, Survey};
use crate::store::{StoreError, Tx};

/// Characters of a comment.
const COMMENT: usize = 1_000;
/// What the scores of a recommendation look like.
const NUMBERS: &str = "numbers";
/// How a resolve by silence is noted.
const SILENCE: &str = "silence";

/// Why an answer is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Unasked {
    /// There is no such question, or it is somebody else's.
    #[error("There is no such question.")]
    Unknown,
    /// It waits no longer.
    #[error("This question can no longer be answered.")]
    Over,
    /// It is no answer.
    #[error("{0}")]
    Bad(String),
    /// The database failed.
    #[error("The answer could not be stored. Please try again.")]
    Store(#[from] StoreError),
}

/// What a visitor says to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The score.
    pub score: i64,
    /// Words beside it: none may still follow where this is `None`, and none do where it is empty.
    pub comment: Option<String>,
}

/// A case has just been resolved: notes how, and asks what there is to ask.
///
/// # Errors
/// When the database fails.
pub(crate) async fn resolved(
    app: &App,
    tx: &mut Tx,
    row: &Conversation,
    by: By,
) -> Result<(), StoreError> {
    let place = row.running().place;
    let made_by = match by {
        By::Owner => "owner",
        By::Visitor => "visitor",
        By::Silence => SILENCE,
    };
    let resolved = Resolved {
        place,
        made_by: made_by.into(),
        at: app.clock.now_ms(),
        frustration: frustration(app, tx, &row.id).await?,
    };
    tx.resolve_case(&row.id, &resolved).await?;
    tx.expire_surveys(&row.id, place).await?;
    review::look(app, tx, (&row.id, place)).await?;
    put(app, tx, (&row.id, place)).await
}

/// How annoyed the visitor's last words sounded; `None` where no reply was made for them.
async fn frustration(app: &App, tx: &mut Tx, id: &str) -> Result<Option<f64>, StoreError> {
    let newest = tx.newest(id, Speaker::Visitor).await?;
    let decision = app.store.newest_decision(id).await?;
    let decision: Option<Decision> = decision.and_then(|json| serde_json::from_str(&json).ok());
    let of_them = decision.filter(|decision| decision.for_seq == newest);
    Ok(of_them.and_then(|decision| decision.signals.get("frustration").map(|one| f64::from(*one))))
}

/// Asks what there is to ask in a resolved case.
async fn put(app: &App, tx: &mut Tx, (id, place): (&str, i64)) -> Result<(), StoreError> {
    let now = app.clock.now_ms();
    let (resolved, nps_at) = tx.asked_before(id).await?;
    let case = tx.surveys(id).await?.into_iter().filter(|survey| survey.place == place);
    let past = Past {
        confirmed: tx.case_resolved(id, place).await?.is_some_and(|case| case.made_by != SILENCE),
        case: case.filter_map(|one| Some((one.kind.parse().ok()?, standing(&one, now)?))).collect(),
        resolved: u32::try_from(resolved).unwrap_or(u32::MAX),
        nps_at,
    };
    let prompts = app.mind.prompts();
    let rules = &prompts.surveys;
    let (scale, look, question, comment) = match (ask(rules, &past, now), &rules.csat, &rules.nps) {
        (Some(Kind::Csat), Some(csat), _) => {
            (csat.scale, csat.look.as_str(), &csat.question, &csat.comment)
        }
        (Some(Kind::Nps), _, Some(nps)) => (NPS_MAX, NUMBERS, &nps.question, &nps.comment),
        _ => return Ok(()),
    };
    let (kind, what) = match look {
        NUMBERS => (Kind::Nps, What::NpsAsked {}),
        _ => (Kind::Csat, What::CsatAsked {}),
    };
    let survey = Survey {
        id: app.ids.id(),
        conversation: id.into(),
        place,
        kind: kind.as_str().into(),
        scale: scale.into(),
        look: look.into(),
        question: question.clone(),
        comment_question: comment.clone(),
        status: Status::Open.as_str().into(),
        score: None,
        comment: None,
        finished: 0,
        asked_at: now,
        answered_at: None,
    };
    tx.ask(&survey).await?;
    record(app, tx, Some(id), what).await
}

/// How a question stands now: what has waited for too long waits no more. `None` where the stored word means nothing.
pub fn standing(survey: &Survey, now: i64) -> Option<Status> {
    let status: Status = survey.status.parse().ok()?;
    let late = status == Status::Open && now.saturating_sub(survey.asked_at) >= ANSWER_MS;
    Some(if late { Status::Expired } else { status })
}

/// Whether a question may be answered now, or its answer changed.
fn takes_answers(survey: &Survey, now: i64) -> bool {
    let since = survey.answered_at.unwrap_or(now);
    match standing(survey, now) {
        Some(Status::Open) => true,
        Some(Status::Answered) => now.saturating_sub(since) < CHANGE_MS,
        _ => false,
    }
}

/// What the visitor of a conversation is asked now: the oldest question of a closed case to which more may be said.
///
/// # Errors
/// When the database fails.
pub async fn shown(app: &App, row: &Conversation) -> Result<Option<Asked>, StoreError> {
    if row.state != State::Closed.as_str() {
        return Ok(None);
    }
    let (place, now) = (row.running().place, app.clock.now_ms());
    let mut surveys = app.store.surveys(&row.id).await?.into_iter();
    let next =
        surveys.find(|one| one.place == place && one.finished == 0 && takes_answers(one, now));
    Ok(next.map(Asked::from))
}

/// Takes a visitor's answer. The same answer twice is one; a score may be changed and words be added for an hour.
///
/// # Errors
/// [`Unasked`]; nothing has changed then.
pub async fn answer(app: &App, id: &str, survey: &str, answer: Answer) -> Result<(), Unasked> {
    let mut tx = app.store.begin().await?;
    let (row, before) = asked(&mut tx, id, survey).await?;
    let now = app.clock.now_ms();
    if !takes_answers(&before, now) {
        return Err(Unasked::Over);
    }
    let kind: Kind = before.kind.parse().map_err(|()| Unasked::Over)?;
    if !kind.takes(answer.score, before.scale) {
        let worst = i64::from(kind == Kind::Csat);
        return Err(Unasked::Bad(format!("`score` lies between {worst} and {}.", before.scale)));
    }
    let words = answer.comment.as_deref().map(comment).transpose()?;
    let mut after = Survey {
        status: Status::Answered.as_str().into(),
        score: Some(answer.score),
        answered_at: before.answered_at.or(Some(now)),
        ..before.clone()
    };
    if let Some(words) = words {
        after.finished = 1;
        // Who sends the form empty takes nothing back that was said.
        after.comment = words.or(after.comment);
    }
    if after == before {
        return Ok(());
    }
    tx.rate(&after).await?;
    if (after.score, &after.comment) != (before.score, &before.comment) {
        record(app, &mut tx, Some(id), submitted(kind, &after)).await?;
        review::look(app, &mut tx, (id, after.place)).await?;
    }
    let here = row.state == State::Closed.as_str() && row.running().place == after.place;
    if here && after.finished == 1 && before.finished == 0 {
        put(app, &mut tx, (id, after.place)).await?;
    }
    tx.commit().await?;
    tell(app, id);
    Ok(())
}

/// What was said, for the stream of events.
fn submitted(kind: Kind, survey: &Survey) -> What {
    let small = |number: i64| u8::try_from(number).unwrap_or_default();
    let (score, comment) = (small(survey.score.unwrap_or_default()), survey.comment.clone());
    let case = Some(survey.place);
    match kind {
        Kind::Csat => What::CsatSubmitted { case, score, scale: small(survey.scale), comment },
        Kind::Nps => What::NpsSubmitted { case, score, comment },
    }
}

/// The words of a comment as they are kept, personal data masked; `None` for none.
fn comment(words: &str) -> Result<Option<String>, Unasked> {
    let words = words.trim();
    if words.chars().count() > COMMENT || words.contains('\0') {
        let problem = format!("`comment` has {COMMENT} characters at most, and no NUL among them.");
        return Err(Unasked::Bad(problem));
    }
    Ok(Some(mask(words)).filter(|words| !words.is_empty()))
}

/// The visitor does not want to say. What was said before stays.
///
/// # Errors
/// [`Unasked`]; nothing has changed then.
pub async fn decline(app: &App, id: &str, survey: &str) -> Result<(), Unasked> {
    let mut tx = app.store.begin().await?;
    let (_, before) = asked(&mut tx, id, survey).await?;
    match standing(&before, app.clock.now_ms()) {
        Some(Status::Open) => {}
        Some(Status::Declined) => return Ok(()),
        _ => return Err(Unasked::Over),
    }
    let kind: Kind = before.kind.parse().map_err(|()| Unasked::Over)?;
    let after = Survey { status: Status::Declined.as_str().into(), finished: 1, ..before };
    tx.rate(&after).await?;
    let what = match kind {
        Kind::Csat => What::CsatDeclined {},
        Kind::Nps => What::NpsDeclined {},
    };
    record(app, &mut tx, Some(id), what).await?;
    tx.commit().await?;
    tell(app, id);
    Ok(())
}

/// A question of this conversation.
async fn asked(tx: &mut Tx, id: &str, survey: &str) -> Result<(Conversation, Survey), Unasked> {
    let found = tx.survey(survey).await?.filter(|survey| survey.conversation == id);
    let survey = found.ok_or(Unasked::Unknown)?;
    Ok((tx.conversation(id).await?.ok_or(Unasked::Unknown)?, survey))
}

/// Tells both sides that there is something new: the consoles read what was said with the line of their list.
pub(crate) fn tell(app: &App, id: &str) {
    app.hub.to_visitor(id, &Item::Survey);
    publish::line(app, id);
}
