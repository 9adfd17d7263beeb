//! What an action needs: arguments by a JSON schema, found in the visitor's own words.

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use crate::entities::{Entities, Kind};
use crate::tasks::Row;

use super::address::plain;
use super::results::clean;
use super::words::holds;

/// Characters of a text argument at most, whatever its schema says.
pub(super) const MOST: usize = 200;
/// Bytes that one compiled pattern may take.
const PATTERN: usize = 1 << 20;
/// What stands around a word that is no part of it.
const AROUND: &[char] = &[
    '.', ',', ';', ':', '!', '?', '(', ')', '[', ']', '{', '}', '"', '\'', '`', '<', '>', '#', '*',
    '«', '»', '“', '”', '„', '’',
];
/// Numbers that people write as words.
const NUMBERS: [&str; 13] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

/// The arguments of an action, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    pub(super) list: Vec<Argument>,
}

/// One argument.
#[derive(Debug, Clone)]
pub struct Argument {
    /// Its name in the request.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// The question for it.
    pub ask: String,
    /// Whether the action cannot do without it.
    pub required: bool,
    /// What it is among the things that messages name.
    pub entity: Option<Kind>,
    pub(super) shape: Shape,
    pub(super) check: Validator,
}

/// How its value is found in words.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// One of these.
    Choice(Vec<Value>),
    /// A word that fits a pattern.
    Pattern,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// Any text.
    Text,
}

/// Where a value is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the answer to the question for it: all of it may be meant.
    Answer,
    /// In the message that began the request.
    Opening,
    /// In what the visitor wrote before: only what cannot be mistaken.
    Earlier,
}

impl Arguments {
    /// All of them, in the order of the file.
    pub fn list(&self) -> &[Argument] {
        &self.list
    }

    pub(super) fn named(&self, name: &str) -> Option<&Argument> {
        self.list.iter().find(|one| one.name == name)
    }

    /// The first required one that has no value.
    pub(super) fn missing(&self, values: &Map<String, Value>) -> Option<&Argument> {
        self.list.iter().find(|one| one.required && !values.contains_key(&one.name))
    }

    /// Whether all that is needed is there, each by its schema, and nothing else.
    pub fn accept(&self, values: &Map<String, Value>) -> bool {
        let good =
            |(name, value): (&String, &Value)| self.named(name).is_some_and(|one| one.takes(value));
        self.missing(values).is_none() && values.iter().all(good)
    }

    /// The values for people, in the order of the file.
    pub fn rows(&self, values: &Map<String, Value>) -> Vec<Row> {
        let row = |one: &Argument| {
            let value = plain(values.get(&one.name)?)?;
            Some(Row::new(one.label.clone(), clean(&value, MOST)))
        };
        self.list.iter().filter_map(row).collect()
    }
}

impl Argument {
    /// Whether the value may be sent.
    pub(super) fn takes(&self, value: &Value) -> bool {
        value.as_str().is_none_or(|text| {
            text.chars().count() <= MOST && !text.chars().any(char::is_control) && !text.is_empty()
        }) && self.check.is_valid(value)
    }

    /// The one value that a text gives for it. Where it gives several, none is meant surely.
    pub(super) fn find(
        &self,
        text: &str,
        place: Place,
        entities: &Entities,
        not: &[String],
    ) -> Option<Value> {
        let text = narrow(text);
        let mut found: Vec<Value> = Vec::new();
        for value in self.candidates(&text, place, entities) {
            let barred = value.as_str().is_some_and(|value| not.iter().any(|other| other == value));
            if !barred && self.takes(&value) && !found.contains(&value) {
                found.push(value);
            }
        }
        (found.len() == 1).then(|| found.swap_remove(0))
    }

    fn candidates(&self, text: &str, place: Place, entities: &Entities) -> Vec<Value> {
        if let Some(kind) = self.entity {
            let named = entities.find(text).into_iter().filter(|entity| entity.kind == kind);
            let values: Vec<Value> = named.map(|entity| Value::String(entity.value)).collect();
            if !values.is_empty() || self.shape != Shape::Pattern {
                return values;
            }
        }
        let words = || text.split_whitespace().map(|word| word.trim_matches(AROUND));
        match &self.shape {
            Shape::Choice(options) => choices(text, options),
            Shape::Pattern => words().filter(|word| !word.is_empty()).map(Value::from).collect(),
            Shape::Integer if place != Place::Earlier => words().filter_map(integer).collect(),
            Shape::Number if place != Place::Earlier => words().filter_map(number).collect(),
            Shape::Flag if place == Place::Answer => flag(text).into_iter().collect(),
            Shape::Text if place == Place::Answer => vec![Value::from(text.trim())],
            _ => vec![],
        }
    }
}

/// Compiles the schema of one argument. Nothing is fetched for it, and its patterns take time linear in the text.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    let options = jsonschema::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN));
    options.build(schema).map_err(|error| error.to_string())
}

/// The options that the text names, longer ones before those that stand in them.
fn choices(text: &str, options: &[Value]) -> Vec<Value> {
    let words = crate::text::words(text);
    let mut spelled: Vec<(String, &Value)> = options
        .iter()
        .filter_map(|one| Some((crate::text::words(&plain(one)?).join(" "), one)))
        .collect();
    spelled.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    let mut found: Vec<(String, Value)> = Vec::new();
    for (text, value) in spelled {
        let inside = found.iter().any(|(longer, _)| longer.contains(&text));
        let number = words.iter().any(|word| integer(word).as_ref() == Some(value));
        if !inside && !text.is_empty() && (holds(&words, &text) || number) {
            found.push((text, value.clone()));
        }
    }
    found.into_iter().map(|(_, value)| value).collect()
}

