//! The texts around answers, and the prompts that the drafter gets.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::{Model, ModelError, Prompt, PromptMessage, Role};
use crate::search::Hit;
use crate::turn::{Speaker, Turn};

/// Texts that the engine itself says; `[say]` has to hold them all.
pub const NEEDED: [&str; 9] = [
    "hand_off",
    "person_answers",
    "no_progress",
    "hold",
    "unclear",
    "clarify",
    "fault",
    "list_opening",
    "offer_person",
];

/// Earlier messages that a prompt holds at most.
const HISTORY: usize = 6;
/// Characters of one earlier message that a prompt holds at most.
const HISTORY_CHARS: usize = 600;
/// Tokens of the chat template around one message, rounded up (ChatML: two markers, role, line breaks).
const TEMPLATE_TOKENS: usize = 8;

/// `prompts/templates.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates {
    /// Instructions of the drafter.
    pub system: String,
    /// Texts by id that the visitor may be told.
    pub say: BTreeMap<String, String>,
    /// The same in other languages, by the first part of their BCP 47 tag; what is missing is said as in `say`.
    pub languages: BTreeMap<String, BTreeMap<String, String>>,
    /// The language that is spoken; empty for that of `say`.
    language: String,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    system: String,
    say: BTreeMap<String, Entry>,
}

/// What stands under `[say]`: a text, or the texts of a language.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, or a section [say.LANGUAGE] of texts")]
enum Entry {
    Text(String),
    Language(BTreeMap<String, String>),
}

/// Why the templates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not TOML, or a key is unknown.
    #[error("{0}")]
    Toml(String),
    /// The question which of two is meant does not name both.
    #[error(
        "the text `clarify` under [say] needs {{first}} and then {{second}}, with words between"
    )]
    Slots,
    /// A language says something that no text is called.
    #[error("`{id}` under [say.{language}] is not the name of a text under [say]")]
    Unknown {
        /// The language.
        language: String,
        /// The name.
        id: String,
    },
    /// A text that the engine or a rule needs is missing.
    #[error("the text `{0}` is missing under [say]")]
    Missing(String),
}

impl Templates {
    /// Reads the TOML text.
    ///
    /// # Errors
    /// [`TemplateError`] with line and column for bad TOML and unknown keys; texts of [`NEEDED`] that are missing; slots that are.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let file: File = toml::from_str(text).map_err(|e| TemplateError::Toml(e.to_string()))?;
        let mut templates = Self {
            system: file.system,
            say: BTreeMap::new(),
            languages: BTreeMap::new(),
            language: String::new(),
        };
        for (name, entry) in file.say {
            match entry {
                Entry::Text(text) => _ = templates.say.insert(name, text),
                Entry::Language(texts) => _ = templates.languages.insert(name, texts),
            }
        }
        templates.check()
    }

    fn check(self) -> Result<Self, TemplateError> {
        let templates = self;
        if let Some(id) = NEEDED.iter().find(|id| !templates.say.contains_key(**id)) {
            return Err(TemplateError::Missing((*id).into()));
        }
        let slots = ["{first}", "{second}"].map(|slot| templates.say["clarify"].find(slot));
        for (language, texts) in &templates.languages {
            if let Some(id) = texts.keys().find(|id| !templates.say.contains_key(*id)) {
                return Err(TemplateError::Unknown { language: language.clone(), id: id.clone() });
            }
        }
        match slots {
            [Some(first), Some(second)] if first + "{first}".len() < second => Ok(templates),
            _ => Err(TemplateError::Slots),
        }
    }

    /// The text with this id in the language that is spoken; empty when the owner's file lacks it.
    pub fn say(&self, id: &str) -> String {
        self.say_in(&self.language, id)
    }

    /// The text with this id in a language, or as it is said where it is not written in that.
    pub fn say_in(&self, language: &str, id: &str) -> String {
        let own = self.languages.get(language).and_then(|texts| texts.get(id));
        own.or_else(|| self.say.get(id)).cloned().unwrap_or_default()
    }

    /// The same texts, said in another language as far as they are written in it.
    pub fn spoken_in(&self, language: &str) -> Self {
        Self { language: language.into(), ..self.clone() }
    }

    /// The id of a text as it is said in any language; `None` when it is none of these.
    pub fn id_of(&self, said: &str) -> Option<&str> {
        let all = std::iter::once(&self.say).chain(self.languages.values()).flatten();
        all.into_iter().find(|(_, text)| text.as_str() == said).map(|(id, _)| id.as_str())
    }
}

/// Characters at the end of an earlier message that are searched for together with the question.
const CONTEXT_CHARS: usize = 400;

