//! Results as `--json` wrote them, read back; what is wrong with a file is said with its name and line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// One measurement's outcome.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Stored {
    #[serde(skip)]
    pub(crate) file: PathBuf,
    pub(crate) suite: String,
    pub(crate) set: String,
    pub(crate) seed: u64,
    pub(crate) setting: BTreeMap<String, String>,
    #[serde(flatten)]
    pub(crate) figures: Map<String, Value>,
}

impl Stored {
    /// Reads a file.
    ///
    /// # Errors
    /// With file and line: what cannot be read, is no JSON, or is no result.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        let read: serde_json::Result<Self> = serde_json::from_str(&text);
        let read = read.map_err(|error| {
            anyhow!("{}:{}: no result of a measurement: {error}", path.display(), error.line())
        })?;
        Ok(Self { file: path.to_owned(), ..read })
    }

    /// Whether both measure the same thing.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.suite == other.suite && self.set == other.set
    }

    /// A figure by its name; of a group, with dots: `final.ndcg@10`.
    pub(crate) fn figure(&self, name: &str) -> Option<&Value> {
        let mut parts = name.split('.');
        let first = self.figures.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    }

    /// A figure that is a number.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.figure(name).and_then(Value::as_f64)
    }

    /// Names of all figures but the lists, groups written out.
    pub(crate) fn names(&self) -> Vec<String> {
        fn walk(prefix: &str, group: &Map<String, Value>, found: &mut Vec<String>) {
            for (name, value) in group {
                match value {
                    Value::Object(inner) => walk(&format!("{prefix}{name}."), inner, found),
                    Value::Array(_) => {}
                    _ => found.push(format!("{prefix}{name}")),
                }
            }
        }
        let mut found = Vec::new();
        walk("", &self.figures, &mut found);
        found
    }

    /// A list of the result, empty where it has none.
    ///
    /// # Errors
    /// When its entries are of another shape.
    pub(crate) fn list<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>> {
        let Some(value) = self.figures.get(name) else { return Ok(Vec::new()) };
        serde_json::from_value(value.clone())
            .with_context(|| format!("{}: `{name}` has another shape", self.file.display()))
    }
}

/// Reads the results of a folder, in the order of their names. Two of the same suite and set are an error.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<Stored>> {
    let unread = || format!("{} cannot be read", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unread)? {
        paths.push(entry.with_context(unread)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    let found = paths.iter().map(|path| Stored::read(path)).collect::<Result<Vec<_>>>()?;
    apart(&found)?;
    Ok(found)
}

/// Fails when two results have the same suite and set.
pub(crate) fn apart(results: &[Stored]) -> Result<()> {
    for (at, result) in results.iter().enumerate() {
        if let Some(first) = results[..at].iter().find(|first| first.is_like(result)) {
            bail!(
                "{} and {} are both results of {} {}",
                first.file.display(),
                result.file.display(),
                result.suite,
                result.set
            );
        }
    }
    Ok(())
}
