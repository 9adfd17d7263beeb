//! What `porchlight knowledge` does: versions, rolling back, looking the documents over.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use retrieval::health::Report;
use retrieval::versions::{SHORT, Version};
use retrieval::{Index, Versions};

use super::{Shelf, check};
use crate::cli::Knowledge;
use crate::clock::Clock;
use crate::commands::{print, runtime};
use crate::config::Settings;
use crate::startup::{data, knowledge, weights};

/// Paths that a line of the list names.
const NAMED: usize = 3;

/// Runs one of them.
///
/// # Errors
/// What went wrong, for people; broken links and unreadable files are an error of `check`.
pub fn run(command: &Knowledge, settings: &Settings, models: Option<&Path>) -> Result<()> {
    let shelf = knowledge::shelf(settings)?;
    match command {
        Knowledge::Versions => versions(&shelf.versions),
        Knowledge::Rollback { id } => rollback(settings, &shelf.versions, id),
        Knowledge::Release => release(settings, &shelf.versions),
        Knowledge::Check { json } => look_over(settings, &shelf, models, *json),
    }
}

fn versions(versions: &Versions) -> Result<()> {
    let list = versions.list()?;
    let pinned = versions.pinned()?;
    if list.is_empty() {
        return print(
            "No version is kept yet. `porchlight serve` or `porchlight index` publishes the first.\n",
        );
    }
    let answers = pinned.as_ref().or(list.first().map(|version| &version.id));
    let mut out = String::new();
    for version in &list {
        let mark = if answers == Some(&version.id) { "*" } else { " " };
        let (id, at, documents) = (version.short(), time(version.at), version.documents.len());
        writeln!(out, "{mark} {id}  {at}  {documents:>5} documents  {}", changes(version))?;
    }
    writeln!(out, "\n* answers. `porchlight knowledge rollback VERSION` takes another.")?;
    if let Some(pinned) = pinned {
        let short = pinned.get(..SHORT).unwrap_or(&pinned);
        writeln!(
            out,
            "{short} is pinned: edits are not published until `porchlight knowledge release`."
        )?;
    }
    print(&out)
}

/// What changed in a version, with the first paths.
fn changes(version: &Version) -> String {
    let part = |paths: &[String], what: &str| {
        let named = paths.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if paths.len() > NAMED { ", …" } else { "" };
        (!paths.is_empty()).then(|| format!("{} {what} ({named}{more})", paths.len()))
    };
    let parts = [
        part(&version.added, "added"),
        part(&version.changed, "changed"),
        part(&version.removed, "removed"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn time(at: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn rollback(settings: &Settings, versions: &Versions, id: &str) -> Result<()> {
    let version = versions.pin(id)?;
    let when = if data::is_in_use(settings) { "within a second" } else { "from the next start" };
    print(&format!(
        "Version {} of {} answers {when}. Your files are as they were; edits are not published until \
         `porchlight knowledge release`.\n",
        version.short(),
        time(version.at)
    ))
}

fn release(settings: &Settings, versions: &Versions) -> Result<()> {
    let Some(pinned) = versions.release()? else {
        return print("No version is pinned; what the folder says is published.\n");
    };
    let when = if data::is_in_use(settings) { "now" } else { "at the next start" };
    let short = pinned.get(..SHORT).unwrap_or(&pinned);
    print(&format!(
        "Version {short} is pinned no more; what the folder says is published {when}.\n"
    ))
}

fn look_over(settings: &Settings, shelf: &Shelf, models: Option<&Path>, json: bool) -> Result<()> {
    let (index, problems) = published(settings, shelf, models)?;
    let cited = runtime()?.block_on(async {
        let store = data::database(settings).await?;
        let cited = store.cited().await;
        store.close().await;
        anyhow::Ok(cited?)
    })?;
    let days = settings.knowledge.stale_days;
    let report = check::report(&index, shelf, &cited, (Clock::system().now_ms(), days));
    match json {
        true => {
            print(&format!("{}\n", serde_json::to_string_pretty(&report).context("the report")?))?
        }
        false => print(&check::describe(&report))?,
    }
    let missed = shelf.pages.missed();
    missed.iter().for_each(|page| tracing::warn!("{page}"));
    verdict(&report, problems, missed.len())
}

/// What is certainly wrong is an error; the rest is for a person to judge.
fn verdict(report: &Report, problems: usize, missed: usize) -> Result<()> {
    let wrong = [
        (report.links.len(), "links lead nowhere"),
        (problems, "documents could not be read"),
        (missed, "pages could not be fetched"),
    ];
    let wrong = wrong.iter().filter(|(count, _)| *count > 0);
    let wrong: Vec<String> = wrong.map(|(count, what)| format!("{count} {what}")).collect();
    match wrong.as_slice() {
        [] => Ok(()),
        wrong => bail!("{}", wrong.join(", ")),
    }
}

/// The published state and the number of bad files; published first where the folder says something else and no
/// server is there to do it.
fn published(settings: &Settings, shelf: &Shelf, models: Option<&Path>) -> Result<(Index, usize)> {
    let reading = shelf.read(&|| shelf.newest())?;
    let known = Index::open_published(&shelf.index, &shelf.versions);
    reading.problems.iter().for_each(|file| tracing::warn!("{}: {}", file.path, file.problem));
    let problems = reading.problems.len();
    let fits = |index: &Index| index.corpus().hash() == reading.corpus.hash();
    let in_use = data::is_in_use(settings);
    if let Ok(index) = known
        && (in_use || fits(&index) || shelf.versions.pinned()?.is_some())
    {
        return Ok((index, problems));
    }
    let _lock = data::lock(settings)?;
    let (handle, _) = weights::ready(settings, models)?;
    knowledge::library(settings, (Arc::new(handle), Clock::system()))?;
    Ok((Index::open_published(&shelf.index, &shelf.versions)?, problems))
}