/// The turn's `question`, however it is worded, after the visitor's message before it, when there is one; whether the question needs it is the
/// search's to find out.
pub fn in_context(turn: &Turn, question: &str) -> Option<String> {
    let earlier = turn.history.iter().rev().find(|m| m.speaker == Speaker::Visitor)?;
    let skipped = earlier.text.chars().count().saturating_sub(CONTEXT_CHARS);
    let newest: String = earlier.text.chars().skip(skipped).collect();
    Some(format!("{newest}\n{question}"))
}

/// The prompt that scores what to quote next: the question and what was said so far, no passages.
pub fn quote_prompt(templates: &Templates, turn: &Turn, so_far: &str) -> Prompt {
    Prompt {
        messages: vec![
            message(Role::System, &templates.system),
            message(Role::User, &turn.question),
            message(Role::Assistant, so_far),
        ],
    }
}

/// The prompt for free text: `system` with its passages, history, question. The weakest passages, then the oldest
/// messages, are dropped until `reply_tokens` are left of the drafter's context.
///
/// # Errors
/// [`ModelError`] when the tokenizer fails.
pub fn compose_prompt(
    system: &str,
    turn: &Turn,
    hits: &[Hit],
    model: &dyn Model,
    reply_tokens: usize,
) -> Result<Prompt, ModelError> {
    let room = model.card().context_tokens.saturating_sub(reply_tokens);
    let mut hits = hits.to_vec();
    let mut history = recent(turn);
    loop {
        let prompt = assemble(system, turn, &hits, &history);
        let mut tokens = 0;
        for part in &prompt.messages {
            tokens += model.count_tokens(&part.text)? + TEMPLATE_TOKENS;
        }
        if tokens <= room || (hits.len() <= 1 && history.is_empty()) {
            return Ok(prompt);
        }
        if hits.len() > 1 {
            hits.pop();
        } else {
            history.remove(0);
        }
    }
}

fn assemble(system: &str, turn: &Turn, hits: &[Hit], history: &[PromptMessage]) -> Prompt {
    let mut system = system.to_owned();
    system.push_str("\n\nPassages:\n");
    for hit in hits {
        let heading = hit.passage.heading.last().unwrap_or(&hit.passage.title);
        system.push_str(&format!("\n# {heading}\n{}\n", hit.passage.text));
    }
    let mut messages = vec![message(Role::System, &system)];
    messages.extend_from_slice(history);
    messages.push(message(Role::User, &turn.question));
    Prompt { messages }
}

fn recent(turn: &Turn) -> Vec<PromptMessage> {
    let skip = turn.history.len().saturating_sub(HISTORY);
    let as_prompt = |m: &crate::turn::Message| {
        let role = match m.speaker {
            Speaker::Visitor => Role::User,
            Speaker::Bot | Speaker::Owner => Role::Assistant,
            Speaker::System => return None,
        };
        Some(message(role, &m.text.chars().take(HISTORY_CHARS).collect::<String>()))
    };
    turn.history.iter().skip(skip).filter_map(as_prompt).collect()
}

fn message(role: Role, text: &str) -> PromptMessage {
    PromptMessage { role, text: text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::Message;

    #[test]
    fn the_context_is_what_the_visitor_said_last() {
        let said = |speaker, text: &str| Message { speaker, text: text.into() };
        let long = format!("{}the end", "word ".repeat(200));
        let rows = [
            (vec![], None),
            (vec![said(Speaker::Bot, "Hello!")], None),
            (
                vec![said(Speaker::Visitor, "Linux?"), said(Speaker::Bot, "Yes.")],
                Some("Linux?".to_owned()),
            ),
            (
                vec![said(Speaker::Visitor, &long)],
                Some(long[long.len() - CONTEXT_CHARS..].to_owned()),
            ),
        ];
        for (history, expect) in rows {
            let turn = Turn { history, ..Turn::asking("And on Windows?") };
            assert_eq!(
                in_context(&turn, &turn.question),
                expect.map(|text| format!("{text}\nAnd on Windows?"))
            );
        }
    }

    #[test]
    fn needed_texts_are_asked_for_by_name() {
        let error = Templates::parse("system = 'x'\n[say]\nhold = 'y'\n").unwrap_err();
        assert_eq!(error, TemplateError::Missing("hand_off".into()));
        let shipped = include_str!("../../prompts/templates.toml");
        let error = Templates::parse(&format!("{shipped}\n[say.xx]\nhandoff = 'y'\n")).unwrap_err();
        assert!(error.to_string().contains("`handoff` under [say.xx]"), "{error}");
        let error = Templates::parse("system = 'x'\ncolour = 1\n[say]\n").unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
