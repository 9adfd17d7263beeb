//! Embeds many texts a few at a time, so that a visitor's question does not wait behind them.

use std::time::Duration;

use engine::model::{Model, ModelError};

/// How long to stand back when the encoder's queue is full.
const STAND_BACK: Duration = Duration::from_millis(20);

/// The texts' vectors, `part` at a time, waiting where visitors keep the encoder busy; `go_on` says when to give up, and why.
///
/// # Errors
/// What `go_on` or the encoder says.
pub fn embed_gently(
    model: &dyn Model,
    texts: &[&str],
    part: usize,
    go_on: &dyn Fn() -> Result<(), String>,
) -> Result<Vec<Vec<f32>>, String> {
    let mut vectors = Vec::with_capacity(texts.len());
    for part in texts.chunks(part) {
        vectors.extend(loop {
            go_on()?;
            match model.embed(part) {
                Err(ModelError::Busy { .. }) => std::thread::park_timeout(STAND_BACK),
                other => break other.map_err(|error| error.to_string())?,
            }
        });
    }
    Ok(vectors)
}
