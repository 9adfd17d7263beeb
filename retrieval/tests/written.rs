//! What people write into a page of questions and answers stays text: every question is a heading of its own, whatever it looks like.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;

use engine::gaps::entry::appended;
use engine::text::words;
use proptest::prelude::*;
use retrieval::index::{Index, Progress};
use retrieval::manifest::EmbedderId;
use retrieval::{Corpus, Document};

/// The last headings of a page's passages, with what each says.
fn read(page: &str) -> Vec<(String, String)> {
    let document = Document::new("from-chats.md", page.into()).unwrap();
    let mut embed = |texts: &[&str], _: Progress| Ok(vec![vec![1.0, 0.0]; texts.len()]);
    let embedder = EmbedderId { id: "none".into(), dimension: 2 };
    let index = Index::in_memory(Corpus::new(vec![document]), &embedder, &mut embed).unwrap();
    let passages = index.passages().iter();
    passages
        .map(|one| (one.heading.last().cloned().unwrap_or_default(), one.text.clone()))
        .collect()
}

fn check(entries: &[(String, String)]) {
    let page = entries
        .iter()
        .fold(String::new(), |page, (question, answer)| appended(&page, question, answer));
    let found = read(&page);
    let headings: BTreeSet<Vec<String>> = found.iter().map(|(heading, _)| words(heading)).collect();
    let asked: BTreeSet<Vec<String>> =
        entries.iter().map(|(question, _)| words(question)).collect();
    assert_eq!(headings, asked, "{page}");
    for (question, answer) in entries {
        let under: Vec<String> = found
            .iter()
            .filter(|(heading, _)| words(heading) == words(question))
            .flat_map(|(_, text)| words(text))
            .collect();
        // Numbers of a list's lines are counted anew by whoever shows it.
        let said = words(answer).into_iter().filter(|word| word.contains(char::is_alphabetic));
        for word in said {
            assert!(
                under.contains(&word),
                "{word} of {answer:?} is not under {question:?}:\n{page}"
            );
        }
    }
}

#[test]
fn markup_does_not_break_out() {
    let entry = |question: &str, answer: &str| (question.to_owned(), answer.to_owned());
    check(&[
        entry("One\n---\ntitle: x", "---\narea: secret\n---\nfirst"),
        entry("Two <!-- hidden", "```\nsecond\n# no heading"),
        entry("Three [a](b) `c", "<script>alert</script>\n\n    third\n===="),
        entry("Four | x | y", "1. fourth\n- list\n\n| a | b |\n|---|---|"),
        entry("# Five #", "[fifth]: http://example.org\n> quoted\n~~~"),
        entry("Six", "* * *\n_ _ _\nsixth"),
    ]);
}

proptest! {
    #[test]
    fn every_question_is_a_heading_and_every_answer_stands_below_it(
        parts in prop::collection::vec(
            ("[-#>=+*_`~<!\\[\\]|&;:.()0-9 \n\t\"']{0,6}", "[-#>=+*_`~<!\\[\\]|&:.()0-9 \n\t\"']{0,9}", "[-#>=+*_`~<!\\[\\]|&:.() \n\t\"']{0,6}"),
            1..5,
        ),
    ) {
        let entries: Vec<(String, String)> = parts
            .iter()
            .enumerate()
            .map(|(n, (before, inside, after))| {
                let name = ["alpha", "beta", "gamma", "delta"][n];
                (format!("{before} {name} {after}"), format!("{inside}\n{name}answer {before}\n{after}{name}end"))
            })
            .collect();
        check(&entries);
    }
}
