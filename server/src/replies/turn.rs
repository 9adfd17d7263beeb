//! From stored messages to the turn that a reply is made for.

use engine::scope::Scope;
use engine::turn::{Message, Speaker, Turn};

use crate::actions::codes::HIDDEN;
use crate::store::{StoreError, messages};

/// The turn after the last of `rows`: all visitor messages since anybody else spoke and after the seq `decided` (what was asked up to
/// there has its answer or suggestion), joined, after what came before. Automatic replies count when they come after the seq
/// `counted_from` and after what a person wrote.
///
/// # Errors
/// [`StoreError::Meaning`] when a stored speaker or scope cannot be read.
pub fn turn(
    rows: &[messages::Message],
    counted_from: i64,
    decided: i64,
) -> Result<Turn, StoreError> {
    let scope = scope(rows)?;
    let counted =
        rows.iter().rev().take_while(|row| row.seq > counted_from && row.speaker != OWNER);
    let bot_turns = counted.filter(|row| row.speaker == Speaker::Bot.as_str()).count();
    let mut said: Vec<Message> = Vec::with_capacity(rows.len());
    for row in rows {
        let meaning = |()| StoreError::Meaning { what: "speaker", value: row.speaker.clone() };
        said.push(Message {
            speaker: row.speaker.parse().map_err(meaning)?,
            text: row.text.clone(),
        });
    }
    // What happened to the conversation after the question leaves it open.
    let asked = said.iter().rposition(|m| m.speaker != Speaker::System).map_or(0, |at| at + 1);
    said.truncate(asked);
    let others = said.iter().rposition(|m| m.speaker != Speaker::Visitor).map_or(0, |at| at + 1);
    let last = others.max(rows[..asked].partition_point(|row| row.seq <= decided));
    // A code that was typed is no question.
    let words = said.drain(last..).map(|m| m.text).filter(|text| text != HIDDEN);
    let words: Vec<String> = words.collect();
    // What happened to the conversation ends a question, but is not part of what was said.
    said.retain(|message| message.speaker != Speaker::System);
    let bot_turns = u32::try_from(bot_turns).unwrap_or(u32::MAX);
    Ok(Turn { history: said, bot_turns, scope, ..Turn::asking(words.join("\n")) })
}

/// Where the newest of the visitor's messages was written from.
fn scope(rows: &[messages::Message]) -> Result<Scope, StoreError> {
    let visitor = Speaker::Visitor.as_str();
    let newest =
        rows.iter().rfind(|row| row.speaker == visitor).filter(|row| !row.scope.is_empty());
    newest.map_or_else(
        || Ok(Scope::default()),
        |row| {
            let meaning = |_| StoreError::Meaning { what: "scope", value: row.scope.clone() };
            serde_json::from_str(&row.scope).map_err(meaning)
        },
    )
}

const OWNER: &str = Speaker::Owner.as_str();

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[(Speaker, &str)], from: i64, question: &str, history: usize, bot_turns: u32) {
        let row = |((who, text), seq): (&(Speaker, &str), i64)| messages::Message {
            seq,
            ..messages::Message::plain(*who, text)
        };
        let rows: Vec<_> = rows.iter().zip(1..).map(row).collect();
        let turn = turn(&rows, from, 0).unwrap();
        assert_eq!(
            (turn.question.as_str(), turn.history.len(), turn.bot_turns),
            (question, history, bot_turns)
        );
    }

    #[test]
    fn the_newest_message_says_where_it_was_written() {
        let row = |scope: &str| messages::Message {
            scope: scope.into(),
            ..messages::Message::plain(Speaker::Visitor, "a")
        };
        let bot = messages::Message::plain(Speaker::Bot, "b");
        let area = |rows: &[messages::Message]| turn(rows, 0, 0).map(|turn| turn.scope.area).ok();
        for (rows, expect) in [
            (vec![row(r#"{"area":"old"}"#), bot.clone(), row(r#"{"area":"new"}"#)], Some("new")),
            (vec![row(r#"{"area":"old"}"#), row("")], Some("")),
            (vec![row(r#"{"area":"old"}"#), bot], Some("old")),
            (vec![row("{")], None),
        ] {
            assert_eq!(area(&rows).as_deref(), expect, "{rows:?}");
        }
    }

    #[test]
    fn the_newest_words_are_the_question() {
        use Speaker::{Bot, Owner, System, Visitor};
        check(&[], 0, "", 0, 0);
        check(&[(Visitor, "a"), (Visitor, "b")], 0, "a\nb", 0, 0);
        check(&[(Visitor, "a"), (Bot, "b"), (Visitor, "c")], 0, "c", 2, 1);
        check(&[(Visitor, "a"), (System, "Ada joined"), (Visitor, "c")], 0, "c", 1, 0);
        let row =
            [(Visitor, "a"), (Bot, "b"), (Owner, "c"), (Visitor, "d"), (Bot, "e"), (Visitor, "f")];
        check(&row, 0, "f", 5, 1);
    }

    #[test]
    fn words_that_were_decided_about_are_asked_no_more() {
        let row = |(text, seq): (&str, i64)| messages::Message {
            seq,
            ..messages::Message::plain(Speaker::Visitor, text)
        };
        let rows: Vec<_> = ["a", "b", "c"].into_iter().zip(1..).map(row).collect();
        for (decided, question) in [(0, "a\nb\nc"), (1, "b\nc"), (2, "c"), (9, "")] {
            assert_eq!(turn(&rows, 0, decided).unwrap().question, question, "{decided}");
        }
    }

    #[test]
    fn handing_back_leaves_the_question_open_and_counts_anew() {
        use Speaker::{Bot, System, Visitor};
        let row = [(Visitor, "a"), (Bot, "b"), (Visitor, "c"), (System, "handed back")];
        check(&row, 0, "c", 2, 1);
        check(&row, 3, "c", 2, 0);
    }
}
