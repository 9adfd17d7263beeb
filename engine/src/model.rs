//! The seam to the models: text goes in, vectors, scores and tokens come out.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

/// An encoder and a drafter. Synchronous; called from the thread that makes the reply.
pub trait Model: Send + Sync {
    /// Whether the encoder knows this word, in lower case, as a whole: then it is no slip of the pen.
    fn knows_word(&self, _word: &str) -> bool {
        true
    }

    /// Which models these are.
    fn card(&self) -> &ModelCard;

    /// One unit-length vector per text, of [`ModelCard::dimension`] numbers, in the order given.
    ///
    /// # Errors
    /// [`ModelError`] when the model is busy, gone or failed.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError>;

    /// How many tokens the drafter sees in `text`.
    ///
    /// # Errors
    /// [`ModelError`] when the text cannot be tokenized.
    fn count_tokens(&self, text: &str) -> Result<usize, ModelError>;

    /// Natural-log probability per token (mean, at most 0) of each continuation if it followed `prompt`.
    ///
    /// # Errors
    /// [`ModelError`] when the model is busy, gone or failed, or the prompt does not fit.
    fn score(&self, prompt: &Prompt, continuations: &[&str]) -> Result<Vec<f32>, ModelError>;

    /// Decodes a continuation of `prompt`, calling `on_token` for each piece of text; `Break` stops at once.
    ///
    /// # Errors
    /// [`ModelError`] when the model is busy, gone or failed, or the prompt does not fit.
    fn generate(
        &self,
        prompt: &Prompt,
        sampling: &Sampling,
        on_token: &mut dyn FnMut(&Token) -> ControlFlow<()>,
    ) -> Result<Stop, ModelError>;
}

/// Which models answer, for records and for choosing how to draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Encoder's id in the manifest: `minilm-l6`.
    pub encoder: String,
    /// Length of the encoder's vectors.
    pub dimension: usize,
    /// Drafter's id in the manifest, or the file's name.
    pub drafter: String,
    /// Hex SHA-256 of the drafter's weights.
    pub drafter_sha256: String,
    /// Tokens of prompt and reply together that the drafter is run with.
    pub context_tokens: usize,
    /// How this drafter may draft unless the owner says otherwise.
    pub draft: crate::draft::Mode,
}

/// A chat, oldest first. A last [`Role::Assistant`] message is continued, not closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The messages.
    pub messages: Vec<PromptMessage>,
}

/// One message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptMessage {
    /// Whose words.
    pub role: Role,
    /// Plain text; markers of the chat template in it have no effect.
    pub text: String,
}

/// Role of a prompt message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Instructions.
    System,
    /// The visitor.
    User,
    /// The drafter itself.
    Assistant,
}

/// How tokens are picked.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    /// At most this many tokens.
    pub max_tokens: usize,
    /// 0 is greedy.
    pub temperature: f32,
    /// Seeds the pick when `temperature` is above 0.
    pub seed: u64,
}

/// One decoded piece of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Text this token completed; empty while a character is still in pieces.
    pub text: String,
    /// Natural-log probability that the drafter gave it, at most 0.
    pub logprob: f32,
}

/// Why decoding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The drafter closed its message.
    End,
    /// `max_tokens` or the context was used up.
    Length,
    /// The caller said stop.
    Cancelled,
}

/// Why a model call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The queue in front of the model is full.
    #[error("the model is busy: {waiting} requests wait; try again shortly")]
    Busy {
        /// Requests in the queue.
        waiting: usize,
    },
    /// The prompt does not fit.
    #[error("the prompt has {tokens} tokens, the drafter takes {limit}")]
    TooLong {
        /// Tokens of the prompt.
        tokens: usize,
        /// Tokens that fit.
        limit: usize,
    },
    /// The thread that owns the model has ended.
    #[error("the model has stopped; restart Porchlight")]
    Gone,
    /// The model's arithmetic failed.
    #[error("the model failed: {0}")]
    Failed(String),
}
