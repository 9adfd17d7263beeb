//! The owner's prompts as they are in force: intents, policy and texts, learned and swapped as a whole.

mod files;
mod keeper;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use engine::entities::Entities;
use engine::intent::{IntentBook, OFF_TOPIC, OFF_TOPIC_LABEL};
use engine::model::Model;
use engine::policy::Policy;
use engine::prompt::Templates;
use engine::tasks::Books;
use serde::Serialize;
use tokio::sync::watch;

use crate::knowledge::embed_gently;
use crate::notify::file::Notify;
use crate::store::corrections::Correction;
use files::{Parsed, Sources};

pub use files::PromptsError;
pub use keeper::start;

/// Examples given to the encoder at once: together about as long as the passages that a new document gives it at once, so that a question
/// waits no longer for them, and enough for all cores.
const GENTLE: usize = 64;

/// The prompts that replies are made with. A reply asks once and keeps them to its end.
pub struct Prompts {
    /// `policy.toml`.
    pub policy: Policy,
    /// `templates.toml`.
    pub templates: Templates,
    /// `intents.toml` with the owner's corrections, read by the encoder.
    pub intents: IntentBook,
    /// Finds what messages name, by its table `[entities]` too.
    pub entities: Entities,
    /// `flows.toml`, `actions.toml` and `hours.toml`.
    pub books: Books,
    /// `notify.toml`.
    pub notify: Notify,
    /// `surveys.toml`.
    pub surveys: engine::surveys::Rules,
}

/// An intent as people and programs name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// Its id.
    pub id: String,
    /// Its label.
    pub label: String,
}

impl Prompts {
    /// The intents of the file, in its order, and "off topic" last.
    pub fn choices(&self) -> Vec<Intent> {
        let own = self.intents.intents().iter().cloned();
        let off_topic = (OFF_TOPIC.to_owned(), OFF_TOPIC_LABEL.to_owned());
        own.chain([off_topic]).map(|(id, label)| Intent { id, label }).collect()
    }
}

/// How the prompts stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// What a message may be read as.
    pub intents: Vec<Intent>,
    /// Why the newest state of the files is not in force; the one before still is.
    pub problem: Option<String>,
    /// Rises whenever other prompts are in force.
    pub edition: u64,
}

/// Holds the prompts and learns them anew when the files or the owner's corrections change.
pub struct Prompter {
    now: ArcSwap<Prompts>,
    status: watch::Sender<Status>,
    folder: Option<PathBuf>,
    model: Arc<dyn Model>,
    /// Vectors of the examples that are in force, so that only new ones are embedded.
    vectors: Mutex<HashMap<String, Vec<f32>>>,
    /// The files that are in force.
    sources: Sources,
    /// The owner has corrected something.
    corrected: AtomicBool,
    bell: SyncSender<()>,
    /// Taken by the keeper when it starts.
    ear: Mutex<Option<Receiver<()>>>,
}

impl std::fmt::Debug for Prompter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompter").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Prompter {
    /// Reads the owner's folder, or what is built in, and learns it with the owner's corrections. Blocks.
    ///
    /// # Errors
    /// [`PromptsError`] naming the file and the line.
    pub fn open(
        folder: Option<PathBuf>,
        model: Arc<dyn Model>,
        corrections: &[Correction],
    ) -> Result<Self, PromptsError> {
        let sources = Sources::read(folder.as_deref())?;
        let vectors = Mutex::default();
        let prompts =
            learn((&sources, sources.parse()?), (&*model, &vectors), corrections, &|| Ok(()))?;
        let status = Status { intents: prompts.choices(), problem: None, edition: 1 };
        let (bell, ear) = sync_channel(1);
        Ok(Self {
            now: ArcSwap::from_pointee(prompts),
            status: watch::Sender::new(status),
            folder,
            model,
            vectors,
            sources,
            corrected: AtomicBool::new(false),
            bell,
            ear: Mutex::new(Some(ear)),
        })
    }

    /// What is in force now.
    pub fn now(&self) -> Arc<Prompts> {
        self.now.load_full()
    }

    /// How the prompts stand, and every change of it.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Has the files looked at now.
    pub fn ring(&self) {
        // A full bell rings already.
        let _ = self.bell.try_send(());
    }

    /// Has the owner's corrections learned anew.
    pub fn corrected(&self) {
        self.corrected.store(true, Ordering::Release);
        self.ring();
    }
}

/// Learns the intents with the corrections. Vectors that are known are not asked for again; those no longer used are forgotten.
fn learn(
    (sources, parsed): (&Sources, Parsed),
    (model, known): (&dyn Model, &Mutex<HashMap<String, Vec<f32>>>),
    corrections: &[Correction],
    go_on: &dyn Fn() -> Result<(), String>,
) -> Result<Prompts, PromptsError> {
    let Parsed { templates, intents, policy, entities, books, notify, surveys } = parsed;
    let examples = corrections.iter().map(|one| (one.intent.as_str(), one.text.as_str()));
    let file = intents.with_examples(examples);
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let embed = |texts: &[&str]| -> Result<Vec<Vec<f32>>, String> {
        let fresh: Vec<&str> =
            texts.iter().copied().filter(|text| !known.contains_key(*text)).collect();
        let vectors = embed_gently(model, &fresh, GENTLE, go_on)?;
        known.extend(fresh.into_iter().map(str::to_owned).zip(vectors));
        let all: Vec<Vec<f32>> =
            texts.iter().filter_map(|text| known.get(*text).cloned()).collect();
        *known = texts.iter().map(|text| (*text).to_owned()).zip(all.iter().cloned()).collect();
        Ok(all)
    };
    let intents = IntentBook::learn_by(&file, embed).map_err(|error| {
        let problem = format!("the examples could not be read by the encoder: {error}");
        PromptsError::of(&sources.intents.name, &problem)
    })?;
    Ok(Prompts { policy, templates, intents, entities, books, notify, surveys })
}
