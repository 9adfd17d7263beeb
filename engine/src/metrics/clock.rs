//! The timers that run in a conversation: when its case began, who has replied, since when the visitor waits.
//!
//! A case begins with the visitor's first message and ends when it is resolved. A message within [`REOPEN_MS`] of the resolve opens the
//! same case again; a later one begins the next case.

use super::event::{By, What};
use crate::turn::Speaker;

/// Milliseconds after a resolve within which a message reopens the case: 72 hours (mission text: "reopened within 72 hours").
pub const REOPEN_MS: i64 = 72 * 3_600_000;

/// The timers of a conversation. Moments are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// The case, from 1; 0 before the first.
    pub place: i64,
    /// The visitor's first message of the case.
    pub began_at: Option<i64>,
    /// The oldest message of the visitor that nobody has replied to.
    pub waits_since: Option<i64>,
    /// The bot's first message of the case.
    pub bot_at: Option<i64>,
    /// The owner's first message of the case.
    pub owner_at: Option<i64>,
    /// Messages of visitor, bot and owner in the case.
    pub turns: i64,
    /// When it was resolved; none while it is open.
    pub resolved_at: Option<i64>,
}

/// What a message means for the timers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timed {
    /// The case was resolved and is open again: milliseconds since then.
    pub reopened_after: Option<i64>,
    /// It is a reply, and this is since when the visitor had waited for it.
    pub waited_since: Option<i64>,
    /// It is the first of its kind, and this is when the case began.
    pub first_since: Option<i64>,
}

impl Running {
    /// A message was written at `moment`. Those of the system move nothing.
    pub fn said(&mut self, from: Speaker, moment: i64) -> Timed {
        let mut timed = Timed::default();
        let first = match from {
            Speaker::System => return timed,
            Speaker::Visitor => {
                timed.reopened_after = self.asked(moment);
                self.turns += 1;
                return timed;
            }
            Speaker::Bot => &mut self.bot_at,
            Speaker::Owner => &mut self.owner_at,
        };
        if self.resolved_at.is_none() {
            self.turns += 1;
            if first.is_none() {
                *first = Some(moment);
                timed.first_since = self.began_at;
            }
        }
        timed.waited_since = self.waits_since.take();
        timed
    }

    /// The visitor has written: the milliseconds since the resolve when that opens the case again.
    fn asked(&mut self, moment: i64) -> Option<i64> {
        let since = self.resolved_at.map(|resolved| moment.saturating_sub(resolved).max(0));
        if self.began_at.is_none() || since.is_some_and(|since| since > REOPEN_MS) {
            *self = Self { place: self.place + 1, began_at: Some(moment), ..Self::default() };
        }
        self.waits_since.get_or_insert(moment);
        self.resolved_at = None;
        since.filter(|since| *since <= REOPEN_MS)
    }

    /// The visitor has opened the case again, at `moment`: it is open when that was within [`REOPEN_MS`] of the resolve.
    pub fn reopened(&mut self, moment: i64) -> bool {
        let since = self.resolved_at.map(|resolved| moment.saturating_sub(resolved));
        let open = since.is_some_and(|since| since <= REOPEN_MS);
        if open {
            self.resolved_at = None;
        }
        open
    }

    /// The case is resolved; none when there is no case that is open.
    pub fn resolved(&mut self, by: By, now: i64, tags: Vec<String>) -> Option<What> {
        let began_at = self.began_at.filter(|_| self.resolved_at.is_none())?;
        self.resolved_at = Some(now);
        self.waits_since = None;
        let resolution_time_ms = now.saturating_sub(began_at).max(0);
        Some(What::ChatResolved { by, resolution_time_ms, turns: self.turns, tags })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(running: &mut Running, now: i64) -> Option<(i64, i64)> {
        match running.resolved(By::Owner, now, vec![])? {
            What::ChatResolved { resolution_time_ms, turns, .. } => {
                Some((resolution_time_ms, turns))
            }
            _ => None,
        }
    }

    #[test]
    fn a_case_is_timed_from_its_first_message_to_its_end() {
        let mut running = Running::default();
        assert_eq!(resolve(&mut running, 5), None, "nothing has begun");
        assert_eq!(running.said(Speaker::Visitor, 10), Timed::default());
        running.said(Speaker::Visitor, 12);
        running.said(Speaker::System, 13);
        let reply = running.said(Speaker::Bot, 15);
        assert_eq!((reply.waited_since, reply.first_since), (Some(10), Some(10)));
        let more = running.said(Speaker::Bot, 16);
        assert_eq!((more.waited_since, more.first_since), (None, None));
        running.said(Speaker::Visitor, 20);
        let person = running.said(Speaker::Owner, 40);
        assert_eq!((person.waited_since, person.first_since), (Some(20), Some(10)));
        assert_eq!(resolve(&mut running, 50), Some((40, 6)));
        assert_eq!(resolve(&mut running, 51), None, "it is resolved");
    }

    #[test]
    fn a_message_reopens_a_case_for_72_hours_and_begins_another_later() {
        for (after, reopens) in [(0, true), (REOPEN_MS, true), (REOPEN_MS + 1, false)] {
            let mut running = Running::default();
            running.said(Speaker::Visitor, 0);
            running.said(Speaker::Bot, 5);
            resolve(&mut running, 10);
            let again = running.said(Speaker::Visitor, 10 + after);
            assert_eq!(again.reopened_after, reopens.then_some(after));
            let expect = if reopens { (1, 10 + after, 3) } else { (2, 0, 1) };
            assert_eq!(
                (running.place, resolve(&mut running, 10 + after).unwrap()),
                (expect.0, (expect.1, expect.2))
            );
        }
    }

    #[test]
    fn a_reply_to_a_resolved_case_is_timed_no_more() {
        let mut running = Running::default();
        running.said(Speaker::Visitor, 0);
        resolve(&mut running, 1);
        assert_eq!(running.said(Speaker::Owner, 2), Timed::default());
        assert_eq!(running.turns, 1);
    }
}
