//! A mail as it came: who wrote it, what it answers, and the words that are new in it. Nothing in it is trusted.

use mail_parser::{HeaderName, HeaderValue, Message, MessageParser, MimeHeaders};

use crate::clock::{fingerprint, is_hex};
use crate::notify::address::Address;
use crate::notify::mail::MARK;

/// Bytes of text that are looked at.
const MAX_TEXT: usize = 256 * 1024;
/// Ids of a mail that are looked at.
const MAX_IDS: usize = 100;
/// Attachments that are named.
const MAX_NAMED: usize = 10;
/// Characters of an attachment's name.
const MAX_NAME: usize = 80;
/// Hex digits of a thread's secret.
const DIGITS: usize = 64;

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// Who it says it is from.
    pub(super) from: Address,
    /// 32 hex digits, the same however often it is fetched.
    pub(super) id: String,
    /// Hashes of the secrets that it answers, newest first.
    pub(super) threads: Vec<String>,
    /// Its own date, in milliseconds since 1970.
    pub(super) date: Option<i64>,
    /// The words that are new in it.
    pub(super) text: String,
    /// Names of what was attached, which is left out.
    pub(super) left_out: Vec<String>,
}

/// Why a mail is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dropped {
    /// It is no mail.
    Unreadable,
    /// A program wrote it: a bounce, an absence note, a list, and every mail of our own.
    Automatic,
    /// It is from nobody, or from several.
    From,
    /// It answers no mail of ours.
    Foreign,
    /// Nothing in it is new.
    Empty,
}

/// Reads a mail.
pub(super) fn read(bytes: &[u8]) -> Result<Letter, Dropped> {
    let mail = MessageParser::default().parse(bytes).ok_or(Dropped::Unreadable)?;
    let from = from(&mail).ok_or(Dropped::From)?;
    if is_automatic(&mail, &from) {
        return Err(Dropped::Automatic);
    }
    let threads = threads(&mail);
    if threads.is_empty() {
        return Err(Dropped::Foreign);
    }
    let text = mail.body_text(0).unwrap_or_default();
    let text = fresh(&text[..text.floor_char_boundary(MAX_TEXT)]);
    let left_out = left_out(&mail);
    if text.is_empty() && left_out.is_empty() {
        return Err(Dropped::Empty);
    }
    let id = match mail.message_id() {
        Some(id) => fingerprint(format!("mail {id}")),
        None => fingerprint(bytes),
    };
    Ok(Letter {
        from,
        id: id[..32].to_owned(),
        threads,
        date: mail
            .date()
            .filter(|date| date.is_valid())
            .map(|date| date.to_timestamp().saturating_mul(1_000)),
        text,
        left_out,
    })
}

/// The one address that a mail is from.
fn from(mail: &Message<'_>) -> Option<Address> {
    let mut named = mail.from()?.iter().take(2);
    let first = named.next()?.address()?;
    match named.next() {
        None => Address::parse(first),
        Some(_) => None,
    }
}

/// Whether a program wrote it (RFC 3834 and what came before it).
fn is_automatic(mail: &Message<'_>, from: &Address) -> bool {
    let header = |name: &str| mail.header_raw(name).map(|value| value.trim().to_ascii_lowercase());
    let by_program = header("Auto-Submitted").is_some_and(|value| value != "no");
    let to_many = header("List-Id").is_some() || header("List-Unsubscribe").is_some();
    let bulk = ["bulk", "junk", "list", "auto_reply"];
    let precedence = header("Precedence").is_some_and(|value| bulk.contains(&value.as_str()));
    let absent = ["X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress"];
    let absent = absent.iter().any(|name| header(name).is_some());
    let bounced = header("Return-Path").is_some_and(|value| value == "<>");
    let report = mail.is_content_type("multipart", "report");
    let (local, _) = from.as_str().split_once('@').unwrap_or_default();
    let daemon = ["mailer-daemon", "postmaster", "no-reply", "noreply"].contains(&local);
    by_program || to_many || precedence || absent || bounced || report || daemon
}

/// Hashes of the secrets of ours that a mail answers, those of the newest mail first.
fn threads(mail: &Message<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for name in [HeaderName::InReplyTo, HeaderName::References] {
        let ids: Vec<&str> = match mail.header(name) {
            Some(HeaderValue::Text(id)) => vec![id.as_ref()],
            Some(HeaderValue::TextList(ids)) => ids.iter().map(AsRef::as_ref).collect(),
            _ => vec![],
        };
        for id in ids.into_iter().rev().take(MAX_IDS) {
            let secret = id.trim_start_matches('<').strip_prefix(MARK);
            let secret = secret.and_then(|rest| rest.split('@').next());
            if let Some(secret) = secret.filter(|secret| is_hex(secret, DIGITS)) {
                let hash = fingerprint(secret);
                if !found.contains(&hash) {
                    found.push(hash);
                }
            }
        }
    }
    found
}

fn left_out(mail: &Message<'_>) -> Vec<String> {
    let name = |part: &mail_parser::MessagePart<'_>| {
        let name = part.attachment_name().unwrap_or("without a name");
        let clean = name.chars().filter(|c| !c.is_control() && !is_steering(*c));
        clean.take(MAX_NAME).collect()
    };
    mail.attachments().take(MAX_NAMED).map(name).collect()
}

