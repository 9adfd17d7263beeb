//! What has a shape of its own: addresses, accounts, cards and phone numbers; and dates and prices, which stay.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Kind;
use super::numbers::{iban, is_card, is_ipv4, is_ipv6};
use crate::entities::{self, Entities, OwnEntities, compile, stands_alone};

/// A place of a text, and what it is; none for what stays as it is and is nothing else either.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) kind: Option<Kind>,
    pub(super) span: Range<usize>,
    /// Of two that overlap the lower counts.
    pub(super) rank: u8,
}

impl Claim {
    pub(super) fn new(kind: Kind, span: Range<usize>) -> Self {
        let rank = Kind::ALL.iter().position(|one| *one == kind).unwrap_or_default();
        Self { kind: Some(kind), span, rank: 2 * u8::try_from(rank).unwrap_or(u8::MAX / 2) }
    }

    /// Not to be taken for a phone number or a code.
    fn stays(span: Range<usize>) -> Self {
        Self { kind: None, rank: Self::new(Kind::Phone, 0..0).rank - 1, span }
    }
}

const EMAIL: &str = r"[\p{L}\p{N}_][\p{L}\p{N}._%+'-]*@(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}";
/// `jo (at) example.org`, `jo at example dot org`.
const SPELLED: &str = r"\b[\p{L}\p{N}._+-]+(?:\s?[\[({]\s?(?:at|@)\s?[\])}]\s?(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}|(?:\s?[\[({]\s?(?:at|@)\s?[\])}]\s?|\sat\s)[\p{L}\p{N}-]+(?:(?:\s?[\[({]\s?(?:dot|\.)\s?[\])}]\s?|\sdot\s)\p{L}{2,})+)\b";
const IBAN: &str = r"\b[a-z]{2}[0-9]{2}[ \u{a0}-]?[a-z0-9]";
const CARD: &str = r"[0-9](?:[ \u{a0}-]?[0-9]){11,18}";
const IPV4: &str = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}";
const IPV6: &str = r"[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}";
const SSN: &str = r"[0-9]{3}-[0-9]{2}-[0-9]{4}";
/// A number behind a word for phones may have any shape.
const CALLED: &str = r"\b(?:phone|tel|telephone|telefon|mobile|cell|cellphone|handy|whatsapp|call|ring|dial|reach|contact|answer|answering|fax|landline|t[eé]l[eé]phone|tel[eé]fono)\b\.?(?:\s+(?:number|no|nr|me|us|my|is|it|at|on|under|back|now|please|today|tomorrow|to)\b\.?){0,4}\s*[:=#]?\s*(\+?\(?[0-9][0-9 \u{a0}().\u{2011}/-]{4,20}[0-9])";
/// An area in brackets, then two groups.
const AREA: &str = r"\([0-9]{2,4}\) ?[0-9]{3,4}[ \u{a0}-]?[0-9]{3,4}";
/// Words before a number that say what else it is.
const OTHER: &str = r"(?:\b(?:orders?|invoice|ticket|case|ref|reference|tracking|sku|article|item|part|serial|model|isbn|ean|version|release|build|product|booking|contract|customer|account|id|parcel|shipment|lot)\b[\s:]*(?:number|no|nr|id|code|is)?[\s.:#]*|#)$";
/// Words before a dotted number that say it is a version.
const VERSION: &str = r"(?:\b(?:version|release|build|firmware|driver|update)\b[\s:]*|\bv)$";
/// Characters before a number that are looked at for such words.
const BEFORE: usize = 24;
/// Digits of a number behind a word for phones.
const CALLED_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

struct Shapes {
    email: Regex,
    spelled: Regex,
    iban: Regex,
    card: Regex,
    ipv4: Regex,
    ipv6: Regex,
    ssn: Regex,
    called: Regex,
    area: Regex,
    other: Regex,
    version: Regex,
    entities: Entities,
}

/// Compiled once. `None` never happens: a test looks through texts with every shape.
static SHAPES: LazyLock<Option<Shapes>> = LazyLock::new(|| {
    let shape = |pattern: &str| compile(pattern, true).ok();
    Some(Shapes {
        email: shape(EMAIL)?,
        spelled: shape(SPELLED)?,
        iban: shape(IBAN)?,
        card: shape(CARD)?,
        ipv4: shape(IPV4)?,
        ipv6: shape(IPV6)?,
        ssn: shape(SSN)?,
        called: shape(CALLED)?,
        area: shape(AREA)?,
        other: shape(OTHER)?,
        version: shape(VERSION)?,
        entities: Entities::new(&OwnEntities::default()).ok()?,
    })
});

