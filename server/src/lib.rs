//! Porchlight's live root: visitors and owners on one side, models and documents on the other, a database in between.

#[macro_use]
pub mod failpoint;

pub mod accept;
pub mod actions;
pub mod app;
pub mod assets;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod console;
pub mod conversation;
pub mod demo;
pub mod dump;
pub mod error;
pub mod export;
pub mod hand_off;
pub mod hub;
pub mod jobs;
pub mod kb;
pub mod knowledge;
pub mod limits;
pub mod notify;
pub mod origin;
pub mod outbound;
pub mod outbox;
pub mod prompts;
pub mod protocol;
pub mod publish;
pub mod queue;
mod quiet;
pub mod reader;
pub mod replies;
pub mod routes;
mod secret;
pub mod shutdown;
pub mod socket;
pub mod startup;
pub mod store;
pub mod tags;
pub mod tasks;
pub mod telemetry;
pub mod tickets;
pub mod tuning;
