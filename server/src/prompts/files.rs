//! The three files of the owner's prompts: read as they stand, and checked against each other.

use std::path::Path;

use engine::entities::Entities;
use engine::intent::IntentFile;
use engine::policy::Policy;
use engine::prompt::Templates;

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
}

/// What the files say.
pub(super) struct Parsed {
    pub(super) templates: Templates,
    pub(super) intents: IntentFile,
    pub(super) policy: Policy,
    pub(super) entities: Entities,
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
        Ok(Self {
            templates: source("templates.toml", include_str!("../../../prompts/templates.toml"))?,
            intents: source("intents.toml", include_str!("../../../prompts/intents.toml"))?,
            policy: source("policy.toml", include_str!("../../../prompts/policy.toml"))?,
        })
    }

    /// Checks each file, and the policy against the intents and texts that it names.
    pub(super) fn parse(&self) -> Result<Parsed, PromptsError> {
        let Self { templates: said, intents: taught, policy: ruled } = self;
        let templates =
            Templates::parse(&said.text).map_err(|e| PromptsError::of(&said.name, &e))?;
        let intents =
            IntentFile::parse(&taught.text).map_err(|e| PromptsError::of(&taught.name, &e))?;
        let entities =
            Entities::new(&intents.entities).map_err(|e| PromptsError::of(&taught.name, &e))?;
        let policy = Policy::parse(&ruled.text, &intents, &templates)
            .map_err(|e| PromptsError::of(&ruled.name, &e))?;
        Ok(Parsed { templates, intents, policy, entities })
    }
}
