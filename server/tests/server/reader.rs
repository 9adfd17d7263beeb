//! Documents of foreign formats, read by the program itself in a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use retrieval::readers::foreign::Kind;
use server::reader::{Allowance, Reader};

fn reader(data: &Path) -> Reader {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_porchlight"));
    Reader::with_program(program, data, Allowance::default())
}

fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../retrieval/tests/files");
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn the_program_reads_each_format_and_refuses_with_the_reason() {
    let data = tempfile::tempdir().unwrap();
    let reader = reader(data.path());
    for (kind, bytes, expect) in [
        (Kind::Pdf, file("reportlab-table.pdf"), Ok("\n## Duties\n")),
        (Kind::Docx, file("library-rules.docx"), Ok("1. Bring your card.\n")),
        (Kind::Html, b"<main><p>Open at <b>nine</b>.".to_vec(), Ok("Open at nine.\n")),
        (Kind::Csv, b"question,answer\nHow?,So.\n".to_vec(), Ok("## How?\n\nSo.\n")),
        (Kind::JsonLines, b"{\"q\":\"How?\",\"a\":\"So.\"}\n".to_vec(), Ok("## How?\n\nSo.\n")),
        (
            Kind::Pdf,
            file("bad-encrypted.pdf"),
            Err("is protected by a password. Save it without one."),
        ),
        (Kind::Csv, b"question,answer\na\n".to_vec(), Err("line 2: has 1 fields")),
        (Kind::Html, Vec::new(), Err("is empty")),
    ] {
        let found = reader.read(kind, &bytes);
        match (&found, expect) {
            (Ok(said), Ok(part)) | (Err(said), Err(part)) => {
                assert!(said.contains(part), "{kind:?}: {said}")
            }
            _ => panic!("{kind:?}: {found:?}"),
        }
    }
}

/// Files that would take a machine's memory or hours of its time end within bounds, and the reader goes on.
#[cfg(target_os = "linux")]
#[test]
fn what_takes_too_much_is_ended() {
    let data = tempfile::tempdir().unwrap();
    let reader = reader(data.path());
    // Millions of elements: each takes fifty times its four bytes in memory.
    let wide = "<br>".repeat(8 << 20);
    let start = Instant::now();
    let said = reader.read(Kind::Html, wide.as_bytes()).unwrap_err();
    assert!(said.contains("MiB of memory") || said.contains("seconds"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(reader.read(Kind::Html, wide.as_bytes()), Err(said), "it is not tried again");
    assert!(start.elapsed() < Duration::from_secs(60));
    let long =
        format!("question,answer\n{}", "How?,\"So it is, and so it stays.\"\n".repeat(1 << 17));
    let said = reader.read(Kind::Csv, long.as_bytes()).unwrap_err();
    assert!(said.contains("more than 20000 questions"), "{said}");
    assert!(reader.read(Kind::Html, b"<p>after").is_ok());
}

#[test]
fn a_document_is_converted_once() {
    let data = tempfile::tempdir().unwrap();
    let page = b"<p>Open at nine.";
    let first = reader(data.path()).read(Kind::Html, page);
    assert_eq!(first.as_deref(), Ok("Open at nine.\n"));
    let entries: Vec<PathBuf> = fs::read_dir(data.path().join("converted"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(entries.len(), 1);
    let before = fs::metadata(&entries[0]).unwrap().modified().unwrap();
    assert_eq!(reader(data.path()).read(Kind::Html, page), first);
    assert_eq!(fs::metadata(&entries[0]).unwrap().modified().unwrap(), before);
}

#[test]
fn a_folder_is_read_with_its_bad_files_named() {
    let data = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("terms.PDF"), file("scan-mixed.pdf")).unwrap();
    fs::write(folder.path().join("scan.pdf"), file("scan-only.pdf")).unwrap();
    fs::write(folder.path().join("a.md"), "# A\n\nb\n").unwrap();
    let (corpus, skipped) = reader(data.path()).corpus(folder.path()).unwrap();
    let paths: Vec<&str> = corpus.documents().iter().map(|doc| doc.path.as_str()).collect();
    assert_eq!(paths, ["a.md", "terms.PDF"]);
    assert_eq!(corpus.documents()[1].matter.title.as_deref(), Some("Lease of a storage unit"));
    assert_eq!(skipped.len(), 1);
    assert!(
        skipped[0].to_string().contains("scan.pdf: has no text on its 1 pages"),
        "{}",
        skipped[0]
    );
}
