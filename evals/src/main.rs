//! `porchlight-evals`: measures what visitors get, with the same engine, retrieval and models as the server.

mod answerability;
mod ask;
mod baseline;
mod data;
mod demo;
mod draft;
mod drive;
mod fit;
mod house;
mod logistic;
mod replay;
mod retrieval;
mod run;
mod wire;

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
    /// Measure how well each leg of the search ranks the documents that answer.
    Retrieval(retrieval::Options),
    /// Measure how far the confidence can be trusted.
    Answerability(answerability::Options),
    /// Measure what the drafts are worth.
    Draft(draft::Options),
    /// Put a load on a running server and time what its visitors see.
    Drive(drive::Options),
    /// Answer stored turns again on other documents, another policy or another model.
    Replay(replay::Options),
    /// Fit the confidence on several sets, and on all but one for each.
    Fit(fit::Options),
    /// Put questions to a running server and time what a visitor sees.
    Ask(ask::Options),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Retrieval(options) => retrieval::run(&options),
        Command::Answerability(options) => answerability::run(&options),
        Command::Draft(options) => draft::run(&options),
        Command::Drive(options) => drive::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Fit(options) => fit::run(&options),
        Command::Ask(options) => ask::run(&options),
    }
}

/// Writes a line to standard output; a closed pipe ends nothing.
pub(crate) fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
