//! What the text of a driven message says of itself: who sent it, which one it is, when it was meant to be sent.

use std::time::{Duration, Instant};

/// Bytes of a text.
const LENGTH: usize = 256;

/// A message's origin. Text: `SENDER NUMBER MICROSECONDS xxx…`, 256 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Stamp {
    /// Number of the client.
    pub(crate) sender: u32,
    /// Of its messages, from 1.
    pub(crate) number: u32,
    /// Intended time in microseconds since the run began.
    pub(crate) due_us: u64,
}

impl Stamp {
    /// A message that was meant to be sent at `due`, in a run that began at `start`.
    pub(crate) fn new((sender, number): (u32, u32), due: Instant, start: Instant) -> Self {
        let due_us = u64::try_from((due - start).as_micros()).unwrap_or(u64::MAX);
        Self { sender, number, due_us }
    }

    /// The message.
    pub(crate) fn text(self) -> String {
        let Self { sender, number, due_us } = self;
        format!("{:x<LENGTH$}", format!("{sender} {number} {due_us} "))
    }

    /// Reads a message; `None` for one that nobody stamped.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let (sender, place, due_us) = (number()?, number()?, number()?);
        Some(Self {
            sender: u32::try_from(sender).ok()?,
            number: u32::try_from(place).ok()?,
            due_us,
        })
    }

    /// Milliseconds from the intended time to `now`.
    pub(crate) fn late_ms(self, now: Instant, start: Instant) -> f64 {
        let due = start + Duration::from_micros(self.due_us);
        now.saturating_duration_since(due).as_secs_f64() * 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_where_it_comes_from() {
        let start = Instant::now();
        let stamp = Stamp::new((7, 3), start + Duration::from_millis(1_500), start);
        let text = stamp.text();
        assert_eq!((text.len(), Stamp::read(&text)), (LENGTH, Some(stamp)));
        assert!(text.starts_with("7 3 1500000 xxx"));
        assert_eq!(stamp.late_ms(start + Duration::from_secs(2), start), 500.0);
        for other in ["", "You asked for a person.", "1 2", "1 2 x", "-1 2 3"] {
            assert_eq!(Stamp::read(other), None, "{other}");
        }
    }
}
