//! What the disk itself could do: blocks written and synced in batches, with no database in between.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Bytes of a write; one message costs the database's log a page or two.
const BLOCK: usize = 4_096;
/// The file is written anew from here on, as the database's log is.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Writes a second that the disk beside `folder` makes durable when `batch` of them share one `fdatasync`:
/// batches × batch ÷ seconds. It writes for `time` into a file that is removed again.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn ceiling(folder: &Path, batch: usize, time: Duration) -> Result<f64> {
    let mut file = tempfile_in(folder)?;
    let blocks = vec![0x5a_u8; BLOCK * batch];
    let (began, mut count) = (Instant::now(), 0_usize);
    while began.elapsed() < time {
        if file.stream_position()? > LONGEST {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&blocks)?;
        file.sync_data()?;
        count += batch;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

/// A file without a name: it goes when it is closed, however that happens.
fn tempfile_in(folder: &Path) -> Result<std::fs::File> {
    let path = folder.join(format!("disk-{}", std::process::id()));
    let file = std::fs::File::options().create_new(true).write(true).open(&path);
    let file = file.with_context(|| format!("{} cannot be written", path.display()))?;
    std::fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_a_speed_and_keeps_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ceiling(folder.path(), 8, Duration::from_millis(20)).unwrap() > 0.0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(ceiling(&folder.path().join("nowhere"), 8, Duration::ZERO).is_err());
    }
}
