//! The database as `porchlight dump` prints it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// One line of the dump.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Database {
        sqlite: String,
        integrity: Vec<String>,
    },
    Conversation {
        id: String,
        head: i64,
        marks: BTreeMap<String, i64>,
    },
    Message {
        conversation: String,
        #[serde(flatten)]
        message: Stored,
    },
    Job {
        conversation: String,
        #[serde(flatten)]
        job: Job,
    },
    End {
        conversations: usize,
        messages: usize,
        jobs: usize,
    },
}

/// A stored message.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Stored {
    pub(crate) seq: i64,
    pub(crate) from: String,
    /// The sender's `client_msg_id`.
    pub(crate) id: Option<String>,
    pub(crate) text: String,
    pub(crate) reply_to: Option<i64>,
    pub(crate) draft_id: Option<String>,
}

/// A reply job.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Job {
    pub(crate) for_seq: i64,
    pub(crate) status: String,
}

/// A conversation with all that belongs to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) head: i64,
    /// How far each side has got, by name.
    pub(crate) marks: BTreeMap<String, i64>,
    /// By seq.
    pub(crate) messages: Vec<Stored>,
    pub(crate) jobs: Vec<Job>,
}

/// All that is stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dump {
    /// Version of SQLite.
    pub(crate) sqlite: String,
    /// What its integrity check says.
    pub(crate) integrity: Vec<String>,
    pub(crate) conversations: BTreeMap<String, Kept>,
}

impl Dump {
    /// Reads a file.
    ///
    /// # Errors
    /// Naming file and line; a dump that was cut off is refused.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path);
        let file = file.with_context(|| format!("{} cannot be read", path.display()))?;
        Self::parse(BufReader::new(file)).with_context(|| {
            format!("{}: this is no whole output of `porchlight dump`", path.display())
        })
    }

    /// Reads the lines of a dump.
    ///
    /// # Errors
    /// Naming the line.
    pub(crate) fn parse(lines: impl BufRead) -> Result<Self> {
        let mut dump = Self::default();
        let mut ended = false;
        for (number, text) in lines.lines().enumerate() {
            let at = || format!("line {}", number + 1);
            let line = serde_json::from_str(&text?).with_context(at)?;
            ended = matches!(line, Line::End { .. });
            dump.take(line).with_context(at)?;
        }
        ensure!(ended, "its last line is missing");
        Ok(dump)
    }

    fn take(&mut self, line: Line) -> Result<()> {
        match line {
            Line::Database { sqlite, integrity } => {
                (self.sqlite, self.integrity) = (sqlite, integrity);
            }
            Line::Conversation { id, head, marks } => {
                self.conversations.insert(id, Kept { head, marks, ..Kept::default() });
            }
            Line::Message { conversation, message } => {
                self.kept(&conversation)?.messages.push(message);
            }
            Line::Job { conversation, job } => self.kept(&conversation)?.jobs.push(job),
            Line::End { conversations, messages, jobs } => {
                let all = || self.conversations.values();
                let whole = conversations == self.conversations.len()
                    && messages == all().map(|kept| kept.messages.len()).sum::<usize>()
                    && jobs == all().map(|kept| kept.jobs.len()).sum::<usize>();
                ensure!(whole, "lines before it are missing");
            }
        }
        Ok(())
    }

    fn kept(&mut self, conversation: &str) -> Result<&mut Kept> {
        let kept = self.conversations.get_mut(conversation);
        kept.with_context(|| format!("its conversation {conversation} does not stand before it"))
    }
}
