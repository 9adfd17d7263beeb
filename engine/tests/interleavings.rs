//! Everybody acts at once: 100,000 random interleavings of tokens, finishes, owner's actions, visitor's messages and crashes,
//! with the engine's own moves and fence, over a store that commits one thing after the other.

use engine::conversation::{Event, State, next};
use engine::fence::{Claim, Scene, Verdict, is_void, left_open, may_finish};
use engine::turn::Speaker;

/// Interleavings that are played.
const RUNS: u64 = 100_000;
/// Deeds of one.
const DEEDS: u64 = 40;
/// Begun this often and never finished, a job goes to a person.
const ATTEMPTS: u32 = 2;

/// Numbers that look random and are the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Queued,
    Leased(u64),
    Done,
}

#[derive(Debug, Clone, Copy)]
struct Job {
    claim: Claim,
    status: Status,
    attempts: u32,
}

/// A worker on its way: it may be slow, or believe in a lease that it has lost.
#[derive(Debug, Clone, Copy)]
struct Worker {
    job: usize,
    claim: Claim,
    lease: u64,
    /// Set when the draft is void; looked at before each token.
    stop: bool,
    /// Whether it has seen that.
    stopped: bool,
}

/// What is stored, what is on its way, and what the visitor's screen shows.
struct World {
    state: State,
    generation: i64,
    /// Who wrote, and what an automatic message answers.
    messages: Vec<(Speaker, Option<i64>)>,
    jobs: Vec<Job>,
    workers: Vec<Worker>,
    leases: u64,
    /// Whether the screen says that a person holds the conversation.
    told: bool,
}

impl World {
    fn new() -> Self {
        let (state, messages, jobs, workers) = (State::Bot, vec![], vec![], vec![]);
        Self { state, generation: 0, messages, jobs, workers, leases: 0, told: false }
    }

    fn newest(&self, who: Speaker) -> i64 {
        self.messages.iter().rposition(|(by, _)| *by == who).map_or(0, |at| at as i64 + 1)
    }

    fn pass_to(&mut self, state: State) {
        self.generation += i64::from(self.state != state);
        self.state = state;
    }

    /// What follows every commit: void drafts stop, then the screen is told who holds the conversation.
    fn publish(&mut self) {
        let (generation, head) = (self.generation, self.messages.len() as i64);
        for worker in &mut self.workers {
            worker.stop |= is_void(worker.claim, generation, head);
        }
        self.told = self.state == State::Owner;
    }

    fn end_jobs(&mut self) {
        self.jobs.iter_mut().for_each(|job| job.status = Status::Done);
    }

    fn queue(&mut self, for_seq: i64) {
        self.end_jobs();
        let claim = Claim { for_seq, generation: self.generation };
        self.jobs.push(Job { claim, status: Status::Queued, attempts: 0 });
    }

    fn visitor_writes(&mut self) {
        if let Ok(state) = next(self.state, Event::VisitorMessage) {
            self.pass_to(state);
            self.messages.push((Speaker::Visitor, None));
            self.queue(self.messages.len() as i64);
        }
    }

    /// A person acts; writing takes the conversation as well.
    fn person(&mut self, event: Event, writes: bool) {
        let Ok(state) = next(self.state, event) else { return };
        let open = left_open(
            self.newest(Speaker::Visitor),
            self.newest(Speaker::Owner),
            self.newest(Speaker::Bot),
        );
        self.pass_to(state);
        self.end_jobs();
        if writes {
            self.messages.push((Speaker::Owner, None));
        }
        if let (Event::HandBack, Some(seq)) = (event, open) {
            self.queue(seq);
        }
    }

    fn lease(&mut self) {
        let Some(job) = self.jobs.iter().position(|job| job.status == Status::Queued) else {
            return;
        };
        self.leases += 1;
        self.jobs[job].status = Status::Leased(self.leases);
        self.jobs[job].attempts += 1;
        let claim = self.jobs[job].claim;
        let scene = self.scene(job, self.leases);
        let stop = !matches!(may_finish(claim, scene), Verdict::Reply | Verdict::Suggest);
        self.workers.push(Worker { job, claim, lease: self.leases, stop, stopped: false });
    }

