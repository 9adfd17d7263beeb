//! Steps through XML: tags opened and closed and the text between, never an entity that the file itself declares.

use quick_xml::Reader;
use quick_xml::XmlVersion::Implicit1_0;
use quick_xml::events::{BytesStart, Event};

use super::damaged;
use crate::readers::entity::character;
use crate::readers::foreign::ConvertError;

/// Elements inside elements at most; Word's own documents stay below 50.
const MAX_DEPTH: usize = 256;

/// What comes next; names are without their prefix.
pub(super) enum Step<'a> {
    /// A tag opens.
    Open(&'a str, Tag<'a>),
    /// It closes.
    Close(&'a str),
    /// Text.
    Text(&'a str),
}

/// The attributes of a tag.
pub(super) struct Tag<'a>(&'a BytesStart<'a>);

impl Tag<'_> {
    /// The value of an attribute, by its name without prefix.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        // Looking for doubles takes time with the square of their number.
        let mut attributes = self.0.attributes();
        let found = attributes
            .with_checks(false)
            .flatten()
            .find(|a| a.key.local_name().as_ref() == name)?;
        found.normalized_value(Implicit1_0).ok().map(std::borrow::Cow::into_owned)
    }

    /// `w:val`, which most of Word's elements have.
    pub(super) fn value(&self) -> Option<String> {
        self.get("val")
    }

    /// Whether a switch is on: there, and not set to off.
    pub(super) fn is_on(&self) -> bool {
        !matches!(self.value().as_deref(), Some("0" | "false" | "off" | "none"))
    }
}

/// Goes through `xml` from start to end; no text is no steps.
pub(super) fn walk(xml: &str, visit: &mut dyn FnMut(Step<'_>)) -> Result<(), ConvertError> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        let broken = |problem: &str| damaged(&format!("its XML is broken at byte {at}: {problem}"));
        match event.map_err(|error| broken(&error.to_string()))? {
            Event::Start(tag) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(ConvertError::Deep { most: MAX_DEPTH });
                }
                visit(Step::Open(tag.local_name().as_ref(), Tag(&tag)));
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                visit(Step::Close(tag.local_name().as_ref()));
            }
            Event::Text(text) => visit(Step::Text(&text.xml_content(Implicit1_0))),
            Event::CData(text) => visit(Step::Text(&text.xml_content(Implicit1_0))),
            Event::GeneralRef(name) => {
                let text =
                    character(&name).ok_or_else(|| broken("it names an entity of its own"))?;
                visit(Step::Text(&text));
            }
            Event::DocType(_) => {
                return Err(damaged("it declares entities, which Word never does"));
            }
            Event::Eof if depth > 0 => return Err(broken("it ends too early")),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}
