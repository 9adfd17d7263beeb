//! Which language a text is in, and which one a visitor writes: found from letters and little words, kept until something clearly else
//! is said.

use std::collections::HashMap;
use std::sync::LazyLock;

use whatlang::{Detector, Lang};

use crate::text;
use crate::turn::{Speaker, Turn};

/// The little words of each language, one language a line, its code first. A word that several languages share counts for each with
/// its part.
const WORDS: &str = include_str!("words.txt");
/// Score by little words that makes a language sure, and how far it has to be ahead of the next.
const SURE: (f32, f32) = (1.5, 0.9);
/// Score by little words that speaks clearly against a language that was sure before, and the lead it needs.
const CLEAR: (f32, f32) = (3.0, 2.0);
/// Lead by little words over what the letters say that outweighs the letters.
const OUTWEIGHS: f32 = 1.0;
/// Lead by little words that decides where the letters are unsure.
const LEADS: f32 = 0.3;
/// Messages after which another language is believed that was sure in each, however little each says.
const BELIEVED: u32 = 2;
/// Letters that a text needs for any language to be sure.
const LETTERS: usize = 4;
/// Words from which a text has little words if it is in any language that they are known of.
const SENTENCE: usize = 12;
/// Characters at the start of a text that are read; more say nothing else.
const READ_CHARS: usize = 1_000;
/// Messages of a conversation that are read, the newest.
const MESSAGES: usize = 100;

/// The languages that are told apart, by the first part of their BCP 47 tag.
const LANGUAGES: [(&str, Lang); 49] = [
    ("ar", Lang::Ara),
    ("bg", Lang::Bul),
    ("bn", Lang::Ben),
    ("ca", Lang::Cat),
    ("cs", Lang::Ces),
    ("da", Lang::Dan),
    ("de", Lang::Deu),
    ("el", Lang::Ell),
    ("en", Lang::Eng),
    ("es", Lang::Spa),
    ("et", Lang::Est),
    ("fa", Lang::Pes),
    ("fi", Lang::Fin),
    ("fr", Lang::Fra),
    ("gu", Lang::Guj),
    ("he", Lang::Heb),
    ("hi", Lang::Hin),
    ("hr", Lang::Hrv),
    ("hu", Lang::Hun),
    ("hy", Lang::Hye),
    ("id", Lang::Ind),
    ("it", Lang::Ita),
    ("ja", Lang::Jpn),
    ("ka", Lang::Kat),
    ("km", Lang::Khm),
    ("kn", Lang::Kan),
    ("ko", Lang::Kor),
    ("lt", Lang::Lit),
    ("lv", Lang::Lav),
    ("ml", Lang::Mal),
    ("mr", Lang::Mar),
    ("my", Lang::Mya),
    ("nb", Lang::Nob),
    ("nl", Lang::Nld),
    ("pa", Lang::Pan),
    ("pl", Lang::Pol),
    ("pt", Lang::Por),
    ("ro", Lang::Ron),
    ("ru", Lang::Rus),
    ("sk", Lang::Slk),
    ("sl", Lang::Slv),
    ("sv", Lang::Swe),
    ("ta", Lang::Tam),
    ("te", Lang::Tel),
    ("th", Lang::Tha),
    ("tr", Lang::Tur),
    ("uk", Lang::Ukr),
    ("vi", Lang::Vie),
    ("zh", Lang::Cmn),
];

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::with_allowlist(LANGUAGES.iter().map(|(_, lang)| *lang).collect()));
static LITTLE: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(little_words);

/// How sure a guess is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The likeliest, and no more.
    Guessed,
    /// Enough to go by where nothing else is known.
    Sure,
    /// Enough to change one's mind.
    Clear,
}

/// The language that a text seems to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guess {
    /// First part of its BCP 47 tag: `de`.
    pub code: &'static str,
    /// How sure that is.
    pub certainty: Certainty,
}

/// The language of a text; `None` when it has no letters.
pub fn of_text(text: &str) -> Option<Guess> {
    let text = without_names(without_quotes(&text.chars().take(READ_CHARS).collect::<Vec<_>>()));
    let letters = DETECTOR.detect(&text)?;
    let by_letters = LANGUAGES.iter().find(|(_, lang)| *lang == letters.lang())?.0;
    let scores = scores(&text);
    let score = |code: &str| scores.iter().find(|(c, _)| *c == code).map_or(0.0, |(_, s)| *s);
    let (by_words, best) = scores.first().copied().unwrap_or((by_letters, 0.0));
    let lead = best - scores.get(1).map_or(0.0, |(_, next)| *next);
    let known = has_little_words(by_letters);
    let outweighed = known && best - score(by_letters) >= OUTWEIGHS;
    if letters.is_reliable() && !outweighed {
        // A list of names has the letters of some language, and none of its little words.
        let names = known && score(by_letters) < 1.0 && text::words(&text).len() >= SENTENCE;
        let enough = !names && text.chars().filter(|c| c.is_alphabetic()).count() >= LETTERS;
        let certainty = if enough { Certainty::Clear } else { Certainty::Guessed };
        return Some(Guess { code: by_letters, certainty });
    }
    let reaches = |(least, ahead): (f32, f32)| best >= least && lead >= ahead;
    let certainty = match (reaches(CLEAR), reaches(SURE)) {
        (true, _) => Certainty::Clear,
        (false, true) => Certainty::Sure,
        (false, false) => Certainty::Guessed,
    };
    Some(Guess { code: if lead >= LEADS { by_words } else { by_letters }, certainty })
}

