//! The office hours as they count now: those of `hours.toml`, and whether the owner is away.

use engine::hours::Availability;

use crate::app::App;
use crate::store::StoreError;

/// The owner's choice that says until when they are away.
const AWAY: &str = "away";

/// Until when the owner is away, in milliseconds since 1970; 0 until they say otherwise, none when they are not. An end that has
/// passed is none.
///
/// # Errors
/// When the database fails.
pub async fn away_until(app: &App, now: i64) -> Result<Option<i64>, StoreError> {
    let stored = app.store.choice(AWAY).await?;
    let until: Option<i64> = stored.and_then(|json| serde_json::from_str(&json).ok()).flatten();
    Ok(until.filter(|until| *until == 0 || now < *until))
}

/// Notes until when the owner is away: 0 until they say otherwise, none when they are back.
///
/// # Errors
/// When the database fails; it is as before then.
pub async fn set_away(app: &App, until: Option<i64>) -> Result<(), StoreError> {
    let json = until.map_or_else(|| "null".into(), |until| until.to_string());
    let mut tx = app.store.begin().await?;
    tx.choose(AWAY, &json, app.clock.now_ms()).await?;
    tx.commit().await?;
    // Whoever waits for somebody to be back may have waited long enough.
    app.due.notify_one();
    Ok(())
}

/// Whether a person can be expected.
///
/// # Errors
/// When the database fails.
pub async fn availability(app: &App, now: i64) -> Result<Availability, StoreError> {
    let away = away_until(app, now).await?;
    Ok(app.mind.prompts().books.hours.availability(now, away))
}

/// Whether nobody is there.
///
/// # Errors
/// When the database fails.
pub async fn is_closed(app: &App, now: i64) -> Result<bool, StoreError> {
    Ok(availability(app, now).await? != Availability::Open)
}
