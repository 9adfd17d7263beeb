//! The one thing to do in a week: chosen from the scorecards of the week before and of the one before that, and measured again later.
//!
//! The first of these rules that finds something chooses:
//! 1. A topic with at least [`RATED_LEAST`] ratings, credibly worse than those of all other chats: read them, mend the answers.
//! 2. At least [`SLOW_LEAST`] chats, and a fifth of all, waited for more than a minute for the first reply.
//! 3. A reason for hand-offs that is credibly more frequent than the week before.
//! 4. The most frequent of the reasons that a missing answer has, from [`GAP_LEAST`] hand-offs on: write the answers.

use std::cmp::{Ordering, Reverse};

use super::scorecard::{Part, Reason, Scorecard};
use super::{Counts, differ};

/// Ratings of a topic from which rule 1 speaks.
pub const RATED_LEAST: u64 = 5;
/// Chats with a slow first reply from which rule 2 speaks.
pub const SLOW_LEAST: u64 = 10;
/// Hand-offs for want of an answer from which rule 4 speaks.
pub const GAP_LEAST: u64 = 5;
/// Reasons of hand-offs that a better document would have spared.
const GAPS: [&str; 5] = ["no_passage", "low_confidence", "unsupported", "competing", "no_progress"];
/// Buckets of first replies that are fast: up to a minute (mission text: "drops after 60 seconds").
const FAST: usize = 2;

/// What an item is measured by: always a share of cases, so that two weeks can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Ratings of 4 and 5; the subject is a tag, empty for all.
    Csat,
    /// First replies within 60 seconds.
    Fast,
    /// Hand-offs for one reason, which is the subject.
    HandOff,
    /// Resolved without a person; the subject is a tag, empty for all.
    Contained,
    /// Reopened within 72 hours.
    Reopened,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Csat, Self::Fast, Self::HandOff, Self::Contained, Self::Reopened];

    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csat => "csat",
            Self::Fast => "fast",
            Self::HandOff => "hand_off",
            Self::Contained => "contained",
            Self::Reopened => "reopened",
        }
    }

    /// The measure with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.as_str() == word)
    }

    /// Whether more of it is better.
    pub fn is_rising(self) -> bool {
        !matches!(self, Self::HandOff | Self::Reopened)
    }

    /// What it counts, for people.
    pub fn title(self, subject: &str) -> String {
        let of = |what: &str| match subject {
            "" => format!("Chats {what}"),
            tag => format!("Chats about {} {what}", plain(tag)),
        };
        match self {
            Self::Csat => of("rated good"),
            Self::Fast => "Chats answered within 60 seconds".into(),
            Self::HandOff => format!("Chats handed over because of “{}”", plain(subject)),
            Self::Contained => of("solved without a person"),
            Self::Reopened => "Chats that came back within 72 hours".into(),
        }
    }

    /// How often it was so in a period; of what the scorecard does not name, never of none.
    pub fn count(self, subject: &str, card: &Scorecard) -> Counts {
        let part = || card.segments.tag.iter().find(|part| part.key == subject);
        let share = match (self, subject) {
            (Self::Csat, "") => card.csat.positive,
            (Self::Csat, _) => part().map(|part| part.csat.positive).unwrap_or_default(),
            (Self::Contained, "") => card.containment,
            (Self::Contained, _) => part().map(|part| part.containment).unwrap_or_default(),
            (Self::Reopened, _) => card.reopened,
            (Self::Fast, _) => return fast(card),
            (Self::HandOff, _) => return handed_off(subject, card),
        };
        Counts { hits: share.hits, of: share.of }
    }

    /// Whether it is credibly better or worse than before; none while the difference may be chance.
    pub fn verdict(self, before: Counts, after: Counts) -> Option<Ordering> {
        let verdict = differ(after, before, 1)?;
        Some(if self.is_rising() { verdict } else { verdict.reverse() })
    }
}

/// What is proposed for a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is measured by.
    pub measure: Measure,
    /// The tag or reason that it is about; empty for all chats.
    pub subject: String,
    /// Two sentences: what was seen, and what to do.
    pub text: String,
    /// The figure it should change.
    pub before: Counts,
}