/// The text without what stands in quotation marks: an error message or a title that a visitor repeats is not how they write.
/// All of it where nothing else has letters.
fn without_quotes(chars: &[char]) -> String {
    let mut kept = String::with_capacity(chars.len());
    let in_word = |at: usize| chars.get(at).is_some_and(|c| c.is_alphanumeric());
    let mut at = 0;
    while at < chars.len() {
        let opens = closing(chars[at]).filter(|_| at == 0 || !in_word(at - 1));
        let end = opens.and_then(|close| {
            (at + 1..chars.len()).find(|end| chars[*end] == close && !in_word(end + 1))
        });
        match end {
            Some(end) => {
                kept.push(' ');
                at = end + 1;
            }
            None => {
                kept.push(chars[at]);
                at += 1;
            }
        }
    }
    if kept.chars().any(char::is_alphabetic) { kept } else { chars.iter().collect() }
}

/// The mark that ends what `open` begins; `None` when it begins nothing.
fn closing(open: char) -> Option<char> {
    match open {
        '"' | '`' | '\'' => Some(open),
        '“' => Some('”'),
        '„' => Some('“'),
        '‘' => Some('’'),
        '«' => Some('»'),
        _ => None,
    }
}

/// The text without its Latin letters where much of it is in another script: names of products are written so everywhere.
fn without_names(text: String) -> String {
    let letters = text.chars().filter(|c| c.is_alphabetic());
    let (latin, others): (Vec<char>, Vec<char>) =
        letters.partition(|c| c.is_ascii() || ('À'..='ɏ').contains(c));
    let foreign = others.len() >= LETTERS && others.len() * 2 >= latin.len();
    if foreign { text.replace(|c: char| c.is_ascii_alphabetic(), " ") } else { text }
}

/// The language that the visitor of a turn writes, once that is sure; it changes only on clear evidence, or when two messages in a
/// row are surely in another.
pub fn of_visitor(turn: &Turn) -> Option<&'static str> {
    let earlier = turn.history.iter().filter(|message| message.speaker == Speaker::Visitor);
    let texts: Vec<&str> =
        earlier.map(|message| message.text.as_str()).chain([turn.question.as_str()]).collect();
    let mut pinned = None;
    let mut others: (&str, u32) = ("", 0);
    for text in &texts[texts.len().saturating_sub(MESSAGES)..] {
        let Some(Guess { code, certainty }) = of_text(text) else { continue };
        if certainty == Certainty::Guessed {
            continue;
        }
        others = if others.0 == code { (code, others.1 + 1) } else { (code, 1) };
        if pinned.is_none() || certainty == Certainty::Clear || others.1 >= BELIEVED {
            pinned = Some(code);
        }
    }
    pinned
}

/// The languages whose little words stand in the text, each with its score, the best first.
fn scores(text: &str) -> Vec<(&'static str, f32)> {
    let mut scores: Vec<(&'static str, f32)> = Vec::new();
    for word in text::words(text) {
        let Some(codes) = LITTLE.get(word.as_str()) else { continue };
        for code in codes {
            let part = 1.0 / codes.len() as f32;
            match scores.iter_mut().find(|(known, _)| known == code) {
                Some((_, score)) => *score += part,
                None => scores.push((code, part)),
            }
        }
    }
    scores.sort_by(|a, b| b.1.total_cmp(&a.1));
    scores
}

/// Whether the little words of a language are known; where they are not, words of others say nothing against it.
fn has_little_words(code: &str) -> bool {
    WORDS.lines().any(|line| line.split_whitespace().next() == Some(code))
}

/// Each little word with the languages that have it.
fn little_words() -> HashMap<&'static str, Vec<&'static str>> {
    let mut all: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in WORDS.lines() {
        let mut words = line.split_whitespace();
        let Some(code) = words.next() else { continue };
        for word in words {
            let codes = all.entry(word).or_default();
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests;
