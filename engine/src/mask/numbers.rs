//! Numbers with a check in them: payment cards, bank accounts, and addresses of computers.

/// Digits of a card's number.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 12..=19;
/// Countries' letters with the length of their account numbers (ISO 13616 registry).
const IBANS: [(&str, usize); 79] = [
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
];

/// Whether the digits are a card's: banking and travel issuers (first digit 2 to 6, JCB's old 1800), and the check digit of Luhn.
pub(super) fn is_card(written: &str) -> bool {
    let digits: Vec<u32> = written.chars().filter_map(|c| c.to_digit(10)).collect();
    let one = digits.iter().all(|digit| Some(digit) == digits.first());
    let old = digits.len() == 15 && digits.starts_with(&[1, 8, 0, 0]);
    let issuer = old || digits.first().is_some_and(|first| (2..=6).contains(first));
    // Of the short ones only Maestro's are in use.
    let short = digits.len() == 12 && !digits.first().is_some_and(|first| matches!(first, 5 | 6));
    CARD_DIGITS.contains(&digits.len()) && issuer && !one && !short && luhn(&digits)
}

fn luhn(digits: &[u32]) -> bool {
    let doubled = |(at, digit): (usize, &u32)| match at % 2 {
        1 => digit * 2 - if *digit > 4 { 9 } else { 0 },
        _ => *digit,
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}

/// Length in bytes of the account number that `text` begins with: as long as its country has it, and with the right rest modulo 97.
pub(super) fn iban(text: &str) -> Option<usize> {
    let country = text.get(..2)?.to_ascii_uppercase();
    let length = IBANS.iter().find(|(known, _)| *known == country).map(|(_, length)| *length)?;
    let mut letters = Vec::with_capacity(length);
    let mut end = 0;
    for (at, c) in text.char_indices() {
        match c {
            c if c.is_ascii_alphanumeric() => letters.push(c),
            ' ' | '\u{a0}' | '-' => continue,
            _ => break,
        }
        end = at + c.len_utf8();
        if letters.len() == length {
            break;
        }
    }
    let rest = letters.iter().cycle().skip(4).take(letters.len()).try_fold(0, |rest, c| {
        let value = c.to_digit(36)?;
        Some((rest * if value > 9 { 100 } else { 10 } + value) % 97)
    });
    (letters.len() == length && rest == Some(1)).then_some(end)
}

/// Whether this is an address in dotted form that names one computer of somebody: not that of one's own machine, not a mask of bits.
pub(super) fn is_ipv4(written: &str) -> bool {
    let parts: Vec<Option<u8>> = written
        .split('.')
        .map(|part| if part.len() > 1 && part.starts_with('0') { None } else { part.parse().ok() })
        .collect();
    match parts[..] {
        [Some(first), Some(_), Some(_), Some(_)] => !matches!(first, 0 | 127 | 255),
        _ => false,
    }
}

/// Whether this is an address of eight groups of hexadecimal digits (RFC 4291), `::` for those that are left out.
pub(super) fn is_ipv6(written: &str) -> bool {
    let (head, tail) = match written.split_once("::") {
        Some((head, tail)) => (head, Some(tail)),
        None => (written, None),
    };
    let groups = |part: &str| match part {
        "" => Some(0),
        part => {
            let good = |group: &str| {
                (1..=4).contains(&group.len()) && group.chars().all(|c| c.is_ascii_hexdigit())
            };
            let groups: Vec<&str> = part.split(':').collect();
            groups.iter().all(|group| good(group)).then_some(groups.len())
        }
    };
    let digits = written.chars().any(|c| c.is_ascii_digit());
    match (groups(head), tail.map(groups)) {
        (Some(8), None) => true,
        // `ab::cd` may be a name in a program, and `::1` is one's own machine.
        (Some(head), Some(Some(tail))) => digits && head >= 1 && (3..=7).contains(&(head + tail)),
        _ => false,
    }
}
