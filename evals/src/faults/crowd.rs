//! A handful of visitors who write at random, some in two tabs; they stop, resume, and leave nothing unsettled.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::stage::Stage;
use super::visitor::{Browser, Line, Met, Order, Tab};
use crate::ledger::Log;
use crate::run::Dice;

/// One in so many messages is a question that the documents answer.
pub(super) const QUESTIONS: u64 = 3;
const QUESTION: &str = "Which port does Porchlight listen on?";

/// Visitors on a stage.
pub(super) struct Crowd {
    tabs: Vec<Tab>,
    address: String,
    via: String,
    log: Log,
    dice: Dice,
    spoken: u64,
    /// Whether the first visitor has opened a second tab.
    doubled: bool,
}

impl Crowd {
    /// So many visitors; the first one opens a second tab once it has a conversation.
    pub(super) fn gather(stage: &Stage, visitors: usize, seed: u64) -> Result<Self> {
        Self::at(stage, stage.address(), visitors, seed)
    }

    /// So many visitors who come over `via`.
    pub(super) fn at(stage: &Stage, via: String, visitors: usize, seed: u64) -> Result<Self> {
        let (log, dice, address) = (stage.log()?, Dice::new(seed), stage.address());
        let mut crowd =
            Self { tabs: Vec::new(), address, via, log, dice, spoken: 0, doubled: false };
        for _ in 0..visitors {
            crowd.open(Arc::new(Mutex::new(Browser::default())));
        }
        Ok(crowd)
    }

    fn open(&mut self, browser: Arc<Mutex<Browser>>) {
        let (name, seed) = (format!("{:016x}", self.dice.roll()), self.dice.roll());
        self.tabs.push(Tab::open(
            (&name, &self.address, &self.via),
            browser,
            self.log.clone(),
            seed,
        ));
    }

    pub(super) fn tabs(&self) -> &[Tab] {
        &self.tabs
    }

    /// What all of them have met, added up.
    pub(super) fn met(&self) -> Met {
        self.tabs.iter().map(Tab::met).fold(Met::default(), |sum, met| Met {
            welcomes: sum.welcomes + met.welcomes,
            acks: sum.acks + met.acks,
            refusals: sum.refusals + met.refusals,
            replies: sum.replies + met.replies,
            contradictions: sum.contradictions + met.contradictions,
            slowest_ms: sum.slowest_ms.max(met.slowest_ms),
        })
    }

    /// The next message of nobody in particular.
    pub(super) fn line(&mut self, times: u32) -> Line {
        self.spoken += 1;
        let id = format!("{:016x}{:016x}", self.dice.roll(), self.dice.roll());
        let text = match self.dice.roll() % QUESTIONS {
            0 => QUESTION.to_owned(),
            _ => format!("Please note the number {}", self.spoken),
        };
        Line { id, text, times }
    }

    /// Somebody writes.
    pub(super) fn say(&mut self) {
        if !self.doubled && self.tabs[0].conversation().is_some() {
            self.doubled = true;
            self.open(self.tabs[0].browser());
        }
        let at = usize::try_from(self.dice.roll()).unwrap_or(0) % self.tabs.len();
        let line = self.line(1);
        self.tabs[at].order(Order::Say(line));
    }

    /// The first visitor asks what the documents answer.
    pub(super) fn ask(&mut self) {
        let line = Line { text: QUESTION.into(), ..self.line(1) };
        self.tabs[0].order(Order::Say(line));
    }

    /// A time at random below `longest`.
    pub(super) fn moment(&mut self, longest: Duration) -> Duration {
        Duration::from_millis(self.dice.roll() % (longest.as_millis() as u64).max(1))
    }

    /// They write, with `pause` between messages on average, for `time` or until the server has ended; whether it has.
    pub(super) async fn chatter(
        &mut self,
        stage: &mut Stage,
        (pause, time): (Duration, Duration),
    ) -> Result<bool> {
        let began = Instant::now();
        while began.elapsed() < time {
            if stage.program()?.ended()?.is_some() {
                return Ok(true);
            }
            self.say();
            let pause = self.moment(pause * 2);
            sleep(pause).await;
        }
        Ok(stage.program()?.ended()?.is_some())
    }

    /// Every connection ends without a word.
    pub(super) fn cut(&self) {
        self.tabs.iter().for_each(|tab| tab.order(Order::Cut));
    }

    /// Waits until everything is acknowledged and everybody has all up to the head.
    pub(super) async fn settle(&self, patience: Duration) -> Result<()> {
        let mut waits = Vec::new();
        for tab in &self.tabs {
            let (done, settled) = oneshot::channel();
            tab.order(Order::Settle(done));
            waits.push(settled);
        }
        let all = async {
            for settled in waits {
                settled.await.context("a client has ended: its log could not be written")?;
            }
            anyhow::Ok(())
        };
        match timeout(patience, all).await {
            Ok(done) => done?,
            Err(_) => bail!("not all clients were up to date after {} s", patience.as_secs()),
        }
        let met = self.met();
        ensure!(met.contradictions == 0, "{} acks contradict earlier ones", met.contradictions);
        Ok(())
    }
}
