//! The documents, their index, and the prompts, policy and intents.

use std::path::Path;

use anyhow::{Context, Result};
use engine::intent::{IntentBook, IntentFile};
use engine::model::Model;
use engine::prompt::Templates;
use engine::rules::Policy;
use indicatif::{ProgressBar, ProgressStyle};
use retrieval::index::IndexError;
use retrieval::manifest::EmbedderId;
use retrieval::{Corpus, Index};

use super::data::INDEX;
use crate::config::Settings;

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

/// Opens the index of the documents, built anew where they have changed.
///
/// # Errors
/// When no document can be read or the index cannot be written. Single bad files are left out with a warning.
pub fn index(settings: &Settings, model: &dyn Model) -> Result<Index> {
    let (corpus, skipped) = Corpus::read(&settings.knowledge.dir)?;
    for file in &skipped {
        tracing::warn!("left out: {file}");
    }
    let folder = settings.server.data_dir.join(INDEX);
    let card = model.card();
    let embedder = EmbedderId { id: card.encoder.clone(), dimension: card.dimension };
    match Index::open(&folder, corpus.clone(), &embedder) {
        Ok(index) => return Ok(index),
        Err(IndexError::Missing(_)) => {}
        Err(other) => tracing::info!("{other}; it is built again"),
    }
    let style =
        ProgressStyle::with_template("Reading the documents {bar:30} {pos} passages {elapsed}");
    let bar =
        ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut embed = |texts: &[&str]| {
        bar.inc(texts.len() as u64);
        model.embed(texts).map_err(|error| error.to_string())
    };
    let built = Index::build(&folder, corpus, &embedder, &mut embed);
    bar.finish_and_clear();
    let (index, built) = built?;
    tracing::info!(
        documents = index.documents().len(),
        passages = index.len(),
        embedded = built.embedded,
        kept = built.reused,
        "the index is built"
    );
    Ok(index)
}
