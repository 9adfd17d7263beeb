//! What owners made of the suggestions they were given.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::store::suggestions::Verdict;

/// Verdicts at most, the newest.
const LIST: i64 = 500;

#[derive(Debug, Serialize)]
pub(super) struct Verdicts {
    verdicts: Vec<Verdict>,
}

/// `GET /console/api/verdicts`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Verdicts>, ApiError> {
    Ok(Json(Verdicts { verdicts: app.store.verdicts(LIST).await? }))
}
