//! When a visitor has said what they want to say: how long more words are waited for before a reply is begun.

use crate::text;

/// Milliseconds that a reply waits at most, counted from the first of the messages that it answers.
pub const LONGEST_MS: i64 = 3_000;
/// Words from which a message that ends in a question mark is a whole question.
const WHOLE_WORDS: usize = 4;
/// A whole question is followed by more words less often; it waits for this part of the quiet time.
const WHOLE_SHARE: i64 = 3;

/// When the reply to `newest`, which came at `now`, is due: after `quiet_ms` without more words, sooner after a whole question,
/// and at `latest` however the words keep coming. All times in milliseconds.
pub fn due(newest: &str, (now, latest): (i64, i64), quiet_ms: i64) -> i64 {
    let quiet = if is_whole_question(newest) { quiet_ms / WHOLE_SHARE } else { quiet_ms };
    (now + quiet).min(latest.max(now))
}

/// Whether the words read as a question that needs nothing after it.
fn is_whole_question(text: &str) -> bool {
    text.trim_end().ends_with(['?', '？', '؟']) && text::words(text).len() >= WHOLE_WORDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_due_when_the_visitor_falls_silent() {
        for (newest, now, latest, expect) in [
            ("Hi", 1_000, 4_000, 1_700),
            ("one question", 1_000, 4_000, 1_700),
            ("Really?", 1_000, 4_000, 1_700),
            ("Which port does it use?", 1_000, 4_000, 1_233),
            ("Which port does it use ? ", 1_000, 4_000, 1_233),
            ("ポートはどれですか？", 1_000, 4_000, 1_233),
            ("Which port? It is for our router", 1_000, 4_000, 1_700),
            // The first words have waited long enough.
            ("and also", 3_600, 4_000, 4_000),
            ("and also", 9_000, 4_000, 9_000),
        ] {
            assert_eq!(due(newest, (now, latest), 700), expect, "{newest:?} at {now}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_due_before_it_came_or_after_the_latest(
            text in "\\PC{0,40}", now in 0_i64..10_000, left in -5_000_i64..5_000, quiet in 0_i64..3_000
        ) {
            let due = due(&text, (now, now + left), quiet);
            proptest::prop_assert!(due >= now && due <= now + left.max(0));
        }
    }
}
