//! Gathers the gaps anew: reads, embeds beside the visitors, groups, drafts entries, and replaces what was gathered before.

use std::collections::HashMap;
use std::sync::Arc;

use engine::gaps::{Asked, Gap, cosine, gaps};
use engine::scope::Scope;
use engine::search::{Hit, Phrase, Query, Search};

use super::gather::{Gathered, Question, gather};
use super::{AS_OF, WINDOW_MS, draft, patience, publish};
use crate::app::App;
use crate::clock::fingerprint;
use crate::store::StoreError;
use crate::store::gaps::{GapRow, ProposalRow, QuestionRow};

/// Gaps that are kept, the greatest.
const KEPT: usize = 50;
/// Questions of one that are kept, the nearest to its label.
const QUESTIONS: usize = 50;
/// Cosine from which two texts say the same.
const SAME: f32 = 0.88;
/// Passages among which it is looked for the same.
const TOP: usize = 3;
/// Hex digits of an id.
const ID: usize = 32;

/// Why the gaps could not be gathered.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The encoder failed, is too busy, or the server stops.
    #[error("{0}")]
    Failed(String),
}

/// Gathers the gaps now. Who comes while it is done waits, then does it again.
///
/// # Errors
/// [`RefreshError`]; what was gathered before stays then.
pub async fn refresh(app: &Arc<App>) -> Result<(), RefreshError> {
    let _turn = app.gaps.turn.lock().await;
    let now = app.clock.now_ms();
    {
        let mut tx = app.store.begin().await?;
        tx.expire_proposals(now - WINDOW_MS, now).await?;
        tx.commit().await?;
    }
    let gathered = gather(app).await?;
    let proposals = app.store.proposals().await?;
    let own = Arc::clone(app);
    let worked = tokio::task::spawn_blocking(move || work(&own, gathered, &proposals));
    let found = worked.await.unwrap_or_else(|error| Err(error.to_string()));
    let found = found.map_err(RefreshError::Failed)?;
    let mut tx = app.store.begin().await?;
    for proposal in &found.proposals {
        tx.propose(proposal).await?;
    }
    tx.replace_gaps(&found.gaps, &found.questions).await?;
    tx.choose(AS_OF, &now.to_string(), now).await?;
    tx.commit().await?;
    publish::learn_later(app).await?;
    Ok(())
}

/// What a gathering has found.
#[derive(Default)]
struct Found {
    gaps: Vec<GapRow>,
    questions: Vec<QuestionRow>,
    /// Those that are new.
    proposals: Vec<ProposalRow>,
}

/// Gives unit vectors, gently beside visitors.
pub(super) type Embed<'a> = dyn Fn(&[&str]) -> Result<Vec<Vec<f32>>, String> + 'a;

fn work(app: &Arc<App>, gathered: Gathered, known: &[ProposalRow]) -> Result<Found, String> {
    let go_on = patience(app);
    let embed = |texts: &[&str]| app.mind.knowledge.embed_gently(texts, &go_on);
    let asked = failed(&gathered.questions, &embed)?;
    let headings: Vec<&str> = known.iter().map(|one| one.question.as_str()).collect();
    let mut settled: Vec<(String, Vec<f32>)> =
        known.iter().map(|one| one.id.clone()).zip(embed(&headings)?).collect();
    let talk = |id: &str| gathered.answered.get(id).cloned();
    let mut found = Found::default();
    for (place, gap) in gaps(&asked).into_iter().take(KEPT).enumerate() {
        go_on()?;
        let Some(label) = gap.questions.first().map(|at| &asked[*at].vector) else { continue };
        let mut proposal = same(&settled, label);
        if proposal.is_none()
            && let Some(drafted) = draft::draft(&gap, &asked, &talk, &embed)?
            && !is_known(app, (gap.label.as_str(), label.as_slice()), &embed, &drafted.answer)?
        {
            let fresh = pending(app, &gap, &drafted);
            settled.push((fresh.id.clone(), label.clone()));
            proposal = Some(fresh.id.clone());
            found.proposals.push(fresh);
        }
        keep(&mut found, (place, &gap), &asked, proposal);
    }
    Ok(found)
}

/// The questions that were served badly, with their vectors; the same words are embedded once.
fn failed(questions: &[Question], embed: &Embed<'_>) -> Result<Vec<Asked>, String> {
    let failed: Vec<&Question> = questions.iter().filter(|one| one.failure.is_some()).collect();
    let mut texts: Vec<&str> = failed.iter().map(|one| one.text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    let vectors: HashMap<&str, Vec<f32>> = texts.iter().copied().zip(embed(&texts)?).collect();
    let asked = failed.into_iter().map(|one| Asked {
        conversation: one.conversation.clone(),
        seq: one.seq,
        visitor: one.visitor.clone(),
        text: one.text.clone(),
        failure: one.failure.unwrap_or_default(),
        vector: vectors.get(one.text.as_str()).cloned().unwrap_or_default(),
    });
    Ok(asked.collect())
}

/// The proposal that asks the same.
fn same(settled: &[(String, Vec<f32>)], label: &[f32]) -> Option<String> {
    let near = settled.iter().map(|(id, vector)| (id, cosine(label, vector)));
    let same = near.filter(|(_, cosine)| *cosine >= SAME);
    same.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(id, _)| id.clone())
}

fn pending(app: &App, gap: &Gap, drafted: &draft::Draft) -> ProposalRow {
    ProposalRow {
        id: app.ids.id(),
        question: gap.label.clone(),
        answer: drafted.answer.clone(),
        sources: serde_json::to_string(&drafted.from).unwrap_or_default(),
        status: "pending".into(),
        learned: 0,
        made_at: app.clock.now_ms(),
    }
}

fn keep(found: &mut Found, (place, gap): (usize, &Gap), asked: &[Asked], proposal: Option<String>) {
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let id: String = fingerprint(&gap.label).chars().take(ID).collect();
    if found.gaps.iter().any(|other| other.id == id) {
        return;
    }
    let questions = gap.questions.iter().take(QUESTIONS).enumerate();
    found.questions.extend(questions.map(|(at, one)| QuestionRow {
        gap: id.clone(),
        conversation: asked[*one].conversation.clone(),
        seq: asked[*one].seq,
        place: number(at),
        text: asked[*one].text.clone(),
    }));
    found.gaps.push(GapRow {
        id,
        place: number(place),
        label: gap.label.clone(),
        count: number(gap.count),
        failure: gap.failure,
        rank: gap.rank,
        proposal,
    });
}

/// Whether the knowledge says this already.
fn is_known(
    app: &App,
    (question, vector): (&str, &[f32]),
    embed: &Embed<'_>,
    answer: &str,
) -> Result<bool, String> {
    let edition = app.mind.knowledge.edition();
    let answer_vector = embed(&[answer])?.pop().unwrap_or_default();
    for (text, embedding) in [(question, vector), (answer, answer_vector.as_slice())] {
        let query = Query {
            asked: Phrase { text, embedding },
            in_context: None,
            points_back: false,
            scope: &Scope::default(),
            limit: TOP,
        };
        let hits = edition.search(&query).map_err(|error| error.to_string())?;
        if hits.iter().map(Hit::nearness).any(|near| near >= SAME) {
            return Ok(true);
        }
    }
    Ok(false)
}
