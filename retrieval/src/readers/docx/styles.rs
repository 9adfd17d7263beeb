//! What the styles of a Word document say: which are headings, which are lists, and how lists count.

use std::collections::HashMap;

use super::body::Role;
use super::xml::{self, Step};
use crate::readers::foreign::ConvertError;

/// Levels that a list may have, as in Word.
pub(super) const LEVELS: usize = 9;
/// Styles that a style is based on, at most; a circle ends here.
const MAX_CHAIN: usize = 16;

/// A list and a level in it.
pub(super) type Item = (String, usize);

/// A style as it is written.
#[derive(Debug, Default)]
struct Style {
    name: String,
    based_on: Option<String>,
    outline: Option<usize>,
    list: Option<String>,
    level: Option<usize>,
}

/// The styles of paragraphs, by id.
#[derive(Debug, Default)]
pub(super) struct Styles(HashMap<String, Style>);

impl Styles {
    /// Reads `styles.xml`.
    pub(super) fn read(xml: &str) -> Result<Self, ConvertError> {
        let mut styles = HashMap::new();
        let mut open: Option<(String, Style)> = None;
        xml::walk(xml, &mut |step| match (step, &mut open) {
            (Step::Open("style", tag), _) => {
                open = Some((tag.get("styleId").unwrap_or_default(), Style::default()));
            }
            (Step::Close("style"), _) => styles.extend(open.take()),
            (Step::Open(name, tag), Some((_, style))) => match name {
                "name" => style.name = tag.value().unwrap_or_default().to_lowercase(),
                "basedOn" => style.based_on = tag.value(),
                "outlineLvl" => style.outline = number(tag.value()),
                "numId" => style.list = tag.value(),
                "ilvl" => style.level = number(tag.value()),
                _ => {}
            },
            _ => {}
        })?;
        Ok(Self(styles))
    }

    /// The style and those it is based on, nearest first.
    fn chain(&self, id: &str) -> impl Iterator<Item = &Style> {
        let next = |style: &&Style| style.based_on.as_ref().and_then(|id| self.0.get(id));
        std::iter::successors(self.0.get(id), next).take(MAX_CHAIN)
    }

    /// What a paragraph of this style is.
    pub(super) fn role(&self, id: &str) -> Role {
        self.chain(id).find_map(own_role).unwrap_or(Role::Plain)
    }

    /// The list that a paragraph of this style is in.
    pub(super) fn item(&self, id: &str) -> Option<Item> {
        let style = self.chain(id).find(|style| style.list.is_some())?;
        // "List Bullet 2" is the second level, though it counts for itself.
        let digit = style.name.chars().next_back().and_then(|c| c.to_digit(10)).unwrap_or(1);
        let level = style.level.unwrap_or((digit as usize).saturating_sub(1));
        Some((style.list.clone()?, level))
    }
}

fn own_role(style: &Style) -> Option<Role> {
    let name = style.name.as_str();
    let heading = name.strip_prefix("heading ").and_then(|level| level.parse().ok());
    if name == "title" {
        Some(Role::Title)
    } else if name.starts_with("toc ") || name == "table of figures" {
        Some(Role::Contents)
    } else if ["source code", "html preformatted", "preformatted text", "code"].contains(&name) {
        Some(Role::Code)
    } else if let Some(level @ 1..=LEVELS) = heading {
        Some(Role::Heading(level))
    } else {
        style.outline.and_then(outline)
    }
}

/// The heading of an outline level; 9 is running text.
pub(super) fn outline(level: usize) -> Option<Role> {
    (level < LEVELS).then_some(Role::Heading(level + 1))
}

pub(super) fn number(value: Option<String>) -> Option<usize> {
    value.and_then(|value| value.parse().ok())
}

/// How the lists of a document count.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// First number of each level of each list that counts; bullets are not in it.
    first: HashMap<(String, usize), u32>,
}

impl Numbering {
    /// Reads `numbering.xml`.
    pub(super) fn read(xml: &str) -> Result<Self, ConvertError> {
        let mut kinds: HashMap<(String, usize), u32> = HashMap::new();
        let mut lists: Vec<(String, String)> = Vec::new();
        let (mut kind, mut list, mut level, mut start) = (String::new(), String::new(), 0, 1);
        xml::walk(xml, &mut |step| {
            let Step::Open(name, tag) = step else { return };
            match name {
                "abstractNum" => kind = tag.get("abstractNumId").unwrap_or_default(),
                "lvl" => {
                    level = number(tag.get("ilvl")).unwrap_or(0);
                    start = 1;
                }
                "start" => start = tag.value().and_then(|value| value.parse().ok()).unwrap_or(1),
                "numFmt" if tag.value().is_some_and(|is| is != "bullet" && is != "none") => {
                    kinds.insert((kind.clone(), level), start);
                }
                "num" => list = tag.get("numId").unwrap_or_default(),
                "abstractNumId" => lists.push((list.clone(), tag.value().unwrap_or_default())),
                _ => {}
            }
        })?;
        let mut first = HashMap::new();
        for (list, kind) in lists {
            let levels = (0..LEVELS).filter_map(|l| Some((l, *kinds.get(&(kind.clone(), l))?)));
            first.extend(levels.map(|(level, start)| ((list.clone(), level), start)));
        }
        Ok(Self { first })
    }

    /// The first number of a level; nothing for bullets.
    pub(super) fn first(&self, list: &str, level: usize) -> Option<u32> {
        self.first.get(&(list.to_owned(), level)).copied()
    }
}
