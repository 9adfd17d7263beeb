//! `ledger`: what clients attempted, were told and showed, held against what the database has. Every test of faults ends in it.

mod check;
mod dump;
mod log;
mod stored;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

pub(crate) use check::check;
pub(crate) use dump::Dump;
pub(crate) use log::{Keeper, Log};

/// Options of `ledger`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What `porchlight dump` printed after the run.
    #[arg(long, value_name = "FILE")]
    dump: PathBuf,
    /// Logs of the programs that drove the server, in the order of their runs.
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
}

/// Something that happened at a client. `at` is in milliseconds since 1970, `id` a `client_msg_id`.
///
/// A client is one window on one conversation: two tabs of a visitor are two clients, and so are two conversations that one
/// owner looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Event {
    /// A message is about to be sent, for the first time or again. On the disk before it is on the wire.
    Attempt { at: i64, client: String, conversation: Option<String>, id: String, text: String },
    /// The server says that it is stored.
    Ack { at: i64, client: String, id: String, conversation: String, seq: i64 },
    /// It is added to what the client displays.
    Show {
        at: i64,
        client: String,
        conversation: String,
        seq: i64,
        from: String,
        id: Option<String>,
        text: String,
        #[serde(default)]
        draft_id: Option<String>,
    },
    /// The client has cleared what it displays: `welcome` said that the history is another one.
    Reset { at: i64, client: String },
    /// The client has all up to `head`.
    Resumed { at: i64, client: String, conversation: String, head: i64 },
    /// A person took the conversation; `seq` is the message that said so.
    Takeover { at: i64, conversation: String, generation: i64, seq: i64 },
    /// The person gave it back to the bot; `seq` is the message that said so.
    HandBack { at: i64, conversation: String, generation: i64, seq: i64 },
}

/// Something that must not be. Its letter is that of the promise:
///
/// (a) every acknowledged message is stored once, at its seq, with its text; (b) any other 0 or 1 times; (c) the seqs of a
/// conversation are 1 to head; (d) what a client displays is what is stored, in order, at least up to where it resumed;
/// (e) at most one bot message answers a visitor's message, and none comes after a person took over; (f) every reply job is
/// done, queued or leased, and none is queued for a message with newer ones of the visitor; (g) nothing of one conversation
/// reaches a client of another; (h) the database file is sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) letter: char,
    pub(crate) what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}) {}", self.letter, self.what)
    }
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let dump = Dump::read(&options.dump)?;
    let mut events = Vec::new();
    for path in &options.logs {
        events.extend(log::read(path)?);
    }
    let violations = check(&dump, &events);
    for violation in &violations {
        crate::print_line(&violation.to_string());
    }
    if !violations.is_empty() {
        bail!("the ledger does not add up: {} violations, listed above", violations.len());
    }
    crate::print_line(&format!(
        "the ledger adds up: {} events of {} logs, {} conversations, {} messages, {} jobs; SQLite {}",
        events.len(),
        options.logs.len(),
        dump.conversations.len(),
        dump.conversations.values().map(|kept| kept.messages.len()).sum::<usize>(),
        dump.conversations.values().map(|kept| kept.jobs.len()).sum::<usize>(),
        dump.sqlite,
    ));
    Ok(())
}
