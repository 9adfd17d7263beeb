//! The files of the owner's prompts: read as they stand, and checked against each other.

use std::path::Path;

use engine::actions::ActionBook;
use engine::entities::Entities;
use engine::flows::FlowBook;
use engine::hours::Hours;
use engine::intent::IntentFile;
use engine::policy::Policy;
use engine::prompt::Templates;
use engine::surveys::Rules as Surveys;
use engine::tasks::Books;

use crate::notify::file::Notify;

/// Why prompts cannot be in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct PromptsError {
    /// The file, or what is built in under its name.
    pub file: String,
    /// What is wrong, with the line where there is one.
    pub problem: String,
}

impl PromptsError {
    pub(super) fn of(file: &str, problem: &dyn std::fmt::Display) -> Self {
        Self { file: file.into(), problem: problem.to_string().trim_end().into() }
    }
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) name: String,
    text: String,
}

/// The files as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sources {
    templates: Source,
    pub(super) intents: Source,
    policy: Source,
    flows: Source,
    actions: Source,
    hours: Source,
    notify: Source,
    surveys: Source,
}

/// What the files say.
pub(super) struct Parsed {
    pub(super) templates: Templates,
    pub(super) intents: IntentFile,
    pub(super) policy: Policy,
    pub(super) entities: Entities,
    pub(super) books: Books,
    pub(super) notify: Notify,
    pub(super) surveys: Surveys,
}

impl Sources {
    /// Reads the owner's folder, or what is built in.
    pub(super) fn read(folder: Option<&Path>) -> Result<Self, PromptsError> {
        let source = |name: &str, own: &str| match folder.map(|folder| folder.join(name)) {
            None => Ok(Source { name: format!("built-in {name}"), text: own.to_owned() }),
            Some(path) => {
                let name = path.display().to_string();
                let unread = |error| {
                    PromptsError::of(
                        &name,
                        &format!("cannot be read ({error}); see replies.prompts"),
                    )
                };
                let text = std::fs::read_to_string(&path).map_err(unread)?;
                Ok(Source { name, text })
            }
        };
        // An owner who has none of these wants none: they are no part of what every reply is made from.
        let optional = |name: &str, own: &str| match folder.map(|folder| folder.join(name)) {
            Some(path) if !path.exists() => {
                Ok(Source { name: path.display().to_string(), text: String::new() })
            }
            _ => source(name, own),
        };
        Ok(Self {
            templates: source("templates.toml", include_str!("../../../prompts/templates.toml"))?,
            intents: source("intents.toml", include_str!("../../../prompts/intents.toml"))?,
            policy: source("policy.toml", include_str!("../../../prompts/policy.toml"))?,
            flows: optional("flows.toml", include_str!("../../../prompts/flows.toml"))?,
            actions: optional("actions.toml", include_str!("../../../prompts/actions.toml"))?,
            hours: optional("hours.toml", include_str!("../../../prompts/hours.toml"))?,
            notify: optional("notify.toml", include_str!("../../../prompts/notify.toml"))?,
            surveys: optional("surveys.toml", include_str!("../../../prompts/surveys.toml"))?,
        })
    }

    /// Checks each file, and the policy against the intents and texts that it names.
    pub(super) fn parse(&self) -> Result<Parsed, PromptsError> {
        let Self { templates: said, intents: taught, policy: ruled, .. } = self;
        let templates =
            Templates::parse(&said.text).map_err(|e| PromptsError::of(&said.name, &e))?;
        let intents =
            IntentFile::parse(&taught.text).map_err(|e| PromptsError::of(&taught.name, &e))?;
        let entities =
            Entities::new(&intents.entities).map_err(|e| PromptsError::of(&taught.name, &e))?;
        let policy = Policy::parse(&ruled.text, &intents, &templates)
            .map_err(|e| PromptsError::of(&ruled.name, &e))?;
        let flows = FlowBook::parse(&self.flows.text, &intents, (&policy, &templates))
            .map_err(|e| PromptsError::of(&self.flows.name, &e))?;
        let actions = ActionBook::parse(&self.actions.text, &policy)
            .map_err(|e| PromptsError::of(&self.actions.name, &e))?;
        let hours =
            Hours::parse(&self.hours.text).map_err(|e| PromptsError::of(&self.hours.name, &e))?;
        let notify = Notify::parse(&self.notify.text)
            .map_err(|e| PromptsError::of(&self.notify.name, &e))?;
        let surveys = Surveys::parse(&self.surveys.text)
            .map_err(|e| PromptsError::of(&self.surveys.name, &e))?;
        let books = Books { flows, actions, hours };
        Ok(Parsed { templates, intents, policy, entities, books, notify, surveys })
    }
}
