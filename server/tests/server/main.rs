//! The server as its clients see it: a real listener, a real database file, sockets and requests; scripted models in
//! the corners, the real ones for the way through.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod actions;
mod calls;
mod chat;
mod client;
mod conformance;
mod console;
mod copilot;
mod delivery;
mod due;
mod events;
mod failures;
mod flows;
mod frames;
mod gaps;
mod hook;
mod house;
mod injections;
mod letters;
mod library;
mod living;
mod mailroom;
mod night;
mod notices;
mod pages;
mod program;
mod reader;
mod replied;
mod rules;
mod saved_replies;
mod scorecard;
mod secrets;
mod simulation;
mod site;
mod soak;
mod surveys;
mod tags;
mod turns;
mod uploads;
