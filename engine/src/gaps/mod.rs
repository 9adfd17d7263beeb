//! Knowledge gaps: which questions the documents did not answer, which of them are one question, and which matter most.

pub mod autonomy;
mod cluster;
pub mod entry;
mod quote;

use std::collections::HashSet;

use crate::rules::{Action, Reason};
pub use cluster::{NEAR, clusters, cosine};
pub use quote::{question, replies};

/// Questions that are clustered at most, the newest.
pub const MOST: usize = 2_000;
/// CSAT on the scale of 1 to 5 up to which an answer has failed.
const UNHAPPY: f64 = 2.0;
/// Share of a suggestion's characters from which an edit is a rewrite.
const REWRITTEN: f64 = 0.3;

/// What became of a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fate {
    /// What was decided.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// What the owner made of the suggestion, where there was one.
    pub suggestion: Option<Judgement>,
    /// CSAT of the case, normalised to 1 to 5, where the visitor gave one.
    pub csat: Option<f64>,
}

/// What the owner made of a suggestion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Judgement {
    /// Sent as it was.
    Accepted,
    /// Sent with this share of its characters changed, 0 or more.
    Edited(f64),
    /// Thrown away.
    Discarded,
}

/// How badly a question was served: 0 to 1, none when it is no gap of the documents.
///
/// 1.0 nothing answers it · 0.9 an answer was sent and the visitor was unhappy, or a sentence had no support · 0.8 the owner threw the draft
/// away, or several answers brought the visitor no further · 0.7 the passages answer, but not surely · 0.6 the owner wrote the draft anew ·
/// 0.5 two answers were equally near · 0.4 nothing answers it and it may not be about the owner's business. Of several the greatest counts. What a person has to answer anyway is no gap: a wish for a person,
/// regulated topics, money, the visitor's own account, annoyance, what the owner keeps from the bot.
pub fn failure(fate: &Fate) -> Option<f64> {
    let kept_back = fate.action != Action::Send;
    let reason = match fate.reason {
        Reason::NoPassage if kept_back => Some(1.0),
        Reason::Unsupported if kept_back => Some(0.9),
        Reason::NoProgress if kept_back => Some(0.8),
        Reason::LowConfidence if kept_back => Some(0.7),
        Reason::Competing if kept_back => Some(0.5),
        Reason::OffTopic if kept_back => Some(0.4),
        Reason::Confident | Reason::IntentPolicy | Reason::OtherLanguage => None,
        // Nobody wants these answered from documents, or there was no question.
        _ if kept_back || fate.reason != Reason::Competing => return None,
        _ => None,
    };
    let judged = match fate.suggestion {
        Some(Judgement::Discarded) => Some(0.8),
        Some(Judgement::Edited(share)) if share > REWRITTEN => Some(0.6),
        _ => None,
    };
    let unhappy = !kept_back && fate.csat.is_some_and(|csat| csat <= UNHAPPY);
    let weights = [reason, judged, unhappy.then_some(0.9)];
    weights.into_iter().flatten().max_by(f64::total_cmp)
}

/// A question that was served badly.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The conversation.
    pub conversation: String,
    /// The visitor's message.
    pub seq: i64,
    /// Who asked: the same for all conversations of one browser.
    pub visitor: String,
    /// The question, masked.
    pub text: String,
    /// As [`failure`] has it.
    pub failure: f64,
    /// Unit vector of the text.
    pub vector: Vec<f32>,
}

/// Questions that are one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// The question that is nearest to all of them.
    pub label: String,
    /// Places in the list that was clustered: the label's first, the others by nearness to it.
    pub questions: Vec<usize>,
    /// Visitors who asked.
    pub count: usize,
    /// Mean failure, 0 to 1.
    pub failure: f64,
    /// `count` times `failure`: how much there is to win.
    pub rank: f64,
}

/// The gaps in a list of questions, the greatest first. The order of the list changes nothing but the places.
pub fn gaps(asked: &[Asked]) -> Vec<Gap> {
    let mut order: Vec<usize> = (0..asked.len().min(MOST)).collect();
    let key = |at: &usize| (&asked[*at].text, &asked[*at].conversation, asked[*at].seq);
    order.sort_by(|a, b| key(a).cmp(&key(b)));
    let vectors: Vec<&[f32]> = order.iter().map(|at| asked[*at].vector.as_slice()).collect();
    let mut gaps: Vec<Gap> = clusters(&vectors, NEAR)
        .into_iter()
        .map(|members| gap(asked, members.into_iter().map(|member| order[member]).collect()))
        .collect();
    gaps.sort_by(|a, b| b.rank.total_cmp(&a.rank).then_with(|| a.label.cmp(&b.label)));
    gaps
}

