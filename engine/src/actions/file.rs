//! `prompts/actions.toml` as it is written, checked with the line of every mistake.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::entities::Kind;
use crate::phrase::Phrase;
use crate::policy::Policy;
use crate::tasks::BookError;

use super::address::{Address, Base, is_name};
use super::arguments::{Argument, Arguments, MOST, Shape, compile};
use super::book::{Access, Action, Method};
use super::results::Shown;

/// Seconds that a call may take at most.
const LONGEST_S: u64 = 30;
/// Actions, arguments of one, and rows of a result at most.
const MANY: usize = 50;
/// What a schema of an argument may say.
const KEYWORDS: [&str; 13] = [
    "type",
    "pattern",
    "enum",
    "const",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "format",
    "description",
];
/// What a schema of an argument may say beside them.
const OWN: [&str; 3] = ["ask", "entity", "title"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    action: Vec<Spanned<Written>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: Spanned<String>,
    title: String,
    #[serde(default)]
    words: Vec<Phrase>,
    #[serde(default)]
    unless: Vec<Phrase>,
    #[serde(default)]
    intents: Vec<String>,
    #[serde(default = "sure")]
    score: Spanned<f32>,
    #[serde(default)]
    over: Vec<Spanned<String>>,
    access: Spanned<Access>,
    #[serde(default)]
    verified: bool,
    #[serde(default)]
    owner_confirms: bool,
    method: Method,
    url: Spanned<String>,
    #[serde(default)]
    header_file: Option<String>,
    identity: Option<Spanned<Identity>>,
    #[serde(default = "usual")]
    timeout_s: Spanned<u64>,
    #[serde(default)]
    card: String,
    #[serde(default)]
    arguments: Schema,
    #[serde(default)]
    result: Vec<Spanned<Row>>,
}

/// Who the server says the visitor is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    email: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schema {
    required: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    properties: BTreeMap<Spanned<String>, toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    pointer: String,
    label: String,
    #[serde(default = "short")]
    most: usize,
}

fn sure() -> Spanned<f32> {
    Spanned::new(0..0, 0.6)
}

fn usual() -> Spanned<u64> {
    Spanned::new(0..0, 10)
}

fn short() -> usize {
    100
}

/// A mistake and the byte where it stands.
type Mistake = (usize, String);

/// Reads the actions of a file, in its order.
pub(super) fn read(text: &str, policy: &Policy) -> Result<Vec<Action>, BookError> {
    let file: File = toml::from_str(text).map_err(|error| BookError::Toml(error.to_string()))?;
    let line = |start: usize| text[..start.min(text.len())].matches('\n').count() + 1;
    let at = |(start, problem): Mistake| BookError::At { line: line(start), problem };
    let mut actions: Vec<Action> = Vec::new();
    for spanned in file.action {
        let start = spanned.span().start;
        let written = spanned.into_inner();
        if actions.len() >= MANY {
            return Err(at((start, format!("there are more than {MANY} actions; take some out"))));
        }
        let id = written.id.get_ref().clone();
        if let Some(twin) = actions.iter().find(|other| other.id == id) {
            let problem = format!(
                "the action `{id}` stands in line {} already; give each its own id",
                twin.line
            );
            return Err(at((written.id.span().start, problem)));
        }
        let own = |(start, problem): Mistake| at((start, format!("the action `{id}`: {problem}")));
        actions.push(Action { line: line(start), ..action(written, start, policy).map_err(own)? });
    }
    Ok(actions)
}

