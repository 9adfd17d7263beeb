//! `porchlight-evals`: measures what visitors get, with the same engine, retrieval and models as the server.

mod answerability;
mod ask;
mod baseline;
mod calibration;
mod data;
mod demo;
mod devices;
mod draft;
mod drive;
mod edit;
mod faults;
mod fit;
mod frustration;
mod gate;
mod house;
mod intent;
mod intent_sets;
mod judged;
mod language;
mod ledger;
mod logistic;
mod person;
mod replay;
mod report;
mod resident;
mod retrieval;
mod run;
mod scale;
mod scorecard;
mod speed;
mod suite;
mod threads;
mod transcripts;
mod typos;
mod wire;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures Porchlight.
#[derive(Debug, Parser)]
#[command(name = "porchlight-evals", version)]
struct Cli {
    /// Threads for the models' arithmetic; as many as there are cores unless set.
    #[arg(long, global = true, value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask the demo questions, with and without an answer in the documents.
    Demo(demo::Options),
    /// Measure how well each leg of the search ranks the documents that answer.
    Retrieval(retrieval::Options),
    /// Measure how fast the search is over many passages, and what they cost.
    Scale(scale::Options),
    /// Measure how well messages are read.
    Intent(intent::Options),
    /// Measure whether those who ask for a person are heard, and only they.
    Person(person::Options),
    /// Measure whether the language of a text is told.
    Language(language::Options),
    /// Measure how well annoyance is heard, or fit the head that hears it.
    Frustration(frustration::Options),
    /// Measure how far the confidence can be trusted.
    Answerability(answerability::Options),
    /// Measure what an owner's verdicts and chosen share of wrong answers make of the confidence.
    Calibration(calibration::Options),
    /// Measure what the drafts are worth.
    Draft(draft::Options),
    /// Put a load on a running server and time what its visitors see.
    Drive(drive::Options),
    /// Hold what clients were told and showed against the database.
    Ledger(ledger::Options),
    /// Time the gate before an edit: a candidate index and all golden questions, before and after.
    Edit(edit::Options),
    /// Break the running server in every way there is; each round ends in the ledger.
    Faults(faults::Options),
    /// Answer stored turns again on other documents, another policy or another model.
    Replay(replay::Options),
    /// Show results beside their stored baseline on one HTML page.
    Report(report::Options),
    /// Run every measurement on every folder of data that has the shape for it.
    Suite(suite::Options),
    /// Ask the same questions on processor and GPU; compare decisions, sources and times.
    Devices(devices::Options),
    /// Compare results with what they must reach; fails when one does not.
    Gate(gate::Options),
    /// Measure what the drafter reads and writes in a second, beside llama.cpp if asked to.
    Speed(speed::Options),
    /// Play scripted conversations over the real wire.
    Transcripts(transcripts::Options),
    /// Fit the confidence on several sets, and on all but one for each.
    Fit(fit::Options),
    /// Put questions to a running server and time what a visitor sees.
    Ask(ask::Options),
    /// Make conversations up and time the scorecard of them.
    Scorecard(scorecard::Options),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match threads::start(cli.threads) {
        Ok(Some(code)) => return code,
        Ok(None) => run(cli.command),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            let _ = writeln!(std::io::stderr(), "porchlight-evals: {}", causes.join("\n  "));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Demo(options) => demo::run(&options),
        Command::Retrieval(options) => retrieval::run(&options),
        Command::Scale(options) => scale::run(&options),
        Command::Intent(options) => intent::run(&options),
        Command::Person(options) => person::run(&options),
        Command::Language(options) => language::run(&options),
        Command::Frustration(options) => frustration::run(&options),
        Command::Answerability(options) => answerability::run(&options),
        Command::Calibration(options) => calibration::run(&options),
        Command::Draft(options) => draft::run(&options),
        Command::Drive(options) => drive::run(&options),
        Command::Ledger(options) => ledger::run(&options),
        Command::Edit(options) => edit::run(&options),
        Command::Faults(options) => faults::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Suite(options) => suite::run(&options),
        Command::Devices(options) => devices::run(&options),
        Command::Gate(options) => gate::run(&options),
        Command::Speed(options) => speed::run(&options),
        Command::Transcripts(options) => transcripts::run(&options),
        Command::Fit(options) => fit::run(&options),
        Command::Ask(options) => ask::run(&options),
        Command::Scorecard(options) => scorecard::run(&options),
    }
}

/// Writes a line to standard output; a closed pipe ends nothing.
pub(crate) fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        let parse = |line: &str| Cli::try_parse_from(line.split_whitespace()).is_ok();
        assert!(parse("porchlight-evals drive --visitors 3"));
        assert!(parse("porchlight-evals drive jitter --clients 3 --second"));
        assert!(!parse("porchlight-evals drive --visitors 3 jitter"));
    }
}
