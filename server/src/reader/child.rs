//! The process that reads one document or sitemap: it limits itself, reads from its input, writes text, and ends.

use std::io::{Read, Write};

use anyhow::{Context, Result, bail};
use retrieval::corpus::MAX_FOREIGN_BYTES;
use retrieval::readers::foreign::{self, Kind};
use retrieval::readers::sitemap::Sitemap;

/// What a sitemap is called beside the kinds of documents.
pub(super) const SITEMAP: &str = "sitemap";
/// First line of an answer that is text; the rest of the answer follows.
pub(super) const READ: &str = "porchlight document 1 read\n";
/// First line of an answer that says why the document is refused.
pub(super) const REFUSED: &str = "porchlight document 1 refused\n";
/// Bytes of address space. The largest documents that are accepted take a third.
pub(super) const MEMORY_BYTES: u64 = 768 * 1024 * 1024;
/// Seconds of computing.
pub(super) const CPU_SECONDS: u64 = 20;

/// Reads a document from standard input and answers on standard output.
///
/// # Errors
/// When the process cannot be limited, or nobody listens.
pub fn run(kind: &str) -> Result<()> {
    limit()?;
    let convert = |bytes: &[u8]| match kind.parse::<Kind>() {
        Ok(kind) => foreign::convert(kind, bytes),
        Err(()) => Sitemap::read(bytes).map(|sitemap| sitemap.to_lines()),
    };
    if kind != SITEMAP && kind.parse::<Kind>().is_err() {
        bail!("{kind} is no kind of document");
    }
    let mut bytes = Vec::new();
    let input = std::io::stdin().lock();
    input.take(MAX_FOREIGN_BYTES + 1).read_to_end(&mut bytes).context("standard input")?;
    let (first, rest) = if bytes.len() as u64 > MAX_FOREIGN_BYTES {
        (REFUSED, format!("has more than {MAX_FOREIGN_BYTES} bytes"))
    } else {
        match convert(&bytes) {
            Ok(text) => (READ, text),
            Err(error) => (REFUSED, error.to_string()),
        }
    };
    let mut out = std::io::stdout().lock();
    let written = out.write_all(first.as_bytes()).and_then(|()| out.write_all(rest.as_bytes()));
    written.and_then(|()| out.flush()).context("standard output")
}

/// Takes from this process what reading a document does not need; there is no way back.
#[cfg(unix)]
fn limit() -> Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limits = [
        (Resource::As, MEMORY_BYTES, MEMORY_BYTES),
        // The first ends the process with a signal of its own, the second for sure.
        (Resource::Cpu, CPU_SECONDS, CPU_SECONDS + 1),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
        // Those that are open stay open; no further file or socket can be opened.
        (Resource::Nofile, 0, 0),
    ];
    for (resource, current, maximum) in limits {
        let limit = Rlimit { current: Some(current), maximum: Some(maximum) };
        setrlimit(resource, limit).with_context(|| format!("{resource:?} cannot be limited"))?;
    }
    Ok(())
}

/// There are no such limits here; the wall clock and the size of the answer are limited from outside.
#[cfg(not(unix))]
fn limit() -> Result<()> {
    Ok(())
}
