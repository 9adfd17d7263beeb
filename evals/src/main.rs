//! `porchlight-evals`: measures what visitors get, with the same engine, retrieval and models as the server.

mod ask;
mod baseline;
mod data;
mod demo;
mod house;
mod logistic;
mod sets;

use std::io::Write;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures Porchlight.
#[derive(Debug, Parser)]
#[command(name = "porchlight-evals", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask the demo questions, with and without an answer in the documents.
    Demo(demo::Options),
    /// Measure ranking, confidence and drafts over evaluation sets.
    Answerability(sets::Options),
    /// Put questions to a running server and time what a visitor sees.
    Ask(ask::Options),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Answerability(options) => sets::run(&options),
        Command::Ask(options) => ask::run(&options),
    }
}

/// Writes a line to standard output; a closed pipe ends nothing.
pub(crate) fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
