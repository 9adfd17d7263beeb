//! `devices`: the same questions on two devices, processor and GPU: whether they are decided alike, and how fast each is.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use engine::metrics::percentile;
use engine::reply::{Event, Outcome};
use models::device;
use serde::Serialize;

use crate::data::{self, Question};
use crate::house::{self, House, HouseOptions};
use crate::run::{self, RunOptions, RunResult, Setting};

/// Options of `devices`. `--device` names the first of the two.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    house: HouseOptions,
    #[command(flatten)]
    run: RunOptions,
    /// The device that is compared with `--device`; the same one tells whether it repeats itself.
    #[arg(long, default_value = "cuda", value_parser = ["cpu", "cuda"])]
    against: String,
    /// Documents: `doc_id`, `title`, `text`. The folder of `--knowledge` unless set.
    #[arg(long, value_name = "FILE")]
    kb: Option<PathBuf>,
    /// Folder of documents.
    #[arg(long, default_value = "knowledge", value_name = "DIR")]
    knowledge: PathBuf,
    /// Questions: `qid`, `text`, perhaps `history`.
    #[arg(long, default_value = "evals/cases/demo/answerable.jsonl", value_name = "FILE")]
    queries: PathBuf,
    /// Questions at most, spread evenly over the file; 0 takes all.
    #[arg(long, default_value_t = 0)]
    limit: usize,
}

/// How a question ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Ending {
    action: &'static str,
    rule: String,
    /// 0 to 1.
    confidence: f32,
    /// Cited documents in the order of the draft.
    documents: Vec<String>,
    /// The draft, or what the visitor is told without one.
    text: String,
}

impl Ending {
    fn of(outcome: Outcome) -> Self {
        let draft = outcome.draft.unwrap_or_default();
        let text = draft.text();
        Self {
            action: outcome.decision.action.as_str(),
            rule: outcome.decision.rule,
            confidence: outcome.confidence.value,
            documents: draft.citations.into_iter().map(|citation| citation.doc).collect(),
            text: if text.is_empty() { outcome.say.unwrap_or_default() } else { text },
        }
    }

    fn decision(&self) -> (&str, &str) {
        (self.action, &self.rule)
    }
}

/// What one device did with all questions.
struct Side {
    endings: Vec<Ending>,
    setting: Setting,
    /// Milliseconds until the models were loaded and the documents indexed.
    open_ms: f64,
    /// Milliseconds until the first text of each question that got one.
    first_ms: Vec<f64>,
    /// Milliseconds of each whole reply.
    total_ms: Vec<f64>,
}

/// A question that ended otherwise; a confidence alone makes none.
#[derive(Debug, PartialEq, Serialize)]
struct Difference {
    qid: String,
    question: String,
    first: Ending,
    second: Ending,
}

/// How far two devices agree.
#[derive(Debug, PartialEq)]
struct Agreement {
    same_decision: usize,
    same_documents: usize,
    same_text: usize,
    /// Largest difference between two confidences, 0 to 1; not-a-number when one of them is none.
    confidence_apart: f32,
    differences: Vec<Difference>,
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let questions = data::questions(&options.queries, options.limit)?;
    let devices = [&options.house.device, &options.against];
    // Asked before the first device has worked for minutes.
    for name in devices {
        device::open(house::place(name)).map_err(|problem| anyhow!("device {name}: {problem}"))?;
    }
    let first = side(options, devices[0], &questions)?;
    let second = side(options, devices[1], &questions)?;
    let agreement = compare(&questions, &first.endings, &second.endings);
    agreement.differences.iter().for_each(show);
    let data = options.kb.as_ref().unwrap_or(&options.knowledge);
    let both = devices.map(String::as_str).join(", ");
    let setting = Setting { device: both, ..first.setting.clone() };
    let mut result = RunResult::new("devices", data, &options.run, setting);
    result.figure("cases", questions.len() as f64);
    result.figure("same_decision", agreement.same_decision as f64);
    result.figure("same_documents", agreement.same_documents as f64);
    result.figure("same_text", agreement.same_text as f64);
    result.figure("largest_confidence_difference", f64::from(agreement.confidence_apart));
    result.detail("differences", &agreement.differences)?;
    for (at, name, side) in [("first", devices[0], &first), ("second", devices[1], &second)] {
        times(&format!("{at}_{name}"), side, &mut result);
    }
    result.finish(&options.run)
}

