//! The documents and their index.

use std::sync::Arc;

use anyhow::{Context, Result};
use engine::model::Model;
use indicatif::{ProgressBar, ProgressStyle};
use retrieval::Versions;
use retrieval::index::Progress;

use super::data::{INDEX, VERSIONS};
use crate::clock::Clock;
use crate::config::Settings;
use crate::knowledge::pages::{self, Pages, Round};
use crate::knowledge::status::Count;
use crate::knowledge::{Library, Pace, Shelf};
use crate::outbound::pages::PageClient;
use crate::reader::Reader;

/// Where the settings have the documents, their indexes and their versions.
///
/// # Errors
/// When the program's own file, which reads foreign formats, cannot be named.
pub fn shelf(settings: &Settings) -> Result<Shelf> {
    let (knowledge, data) = (&settings.knowledge, &settings.server.data_dir);
    let reader = Reader::new(data).context("the program's own file cannot be named")?;
    Ok(Shelf {
        folder: knowledge.dir.clone(),
        reader: Arc::new(reader),
        pages: Arc::new(Pages::open(data, knowledge)),
        index: data.join(INDEX),
        versions: Versions::new(data.join(VERSIONS)),
        keep: knowledge.keep_versions,
        stale_days: knowledge.stale_days,
    })
}

/// Makes sure that there is something to answer from. Where only pages of the web are named and none was fetched yet,
/// they are fetched here; else a start needs no network.
///
/// # Errors
/// When no document can be read, naming what is wrong with each.
pub fn readable(settings: &Settings) -> Result<()> {
    let shelf = shelf(settings)?;
    let Err(error) = shelf.read(&|| None) else { return Ok(()) };
    if shelf.pages.is_empty() {
        return Err(error.into());
    }
    let client = PageClient::of(&settings.knowledge)?;
    let bar = bar("Fetching the pages");
    let round = Round {
        pages: &shelf.pages,
        client: &client,
        reader: &shelf.reader,
        clock: &Clock::system(),
        gap: pages::GAP,
        wait: &|pause| {
            std::thread::park_timeout(pause);
            true
        },
        tell: &|count| show(&bar, count),
    };
    round.run(i64::MAX).context("the fetched pages cannot be kept")?;
    bar.finish_and_clear();
    let missed: Vec<String> = shelf.pages.missed().iter().map(ToString::to_string).collect();
    shelf.read(&|| None).map(drop).with_context(|| missed.join("\n  "))
}

fn bar(what: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template(&format!("{what} {{bar:30}} {{pos}} of {{len}} {{elapsed}}"));
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, count: Count) {
    bar.set_length(count.of as u64);
    bar.set_position(count.done as u64);
}

/// Publishes what the folder says, or the pinned version, indexed anew where it has changed.
///
/// # Errors
/// When no document can be read or the index cannot be written. Single bad files are left out with a warning.
pub fn library(settings: &Settings, (model, clock): (Arc<dyn Model>, Clock)) -> Result<Library> {
    let bar = bar("Reading the documents");
    let encoder = Arc::clone(&model);
    let mut embed = |texts: &[&str], progress: Progress| {
        show(&bar, progress.into());
        failpoint!("K25");
        encoder.embed(texts).map_err(|error| error.to_string())
    };
    let library = Library::open(shelf(settings)?, (model, clock), Pace::default(), &mut embed);
    bar.finish_and_clear();
    Ok(library?)
}
