//! The server's core, its clients and its people, moved one deed at a time.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use engine::draft::Mode;
use engine::model::Model;
use engine::scope::Scope;
use engine::testing::ScriptedModel;
use server::app::App;
use server::clock::{Clock, Ids, fingerprint};
use server::conversation::{self, Refusal, Visitor, Written};
use server::replies::{self, Drafted, Held};
use server::startup::{self, Outside};
use server::store::messages::Message;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::Dice;
use super::browser::{Down, Tab, Up};
use super::home::{Home, Tally};
use super::ledger::{Ledger, Shown, dense, measured};
use crate::house::QUESTION;

/// Longer than any lease.
const LEASE_MS: i64 = 120_000;
const ALL: i64 = 10_000;
/// Jobs that workers hold at once; one of them may be away for long.
const WORKERS: usize = 2;

/// A job on a worker's table.
struct Work {
    held: Held,
    drafted: Option<Drafted>,
}

pub(crate) struct World<'a> {
    home: &'a Home,
    runtime: &'a Runtime,
    dice: Dice,
    app: Option<Arc<App>>,
    now: Arc<AtomicI64>,
    /// Where the ids come from: no crash brings one again.
    rolls: Arc<AtomicU64>,
    tabs: Vec<Tab>,
    secrets: Vec<String>,
    work: Vec<Work>,
    /// Up to which seq each conversation was brought to its live pages.
    fanned: HashMap<String, i64>,
    /// Whether something may have been stored since.
    changed: bool,
    /// The owner's last message, which may be sent again.
    written: Option<(String, Written)>,
    ledger: Ledger,
    tally: Tally,
}

impl<'a> World<'a> {
    pub(crate) fn new(home: &'a Home, runtime: &'a Runtime, seed: u64) -> Self {
        home.clear();
        let mut dice = Dice(seed);
        let mut world = Self {
            home,
            runtime,
            app: None,
            now: Arc::new(AtomicI64::new(1_700_000_000_000)),
            rolls: Arc::new(AtomicU64::new(dice.next())),
            // Two tabs of one browser, one of another.
            tabs: vec![Tab::new(0), Tab::new(0), Tab::new(1)],
            secrets: (0..2).map(|n| format!("{:064x}", dice.next().wrapping_add(n))).collect(),
            dice,
            work: Vec::new(),
            fanned: HashMap::new(),
            changed: false,
            written: None,
            ledger: Ledger::default(),
            tally: Tally::default(),
        };
        world.open();
        world
    }

    /// Starts on what is stored, as a start of the program does.
    fn open(&mut self) {
        let now = Arc::clone(&self.now);
        let rolls = Mutex::new(Arc::clone(&self.rolls));
        let ids = Ids::new(move |bytes| {
            let rolls = rolls.lock().unwrap();
            let mut dice = Dice(rolls.load(Ordering::SeqCst));
            bytes.iter_mut().for_each(|byte| *byte = dice.next().to_le_bytes()[0]);
            rolls.store(dice.next(), Ordering::SeqCst);
        });
        let clock = Clock::new(move || now.load(Ordering::SeqCst));
        let model: (Arc<dyn Model>, _) = (Arc::new(ScriptedModel::default()), Mode::Quote);
        let doors = (SocketAddr::from(([127, 0, 0, 1], 7878)), CancellationToken::new());
        let app = self.runtime.block_on(async {
            let (app, _) = startup::assemble(
                &self.home.settings,
                doors,
                model,
                Outside { clock, ids, trust: vec![] },
            )
            .await
            .unwrap();
            replies::recover(&app, i64::MAX).await.unwrap();
            app
        });
        self.app = Some(app);
    }