/// Opens the house on a device, asks every question and closes it again.
fn side(options: &Options, device: &str, questions: &[Question]) -> Result<Side> {
    let mut on_device = options.house.clone();
    device.clone_into(&mut on_device.device);
    let start = Instant::now();
    let house = match &options.kb {
        Some(kb) => House::open_docs(&on_device, data::docs(kb)?)?,
        None => House::open_folder(&on_device, &options.knowledge)?,
    };
    let mut side = Side {
        endings: Vec::new(),
        setting: house.setting(),
        open_ms: start.elapsed().as_secs_f64() * 1000.0,
        first_ms: Vec::new(),
        total_ms: Vec::new(),
    };
    let bar = run::bar(device, questions.len());
    for question in questions {
        ask(&house, question, &mut side)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(side)
}

/// Asks one question. A fault ends the measurement: two devices that both fail would agree.
fn ask(house: &House, question: &Question, side: &mut Side) -> Result<()> {
    let start = Instant::now();
    let ms = || start.elapsed().as_secs_f64() * 1000.0;
    let mut first = None;
    let outcome = house.reply(&question.turn(), &mut |event| {
        if matches!(event, Event::Piece { .. }) && first.is_none() {
            first = Some(ms());
        }
        ControlFlow::Continue(())
    });
    side.total_ms.push(ms());
    side.first_ms.extend(first);
    if let Some(fault) = &outcome.fault {
        bail!("{} on {}: {fault}", question.qid, side.setting.device);
    }
    side.endings.push(Ending::of(outcome));
    Ok(())
}

/// Holds the endings of the same questions beside each other.
fn compare(questions: &[Question], first: &[Ending], second: &[Ending]) -> Agreement {
    let pairs: Vec<(&Ending, &Ending)> = first.iter().zip(second).collect();
    let count =
        |same: fn(&Ending, &Ending) -> bool| pairs.iter().filter(|p| same(p.0, p.1)).count();
    let apart = pairs.iter().map(|(a, b)| (a.confidence - b.confidence).abs());
    let alike = |a: &Ending, b: &Ending| {
        (a.decision(), &a.documents, &a.text) == (b.decision(), &b.documents, &b.text)
    };
    let other = questions.iter().zip(&pairs).filter(|(_, (a, b))| !alike(a, b));
    Agreement {
        same_decision: count(|a, b| a.decision() == b.decision()),
        same_documents: count(|a, b| a.documents == b.documents),
        same_text: count(|a, b| a.text == b.text),
        // Not-a-number counts as the largest.
        confidence_apart: apart.max_by(f32::total_cmp).unwrap_or(0.0),
        differences: other
            .map(|(question, (a, b))| Difference {
                qid: question.qid.clone(),
                question: question.text.clone(),
                first: (*a).clone(),
                second: (*b).clone(),
            })
            .collect(),
    }
}

fn times(group: &str, side: &Side, result: &mut RunResult) {
    let seconds = side.total_ms.iter().sum::<f64>() / 1000.0;
    result.grouped(group, "open_ms", side.open_ms);
    result.grouped(group, "replies_per_second", side.total_ms.len() as f64 / seconds);
    for (name, values) in [("ttft_ms", &side.first_ms), ("total_ms", &side.total_ms)] {
        for (figure, q) in [("p50", 0.5), ("p95", 0.95)] {
            let value = percentile(values, q).unwrap_or(f64::NAN);
            result.grouped(group, &format!("{name}_{figure}"), value);
        }
    }
}

fn show(difference: &Difference) {
    let line = |ending: &Ending| {
        format!(
            "{} by {} at {:.4} from [{}]: {}",
            ending.action,
            ending.rule,
            ending.confidence,
            ending.documents.join(", "),
            ending.text.replace('\n', " ")
        )
    };
    crate::print_line(&format!(
        "{}: {}\n  - {}\n  + {}",
        difference.qid,
        difference.question.replace('\n', " "),
        line(&difference.first),
        line(&difference.second)
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending() -> Ending {
        Ending {
            action: "send",
            rule: "confident".into(),
            confidence: 0.75,
            documents: vec!["a.md".into(), "b.md".into()],
            text: "Yes.".into(),
        }
    }

    /// Three questions; the second ends on the second device as `planted`.
    fn check(planted: Ending, same: [usize; 3], confidence_apart: f32) {
        let question = |qid: &str| Question {
            qid: qid.into(),
            text: "Is it?".into(),
            history: vec![],
            answer: None,
            answerability: None,
        };
        let questions = ["q1", "q2", "q3"].map(question);
        let first = vec![ending(); 3];
        let second = [ending(), planted.clone(), ending()];
        let found = compare(&questions, &first, &second);
        assert_eq!([found.same_decision, found.same_documents, found.same_text], same);
        let apart = found.confidence_apart;
        assert!(apart.total_cmp(&confidence_apart).is_eq(), "{apart} is not {confidence_apart}");
        let named: Vec<&str> = found.differences.iter().map(|d| d.qid.as_str()).collect();
        assert_eq!(named, if same == [3; 3] { vec![] } else { vec!["q2"] });
        assert!(found.differences.iter().all(|d| (&d.first, &d.second) == (&ending(), &planted)));
    }

    #[test]
    fn planted_differences_are_found() {
        check(ending(), [3, 3, 3], 0.0);
        check(Ending { action: "hold", ..ending() }, [2, 3, 3], 0.0);
        check(Ending { rule: "unsure".into(), ..ending() }, [2, 3, 3], 0.0);
        check(Ending { documents: vec!["a.md".into()], ..ending() }, [3, 2, 3], 0.0);
        check(Ending { documents: vec!["b.md".into(), "a.md".into()], ..ending() }, [3, 2, 3], 0.0);
        check(Ending { text: "No.".into(), ..ending() }, [3, 3, 2], 0.0);
        check(Ending { confidence: 0.5, ..ending() }, [3, 3, 3], 0.25);
        check(Ending { confidence: 1.0, ..ending() }, [3, 3, 3], 0.25);
        check(Ending { confidence: f32::NAN, ..ending() }, [3, 3, 3], f32::NAN);
    }
}
