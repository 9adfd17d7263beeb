//! Keys, passwords and one-time codes: known by how they begin, or by the words before them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Kind;
use super::shapes::Claim;
use crate::entities::compile;

/// Keys that say by their beginning what they are.
const BEGUN: &str = r"\b(?:(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|sk-[A-Za-z0-9_-]{16,}|(?:gh[pousr]|github_pat|hf|npm|whsec|shpat)_[A-Za-z0-9_]{16,}|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+)";
/// A private key in letters, to its end or that of the text.
const BLOCK: &str =
    r"(?s)-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\z)";
/// `https://name:password@host`.
const IN_URL: &str = r"://([^\s/@:\[\]]{1,64}:[^\s/@\[\]]{1,64})@";
/// Long letters and digits behind a word for a key.
const NAMED: &str = r#"(?:^|[^a-z])(?:(?:api|access|secret|private)?[ _-]?(?:key|secret|token|bearer|authorization|credentials?))s?["']?\s*(?:is|was|now|reads|of|:|=|=>|:=)*\s*["'`]?([a-z0-9+/_=-]{16,})"#;
/// Anything behind a word for a password that says so.
const PASSWORD: &str = r#"\b(?:password|passwort|passwd|pwd|passphrase|pass\s?word|mot de passe|contraseña)(?:\s+(?:for|to|of)(?:\s+[a-z]+){1,3}?)?\s*(?:[:=]|\s(?:is|was|ist|est|es|to)\b)\s*(?:[:=]|now\b)?\s*(?:"([^"\n]{4,64})"|“([^”\n]{4,64})”|`([^`\n]{4,64})`|([^\s\["“`][^\s"“`]{3,63}))"#;
/// A code behind a word for one: `your code is 482 913`.
const CODE: &str = r"(?:\b(\p{L}+)[\s:-]{1,2})?\b(?:code|otp|pin|tan|passcode|one-time password)\b(?:[^0-9\[\]\n.!?]{0,30}?\b(?:is|was|reads?|says?|got|received|here|it's)\b)?\W{1,4}?([0-9]{4,8}|[0-9]{3}[ -][0-9]{3}|[A-Z0-9]{6,8})\b";
/// A code before a word for one: `482913 is my code`.
const CODE_FIRST: &str = r"\b([0-9]{4,8}|[0-9]{3}[ -][0-9]{3})\s(?:is|was|as)\s(?:[\p{L}'-]+\s){0,3}?(?:([\p{L}-]+)\s)?(?:code|otp|pin|tan|passcode)\b";
/// What stands before "code" where it is no secret.
const OPEN: [&str; 40] = [
    "discount",
    "promo",
    "promotion",
    "promotional",
    "coupon",
    "voucher",
    "error",
    "exit",
    "status",
    "zip",
    "post",
    "postal",
    "country",
    "area",
    "source",
    "qr",
    "bar",
    "product",
    "item",
    "article",
    "colour",
    "color",
    "dress",
    "http",
    "response",
    "return",
    "tracking",
    "order",
    "booking",
    "reference",
    "referral",
    "sort",
    "language",
    "currency",
    "tax",
    "dial",
    "dialling",
    "invite",
    "campaign",
    "shipping",
];
/// What follows "password is" in plain letters where it is no password.
const STATES: [&str; 52] = [
    "wrong",
    "incorrect",
    "invalid",
    "right",
    "correct",
    "weak",
    "strong",
    "short",
    "long",
    "required",
    "gone",
    "forgotten",
    "missing",
    "empty",
    "blank",
    "case-sensitive",
    "sensitive",
    "safe",
    "secure",
    "unsafe",
    "private",
    "secret",
    "hidden",
    "known",
    "unknown",
    "there",
    "here",
    "this",
    "that",
    "what",
    "okay",
    "fine",
    "good",
    "same",
    "different",
    "broken",
    "stolen",
    "optional",
    "mandatory",
    "needed",
    "lost",
    "stale",
    "visible",
    "valid",
    "kept",
    "sent",
    "public",
    "enough",
    "mine",
    "yours",
    "them",
    "unavailable",
];

