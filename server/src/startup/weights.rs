//! The models on disk: found, fetched where missing, verified, loaded.

use std::path::Path;

use anyhow::{Context, Result, bail};
use engine::draft::Mode;
use indicatif::{ProgressBar, ProgressStyle};
use models::manifest::{Manifest, ModelEntry};
use models::scheduler::{Handle, LoadOptions, load};
use models::store::{Found, Progress, Store};

use crate::config::Settings;
use crate::outbound::{self, Client};

/// Tokens of prompt and reply together.
const CONTEXT: usize = 2_048;
/// Requests that may wait for each model.
const QUEUE: usize = 16;

/// The model with this id.
///
/// # Errors
/// Naming the ids there are.
pub fn entry<'a>(manifest: &'a Manifest, id: &str) -> Result<&'a ModelEntry> {
    let known =
        || manifest.models().iter().map(|model| model.id.as_str()).collect::<Vec<_>>().join(", ");
    manifest.model(id).with_context(|| format!("there is no model `{id}`; known are {}", known()))
}

/// The encoder and the drafter that the settings name.
///
/// # Errors
/// When an id is unknown, or one stands where the other belongs.
pub fn chosen<'a>(manifest: &'a Manifest, settings: &Settings) -> Result<[&'a ModelEntry; 2]> {
    let encoder = entry(manifest, &settings.models.encoder).context("models.encoder")?;
    let drafter = entry(manifest, &settings.models.drafter).context("models.drafter")?;
    if encoder.draft().is_some() {
        bail!("models.encoder: `{}` is a drafter, not an encoder", encoder.id);
    }
    if drafter.draft().is_none() {
        bail!("models.drafter: `{}` is an encoder, not a drafter", drafter.id);
    }
    Ok([encoder, drafter])
}

/// Finds a model or fetches it. Blocks; a model that is whole needs no network.
///
/// # Errors
/// Naming every source that was asked and why it did not help.
pub fn pull(store: &Store, model: &ModelEntry, folder: Option<&Path>) -> Result<Found> {
    if let Ok(found) = store.open(model) {
        return Ok(found);
    }
    let endpoints = outbound::endpoints(&|name| std::env::var(name).ok());
    let client = Client::new().context("the system's certificates cannot be read")?;
    let style = "{msg} {bar:30} {bytes} of {total_bytes} {binary_bytes_per_sec} {eta}";
    let bar = ProgressBar::new(model.bytes())
        .with_style(
            ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
        )
        .with_message(model.id.clone());
    let mut file = String::new();
    let mut report = |progress: Progress<'_>| {
        if file != progress.file {
            file = progress.file.to_owned();
            tracing::info!(model = model.id, source = progress.source, file, "fetching");
        }
        bar.set_length(
            progress.total_bytes.unwrap_or_else(|| model.bytes()).max(progress.done_bytes),
        );
        bar.set_position(progress.done_bytes);
    };
    let sources = endpoints.sources(folder.map(Path::to_owned));
    let found = store.pull(model, &sources, &|request| client.get(request), &mut report);
    bar.finish_and_clear();
    Ok(found?)
}

/// Finds or fetches both models of the settings and loads them. Blocks.
///
/// # Errors
/// Whatever keeps a model from running, naming its file.
pub fn ready(settings: &Settings, folder: Option<&Path>) -> Result<(Handle, Mode)> {
    let manifest = Manifest::builtin();
    let [encoder, drafter] = chosen(&manifest, settings)?;
    let store = Store::new(settings.models.dir.clone());
    let (encoder_at, drafter_at) = (pull(&store, encoder, folder)?, pull(&store, drafter, folder)?);
    tracing::debug!("the models are on disk");
    let own = drafter.draft().unwrap_or(Mode::Quote);
    let mode = settings.models.mode.unwrap_or(own);
    let sha256 = drafter.files.first().map(|file| file.sha256.clone()).unwrap_or_default();
    let handle = load(&LoadOptions {
        encoder_dir: encoder_at.dir().to_owned(),
        encoder_id: encoder.id.clone(),
        drafter_file: drafter_at.weights(),
        drafter_id: drafter.id.clone(),
        drafter_sha256: sha256,
        draft: own,
        context_tokens: CONTEXT,
        queue: QUEUE,
        place: settings.models.device.into(),
        threads: settings.models.threads(),
    })?;
    Ok((handle, mode))
}
