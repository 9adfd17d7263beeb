//! Word documents as Markdown: headings by style, lists, tables and paragraphs; what was deleted or hidden is left out.

mod body;
mod package;
mod styles;
mod xml;

use std::collections::HashMap;

use self::body::{Piece, Role};
use self::package::Package;
use self::styles::{Numbering, Styles};
use super::emit::{self, Page, Top};
use super::foreign::ConvertError;

/// Characters of a bold line that stands for a heading, at most.
const MAX_BOLD_HEADING: usize = 80;

/// Markdown of a `.docx` file.
///
/// # Errors
/// [`ConvertError`] when it is none, broken, locked, or unpacks to more than any document needs.
pub fn markdown(bytes: &[u8]) -> Result<String, ConvertError> {
    let mut package = Package::open(bytes)?;
    let document = package.document()?;
    let read = |part: Option<String>| part.unwrap_or_default();
    let styles = Styles::read(&read(package.beside(&document, "styles.xml")?))?;
    let numbering = Numbering::read(&read(package.beside(&document, "numbering.xml")?))?;
    let links = links(&read(package.relations(&document)?))?;
    let named = title(&read(package.part("docProps/core.xml")?))?;
    let body = package.part(&document)?.ok_or_else(|| damaged("its main part is missing"))?;
    let pieces = body::read(&body, &styles, &links)?;
    let titled = pieces.iter().find_map(|piece| match piece {
        Piece::Paragraph { role: Role::Title, raw, .. } => Some(emit::one_line(raw)),
        _ => None,
    });
    let mut page = Page::default();
    Writer { page: &mut page, numbering: &numbering, counters: HashMap::new(), shift: 0 }
        .write(&pieces);
    if page.is_empty() {
        return Err(damaged("it holds no text"));
    }
    let title = titled.or_else(|| emit::telling(&named));
    Ok(page.finish(&Top { title: title.as_deref(), ..Top::default() }))
}

fn damaged(problem: &str) -> ConvertError {
    ConvertError::Damaged { kind: "DOCX", problem: problem.into() }
}

/// Where the document's links lead, by id.
fn links(xml: &str) -> Result<HashMap<String, String>, ConvertError> {
    let mut found = HashMap::new();
    xml::walk(xml, &mut |step| {
        if let xml::Step::Open("Relationship", tag) = step
            && let (Some(id), Some(target)) = (tag.get("Id"), tag.get("Target"))
        {
            found.insert(id, target);
        }
    })?;
    Ok(found)
}

fn title(xml: &str) -> Result<String, ConvertError> {
    let (mut inside, mut title) = (false, String::new());
    xml::walk(xml, &mut |step| match step {
        xml::Step::Open(name, _) => inside = name == "title",
        xml::Step::Close(_) => inside = false,
        xml::Step::Text(text) if inside => title.push_str(text),
        xml::Step::Text(_) => {}
    })?;
    Ok(title)
}

struct Writer<'a> {
    page: &'a mut Page,
    numbering: &'a Numbering,
    /// The last number of each level of each list.
    counters: HashMap<String, [u32; styles::LEVELS]>,
    /// By how much headings are lowered: 1 below a title.
    shift: usize,
}

