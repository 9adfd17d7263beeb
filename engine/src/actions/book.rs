//! The owner's actions: which one a message starts, what it sends, and what it shows.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::phrase::Phrase;
use crate::policy::Policy;
use crate::rules::{Heard, stands_in};
use crate::tasks::{BookError, Row};
use crate::text;

use super::address::{Address, Base, encoded, plain};
use super::arguments::Arguments;
use super::file;
use super::request::Request;
use super::results::Shown;

/// The owner's actions, `prompts/actions.toml`.
#[derive(Debug, Clone, Default)]
pub struct ActionBook {
    actions: Vec<Action>,
}

/// What an action does at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// It looks something up, and may be called again.
    Read,
    /// It changes something: the visitor confirms it, and it is called once.
    Write,
}

/// How an action is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Arguments stand in the address.
    Get,
    /// Arguments that do not stand in the address are a JSON body.
    Post,
}

/// A function of the owner's.
#[derive(Debug, Clone)]
pub struct Action {
    /// Name that records show: `order-status`.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// Heading of the card with the result.
    pub card: String,
    pub(super) words: Vec<Phrase>,
    pub(super) unless: Vec<Phrase>,
    pub(super) intents: Vec<String>,
    pub(super) score: f32,
    /// Ids of rules that it comes before.
    pub over: Vec<String>,
    /// What it does at the other end.
    pub access: Access,
    /// Whether the owner has to agree to each call.
    pub owner_confirms: bool,
    /// How it is called.
    pub method: Method,
    pub(super) address: Address,
    /// File with the secret headers of its calls.
    pub header_file: Option<String>,
    /// Name of the field or header that says whose account it is; there is one for actions that need a proof of contact.
    pub identity: Option<String>,
    /// Seconds that a call may take.
    pub timeout_s: u64,
    /// What it needs.
    pub arguments: Arguments,
    pub(super) shown: Vec<Shown>,
    /// Line of the file that it begins in, from 1.
    pub line: usize,
}

/// A call as it goes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Where.
    pub base: Base,
    /// Path and query.
    pub target: String,
    /// GET or POST.
    pub method: Method,
    /// The header that says whose account it is.
    pub identity: Option<(String, String)>,
    /// The JSON body of a POST.
    pub body: Option<Value>,
}

impl ActionBook {
    /// Reads the TOML text and checks it against the rules that it names.
    ///
    /// # Errors
    /// [`BookError`] with the line.
    pub fn parse(text: &str, policy: &Policy) -> Result<Self, BookError> {
        Ok(Self { actions: file::read(text, policy)? })
    }

    /// All of them, in the order of the file.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The action with this id.
    pub fn named(&self, id: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.id == id)
    }

    /// The one that a message begins.
    pub fn starts(&self, heard: &Heard<'_>) -> Option<&Action> {
        let sentences = text::sentences(heard.text);
        self.actions.iter().find(|action| action.is_meant(heard, &sentences))
    }

    /// The one that is on; none when the owner has taken it away meanwhile.
    pub fn action(&self, on: &Request) -> Option<&Action> {
        self.named(&on.action)
    }
}

impl Action {
    /// Whether a proof of contact is needed.
    pub fn verified(&self) -> bool {
        self.identity.is_some()
    }

    /// Its address as the owner wrote it.
    pub fn url(&self) -> &str {
        &self.address.written
    }

    /// Where it is called.
    pub fn base(&self) -> &Base {
        &self.address.base
    }

    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        self.access == Access::Write
    }

    fn is_meant(&self, heard: &Heard<'_>, sentences: &[Vec<String>]) -> bool {
        let said = |words: &Vec<String>| stands_in(words, &self.words, &self.unless);
        let taken = |words: &Vec<String>| {
            self.unless.iter().any(|phrase| phrase.places(words).next().is_some())
        };
        let tag = heard.reading.primary();
        let tagged =
            tag.is_some_and(|tag| tag.score >= self.score && self.intents.contains(&tag.id));
        sentences.iter().any(said) || (tagged && !sentences.iter().any(taken))
    }

    /// The call with these arguments for the visitor whose address `subject` is; `None` when the arguments do not fit, or nobody has
    /// shown whose account it is and it has to be known.
    pub fn outgoing(
        &self,
        arguments: &Map<String, Value>,
        subject: Option<&str>,
    ) -> Option<Outgoing> {
        if !self.arguments.accept(arguments) {
            return None;
        }
        let mut target = self.address.filled(arguments)?;
        let places = self.address.places();
        let mut fields: Map<String, Value> = Map::new();
        for (name, value) in arguments.iter().filter(|(name, _)| !places.contains(name.as_str())) {
            fields.insert(name.clone(), value.clone());
        }
        let mut identity = None;
        if let Some(name) = &self.identity {
            let subject = subject?.to_owned();
            match is_header(name) {
                true => identity = Some((name.clone(), subject)),
                false => _ = fields.insert(name.clone(), Value::String(subject)),
            }
        }
        let body = (self.method == Method::Post).then(|| Value::Object(fields.clone()));
        if self.method == Method::Get {
            for (name, value) in &fields {
                let join = if target.contains('?') { '&' } else { '?' };
                target.push_str(&format!("{join}{name}={}", encoded(&plain(value)?)));
            }
        }
        Some(Outgoing {
            base: self.address.base.clone(),
            target,
            method: self.method,
            identity,
            body,
        })
    }

    /// What may be shown of an answer.
    pub fn rows(&self, answer: &Value) -> Vec<Row> {
        self.shown.iter().filter_map(|shown| shown.row(answer)).collect()
    }
}

/// Names of headers begin with `X-`; others are fields.
fn is_header(name: &str) -> bool {
    name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("x-"))
}
