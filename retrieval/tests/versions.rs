//! Versions of the knowledge on a real disk: kept, listed, taken again, forgotten; and folders that are being edited.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;

use retrieval::reading::{self, Snapshot};
use retrieval::versions::{Versions, VersionsError};
use retrieval::{Corpus, Document};

fn corpus(files: &[(&str, &str)]) -> Corpus {
    let document = |(path, text): &(&str, &str)| Document::new(path, (*text).into()).unwrap();
    Corpus::new(files.iter().map(document).collect())
}

fn texts(folder: &Path) -> usize {
    fs::read_dir(folder.join("documents")).unwrap().count()
}

#[test]
fn a_version_says_what_changed_and_gives_its_documents_back() {
    let folder = tempfile::tempdir().unwrap();
    let versions = Versions::new(folder.path().join("versions"));
    assert!(versions.list().unwrap().is_empty(), "a folder that is not there holds none");
    let first = corpus(&[("a.md", "---\ntitle: A\n---\nOne."), ("b.md", "Two.")]);
    let second = corpus(&[("a.md", "One, or more."), ("c.md", "Three.")]);
    versions.record(&first, 100, 10).unwrap();
    versions.record(&second, 50, 10).unwrap();
    let list = versions.list().unwrap();
    assert_eq!((list[0].id.as_str(), list[1].id.as_str()), (second.hash(), first.hash()));
    assert_eq!(list[0].at, 101, "a clock that goes back changes no order");
    assert_eq!(
        (&list[0].added, &list[0].changed, &list[0].removed),
        (&vec!["c.md".to_owned()], &vec!["a.md".to_owned()], &vec!["b.md".to_owned()])
    );
    assert_eq!(list[1].added, ["a.md", "b.md"]);
    let back = versions.corpus(first.hash()).unwrap();
    assert_eq!(back.documents(), first.documents());
    versions.record(&first, 200, 10).unwrap();
    let list = versions.list().unwrap();
    assert_eq!((list.len(), list[0].id.as_str()), (2, first.hash()), "no state stands twice");
    assert_eq!(list[0].removed, ["c.md"]);
}

#[test]
fn the_newest_and_the_pinned_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let versions = Versions::new(folder.path().into());
    let states: Vec<Corpus> =
        (0..6).map(|n| corpus(&[("same.md", "Same."), ("a.md", &format!("State {n}."))])).collect();
    versions.record(&states[0], 0, 3).unwrap();
    assert_eq!(versions.pin(&states[0].hash()[..12]).unwrap().id, states[0].hash());
    for (at, state) in (1..).zip(&states[1..]) {
        versions.record(state, at, 3).unwrap();
    }
    let kept: Vec<String> =
        versions.list().unwrap().into_iter().map(|version| version.id).collect();
    let expect = [5, 4, 3, 0].map(|n: usize| states[n].hash().to_owned());
    assert_eq!(kept, expect);
    assert_eq!(texts(folder.path()), 5, "one text of same.md and four of a.md");
    assert_eq!(versions.pinned().unwrap().as_deref(), Some(states[0].hash()));
    assert_eq!(versions.release().unwrap().as_deref(), Some(states[0].hash()));
    assert_eq!(versions.release().unwrap(), None);
    let kept = versions.record(&states[5], 9, 1).unwrap();
    assert_eq!(kept, expect[..2], "two are kept at least, and the pin is gone");
}

#[test]
fn what_is_not_there_or_damaged_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let versions = Versions::new(folder.path().into());
    let state = corpus(&[("a.md", "One.")]);
    versions.record(&state, 0, 3).unwrap();
    for digits in ["", "ffff", "../../etc/passwd"] {
        assert!(matches!(versions.pin(digits), Err(VersionsError::Unknown(_))), "{digits}");
    }
    let text = folder.path().join(format!("documents/{}.json", state.documents()[0].hash));
    let other = serde_json::to_string(&Document::new("a.md", "Other.".into()).unwrap()).unwrap();
    fs::write(&text, other).unwrap();
    let error = versions.pin(state.hash()).unwrap_err().to_string();
    assert!(error.contains("not those that were published"), "{error}");
    fs::write(&text, "{").unwrap();
    let error = versions.corpus(state.hash()).unwrap_err().to_string();
    assert!(error.contains("is damaged") && error.contains("documents"), "{error}");
    fs::write(folder.path().join("0123.json"), "no version").unwrap();
    assert_eq!(versions.list().unwrap().len(), 1, "a damaged version takes no other with it");
}

#[test]
fn a_bad_file_keeps_its_last_good_text() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    write("deep/a.md", b"One.");
    write("b.md", b"Two.");
    let read = |before: Option<&Corpus>| {
        reading::read(folder.path(), &Corpus::read, &|| before.cloned())
            .map(|read| (read.corpus, read.problems))
            .map_err(|error| error.to_string())
    };
    let (good, problems) = read(None).unwrap();
    assert!(problems.is_empty());
    write("deep/a.md", b"---\ntitle: [\n---\nOne, or more.");
    write("c.md", b"\xff");
    let (corpus, problems) = read(Some(&good)).unwrap();
    let named: Vec<(&str, bool)> = problems.iter().map(|p| (p.path.as_str(), p.kept)).collect();
    assert_eq!(named, [("c.md", false), ("deep/a.md", true)]);
    assert_eq!(corpus.hash(), good.hash());
    let (corpus, _) = read(None).unwrap();
    assert_eq!(corpus.documents().len(), 1, "nothing is known of a bad file before");
    fs::remove_file(folder.path().join("b.md")).unwrap();
    let (corpus, _) = read(Some(&good)).unwrap();
    assert_eq!(corpus.documents()[0].path, "deep/a.md", "what is gone is not kept");
    let error = read(None).unwrap_err();
    assert!(error.contains("holds no document that can be read; "), "{error}");
    fs::remove_dir_all(folder.path().join("deep")).unwrap();
    fs::remove_file(folder.path().join("c.md")).unwrap();
    assert!(read(Some(&good)).unwrap_err().contains("holds no document"));
}

#[test]
fn a_snapshot_sees_writing_and_deleting() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("deep")).unwrap();
    fs::write(at("deep/a.md"), "One.").unwrap();
    fs::write(at("b.md"), "Two.").unwrap();
    fs::write(at(".hidden"), "x").unwrap();
    let first = Snapshot::of(folder.path()).unwrap();
    assert_eq!((first.len(), first.is_empty()), (2, false));
    assert!(first.modified_ms("deep/a.md").unwrap() > 1_600_000_000_000);
    assert_eq!(Snapshot::of(folder.path()).unwrap(), first);
    fs::write(at("b.md"), "Twice.").unwrap();
    let second = Snapshot::of(folder.path()).unwrap();
    assert_ne!(second, first);
    fs::remove_dir_all(at("deep")).unwrap();
    let third = Snapshot::of(folder.path()).unwrap();
    assert_eq!(third.gone_since(&second).collect::<Vec<_>>(), ["deep/a.md"]);
    assert!(Snapshot::of(&at("none")).is_err());
}