impl Writer<'_> {
    fn write(&mut self, pieces: &[Piece]) {
        let has = |wanted: fn(Role) -> bool| {
            pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Paragraph { role, .. } if wanted(*role)))
        };
        self.shift = usize::from(has(|role| role == Role::Title));
        let no_headings = !has(|role| matches!(role, Role::Heading(_)));
        let mut code: Vec<&str> = Vec::new();
        for piece in pieces {
            if let Piece::Paragraph { role: Role::Code, raw, .. } = piece {
                code.push(raw);
                continue;
            }
            self.code(&std::mem::take(&mut code));
            match piece {
                Piece::Table(rows) => self.page.table(rows),
                Piece::Paragraph { role: Role::Plain, raw, bold: true, .. }
                    if no_headings && is_heading(raw) =>
                {
                    self.page.heading(2, raw);
                }
                Piece::Paragraph { role, raw, text, item, .. } => match (role, item) {
                    (Role::Title, _) => self.page.heading(1, raw),
                    (Role::Heading(level), _) => self.page.heading(level + self.shift, raw),
                    (_, Some((list, level))) => self.item(list, *level, text),
                    _ => self.page.paragraph(text),
                },
            }
        }
        self.code(&code);
    }

    fn item(&mut self, list: &str, level: usize, text: &str) {
        let counters = self.counters.entry(list.to_owned()).or_default();
        let level = level.min(styles::LEVELS - 1);
        counters[level + 1..].fill(0);
        let marker = match self.numbering.first(list, level) {
            None => "-".to_owned(),
            Some(first) => {
                counters[level] =
                    if counters[level] == 0 { first.max(1) } else { counters[level] + 1 };
                format!("{}.", counters[level])
            }
        };
        // Markers of the levels above are at most three wide in lists below 10 items, which most are.
        let indent = (0..level)
            .map(|above| if self.numbering.first(list, above).is_some() { 4 } else { 2 })
            .sum();
        self.page.item(indent, &marker, text);
    }

    fn code(&mut self, lines: &[&str]) {
        self.page.code(&lines.join("\n"));
    }
}

