//! The product without its server: the same models, index and prompts, and the same `engine::reply`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use engine::actions::ActionBook;
use engine::confidence::Tuned;
use engine::draft::Mode;
use engine::entities::Entities;
use engine::flows::FlowBook;
use engine::frustration;
use engine::hours::Hours;
use engine::intent::{IntentBook, IntentFile};
use engine::model::Model;
use engine::policy::Policy;
use engine::prompt::Templates;
use engine::reply::{Event, Outcome, Parts, reply};
use engine::rules::{Heard, Reason};
use engine::search::Search;
use engine::tasks::Books;
use engine::turn::Turn;
use models::device::Place;
use models::manifest::Manifest;
use models::scheduler::{Handle, LoadOptions, load};
use models::store::Store;
use retrieval::corpus::Document;
use retrieval::manifest::EmbedderId;
use retrieval::readers::foreign;
use retrieval::{Corpus, Index};
use sha2::{Digest, Sha256};

use crate::data::Doc;
use crate::run::Setting;

/// Tokens of prompt and reply together, as in the server.
const CONTEXT: usize = 2_048;
const QUEUE: usize = 16;
/// Messages that are encoded at once.
const BATCH: usize = 32;

/// Which house to measure.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct HouseOptions {
    /// Folder where the models are kept.
    #[arg(long, env = "PORCHLIGHT__MODELS__DIR")]
    models_dir: Option<PathBuf>,
    /// Id of the encoder.
    #[arg(long, default_value = "minilm-l6")]
    encoder: String,
    /// Id of the drafter.
    #[arg(long, alias = "model", default_value = "smollm2-135m")]
    pub(crate) drafter: String,
    /// `quote` or `compose`; the drafter's own way unless set.
    #[arg(long)]
    mode: Option<String>,
    /// Folder of policy.toml, templates.toml and intents.toml.
    #[arg(long, default_value = "prompts")]
    pub(crate) prompts: PathBuf,
    /// Keep what is indexed in this folder, and take over from there what was indexed before.
    #[arg(long, value_name = "DIR", env = "PORCHLIGHT_EVALS_INDEXES")]
    indexes: Option<PathBuf>,
    /// `cpu`, or `cuda` in a build with the feature of that name.
    #[arg(long, default_value = "cpu", value_parser = ["cpu", "cuda"])]
    pub(crate) device: String,
}

/// A house with its documents.
pub(crate) struct House {
    model: Handle,
    index: Index,
    intents: IntentBook,
    policy: Policy,
    templates: Templates,
    books: Books,
    entities: Entities,
    mode: Mode,
    setting: Setting,
}

impl House {
    /// Over a folder of documents.
    pub(crate) fn open_folder(options: &HouseOptions, folder: &Path) -> Result<Self> {
        let (corpus, skipped) = Corpus::read_with(folder, &foreign::convert_here)?;
        if let Some(file) = skipped.first() {
            bail!("{file}");
        }
        let mut house = Self::open(options, corpus)?;
        house.books = books(&options.prompts, &Prompts::read(options)?)?;
        Ok(house)
    }

    /// Over the documents of an evaluation set.
    pub(crate) fn open_docs(options: &HouseOptions, docs: Vec<Doc>) -> Result<Self> {
        let documents =
            docs.into_iter().map(|doc| Document::from_parts(&doc.doc_id, &doc.title, doc.text));
        Self::open(options, Corpus::new(documents.collect()))
    }

    fn open(options: &HouseOptions, corpus: Corpus) -> Result<Self> {
        let model = models(options)?;
        let prompts = Prompts::read(options)?;
        let intents = IntentBook::learn(&prompts.intents, &model)?;
        let card = model.card();
        let mode = match options.mode.as_deref() {
            None => card.draft,
            Some(word) => {
                word.parse().map_err(|()| anyhow!("--mode is quote or compose, not {word}"))?
            }
        };
        let embedder = EmbedderId { id: card.encoder.clone(), dimension: card.dimension };
        let mut embed = |texts: &[&str], _| model.embed(texts).map_err(|error| error.to_string());
        let index = match &options.indexes {
            Some(folder) => Index::build(folder, corpus, &embedder, &mut embed)?.0,
            None => Index::in_memory(corpus, &embedder, &mut embed)?,
        };
        let setting = Setting {
            mode: mode.as_str().into(),
            knowledge: index.knowledge_version().into(),
            ..prompts.setting(setting(options, &model))
        };
        let entities = Entities::new(&prompts.intents.entities).context("intents.toml")?;
        let Prompts { policy, templates, .. } = prompts;
        // Flows, actions and hours are an owner's own; those of Porchlight's site say nothing about other documents.
        let books = Books::default();
        Ok(Self { model, index, intents, policy, templates, books, entities, mode, setting })
    }

