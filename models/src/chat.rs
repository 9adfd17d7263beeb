//! ChatML, the chat template of the SmolLM2 and Qwen families, as token ids.

use engine::model::{Prompt, Role};

use crate::tokenizer::{Tokenizer, TokenizerError};

/// Opens a message.
const START: &str = "<|im_start|>";
/// Closes a message.
const END: &str = "<|im_end|>";

/// Ids of a prompt. Texts are tokenized as plain text, so markers that a visitor typed stay text.
///
/// A last assistant message is left open, to be continued; otherwise an empty one is opened.
///
/// # Errors
/// [`TokenizerError`] when a text is too long, or the vocabulary has no ChatML markers.
pub fn encode(tokenizer: &Tokenizer, prompt: &Prompt) -> Result<Vec<u32>, TokenizerError> {
    let start = tokenizer.special(START)?;
    let end = tokenizer.special(END)?;
    let newline = tokenizer.encode("\n")?;
    let mut ids = Vec::new();
    let last = prompt.messages.len().saturating_sub(1);
    for (index, message) in prompt.messages.iter().enumerate() {
        let continued = index == last && message.role == Role::Assistant;
        let word = match message.role {
            Role::System => "system\n",
            Role::User => "user\n",
            Role::Assistant => "assistant\n",
        };
        ids.push(start);
        ids.extend(tokenizer.encode(word)?);
        ids.extend(tokenizer.encode(&message.text)?);
        if continued {
            return Ok(ids);
        }
        ids.push(end);
        ids.extend_from_slice(&newline);
    }
    ids.push(start);
    ids.extend(tokenizer.encode("assistant\n")?);
    Ok(ids)
}