fn action(written: Written, start: usize, policy: &Policy) -> Result<Action, Mistake> {
    plain(&written, start, policy)?;
    let (url, at) = (written.url.get_ref(), written.url.span().start);
    let address = Address::read(url).map_err(|problem| (at, problem))?;
    let arguments = arguments(written.arguments, start)?;
    let names: BTreeSet<&str> = arguments.list.iter().map(|one| one.name.as_str()).collect();
    if let Some(place) = address.places().into_iter().find(|place| !names.contains(place)) {
        let problem =
            format!("url names {{{place}}}, which is not under [action.arguments.properties]");
        return Err((at, problem));
    }
    let optional = |place: &&str| arguments.named(place).is_some_and(|one| !one.required);
    if let Some(place) = address.places().into_iter().find(optional) {
        return Err((at, format!("url needs {{{place}}}; put it under `required`")));
    }
    let identity = identity(written.identity, written.verified, &names, start)?;
    let own = address.base == Base::Own;
    if own && written.header_file.is_some() {
        return Err((at, "header_file is not read for {porchlight}; take it out".into()));
    }
    Ok(Action {
        id: written.id.into_inner(),
        card: if written.card.is_empty() { written.title.clone() } else { written.card },
        title: written.title,
        words: written.words,
        unless: written.unless,
        intents: written.intents,
        score: written.score.into_inner(),
        over: written.over.into_iter().map(Spanned::into_inner).collect(),
        access: written.access.into_inner(),
        owner_confirms: written.owner_confirms,
        method: written.method,
        address,
        header_file: written.header_file,
        identity,
        timeout_s: written.timeout_s.into_inner(),
        arguments,
        shown: shown(written.result)?,
        line: 0,
    })
}

/// What can be told without the address and the arguments.
fn plain(written: &Written, start: usize, policy: &Policy) -> Result<(), Mistake> {
    let refuse = |at: usize, problem: &str| Err((at, problem.to_owned()));
    let id = written.id.get_ref();
    if !id.starts_with(|c: char| c.is_ascii_lowercase())
        || !id.replace('-', "_").chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    {
        return refuse(
            written.id.span().start,
            "an id is made of small letters, digits and `-`, as order-status",
        );
    }
    if written.title.trim().is_empty() {
        return refuse(start, "title is empty; say what it is called, as \"Order status\"");
    }
    if written.words.is_empty() && written.intents.is_empty() {
        return refuse(start, "names neither words nor intents, so nothing can start it");
    }
    if !(0.0..=1.0).contains(written.score.get_ref()) {
        return refuse(written.score.span().start, "score has to lie between 0 and 1");
    }
    if !(1..=LONGEST_S).contains(written.timeout_s.get_ref()) {
        return refuse(
            written.timeout_s.span().start,
            "timeout_s has to lie between 1 and 30 seconds",
        );
    }
    if *written.access.get_ref() == Access::Write && written.method == Method::Get {
        return refuse(
            written.access.span().start,
            "a write is a POST; GET may change nothing at the other end",
        );
    }
    let known = |id: &str| policy.rule.iter().any(|rule| rule.id == id);
    let over = written.over.iter().find(|id| !known(id.get_ref()));
    over.map_or(Ok(()), |id| {
        Err((
            id.span().start,
            format!("there is no rule `{}` in policy.toml to come before", id.get_ref()),
        ))
    })
}