/// Characters that are not seen, or turn the line around.
fn is_steering(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The words that are new: without what is quoted, without the signature.
fn fresh(text: &str) -> String {
    let clean: String =
        text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
    let lines: Vec<&str> = clean.lines().map(str::trim_end).collect();
    let end = lines.iter().enumerate().position(|(n, line)| is_end(line, &lines[n + 1..]));
    let lines = &lines[..end.unwrap_or(lines.len())];
    let mut kept: Vec<&str> = Vec::new();
    for line in lines {
        if line.trim_start().starts_with('>') {
            attribution(&mut kept);
        } else {
            kept.push(line);
        }
    }
    kept.join("\n").trim().to_owned()
}

/// Whether nothing of the writer's own follows from this line on.
fn is_end(line: &str, below: &[&str]) -> bool {
    let heading = |names: &[&str]| {
        below
            .iter()
            .take(4)
            .any(|line| names.iter().any(|name| line.trim_start_matches('*').starts_with(name)))
    };
    let bare = line.trim();
    let dashes = bare.starts_with("-----") && bare.ends_with("-----") && bare.len() > 12;
    let rule = bare.len() >= 20 && bare.bytes().all(|b| b == b'_');
    let from = ["From:", "Von:", "De :", "De:", "Da:", "Van:"];
    let bare = bare.trim_start_matches('*');
    let outlook = from.iter().any(|name| bare.starts_with(name))
        && heading(&[
            "Sent:",
            "Date:",
            "Gesendet:",
            "Datum:",
            "Envoyé",
            "Enviado",
            "Inviato",
            "Verzonden",
            "To:",
            "An:",
        ]);
    line == "--" || dashes || rule || outlook
}

/// What mail programs begin that line with.
const OPENINGS: [&str; 10] =
    ["On ", "Am ", "Le ", "El ", "Il ", "Op ", "Em ", "Den ", "Dnia ", "W dniu "];

/// Takes away the line above a quotation that says whose words it is: `On Monday Ada wrote:`, over up to three lines.
fn attribution(kept: &mut Vec<&str>) {
    let filled = kept.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    if filled == 0 || !kept[filled - 1].ends_with(':') {
        return;
    }
    let above = kept[..filled].iter().rev().take(3).take_while(|line| !line.is_empty());
    let about = above.copied().collect::<Vec<_>>();
    let says = |line: &str| line.contains('@') || line.bytes().any(|b| b.is_ascii_digit());
    let opens = |line: &&str| OPENINGS.iter().any(|word| line.starts_with(word)) && says(line);
    // From the line that opens it; the last line alone where it holds an address or a date.
    let lines = about.iter().position(opens).or_else(|| says(about[0]).then_some(0));
    if let Some(lines) = lines {
        kept.truncate(filled - lines - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_cut() {
        for (text, expect) in [
            ("Yes.\n", "Yes."),
            ("Yes.\n\nOn Mon, 3 Nov 2026 Ada <a@b.c> wrote:\n> Is it?\n", "Yes."),
            (
                "Yes.\n\nOn Mon, 3 Nov 2026 at 10:00 Porchlight\n<a@b.c>\nwrote:\n\n> Is it?\n> Really?\n",
                "Yes.",
            ),
            ("Am 3.11.2026 schrieb Ada:\n> Ist es?\nJa.\n> Und das?\nNein.\n", "Ja.\nNein."),
            ("Do this:\n> ls\nThen that.", "Do this:\nThen that."),
            ("Yes.\n-- \nAda\nStreet 1", "Yes."),
            ("Yes.\n\n________________________________\nFrom: x\n", "Yes."),
            ("Yes.\n\n-----Original Message-----\nFrom: x\n", "Yes."),
            (
                "Yes.\n\nFrom: Porchlight <a@b.c>\nSent: Monday\nTo: Ada\nSubject: x\n\nIs it?",
                "Yes.",
            ),
            ("Yes.\n\nVon: Porchlight <a@b.c>\nGesendet: Montag\nAn: Ada\n\nIst es?", "Yes."),
            ("From: here you go left.\nThen right.", "From: here you go left.\nThen right."),
            ("a\u{0}b\u{1b}[31m", "ab[31m"),
            ("> all quoted", ""),
            ("", ""),
        ] {
            assert_eq!(fresh(text), expect, "{text:?}");
        }
    }

    #[test]
    fn the_secret_of_the_newest_mail_is_tried_first() {
        let (old, new) = ("a".repeat(64), "b".repeat(64));
        let mail = format!(
            "From: ada@example.org\r\nMessage-ID: <1@x>\r\nIn-Reply-To: <porchlight.{new}@y>\r\n\
             References: <other@y> <porchlight.{old}@y>\r\n <porchlight.{new}@y> <porchlight.short@y>\r\n\
             Date: Tue, 3 Nov 2026 10:00:00 +0100\r\n\r\nYes.\r\n"
        );
        let letter = read(mail.as_bytes()).unwrap();
        assert_eq!(letter.threads, [fingerprint(&new), fingerprint(&old)]);
        assert_eq!((letter.text.as_str(), letter.from.as_str()), ("Yes.", "ada@example.org"));
        assert_eq!(letter.date, Some(1_793_696_400_000));
        assert_eq!(letter.id.len(), 32);
    }
}
