//! Walks the shown elements of a page and writes them as blocks of Markdown.

use markup5ever_rcdom::{Handle, NodeData};

use super::emit::{self, Page};
use super::tree;

/// Elements that stand within a line.
const INLINE: [&str; 34] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "br", "cite", "code", "data", "del", "dfn",
    "em", "font", "i", "img", "ins", "kbd", "label", "mark", "q", "ruby", "s", "samp", "small",
    "span", "strong", "sub", "sup", "time", "tt", "u", "var",
];

/// Writes what is in `node`; `level` is that of a heading that would come next.
pub(super) fn blocks(node: &Handle, page: &mut Page, level: usize) {
    Writer { page, level, line: String::new() }.node(node);
}

struct Writer<'a> {
    page: &'a mut Page,
    /// Level of a question in a list of definitions here: one below the last heading.
    level: usize,
    /// Text that waits for the end of its paragraph.
    line: String,
}

impl Writer<'_> {
    /// The children of `node`, then the paragraph that they left open.
    fn node(&mut self, node: &Handle) {
        for child in node.children.borrow().iter().filter(|child| tree::shown(child)) {
            self.child(child);
        }
        self.end_line();
    }

    fn child(&mut self, node: &Handle) {
        let name = match tree::name(node) {
            None => return inline(node, &mut self.line),
            Some(name) if INLINE.contains(&name) && !holds_blocks(node) => {
                return inline(node, &mut self.line);
            }
            Some(name) => name,
        };
        self.end_line();
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = usize::from(name.as_bytes()[1] - b'0');
                self.page.heading(level, &tree::text(node));
                self.level = level + 1;
            }
            "dt" | "summary" => self.page.heading(self.level, &tree::text(node)),
            "ul" | "ol" | "menu" => list(node, self.page, 0),
            "pre" | "listing" => self.code(node),
            "table" if !tree::lays_out(node) => self.table(node),
            // That of an article is its head, that of the page its banner.
            "header" if is_banner(node) => {}
            _ => self.node(node),
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.page.paragraph(&emit::one_line(&line));
    }

    fn code(&mut self, node: &Handle) {
        let mut code = String::new();
        raw(node, &mut code);
        self.page.code(&code);
    }

    fn table(&mut self, table: &Handle) {
        let mut rows = Vec::new();
        let mut open = vec![table.clone()];
        while let Some(node) = open.pop() {
            match tree::name(&node) {
                Some("tr") => rows.push(cells(&node)),
                Some("caption") => self.page.paragraph(&emit::escape(&tree::text(&node))),
                _ => open.extend(
                    node.children.borrow().iter().rev().filter(|node| tree::shown(node)).cloned(),
                ),
            }
        }
        rows.retain(|row| row.iter().any(|cell| !cell.is_empty()));
        if rows.iter().all(|row| row.len() < 2) {
            rows.iter().flatten().for_each(|cell| self.page.paragraph(cell));
        } else {
            self.page.table(&rows);
        }
    }
}

fn cells(row: &Handle) -> Vec<String> {
    let cells = row.children.borrow();
    let cells = cells.iter().filter(|cell| matches!(tree::name(cell), Some("td" | "th")));
    cells
        .filter(|cell| tree::shown(cell))
        .map(|cell| {
            let mut text = String::new();
            inline(cell, &mut text);
            emit::one_line(&text)
        })
        .collect()
}

/// Items with the lists inside them, each level further to the right.
fn list(list: &Handle, page: &mut Page, indent: usize) {
    let ordered = tree::name(list) == Some("ol");
    let first = tree::attribute(list, "start").and_then(|start| start.parse().ok());
    let mut number: u32 = first.unwrap_or(1);
    for item in list.children.borrow().iter().filter(|item| tree::shown(item)) {
        let marker = if ordered { format!("{number}.") } else { "-".to_owned() };
        let deeper = indent + marker.len() + 1;
        let mut text = String::new();
        let mut lists = Vec::new();
        item_parts(item, &mut text, &mut lists);
        let text = emit::one_line(&text);
        number = number.saturating_add(u32::from(!text.is_empty()));
        page.item(indent, &marker, &text);
        // An item without text of its own gives its place to the lists in it.
        let inside = if text.is_empty() { indent } else { deeper };
        lists.iter().for_each(|inner| self::list(inner, page, inside));
    }
}

/// The text of an item, and the lists in it.
fn item_parts(node: &Handle, text: &mut String, lists: &mut Vec<Handle>) {
    match tree::name(node) {
        Some("ul" | "ol" | "menu") => lists.push(node.clone()),
        Some(name) if name == "li" || !INLINE.contains(&name) => {
            text.push(' ');
            for child in node.children.borrow().iter().filter(|child| tree::shown(child)) {
                item_parts(child, text, lists);
            }
            text.push(' ');
        }
        _ => inline(node, text),
    }
}

/// Whether an element that stands within a line has blocks inside, as in a link around a card.
fn holds_blocks(node: &Handle) -> bool {
    let mut open: Vec<Handle> = node.children.borrow().clone();
    while let Some(node) = open.pop() {
        if tree::name(&node).is_some_and(|name| !INLINE.contains(&name)) && tree::shown(&node) {
            return true;
        }
        open.extend(node.children.borrow().iter().cloned());
    }
    false
}

/// Whether a `<header>` is the page's own: not within its main content.
fn is_banner(node: &Handle) -> bool {
    let mut above = parent(node);
    while let Some(node) = above {
        if matches!(tree::name(&node), Some("main" | "article" | "section")) {
            return false;
        }
        above = parent(&node);
    }
    tree::find(node, "h1").is_none()
}

fn parent(node: &Handle) -> Option<Handle> {
    let held = node.parent.take();
    let parent = held.as_ref().and_then(std::rc::Weak::upgrade);
    node.parent.set(held);
    parent
}

/// Text within a line as Markdown.
fn inline(node: &Handle, out: &mut String) {
    if let NodeData::Text { contents } = &node.data {
        return emit::escape_into(&contents.borrow(), out);
    }
    if !tree::shown(node) {
        return;
    }
    match tree::name(node) {
        Some("br") => out.push(' '),
        Some("code" | "kbd" | "samp" | "tt") => {
            let code = tree::text(node);
            if code.contains('`') || code.is_empty() {
                out.push_str(&emit::escape(&code));
            } else {
                out.push_str(&format!("`{code}`"));
            }
        }
        Some("a") => link(node, out),
        name => {
            let block = name.is_some_and(|name| !INLINE.contains(&name));
            let gap = if block { " " } else { "" };
            out.push_str(gap);
            node.children.borrow().iter().for_each(|child| inline(child, out));
            out.push_str(gap);
        }
    }
}

fn link(node: &Handle, out: &mut String) {
    let mut text = String::new();
    node.children.borrow().iter().for_each(|child| inline(child, &mut text));
    let target = tree::attribute(node, "href").and_then(|href| emit::link(&text, &href));
    out.push_str(&target.unwrap_or(text));
}

/// All text as it stands.
fn raw(node: &Handle, out: &mut String) {
    match &node.data {
        NodeData::Text { contents } => out.push_str(&contents.borrow()),
        _ if tree::name(node) == Some("br") => out.push('\n'),
        _ => node.children.borrow().iter().for_each(|child| raw(child, out)),
    }
}
