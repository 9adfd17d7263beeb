//! Fetches a file from the model's own hub.

use super::download::{Job, Wanted, download};
use super::error::Failure;
use crate::manifest::ModelFile;

/// Downloads `file` from the hub at `base`.
pub(super) fn pull(job: &mut Job<'_>, base: &str, file: &ModelFile) -> Result<(), Failure> {
    let base = base.trim_end_matches('/');
    let hub = &file.hub;
    let url = format!("{base}/{}/resolve/{}/{}", hub.repo, hub.revision, hub.path);
    let wanted = Wanted {
        url: &url,
        name: &file.name,
        bytes: Some(file.bytes),
        most_bytes: file.bytes,
        sha256: Some(&file.sha256),
    };
    download(job, &wanted).map(|_| ())
}
