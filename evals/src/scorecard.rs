//! `scorecard`: conversations that are made up by a seed, as events through the server's own store, and what their scorecard costs.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use engine::metrics::event::{By, Event, Visit, What};
use engine::turn::Speaker;
use serde::Deserialize;

use crate::faults::porchlight;
use crate::print_line;
use crate::run::Dice;

/// The made-up week: it begins on Monday, 3 November 2025.
const FROM: i64 = 1_762_128_000_000;
const WEEK_MS: i64 = 7 * 86_400_000;
const TAGS: [&str; 8] = [
    "pricing",
    "billing",
    "onboarding",
    "integrations",
    "bug_report",
    "refund",
    "feature_request",
    "general",
];
const PAGES: [&str; 6] = ["/pricing", "/checkout", "/signup", "/docs", "/settings", "/"];
const CAMPAIGNS: [&str; 4] = ["", "", "newsletter / email / november", "search / cpc / brand"];
const REASONS: [&str; 4] = ["no_passage", "asked_for_person", "money_words", "low_confidence"];

/// Options of `scorecard`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Conversations to make up.
    #[arg(long, default_value_t = 100_000)]
    conversations: u32,
    /// The same seed makes the same conversations.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Fails when the scorecard of a warm cache takes longer, in milliseconds.
    #[arg(long)]
    at_most_ms: Option<u128>,
    /// Folder for the database; it is made, and taken away in the end.
    #[arg(long, default_value = "scorecard-data")]
    folder: PathBuf,
}

/// What the program says.
#[derive(Debug, Deserialize)]
struct Measured {
    events: u64,
    cases: u64,
    import_ms: u128,
    fill_ms: u128,
    scorecard_ms: Vec<u128>,
    peak_mib: u64,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(
        !options.folder.exists(),
        "{} is there already; name a folder that is not with --folder",
        options.folder.display()
    );
    let measured = measure(options);
    let cleared = std::fs::remove_dir_all(&options.folder);
    let measured = measured?;
    cleared.with_context(|| format!("{} cannot be taken away", options.folder.display()))?;
    let Measured { events, cases, import_ms, fill_ms, scorecard_ms, peak_mib } = &measured;
    let (cold, warm) = scorecard_ms.split_first().context("nothing was timed")?;
    let slowest = warm.iter().max().unwrap_or(cold);
    print_line(&format!(
        "{} conversations, {events} events, {cases} cases in the period",
        options.conversations
    ));
    print_line(&format!("events brought in: {import_ms} ms (not part of the target)"));
    print_line(&format!("cache of cases filled from nothing: {fill_ms} ms"));
    print_line(&format!(
        "scorecard: {cold} ms the first time, then {warm:?} ms; most memory {peak_mib} MiB"
    ));
    ensure!(*cases == u64::from(options.conversations), "some cases are missing");
    if let Some(most) = options.at_most_ms {
        ensure!(*slowest <= most, "the scorecard took {slowest} ms, more than {most} ms");
    }
    Ok(())
}