/// Chooses by the rules above; none when nothing stands out.
pub fn choose(card: &Scorecard, before: Option<&Scorecard>) -> Option<Item> {
    unloved(card)
        .or_else(|| slow(card))
        .or_else(|| before.and_then(|before| grown(card, before)))
        .or_else(|| gap(card))
}

fn unloved(card: &Scorecard) -> Option<Item> {
    let all = Counts { hits: card.csat.positive.hits, of: card.csat.positive.of };
    let counts = |part: &Part| Counts { hits: part.csat.positive.hits, of: part.csat.positive.of };
    let rated: Vec<&Part> =
        card.segments.tag.iter().filter(|part| part.csat.n >= RATED_LEAST).collect();
    let looks = u32::try_from(rated.len()).unwrap_or(u32::MAX);
    let worse = rated.into_iter().filter(|part| {
        let own = counts(part);
        let others =
            Counts { hits: all.hits.saturating_sub(own.hits), of: all.of.saturating_sub(own.of) };
        !part.key.is_empty() && differ(own, others, looks) == Some(Ordering::Less)
    });
    let part =
        worse.max_by_key(|part| (part.csat.n - part.csat.positive.hits, Reverse(&part.key)))?;
    let own = counts(part);
    let text = format!(
        "Chats about {} are rated lower than the others: {} of {} good, against {} of {}. Read them, and mend the answers or the saved replies.",
        plain(&part.key),
        own.hits,
        own.of,
        all.hits - own.hits,
        all.of - own.of
    );
    Some(Item { measure: Measure::Csat, subject: part.key.clone(), text, before: own })
}

fn slow(card: &Scorecard) -> Option<Item> {
    let before = fast(card);
    let late = before.of - before.hits;
    if late < SLOW_LEAST || late * 5 < before.of {
        return None;
    }
    let text = format!(
        "{late} of {} chats waited for more than a minute for the first reply. Let the bot answer more by itself, or say in the office hours when you are there.",
        before.of
    );
    Some(Item { measure: Measure::Fast, subject: String::new(), text, before })
}

fn grown(card: &Scorecard, earlier: &Scorecard) -> Option<Item> {
    let looks = u32::try_from(card.hand_offs.len()).unwrap_or(u32::MAX);
    let more = card.hand_offs.iter().filter(|one| {
        let (now, then) = (handed_off(&one.reason, card), handed_off(&one.reason, earlier));
        differ(now, then, looks) == Some(Ordering::Greater)
    });
    let reason = &most(more)?.reason;
    let (now, then) = (handed_off(reason, card), handed_off(reason, earlier));
    let text = format!(
        "More chats went to a person because of “{}”: {} of {}, after {} of {} the week before. Read them, and see what the bot lacked.",
        plain(reason),
        now.hits,
        now.of,
        then.hits,
        then.of
    );
    Some(Item { measure: Measure::HandOff, subject: reason.clone(), text, before: now })
}

fn gap(card: &Scorecard) -> Option<Item> {
    let gaps = card.hand_offs.iter().filter(|one| GAPS.contains(&one.reason.as_str()));
    let reason = &most(gaps.filter(|one| one.n >= GAP_LEAST))?.reason;
    let before = handed_off(reason, card);
    let text = format!(
        "The bot lacked an answer in {} of {} chats (“{}”). Write the answers that are missing; the page Gaps has the questions.",
        before.hits,
        before.of,
        plain(reason)
    );
    Some(Item { measure: Measure::HandOff, subject: reason.clone(), text, before })
}

fn most<'a>(reasons: impl Iterator<Item = &'a Reason>) -> Option<&'a Reason> {
    reasons.max_by_key(|one| (one.n, Reverse(&one.reason)))
}

fn fast(card: &Scorecard) -> Counts {
    let n = |buckets: &[super::scorecard::FrtBucket]| buckets.iter().map(|bucket| bucket.n).sum();
    Counts {
        hits: n(&card.frt_buckets[..FAST.min(card.frt_buckets.len())]),
        of: n(&card.frt_buckets),
    }
}

/// A case may be handed off more than once for the same reason; of all cases no more than all are.
fn handed_off(reason: &str, card: &Scorecard) -> Counts {
    let n = card.hand_offs.iter().find(|one| one.reason == reason).map_or(0, |one| one.n);
    Counts { hits: n.min(card.cases), of: card.cases }
}

