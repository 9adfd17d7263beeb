//! The server as its clients see it: a real listener, a real database file, sockets and requests; scripted models in
//! the corners, the real ones for the way through.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod chat;
mod conformance;
mod console;
mod copilot;
mod delivery;
mod due;
mod failures;
mod frames;
mod house;
mod library;
mod living;
mod pages;
mod program;
mod reader;
mod rules;
mod saved_replies;
mod simulation;
mod site;
mod soak;
mod tags;
mod turns;
