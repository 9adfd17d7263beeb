//! Real files of foreign formats: what each must yield, and how hostile ones are refused while their neighbours are read.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

use retrieval::Corpus;
use retrieval::readers::foreign::{Kind, convert, convert_here};
use retrieval::readers::{front_matter, markdown};

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files")
}

/// What a visitor may read of a document: its blocks, one a line, with plain quotes and dashes.
fn shown(source: &str) -> String {
    let start = front_matter::split(source).unwrap().1;
    let blocks = markdown::blocks(source, start);
    blocks.iter().map(|block| format!("{}\n", plain(&block.text))).collect()
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace(['’', '‘'], "'")
}

/// What is wrong with a file's Markdown, by the phrases that it must yield: a heading, item or row as a line of its
/// own, other text anywhere; after `!` what it must not hold.
fn complaints(source: &str, phrases: &str) -> Vec<String> {
    let text = shown(source);
    let lines: Vec<&str> = source.lines().collect();
    let holds = |phrase: &str| match phrase.split(' ').next().unwrap_or_default() {
        "#" | "##" | "###" | "####" | "|" => lines.contains(&phrase),
        "" => lines.contains(&phrase),
        "-" | "1." | "2." | "3." => lines.iter().any(|line| plain(line) == plain(phrase)),
        _ => text.contains(&plain(phrase)),
    };
    let wrong = |phrase: &&str| match phrase.strip_prefix('!') {
        Some(phrase) => text.contains(phrase),
        None => !holds(phrase),
    };
    phrases.lines().filter(|line| !line.is_empty()).filter(wrong).map(str::to_owned).collect()
}

