//! Streams of events, written shortly.

use engine::metrics::event::{By, Event, Visit, What};
use engine::metrics::{Assumptions, Board, Case, Filter, Period, Scorecard, cases};
use engine::turn::Speaker;

pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The events of one conversation, each with its moment, in order.
pub(crate) fn stream(events: impl IntoIterator<Item = (i64, What)>) -> Vec<Event> {
    let event = |(n, (at, what)): (i64, (i64, What))| Event {
        n,
        id: format!("{n:032x}"),
        at,
        conversation: Some("c".into()),
        session: Some("s".into()),
        what,
    };
    (1..).zip(events).map(event).collect()
}

/// A message as it is written in the chat.
pub(crate) fn said(from: Speaker) -> What {
    let (answers, written_at, open_ms, template) = (None, None, None, None);
    What::MessageSent { seq: 1, from, answers, answer: false, written_at, open_ms, template }
}

/// A message that came by mail.
pub(crate) fn mail(from: Speaker, written_at: i64) -> What {
    let (answers, written_at, open_ms, template) = (None, Some(written_at), None, None);
    What::MessageSent { seq: 1, from, answers, answer: false, written_at, open_ms, template }
}

/// The bot's answer from the documents.
pub(crate) fn answer() -> What {
    let (answers, written_at, open_ms, template) = (Some(1), None, None, None);
    let from = Speaker::Bot;
    What::MessageSent { seq: 2, from, answers, answer: true, written_at, open_ms, template }
}

/// A resolve.
pub(crate) fn resolved(by: By) -> What {
    What::ChatResolved { by, resolution_time_ms: 0, turns: 0, tags: vec![] }
}

/// The beginning of a conversation.
pub(crate) fn started(page: &str, staging: bool) -> What {
    let visit = Visit { page: page.into(), ..Visit::default() };
    What::ConversationStarted { visit, staging }
}

/// The scorecard of these cases, over a period that holds them all, a long time after.
pub(crate) fn card<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Scorecard {
    let mut board = board();
    cases.into_iter().for_each(|case| board.add(case));
    board.finish()
}

/// A board of the first four weeks of 1970, a long time after.
pub(crate) fn board() -> Board {
    board_at(0)
}

/// The same, so many milliseconds later.
pub(crate) fn board_at(later: i64) -> Board {
    let period = Period { from: later, to: later + 28 * DAY };
    Board::new(period, later + 400 * DAY, Assumptions::default(), Filter::default())
}

/// The cases of one conversation.
pub(crate) fn read(events: impl IntoIterator<Item = (i64, What)>) -> Vec<Case> {
    cases(&stream(events))
}
