//! The second look: cases that were rated low wait for the owner, who scores what was answered.

use engine::metrics::event::What;
use engine::surveys::{Ended, Kind, why};
use serde::Serialize;

use crate::app::App;
use crate::conversation::Refusal;
use crate::events::record;
use crate::store::conversations::Conversation;
use crate::store::reviews::Review;
use crate::store::surveys::Survey;
use crate::store::{StoreError, Tx};

/// A case that waits.
pub const OPEN: &str = "open";
/// One that is done with.
pub const DONE: &str = "done";

/// What the owner makes of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scored {
    /// How clear the answers were, 1 to 3.
    pub clarity: u8,
    /// How right, 1 to 3.
    pub correctness: u8,
    /// How kind, 1 to 3.
    pub empathy: u8,
    /// A note to oneself.
    pub note: String,
}

/// Looks whether a case deserves a second look now. What the owner has judged stays as it is.
///
/// # Errors
/// When the database fails.
pub(super) async fn look(
    app: &App,
    tx: &mut Tx,
    (id, place): (&str, i64),
) -> Result<(), StoreError> {
    let mut ended = Ended::default();
    for survey in tx.surveys(id).await?.into_iter().filter(|survey| survey.place == place) {
        let small = |number: i64| u8::try_from(number).ok();
        let score = survey.score.and_then(small);
        match survey.kind.parse() {
            Ok(Kind::Csat) => ended.csat = score.zip(small(survey.scale)),
            Ok(Kind::Nps) => ended.nps = score,
            Err(()) => {}
        }
    }
    let frustration = tx.case_resolved(id, place).await?.and_then(|case| case.frustration);
    ended.frustration = frustration.map(|one| one as f32);
    let why = why(ended).map(|why| why.as_str().to_owned());
    let known = tx.review(id, place).await?;
    match (why, known) {
        (Some(why), None) => tx.put_review(&fresh(app, (id, place), Some(why))).await,
        (why, Some(review)) if review.status == OPEN && review.clarity.is_none() => match why {
            Some(why) => tx.put_review(&Review { why: Some(why), ..review }).await,
            None => tx.forget_review(id, place).await,
        },
        _ => Ok(()),
    }
}

/// A case that waits where there is a reason, and else one that the owner has chosen.
fn fresh(app: &App, (id, place): (&str, i64), why: Option<String>) -> Review {
    Review {
        conversation: id.into(),
        place,
        status: if why.is_some() { OPEN.into() } else { DONE.into() },
        why,
        clarity: None,
        correctness: None,
        empathy: None,
        note: String::new(),
        queued_at: app.clock.now_ms(),
    }
}

/// The owner scores a case, queued or not.
///
/// # Errors
/// [`Refusal::Unknown`] where there is no such case.
pub async fn score(app: &App, id: &str, place: i64, scored: Scored) -> Result<(), Refusal> {
    let mut tx = app.store.begin().await?;
    let row = tx.conversation(id).await?.ok_or(Refusal::Unknown)?;
    if !(1..=row.running().place).contains(&place) {
        return Err(Refusal::Unknown);
    }
    let before = tx.review(id, place).await?.unwrap_or_else(|| fresh(app, (id, place), None));
    let Scored { clarity, correctness, empathy, note } = scored;
    let after = Review {
        clarity: Some(clarity.into()),
        correctness: Some(correctness.into()),
        empathy: Some(empathy.into()),
        note,
        ..before.clone()
    };
    let figures = |one: &Review| (one.clarity, one.correctness, one.empathy);
    if figures(&after) != figures(&before) {
        let what = What::RubricScored { case: Some(place), clarity, correctness, empathy };
        record(app, &mut tx, Some(id), what).await?;
    }
    tx.put_review(&after).await?;
    tx.commit().await?;
    super::tell(app, id);
    Ok(())
}

/// The owner is done with a case.
///
/// # Errors
/// [`Refusal::Unknown`] where none waits.
pub async fn done(app: &App, id: &str, place: i64) -> Result<(), Refusal> {
    let mut tx = app.store.begin().await?;
    let review = tx.review(id, place).await?.ok_or(Refusal::Unknown)?;
    tx.put_review(&Review { status: DONE.into(), ..review }).await?;
    tx.commit().await?;
    super::tell(app, id);
    Ok(())
}

/// What the visitor was asked in a conversation and has said, and what the owner makes of its newest case.
#[derive(Debug, Clone, Serialize)]
pub struct Opinions {
    surveys: Vec<Said>,
    /// The newest case, from 1; 0 before the first message.
    case: i64,
    rubric: Option<Rubric>,
    /// `open` where the newest case waits for a second look, `done` where it got one.
    review: Option<String>,
}

/// A question, and what was said.
#[derive(Debug, Clone, Serialize)]
struct Said {
    case: i64,
    kind: String,
    scale: i64,
    status: &'static str,
    score: Option<i64>,
    comment: Option<String>,
    asked_at: i64,
    answered_at: Option<i64>,
}

/// What the owner makes of a case.
#[derive(Debug, Clone, Serialize)]
pub struct Rubric {
    clarity: i64,
    correctness: i64,
    empathy: i64,
    note: String,
}

impl Rubric {
    /// Nothing where the owner has not scored the case.
    pub fn of(review: &Review) -> Option<Self> {
        let Review { clarity, correctness, empathy, note, .. } = review;
        Some(Self {
            clarity: (*clarity)?,
            correctness: (*correctness)?,
            empathy: (*empathy)?,
            note: note.clone(),
        })
    }
}

/// What both sides think of a conversation.
///
/// # Errors
/// When the database fails.
pub async fn opinions(app: &App, row: &Conversation) -> Result<Opinions, StoreError> {
    let (case, now) = (row.running().place, app.clock.now_ms());
    let review = app.store.review(&row.id, case).await?;
    let said = |survey: Survey| {
        let status = super::standing(&survey, now)?.as_str();
        let Survey { place, kind, scale, score, comment, asked_at, answered_at, .. } = survey;
        Some(Said { case: place, kind, scale, status, score, comment, asked_at, answered_at })
    };
    Ok(Opinions {
        surveys: app.store.surveys(&row.id).await?.into_iter().filter_map(said).collect(),
        case,
        rubric: review.as_ref().and_then(Rubric::of),
        review: review.map(|review| review.status),
    })
}
