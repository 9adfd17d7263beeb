//! What an owner reads first when a conversation comes to them: asked, tried, why it is theirs, one line each.

use crate::turn::Speaker;

/// Characters of the visitor's words in a line.
const ASKED_CHARS: usize = 200;
/// Documents that a line names.
const NAMED: usize = 3;

/// One message with the titles of the documents that it cites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Who wrote it.
    pub speaker: Speaker,
    /// What it says.
    pub text: &'a str,
    /// Titles of the documents that it cites.
    pub cites: Vec<&'a str>,
}

/// Three lines about a conversation: what the visitor asked last, what the bot tried since a person last wrote, and `why`
/// a person is asked for.
pub fn three_lines(messages: &[Line<'_>], why: &str) -> [String; 3] {
    let since = messages.iter().rposition(|m| m.speaker == Speaker::Owner).map_or(0, |at| at + 1);
    let recent = &messages[since..];
    let asked: Vec<&str> =
        recent.iter().rev().filter(|m| m.speaker == Speaker::Visitor).map(|m| m.text).collect();
    let asked = asked.first().map_or_else(
        || "The visitor has written nothing.".to_owned(),
        |text| format!("Asked: {}", cut(text)),
    );
    [asked, tried(recent), format!("Why you: {why}")]
}

fn tried(messages: &[Line<'_>]) -> String {
    let replies = messages.iter().filter(|m| m.speaker == Speaker::Bot);
    let mut titles: Vec<&str> = Vec::new();
    for title in replies.clone().flat_map(|reply| &reply.cites) {
        if !titles.contains(title) {
            titles.push(title);
        }
    }
    let answers = replies.filter(|reply| !reply.cites.is_empty()).count();
    match (answers, titles.len().saturating_sub(NAMED)) {
        (0, _) => "Tried: nothing was answered from the documents.".into(),
        (n, more) => {
            titles.truncate(NAMED);
            let answers = if n == 1 { "1 answer".into() } else { format!("{n} answers") };
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("Tried: {answers} from {}{more}.", titles.join(", "))
        }
    }
}

/// The beginning of a text on one line.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= ASKED_CHARS {
        return line;
    }
    let beginning: String = line.chars().take(ASKED_CHARS).collect();
    format!("{beginning}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(messages: &[(Speaker, &str, &[&str])], expect: [&str; 2]) {
        let lines: Vec<Line<'_>> = messages
            .iter()
            .map(|(speaker, text, cites)| Line { speaker: *speaker, text, cites: cites.to_vec() })
            .collect();
        let [asked, tried, why] = three_lines(&lines, "It had to be.");
        assert_eq!([asked.as_str(), tried.as_str()], expect);
        assert_eq!(why, "Why you: It had to be.");
    }

    #[test]
    fn three_lines_say_what_an_owner_needs() {
        use Speaker::{Bot, Owner, Visitor};
        let nothing = "Tried: nothing was answered from the documents.";
        check(&[], ["The visitor has written nothing.", nothing]);
        check(
            &[(Visitor, "Why\nthis?", &[]), (Bot, "One moment.", &[])],
            ["Asked: Why this?", nothing],
        );
        check(
            &[
                (Visitor, "a", &[]),
                (Bot, "x", &["Ports"]),
                (Visitor, "b", &[]),
                (Bot, "y", &["Ports", "Disks"]),
            ],
            ["Asked: b", "Tried: 2 answers from Ports, Disks."],
        );
        check(
            &[(Visitor, "a", &[]), (Bot, "x", &["A", "B", "C", "D", "E"])],
            ["Asked: a", "Tried: 1 answer from A, B, C and 2 more."],
        );
        check(
            &[(Visitor, "a", &[]), (Bot, "x", &["A"]), (Owner, "hi", &[]), (Visitor, "b", &[])],
            ["Asked: b", nothing],
        );
        let long = "word ".repeat(80);
        let beginning = format!("Asked: {}…", &long[..ASKED_CHARS]);
        check(&[(Visitor, &long, &[])], [beginning.as_str(), nothing]);
    }
}