    /// What the figures of this house depend on.
    pub(crate) fn setting(&self) -> Setting {
        self.setting.clone()
    }

    /// The documents.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// Encoder and drafter.
    pub(crate) fn model(&self) -> &Handle {
        &self.model
    }

    /// Makes one reply.
    pub(crate) fn reply(
        &self,
        turn: &Turn,
        on_event: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Outcome {
        let parts = Parts {
            search: &self.index,
            model: &self.model,
            intents: &self.intents,
            policy: &self.policy,
            templates: &self.templates,
            books: &self.books,
            entities: &self.entities,
            tuned: Tuned::default(),
            mode: self.mode,
        };
        reply(&parts, turn, on_event)
    }

    /// What a turn would be answered from: the document of its first passage, and the reply up to where its draft begins,
    /// by when all signals are known.
    pub(crate) fn look_up(&self, turn: &Turn) -> (Option<String>, Outcome) {
        let mut first = None;
        let outcome = self.reply(turn, &mut |event| match event {
            Event::Found(hits) => {
                first = hits.first().map(|hit| hit.passage.doc.clone());
                ControlFlow::Continue(())
            }
            Event::Started { .. } => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        (first, outcome)
    }
}

/// The ear of a house: the encoder, the intents and the rules, without documents.
pub(crate) struct Hearing {
    model: Handle,
    intents: IntentBook,
    policy: Policy,
    setting: Setting,
}

/// The first rule that matches a message.
pub(crate) struct FirstRule<'a> {
    /// The message.
    pub(crate) text: &'a str,
    /// Why it would decide; none when no rule matches.
    pub(crate) reason: Option<Reason>,
    /// Its id.
    pub(crate) rule: Option<String>,
}

impl Hearing {
    /// Reads the prompts.
    pub(crate) fn open(options: &HouseOptions) -> Result<Self> {
        let model = models(options)?;
        let prompts = Prompts::read(options)?;
        let intents = IntentBook::learn(&prompts.intents, &model)?;
        let setting = prompts.setting(setting(options, &model));
        Ok(Self { model, intents, policy: prompts.policy, setting })
    }

    /// What the figures depend on.
    pub(crate) fn setting(&self) -> Setting {
        self.setting.clone()
    }

    /// The first rule for each message, as the first words of a conversation.
    pub(crate) fn first_rules<'a>(&self, texts: &[&'a str]) -> Result<Vec<FirstRule<'a>>> {
        let mut heard = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            let mended = |text: &&str| {
                let meant = self.intents.mended(text, &self.model, &|_| None);
                meant.unwrap_or_else(|| (*text).to_owned())
            };
            let meant: Vec<String> = batch.iter().map(mended).collect();
            let vectors =
                self.model.embed(&meant.iter().map(String::as_str).collect::<Vec<_>>())?;
            for ((text, meant), vector) in batch.iter().zip(&meant).zip(vectors) {
                let turn = Turn::asking(*text);
                let frustration = frustration::score(&turn, &self.model.card().encoder, &vector);
                let reading = self.intents.read(meant, &vector);
                let rule = self.policy.before(&Heard { text, reading: &reading, frustration });
                let (reason, rule) = (rule.map(|r| r.reason), rule.map(|r| r.id.clone()));
                heard.push(FirstRule { text, reason, rule });
            }
        }
        Ok(heard)
    }
}

/// What stands in the folder of prompts.
struct Prompts {
    policy: Policy,
    templates: Templates,
    intents: IntentFile,
    /// Hashes of policy, templates and intents.
    hashes: [String; 3],
}