/// Everything in the text that has a shape.
pub(super) fn claims(text: &str) -> Vec<Claim> {
    let Some(shapes) = SHAPES.as_ref() else { return Vec::new() };
    let mut claims = shapes.addresses(text);
    claims.extend(shapes.numbers(text));
    claims.extend(shapes.phones(text));
    claims
}

impl Shapes {
    fn addresses(&self, text: &str) -> Vec<Claim> {
        let whole =
            |pattern: &Regex| pattern.find_iter(text).map(|m| m.range()).collect::<Vec<_>>();
        let emails = [&self.email, &self.spelled].into_iter().flat_map(whole);
        let mut claims: Vec<Claim> = emails.map(|span| Claim::new(Kind::Email, span)).collect();
        let ipv4 = whole(&self.ipv4).into_iter().filter(|span| {
            is_ipv4(&text[span.clone()]) && bounded(text, span) && !told(&self.version, text, span)
        });
        let ipv6 = whole(&self.ipv6).into_iter();
        let ipv6 = ipv6.filter(|span| is_ipv6(&text[span.clone()]) && bounded(text, span));
        claims.extend(ipv4.chain(ipv6).map(|span| Claim::new(Kind::Ip, span)));
        claims
    }

    fn numbers(&self, text: &str) -> Vec<Claim> {
        let accounts = self.iban.find_iter(text).filter_map(|m| {
            let span = m.start()..m.start() + iban(&text[m.start()..])?;
            bounded(text, &span).then(|| Claim::new(Kind::Iban, span))
        });
        let cards = self.card.find_iter(text).map(|m| m.range());
        let cards = cards.filter(|span| is_card(&text[span.clone()]) && stands_alone(text, span));
        let states = self.ssn.find_iter(text).map(|m| m.range()).filter(|span| {
            let known = !text[span.clone()].starts_with("000");
            known && stands_alone(text, span) && !told(&self.other, text, span)
        });
        let cards = cards.map(|span| Claim::new(Kind::Card, span));
        let states = states.map(|span| Claim::new(Kind::Id, span));
        accounts.chain(cards).chain(states).collect()
    }

    fn phones(&self, text: &str) -> Vec<Claim> {
        let called = self.called.captures_iter(text).filter_map(|found| {
            let span = found.get(1)?.range();
            let digits = text[span.clone()].chars().filter(char::is_ascii_digit).count();
            CALLED_DIGITS.contains(&digits).then(|| Claim::new(Kind::Phone, span))
        });
        let named = self.entities.all(text).into_iter().filter_map(|entity| match entity.kind {
            entities::Kind::Phone if told(&self.other, text, &entity.span) => {
                Some(Claim::stays(entity.span))
            }
            entities::Kind::Phone => Some(Claim::new(Kind::Phone, entity.span)),
            entities::Kind::Date | entities::Kind::Amount => Some(Claim::stays(entity.span)),
            _ => None,
        });
        let areas = self.area.find_iter(text).map(|m| m.range());
        let areas = areas.filter(|span| bounded(text, span) && !told(&self.other, text, span));
        named.chain(called).chain(areas.map(|span| Claim::new(Kind::Phone, span))).collect()
    }
}

/// Whether the words right before a place say what it is.
fn told(words: &Regex, text: &str, span: &Range<usize>) -> bool {
    let before = &text[..span.start];
    let begin = before.char_indices().rev().take(BEFORE).last().map_or(0, |(at, _)| at);
    words.is_match(&before[begin..])
}

/// Whether no letter or digit touches a place, and no further number in dots.
fn bounded(text: &str, span: &Range<usize>) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let (mut before, mut after) = (text[..span.start].chars().rev(), text[span.end..].chars());
    let (left, right) = (before.next(), after.next());
    let joined = left == Some('.') && digit(before.next());
    let goes_on = right == Some('.') && digit(after.next());
    !part(left) && !part(right) && !joined && !goes_on
}