/// An id as words: `bug_report` is "bug report".
fn plain(id: &str) -> String {
    id.replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Assumptions, Board, Case, Filter, Period, Survey};

    const DAY: i64 = 86_400_000;

    /// A card of cases: tag, rating, seconds to the first reply, reason of a hand-off; each so often.
    fn card(cases: &[(&str, u8, i64, &str, usize)]) -> Scorecard {
        let period = Period { from: 0, to: 7 * DAY };
        let mut board = Board::new(period, 60 * DAY, Assumptions::default(), Filter::default());
        for (tag, rating, seconds, reason, times) in cases {
            let csat = Survey { asked: true, declined: false, answer: Some((*rating, 5)) };
            let case = Case {
                began_at: 1,
                tags: vec![(*tag).into()],
                csat,
                frt_bot_ms: Some(seconds * 1_000),
                hand_offs: if reason.is_empty() { vec![] } else { vec![(*reason).into()] },
                ..Case::default()
            };
            (0..*times).for_each(|_| board.add(&case));
        }
        board.finish()
    }

    fn check(
        cases: &[(&str, u8, i64, &str, usize)],
        earlier: Option<&Scorecard>,
        expect: Option<(Measure, &str, (u64, u64))>,
    ) {
        let item = choose(&card(cases), earlier);
        let got = item
            .as_ref()
            .map(|item| (item.measure, item.subject.as_str(), (item.before.hits, item.before.of)));
        assert_eq!(got, expect, "{item:?}");
    }

    #[test]
    fn the_first_rule_that_finds_something_chooses() {
        use Measure::{Csat, Fast, HandOff};
        check(&[], None, None);
        check(&[("pricing", 5, 1, "", 100)], None, None);
        let bad = [("pricing", 5, 1, "", 80), ("billing", 1, 1, "", 25), ("billing", 5, 1, "", 5)];
        check(&bad, None, Some((Csat, "billing", (5, 30))));
        // Few ratings say nothing.
        check(&[("pricing", 5, 1, "", 80), ("billing", 1, 1, "", 1)], None, None);
        check(&[("a", 5, 1, "", 40), ("a", 5, 90, "", 10)], None, Some((Fast, "", (40, 50))));
        check(&[("a", 5, 1, "", 41), ("a", 5, 90, "", 9)], None, None);
        let asked = [("a", 5, 1, "asked_for_person", 30), ("a", 5, 1, "", 70)];
        let earlier = card(&[("a", 5, 1, "asked_for_person", 2), ("a", 5, 1, "", 98)]);
        check(&asked, Some(&earlier), Some((HandOff, "asked_for_person", (30, 100))));
        check(&asked, Some(&card(&asked)), None);
        check(&asked, None, None);
        let gaps =
            [("a", 5, 1, "no_passage", 5), ("a", 5, 1, "low_confidence", 5), ("a", 5, 1, "", 90)];
        check(&gaps, None, Some((HandOff, "low_confidence", (5, 100))));
        check(&[("a", 5, 1, "no_passage", 4), ("a", 5, 1, "", 90)], None, None);
    }

    #[test]
    fn what_follows_is_measured_by_the_same_figure() {
        let counts = |hits, of| Counts { hits, of };
        let after = card(&[("billing", 5, 1, "no_passage", 40), ("billing", 1, 70, "", 2)]);
        assert_eq!(Measure::Csat.count("billing", &after), counts(40, 42));
        assert_eq!(Measure::Csat.count("gone", &after), counts(0, 0));
        assert_eq!(Measure::Fast.count("", &after), counts(40, 42));
        assert_eq!(Measure::HandOff.count("no_passage", &after), counts(40, 42));
        for (measure, before, after, expect) in [
            (Measure::Csat, counts(5, 30), counts(40, 42), Some(Ordering::Greater)),
            (Measure::HandOff, counts(5, 30), counts(40, 42), Some(Ordering::Less)),
            (Measure::Csat, counts(5, 10), counts(6, 10), None),
            (Measure::Csat, counts(0, 0), counts(0, 0), None),
        ] {
            assert_eq!(measure.verdict(before, after), expect, "{measure:?}");
        }
        assert_eq!(Measure::Csat.title("bug_report"), "Chats about bug report rated good");
    }
}
