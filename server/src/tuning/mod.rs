//! How sure the bot is and has to be: fitted to the owner's verdicts, and to the share of wrong answers that the owner allows.

mod evidence;

use std::sync::Arc;
use std::time::Duration;

use engine::confidence::{RiskCurve, SHIPPED, Tuned, as_visitor};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

use crate::app::App;
use crate::knowledge::trials::Trial;
use crate::store::{Store, StoreError};

pub use evidence::Counted;
use evidence::Evidence;

/// Name of the owner's choice in the database.
const CHOICE: &str = "at_most_wrong";
/// How often new questions of visitors are looked at.
const TICK: Duration = Duration::from_secs(600);
/// Visitors' questions from which they are the sample, in place of the documents' own headings.
const ENOUGH: usize = 50;

/// The tuning of a running server.
#[derive(Debug, Default)]
pub struct Tuning {
    picture: watch::Sender<Picture>,
    bell: Notify,
    /// Held from reading the owner's choice to letting it count, so that none is lost.
    choosing: tokio::sync::Mutex<()>,
}

/// The tuning, and how it came about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Picture {
    /// What replies are decided with.
    pub tuned: Tuned,
    /// What share of questions would be sent, and how many wrongly, for each threshold.
    pub curve: RiskCurve,
    /// Which questions the curve is made of.
    pub sample: Sample,
    /// The verdicts that the confidence is fitted to.
    pub verdicts: Counted,
    /// Share of wrong answers among those sent that the owner allows; none leaves the threshold to the policy.
    pub at_most_wrong: Option<f32>,
}

/// Which questions a curve is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sample {
    /// Headings of the documents, asked with and without their answers.
    #[default]
    Headings,
    /// What visitors have asked.
    Visitors,
}

impl Tuning {
    /// As it was when the server stopped last.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let evidence = Evidence::read(store).await?;
        let Choice { at_most_wrong, send_at } = Choice::read(store).await?;
        let picture = Picture {
            tuned: Tuned { calibration: SHIPPED.with_verdicts(&evidence.judged), send_at },
            verdicts: evidence.counted,
            at_most_wrong,
            ..Picture::default()
        };
        Ok(Self { picture: watch::Sender::new(picture), ..Self::default() })
    }

    /// What replies are decided with now.
    pub fn tuned(&self) -> Tuned {
        self.picture.borrow().tuned
    }

    /// How it came about, and every change of it.
    pub fn picture(&self) -> watch::Receiver<Picture> {
        self.picture.subscribe()
    }

    /// Has it made anew soon: a verdict, or other documents.
    pub fn ring(&self) {
        self.bell.notify_one();
    }
}

/// Keeps the tuning as verdicts, questions and documents have it, until the server stops.
pub async fn keep(app: Arc<App>) {
    let mut knowledge = app.mind.knowledge.status();
    let mut headings = Headings::default();
    loop {
        let version = knowledge.borrow().version.clone();
        if let Err(error) = renew(&app, &mut headings, &version).await {
            tracing::error!(%error, "the confidence could not be tuned; it stays as it was");
        }
        tokio::select! {
            () = app.shutdown.cancelled() => break,
            () = app.mind.tuning.bell.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            other = knowledge.wait_for(|status| status.version != version) => {
                if other.is_err() {
                    break;
                }
            }
        }
    }
}

/// Headings that were asked, and of which version of the documents.
#[derive(Default)]
struct Headings {
    version: String,
    trials: Vec<Trial>,
}

async fn renew(app: &Arc<App>, headings: &mut Headings, version: &str) -> Result<(), StoreError> {
    let evidence = Evidence::read(&app.store).await?;
    let few = evidence.asked.len() < ENOUGH;
    if few
        && headings.version != version
        && let Some(trials) = trials(app).await
    {
        *headings = Headings { version: version.to_owned(), trials };
    }
    apply(app, &evidence, few.then_some(headings.trials.as_slice())).await
}

