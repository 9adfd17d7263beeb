//! What a scorecard costs: events that were made up go through the store, and each step is timed. For `porchlight-evals scorecard`.

use std::io::BufRead;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use engine::metrics::Period;
use engine::metrics::event::{Event, What};
use serde::Serialize;

use super::{boards, step};
use crate::config::Settings;
use crate::startup::data;
use crate::store::{Store, Tx};

/// Events of a transaction while they are brought in.
const AT_ONCE: usize = 5_000;
/// How often the scorecard is made; the first one warms the cache.
const TIMES: usize = 4;

/// What was measured; times in milliseconds.
#[derive(Debug, Serialize)]
struct Measured {
    events: usize,
    cases: u64,
    import_ms: u128,
    /// Making all cases out of the events.
    fill_ms: u128,
    /// Making the scorecard, time after time.
    scorecard_ms: Vec<u128>,
    /// The most memory that the process has had, in mebibytes; 0 where the system does not say.
    peak_mib: u64,
}

/// Reads events as JSON lines into the database, which has to be empty, and prints as JSON what each step took. The scorecard is that of
/// all cases in `period`.
///
/// # Errors
/// When an event cannot be read, the database is not empty, or it fails.
pub async fn run(settings: &Settings, lines: impl BufRead, period: Period) -> Result<String> {
    let _lock = data::lock(settings)?;
    let store = data::database(settings).await?;
    ensure!(
        store.events_head().await? == 0,
        "the data folder has events already; name a fresh one with --data-dir"
    );
    let began = Instant::now();
    let events = import(&store, lines).await?;
    let import_ms = began.elapsed().as_millis();
    let began = Instant::now();
    while step(&store).await? {}
    let fill_ms = began.elapsed().as_millis();
    let (mut scorecard_ms, mut cases) = (Vec::new(), 0);
    for _ in 0..TIMES {
        let began = Instant::now();
        let cards = boards::at(&store, period.to, &[period]).await?;
        scorecard_ms.push(began.elapsed().as_millis());
        cases = cards.first().map_or(0, |card| card.cases);
    }
    store.close().await;
    let measured =
        Measured { events, cases, import_ms, fill_ms, scorecard_ms, peak_mib: peak_mib() };
    Ok(crate::protocol::record::json(&measured))
}

async fn import(store: &Store, lines: impl BufRead) -> Result<usize> {
    let mut count = 0;
    let mut tx = store.begin().await?;
    for line in lines.lines() {
        let line = line.context("standard input")?;
        let event: Event = serde_json::from_str(&line)
            .with_context(|| format!("line {} is no event", count + 1))?;
        write(&mut tx, &event).await?;
        count += 1;
        if count % AT_ONCE == 0 {
            tx.commit().await?;
            tx = store.begin().await?;
        }
    }
    tx.commit().await?;
    Ok(count)
}

async fn write(tx: &mut Tx, event: &Event) -> Result<()> {
    match (&event.what, &event.conversation, &event.session) {
        (What::ConversationStarted { .. }, Some(id), _) => {
            let names = (id.clone(), event.id.clone(), event.id.clone());
            tx.start_conversation(names, None, event.at).await?;
        }
        (What::ChatOpened(visit), _, Some(session)) => {
            tx.open_visit(session, visit, event.at).await?;
        }
        _ => {}
    }
    let place = (event.conversation.as_deref(), event.session.as_deref());
    tx.insert_event((&event.id, event.at), place, &event.what).await?;
    Ok(())
}

/// What Linux says of this process.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
