//! Flows as a visitor goes through them: the shipped ones and small ones of their own, over a scripted search.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod capture;
mod checklist;
mod file;
mod steps;
mod talk;
mod wordings;