/// Asks the documents' headings on a thread that may wait; `None` when they could not be asked.
async fn trials(app: &Arc<App>) -> Option<Vec<Trial>> {
    let own = Arc::clone(app);
    let go_on = move || match own.shutdown.is_cancelled() {
        true => Err("the server stops".to_owned()),
        false => Ok(()),
    };
    let library = Arc::clone(&app.mind.knowledge);
    let tried = tokio::task::spawn_blocking(move || library.trials(&go_on)).await;
    let tried = tried.unwrap_or_else(|error| Err(error.to_string()));
    let tell = |error: &String| {
        if !app.shutdown.is_cancelled() {
            tracing::warn!("the documents' headings could not be asked: {error}");
        }
    };
    tried.inspect_err(tell).ok()
}

async fn apply(
    app: &App,
    evidence: &Evidence,
    headings: Option<&[Trial]>,
) -> Result<(), StoreError> {
    let _one_at_a_time = app.mind.tuning.choosing.lock().await;
    let before = Choice::read(&app.store).await?;
    let calibration = SHIPPED.with_verdicts(&evidence.judged);
    let confidences = match headings {
        Some(trials) => {
            let sure = |trial: &Trial| as_visitor(&calibration, &trial.signals, trial.answered);
            trials.iter().map(sure).collect()
        }
        None => {
            evidence.asked.iter().map(|signals| calibration.confidence(*signals).value).collect()
        }
    };
    let curve = RiskCurve::new(confidences);
    let choice = before.over(&curve);
    if choice != before {
        choice.keep(app).await?;
    }
    let sample = if headings.is_some() { Sample::Headings } else { Sample::Visitors };
    let at_most_wrong = choice.at_most_wrong;
    let tuned = Tuned { calibration, send_at: choice.send_at };
    let picture = Picture { tuned, curve, sample, verdicts: evidence.counted, at_most_wrong };
    app.mind.tuning.picture.send_replace(picture);
    Ok(())
}

/// What the owner has chosen, with the threshold that it came to last: a new start has it before the documents are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Choice {
    at_most_wrong: Option<f32>,
    send_at: Option<f32>,
}

impl Choice {
    async fn read(store: &Store) -> Result<Self, StoreError> {
        let value = store.choice(CHOICE).await?;
        Ok(value.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
    }

    /// This choice with the threshold that `curve` gives; the one before stays while there is no curve.
    fn over(self, curve: &RiskCurve) -> Self {
        let send_at = |wrong| match curve.is_empty() {
            true => self.send_at.unwrap_or(1.0),
            false => curve.send_at(wrong),
        };
        Self { send_at: self.at_most_wrong.map(send_at), ..self }
    }

    async fn keep(self, app: &App) -> Result<(), StoreError> {
        let value = serde_json::to_string(&self).unwrap_or_default();
        let mut tx = app.store.begin().await?;
        tx.choose(CHOICE, &value, app.clock.now_ms()).await?;
        tx.commit().await
    }
}

/// Keeps the owner's choice, 0 to 1, and lets it count at once; `None` leaves the threshold to the policy again.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn choose(app: &App, at_most_wrong: Option<f32>) -> Result<(), StoreError> {
    let _one_at_a_time = app.mind.tuning.choosing.lock().await;
    let curve = app.mind.tuning.picture.borrow().curve.clone();
    let choice = Choice { at_most_wrong, send_at: None }.over(&curve);
    choice.keep(app).await?;
    app.mind.tuning.picture.send_modify(|picture| {
        picture.at_most_wrong = at_most_wrong;
        picture.tuned.send_at = choice.send_at;
    });
    app.mind.tuning.ring();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_curve_the_threshold_stays_and_nothing_more_is_sent() {
        let curve = RiskCurve::new(vec![0.95, 0.9, 0.4]);
        let none = RiskCurve::default();
        let choice = |at_most_wrong, send_at| Choice { at_most_wrong, send_at };
        for (before, curve, send_at) in [
            (choice(Some(0.1), None), &curve, Some(0.9)),
            (choice(Some(0.1), Some(0.8)), &none, Some(0.8)),
            (choice(Some(0.1), None), &none, Some(1.0)),
            (choice(None, Some(0.8)), &curve, None),
        ] {
            assert_eq!(before.over(curve).send_at, send_at, "{before:?}");
        }
    }
}