/// Members come in the order of their texts, so that ties are settled by it.
fn gap(asked: &[Asked], mut members: Vec<usize>) -> Gap {
    let mut centroid = vec![0.0; members.first().map_or(0, |first| asked[*first].vector.len())];
    for member in &members {
        for (sum, part) in centroid.iter_mut().zip(&asked[*member].vector) {
            *sum += part;
        }
    }
    members.sort_by(|a, b| {
        let near = |at: &usize| cosine(&asked[*at].vector, &centroid);
        near(b).total_cmp(&near(a))
    });
    let visitors: HashSet<&str> = members.iter().map(|at| asked[*at].visitor.as_str()).collect();
    let sum: f64 = members.iter().map(|at| asked[*at].failure).sum();
    let failure = sum / members.len().max(1) as f64;
    let label = members.first().map(|first| asked[*first].text.clone()).unwrap_or_default();
    let count = visitors.len();
    Gap { label, questions: members, count, failure, rank: count as f64 * failure }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(
        (action, reason): (Action, Reason),
        (suggestion, csat): (Option<Judgement>, Option<f64>),
        expect: Option<f64>,
    ) {
        let fate = Fate { action, reason, suggestion, csat };
        assert_eq!(failure(&fate), expect, "{fate:?}");
    }

    #[test]
    fn what_wants_an_answer_is_a_gap_and_what_wants_a_person_is_none() {
        let discarded = Some(Judgement::Discarded);
        for (decided, said, expect) in [
            ((Action::HandOff, Reason::NoPassage), (None, None), Some(1.0)),
            ((Action::HandOff, Reason::OffTopic), (None, None), Some(0.4)),
            ((Action::HandOff, Reason::LowConfidence), (None, None), Some(0.7)),
            ((Action::Hold, Reason::LowConfidence), (discarded, None), Some(0.8)),
            ((Action::Hold, Reason::LowConfidence), (Some(Judgement::Accepted), None), Some(0.7)),
            ((Action::Hold, Reason::IntentPolicy), (Some(Judgement::Edited(0.5)), None), Some(0.6)),
            ((Action::Hold, Reason::IntentPolicy), (Some(Judgement::Edited(0.2)), None), None),
            ((Action::Send, Reason::Confident), (None, Some(1.0)), Some(0.9)),
            ((Action::Send, Reason::Confident), (None, Some(3.0)), None),
            ((Action::Send, Reason::Confident), (None, None), None),
            ((Action::Send, Reason::SmallTalk), (None, Some(1.0)), None),
            ((Action::Send, Reason::Competing), (None, Some(2.0)), Some(0.9)),
            ((Action::HandOff, Reason::AskedForPerson), (None, Some(1.0)), None),
            ((Action::Hold, Reason::MoneyWords), (discarded, None), None),
            ((Action::HandOff, Reason::RegulatedTopic), (None, None), None),
            ((Action::HandOff, Reason::Frustration), (None, None), None),
            ((Action::HandOff, Reason::Fault), (None, None), None),
        ] {
            check(decided, said, expect);
        }
    }

    /// A question about topic `topic` of eight, a little off by `off`.
    fn asked(n: usize, visitor: usize, topic: usize, off: f32) -> Asked {
        let mut vector = vec![0.0; 16];
        vector[topic % 8] = 1.0;
        vector[8 + n % 8] = off;
        let length = cosine(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|part| *part /= length);
        let text = format!("question {n} about {topic}");
        let (conversation, visitor) = (format!("c{n}"), format!("v{visitor}"));
        Asked { conversation, seq: 1, visitor, text, failure: 1.0, vector }
    }

    #[test]
    fn one_visitor_who_asks_again_counts_once() {
        let list = [
            asked(0, 1, 1, 0.1),
            asked(1, 1, 1, 0.0),
            asked(2, 1, 1, 0.2),
            asked(3, 2, 2, 0.1),
            asked(4, 3, 2, 0.1),
        ];
        let found = gaps(&list);
        let seen: Vec<(usize, usize)> =
            found.iter().map(|g| (g.questions.len(), g.count)).collect();
        assert_eq!(seen, [(2, 2), (3, 1)]);
        assert_eq!(found[1].label, "question 1 about 1");
        assert_eq!(gaps(&[]), []);
    }

    proptest! {
        #[test]
        fn the_order_of_the_questions_changes_nothing(
            picks in prop::collection::vec((0_usize..6, 0_usize..8, 0.0_f32..0.9), 0..40),
            seed in any::<u64>(),
        ) {
            let list: Vec<Asked> = picks.iter().enumerate().map(|(n, (visitor, topic, off))| asked(n, *visitor, *topic, *off)).collect();
            let mut other = list.clone();
            other.sort_by_key(|one| (one.seq + i64::try_from(one.text.len()).unwrap(), seed.wrapping_mul(one.text.bytes().map(u64::from).sum::<u64>() | 1)));
            let shape = |list: &[Asked]| gaps(list).into_iter().map(|gap| {
                let texts: Vec<String> = gap.questions.iter().map(|at| list[*at].text.clone()).collect();
                (gap.label, gap.count, texts)
            }).collect::<Vec<_>>();
            let (one, two) = (shape(&list), shape(&other));
            prop_assert_eq!(one.iter().map(|gap| gap.2.len()).sum::<usize>(), list.len());
            prop_assert_eq!(one, two);
        }
    }
}
