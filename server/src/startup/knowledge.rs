//! The documents, their index, and the prompts, policy and intents.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use engine::intent::{IntentBook, IntentFile};
use engine::model::Model;
use engine::prompt::Templates;
use engine::rules::Policy;
use indicatif::{ProgressBar, ProgressStyle};
use retrieval::Versions;

use super::data::{INDEX, VERSIONS};
use crate::clock::Clock;
use crate::config::Settings;
use crate::knowledge::{Library, Pace, Shelf};
use crate::reader::Reader;

/// What stands in `prompts/`.
pub struct Prompts {
    /// `policy.toml`.
    pub policy: Policy,
    /// `templates.toml`.
    pub templates: Templates,
    /// `intents.toml`, read by the encoder.
    pub intents: IntentBook,
}

/// Reads the owner's prompts, or those that are built in.
///
/// # Errors
/// Naming the file and the line.
pub fn prompts(folder: Option<&Path>, model: &dyn Model) -> Result<Prompts> {
    let text = |name: &str, own: &str| match folder.map(|folder| folder.join(name)) {
        None => Ok((format!("built-in {name}"), own.to_owned())),
        Some(path) => {
            let text = std::fs::read_to_string(&path);
            let text = text.with_context(|| {
                format!("{} cannot be read; see replies.prompts", path.display())
            })?;
            anyhow::Ok((path.display().to_string(), text))
        }
    };
    let (name, policy) = text("policy.toml", include_str!("../../../prompts/policy.toml"))?;
    let policy = Policy::parse(&policy).context(name.clone())?;
    let (named, templates) =
        text("templates.toml", include_str!("../../../prompts/templates.toml"))?;
    let templates = Templates::parse(&templates).context(named)?;
    templates.check_rules(&policy).context(name)?;
    let (name, intents) = text("intents.toml", include_str!("../../../prompts/intents.toml"))?;
    let intents = IntentFile::parse(&intents)
        .and_then(|file| IntentBook::learn(&file, model))
        .context(name)?;
    Ok(Prompts { policy, templates, intents })
}

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
        index: data.join(INDEX),
        versions: Versions::new(data.join(VERSIONS)),
        keep: knowledge.keep_versions,
        stale_days: knowledge.stale_days,
    })
}

/// Publishes what the folder says, or the pinned version, indexed anew where it has changed.
///
/// # Errors
/// When no document can be read or the index cannot be written. Single bad files are left out with a warning.
pub fn library(settings: &Settings, (model, clock): (Arc<dyn Model>, Clock)) -> Result<Library> {
    let style =
        ProgressStyle::with_template("Reading the documents {bar:30} {pos} passages {elapsed}");
    let bar =
        ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let encoder = Arc::clone(&model);
    let mut embed = |texts: &[&str]| {
        bar.inc(texts.len() as u64);
        encoder.embed(texts).map_err(|error| error.to_string())
    };
    let library = Library::open(shelf(settings)?, (model, clock), Pace::default(), &mut embed);
    bar.finish_and_clear();
    Ok(library?)
}