/// Whether a bold line that stands alone reads like a heading.
fn is_heading(text: &str) -> bool {
    let text = text.trim();
    let length = text.chars().count();
    (1..=MAX_BOLD_HEADING).contains(&length) && !text.ends_with(['.', ':', ',', ';'])
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A document around this body, with a bullet list 1 and a numbered list 2.
    fn document(body: &str) -> Vec<u8> {
        let styles = r#"<w:styles xmlns:w="w"><w:style w:styleId="T"><w:name w:val="Title"/></w:style>
            <w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>
            <w:style w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="H1"/></w:style>
            <w:style w:styleId="Out"><w:name w:val="Out"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr></w:style>
            <w:style w:styleId="Toc"><w:name w:val="toc 1"/></w:style>
            <w:style w:styleId="Src"><w:name w:val="Source Code"/></w:style>
            <w:style w:styleId="LB2"><w:name w:val="List Bullet 2"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style></w:styles>"#;
        let numbering = r#"<w:numbering xmlns:w="w"><w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
            <w:abstractNum w:abstractNumId="8"><w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/></w:lvl></w:abstractNum>
            <w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num></w:numbering>"#;
        let relations = r#"<Relationships><Relationship Id="r1" Target="https://a.example/b"/></Relationships>"#;
        let body = format!(r#"<w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#);
        zipped(&[
            ("word/document.xml", &body),
            ("word/styles.xml", styles),
            ("word/numbering.xml", numbering),
            ("word/_rels/document.xml.rels", relations),
        ])
    }

    fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in parts {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn p(style: &str, text: &str) -> String {
        let style = if style.starts_with('<') {
            style.to_owned()
        } else {
            format!("<w:pStyle w:val=\"{style}\"/>")
        };
        format!("<w:p><w:pPr>{style}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
    }

    fn check(body: &str, expect: &str) {
        assert_eq!(markdown(&document(body)).unwrap(), expect, "{body}");
    }

    #[test]
    fn styles_make_headings() {
        check(
            &[
                p("T", "Top"),
                p("H1", "One"),
                p("Mine", "Two"),
                p("Out", "Deep"),
                p("Toc", "One 3"),
                p("", "Text & * more"),
            ]
            .concat()
            .replace("& ", "&amp; "),
            "---\ntitle: \"Top\"\n---\n\n# Top\n\n## One\n\n## Two\n\n#### Deep\n\nText & \\* more\n",
        );
        check(&[p("<w:outlineLvl w:val=\"1\"/>", "A"), p("", "b")].concat(), "## A\n\nb\n");
        check(
            "<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>Bold line</w:t></w:r></w:p><w:p><w:r><w:t>Text.</w:t></w:r></w:p>",
            "## Bold line\n\nText.\n",
        );
    }

    #[test]
    fn lists_tables_and_code_keep_their_shape() {
        let item = |list: u8, level: u8, text: &str| {
            p(
                &format!(
                    "<w:numPr><w:ilvl w:val=\"{level}\"/><w:numId w:val=\"{list}\"/></w:numPr>"
                ),
                text,
            )
        };
        check(
            &[
                item(1, 0, "a"),
                item(1, 1, "b"),
                p("LB2", "c"),
                item(2, 0, "d"),
                item(2, 0, "e"),
                item(0, 0, "f"),
            ]
            .concat(),
            "- a\n  - b\n  - c\n3. d\n4. e\n\nf\n",
        );
        let cell = |text: &str| format!("<w:tc>{}</w:tc>", p("", text));
        check(
            &format!(
                "<w:tbl><w:tr>{}{}</w:tr><w:tr><w:tc><w:tcPr><w:gridSpan w:val=\"2\"/></w:tcPr>{}{}</w:tc></w:tr></w:tbl>",
                cell("a|"),
                cell("b"),
                p("", "c"),
                p("", "d")
            ),
            "| a\\| | b |\n|---|---|\n| c d |  |\n",
        );
        check(
            &format!("<w:tbl><w:tr>{}</w:tr><w:tr>{}</w:tr></w:tbl>", cell("a"), cell("b")),
            "a\n\nb\n",
        );
        check(
            &[p("Src", "x  *y*"), p("Src", "z"), p("", "t")].concat(),
            "```\nx  *y*\nz\n```\n\nt\n",
        );
    }

    #[test]
    fn links_lead_outside_and_fields_show_their_result() {
        check(
            "<w:p><w:hyperlink xmlns:r=\"r\" r:id=\"r1\"><w:r><w:t>the page</w:t></w:r></w:hyperlink><w:r><w:t>.</w:t></w:r></w:p>",
            "[the page](<https://a.example/b>).\n",
        );
        check(
            "<w:p><w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:t>no</w:t><w:instrText>no</w:instrText></w:r><w:r><w:fldChar w:fldCharType=\"separate\"/><w:t>yes</w:t></w:r><w:r><w:fldChar w:fldCharType=\"end\"/></w:r></w:p>",
            "yes\n",
        );
    }

    #[test]
    fn what_is_broken_or_explodes_is_refused() {
        let deep = format!("{}{}", "<w:sdt>".repeat(10_000), "</w:sdt>".repeat(10_000));
        let bomb = p("", &"A".repeat(3 << 20));
        for (bytes, expect) in [
            (document(&deep), "is nested deeper than"),
            (document(&bomb), "unpacks to more than"),
            (document("<w:p>"), "is no DOCX file that can be read: its XML"),
            (document(""), "it holds no text"),
            (zipped(&[("a.txt", "b")]), "its main part is missing"),
            (
                zipped(&[("word/document.xml", "<!DOCTYPE a [<!ENTITY b \"c\">]><w:p>&b;</w:p>")]),
                "declares entities",
            ),
            (document(&p("", "a&b;c")), "names an entity"),
            (document("x")[..300].to_vec(), "is no DOCX file that can be read"),
        ] {
            let said = markdown(&bytes).unwrap_err().to_string();
            assert!(said.contains(expect), "{expect}: {said}");
        }
        let attributes: String =
            (0..50_000).map(|n| format!(" xmlns:a{n}=\"b\" c=\"d\"")).collect();
        assert_eq!(
            markdown(&document(&format!("<w:p{attributes}><w:r><w:t>a</w:t></w:r></w:p>")))
                .unwrap(),
            "a\n"
        );
    }
}
