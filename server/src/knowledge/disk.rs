//! Files that are written whole: beside their place, then renamed into it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file and the folders above it, so that nobody ever reads half of it.
///
/// # Errors
/// What the system says; the file before stays then.
pub(super) fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let fresh = folder.join(format!(".{name}.saving"));
    let mut out = File::create(&fresh)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    fs::rename(&fresh, file)
}