#[test]
fn real_files_yield_their_text() {
    let (mut pdf, mut docx, mut wrong) = (0, 0, Vec::new());
    for entry in fs::read_dir(files()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(phrases) = fs::read_to_string(format!("{}.txt", path.display())) else { continue };
        let kind = Kind::of(&path).unwrap();
        pdf += usize::from(kind == Kind::Pdf);
        docx += usize::from(kind == Kind::Docx);
        match convert(kind, &fs::read(&path).unwrap()) {
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
            Ok(source) => {
                let found = complaints(&source, &phrases);
                if !found.is_empty() {
                    wrong.push(format!("{}: {found:#?} in\n{source}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(pdf >= 20 && docx >= 10, "{pdf} PDF and {docx} DOCX files");
}

/// A folder with one good document of each format, and these hostile files beside them.
fn folder(hostile: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["reportlab-table.pdf", "library-rules.docx"] {
        fs::copy(files().join(name), at(name)).unwrap();
    }
    fs::write(at("page.html"), "<title>Hours</title><h1>Hours</h1><p>We open at nine.").unwrap();
    fs::write(at("faq.csv"), "question,answer\nHow long?,Two days.\n").unwrap();
    fs::write(at("more.jsonl"), "{\"question\":\"How far?\",\"answer\":\"Ten miles.\"}\n").unwrap();
    fs::write(at("notes.MD"), "# Notes\n\nRead these.\n").unwrap();
    for (name, bytes) in hostile {
        fs::write(at(name), bytes).unwrap();
    }
    folder
}

const GOOD: [&str; 6] =
    ["faq.csv", "library-rules.docx", "more.jsonl", "notes.MD", "page.html", "reportlab-table.pdf"];

/// The document bytes of a zip whose main part is this.
fn docx(document: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(document).unwrap();
    zip.finish().unwrap().into_inner()
}

fn pdf(objects: &str) -> Vec<u8> {
    format!("%PDF-1.4\n{objects}\ntrailer <</Root 1 0 R /Size 9>>\nstartxref\n0\n%%EOF")
        .into_bytes()
}

/// Every hostile file with a part of the reason that it must be refused with.
fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let own = |name: &str| fs::read(files().join(name)).unwrap();
    let bomb = [b"<w:document><w:body><w:p><w:r><w:t>".to_vec(), vec![b'A'; 100 << 20]].concat();
    let nested = "<div>".repeat(100_000);
    vec![
        ("bomb.docx", docx(&bomb), "unpacks to more than"),
        ("entities.docx", own("bad-entities.docx"), "it declares entities"),
        (
            "deep.docx",
            docx("<w:tbl>".repeat(100_000).as_bytes()),
            "is nested deeper than 256 levels",
        ),
        ("deep.html", nested.into_bytes(), "is nested deeper than 300 levels"),
        ("truncated.pdf", own("bad-truncated.pdf"), "it is broken or cut off"),
        ("locked.pdf", own("bad-encrypted.pdf"), "is protected by a password"),
        ("scan.pdf", own("scan-only.pdf"), "has no text on its 1 pages: they are pictures"),
        ("riddle.pdf", own("pdftex-type3.pdf"), "its fonts do not say what their letters mean"),
        (
            "pages.pdf",
            pdf(
                "1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj 2 0 obj <</Type/Pages/Count 1/Kids[2 0 R]>> endobj",
            ),
            "is no PDF file that can be read",
        ),
        (
            "parent.pdf",
            pdf(
                "1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj 2 0 obj <</Type/Pages/Count 1/Kids[3 0 R]>> endobj 3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>> endobj 4 0 obj 5 0 R endobj 5 0 obj 4 0 R endobj",
            ),
            "has no text on its 1 pages",
        ),
        (
            "brackets.pdf",
            pdf(&format!("1 0 obj {} endobj", "[".repeat(20_000))),
            "is no PDF file that can be read",
        ),
        ("picture.pdf", b"\x89PNG\r\n\x1a\n".to_vec(), "it does not begin like one"),
        ("really.docx", own("reportlab-table.pdf"), "it does not begin like one"),
        ("really.html", own("library-rules.docx"), "line 1: "),
        ("empty.pdf", Vec::new(), "is empty"),
        ("empty.csv", b"\n\n".to_vec(), "is empty"),
        ("nul.html", b"<p>a\n\0</p>".to_vec(), "line 2: holds a NUL byte"),
        ("latin.csv", b"question,answer\nWie?,Gr\xfcn\n".to_vec(), "line 2: is no UTF-8 text"),
        (
            "ragged.csv",
            b"question,answer\na,b\nc,d,e\n".to_vec(),
            "line 3: has 3 fields, the first line has 2",
        ),
        (
            "long.csv",
            [b"question,answer\n".to_vec(), vec![b'x'; 20 << 20]].concat(),
            "line 2: has 1 fields",
        ),
        ("big.csv", vec![b'x'; 100 << 20], "has 104857600 bytes, 33554432 is the most"),
        (
            "half.jsonl",
            b"{\"question\":\"a\",\"answer\":\"b\"}\n{\"question\":".to_vec(),
            "line 2: is no JSON object",
        ),
        ("old.doc", b"old".to_vec(), "is a .doc file, which is not read"),
    ]
}

#[test]
fn hostile_files_are_refused_and_their_neighbours_read() {
    let hostile = hostile();
    let folder =
        folder(&hostile.iter().map(|(name, bytes, _)| (*name, bytes.clone())).collect::<Vec<_>>());
    let (corpus, skipped) = Corpus::read_with(folder.path(), &convert_here).unwrap();
    let paths: Vec<&str> = corpus.documents().iter().map(|doc| doc.path.as_str()).collect();
    assert_eq!(paths, GOOD);
    for (name, _, expect) in &hostile {
        let found = skipped.iter().find(|file| file.path.ends_with(name));
        let problem = found.map(|file| file.problem.as_str()).unwrap_or("it was read");
        assert!(problem.contains(expect), "{name}: {problem}");
    }
    assert_eq!(skipped.len(), hostile.len());
}

#[test]
fn titles_come_from_the_files_and_spans_point_into_the_markdown() {
    let folder = folder(&[]);
    let (corpus, skipped) = Corpus::read_with(folder.path(), &convert_here).unwrap();
    assert_eq!(skipped, []);
    let titles: Vec<String> = corpus
        .documents()
        .iter()
        .map(|doc| {
            let passages = retrieval::chunk::passages(doc);
            for passage in &passages {
                for sentence in &passage.sentences {
                    let first = sentence.text.split(' ').next().unwrap();
                    assert!(doc.source[sentence.span.start..].starts_with(first), "{sentence:?}");
                }
            }
            passages[0].title.clone()
        })
        .collect();
    assert_eq!(titles, ["faq", "Library rules", "more", "Notes", "Hours", "Delivery zones"]);
    let scan = Corpus::read_with(&files(), &convert_here).unwrap().0;
    let scan = scan.documents().iter().find(|doc| doc.path == "scan-mixed.pdf").unwrap();
    assert_eq!(
        scan.matter.left_out.as_deref(),
        Some("page 2 without text (pictures, such as a scan)")
    );
}

#[test]
fn broken_files_never_bring_the_reader_down() {
    // Every good file cut off at many places, and with bytes changed: refused or read, never a panic.
    for name in
        ["reportlab-columns.pdf", "restricted-rc4.pdf", "groff-club.pdf", "libreoffice-html.docx"]
    {
        let bytes = fs::read(files().join(name)).unwrap();
        let kind = Kind::of(Path::new(name)).unwrap();
        for n in 0..40 {
            let cut = bytes.len() * n / 40;
            let _ = convert(kind, &bytes[..cut]);
            let mut changed = bytes.clone();
            changed[cut] ^= 0x55;
            changed[bytes.len() - 1 - cut] = b'[';
            let _ = convert(kind, &changed);
        }
    }
}

#[test]
fn nothing_is_read_in_this_process_unless_asked_for() {
    let folder = folder(&[]);
    let (corpus, skipped) = Corpus::read(folder.path()).unwrap();
    assert_eq!(corpus.documents().len(), 1);
    assert_eq!(skipped.len(), 5);
    assert!(skipped.iter().any(|file| file.problem == "pdf files are not read here"));
}

#[test]
fn golden_questions_are_no_documents() {
    let folder = tempfile::tempdir().unwrap();
    let pair = "{\"question\":\"What is it?\",\"answer\":\"A lamp.\"}\n";
    fs::write(folder.path().join("golden.jsonl"), pair).unwrap();
    fs::write(folder.path().join("faq.jsonl"), pair).unwrap();
    let (corpus, skipped) = Corpus::read_with(folder.path(), &convert_here).unwrap();
    let paths: Vec<&str> = corpus.documents().iter().map(|doc| doc.path.as_str()).collect();
    assert_eq!((paths, skipped.len()), (vec!["faq.jsonl"], 0));
}