impl Prompts {
    fn read(options: &HouseOptions) -> Result<Self> {
        let read = |name: &str| {
            let path = options.prompts.join(name);
            std::fs::read_to_string(&path)
                .with_context(|| format!("{} cannot be read", path.display()))
        };
        let texts = [read("policy.toml")?, read("templates.toml")?, read("intents.toml")?];
        let templates = Templates::parse(&texts[1]).context("templates.toml")?;
        let intents = IntentFile::parse(&texts[2]).context("intents.toml")?;
        let policy = Policy::parse(&texts[0], &intents, &templates).context("policy.toml")?;
        Ok(Self { policy, templates, intents, hashes: texts.map(|text| sha256(&text)) })
    }

    fn setting(&self, rest: Setting) -> Setting {
        let [policy_sha256, templates_sha256, intents_sha256] = self.hashes.clone();
        Setting { policy_sha256, templates_sha256, intents_sha256, ..rest }
    }
}

/// The owner's flows, actions and office hours.
fn books(folder: &Path, prompts: &Prompts) -> Result<Books> {
    let Prompts { policy, templates, intents, .. } = prompts;
    let read = |name: &str| match std::fs::read_to_string(folder.join(name)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("{} cannot be read", folder.join(name).display())),
    };
    Ok(Books {
        flows: FlowBook::parse(&read("flows.toml")?, intents, (policy, templates))
            .context("flows.toml")?,
        actions: ActionBook::parse(&read("actions.toml")?, policy).context("actions.toml")?,
        hours: Hours::parse(&read("hours.toml")?).context("hours.toml")?,
    })
}

/// What the models of these options are.
pub(crate) fn setting(options: &HouseOptions, model: &Handle) -> Setting {
    let card = model.card();
    let manifest = Manifest::builtin();
    let weights = manifest.model(&card.encoder).and_then(|entry| entry.files.first());
    Setting {
        encoder: card.encoder.clone(),
        encoder_sha256: weights.map(|file| file.sha256.clone()).unwrap_or_default(),
        drafter: card.drafter.clone(),
        drafter_sha256: card.drafter_sha256.clone(),
        mode: card.draft.as_str().into(),
        device: options.device.clone(),
        ..Setting::here()
    }
}

/// Hex SHA-256 of a text.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The place that `--device` names.
pub(crate) fn place(device: &str) -> Place {
    if device == "cuda" { Place::Cuda } else { Place::Cpu }
}

/// Where the models are: the folder that was given, else the usual one.
///
/// # Errors
/// When none was given and there is no home.
pub(crate) fn models_folder(given: Option<&Path>) -> Result<PathBuf> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let usual = home.map(|home| home.join(".cache/porchlight/models"));
    given.map(Path::to_path_buf).or(usual).context("HOME is not set; give --models-dir")
}

/// Loads the models of the options.
pub(crate) fn models(options: &HouseOptions) -> Result<Handle> {
    let folder = models_folder(options.models_dir.as_deref())?;
    let (manifest, store) = (Manifest::builtin(), Store::new(folder));
    let find = |id: &str| {
        let entry = manifest.model(id).with_context(|| format!("there is no model `{id}`"))?;
        let found =
            store.open(entry).context(format!("`porchlight models pull {id}` fetches it"))?;
        anyhow::Ok((entry, found))
    };
    let (encoder, encoder_at) = find(&options.encoder)?;
    let (drafter, drafter_at) = find(&options.drafter)?;
    let draft = drafter.draft().with_context(|| format!("`{}` is an encoder", drafter.id))?;
    Ok(load(&LoadOptions {
        encoder_dir: encoder_at.dir().to_owned(),
        encoder_id: encoder.id.clone(),
        drafter_file: drafter_at.weights(),
        drafter_id: drafter.id.clone(),
        drafter_sha256: drafter.files.first().map(|file| file.sha256.clone()).unwrap_or_default(),
        draft,
        context_tokens: CONTEXT,
        queue: QUEUE,
        place: place(&options.device),
        threads: models::device::threads(),
    })?)
}
