//! Replies through the scheduler, over questions with passages: copied words, several at once, shared beginnings.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use engine::draft::Mode;
use engine::model::{Model, ModelError, Prompt, PromptMessage, Role, Sampling};
use engine::text;
use models::device::Place;
use models::scheduler::{Handle, LoadOptions, SLOTS, load};

use super::ours::{Figures, Ours};
use crate::data::{self, DemoCase};

/// Characters of a passage at most.
const PASSAGE: usize = 900;
/// Passages of a prompt at most.
const PASSAGES: usize = 3;
/// Tokens of a reply at most.
const REPLY: usize = 64;
/// Tokens of prompt and reply together.
const CONTEXT: usize = 2_048;
/// What the drafter is told.
const SYSTEM: &str =
    "Answer the question with sentences of the passages, word by word. Say nothing else.";

/// A question with its passages, and words of the first of them that answer could quote.
pub(super) struct Case {
    prompt: Prompt,
    /// The prompt as text, and the words that are known.
    pub(super) known: (String, String),
}

/// Questions of the manual and of folders with `kb.jsonl`, `queries.jsonl` and `qrels.tsv`, `limit` of each at most.
pub(super) fn cases(folders: &[PathBuf], limit: usize) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let questions: Vec<DemoCase> = data::lines(Path::new("evals/cases/demo/answerable.jsonl"))?;
    for case in questions.iter().take(limit) {
        let Some(doc) = &case.doc else { continue };
        let path = format!("knowledge/{doc}.md");
        let page = std::fs::read_to_string(&path).with_context(|| path.clone())?;
        cases.push(case_of(&case.text, &[page.as_str()]));
    }
    for folder in folders {
        let docs = data::docs(&folder.join("kb.jsonl"))?;
        let qrels = data::qrels(&folder.join("qrels.tsv"))?;
        let questions = data::questions(&folder.join("queries.jsonl"), 0)?;
        let answered = questions.iter().filter_map(|question| {
            let relevant = qrels.get(&question.qid)?;
            let pages = docs
                .iter()
                .filter(|doc| relevant.contains(&doc.doc_id))
                .map(|doc| doc.text.as_str());
            Some(case_of(&question.text, &pages.take(PASSAGES).collect::<Vec<_>>()))
        });
        cases.extend(answered.take(limit));
    }
    ensure!(!cases.is_empty(), "there is no question with a passage");
    Ok(cases)
}

fn case_of(question: &str, pages: &[&str]) -> Case {
    let mut system = format!("{SYSTEM}\n\nPassages:\n");
    for (n, page) in pages.iter().enumerate() {
        let cut = &page[..page.floor_char_boundary(PASSAGE)];
        system.push_str(&format!("[{}] {cut}\n", n + 1));
    }
    let first = pages.first().copied().unwrap_or_default();
    let quoted = &first[..first.floor_char_boundary(PASSAGE / 3)];
    let message = |role, text: &str| PromptMessage { role, text: text.into() };
    let known = (format!("{system}\n{question}\n"), quoted.to_owned());
    Case {
        prompt: Prompt {
            messages: vec![message(Role::System, &system), message(Role::User, question)],
        },
        known,
    }
}

/// One reply, as its reader saw it.
struct Reply {
    text: String,
    tokens: usize,
    /// Seconds until the first token, and from it to the last.
    first: f64,
    rest: f64,
}

