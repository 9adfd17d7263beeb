//! Looks at the tree of a page without recursion, however deep it is.

use markup5ever_rcdom::{Handle, NodeData};

use crate::readers::emit;

/// Elements whose content is never shown as text, or is no content of this page.
const SILENT: [&str; 25] = [
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "video", "audio",
    "canvas", "button", "select", "input", "textarea", "head", "title", "nav", "aside", "footer",
    "dialog", "datalist", "map", "rp", "frameset",
];
/// Roles of what surrounds the content.
const AROUND: [&str; 5] = ["navigation", "banner", "contentinfo", "search", "complementary"];
/// Class names of what surrounds the content or is not seen.
const UNSEEN: [&str; 9] = [
    "headerlink",
    "breadcrumb",
    "breadcrumbs",
    "sidebar",
    "skip-link",
    "sr-only",
    "visually-hidden",
    "screen-reader-text",
    "toc",
];

/// The element's name; nothing for text.
pub(super) fn name(node: &Handle) -> Option<&str> {
    match &node.data {
        NodeData::Element { name, .. } => Some(&name.local),
        _ => None,
    }
}

/// An attribute of an element.
pub(super) fn attribute(node: &Handle, wanted: &str) -> Option<String> {
    let NodeData::Element { attrs, .. } = &node.data else { return None };
    let attrs = attrs.borrow();
    let found = attrs.iter().find(|attr| &*attr.name.local == wanted)?;
    Some(found.value.trim().to_owned())
}

/// Levels of the deepest element.
pub(super) fn depth(root: &Handle) -> usize {
    let mut open = vec![(root.clone(), 0)];
    let mut deepest = 0;
    while let Some((node, level)) = open.pop() {
        deepest = deepest.max(level);
        open.extend(node.children.borrow().iter().map(|child| (child.clone(), level + 1)));
    }
    deepest
}

/// All elements in reading order, those inside a hidden one left out.
fn elements(root: &Handle, wanted: impl Fn(&Handle) -> bool) -> Vec<Handle> {
    let mut open = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(node) = open.pop() {
        if wanted(&node) {
            found.push(node.clone());
        }
        open.extend(node.children.borrow().iter().rev().cloned());
    }
    found
}

/// The first element of that name.
pub(super) fn find(root: &Handle, wanted: &str) -> Option<Handle> {
    elements(root, |node| name(node) == Some(wanted)).into_iter().next()
}

/// The first element of that role.
pub(super) fn with_role(root: &Handle, role: &str) -> Option<Handle> {
    elements(root, |node| attribute(node, "role").as_deref() == Some(role)).into_iter().next()
}

/// The element of that name, when there is exactly one.
pub(super) fn only(root: &Handle, wanted: &str) -> Option<Handle> {
    let mut found = elements(root, |node| name(node) == Some(wanted)).into_iter();
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Whether a table lays out a page rather than holding data: other blocks are in it.
pub(super) fn lays_out(table: &Handle) -> bool {
    const BLOCKS: [&str; 9] = ["table", "h1", "h2", "h3", "h4", "ul", "ol", "pre", "form"];
    let inside = elements(table, |node| name(node).is_some_and(|name| BLOCKS.contains(&name)));
    inside.len() > 1
}

/// The text in an element that is shown.
pub(super) fn text(root: &Handle) -> String {
    let mut open = vec![root.clone()];
    let mut out = String::new();
    while let Some(node) = open.pop() {
        if let NodeData::Text { contents } = &node.data {
            out.push_str(&contents.borrow());
        } else if std::rc::Rc::ptr_eq(&node, root) || shown(&node) {
            open.extend(node.children.borrow().iter().rev().cloned());
        }
    }
    emit::one_line(&out)
}

/// Whether a reader sees the node as part of the content.
pub(super) fn shown(node: &Handle) -> bool {
    let Some(name) = name(node) else { return !matches!(node.data, NodeData::Comment { .. }) };
    let is = |wanted: &str, value: &str| attribute(node, wanted).as_deref() == Some(value);
    let role = attribute(node, "role").unwrap_or_default();
    let class = attribute(node, "class").unwrap_or_default();
    !SILENT.contains(&name)
        && attribute(node, "hidden").is_none()
        && !is("aria-hidden", "true")
        && !AROUND.contains(&role.as_str())
        && !class.split_whitespace().any(|class| UNSEEN.contains(&class))
        && !attribute(node, "style").is_some_and(|style| hides(&style))
}

fn hides(style: &str) -> bool {
    let style: String = style.to_ascii_lowercase().split_whitespace().collect();
    style.split(';').any(|rule| {
        let (key, value) = rule.split_once(':').unwrap_or_default();
        let value = value.trim_end_matches("!important");
        match key {
            "display" => value == "none",
            "visibility" => value == "hidden",
            "opacity" | "font-size" => {
                let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
                number.parse::<f32>().is_ok_and(|number| number <= 0.05)
            }
            _ => false,
        }
    })
}
