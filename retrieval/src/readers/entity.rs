//! What the references of XML stand for, `&amp;` and its like; never what a file declares by itself.

use quick_xml::XmlVersion::Implicit1_0;
use quick_xml::events::BytesRef;

/// The character that a reference stands for.
pub(super) fn character(name: &BytesRef<'_>) -> Option<String> {
    if let Ok(Some(c)) = name.resolve_char_ref() {
        return Some(c.to_string());
    }
    let known = match &*name.xml_content(Implicit1_0) {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    };
    Some(known.into())
}
