//! `baseline.toml`: the figures of a run, with the hashes of the thresholds and weights they were measured with.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use crate::house;

/// Files whose change asks for a new run; `tests/architecture.rs` holds them to it.
const SOURCES: [&str; 3] =
    ["prompts/policy.toml", "engine/src/confidence.rs", "models/manifest.toml"];

/// Writes the file. Run it in the root of the source.
pub(crate) fn write(path: &Path, figures: &[(&str, f64)]) -> Result<()> {
    let mut text = String::from(
        "# Written by `make baseline`: what the figures depend on, and the figures.\n\n[sources]\n",
    );
    for source in SOURCES {
        let content = std::fs::read_to_string(source)
            .with_context(|| format!("{source}: run this in the source folder"))?;
        writeln!(text, "\"{source}\" = \"{}\"", house::sha256(&content))?;
    }
    text.push_str("\n[demo]\n");
    for (name, value) in figures {
        writeln!(text, "{name} = {}", (value * 1000.0).round() / 1000.0)?;
    }
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}
