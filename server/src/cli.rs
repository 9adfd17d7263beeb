//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Answers your website's visitors from your own documents, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "porchlight", version, about, arg_required_else_help = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options that all commands share.
    #[command(flatten)]
    pub options: Options,
}

/// Options that all commands share; each is a setting as well.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// Settings file instead of porchlight.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address and port to serve on.
    #[arg(long, global = true, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Folder of the database and the index.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Folder of the documents.
    #[arg(long, global = true, value_name = "DIR")]
    pub knowledge: Option<String>,
    /// Folder that has the model files already, for machines without a network.
    #[arg(long, global = true, value_name = "DIR")]
    pub models_dir: Option<PathBuf>,
}

/// What to do; `serve` when nothing is said.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve the widget and the console (the default).
    Serve,
    /// Fetch, list or verify models.
    #[command(subcommand)]
    Models(Models),
    /// Read the documents and build the index, then end.
    Index,
    /// List, roll back or check what was made of the documents.
    #[command(subcommand)]
    Knowledge(Knowledge),
    /// Show the settings in force and where each came from.
    PrintConfig,
    /// Print all turns and decisions as JSON lines, with what visitors wrote, for replaying them elsewhere.
    Export,
    /// Print all that is stored of the conversations as JSON lines, for `porchlight-evals ledger`; the server must not run.
    Dump,
    /// End the owner's password and sessions, and print a fresh set-up link.
    ResetOwner,
    /// Read made-up events from standard input into a fresh data folder and time their scorecard; for `porchlight-evals scorecard`.
    #[command(hide = true)]
    MeasureScorecard {
        /// First moment of the period, in milliseconds since 1970.
        #[arg(long)]
        from: i64,
        /// The moment after its last.
        #[arg(long)]
        to: i64,
    },
    /// Read one document from standard input and print it as Markdown; the server starts this for each foreign file.
    #[command(hide = true)]
    ReadDocument {
        /// What it is: html, csv, jsonl, docx or pdf.
        #[arg(long)]
        kind: String,
    },
}

/// What to do with the knowledge.
#[derive(Debug, Clone, Subcommand)]
pub enum Knowledge {
    /// List the published states that are kept, the newest first.
    Versions,
    /// Let an earlier state answer until it is released; the files stay as they are.
    Rollback {
        /// The version, or the first digits of it.
        id: String,
    },
    /// End a rollback: publish what the folder says.
    Release,
    /// Name broken links, contradictions, doubles, old documents and those that no answer cites.
    Check {
        /// Print all findings as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// What to do with models.
#[derive(Debug, Clone, Subcommand)]
pub enum Models {
    /// Fetch a model, or the two that the settings name.
    Pull {
        /// Its id.
        id: Option<String>,
    },
    /// List the known models and which are on disk.
    List,
    /// Read models on disk whole and compare their hashes.
    Verify {
        /// Its id; else every model on disk.
        id: Option<String>,
    },
}

impl Options {
    /// The options as settings.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let named = [
            ("server.listen", &self.listen),
            ("server.data_dir", &self.data_dir),
            ("knowledge.dir", &self.knowledge),
        ];
        named.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from([
            "porchlight",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            "d",
        ])
        .unwrap();
        assert_eq!(
            cli.options.settings(),
            [("server.listen", "127.0.0.1:0".into()), ("server.data_dir", "d".into())]
        );
        assert!(Cli::try_parse_from(["porchlight", "sevre"]).is_err());
    }
}
