//! A place with a server on it and a ledger of what clients do; what happened is judged at the end.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::place::Place;
use super::program::{Launch, Program, porchlight};
use super::{Outcome, Scene};
use crate::ledger::{self, Dump, Event, Keeper, Log};
use crate::transcripts::owner::Owner;

/// Files that a server without clients may have open beyond what it had at first: connections to the database.
const FILES: usize = 12;

/// Where one test happens.
pub(super) struct Stage {
    pub(super) place: Place,
    /// Environment and limits of the next start.
    pub(super) launch: Launch,
    program: Option<Program>,
    ledger: Option<(Log, Keeper)>,
    /// The longest time from a start to ready, the first one aside.
    pub(super) slowest_restart: Duration,
    files: usize,
    starts: u32,
    /// Most memory that was seen, in KiB.
    pub(super) memory: u64,
}

impl Stage {
    pub(super) fn new(scene: &Scene) -> Result<Self> {
        let place = Place::new(&scene.name(), scene.keep)?;
        let ledger = Some(Log::start(&place.ledger())?);
        let (slowest_restart, launch) = (Duration::ZERO, Launch::default());
        Ok(Self {
            place,
            launch,
            program: None,
            ledger,
            slowest_restart,
            files: 0,
            starts: 0,
            memory: 0,
        })
    }

    /// A stage whose server is ready.
    pub(super) async fn open(scene: &Scene) -> Result<Self> {
        let mut stage = Self::new(scene)?;
        stage.start().await?;
        Ok(stage)
    }

    /// Starts the server and waits until it is ready.
    pub(super) async fn start(&mut self) -> Result<()> {
        self.begin()?;
        let took = self.program()?.ready().await?;
        // The first start builds the index; the promise is about those that find one.
        if self.starts > 1 {
            self.slowest_restart = self.slowest_restart.max(took);
        }
        self.files = self.program()?.files();
        Ok(())
    }

    /// Starts the server.
    pub(super) fn begin(&mut self) -> Result<()> {
        // The old one's port has to be free.
        self.program = None;
        self.program = Some(Program::start(&self.place, &self.launch)?);
        self.starts += 1;
        Ok(())
    }

    /// Ends the server as kill -9 and starts another without failpoints or limits.
    pub(super) async fn again(&mut self) -> Result<()> {
        self.program()?.kill()?;
        self.launch = Launch::default();
        self.start().await
    }

    pub(super) fn program(&mut self) -> Result<&mut Program> {
        self.program.as_mut().context("no server was started")
    }

    pub(super) fn log(&self) -> Result<Log> {
        Ok(self.ledger.as_ref().context("the ledger is closed")?.0.clone())
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.place.port())
    }

    /// Signs the owner up with the link that the first start printed.
    pub(super) async fn owner(&mut self) -> Result<Owner> {
        let output = std::fs::read_to_string(self.place.root().join("output.log"))?;
        let secret = output.rsplit_once("#setup=").context("no set-up link was printed")?.1;
        let secret = secret.split_whitespace().next().unwrap_or_default();
        Owner::sign_up(&self.address(), secret).await
    }

    /// Notes that a person took a conversation.
    pub(super) async fn taken(&self, conversation: String, seq: i64) -> Result<()> {
        let event = Event::Takeover { at: 0, conversation, generation: 0, seq };
        self.log()?.sure(event).await
    }

    /// Without clients the server must have no more files open than at first.
    pub(super) async fn rests(&mut self) -> Result<()> {
        let most = self.files + FILES;
        let memory = self.program()?.memory();
        self.memory = self.memory.max(memory);
        for _ in 0..600 {
            if self.program()?.files() <= most {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!(
            "{} files are open without clients, {} were at first",
            self.program()?.files(),
            self.files
        )
    }

    /// Ends the server and holds the ledger against the database. Clients have to be gone.
    pub(super) fn judge(&mut self) -> Result<String> {
        if let Some(program) = &mut self.program {
            self.memory = self.memory.max(program.memory());
            program.kill()?;
        }
        if let Some((log, keeper)) = self.ledger.take() {
            drop(log);
            keeper.finish()?;
        }
        let (dump, events) = (self.dump()?, self.events()?);
        let found = ledger::check(&dump, &events);
        if !found.is_empty() {
            let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
            bail!("the ledger does not add up:\n{}", lines.join("\n"));
        }
        self.ledger = Some(Log::start(&self.place.ledger())?);
        let acked = events.iter().filter(|event| matches!(event, Event::Ack { .. })).count();
        let stored: usize = dump.conversations.values().map(|kept| kept.messages.len()).sum();
        ensure!(acked > 0, "nothing was acknowledged: the round proves nothing");
        Ok(format!("{acked} acks, {stored} messages"))
    }

    /// What a round that passed has to say.
    pub(super) fn outcome(&self, what: String) -> Outcome {
        Outcome { what, ready: self.slowest_restart, memory: self.memory }
    }

    /// The database as the program dumps it.
    pub(super) fn dump(&self) -> Result<Dump> {
        let path = self.place.root().join("dump.jsonl");
        let mut command = Command::new(porchlight()?);
        command.args(["dump", "--config"]).arg(self.place.settings());
        command.arg("--data-dir").arg(self.place.data()).stdout(std::fs::File::create(&path)?);
        let output = command.stderr(std::process::Stdio::piped()).output()?;
        ensure!(output.status.success(), "no dump: {}", String::from_utf8_lossy(&output.stderr));
        Dump::read(&path)
    }

    /// What the bot has sent from documents that does not answer [`super::crowd::QUESTION`].
    pub(super) fn wrong_answers(&self) -> Result<Vec<String>> {
        let dump = self.dump()?;
        let sent = dump.conversations.into_values().flat_map(|kept| kept.messages);
        let drafted = sent.filter(|message| message.draft_id.is_some());
        Ok(drafted.map(|message| message.text).filter(|text| !text.contains("7878")).collect())
    }

    fn events(&self) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        for entry in std::fs::read_dir(self.place.ledger())? {
            events.extend(ledger::read(&entry?.path())?);
        }
        Ok(events)
    }
}