fn reply(model: &Handle, prompt: &Prompt) -> Result<Reply, ModelError> {
    let sampling = Sampling { max_tokens: REPLY, temperature: 0.0, seed: 0 };
    let start = Instant::now();
    let mut reply = Reply { text: String::new(), tokens: 0, first: 0.0, rest: 0.0 };
    let end = model.generate(prompt, &sampling, &mut |token| {
        // While the prompt is read, empty words without a probability ask whether one is still there.
        if token.logprob < 0.0 || !token.text.is_empty() {
            if reply.tokens == 0 {
                reply.first = start.elapsed().as_secs_f64();
            }
            reply.tokens += 1;
            reply.text.push_str(&token.text);
            reply.rest = start.elapsed().as_secs_f64() - reply.first;
        }
        ControlFlow::Continue(())
    });
    match end {
        // A reply that repeats itself without end is cut off; what came before it counts.
        Err(ModelError::Failed(_)) if reply.tokens > 0 => {}
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    Ok(reply)
}

/// The models as the server runs them.
pub(super) fn model(file: &Path, encoder: &Path, place: Place) -> Result<Handle> {
    Ok(load(&LoadOptions {
        encoder_dir: encoder.into(),
        encoder_id: String::new(),
        drafter_file: file.into(),
        drafter_id: String::new(),
        drafter_sha256: String::new(),
        draft: Mode::Compose,
        context_tokens: CONTEXT,
        queue: 2 * SLOTS,
        place,
        threads: models::device::threads(),
    })?)
}

/// Measures all cases once: tokens per second, but for names that end in `_ms`, `_cases` and `_same`.
pub(super) fn round(model: &Handle, ours: &Ours, cases: &[Case]) -> Result<Figures> {
    let mut figures = Figures::new();
    let (mut tokens, mut seconds, mut first, mut again, mut same) =
        (0, 0.0, Vec::new(), Vec::new(), 0);
    let (mut plain_tokens, mut plain_seconds) = (0, 0.0);
    for case in cases {
        let got = reply(model, &case.prompt)?;
        tokens += got.tokens.saturating_sub(1);
        seconds += got.rest;
        first.push(got.first * 1e3);
        let (plain, count, taken) = ours.plain(&case.prompt, REPLY)?;
        same += usize::from(plain.starts_with(&got.text));
        plain_tokens += count;
        plain_seconds += taken;
        let mut second = case.prompt.clone();
        second.messages.push(PromptMessage { role: Role::Assistant, text: got.text });
        second
            .messages
            .push(PromptMessage { role: Role::User, text: "And what does that cost?".into() });
        again.push(reply(model, &second)?.first * 1e3);
    }
    figures.insert("compose".into(), tokens as f64 / seconds);
    figures.insert("compose_without_guesses".into(), plain_tokens as f64 / plain_seconds);
    figures.insert("compose_cases".into(), cases.len() as f64);
    figures.insert("compose_same".into(), same as f64);
    figures.insert("new_chat_first_ms".into(), super::median(first));
    figures.insert("second_question_first_ms".into(), super::median(again));
    at_once(model, cases, &mut figures)?;
    Ok(figures)
}

/// As many conversations as there are slots, all from the same moment, and none with a beginning that was read before.
fn at_once(model: &Handle, cases: &[Case], figures: &mut Figures) -> Result<()> {
    let fresh = |(n, case): (usize, &Case)| {
        let mut prompt = case.prompt.clone();
        for message in prompt.messages.iter_mut().take(1) {
            message.text.insert_str(0, &format!("{n} is the number of this chat. "));
        }
        prompt
    };
    let prompts: Vec<Prompt> = cases.iter().take(SLOTS).enumerate().map(fresh).collect();
    let start = Instant::now();
    let replies: Vec<Reply> = thread::scope(|scope| {
        let all: Vec<_> =
            prompts.iter().map(|prompt| scope.spawn(|| reply(model, prompt))).collect();
        let joined = all.into_iter().map(|one| {
            one.join().map_err(|_| anyhow!("a reader of replies has ended"))?.map_err(Into::into)
        });
        joined.collect::<Result<_>>()
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let tokens: usize = replies.iter().map(|reply| reply.tokens).sum();
    figures.insert("at_once".into(), tokens as f64 / seconds);
    let longest = replies.iter().map(|reply| reply.first * 1e3).fold(0.0, f64::max);
    figures.insert("at_once_slowest_first_ms".into(), longest);
    Ok(())
}

/// The words of the first sentences of a text that is quoted.
pub(super) fn quoted(known: &str) -> &str {
    let end = text::first_sentence(known).unwrap_or(known.len());
    if end < 40 { known } else { &known[..end] }
}
