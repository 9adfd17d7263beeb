//! Events of a chat, through their cases, to the figures of the scorecard.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod chance;
mod edges;
mod golden;
mod parts;
mod properties;
mod stream;
mod whole;
