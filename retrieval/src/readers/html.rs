//! Web pages as Markdown: the main content with its headings, lists, tables and code, and nothing that a reader does not see.

mod tree;
mod write;

use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, RcDom};

use super::emit::{Page, Top};
use super::foreign::ConvertError;
use super::{decode, emit};

/// Elements inside elements at most; pages that people write stay below 100.
const MAX_DEPTH: usize = 300;
/// Tags that are opened and not closed at most; old pages close no `<p>` and no `<li>`. The parser's work grows with the square.
const MAX_OPEN: usize = 10_000;
/// Bytes in which a page declares its encoding, as browsers look for it.
const DECLARED_WITHIN: usize = 1024;

/// Markdown of a page.
///
/// # Errors
/// [`ConvertError`] when it is no text, nested without end, or shows nothing.
pub fn markdown(bytes: &[u8]) -> Result<String, ConvertError> {
    let text = decode::text(bytes, declared(bytes).as_deref())?;
    let root = parse(&text)?;
    let html = tree::find(&root, "html");
    let language = html.as_ref().and_then(|html| tree::attribute(html, "lang"));
    let (page, main) = content(&root);
    if page.is_empty() {
        let problem = "it shows no text. Pages that are drawn by scripts cannot be read".into();
        return Err(ConvertError::Damaged { kind: "HTML", problem });
    }
    let named = tree::find(&root, "title").map(|title| tree::text(&title));
    let only = tree::only(&main, "h1").map(|h1| tree::text(&h1));
    let title = only.filter(|h1| !h1.trim().is_empty()).or(named);
    Ok(page.finish(&Top { title: title.as_deref(), language: language.as_deref(), left_out: None }))
}

/// Markdown of a piece of HTML, such as an answer from a help desk.
pub(super) fn fragment(html: &str) -> Result<String, ConvertError> {
    let root = parse(html)?;
    let mut page = Page::default();
    // The question above it is a heading of level 2.
    write::blocks(&root, &mut page, 2);
    Ok(page.finish(&Top::default()))
}

/// Whether a text is HTML rather than Markdown.
pub(super) fn is_markup(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let closed = ["p", "ul", "ol", "div", "span", "a", "strong", "b", "em", "table", "h2", "h3"];
    ["<br>", "<br/>", "<br />"].iter().any(|tag| lower.contains(tag))
        || closed.iter().any(|tag| lower.contains(&format!("</{tag}>")))
}

fn parse(text: &str) -> Result<Handle, ConvertError> {
    if unclosed(text) > MAX_OPEN {
        return Err(ConvertError::Deep { most: MAX_DEPTH });
    }
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    let dom = parse_document(RcDom::default(), options).one(text);
    let root = dom.document.clone();
    match tree::depth(&root) {
        depth if depth > MAX_DEPTH => Err(ConvertError::Deep { most: MAX_DEPTH }),
        _ => Ok(root),
    }
}

/// Tags opened and not closed, at the deepest.
fn unclosed(text: &str) -> usize {
    const VOID: [&str; 8] = ["br", "img", "input", "meta", "link", "hr", "col", "wbr"];
    let (mut open, mut deepest) = (0_usize, 0);
    for tag in text.split('<').skip(1) {
        if tag.starts_with('/') {
            open = open.saturating_sub(1);
        } else if tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            let ends = tag.split('>').next().is_some_and(|inside| inside.ends_with('/'));
            open += usize::from(!ends && !VOID.iter().any(|void| name.eq_ignore_ascii_case(void)));
            deepest = deepest.max(open);
        }
    }
    deepest
}

/// The encoding that the page names for itself.
fn declared(bytes: &[u8]) -> Option<String> {
    let head =
        String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARED_WITHIN)]).to_ascii_lowercase();
    let label = head.split("charset=").nth(1)?.trim_start_matches(['"', '\'', ' ']);
    let end = label.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:".contains(c)))?;
    Some(label[..end].to_owned())
}