fn integer(word: &str) -> Option<Value> {
    let lower = word.to_lowercase();
    if let Some(at) = NUMBERS.iter().position(|number| *number == lower) {
        return Some(Value::from(at));
    }
    let digits = word.strip_prefix('-').unwrap_or(word);
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| word.parse::<i64>().ok().map(Value::from))
        .flatten()
}

fn number(word: &str) -> Option<Value> {
    let fits = |c: char| c.is_ascii_digit() || ".-".contains(c);
    let plain = integer(word);
    plain.or_else(|| {
        word.chars().all(fits).then(|| word.parse::<f64>().ok().map(Value::from)).flatten()
    })
}

fn flag(text: &str) -> Option<Value> {
    let words = crate::text::words(text);
    match words.first().map(String::as_str)? {
        "yes" | "yep" | "yeah" | "ja" | "oui" | "si" | "sí" | "true" => Some(Value::from(true)),
        "no" | "nope" | "nein" | "non" | "false" => Some(Value::from(false)),
        _ => None,
    }
}

/// Full-width letters and digits as the plain ones that they stand for.
pub(super) fn narrow(text: &str) -> String {
    let plain = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entities::OwnEntities;

    fn argument(schema: Value, entity: Option<Kind>) -> Argument {
        let shape = super::super::file::shape(&schema);
        let check = compile(&schema).unwrap();
        Argument {
            name: "x".into(),
            label: "X".into(),
            ask: "X?".into(),
            required: true,
            entity,
            shape,
            check,
        }
    }

    fn check(schema: Value, entity: Option<Kind>, rows: &[(&str, Place, Value)]) {
        let argument = argument(schema, entity);
        let entities = Entities::new(&OwnEntities::default()).unwrap();
        for (text, place, expect) in rows {
            let found = argument.find(text, *place, &entities, &["own@example.org".to_owned()]);
            assert_eq!(found.unwrap_or(Value::Null), *expect, "{text:?} {place:?}");
        }
    }

    #[test]
    fn values_are_read_as_people_write_them() {
        use Place::{Answer, Earlier, Opening};
        let null = || Value::Null;
        let order = json!({"type": "string", "pattern": "^[0-9]{5}$"});
        check(
            order,
            None,
            &[
                ("Where is my order 12345?", Opening, json!("12345")),
                ("it's #12345, thanks", Answer, json!("12345")),
                ("１２３４５", Answer, json!("12345")),
                ("12345 or 67890", Answer, null()),
                ("12345 yes 12345", Answer, json!("12345")),
                ("123456", Answer, null()),
                ("12345/../99", Answer, null()),
                ("order from last week", Earlier, null()),
                ("my order is 12345.", Earlier, json!("12345")),
                ("", Answer, null()),
            ],
        );
        let email = json!({"type": "string", "format": "email", "maxLength": 60});
        check(
            email,
            Some(Kind::Email),
            &[
                ("change it to New@Example.org please", Opening, json!("new@example.org")),
                ("own@example.org wants new@example.org", Earlier, json!("new@example.org")),
                ("a@example.org or b@example.org", Answer, null()),
                ("own@example.org", Answer, null()),
                ("me at example", Answer, null()),
            ],
        );
        let months = json!({"type": "integer", "minimum": 1, "maximum": 3});
        check(
            months,
            None,
            &[
                ("Pause it for 2 months", Opening, json!(2)),
                ("three", Answer, json!(3)),
                ("2 months", Earlier, null()),
                ("12", Answer, null()),
                ("99999999999999999999999999", Answer, null()),
                ("-1", Answer, null()),
                ("1e0", Answer, null()),
            ],
        );
        let plan = json!({"type": "string", "enum": ["Pro", "Pro Max", "Free"]});
        check(
            plan,
            None,
            &[
                ("I have pro max", Opening, json!("Pro Max")),
                ("pro", Answer, json!("Pro")),
                ("pro or free", Answer, null()),
                ("professional", Answer, null()),
            ],
        );
        let note = json!({"type": "string", "maxLength": 10});
        check(
            note,
            None,
            &[
                (" hello ", Answer, json!("hello")),
                ("hello", Opening, null()),
                ("a\u{7}b", Answer, null()),
                ("far too long a text", Answer, null()),
            ],
        );
        check(
            json!({"type": "boolean"}),
            None,
            &[("yes, please", Answer, json!(true)), ("yes", Opening, null())],
        );
        check(
            json!({"type": "number", "maximum": 10}),
            None,
            &[("2.5", Answer, json!(2.5)), ("1.2.3", Answer, null())],
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]
        #[test]
        fn whatever_is_found_fits_the_schema(text in "\\PC{0,120}") {
            let entities = Entities::new(&OwnEntities::default()).unwrap();
            for schema in [json!({"type": "string"}), json!({"type": "integer"}), json!({"type": "string", "pattern": "^[a-z]{1,3}$"})] {
                let argument = argument(schema, None);
                for place in [Place::Answer, Place::Opening, Place::Earlier] {
                    if let Some(value) = argument.find(&text, place, &entities, &[]) {
                        proptest::prop_assert!(argument.takes(&value));
                    }
                }
            }
        }
    }
}
