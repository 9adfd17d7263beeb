//! The list of models Porchlight knows, read from `manifest.toml` and checked once.

use std::ops::Range;

use engine::draft::Mode;
use serde::Deserialize;
use toml::Spanned;

/// The models of a manifest, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    models: Vec<ModelEntry>,
}

/// One model: what it is for and the files it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEntry {
    /// Names the model and its folder: `smollm2-135m`.
    pub id: String,
    /// What the model does, and how a drafter may draft.
    pub role: Role,
    /// SPDX id of the licence of the weights.
    pub licence: String,
    /// One line for people.
    pub about: String,
    /// At least one file; the first holds the weights.
    pub files: Vec<ModelFile>,
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Turns text into vectors.
    Encoder,
    /// Writes drafts, this way unless the owner says otherwise.
    Drafter(Mode),
}

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Name on disk, without folders.
    pub name: String,
    /// Length, above 0.
    pub bytes: u64,
    /// SHA-256 as 64 lower-case hex digits.
    pub sha256: String,
    /// Where the model's own hub keeps it.
    pub hub: HubFile,
    /// Wheel members that, joined in this order, are the file; empty where no wheel carries it.
    pub wheel: Vec<WheelPart>,
}

/// A file of a repository on the hub.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubFile {
    /// `owner/name`.
    pub repo: String,
    /// Commit or branch.
    pub revision: String,
    /// Path in the repository.
    pub path: String,
}

/// A member of a Python wheel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelPart {
    /// Package name in normal form (PEP 503): lower case, words joined by `-`.
    pub package: String,
    /// The only version that is accepted.
    pub version: String,
    /// Path in the wheel.
    pub member: String,
}

/// A manifest that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model manifest, line {line}: {problem}")]
pub struct ManifestError {
    /// Line the problem is on, from 1.
    pub line: usize,
    /// What is wrong and what is expected.
    pub problem: String,
}

impl Manifest {
    /// The manifest that is part of this build.
    pub fn builtin() -> Self {
        Self::parse(include_str!("../manifest.toml"))
            .expect("the embedded manifest is parsed by a unit test of every build")
    }

    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`ManifestError`] with the line when the text is no TOML, a field is missing, unknown or malformed,
    /// an id or file name is used twice, or a name could leave its folder.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let raw: RawManifest = toml::from_str(text).map_err(|error| ManifestError {
            line: line_at(text, error.span().unwrap_or(0..0).start),
            problem: error.message().to_owned(),
        })?;
        let mut models: Vec<ModelEntry> = Vec::new();
        for raw in raw.model {
            let span = raw.id.span();
            let taken = models.iter().any(|model| model.id == *raw.id.get_ref());
            let entry = if taken {
                Err((span, format!("model id \"{}\" is used twice", raw.id.get_ref())))
            } else {
                raw.check()
            };
            models.push(entry.map_err(|(span, problem)| ManifestError {
                line: line_at(text, span.start),
                problem,
            })?);
        }
        Ok(Self { models })
    }

    /// The model with this id.
    pub fn model(&self, id: &str) -> Option<&ModelEntry> {
        self.models.iter().find(|model| model.id == id)
    }

    /// All models, in the order of the manifest.
    pub fn models(&self) -> &[ModelEntry] {
        &self.models
    }
}