/// The page's main content and where it was found: `<main>`, the only `<article>`, else the whole body.
fn content(root: &Handle) -> (Page, Handle) {
    let main = tree::find(root, "main").or_else(|| tree::with_role(root, "main"));
    let chosen = main.or_else(|| tree::only(root, "article"));
    for place in chosen.into_iter().chain([root.clone()]) {
        let mut page = Page::default();
        write::blocks(&place, &mut page, 1);
        if !page.is_empty() {
            return (page, place);
        }
    }
    (Page::default(), root.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expect: &str) {
        assert_eq!(markdown(html.as_bytes()).unwrap(), expect, "{html:?}");
    }

    #[test]
    fn the_main_content_is_kept() {
        check(
            "<!doctype html><html lang=en><title>Fees | Bank</title><nav>Home</nav><header>Logo</header><main><h1>Fees</h1><p>One\n  <b>two</b>.<footer>f</footer></main><aside>ad</aside>",
            "---\ntitle: \"Fees\"\nlanguage: \"en\"\n---\n\n# Fees\n\nOne two.\n",
        );
        check(
            "<title>T</title><body><div>a<div>b <i>c</i></div>d</div><script>x</script><style>y</style>",
            "---\ntitle: \"T\"\n---\n\na\n\nb c\n\nd\n",
        );
        check("<p>x</p><article><h2>A</h2></article><article>b</article>", "x\n\n## A\n\nb\n");
    }

    #[test]
    fn lists_tables_and_code_keep_their_shape() {
        check(
            "<ul><li>a<ul><li><p>b</p></li></ul><li>c</ul><ol start=3><li>d<li>e</ol>",
            "- a\n  - b\n- c\n3. d\n4. e\n",
        );
        check(
            "<table><tr><th>a<th>b|c<tr><td>1<td><p>2</p><p>3</p></table>",
            "| a | b\\|c |\n|---|---|\n| 1 | 2 3 |\n",
        );
        check("<table><tr><td><h2>x</h2>y</td></tr></table>", "## x\n\ny\n");
        check(
            "<pre><code class=\"language-sh\">a  b\n```\n</code></pre>",
            "````\na  b\n```\n````\n",
        );
        check("<p>Use <code>a_b</code> and <code>`</code>*.", "Use `a_b` and \\`\\*.\n");
        check(
            "<dl><dt>How?<dd>So.</dl><details><summary>Why?</summary>Thus.</details>",
            "# How?\n\nSo.\n\n# Why?\n\nThus.\n",
        );
        check("<h2>Q</h2><dl><dt>How?<dd>So.</dl>", "## Q\n\n### How?\n\nSo.\n");
        check(
            "<p><a href=https://a.example/x_(y)>a</a> <a href=/b>b</a> <a href='javascript:c'>c</a> <a href='mailto:d@e'>d</a><img alt=e>",
            "[a](<https://a.example/x_(y)>) b c [d](<mailto:d@e>)\n",
        );
    }

    #[test]
    fn what_a_reader_does_not_see_is_left_out() {
        for hidden in [
            "<p hidden>x</p>",
            "<p style='color:red; DISPLAY : none'>x</p>",
            "<p style=visibility:hidden>x</p>",
            "<p style='font-size:0px'>x</p>",
            "<p style='opacity:0'>x</p>",
            "<p aria-hidden=true>x</p>",
            "<!-- x -->",
            "<template>x</template>",
            "<noscript>x</noscript>",
            "<select><option>x</select>",
            "<svg><text>x</text></svg>",
            "<button>x</button>",
            "<div role=navigation>x</div>",
            "<div class='page breadcrumbs'>x</div>",
            "<span class=sr-only>x</span>",
        ] {
            check(&format!("<p>a</p>{hidden}"), "a\n");
        }
        check(
            "<h2>a<a class=headerlink href='#a'>¶</a></h2>b &lt;i&gt; &amp;amp; # c",
            "## a\n\nb \\<i> \\&amp; # c\n",
        );
    }

    #[test]
    fn nesting_is_bounded() {
        for (open, close) in [
            ("<div>", ""),
            ("<div>", "</div>"),
            ("<b>", ""),
            ("<ul><li>", ""),
            ("<table><tr><td>", ""),
            ("<font>", "</font>"),
        ] {
            for levels in [1_000, 100_000] {
                let html = format!("{}x{}", open.repeat(levels), close.repeat(levels));
                assert_eq!(
                    markdown(html.as_bytes()),
                    Err(ConvertError::Deep { most: MAX_DEPTH }),
                    "{open}"
                );
            }
        }
        let flat = format!("<ul>{}</ul>", "<li>a".repeat(5_000));
        assert!(markdown(flat.as_bytes()).is_ok());
    }

    #[test]
    fn a_declared_encoding_is_used() {
        let page = b"<meta charset=\"iso-8859-1\"><p>gr\xfcn";
        assert_eq!(markdown(page).unwrap(), "grün\n");
    }
}
