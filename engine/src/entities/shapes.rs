//! The shapes that every owner's messages share: e-mail addresses, dates, amounts of money and phone numbers.

use super::own::compile;
use super::{Check, Finder, Kind, PatternError, Value};

/// Days of the months in a year that is no leap year.
const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// Beginnings of the months' names, which is how they are told apart.
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MONTH: &str = "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|\
    sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?";
const DAY: &str = r"\d{1,2}(?:st|nd|rd|th)?";
const MAILBOX: &str = r"[a-z0-9](?:[a-z0-9._%+'-]{0,62}[a-z0-9_+-])?";
const HOST: &str = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}";
/// Signs, codes and words for currencies, with their ISO 4217 codes. A bare `$` is read as US dollars.
const CURRENCIES: [(&str, &str); 22] = [
    ("€", "EUR"),
    ("$", "USD"),
    ("£", "GBP"),
    ("¥", "JPY"),
    ("₹", "INR"),
    ("eur", "EUR"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("usd", "USD"),
    ("dollar", "USD"),
    ("dollars", "USD"),
    ("gbp", "GBP"),
    ("pound", "GBP"),
    ("pounds", "GBP"),
    ("chf", "CHF"),
    ("jpy", "JPY"),
    ("inr", "INR"),
    ("cad", "CAD"),
    ("aud", "AUD"),
    ("sek", "SEK"),
    ("dkk", "DKK"),
    ("pln", "PLN"),
];
const CURRENCY: &str =
    r"(?:[€$£¥₹]|(?:eur|euros?|usd|dollars?|gbp|pounds?|chf|jpy|inr|cad|aud|sek|dkk|pln)\b)";
const NUMBER: &str = r"\d{1,3}(?:[.,'\u{a0}]\d{3})+(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,2})?";

/// A number with its country, or as it is dialled at home with a leading 0.
const DIALLED: &str =
    r"(?:\+|\(?00?)[1-9]\d{0,14}\)?(?:[ \u{a0}/.-]?(?:\(\d{1,5}\)|\d{2,14})){0,6}";
/// Three to five groups of digits.
const GROUPED: &str = r"(?:\(\d{2,4}\) ?|\d{1,3}[ \u{a0}.-])\d{2,4}(?:[ \u{a0}.-]\d{2,4}){1,3}";
/// Digits that such groups have together.
const GROUPED_DIGITS: std::ops::RangeInclusive<usize> = 9..=12;
/// Digits of a phone number (ITU-T E.164 allows 15).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

pub(super) fn finders() -> Result<Vec<Finder>, PatternError> {
    let shapes: [(Kind, String, Check); 9] = [
        (Kind::Email, format!("{MAILBOX}@{HOST}"), |written| Some(written.to_lowercase())),
        (Kind::Date, r"\d{4}-\d{2}-\d{2}".into(), iso_date),
        (Kind::Date, r"\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})".into(), numbered_date),
        (Kind::Date, format!(r"{DAY}\.?(?:\s+of)?\s+{MONTH},?\s+\d{{4}}"), named_date),
        (Kind::Date, format!(r"{MONTH}\s+{DAY},?\s+\d{{4}}"), named_date),
        (Kind::Amount, format!(r"{CURRENCY}\s?(?:{NUMBER})"), amount),
        (Kind::Amount, format!(r"(?:{NUMBER})\s?{CURRENCY}"), amount),
        (Kind::Phone, DIALLED.into(), phone),
        (Kind::Phone, GROUPED.into(), grouped_phone),
    ];
    let finder = |(kind, pattern, check): (Kind, String, _)| {
        let compiled = compile(&pattern, true);
        let pattern = compiled.map_err(|problem| PatternError { at: 0, problem })?;
        Ok(Finder { kind, pattern, value: Value::Checked(check) })
    };
    shapes.into_iter().map(finder).collect()
}

/// The numbers in a text, in order.
fn numbers(text: &str) -> Vec<u32> {
    let parts = text.split(|c: char| !c.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

fn is_date(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = DAYS.get((month as usize).wrapping_sub(1)).copied().unwrap_or(0);
    (1..=days + u32::from(leap && month == 2)).contains(&day)
}

fn iso_date(written: &str) -> Option<String> {
    let [year, month, day] = numbers(written)[..] else { return None };
    is_date(year, month, day).then(|| written.to_owned())
}

/// Which of the first two numbers is the month is not certain, so it stays as written; one of them has to be.
fn numbered_date(written: &str) -> Option<String> {
    let [one, two, year] = numbers(written)[..] else { return None };
    let is_one = is_date(year, two, one) || is_date(year, one, two);
    is_one.then(|| written.to_owned())
}

/// `12 March 2026`, `March 12, 2026` and the like.
fn named_date(written: &str) -> Option<String> {
    let [day, year] = numbers(written)[..] else { return None };
    let lower = written.to_lowercase();
    let month = MONTHS.iter().position(|month| {
        lower.split(|c: char| !c.is_alphabetic()).any(|word| word.starts_with(month))
    })?;
    let month = u32::try_from(month).ok()? + 1;
    is_date(year, month, day).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// `€1,299.00`, `12,50 EUR` and the like as `1299.00 EUR`.
fn amount(written: &str) -> Option<String> {
    let lower = written.to_lowercase();
    let named =
        lower.trim_matches(|c: char| c.is_ascii_digit() || c.is_whitespace() || ".,'".contains(c));
    let code = CURRENCIES.iter().find(|(name, _)| *name == named).map(|(_, code)| *code)?;
    let number: String =
        lower.chars().filter(|c| c.is_ascii_digit() || ".,".contains(*c)).collect();
    Some(format!("{} {code}", decimal(&number)))
}

/// The ISO 4217 code of the first currency that a text names.
pub(crate) fn currency(text: &str) -> Option<&'static str> {
    let words = crate::text::words(text);
    let named = |name: &str| match name.is_ascii() && name != "$" {
        true => words.iter().any(|word| word == name),
        false => text.contains(name),
    };
    CURRENCIES.iter().find(|(name, _)| named(name)).map(|(_, code)| *code)
}

/// A number with a point: its last sign parts the decimals where one or two digits follow, others part thousands.
pub(crate) fn decimal(number: &str) -> String {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    match number.rsplit_once(['.', ',']) {
        Some((whole, decimals)) if (1..=2).contains(&decimals.len()) => {
            format!("{}.{decimals}", digits(whole))
        }
        _ => digits(number),
    }
}

fn phone(written: &str) -> Option<String> {
    // A day with a time behind it, "01/02/2026 10", looks like a number to dial.
    if written.split_whitespace().any(|part| numbered_date(part).is_some()) {
        return None;
    }
    let abroad = written.trim_start_matches('(');
    let abroad = abroad.starts_with('+') || abroad.starts_with("00");
    // The 0 in +49 (0)30 is not dialled.
    let written = if abroad { written.replacen("(0)", "", 1) } else { written.to_owned() };
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let number = digits.strip_prefix("00").unwrap_or(&digits);
    let plus = if abroad { "+" } else { "" };
    PHONE_DIGITS.contains(&number.len()).then(|| format!("{plus}{number}"))
}

/// Groups are read as a phone number only where they have as many digits as one and not the shape of something else: a US social security
/// number, years or part of a card's number, an address of a computer.
fn grouped_phone(written: &str) -> Option<String> {
    let groups = written.split(|c: char| !c.is_ascii_digit()).map(str::len);
    let groups: Vec<usize> = groups.filter(|length| *length > 0).collect();
    let other = groups == [3, 2, 4] || groups == [4, 4, 4];
    let dotted = written.contains('.') && groups != [3, 3, 4];
    let fits = GROUPED_DIGITS.contains(&groups.iter().sum::<usize>());
    (fits && !other && !dotted).then(|| phone(written)).flatten()
}
