//! Finds, verifies and runs the local models: an encoder for meaning, a drafter for words.
//!
//! Threads own the models ([`scheduler`]); everybody else holds a [`Handle`], which is the engine's
//! [`engine::model::Model`].

pub mod chat;
pub mod decoder;
pub mod device;
pub mod encoder;
pub mod gguf;
pub mod manifest;
mod processor;
pub mod sampler;
pub mod scheduler;
pub mod speculate;
pub mod store;
pub mod tokenizer;

pub use scheduler::{Handle, LoadError, LoadOptions, load};
