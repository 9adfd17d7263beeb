//! Personal data out, placeholders in: what is kept, shown to others or sent away holds nobody's address, number, code or key.
//!
//! Only what has a shape is found: names and street addresses are not. Order ids, articles, plans, prices, dates and versions stay, for
//! they say what a message is about.

mod numbers;
mod secrets;
mod shapes;

use std::ops::Range;

use crate::entities::stands_alone;

/// What a masked value was. The order decides between values that overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A password, an access token or a private key.
    Key,
    /// An e-mail address.
    Email,
    /// An international bank account number (ISO 13616).
    Iban,
    /// The number of a payment card (ISO/IEC 7812).
    Card,
    /// An address of a computer, IPv4 or IPv6.
    Ip,
    /// A number that names a person to the state: a US social security number.
    Id,
    /// A phone number.
    Phone,
    /// A one-time code beside a word for one.
    Code,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Key,
        Self::Email,
        Self::Iban,
        Self::Card,
        Self::Ip,
        Self::Id,
        Self::Phone,
        Self::Code,
    ];

    /// What stands in a masked text in its place.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Key => "[key]",
            Self::Email => "[e-mail]",
            Self::Iban => "[iban]",
            Self::Card => "[card]",
            Self::Ip => "[ip]",
            Self::Id => "[id]",
            Self::Phone => "[phone]",
            Self::Code => "[code]",
        }
    }
}

/// A value that has to be masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes of the text.
    pub span: Range<usize>,
}

/// The text with placeholders for what [`find`] finds. Masking twice changes no more than masking once.
pub fn mask(text: &str) -> String {
    covered(text, &find(text)).0
}

/// What has to be masked, in the order of the text; no two overlap. A value that is written again elsewhere is found there as well.
pub fn find(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    // A placeholder may stand where something kept two words apart, so what is left is looked through until nothing more is found.
    loop {
        let (masked, pieces) = covered(text, &found);
        let fresh = looked(&masked);
        if fresh.is_empty() {
            return found;
        }
        let place = |at: usize| {
            let piece = pieces.iter().rev().find(|(masked, _)| *masked <= at);
            piece.map_or(at, |(masked, own)| own + (at - masked))
        };
        found.extend(fresh.into_iter().map(|one| Found {
            // The end is that of its last byte: a placeholder may follow at once.
            span: place(one.span.start)..place(one.span.end - 1) + 1,
            ..one
        }));
        found.sort_by_key(|one| one.span.start);
    }
}

/// The text with placeholders, and where its kept pieces begin: in the masked text, in the text itself.
fn covered(text: &str, found: &[Found]) -> (String, Vec<(usize, usize)>) {
    let (mut masked, mut pieces, mut at) = (String::with_capacity(text.len()), Vec::new(), 0);
    for one in found {
        pieces.push((masked.len(), at));
        masked.push_str(&text[at..one.span.start]);
        masked.push_str(one.kind.placeholder());
        at = one.span.end;
    }
    pieces.push((masked.len(), at));
    masked.push_str(&text[at..]);
    (masked, pieces)
}

/// One look through a text that may hold placeholders.
fn looked(text: &str) -> Vec<Found> {
    let mut taken = placeholders(text);
    let mut found: Vec<Found> = Vec::new();
    let mut claims: Vec<shapes::Claim> = secrets::claims(text).collect();
    claims.extend(shapes::claims(text));
    claims.sort_by_key(|claim| (claim.rank, claim.span.start));
    for claim in claims {
        if taken.iter().any(|other| overlap(other, &claim.span)) {
            continue;
        }
        taken.push(claim.span.clone());
        found.extend(claim.kind.map(|kind| Found { kind, span: claim.span }));
    }
    repeated(text, &mut taken, &mut found);
    found.sort_by_key(|one| one.span.start);
    found
}

/// Adds the other places where a value that was found stands.
fn repeated(text: &str, taken: &mut Vec<Range<usize>>, found: &mut Vec<Found>) {
    for one in found.clone() {
        let value = &text[one.span.clone()];
        for (start, _) in text.match_indices(value) {
            let span = start..start + value.len();
            if stands_alone(text, &span) && !taken.iter().any(|other| overlap(other, &span)) {
                taken.push(span.clone());
                found.push(Found { kind: one.kind, span });
            }
        }
    }
}

fn placeholders(text: &str) -> Vec<Range<usize>> {
    let places = |kind: &Kind| {
        let word = kind.placeholder();
        text.match_indices(word).map(|(at, _)| at..at + word.len()).collect::<Vec<_>>()
    };
    Kind::ALL.iter().flat_map(places).collect()
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}
