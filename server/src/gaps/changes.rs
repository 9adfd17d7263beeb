//! What the week's edits changed: the visitors' own questions, asked of the documents of a week ago and of those of now.

use std::collections::HashSet;
use std::sync::Arc;

use super::gather::gather;
use super::{DAY_MS, RefreshError, patience};
use crate::app::App;
pub use crate::knowledge::replay::Changes;

/// A week.
const WEEK_MS: i64 = 7 * DAY_MS;
/// Questions that are asked at most, the newest.
const MOST: usize = 200;

/// Asks again. Nothing has changed while no earlier version is kept.
///
/// # Errors
/// [`RefreshError`].
pub async fn changes(app: &Arc<App>) -> Result<Changes, RefreshError> {
    let _turn = app.gaps.turn.lock().await;
    let mut seen = HashSet::new();
    let questions = gather(app).await?.questions.into_iter().map(|one| one.text);
    let questions: Vec<String> = questions.filter(|q| seen.insert(q.clone())).take(MOST).collect();
    let own = Arc::clone(app);
    let asked = tokio::task::spawn_blocking(move || {
        let library = &own.mind.knowledge;
        let Some(from) = library.version_at(own.clock.now_ms() - WEEK_MS)? else {
            let to_version = library.edition().short_version();
            return Ok(Changes { to_version, ..Changes::default() });
        };
        let floor = own.mind.prompts().policy.passage_floor;
        library.replay(&from, &questions, floor, &patience(&own))
    });
    let asked = asked.await.unwrap_or_else(|error| Err(error.to_string()));
    asked.map_err(RefreshError::Failed)
}