    fn app(&self) -> Arc<App> {
        Arc::clone(self.app.as_ref().unwrap())
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    fn forward(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// Something happens.
    pub(crate) fn deed(&mut self) {
        let tab = self.dice.below(self.tabs.len());
        match self.dice.below(30) {
            0..3 => self.say(tab),
            3..8 => self.hear(tab),
            8..13 => self.bring(tab),
            13 => self.doubled(tab),
            14 => match self.tabs[tab].connected {
                true => self.cut(tab),
                false => self.tabs[tab].connect(),
            },
            15 => self.tabs[tab].connect(),
            16 => self.owner(),
            17..25 => self.worker(),
            25..28 => {
                let ms = [50, 900, 900, 4_000, LEASE_MS][self.dice.below(5)];
                self.forward(ms);
                self.sweep();
            }
            28 => {
                let ms = [50, 3_600_000][self.dice.below(2)];
                self.forward(-ms);
            }
            _ => match self.dice.below(6) {
                0 => self.crash(),
                1 if self.tabs[tab].connected => self.tabs[tab].up.push_back(Up::AskPerson),
                _ => {}
            },
        }
        self.fan_out();
    }

    fn say(&mut self, tab: usize) {
        let id = format!("{:016x}{:016x}", self.dice.next(), self.dice.next());
        let text = match self.dice.below(2) {
            0 => QUESTION.to_owned(),
            _ => format!("note {}", self.dice.below(1_000)),
        };
        self.ledger.attempts.insert(id.clone(), text.clone());
        self.tabs[tab].say(id, text);
    }

    fn cut(&mut self, tab: usize) {
        self.tally.count("cut");
        self.tabs[tab].cut();
    }

    /// A frame on its way arrives twice.
    fn doubled(&mut self, tab: usize) {
        let tab = &mut self.tabs[tab];
        if let Some(frame) = tab.up.front().cloned() {
            tab.up.push_back(frame);
        }
        if let Some(frame) = tab.down.front().cloned() {
            tab.down.push_back(frame);
        }
    }

    /// The server takes a frame.
    fn hear(&mut self, tab: usize) {
        let Some(frame) = self.tabs[tab].up.pop_front() else { return };
        let secret = self.secrets[self.tabs[tab].browser].clone();
        let visitor = Visitor {
            conversation: self.tabs[tab].conversation.clone(),
            token_hash: fingerprint(&secret),
            epoch: "one".into(),
            scope: Scope::default(),
            visit: None,
        };
        match frame {
            Up::Hello { last_seq } => self.hello(tab, &visitor, last_seq),
            Up::Send { id, text } => self.accept(tab, &visitor, (id, &text)),
            Up::AskPerson => {
                let asked = self.runtime.block_on(conversation::ask_person(&self.app(), &visitor));
                let id = asked.unwrap().conversation.id;
                (self.tabs[tab].live, self.tabs[tab].conversation) = (true, Some(id));
                self.changed = true;
                self.tally.count("person asked for");
            }
        }
    }

    fn hello(&mut self, tab: usize, visitor: &Visitor, last_seq: i64) {
        let app = self.app();
        let (row, messages) = self.runtime.block_on(async {
            let row = app.store.conversation_by_token(&visitor.token_hash).await.unwrap();
            let messages = match &row {
                Some(row) => app.store.messages(&row.id, last_seq, ALL).await.unwrap(),
                None => vec![],
            };
            (row, messages)
        });
        let conversation = row.map(|row| row.id);
        let tab = &mut self.tabs[tab];
        tab.live = conversation.is_some();
        tab.down.push_back(Down::Welcome { conversation });
        tab.down.extend(messages.iter().map(down));
    }

    fn accept(&mut self, tab: usize, visitor: &Visitor, (id, text): (String, &str)) {
        self.changed = true;
        let accepted =
            self.runtime.block_on(conversation::accept(&self.app(), visitor, &id, text)).unwrap();
        self.tally.count(if accepted.changes.is_some() { "accepted" } else { "known already" });
        let (conversation, seq) = (accepted.conversation, accepted.seq);
        self.tabs[tab].live = true;
        self.tabs[tab].down.push_back(Down::Ack { id, conversation, seq });
    }

    /// Live pages get what is new.
    fn fan_out(&mut self) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let app = self.app();
        for (conversation, head) in self.heads() {
            let from = self.fanned.insert(conversation.clone(), head).unwrap_or(0);
            if from == head {
                continue;
            }
            let new = self.runtime.block_on(app.store.messages(&conversation, from, ALL)).unwrap();
            let browser = self.browser_of(&conversation);
            for tab in self.tabs.iter_mut().filter(|tab| tab.live && tab.browser == browser) {
                tab.down.extend(new.iter().map(down));
            }
        }
    }

    fn heads(&self) -> BTreeMap<String, i64> {
        let app = self.app();
        self.runtime.block_on(async {
            let mut heads = BTreeMap::new();
            for id in app.store.conversation_ids("", ALL).await.unwrap() {
                let row = app.store.conversation(&id).await.unwrap().unwrap();
                heads.insert(id, row.head);
            }
            heads
        })
    }

    fn browser_of(&self, conversation: &str) -> usize {
        let row = self.runtime.block_on(self.app().store.conversation(conversation)).unwrap();
        let hash = row.unwrap().token_hash;
        self.secrets.iter().position(|secret| fingerprint(secret) == hash).unwrap()
    }

    /// The network brings a page a frame.
    fn bring(&mut self, tab: usize) {
        let Some(frame) = self.tabs[tab].down.pop_front() else { return };
        if let Some((id, conversation, seq)) = self.tabs[tab].take(frame) {
            self.ledger.ack(id, conversation, seq);
        }
    }

    /// A person does something to a conversation; what is not allowed in its state changes nothing.
    fn owner(&mut self) {
        self.changed = true;
        let ids: Vec<String> = self.heads().into_keys().collect();
        if ids.is_empty() {
            return;
        }
        let (id, app) = (ids[self.dice.below(ids.len())].clone(), self.app());
        match self.dice.below(6) {
            0 => {
                let taken = self.runtime.block_on(conversation::take(&app, "Ada", &id)).unwrap();
                self.ledger.taken(&id, taken.conversation.head);
                self.tally.count("taken");
            }
            1 | 2 => self.write(id),
            3 | 4 => match self.runtime.block_on(conversation::hand_back(&app, &id)) {
                Ok(changes) => {
                    self.ledger.released(&id, changes.conversation.head);
                    self.tally.count("handed back");
                }
                Err(refusal) => assert!(matches!(refusal, Refusal::Illegal(_)), "{refusal}"),
            },
            _ => match self.runtime.block_on(server::closing::close(&app, &id)) {
                Ok(changes) => {
                    self.ledger.released(&id, changes.conversation.head);
                    self.tally.count("closed");
                }
                Err(refusal) => assert!(matches!(refusal, Refusal::Illegal(_)), "{refusal}"),
            },
        }
    }

    /// An owner writes, or sends the last message once more.
    fn write(&mut self, id: String) {
        let again = self.written.clone().filter(|_| self.dice.below(3) == 0);
        let (id, written) = again.unwrap_or_else(|| {
            let client_msg_id = format!("{:016x}{:016x}", self.dice.next(), self.dice.next());
            let text = format!("reply {}", self.dice.below(1_000));
            (
                id,
                Written { client_msg_id, text, suggestion: None, template: None, written_at: None },
            )
        });
        let stored = self.runtime.block_on(conversation::write(&self.app(), "Ada", &id, &written));
        let (seq, changes) = stored.unwrap();
        self.ledger.attempts.insert(written.client_msg_id.clone(), written.text.clone());
        self.ledger.ack(written.client_msg_id.clone(), id.clone(), seq);
        if changes.is_some() {
            self.ledger.taken(&id, seq);
        }
        self.written = Some((id, written));
        self.tally.count("written");
    }

    /// One of the workers goes one step further.
    fn worker(&mut self) {
        self.changed = true;
        let app = self.app();
        if self.work.len() < WORKERS && self.dice.below(2) == 0 {
            let held = self.runtime.block_on(replies::lease(&app)).unwrap();
            if held.is_some() && !self.work.is_empty() {
                self.tally.count("held twice");
            }
            self.work.extend(held.map(|held| Work { held, drafted: None }));
            return;
        }
        if self.work.is_empty() {
            return;
        }
        let at = self.dice.below(self.work.len());
        let Some(drafted) = &self.work[at].drafted else {
            let drafted = self.work[at].held.draft(&app, self.runtime.handle()).unwrap();
            self.work[at].drafted = Some(drafted);
            return;
        };
        let before: i64 = self.heads().values().sum();
        self.runtime.block_on(self.work[at].held.finish(&app, drafted)).unwrap();
        if self.heads().values().sum::<i64>() > before {
            self.tally.count("reply");
        }
        self.work.swap_remove(at);
    }

    fn sweep(&mut self) {
        self.changed = true;
        let (app, now) = (self.app(), self.now());
        let lost = self.runtime.block_on(app.store.jobs_lost(now)).unwrap();
        if !lost.is_empty() {
            self.tally.count("lease lost");
        }
        self.runtime.block_on(replies::recover(&app, now)).unwrap();
    }

    /// The process ends and another one starts: all that was only in memory is gone.
    fn crash(&mut self) {
        self.tally.count("crash");
        self.work.clear();
        self.tabs.iter_mut().for_each(Tab::cut);
        if let Some(app) = self.app.take() {
            self.runtime.block_on(app.store.close());
        }
        self.fanned = HashMap::new();
        self.open();
        self.fanned = self.heads().into_iter().collect();
    }

    /// Everybody comes back, the workers work, until nothing is on its way any more.
    pub(crate) fn settle(&mut self) {
        self.tabs.iter_mut().for_each(Tab::cut);
        self.work.clear();
        for round in 0.. {
            assert!(round < 200, "(f) it does not settle: {:?}", self.heads());
            self.forward(LEASE_MS);
            self.sweep();
            while let Some(held) = self.runtime.block_on(replies::lease(&self.app())).unwrap() {
                let drafted = held.draft(&self.app(), self.runtime.handle()).unwrap();
                self.runtime.block_on(held.finish(&self.app(), &drafted)).unwrap();
            }
            self.tabs.iter_mut().filter(|tab| !tab.connected).for_each(Tab::connect);
            self.fan_out();
            for tab in 0..self.tabs.len() {
                let frames = self.tabs[tab].up.len().max(self.tabs[tab].down.len());
                for _ in 0..frames {
                    self.hear(tab);
                    self.fan_out();
                    self.bring(tab);
                }
            }
            let quiet = |tab: &Tab| [tab.up.len(), tab.down.len(), tab.outbox.len()] == [0; 3];
            let idle = self.runtime.block_on(self.app().store.next_due()).unwrap().is_none();
            if idle && self.tabs.iter().all(quiet) {
                break;
            }
        }
        // What came after the last greeting of a page that was not placed yet.
        for tab in 0..self.tabs.len() {
            let last_seq = self.tabs[tab].last_seq();
            self.tabs[tab].up = VecDeque::from([Up::Hello { last_seq }]);
            self.hear(tab);
            while !self.tabs[tab].down.is_empty() {
                self.bring(tab);
            }
        }
    }

    /// The promises (a) to (h).
    pub(crate) fn judge(mut self) -> Tally {
        let app = self.app();
        let mut stored: BTreeMap<String, Vec<Message>> = BTreeMap::new();
        for (conversation, head) in self.heads() {
            let messages =
                self.runtime.block_on(app.store.messages(&conversation, 0, ALL)).unwrap();
            let row =
                self.runtime.block_on(app.store.conversation(&conversation)).unwrap().unwrap();
            dense(head, &messages);
            let events = self.runtime.block_on(app.store.events_of(&conversation)).unwrap();
            measured(&conversation, &messages, &events);
            self.ledger.answers(&conversation, &messages);
            let spoken = messages.iter().rfind(|message| message.speaker != "system");
            let open = row.state == "bot" && spoken.is_some_and(|last| last.speaker == "visitor");
            assert!(!open, "(f) the bot holds {conversation} and owes an answer: {messages:#?}");
            stored.insert(conversation, messages);
        }
        self.ledger.sent(&stored);
        for tab in &self.tabs {
            let Some(conversation) = &tab.conversation else { continue };
            assert_eq!(self.browser_of(conversation), tab.browser, "(g)");
            let expect: Vec<Shown> = stored[conversation].iter().map(Shown::from).collect();
            assert_eq!(tab.shown, expect, "(d)");
        }
        assert_eq!(self.runtime.block_on(app.store.jobs_lost(i64::MAX)).unwrap(), [], "(f)");
        drop(app);
        if let Some(app) = self.app.take() {
            self.runtime.block_on(app.store.close());
        }
        self.tally
    }
}

fn down(message: &Message) -> Down {
    Down::Message { conversation: message.conversation.clone(), shown: Shown::from(message) }
}