fn identity(
    written: Option<Spanned<Identity>>,
    verified: bool,
    names: &BTreeSet<&str>,
    start: usize,
) -> Result<Option<String>, Mistake> {
    let Some(spanned) = written else {
        return match verified {
            false => Ok(None),
            true => Err((start, "verified = true needs identity = { email = \"X-Customer-Email\" }, so that the other end learns whose account it is".into())),
        };
    };
    let (at, name) = (spanned.span().start, spanned.into_inner().email);
    if !verified {
        return Err((
            at,
            "identity needs verified = true: nobody knows who the visitor is without a code".into(),
        ));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || name.len() > 60 || !name.chars().all(fits) {
        return Err((
            at,
            format!(
                "identity.email is `{name}`; it is the name of a field as customer_email, or of a header as X-Customer-Email"
            ),
        ));
    }
    if names.iter().any(|argument| argument.eq_ignore_ascii_case(&name)) {
        return Err((
            at,
            format!("`{name}` is filled by the server; no argument may be called so"),
        ));
    }
    Ok(Some(name))
}

fn arguments(schema: Schema, start: usize) -> Result<Arguments, Mistake> {
    let mut properties: Vec<(Spanned<String>, toml::Table)> =
        schema.properties.into_iter().collect();
    properties.sort_by_key(|(name, _)| name.span().start);
    if properties.len() > MANY {
        return Err((start, format!("has more than {MANY} arguments; take some out")));
    }
    let known = |name: &str| properties.iter().any(|(own, _)| own.get_ref() == name);
    if let Some(name) = schema.required.iter().flatten().find(|name| !known(name.get_ref())) {
        return Err((
            name.span().start,
            format!("`required` names `{}`, which is no argument", name.get_ref()),
        ));
    }
    let required = |name: &str| {
        schema.required.as_ref().is_none_or(|list| list.iter().any(|one| one.get_ref() == name))
    };
    let mut list = Vec::new();
    for (name, table) in &properties {
        let (at, name) = (name.span().start, name.get_ref());
        let own = |problem: String| (at, format!("the argument `{name}` {problem}"));
        list.push(argument(name, table, required(name)).map_err(own)?);
    }
    Ok(Arguments { list })
}

fn argument(name: &str, table: &toml::Table, required: bool) -> Result<Argument, String> {
    if !is_name(name) {
        return Err("is no name of letters, digits and `_`".into());
    }
    let unknown =
        table.keys().find(|key| !KEYWORDS.contains(&key.as_str()) && !OWN.contains(&key.as_str()));
    if let Some(key) = unknown {
        return Err(format!(
            "has `{key}`; it may have {}, {}",
            OWN.join(", "),
            KEYWORDS.join(", ")
        ));
    }
    let own = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(format!("needs a text under `{key}`")),
    };
    let entity = own("entity")?.map(|kind| {
        let kind: Result<Kind, _> = serde_json::from_value(Value::String(kind));
        kind.map_err(|_| {
            "has an unknown `entity`; it is email, order_id, plan, sku, date, amount or phone"
                .to_owned()
        })
    });
    let entity = entity.transpose()?;
    let ask = own("ask")?;
    if required && ask.is_none() {
        return Err("needs the question for it under `ask`".into());
    }
    let label = own("title")?.unwrap_or_else(|| name.replace('_', " "));
    let schema = schema(table)?;
    let check =
        compile(&schema).map_err(|error| format!("has a schema that cannot be used: {error}"))?;
    let (name, ask) = (name.to_owned(), ask.unwrap_or_default());
    Ok(Argument { name, label, ask, required, entity, shape: shape(&schema), check })
}

/// The JSON schema of one argument, without what is Porchlight's own.
fn schema(table: &toml::Table) -> Result<Value, String> {
    let own: toml::Table = table
        .iter()
        .filter(|(key, _)| !OWN.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let schema = serde_json::to_value(own).map_err(|error| error.to_string())?;
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    if !["string", "integer", "number", "boolean"].contains(&kind) {
        return Err("needs a `type`: string, integer, number or boolean".into());
    }
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
        && !(pattern.starts_with('^') && pattern.ends_with('$'))
    {
        return Err(format!(
            "has the pattern `{pattern}`, which also fits parts of other words; begin it with ^ and end it with $"
        ));
    }
    let long =
        schema.get("maxLength").and_then(Value::as_u64).is_some_and(|most| most > MOST as u64);
    if long {
        return Err(format!("has a maxLength above {MOST}"));
    }
    Ok(schema)
}

/// How values of a schema are found.
pub(super) fn shape(schema: &Value) -> Shape {
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return Shape::Choice(options.clone());
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer") => Shape::Integer,
        Some("number") => Shape::Number,
        Some("boolean") => Shape::Flag,
        _ if schema.get("pattern").is_some() => Shape::Pattern,
        _ => Shape::Text,
    }
}

fn shown(rows: Vec<Spanned<Row>>) -> Result<Vec<Shown>, Mistake> {
    let mut shown = Vec::new();
    for spanned in rows {
        let (at, row) = (spanned.span().start, spanned.into_inner());
        let problem = if shown.len() >= MANY {
            Some(format!("has more than {MANY} rows; take some out"))
        } else if !row.pointer.starts_with('/') {
            Some(format!("the pointer `{}` begins with /, as /order/status", row.pointer))
        } else if row.label.trim().is_empty() {
            Some("a row of the result needs a label".into())
        } else if !(1..=500).contains(&row.most) {
            Some("`most` has to lie between 1 and 500 characters".into())
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err((at, problem));
        }
        shown.push(Shown { pointer: row.pointer, label: row.label, most: row.most });
    }
    Ok(shown)
}
