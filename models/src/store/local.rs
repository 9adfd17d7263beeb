//! Takes a file from a folder, for machines without a network.

use std::fs::{self, File};
use std::path::Path;

use super::download::Job;
use super::error::{Failure, Reason};
use super::join::Joined;
use crate::manifest::{ModelEntry, ModelFile};

/// Copies `file` from `<folder>/<model id>/<file>` or else `<folder>/<file>`.
pub(super) fn pull(
    job: &mut Job<'_>,
    folder: &Path,
    model: &ModelEntry,
    file: &ModelFile,
) -> Result<(), Failure> {
    let places = [folder.join(&model.id).join(&file.name), folder.join(&file.name)];
    let Some(from) = places.iter().find(|place| place.is_file()) else {
        return Err(Reason::Absent(file.name.clone()).into());
    };
    let unreadable =
        |problem: String| Reason::Unreadable { path: from.display().to_string(), problem };
    let found = fs::metadata(from).map_err(|error| unreadable(error.to_string()))?;
    if found.len() != file.bytes {
        let (file, offered, expected) = (file.name.clone(), found.len(), file.bytes);
        return Err(Reason::Length { file, offered, expected }.into());
    }
    let mut source = File::open(from).map_err(|error| unreadable(error.to_string()))?;
    let mut joined = Joined::create(job, file)?;
    joined.add(&mut source)?.map_err(|error| unreadable(error.to_string()))?;
    joined.finish()
}
