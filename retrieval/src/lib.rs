//! Reads the owner's documents, indexes them, and finds the passages that answer a question.
//!
//! Text becomes [`corpus::Corpus`], then passages ([`chunk`]), then two indexes ([`lexical`], [`vectors`]) in one
//! directory ([`index`]); a search ([`ranking`]) fuses both ([`fusion`]) and looks again at what they found
//! ([`second_look`], [`company`]). Vectors come from outside, through a closure.

pub mod chunk;
pub mod company;
pub mod corpus;
pub mod disk;
pub mod embedding;
pub mod fusion;
pub mod golden;
pub mod health;
pub mod index;
mod languages;
pub mod lexical;
pub mod manifest;
pub mod ranking;
pub mod readers;
pub mod reading;
pub mod second_look;
pub mod sentences;
pub mod trials;
pub mod vectors;
pub mod versions;

pub use corpus::{Corpus, Document};
pub use index::{Index, IndexError};
pub use versions::Versions;
