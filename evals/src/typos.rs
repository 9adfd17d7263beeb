//! Slips of the pen, as people make them: a letter swapped with the next, left out, doubled or hit beside.

use crate::run::Dice;

/// Letters from which a word may get a slip.
const SHORTEST: usize = 4;
/// Letters that stand beside each other on a keyboard.
const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// The text with a slip in about this share of its words, 0 to 1.
pub(crate) fn slipped(text: &str, share: f64, dice: &mut Dice) -> String {
    let words = text.split(' ').map(|word| {
        let letters = word.chars().filter(|c| c.is_alphabetic()).count();
        let drawn = dice.roll() as f64 / u64::MAX as f64;
        if letters < SHORTEST || drawn >= share { word.to_owned() } else { slip(word, dice) }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn slip(word: &str, dice: &mut Dice) -> String {
    let mut chars: Vec<char> = word.chars().collect();
    let letters: Vec<usize> = (1..chars.len())
        .filter(|at| chars[*at].is_alphabetic() && chars[*at - 1].is_alphabetic())
        .collect();
    let pick = |dice: &mut Dice, count: usize| dice.roll() as usize % count.max(1);
    let Some(at) = letters.get(pick(dice, letters.len())).copied() else { return word.into() };
    match pick(dice, 4) {
        0 => chars.swap(at - 1, at),
        1 => drop(chars.remove(at)),
        2 => chars.insert(at, chars[at]),
        _ => chars[at] = beside(chars[at], dice),
    }
    chars.into_iter().collect()
}

/// A key next to this one.
fn beside(c: char, dice: &mut Dice) -> char {
    let row = ROWS.iter().find_map(|row| Some((row, row.find(c)?)));
    let Some((row, at)) = row else { return c };
    let left = dice.roll().is_multiple_of(2);
    let at = if at == 0 || (!left && at + 1 < row.len()) { at + 1 } else { at - 1 };
    row.chars().nth(at).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_the_wanted_share_of_words_slips() {
        let text = "please change the delivery address before tomorrow evening ".repeat(50);
        let changed = |share| {
            let slipped = slipped(&text, share, &mut Dice::new(7));
            let pairs = slipped.split(' ').zip(text.split(' '));
            pairs.filter(|(a, b)| a != b).count() as f64 / text.split(' ').count() as f64
        };
        assert_eq!(changed(0.0), 0.0);
        assert!((0.08..0.2).contains(&changed(0.15)), "{}", changed(0.15));
        assert_eq!(slipped(&text, 0.3, &mut Dice::new(1)), slipped(&text, 0.3, &mut Dice::new(1)));
        assert_eq!(slipped("a bc def", 1.0, &mut Dice::new(1)), "a bc def");
    }
}
