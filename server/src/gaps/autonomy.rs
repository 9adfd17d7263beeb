//! Which intents should be left to the bot more, or less, as their visitors have rated it.

use engine::gaps::autonomy::{Suggestion, ratings, suggestions};
use engine::metrics::{Case, cases};

use super::DAY_MS;
use crate::app::App;
use crate::store::StoreError;

/// Ratings that count: those of twelve weeks, in milliseconds.
const RATED_MS: i64 = 84 * DAY_MS;
/// Conversations that are read at most, the newest.
const MOST: i64 = 5_000;

/// What the ratings of twelve weeks speak for.
///
/// # Errors
/// [`StoreError`].
pub async fn autonomy(app: &App) -> Result<Vec<Suggestion>, StoreError> {
    let mut rated: Vec<Case> = Vec::new();
    for id in app.store.rated_since(app.clock.now_ms() - RATED_MS, MOST).await? {
        rated.extend(cases(&app.store.events_of(&id).await?));
    }
    Ok(suggestions(&ratings(&rated), &app.mind.prompts().policy))
}
