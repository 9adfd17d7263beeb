//! Hundreds of edits under continuous questions, and a process that is killed while it publishes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use engine::model::Model;
use engine::scope::Scope;
use engine::search::{Hit, Phrase, Query, Search};
use engine::testing::ScriptedModel;
use retrieval::index::Progress;
use retrieval::manifest::EmbedderId;
use retrieval::{Corpus, Document, Index, Versions};
use server::clock::Clock;
use server::config::Knowledge;
use server::knowledge::pages::Pages;
use server::knowledge::{self, Edition, Library, Pace, Shelf};
use server::reader::Reader;
use tokio_util::sync::CancellationToken;

use crate::house::PATIENCE;

const EDITS: usize = 500;
const NAMES: usize = 12;
const KEEP: usize = 4;
/// Rounds of killing; each costs a start of a process.
const KILLS: usize = 12;
const FOLDER: &str = "PORCHLIGHT_TEST_FOLDER";

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

fn shelf(folder: &Path) -> Shelf {
    Shelf {
        folder: folder.join("knowledge"),
        reader: Arc::new(Reader::new(folder).unwrap()),
        pages: Arc::new(Pages::open(folder, &Knowledge::default())),
        index: folder.join("index"),
        versions: Versions::new(folder.join("versions")),
        keep: KEEP,
        stale_days: 365,
    }
}

/// The library of a folder, and how many texts it embedded.
fn open(folder: &Path) -> (Arc<Library>, usize) {
    let pace = Pace {
        settle: Duration::from_millis(1),
        look: Duration::from_millis(5),
        full: Duration::from_millis(50),
    };
    let model: Arc<dyn Model> = Arc::new(ScriptedModel::default());
    let encoder = Arc::clone(&model);
    let mut count = 0;
    let mut embed = |texts: &[&str], _: Progress| {
        count += texts.len();
        encoder.embed(texts).map_err(|error| error.to_string())
    };
    let library = Library::open(shelf(folder), (model, Clock::system()), pace, &mut embed).unwrap();
    (Arc::new(library), count)
}

fn find(edition: &Edition, text: &str) -> Vec<Hit> {
    let embedding = ScriptedModel::default().embed(&[text]).unwrap().remove(0);
    edition
        .search(&Query {
            asked: Phrase { text, embedding: &embedding },
            in_context: None,
            points_back: false,
            scope: &Scope::default(),
            limit: 10,
        })
        .unwrap()
}

/// A text that no other edit has.
fn text(name: &str, edit: usize) -> String {
    format!(
        "# {name}\n\nThe marker of {name} is number{edit}x today.\n\n## More\n\nMore about {name}.\n"
    )
}

/// Asks until told to stop; every passage found has to stand in the edition that it was found in.
fn asks(library: &Library, stop: &AtomicBool) -> usize {
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let edition = library.edition();
        for hit in find(&edition, "What is the marker today?") {
            let document = edition.index().document(&hit.passage.doc).unwrap();
            let said = &document.source[hit.passage.span.clone()];
            assert!(said.contains(hit.passage.text.lines().next().unwrap()), "{said} / {hit:?}");
        }
        count += 1;
    }
    count
}

/// The folder and what it should say.
struct Folder {
    at: PathBuf,
    good: BTreeMap<String, String>,
    newest: usize,
}

impl Folder {
    fn edit(&mut self, dice: &mut Dice, number: usize) {
        let name = format!("page{}.md", dice.throw(NAMES));
        let path = self.at.join(&name);
        match dice.throw(6) {
            0 => {
                let _ = std::fs::remove_file(&path);
                self.good.remove(&name);
            }
            // A file that cannot be read leaves what stood there.
            1 if self.good.contains_key(&name) => {
                let good = std::fs::read(&path).unwrap();
                std::fs::write(&path, b"---\ntitle: [\n---\n").unwrap();
                std::fs::write(&path, good).unwrap();
            }
            // As editors save: a new file renamed over the old one.
            2 => {
                let fresh = self.at.join(".saving");
                std::fs::write(&fresh, text(&name, number)).unwrap();
                std::fs::rename(&fresh, &path).unwrap();
                self.good.insert(name.clone(), text(&name, number));
                self.newest = number;
            }
            _ => {
                std::fs::write(&path, text(&name, number)).unwrap();
                self.good.insert(name.clone(), text(&name, number));
                self.newest = number;
            }
        }
    }

    fn corpus(&self) -> Corpus {
        let document =
            |(path, text): (&String, &String)| Document::new(path, text.clone()).unwrap();
        Corpus::new(self.good.iter().map(document).collect())
    }
}

#[test]
fn five_hundred_edits_under_questions_end_as_a_fresh_build() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path().join("knowledge");
    std::fs::create_dir(&at).unwrap();
    let mut folder = Folder { at, good: BTreeMap::new(), newest: 0 };
    std::fs::write(folder.at.join("always.md"), text("always.md", 0)).unwrap();
    folder.good.insert("always.md".into(), text("always.md", 0));
    let (library, _) = open(temp.path());
    let (stop, done) = (CancellationToken::new(), AtomicBool::new(false));
    let keeper = knowledge::start(&library, stop.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let asked = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let askers: Vec<_> = (0..2).map(|_| scope.spawn(|| asks(&library, &done))).collect();
        let mut dice = Dice(7);
        let mut number = 0;
        while number < EDITS {
            for _ in 0..=dice.throw(20) {
                number += 1;
                folder.edit(&mut dice, number);
            }
            runtime.block_on(published(&library, &folder));
        }
        done.store(true, Ordering::Relaxed);
        askers.into_iter().for_each(|asker| {
            asked.fetch_add(asker.join().unwrap(), Ordering::Relaxed);
        });
    });
    stop.cancel();
    library.ring();
    keeper.join().unwrap();
    assert!(asked.into_inner() > EDITS, "questions came all the while");
    same_as_fresh(library.edition().index(), &folder.corpus());
    let versions = shelf(temp.path()).versions.list().unwrap();
    assert_eq!((versions.len(), versions[0].id.as_str()), (KEEP, folder.corpus().hash()));
    let directories = std::fs::read_dir(temp.path().join("index")).unwrap().count();
    assert_eq!(directories, KEEP + 1, "the pointer and the kept versions' indexes");
    let (again, embedded) = open(temp.path());
    assert_eq!((again.edition().knowledge_version(), embedded), (folder.corpus().hash(), 0));
}