struct Secrets {
    begun: [Regex; 2],
    in_url: Regex,
    named: Regex,
    password: Regex,
    code: Regex,
    code_first: Regex,
}

/// Compiled once. `None` never happens: a test looks through texts with every secret.
static SECRETS: LazyLock<Option<Secrets>> = LazyLock::new(|| {
    Some(Secrets {
        begun: [compile(BEGUN, false).ok()?, compile(BLOCK, false).ok()?],
        in_url: compile(IN_URL, true).ok()?,
        named: compile(NAMED, true).ok()?,
        password: compile(PASSWORD, true).ok()?,
        code: compile(&words_in_any_case(CODE), false).ok()?,
        code_first: compile(CODE_FIRST, true).ok()?,
    })
});

/// Letters of a code are capitals, the words around it are not.
fn words_in_any_case(pattern: &str) -> String {
    pattern.replace("(?:code|", "(?i:code|").replace("(?:is|", "(?i:is|")
}

/// Every secret of the text.
pub(super) fn claims(text: &str) -> impl Iterator<Item = Claim> {
    SECRETS.as_ref().into_iter().flat_map(|secrets| secrets.find(text))
}

impl Secrets {
    fn find(&self, text: &str) -> Vec<Claim> {
        let begun = self.begun.iter().flat_map(|pattern| pattern.find_iter(text));
        let begun = begun.map(|found| found.range());
        let in_url =
            self.in_url.captures_iter(text).filter_map(|found| Some(found.get(1)?.range()));
        let named = self.named.captures_iter(text).filter_map(|found| Some(found.get(1)?.range()));
        let named = named.filter(|span| is_random(&text[span.clone()]));
        let passwords = self.password.captures_iter(text).filter_map(|found| {
            match (1..=3).find_map(|quoted| found.get(quoted)) {
                Some(quoted) => Some(quoted.range()),
                None => bare(text, found.get(4)?.range()),
            }
        });
        let keys = begun.chain(in_url).chain(named).chain(passwords);
        let mut claims: Vec<Claim> = keys.map(|span| Claim::new(Kind::Key, span)).collect();
        claims.extend(self.codes(text).map(|span| Claim::new(Kind::Code, span)));
        claims
    }

    fn codes<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let after = self.code.captures_iter(text).map(|found| (found.get(1), found.get(2)));
        let before = self.code_first.captures_iter(text).map(|found| (found.get(2), found.get(1)));
        after.chain(before).filter_map(|(word, code)| {
            let open = |word: &str| OPEN.contains(&word.to_lowercase().as_str());
            let code = code?;
            let digits = code.as_str().chars().any(|c| c.is_ascii_digit());
            (digits && !word.is_some_and(|word| open(word.as_str()))).then(|| code.range())
        })
    }
}

/// Letters and digits mixed, as nobody writes a word.
fn is_random(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let letters = value.chars().filter(char::is_ascii_alphabetic).count();
    digits >= 2 && letters >= 3
}

/// A password without quotes: what ends the sentence is not part of it. A plain word is one only where the sentence ends with it.
fn bare(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let value = text[span.clone()].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'', '"']);
    let end = span.start + value.len();
    let lower = value.to_lowercase();
    if value.chars().any(|c| !(c.is_alphabetic() || matches!(c, '\'' | '’' | '-'))) {
        return (value.chars().count() >= 4).then_some(span.start..end);
    }
    let state = STATES.contains(&lower.as_str()) || lower.ends_with("ed") || lower.ends_with("ing");
    let rest = text[end..].trim_start_matches([' ', '\t']);
    let over = rest.is_empty() || rest.starts_with(|c: char| ".,;!?)\n\r'\"".contains(c));
    let goes_on = ["and ", "but ", "so "].iter().any(|word| rest.starts_with(word));
    (!state && (over || goes_on) && value.chars().count() >= 4).then_some(span.start..end)
}
