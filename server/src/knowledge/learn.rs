//! An answer that the owner accepted makes its question a golden one: later edits must not lose what it found.

use std::fs;
use std::sync::{Arc, PoisonError};

use engine::turn::Speaker;
use retrieval::golden::{self, Golden};

use super::{Library, disk};
use crate::app::App;
use crate::protocol::record::Citation;
use crate::store::StoreError;

/// Takes note of a suggestion that was sent. What goes wrong is only logged: the message is sent already.
pub async fn accepted(app: &Arc<App>, conversation: &str, suggestion: &str) {
    let golden = match question(app, conversation, suggestion).await {
        Ok(Some(golden)) => golden,
        Ok(None) => return,
        Err(error) => return tracing::error!(%error, "an accepted answer could not be read"),
    };
    let own = Arc::clone(app);
    let learn = move || own.mind.knowledge.learn(&golden, own.mind.prompts().policy.passage_floor);
    match tokio::task::spawn_blocking(learn).await {
        Ok(Ok(true)) => tracing::info!("{} has a question more", golden::FILE),
        Ok(Ok(false)) => {}
        Ok(Err(error)) => tracing::warn!("{} does not grow: {error}", golden::FILE),
        Err(error) => tracing::error!(%error, "an accepted answer was not noted"),
    }
}

/// The visitor's question with the first document that the suggestion cites.
async fn question(
    app: &App,
    conversation: &str,
    suggestion: &str,
) -> Result<Option<Golden>, StoreError> {
    let Some(sent) = app.store.sent_suggestion(suggestion, conversation).await? else {
        return Ok(None);
    };
    let cited: Vec<Citation> = serde_json::from_str(&sent.citations).unwrap_or_default();
    let asked = app.store.messages(conversation, sent.for_seq - 1, 1).await?;
    let asked = asked.into_iter().find(|message| message.speaker == Speaker::Visitor.as_str());
    Ok(asked.zip(cited.into_iter().next()).map(|(asked, cited)| Golden {
        question: asked.text.trim().to_owned(),
        doc: Some(cited.doc),
        answer: None,
    }))
}

impl Library {
    /// Adds a golden question to the owner's file, unless it is there, or finds its document only in its conversation.
    pub(crate) fn learn(&self, golden: &Golden, floor: f32) -> Result<bool, String> {
        let _one_at_a_time = self.learning.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.shelf.folder.join(golden::FILE);
        let text = match fs::symlink_metadata(&file) {
            Ok(meta) if !meta.is_file() => return Err("it is no ordinary file".into()),
            Ok(_) => fs::read_to_string(&file).map_err(|error| error.to_string())?,
            Err(_) => String::new(),
        };
        let Some(grown) = golden::grown(&text, golden).map_err(|error| error.to_string())? else {
            return Ok(false);
        };
        let vector = self.embed(&golden.question).map_err(|error| error.to_string())?;
        let verdict = golden::judge(self.edition().as_ref(), golden, &vector, floor);
        if !verdict.map_err(|error| error.to_string())?.right {
            return Ok(false);
        }
        disk::write(&file, grown.as_bytes()).map_err(|error| error.to_string())?;
        Ok(true)
    }
}
