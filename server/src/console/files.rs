//! Files that visitors have sent, for the owner: always as a download, never shown by the browser.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;

/// Keeps whatever opens it all the same from running anything.
const SANDBOX: &str = "sandbox; default-src 'none'";

/// `GET /console/api/files/ID`.
pub(super) async fn download(
    State(app): State<Arc<App>>,
    _: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let not_found = |code, message: String| ApiError::new(StatusCode::NOT_FOUND, code, message);
    let file = app.store.file(&id).await?;
    let file = file.ok_or_else(|| not_found("unknown_file", "There is no such file.".into()))?;
    let bytes = app.uploads.read(&file).await.map_err(|error| ApiError::internal(&error))?;
    let bytes = bytes.ok_or_else(|| {
        let message = format!(
            "{} is missing: its bytes are no longer in the folder `uploads` of the data folder. The message stays.",
            file.name
        );
        not_found("file_missing", message)
    })?;
    let headers = [
        (CONTENT_TYPE, file.media.clone()),
        (CONTENT_DISPOSITION, attachment(&file.name)),
        (CONTENT_SECURITY_POLICY, SANDBOX.to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// The header for a name (RFC 6266): as far as it is ASCII for old programs, whole for others.
fn attachment(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
    let ascii: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let whole: String = name
        .bytes()
        .map(|byte| match byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_the_header() {
        for (name, expect) in [
            ("a b.png", "attachment; filename=\"a b.png\"; filename*=UTF-8''a%20b.png"),
            (
                "ö\"\r\nx.txt",
                "attachment; filename=\"____x.txt\"; filename*=UTF-8''%C3%B6%22%0D%0Ax.txt",
            ),
        ] {
            assert_eq!(attachment(name), expect);
        }
    }
}
