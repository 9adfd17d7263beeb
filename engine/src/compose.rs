//! `compose` drafting: free text of the drafter, each sentence checked against the passages before it is shown.

use std::ops::ControlFlow;

use crate::grounding::{self, Support};
use crate::model::Sampling;
use crate::parts::Parts;
use crate::prompt;
use crate::search::Hit;
use crate::sink::{Sink, Stopped};
use crate::text;
use crate::turn::Turn;

/// Passages the drafter reads.
const PASSAGES: usize = 3;
/// Tokens of a reply at most.
const REPLY_TOKENS: usize = 220;

/// Writes the reply into `sink`; returns the first sentence that no passage supports, which also ends the draft.
pub(crate) fn draft(
    parts: &Parts<'_>,
    turn: &Turn,
    hits: &[Hit],
    sink: &mut Sink<'_>,
) -> Result<Option<String>, Stopped> {
    let hits = &hits[..hits.len().min(PASSAGES)];
    let style = &parts.policy.style;
    let system = style.system(&parts.templates.system);
    let prompt = prompt::compose_prompt(&system, turn, hits, parts.model, REPLY_TOKENS)?;
    let sampling = Sampling { max_tokens: REPLY_TOKENS, temperature: 0.0, seed: 0 };
    let mut pending = String::new();
    let mut sentences = 0;
    let mut end: Result<Option<String>, Stopped> = Ok(None);
    parts.model.generate(&prompt, &sampling, &mut |token| {
        if let Err(stopped) = sink.token(&token.text) {
            end = Err(stopped);
            return ControlFlow::Break(());
        }
        pending.push_str(&token.text);
        while let Some(length) = text::first_sentence(&pending) {
            let sentence: String = pending.drain(..length).collect();
            end = check(&sentence, hits, sink);
            sentences += 1;
            if !matches!(end, Ok(None)) || style.left_after(sentences) == 0 {
                pending.clear();
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if matches!(end, Ok(None)) && !pending.trim().is_empty() {
        end = check(&pending, hits, sink);
    }
    end
}

/// Shows a supported sentence; gives back an unsupported one.
fn check(sentence: &str, hits: &[Hit], sink: &mut Sink<'_>) -> Result<Option<String>, Stopped> {
    match grounding::support(sentence, hits) {
        Some(Support { hit, sentences, .. }) => {
            let passage = &hits[hit].passage;
            let found = &passage.sentences[sentences];
            let start = found.first().map_or(passage.span.start, |s| s.span.start);
            let end = found.last().map_or(passage.span.end, |s| s.span.end);
            let text = if sink.is_empty() { sentence.trim_start() } else { sentence };
            sink.piece(text.into(), passage, start..end)?;
            Ok(None)
        }
        None => {
            sink.unsupported(sentence.trim())?;
            Ok(Some(sentence.trim().into()))
        }
    }
}
