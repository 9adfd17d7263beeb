//! The places of those who wait for a person: whenever one comes or goes, the others are told to look at theirs again.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::hub::Item;

/// Visitors who are told; those further back learn their place when they come back or move up.
const TOLD: i64 = 200;
/// Changes that come together are told once.
const PAUSE: Duration = Duration::from_millis(250);

/// Tells them until the server stops.
pub async fn keep(app: Arc<App>) {
    while app.shutdown.run_until_cancelled(app.queue.notified()).await.is_some() {
        match app.store.waiting(TOLD).await {
            Ok(waiting) => waiting.iter().for_each(|id| app.hub.to_visitor(id, &Item::Queue)),
            Err(error) => tracing::error!(%error, "the queue of visitors could not be read"),
        }
        app.shutdown.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
    }
}
