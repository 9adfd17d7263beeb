//! Secrets in files of their own, read when they are needed: no setting, log or answer holds one.

use std::path::Path;

use tokio::io::AsyncReadExt;

/// Bytes of such a file at most.
const MOST: u64 = 4_096;

/// What a file holds, without white space at its ends.
///
/// # Errors
/// A sentence that names the file and nothing of what is in it.
pub(crate) async fn read(path: &Path) -> Result<String, String> {
    let name = path.display();
    let unread = |error: std::io::Error| format!("the file {name} cannot be read ({error})");
    let file = tokio::fs::File::open(path).await.map_err(unread)?;
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).await.map_err(unread)?;
    let text = String::from_utf8(bytes).map_err(|_| format!("the file {name} is no UTF-8 text"))?;
    let text = text.trim();
    match text.is_empty() || text.len() as u64 > MOST {
        true => {
            Err(format!("the file {name} holds no secret: it is empty or longer than {MOST} bytes"))
        }
        false => Ok(text.to_owned()),
    }
}
