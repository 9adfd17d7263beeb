//! What a message names: e-mail addresses, phone numbers, order ids, plans, SKUs, amounts and dates.
//!
//! Where two overlap the longer one counts; of equally long ones the kind that stands first in [`Kind`]. A match that begins or
//! ends within a word or a number is none.

mod own;
mod shapes;

use std::ops::Range;

use regex::Regex;
use serde::{Deserialize, Serialize};

pub(crate) use own::compile;
pub use own::{Own, OwnEntities, PatternError};
pub(crate) use shapes::{currency, decimal};

/// Entities of one text at most, the first.
const MOST: usize = 32;

/// What an entity is. The order decides between equally long ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An e-mail address; its value is in lower case.
    Email,
    /// An order id by the owner's pattern, as written.
    OrderId,
    /// A plan by the owner's list or pattern; its value is the owner's spelling.
    Plan,
    /// An article by the owner's list or pattern; its value is the owner's spelling.
    Sku,
    /// A date; its value is `2026-03-12` where day, month and year are certain, else as written (`3/4/2026`).
    Date,
    /// An amount of money; its value is the number with a point, a blank and the currency's code: `12.50 EUR`.
    Amount,
    /// A phone number; its value is digits, after a plus where the country is named.
    Phone,
}

/// Something a text names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes of the text.
    pub span: Range<usize>,
    /// The same whatever way it is written.
    pub value: String,
}

/// Finds entities; compiled once from the owner's settings.
#[derive(Debug, Clone)]
pub struct Entities {
    finders: Vec<Finder>,
}

/// One way to find one kind.
#[derive(Debug, Clone)]
struct Finder {
    kind: Kind,
    pattern: Regex,
    value: Value,
}

/// The value of what is written, none when it is of another kind after all.
type Check = fn(&str) -> Option<String>;

/// How a match becomes a value.
#[derive(Debug, Clone)]
enum Value {
    /// As the check has it.
    Checked(Check),
    /// The owner's spellings.
    Named(Vec<String>),
    /// As it is written.
    AsWritten,
}

impl Value {
    fn of(&self, written: &str) -> Option<String> {
        match self {
            Self::Checked(check) => check(written),
            Self::AsWritten => Some(written.to_owned()),
            Self::Named(names) => {
                let written = written.to_lowercase();
                names.iter().find(|name| name.to_lowercase() == written).cloned()
            }
        }
    }
}

impl Entities {
    /// Compiles the owner's patterns beside the built-in shapes.
    ///
    /// # Errors
    /// [`PatternError`] with the place of a pattern or name that cannot be used.
    pub fn new(own: &OwnEntities) -> Result<Self, PatternError> {
        let mut finders = own.finders()?;
        finders.extend(shapes::finders()?);
        Ok(Self { finders })
    }

    /// What the text names, in its order; no two overlap. The first of very many.
    pub fn find(&self, text: &str) -> Vec<Entity> {
        let mut found = self.all(text);
        found.truncate(MOST);
        found
    }

    /// Everything that the text names, in its order; no two overlap.
    pub(crate) fn all(&self, text: &str) -> Vec<Entity> {
        let mut all: Vec<Entity> =
            self.finders.iter().flat_map(|finder| finder.find(text)).collect();
        all.sort_by_key(|one| (std::cmp::Reverse(one.span.len()), one.kind, one.span.start));
        let mut found: Vec<Entity> = Vec::new();
        for entity in all {
            let free = |other: &Entity| {
                other.span.end <= entity.span.start || entity.span.end <= other.span.start
            };
            if found.iter().all(free) {
                found.push(entity);
            }
        }
        found.sort_by_key(|one| one.span.start);
        found
    }
}

impl Finder {
    fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Entity> + 'a {
        let places = self.pattern.captures_iter(text).filter_map(|captures| {
            // A group, where there is one, is what counts; the words around it only show the way.
            let place = captures.iter().skip(1).flatten().next().or_else(|| captures.get(0))?;
            Some(place.range())
        });
        places.filter(|span| !span.is_empty() && stands_alone(text, span)).filter_map(|span| {
            let value = self.value.of(&text[span.clone()])?;
            Some(Entity { kind: self.kind, span, value })
        })
    }
}

/// Whether a match neither begins nor ends within a word or a number. `12.5` does not hold `12`, `a@b.c` holds no `b`.
pub(crate) fn stands_alone(text: &str, span: &Range<usize>) -> bool {
    let joint = |c: char| matches!(c, '.' | ',' | '@' | '-' | '_' | '/' | ':' | '+' | '#');
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let word = &text[span.clone()];
    let (before, after) = (&text[..span.start], &text[span.end..]);
    let mut left = before.chars().rev();
    let mut right = after.chars();
    let (first, next) = (left.next(), right.next());
    let open = |edge: Option<char>, outer: Option<char>, beyond: Option<char>| {
        // A currency's sign needs no room around it.
        let edge_is_part = part(edge);
        (edge_is_part && part(outer)) || (edge_is_part && outer.is_some_and(joint) && part(beyond))
    };
    let begins = open(word.chars().next(), first, left.next());
    let ends = open(word.chars().next_back(), next, right.next());
    !begins && !ends
}
