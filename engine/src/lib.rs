//! The rules of the house: everything a person could argue about, as plain data in and plain data out.
//!
//! No IO, clock, thread, randomness, model, index or database is named here; what the engine needs from
//! outside comes through two traits, [`search::Search`] and [`model::Model`].

pub mod actions;
pub mod breaker;
pub mod clarify;
mod compose;
pub mod confidence;
pub mod conversation;
pub mod draft;
pub mod entities;
pub mod fence;
pub mod finding;
pub mod flows;
pub mod frustration;
pub mod gaps;
pub mod grounding;
pub mod hours;
pub mod intent;
pub mod language;
pub mod mask;
pub mod metrics;
pub mod model;
mod parts;
pub mod phrase;
pub mod policy;
pub mod progress;
pub mod prompt;
mod quote;
pub mod reply;
pub mod rules;
pub mod scope;
mod screening;
pub mod search;
pub mod settle;
mod sink;
pub mod spelling;
pub mod summary;
pub mod surveys;
pub mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
pub mod tickets;
pub mod turn;
pub mod wording;