    fn scene(&self, job: usize, lease: u64) -> Scene {
        Scene {
            state: self.state,
            generation: self.generation,
            leased: self.jobs[job].status == Status::Leased(lease),
            visitor: self.newest(Speaker::Visitor),
            owner: self.newest(Speaker::Owner),
        }
    }

    /// The worker decodes a token; the text that it shows on the visitor's screen, if any.
    fn token(&mut self, worker: usize) -> bool {
        let worker = &mut self.workers[worker];
        assert!(!worker.stopped, "a stopped draft decodes on");
        worker.stopped = worker.stop;
        !worker.stop
    }

    /// The worker ends its draft: sent, or handed off with a line.
    fn finish(&mut self, worker: usize, hands_off: bool) {
        let worker = self.workers.remove(worker);
        let scene = self.scene(worker.job, worker.lease);
        let verdict = may_finish(worker.claim, scene);
        if verdict == Verdict::Reply && !worker.stopped {
            assert_eq!(self.state, State::Bot, "the bot writes while a person holds it");
            self.messages.push((Speaker::Bot, Some(worker.claim.for_seq)));
            if hands_off {
                self.pass_to(State::Waiting);
            }
        }
        if scene.leased {
            self.jobs[worker.job].status = Status::Done;
        }
    }

    /// The sweeper finds leases that ended: once more, or to a person.
    fn sweep(&mut self) {
        for job in 0..self.jobs.len() {
            let Status::Leased(lease) = self.jobs[job].status else { continue };
            if self.jobs[job].attempts < ATTEMPTS {
                self.jobs[job].status = Status::Queued;
                continue;
            }
            let claim = self.jobs[job].claim;
            if may_finish(claim, self.scene(job, lease)) == Verdict::Reply {
                self.messages.push((Speaker::Bot, Some(claim.for_seq)));
                self.pass_to(State::Waiting);
            }
            self.jobs[job].status = Status::Done;
        }
    }

    fn deed(&mut self, dice: &mut Dice) {
        let some = |dice: &mut Dice, len: usize| dice.below(len.max(1) as u64) as usize;
        let worker = some(dice, self.workers.len());
        let works = !self.workers.is_empty();
        match dice.below(16) {
            0..=2 => self.visitor_writes(),
            3..=5 => self.lease(),
            6..=8 if works && !self.workers[worker].stopped => {
                let shown = self.token(worker);
                let stale = self.workers[worker].claim.generation != self.generation;
                assert!(!(shown && self.told && stale), "bot text after a person took over");
                return;
            }
            9 | 10 if works => self.finish(worker, dice.below(3) == 0),
            // A crash: the worker is gone, or slow enough that its lease ends before it does.
            11 if works => _ = self.workers.remove(worker),
            12 => self.sweep(),
            13 => self.person(Event::TakeOver, dice.below(2) == 0),
            14 => self.person(Event::HandBack, false),
            15 => self.person([Event::Close, Event::HandOff][some(dice, 2)], false),
            _ => return,
        }
        self.publish();
    }

    /// What has to hold at any time.
    fn check(&self) {
        let mut answered: Vec<i64> = self.messages.iter().filter_map(|(_, to)| *to).collect();
        let replies = answered.len();
        answered.sort_unstable();
        answered.dedup();
        assert_eq!(answered.len(), replies, "a message has two automatic replies");
    }

    /// Lets everything end that is on its way: no question that the bot holds is forgotten.
    fn settle(&mut self) {
        self.workers.clear();
        for _ in 0..=ATTEMPTS {
            self.sweep();
            self.lease();
            while !self.workers.is_empty() {
                self.finish(0, false);
            }
        }
        let others = self.newest(Speaker::Bot).max(self.newest(Speaker::Owner));
        let forgotten = self.state == State::Bot && self.newest(Speaker::Visitor) > others;
        assert!(!forgotten, "a question of the visitor is forgotten");
    }
}

fn play(seed: u64) {
    let mut dice = Dice(seed);
    let mut world = World::new();
    for _ in 0..DEEDS {
        world.deed(&mut dice);
        world.check();
    }
    world.settle();
    world.check();
}

#[test]
fn nobody_speaks_out_of_turn_however_deeds_fall() {
    for seed in 0..RUNS {
        let played = std::panic::catch_unwind(|| play(seed));
        assert!(
            played.is_ok(),
            "the interleaving of seed {seed} goes wrong; its reason stands above"
        );
    }
}
