//! The program `porchlight`.

use std::process::ExitCode;

use clap::Parser;
use server::cli::Cli;

fn main() -> ExitCode {
    match server::commands::run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write;
            // The whole chain on one line each: what failed, then why.
            let _ = writeln!(std::io::stderr(), "porchlight: {}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn chain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
}
