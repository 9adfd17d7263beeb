//! Drafts an entry from what owners have answered: the messages that answer the question are quoted, nothing is added.

use engine::gaps::{Asked, Gap, cosine, replies};
use engine::turn::Speaker;

use super::gather::Talk;
use super::refresh::Embed;
use crate::store::messages::Message;

/// Messages of a conversation from which an entry is drafted: longer ones wander.
pub(super) const LONGEST: usize = 40;
/// Replies to one question that are looked at.
const RUNS: usize = 4;
/// Conversations of one gap that are looked at, the nearest first.
const TALKS: usize = 12;
/// Cosine of question and answer from which the first reply is one, and from which a later one is.
const FIRST: f32 = 0.15;
const LATER: f32 = 0.35;
/// Cosine from which the reply after the answer belongs to it.
const BELONGS: f32 = 0.5;
/// What the first reply has before later ones.
const AHEAD: f32 = 0.1;
/// Characters of an answer at most.
pub(super) const ANSWER: usize = 4_000;

/// An answer, and the conversations it is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) answer: String,
    pub(super) from: Vec<String>,
}

/// What an owner wrote in a row after a question.
struct Reply {
    conversation: String,
    /// Place of the question in the list.
    asked: usize,
    /// From 0.
    place: usize,
    text: String,
}

/// The best answer to a gap; none where no person has answered in a conversation that is closed. `embed` gives unit vectors.
pub(super) fn draft(
    gap: &Gap,
    asked: &[Asked],
    talk: &dyn Fn(&str) -> Option<Talk>,
    embed: &Embed<'_>,
) -> Result<Option<Draft>, String> {
    let mut found: Vec<Reply> = Vec::new();
    let mut talks = 0;
    for at in &gap.questions {
        let one = &asked[*at];
        let Some(talk) = talk(&one.conversation).filter(|talk| talk.rows.len() <= LONGEST) else {
            continue;
        };
        talks += 1;
        if talks > TALKS {
            break;
        }
        let runs = runs(&talk.rows, one.seq).into_iter().enumerate();
        found.extend(runs.map(|(place, text)| Reply {
            conversation: one.conversation.clone(),
            asked: *at,
            place,
            text,
        }));
    }
    let texts: Vec<&str> = found.iter().map(|reply| reply.text.as_str()).collect();
    let vectors = if texts.is_empty() { Vec::new() } else { embed(&texts)? };
    let near: Vec<f32> = found
        .iter()
        .zip(&vectors)
        .map(|(reply, vector)| cosine(&asked[reply.asked].vector, vector))
        .collect();
    Ok(best(&found, &near))
}

fn best(found: &[Reply], near: &[f32]) -> Option<Draft> {
    let fits = |at: &usize| near[*at] >= if found[*at].place == 0 { FIRST } else { LATER };
    let worth = |at: usize| near[at] + if found[at].place == 0 { AHEAD } else { 0.0 };
    // Of equally good ones the first: `max_by` would take the last.
    let chosen = (0..found.len().min(near.len()))
        .filter(fits)
        .reduce(|best, at| if worth(at) > worth(best) { at } else { best })?;
    let mut answer = found[chosen].text.clone();
    let next = found.get(chosen + 1).filter(|next| {
        let same = next.conversation == found[chosen].conversation;
        same && next.asked == found[chosen].asked && near[chosen + 1] >= BELONGS
    });
    if let Some(next) = next.filter(|next| next.text != answer) {
        answer = format!("{answer}\n\n{}", next.text);
    }
    let answer = answer.chars().take(ANSWER).collect();
    Some(Draft { answer, from: vec![found[chosen].conversation.clone()] })
}

/// What owners wrote after a question: messages without a visitor's between them are one text. Texts that say nothing are left out.
fn runs(rows: &[Message], seq: i64) -> Vec<String> {
    let later: Vec<&Message> = rows
        .iter()
        .filter(|row| row.seq > seq && row.speaker != Speaker::System.as_str())
        .collect();
    let is_owner = |row: &&Message| row.speaker == Speaker::Owner.as_str();
    later
        .chunk_by(|a, b| is_owner(a) == is_owner(b))
        .filter(|run| run.first().is_some_and(is_owner))
        .map(|run| {
            let texts: Vec<&str> = run.iter().map(|row| row.text.as_str()).collect();
            let author = run.first().and_then(|row| row.author.as_deref()).unwrap_or_default();
            replies(&texts, author)
        })
        .filter(|text| !text.is_empty())
        .take(RUNS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(conversation: &str, place: usize, text: &str) -> Reply {
        Reply { conversation: conversation.into(), asked: 0, place, text: text.into() }
    }

    fn check(replies: &[(&str, usize, &str, f32)], expect: Option<(&str, &str)>) {
        let found: Vec<Reply> =
            replies.iter().map(|(talk, place, text, _)| reply(talk, *place, text)).collect();
        let near: Vec<f32> = replies.iter().map(|(.., near)| *near).collect();
        let got = best(&found, &near);
        let got = got.as_ref().map(|draft| (draft.from[0].as_str(), draft.answer.as_str()));
        assert_eq!(got, expect, "{replies:?}");
    }

    #[test]
    fn the_reply_that_is_about_the_question_is_quoted() {
        check(&[], None);
        check(&[("a", 0, "On weekdays.", 0.2)], Some(("a", "On weekdays.")));
        check(&[("a", 0, "Hm.", 0.05), ("a", 1, "Later.", 0.3)], None);
        check(&[("a", 0, "So.", 0.3), ("b", 0, "Best.", 0.6)], Some(("b", "Best.")));
        check(&[("a", 0, "One.", 0.5), ("a", 1, "Two.", 0.55)], Some(("a", "One.\n\nTwo.")));
        check(&[("a", 0, "One.", 0.5), ("b", 0, "Two.", 0.5)], Some(("a", "One.")));
        check(&[("a", 0, "One.", 0.2), ("a", 1, "It is this.", 0.8)], Some(("a", "It is this.")));
    }
}
