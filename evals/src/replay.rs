//! `replay`: stored turns once more, on other documents, another policy or another model; every difference is listed.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use engine::reply::Outcome;
use engine::rules::Action;
use engine::scope::Scope;
use engine::turn::{Message, Turn};
use models::manifest::Manifest;
use serde::{Deserialize, Serialize};

use crate::data;
use crate::house::{House, HouseOptions};
use crate::run::{self, RunOptions, RunResult};

/// Options of `replay`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    /// Turns as `porchlight export` prints them.
    #[arg(long, value_name = "FILE")]
    conversations: PathBuf,
    /// The documents that the turns were answered from.
    #[arg(long, default_value = "knowledge", value_name = "DIR")]
    knowledge: PathBuf,
    /// What is different this time: a folder of documents, a folder with policy.toml, or the id of a drafter.
    #[arg(long, value_name = "KNOWLEDGE|POLICY|MODEL")]
    against: Option<String>,
}

/// A turn as it was stored. Fields that other uses of the export need are skipped.
#[derive(Debug, Deserialize)]
struct Stored {
    conversation: String,
    seq: i64,
    question: String,
    history: Vec<(String, String)>,
    bot_turns: u32,
    #[serde(default)]
    scope: Scope,
    answer: Option<String>,
    decision: Decided,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
struct Decided {
    action: String,
    rule: String,
    confidence: f32,
}

/// A turn that came out otherwise.
#[derive(Debug, Serialize)]
struct Change {
    conversation: String,
    seq: i64,
    question: String,
    before: Ending,
    now: Ending,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Ending {
    answer: Option<String>,
    #[serde(flatten)]
    decision: Decided,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let turns: Vec<Stored> = data::lines(&options.conversations)?;
    let (house_options, knowledge) = changed(options)?;
    let house = House::open_folder(&house_options, &knowledge)?;
    let bar = run::bar("replay", turns.len());
    let mut changes = Vec::new();
    for stored in &turns {
        let mut now = again(&house, stored)?;
        if stored.answer.is_none() {
            // A person held the conversation; what the bot would have said was never sent.
            now.answer = None;
        }
        let before = Ending { answer: stored.answer.clone(), decision: stored.decision.clone() };
        if now != before {
            let (conversation, question) = (stored.conversation.clone(), stored.question.clone());
            changes.push(Change { conversation, seq: stored.seq, question, before, now });
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    changes.iter().for_each(show);
    let mut result =
        RunResult::new("replay", &options.conversations, &options.run, house.setting());
    let count = |wanted: fn(&Change) -> bool| changes.iter().filter(|c| wanted(c)).count() as f64;
    result.figure("turns", turns.len() as f64);
    result.figure("changed", changes.len() as f64);
    result.figure("changed_answers", count(|c| c.before.answer != c.now.answer));
    result
        .figure("changed_decisions", count(|c| c.before.decision.action != c.now.decision.action));
    result.figure(
        "changed_confidences",
        count(|c| c.before.decision.confidence != c.now.decision.confidence),
    );
    result.detail("changes", &changes)?;
    result.finish(&options.run)
}

/// The house with the one thing that `--against` changes.
fn changed(options: &Options) -> Result<(HouseOptions, PathBuf)> {
    let (mut house, mut knowledge) = (options.house.clone(), options.knowledge.clone());
    let Some(against) = &options.against else { return Ok((house, knowledge)) };
    let path = Path::new(against);
    if Manifest::builtin().model(against).is_some() {
        house.drafter.clone_from(against);
    } else if path.join("policy.toml").exists() {
        house.prompts = path.to_owned();
    } else if path.is_dir() {
        knowledge = path.to_owned();
    } else {
        bail!(
            "--against {against}: no folder of documents, no folder with policy.toml and no known model"
        );
    }
    Ok((house, knowledge))
}

fn again(house: &House, stored: &Stored) -> Result<Ending> {
    let mut history = Vec::new();
    for (who, text) in &stored.history {
        let unknown = |()| {
            anyhow::anyhow!(
                "conversation {}, turn {}: `{who}` is no speaker",
                stored.conversation,
                stored.seq
            )
        };
        history.push(Message { speaker: who.parse().map_err(unknown)?, text: text.clone() });
    }
    let turn = Turn {
        history,
        bot_turns: stored.bot_turns,
        scope: stored.scope.clone(),
        ..Turn::asking(stored.question.clone())
    };
    let outcome = house.reply(&turn, &mut |_| ControlFlow::Continue(()));
    ending(outcome).context("a reply that is sent has a draft")
}

fn ending(outcome: Outcome) -> Option<Ending> {
    let answer = match outcome.decision.action {
        Action::Send => Some(outcome.draft?.text()),
        Action::Hold | Action::HandOff => outcome.say,
    };
    let (action, rule) = (outcome.decision.action.as_str().to_owned(), outcome.decision.rule);
    Some(Ending {
        answer,
        decision: Decided { action, rule, confidence: outcome.confidence.value },
    })
}

fn show(change: &Change) {
    let line = |ending: &Ending| {
        let decided = &ending.decision;
        let answer = ending.answer.as_deref().unwrap_or("-").replace('\n', " ");
        format!("{} by {} at {:.3}: {answer}", decided.action, decided.rule, decided.confidence)
    };
    crate::print_line(&format!(
        "{} {}: {}\n  - {}\n  + {}",
        change.conversation,
        change.seq,
        change.question.replace('\n', " "),
        line(&change.before),
        line(&change.now)
    ));
}
