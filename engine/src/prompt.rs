//! The texts around answers, and the prompts that the drafter gets.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `prompts/templates.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Templates {
    /// Instructions of the drafter.
    pub system: String,
    /// Texts by id that the visitor may be told.
    pub say: BTreeMap<String, String>,
}

/// Why the templates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not TOML, or a key is unknown.
    #[error("{0}")]
    Toml(String),
    /// A text that the engine or a rule needs is missing.
    #[error("the text `{0}` is missing under [say]")]
    Missing(String),
}
