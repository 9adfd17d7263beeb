//! An entry that the owner accepts is written into the knowledge through its gate, and its question becomes a golden one.

use std::sync::Arc;
use std::time::Duration;

use engine::gaps::entry;
use engine::text::words;
use retrieval::golden::Golden;

use super::draft::ANSWER;
use crate::app::App;
use crate::knowledge::edit::{Edit, EditError, Trial};
use crate::store::StoreError;
use crate::store::gaps::ProposalRow;

/// Characters of a question at most.
const QUESTION: usize = 200;
/// How long it is waited for the entry to be published.
const PUBLISHED: Duration = Duration::from_secs(60);

/// Why a proposal is not settled; each is shown to the owner.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The gaps were gathered anew, or it never was one.
    #[error("There is no such proposal any more. Reload the page.")]
    Unknown,
    /// Somebody else has settled it.
    #[error("This proposal was {0} already. Reload the page.")]
    Settled(String),
    /// The words cannot be an entry.
    #[error("{0}")]
    Words(String),
    /// The gate.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An entry as the owner wants it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The heading.
    pub question: String,
    /// The text below it.
    pub answer: String,
    /// Whether it is written though right answers are lost.
    pub all_the_same: bool,
}

/// Writes a proposal into the knowledge with these words. `id` may be that of a gap that has none: then the words are all the owner's.
///
/// # Errors
/// [`PublishError`]; nothing is written then, and a pending proposal stays pending.
pub async fn accept(app: &Arc<App>, id: &str, entry: Entry) -> Result<Trial, PublishError> {
    let entry = checked(entry)?;
    let turn = app.mind.knowledge.checking().await;
    let proposal = pending(app, id).await?;
    let (own, wanted) = (Arc::clone(app), entry.clone());
    let tried = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        write(&own, &wanted)
    });
    let trial = tried.await.map_err(|error| EditError::Failed(error.to_string()))??;
    settle(app, proposal, id, ("accepted", &entry)).await?;
    let (own, id) = (Arc::clone(app), id.to_owned());
    tokio::spawn(async move {
        let learn = tokio::time::timeout(PUBLISHED, learn(&own, &id, &entry.question));
        let _ = own.shutdown.run_until_cancelled(learn).await;
    });
    Ok(trial)
}

/// The owner wants no such entry: it is not proposed again.
///
/// # Errors
/// [`PublishError`].
pub async fn reject(app: &App, id: &str) -> Result<(), PublishError> {
    let proposal = pending(app, id).await?;
    let entry = Entry {
        question: proposal.question.clone(),
        answer: proposal.answer.clone(),
        all_the_same: false,
    };
    settle(app, proposal, id, ("rejected", &entry)).await
}

fn checked(entry: Entry) -> Result<Entry, PublishError> {
    let fits = |text: &str, most| !words(text).is_empty() && text.chars().count() <= most;
    let (question, answer) = (entry.question.trim().to_owned(), entry.answer.trim().to_owned());
    if !fits(&question, QUESTION) {
        return Err(PublishError::Words(format!("A question has 1 to {QUESTION} characters.")));
    }
    if !fits(&answer, ANSWER) {
        return Err(PublishError::Words(format!("An answer has 1 to {ANSWER} characters.")));
    }
    Ok(Entry { question, answer, ..entry })
}

/// The pending proposal of this id; a fresh one for a gap that has none.
async fn pending(app: &App, id: &str) -> Result<ProposalRow, PublishError> {
    if let Some(known) = app.store.proposal(id).await? {
        return match known.status.as_str() {
            "pending" => Ok(known),
            "expired" => Err(PublishError::Unknown),
            status => Err(PublishError::Settled(status.to_owned())),
        };
    }
    let (gaps, _) = app.store.gaps().await?;
    let gap = gaps.into_iter().find(|gap| gap.id == id && gap.proposal.is_none());
    let gap = gap.ok_or(PublishError::Unknown)?;
    Ok(ProposalRow {
        id: gap.id,
        question: gap.label,
        answer: String::new(),
        sources: "[]".into(),
        status: "pending".into(),
        learned: 0,
        made_at: app.clock.now_ms(),
    })
}

async fn settle(
    app: &App,
    proposal: ProposalRow,
    id: &str,
    (status, entry): (&str, &Entry),
) -> Result<(), PublishError> {
    let mut tx = app.store.begin().await?;
    if app.store.proposal(id).await?.is_none() {
        tx.propose(&proposal).await?;
        tx.link_gap(id, id).await?;
    }
    let words = (status, entry.question.as_str(), entry.answer.as_str());
    if !tx.settle_proposal(id, words, app.clock.now_ms()).await? {
        return Err(PublishError::Settled("settled".into()));
    }
    tx.commit().await?;
    Ok(())
}

/// Adds the entry to its page, through the gate. One that stands there already, because the server stopped in between, is not added twice.
fn write(app: &App, wanted: &Entry) -> Result<Trial, EditError> {
    let library = &app.mind.knowledge;
    let (page, base) = match library.source(entry::FILE)? {
        Some((bytes, base)) => (text(bytes)?, Some(base)),
        None => (String::new(), None),
    };
    let floor = app.mind.prompts().policy.passage_floor;
    let section = entry::section(&wanted.question, &wanted.answer);
    let there = page.contains(section.trim_end());
    let page = if there { page } else { entry::appended(&page, &wanted.question, &wanted.answer) };
    let edit = Edit { path: entry::FILE.into(), bytes: Some(page.into_bytes()) };
    library.save(&edit, base.as_deref(), (floor, wanted.all_the_same))
}

fn text(bytes: Vec<u8>) -> Result<String, EditError> {
    let problem = |_| EditError::Text(format!("{} is no UTF-8 text", entry::FILE));
    String::from_utf8(bytes).map_err(problem)
}

/// Makes the question of an accepted entry a golden one as soon as it is found.
async fn learn(app: &Arc<App>, id: &str, question: &str) {
    let mut status = app.mind.knowledge.status();
    loop {
        status.mark_unchanged();
        match learned(app, id, question).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => return tracing::error!(%error, "a golden question was not noted"),
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

async fn learned(app: &Arc<App>, id: &str, question: &str) -> Result<bool, StoreError> {
    let golden =
        Golden { question: question.to_owned(), doc: Some(entry::FILE.into()), answer: None };
    let own = Arc::clone(app);
    let learn = move || own.mind.knowledge.learn(&golden, own.mind.prompts().policy.passage_floor);
    match tokio::task::spawn_blocking(learn).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) | Err(_) => return Ok(false),
        Ok(Err(error)) => {
            tracing::warn!("a golden question could not be added: {error}");
            return Ok(false);
        }
    }
    let mut tx = app.store.begin().await?;
    tx.proposal_learned(id).await?;
    tx.commit().await?;
    Ok(true)
}

/// Tries again for the entries whose question is not a golden one yet.
pub(super) async fn learn_later(app: &Arc<App>) -> Result<(), StoreError> {
    let open = app.store.proposals().await?;
    for one in open.iter().filter(|one| one.status == "accepted" && one.learned == 0) {
        learned(app, &one.id, &one.question).await?;
    }
    Ok(())
}
