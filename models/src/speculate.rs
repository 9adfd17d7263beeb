//! Prompt lookup: what followed the last words when they stood in the text before is a good guess at what follows now.
//!
//! The idea is Apoorv Saxena's ("Prompt Lookup Decoding", 2023). Guesses are read in one pass with the token before
//! them and kept as far as the model would have picked them, so they change how fast a reply comes and nothing else.

/// Tokens at the end that are compared at most.
const LONGEST: usize = 8;
/// Tokens that have to agree for a guess.
const SHORTEST: usize = 2;
/// Tokens guessed at most.
pub const MOST: usize = 12;

/// How many tokens to guess, by how well guesses went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace(usize);

impl Default for Pace {
    fn default() -> Self {
        Self(4)
    }
}

impl Pace {
    /// What to guess next time, when `right` of `guessed` tokens were right.
    pub fn learn(&mut self, guessed: usize, right: usize) {
        if guessed > 0 {
            self.0 = if right == guessed { self.0 * 2 } else { right + 2 }.clamp(2, MOST);
        }
    }
}

/// Tokens that may follow `text`, at most as many as the pace says and `room`: those after the place before its end that
/// agrees with the end the longest, the latest of equals. Often none.
pub fn guess(text: &[u32], pace: Pace, room: usize) -> &[u32] {
    let agreeing = |end: usize| {
        let (before, last) = (text[..end].iter().rev(), text.iter().rev());
        before.zip(last).take(LONGEST).take_while(|(a, b)| a == b).count()
    };
    let best =
        (1..text.len()).map(|end| (agreeing(end), end)).filter(|(same, _)| *same >= SHORTEST).max();
    let Some((same, end)) = best else { return &[] };
    // Two words that agree may do so by chance.
    let most = if same == SHORTEST { pace.0.min(SHORTEST + 1) } else { pace.0 };
    &text[end..text.len().min(end + most.min(room))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_follow_the_longest_agreement() {
        let rows: [(&[u32], usize, usize, &[u32]); 8] = [
            (&[], 4, 9, &[]),
            (&[1, 2, 3], 4, 9, &[]),
            (&[1, 2, 3, 4, 5, 6, 9, 2, 3], 4, 9, &[4, 5, 6]),
            (&[1, 2, 3, 4, 5, 6, 9, 1, 2, 3], 4, 9, &[4, 5, 6, 9]),
            (&[1, 2, 3, 4, 5, 6, 9, 1, 2, 3], 4, 1, &[4]),
            (&[1, 2, 3, 4, 5, 6, 9, 1, 2, 3], 4, 0, &[]),
            (&[1, 2, 3, 7, 8, 2, 3, 8, 1, 2, 3], 1, 9, &[7]),
            (&[2, 3, 4, 2, 3, 5, 2, 3], 4, 9, &[5, 2, 3]),
        ];
        for (text, pace, room, expect) in rows {
            assert_eq!(guess(text, Pace(pace), room), expect, "{text:?}");
        }
    }

    #[test]
    fn the_pace_grows_with_success() {
        let mut pace = Pace::default();
        pace.learn(4, 4);
        assert_eq!(pace, Pace(8));
        pace.learn(8, 8);
        assert_eq!(pace, Pace(MOST));
        pace.learn(12, 0);
        assert_eq!(pace, Pace(2));
        pace.learn(0, 0);
        assert_eq!(pace, Pace(2));
    }
}
