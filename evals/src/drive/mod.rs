//! `drive`: many visitors at once over the real wire. Each shape of load is one file.

mod accepts;
mod ask;
mod avalanche;
mod backoff;
mod bench;
mod busy;
pub(crate) mod client;
mod connect;
mod crowd;
mod diary;
mod disk;
mod idle;
mod jitter;
mod lag;
mod rooms;
pub(crate) mod server;
pub(crate) mod session;
mod stamp;
mod tally;

use anyhow::Result;
use clap::Subcommand;

/// Options of `drive`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    shape: Option<Shape>,
    #[command(flatten)]
    ask: ask::Options,
}

/// What the visitors do; without one of these they ask questions, and each reply is timed.
#[derive(Debug, Subcommand)]
enum Shape {
    /// Every client loses its connection again and again; does everything reach it, once and in order?
    Jitter(jitter::Options),
    /// Many quiet sockets: memory, and whether any is lost.
    Idle(idle::Options),
    /// Rooms of two windows with a steady rate of stored messages: how fast is one shown in the other window?
    Rooms(rooms::Options),
    /// As many stored messages as the server acknowledges, beside what the disk can sync.
    Accepts(accepts::Options),
    /// The server is killed and started again: when are all clients back?
    Avalanche(avalanche::Options),
    /// People write to each other while the bot is kept busy.
    Busy(busy::Options),
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.shape {
        None => ask::run(&options.ask),
        Some(Shape::Jitter(options)) => jitter::run(options),
        Some(Shape::Idle(options)) => idle::run(options),
        Some(Shape::Rooms(options)) => rooms::run(options),
        Some(Shape::Accepts(options)) => accepts::run(options),
        Some(Shape::Avalanche(options)) => avalanche::run(options),
        Some(Shape::Busy(options)) => busy::run(options),
    }
}