impl ModelEntry {
    /// Length of all files together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The file with this name.
    pub fn file(&self, name: &str) -> Option<&ModelFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// How this model may draft unless the owner says otherwise; `None` for an encoder.
    pub fn draft(&self) -> Option<Mode> {
        match self.role {
            Role::Encoder => None,
            Role::Drafter(mode) => Some(mode),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    model: Vec<RawModel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    id: Spanned<String>,
    r#use: RawUse,
    draft: Option<Mode>,
    licence: String,
    about: String,
    file: Vec<RawFile>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawUse {
    Encoder,
    Drafter,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    name: Spanned<String>,
    bytes: Spanned<u64>,
    sha256: Spanned<String>,
    hub: Spanned<HubFile>,
    #[serde(default)]
    wheel: Vec<Spanned<WheelPart>>,
}

/// Where in the text, and what is wrong there.
type Problem = (Range<usize>, String);

impl RawModel {
    fn check(self) -> Result<ModelEntry, Problem> {
        let span = self.id.span();
        let id = checked(self.id, "a model id", is_file_name)?;
        let role = match (self.r#use, self.draft) {
            (RawUse::Encoder, None) => Role::Encoder,
            (RawUse::Drafter, Some(mode)) => Role::Drafter(mode),
            (RawUse::Encoder, Some(_)) => {
                return Err((span, format!("encoder \"{id}\" cannot have `draft`; remove it")));
            }
            (RawUse::Drafter, None) => {
                return Err((span, format!("drafter \"{id}\" needs `draft`: quote or compose")));
            }
        };
        let mut files: Vec<ModelFile> = Vec::new();
        for raw in self.file {
            if files.iter().any(|file| file.name == *raw.name.get_ref()) {
                return Err((raw.name.span(), "this file name is used twice".to_owned()));
            }
            files.push(raw.check()?);
        }
        if files.is_empty() {
            return Err((span, format!("model \"{id}\" has no files")));
        }
        Ok(ModelEntry { id, role, licence: self.licence, about: self.about, files })
    }
}

impl RawFile {
    fn check(self) -> Result<ModelFile, Problem> {
        if *self.bytes.get_ref() == 0 {
            return Err((self.bytes.span(), "a file has more than 0 bytes".to_owned()));
        }
        let hub = self.hub.get_ref();
        if ![&hub.repo, &hub.revision, &hub.path].into_iter().all(|part| is_path(part)) {
            return Err((self.hub.span(), "repo, revision and path are plain paths".to_owned()));
        }
        for part in &self.wheel {
            let wheel = part.get_ref();
            let names = [&wheel.package, &wheel.version].into_iter().all(|part| is_file_name(part));
            if !names || !is_path(&wheel.member) {
                let problem = "package and version are plain names, member is a plain path";
                return Err((part.span(), problem.to_owned()));
            }
        }
        Ok(ModelFile {
            name: checked(self.name, "a file name", is_file_name)?,
            bytes: self.bytes.into_inner(),
            sha256: checked(self.sha256, "a SHA-256 in 64 lower-case hex digits", is_sha256)?,
            hub: self.hub.into_inner(),
            wheel: self.wheel.into_iter().map(Spanned::into_inner).collect(),
        })
    }
}

fn checked(word: Spanned<String>, what: &str, test: fn(&str) -> bool) -> Result<String, Problem> {
    if test(word.get_ref()) {
        Ok(word.into_inner())
    } else {
        Err((word.span(), format!("\"{}\" is not {what}", word.get_ref())))
    }
}

/// Letters, digits, `.`, `_` and `-`, not starting with `.`: safe on every file system and in every URL.
fn is_file_name(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !word.is_empty() && !word.starts_with('.') && word.bytes().all(plain)
}

fn is_path(word: &str) -> bool {
    word.split('/').all(is_file_name)
}

fn is_sha256(word: &str) -> bool {
    word.len() == 64 && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[[model]]
id = "tiny"
use = "drafter"
draft = "quote"
licence = "MIT"
about = "a test"
[[model.file]]
name = "tiny.gguf"
bytes = 3
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
hub = { repo = "a/b", revision = "main", path = "tiny.gguf" }
wheel = [{ package = "tiny", version = "1.0", member = "tiny/tiny.gguf" }]
"#;

    #[test]
    fn the_embedded_manifest_lists_the_models() {
        let manifest = Manifest::builtin();
        let rows = [
            ("minilm-l6", None, 3, 91_335_235),
            ("smollm2-135m", Some(Mode::Quote), 1, 98_362_432),
            ("qwen2.5-coder-0.5b", Some(Mode::Compose), 1, 491_400_064),
            ("qwen2.5-1.5b", Some(Mode::Compose), 1, 1_117_320_736),
        ];
        assert_eq!(manifest.models().len(), rows.len());
        for (id, draft, files, bytes) in rows {
            let model = manifest.model(id).unwrap();
            assert_eq!((model.draft(), model.files.len(), model.bytes()), (draft, files, bytes));
        }
        assert_eq!(manifest.model("gpt-5"), None);
    }

    #[test]
    fn a_good_manifest_parses() {
        let manifest = Manifest::parse(GOOD).unwrap();
        let tiny = manifest.model("tiny").unwrap();
        assert_eq!(tiny.role, Role::Drafter(Mode::Quote));
        assert_eq!(tiny.file("tiny.gguf").unwrap().wheel.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let rows = [
            ("bytes = 3", "bytes = 0", 10, "more than 0 bytes"),
            ("bytes = 3", "bytes = \"x\"", 10, "invalid type"),
            ("\"0123456789abc", "\"0123456789ABC", 11, "is not a SHA-256"),
            ("name = \"tiny.gguf\"", "name = \"../x\"", 9, "\"../x\" is not a file name"),
            ("id = \"tiny\"", "id = \"a/b\"", 3, "\"a/b\" is not a model id"),
            ("draft = \"quote\"", "", 3, "needs `draft`"),
            ("\"drafter\"", "\"encoder\"", 3, "cannot have `draft`"),
            ("\"drafter\"", "\"singer\"", 4, "unknown variant"),
            ("licence = \"MIT\"", "license = \"MIT\"", 6, "unknown field"),
            ("path = \"tiny.gguf\"", "path = \"../tiny\"", 12, "plain paths"),
            ("member = \"tiny/", "member = \"/tiny/", 13, "plain path"),
            ("[[model]]", "[[model", 2, "unclosed array table"),
        ];
        for (from, to, line, problem) in rows {
            let error = Manifest::parse(&GOOD.replace(from, to)).unwrap_err();
            assert_eq!(error.line, line, "{to}: {error}");
            assert!(error.to_string().contains(problem), "{to}: {error}");
        }
        let twice = format!("{GOOD}{GOOD}");
        let error = Manifest::parse(&twice).unwrap_err();
        assert_eq!((error.line, error.problem.as_str()), (16, "model id \"tiny\" is used twice"));
    }
}
