//! A made-up model, the places it can be had from, and a store to pull it into.

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use models::manifest::{Manifest, ModelEntry};
use models::store::{Found, Source, Store, StoreError};
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::server::{Answer, Server, get};

pub(crate) const HUB_WEIGHTS: &str = "/hub/o/tiny/resolve/main/weights.bin";
pub(crate) const HUB_CONFIG: &str = "/hub/o/tiny/resolve/main/config.json";
pub(crate) const PAGE_A: &str = "/simple/tiny-a/";
pub(crate) const PAGE_B: &str = "/simple/tiny-b/";
pub(crate) const WHEEL_A: &str = "/files/tiny_a-1.0-py3-none-any.whl";
pub(crate) const WHEEL_B: &str = "/files/tiny_b-1.0-py3-none-any.whl";

/// Which page the index serves.
#[derive(Clone, Copy)]
pub(crate) enum Page {
    Json,
    Html,
}

pub(crate) struct House {
    pub(crate) temp: tempfile::TempDir,
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) model: ModelEntry,
    pub(crate) weights: Vec<u8>,
    pub(crate) config: Vec<u8>,
}

impl House {
    pub(crate) fn new() -> Self {
        let weights: Vec<u8> = (0..300_000_u32).map(|n| (n.wrapping_mul(n) / 7) as u8).collect();
        let config = b"{\"layers\": 1}".to_vec();
        let file = |name: &str, body: &[u8], wheel: &str| {
            format!(
                "[[model.file]]\nname = \"{name}\"\nbytes = {}\nsha256 = \"{}\"\n\
                 hub = {{ repo = \"o/tiny\", revision = \"main\", path = \"{name}\" }}\nwheel = [{wheel}]\n",
                body.len(),
                sha256(body)
            )
        };
        let part = |ab: &str, member: &str| {
            format!(
                "{{ package = \"tiny-{ab}\", version = \"1.0\", member = \"tiny_{ab}/{member}\" }}"
            )
        };
        let parts = format!("{}, {}", part("a", "1.bin"), part("b", "2.bin"));
        let text = format!(
            "[[model]]\nid = \"tiny\"\nuse = \"encoder\"\nlicence = \"MIT\"\nabout = \"\"\n{}{}",
            file("weights.bin", &weights, &parts),
            file("config.json", &config, &part("a", "config.json")),
        );
        let model = Manifest::parse(&text).unwrap().model("tiny").unwrap().clone();
        let temp = tempfile::tempdir().unwrap();
        let store = Store::new(temp.path().join("models"));
        Self { store, server: Server::start(), model, weights, config, temp }
    }

    pub(crate) fn with_hub(self) -> Self {
        self.server.set(HUB_WEIGHTS, Answer::file(self.weights.clone()));
        self.server.set(HUB_CONFIG, Answer::file(self.config.clone()));
        self
    }

    pub(crate) fn with_index(self, page: Page) -> Self {
        let (first, second) = self.weights.split_at(123_456);
        let wheel_a = wheel(&[("tiny_a/1.bin", first), ("tiny_a/config.json", &self.config)]);
        let wheel_b = wheel(&[("tiny_b/__init__.py", b""), ("tiny_b/2.bin", second)]);
        for (page_path, path, body) in [(PAGE_A, WHEEL_A, wheel_a), (PAGE_B, WHEEL_B, wheel_b)] {
            self.server.set(page_path, simple_page(page, path, &body));
            self.server.set(path, Answer::file(body));
        }
        self
    }

    pub(crate) fn hub(&self) -> Source {
        Source::Hub(self.server.url("/hub"))
    }

    pub(crate) fn index(&self) -> Source {
        Source::Index(self.server.url("/simple/"))
    }

    pub(crate) fn pull(&self, sources: &[Source]) -> Result<Found, StoreError> {
        self.store.pull(&self.model, sources, &get, &mut |_| {})
    }

    /// The path of a file in the model's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.store.dir().join("tiny").join(name)
    }

    /// The files are the right ones, and nothing else is left but the lock and the stamp.
    pub(crate) fn assert_complete(&self) {
        assert_eq!(fs::read(self.file("weights.bin")).unwrap(), self.weights);
        assert_eq!(fs::read(self.file("config.json")).unwrap(), self.config);
        assert_eq!(self.names(), [".lock", ".verified", "config.json", "weights.bin"]);
        self.store.verify(&self.model).unwrap();
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.file("")).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
        names.sort();
        names
    }
}

pub(crate) fn sha256(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn wheel(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(body).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn simple_page(page: Page, path: &str, body: &[u8]) -> Answer {
    let (file, sha256) = (path.rsplit('/').next().unwrap(), sha256(body));
    let old = file.replace("1.0", "0.9");
    let (content_type, text) = match page {
        Page::Json => (
            "application/vnd.pypi.simple.v1+json",
            format!(
                r#"{{"meta": {{"api-version": "1.1"}}, "name": "x", "files": [
                {{"filename": "{old}", "url": "{old}", "hashes": {{}}}},
                {{"filename": "{file}", "url": "../..{path}", "hashes": {{"sha256": "{sha256}"}}, "size": {}}}]}}"#,
                body.len()
            ),
        ),
        Page::Html => (
            "text/html; charset=utf-8",
            format!(
                "<!DOCTYPE html><html><body><h1>Links</h1>\n<a href=\"{old}\">{old}</a><br/>\n\
                 <a data-requires-python=\"&gt;=3.8\" href=\"../..{path}#sha256={sha256}\">{file}</a>"
            ),
        ),
    };
    Answer { content_type, ..Answer::file(text.into_bytes()) }
}