fn measure(options: &Options) -> Result<Measured> {
    let program = porchlight()?;
    let settings = settings(&options.folder)?;
    let mut child = Command::new(&program)
        .args([
            "measure-scorecard",
            "--from",
            &FROM.to_string(),
            "--to",
            &(FROM + WEEK_MS).to_string(),
        ])
        .arg("--config")
        .arg(&settings)
        .arg("--data-dir")
        .arg(options.folder.join("data"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    let mut lines = BufWriter::new(child.stdin.take().context("the program takes no input")?);
    let mut maker = Maker { dice: Dice::new(options.seed), count: 0, n: 0 };
    for _ in 0..options.conversations {
        for event in maker.conversation() {
            serde_json::to_writer(&mut lines, &event)?;
            lines.write_all(b"\n")?;
        }
    }
    drop(lines);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the program failed: {}", output.status);
    serde_json::from_slice(&output.stdout).context("what the program says cannot be read")
}

/// An empty settings file, so that nothing of the machine's own is read.
fn settings(folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let path = folder.join("porchlight.toml");
    std::fs::write(&path, "").with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

/// Makes conversations up.
struct Maker {
    dice: Dice,
    /// Conversations so far.
    count: u64,
    /// Events so far.
    n: i64,
}

/// A conversation in the making.
struct Talk {
    id: String,
    session: String,
    at: i64,
    seq: i64,
    events: Vec<(i64, Option<String>, What)>,
}

impl Maker {
    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    fn below(&mut self, below: u64) -> u64 {
        self.dice.roll() % below
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// The events of one conversation, from opening the chat to its rating.
    fn conversation(&mut self) -> Vec<Event> {
        self.count += 1;
        let visit = Visit {
            page: format!("https://shop.example{}", self.pick(&PAGES)),
            referrer: String::new(),
            campaign: self.pick(&CAMPAIGNS).into(),
            visitor: format!("{:032x}", self.count),
        };
        let mut talk = Talk {
            id: format!("{:032x}", self.dice.roll()),
            session: format!("{:032x}", self.count),
            at: FROM + (self.below((WEEK_MS - 3_600_000) as u64)) as i64,
            seq: 0,
            events: vec![],
        };
        let begun = talk.at;
        talk.events.push((begun, None, What::ChatOpened(visit.clone())));
        talk.tell(1_000, What::ConversationStarted { visit, staging: false });
        let tag = self.pick(&TAGS).to_owned();
        self.talk(&mut talk, &tag);
        if self.chance(85) {
            self.end(&mut talk, begun + 1_000, tag);
        }
        let Talk { id, session, events, .. } = talk;
        let events = events.into_iter().map(|(at, about, what)| {
            self.n += 1;
            let conversation = about.map(|_| id.clone());
            Event {
                n: self.n,
                id: format!("{:032x}", self.n),
                at,
                conversation,
                session: Some(session.clone()),
                what,
            }
        });
        events.collect()
    }

    fn talk(&mut self, talk: &mut Talk, tag: &str) {
        let person = self.chance(30);
        for turn in 0..=self.below(3) {
            talk.said(5_000, Speaker::Visitor, false);
            let wait = 500 + self.below(4_000) as i64;
            let decided = What::ReplyDecided {
                for_seq: talk.seq,
                action: if person && turn > 0 { "hand_off" } else { "send" }.into(),
                rule: "confident".into(),
                reason: "confident".into(),
                confidence: 0.9,
                frustration: self.below(100) as f32 / 100.0,
                tags: vec![tag.to_owned()],
            };
            talk.tell(wait, decided);
            talk.said(0, Speaker::Bot, true);
        }
        if person {
            talk.tell(100, What::HandedOff { reason: self.pick(&REASONS).into() });
            talk.tell(20_000, What::TakenOver { by: "Ada".into() });
            let wait = 10_000 + self.below(300_000) as i64;
            talk.said(wait, Speaker::Owner, false);
        }
    }

    fn end(&mut self, talk: &mut Talk, began_at: i64, tag: String) {
        let by = [By::Owner, By::Visitor, By::Silence][self.below(3) as usize];
        let (resolution_time_ms, turns) = (talk.at + 60_000 - began_at, talk.seq);
        talk.tell(60_000, What::ChatResolved { by, resolution_time_ms, turns, tags: vec![tag] });
        if by == By::Silence {
            return;
        }
        talk.tell(10, What::CsatAsked {});
        if self.chance(40) {
            let score = [5, 5, 5, 4, 4, 3, 2, 1][self.below(8) as usize];
            talk.tell(9_000, What::CsatSubmitted { case: None, score, scale: 5, comment: None });
        }
        if self.chance(5) {
            let (kind, currency) = ("purchase".into(), Some("EUR".into()));
            let value = Some(1_000 + self.below(9_000) as i64);
            talk.tell(600_000, What::Converted { by_page: false, kind, value, currency });
        }
    }
}

impl Talk {
    fn tell(&mut self, after: i64, what: What) {
        self.at += after;
        self.events.push((self.at, Some(self.id.clone()), what));
    }

    fn said(&mut self, after: i64, from: Speaker, answer: bool) {
        self.seq += 1;
        let (seq, open_ms) = (self.seq, None);
        let answers = answer.then_some(seq - 1);
        let message = What::MessageSent {
            seq,
            from,
            answers,
            answer,
            written_at: None,
            open_ms,
            template: None,
        };
        self.tell(after, message);
    }
}

#[cfg(test)]
mod tests {
    use engine::metrics::cases;

    use super::*;

    #[test]
    fn what_is_made_up_are_cases_and_the_same_for_the_same_seed() {
        let make = |seed| {
            let mut maker = Maker { dice: Dice::new(seed), count: 0, n: 0 };
            (0..200).map(|_| maker.conversation()).collect::<Vec<_>>()
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
        let talks = make(7);
        for talk in &talks {
            let own: Vec<Event> =
                talk.iter().filter(|one| one.conversation.is_some()).cloned().collect();
            let cases = cases(&own);
            assert_eq!(cases.len(), 1, "{talk:?}");
            assert!((FROM..FROM + WEEK_MS).contains(&cases[0].began_at));
        }
        let ids: std::collections::HashSet<_> =
            talks.iter().map(|talk| talk[1].conversation.clone()).collect();
        assert_eq!(ids.len(), talks.len());
    }
}