/// Waits until the folder answers, then asks for what was written last.
async fn published(library: &Library, folder: &Folder) {
    let corpus = folder.corpus();
    let mut status = library.status();
    let there = status.wait_for(|status| {
        corpus.hash().starts_with(&status.version) && status.problems.is_empty()
    });
    tokio::time::timeout(PATIENCE, there).await.expect("it is published").unwrap();
    let edition = library.edition();
    assert_eq!(edition.knowledge_version(), corpus.hash());
    for document in corpus.documents() {
        assert_eq!(edition.document(&document.path), Some(document), "nothing stale, nothing lost");
    }
    assert_eq!(edition.index().documents().len(), corpus.documents().len());
    let marker = format!("number{}x", folder.newest);
    let written = folder.good.values().any(|text| text.contains(&marker));
    let found = find(&edition, &format!("Which marker is {marker}?"));
    assert_eq!(found.iter().any(|hit| hit.passage.text.contains(&marker)), written, "{marker}");
}

fn same_as_fresh(index: &Index, corpus: &Corpus) {
    let model = ScriptedModel::default();
    let card = model.card();
    let embedder = EmbedderId { id: card.encoder.clone(), dimension: card.dimension };
    let fresh = Index::in_memory(corpus.clone(), &embedder, &mut |texts, _| {
        Ok(model.embed(texts).unwrap())
    });
    let fresh = fresh.unwrap();
    assert_eq!(index.passages(), fresh.passages());
    assert_eq!(index.vectors(), fresh.vectors());
    let (index, fresh) = (|text: &str| ranks(index, text), |text: &str| ranks(&fresh, text));
    for question in ["What is the marker today?", "More about page3.md", "number499x always"] {
        assert_eq!(index(question), fresh(question), "{question}");
    }
}

/// Place and scores of what a question finds.
fn ranks(index: &Index, text: &str) -> Vec<(String, usize, [f32; 4])> {
    let embedding = ScriptedModel::default().embed(&[text]).unwrap().remove(0);
    let hits = index
        .search(&Query {
            asked: Phrase { text, embedding: &embedding },
            in_context: None,
            points_back: false,
            scope: &Scope::default(),
            limit: 20,
        })
        .unwrap();
    let rank = |hit: &Hit| {
        let scores = [hit.score, hit.cosine, hit.bm25, hit.coverage];
        (hit.passage.doc.clone(), hit.passage.span.start, scores)
    };
    hits.iter().map(rank).collect()
}

#[test]
fn a_kill_at_any_moment_leaves_an_index_to_go_on_from() {
    let temp = tempfile::tempdir().unwrap();
    let at = temp.path().join("knowledge");
    std::fs::create_dir(&at).unwrap();
    for n in 0..40 {
        std::fs::write(at.join(format!("still{n}.md")), text(&format!("still{n}.md"), n)).unwrap();
    }
    let mut dice = Dice(11);
    for round in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "soak::edits_until_it_is_killed", "--nocapture"])
            .env(FOLDER, temp.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let edits = lines.map_while(Result::ok).filter(|line| line.starts_with("edit"));
        let seen = edits.take(1 + dice.throw(40)).count();
        assert!(seen > 0, "the child edits");
        child.kill().unwrap();
        child.wait().unwrap();
        let (library, embedded) = open(temp.path());
        let (corpus, skipped) = Corpus::read(&at).unwrap();
        assert!(skipped.is_empty());
        assert_eq!(library.edition().knowledge_version(), corpus.hash());
        // Each passage is read as a whole, by its heading and sentence by sentence.
        let pages = library.edition();
        let pages = pages.index().passages().iter().filter(|p| p.doc.starts_with("page"));
        let edited: usize = pages.map(|passage| 2 + passage.sentences.len()).sum();
        let most = if round == 0 { usize::MAX } else { edited };
        assert!(embedded <= most, "round {round}: {embedded} texts were lost with the index");
        same_as_fresh(library.edition().index(), &corpus);
    }
}

/// No test of its own: the process that the test above kills. Started by hand it does nothing.
#[test]
fn edits_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let (library, _) = open(&folder);
    let _keeper = knowledge::start(&library, CancellationToken::new()).unwrap();
    let mut dice = Dice(u64::from(std::process::id()));
    let mut out = std::io::stdout();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for number in 0..10_000 {
        let name = format!("page{}.md", dice.throw(NAMES));
        // Written beside and renamed, so that a kill leaves no half file, which would be no fault of the index.
        let fresh = folder.join("knowledge/.saving");
        std::fs::write(&fresh, text(&name, number)).unwrap();
        std::fs::rename(&fresh, folder.join("knowledge").join(&name)).unwrap();
        writeln!(out, "edit {number}").unwrap();
        if dice.throw(3) == 0 {
            let mut status = library.status();
            let _ =
                runtime.block_on(async { tokio::time::timeout(PATIENCE, status.changed()).await });
        }
    }
}
