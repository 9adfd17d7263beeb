//! Files of `intent`: examples and messages, kept apart, and the owner's intents that are made of the examples.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use engine::intent::{IntentFile, IntentSource};
use serde::Deserialize;

use crate::data;
use crate::run::Dice;
use crate::typos::slipped;

/// Label of a message that belongs to none of the owner's intents.
pub(crate) const OUTSIDE: &str = "oos";

/// The files of an intent set.
#[derive(Debug, clap::Args)]
pub(crate) struct SetOptions {
    /// Examples: `id`, `text`, `intent`; `oos` is none of the intents.
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// Messages to read, of the same shape.
    #[arg(long, value_name = "FILE")]
    pub(crate) test: PathBuf,
    /// More messages that belong to no intent.
    #[arg(long, value_name = "FILE")]
    oos: Option<PathBuf>,
    /// Examples of each intent at most, chosen by the seed; 0 takes all.
    #[arg(long, default_value_t = 0)]
    shots: usize,
    /// How many intents, chosen by the seed, have `--shots` examples beside all of the others'; 0 is every intent.
    #[arg(long, default_value_t = 0)]
    new: usize,
    /// Share of the messages' words with a slip of the pen, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    typos: f64,
    /// Messages at most, spread evenly over test and oos; 0 takes all.
    #[arg(long, default_value_t = 0)]
    limit: usize,
    /// Leave out messages that stand among the examples instead of refusing the files.
    #[arg(long)]
    leave_out_shared: bool,
}

impl SetOptions {
    /// What tells this measurement from others over the same folder.
    pub(crate) fn variants(&self) -> Vec<String> {
        let shots = (self.shots > 0).then(|| format!("{}-shot", self.shots));
        let new = (self.new > 0).then(|| format!("{}-new", self.new));
        let typos = (self.typos > 0.0).then(|| "typos".to_owned());
        [self.part(), new, shots, typos].into_iter().flatten().collect()
    }

    /// What tells this set from others in its folder: `shop` where the messages are in `shop_test.jsonl`.
    fn part(&self) -> Option<String> {
        let name = self.test.file_name()?.to_string_lossy().into_owned();
        let (stem, _) = name.split_once(".jsonl")?;
        let part = stem
            .strip_suffix("test")
            .or_else(|| stem.strip_suffix("dev"))?
            .trim_end_matches(['_', '-']);
        (!part.is_empty()).then(|| part.to_owned())
    }
}

/// A sentence and what is meant by it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Utterance {
    id: String,
    pub(crate) text: String,
    pub(crate) intent: String,
}

/// A set as it was read; no message stands among the examples.
pub(crate) struct Sets {
    /// The owner's intents.
    pub(crate) file: IntentFile,
    /// Messages to read.
    pub(crate) messages: Vec<Utterance>,
    /// How many messages were left out because they stand among the examples.
    pub(crate) left_out: usize,
    /// How many intents of the messages have no example; their messages cannot be read right.
    pub(crate) unlearnt: usize,
    /// The intents with few examples beside many.
    pub(crate) new: HashSet<String>,
}

impl Sets {
    /// Reads the files.
    ///
    /// # Errors
    /// Naming file and row: what is missing, no JSON, empty, stands twice or stands among the examples too.
    pub(crate) fn read(options: &SetOptions, seed: u64) -> Result<Self> {
        ensure!(options.new == 0 || options.shots > 0, "--new needs --shots: how many examples");
        let train = utterances(&options.train)?;
        let learnt = Examples::of(&options.train, &train);
        let mut messages = utterances(&options.test)?;
        let mut left_out = learnt.keep_apart(&options.test, &mut messages, options)?;
        if let Some(path) = &options.oos {
            let mut rows = utterances(path)?;
            learnt.refuse_intents(path, &rows)?;
            left_out += learnt.keep_apart(path, &mut rows, options)?;
            messages
                .extend(rows.into_iter().map(|row| Utterance { intent: OUTSIDE.into(), ..row }));
        }
        ensure!(!learnt.intents.is_empty(), "{}: no intent has an example", learnt.path.display());
        let unlearnt = learnt.without_example(&messages);
        if options.limit > 0 {
            let step = messages.len().div_ceil(options.limit).max(1);
            messages = messages.into_iter().step_by(step).collect();
        }
        ensure!(
            messages.iter().any(|row| row.intent != OUTSIDE),
            "{}: no message that is left belongs to an intent",
            options.test.display()
        );
        let mut dice = Dice::new(seed);
        for message in &mut messages {
            message.text = slipped(&message.text, options.typos, &mut dice);
        }
        let new = new_intents(&learnt.intents, options.new, seed);
        let file = owners_file(train, (options.shots, &new), seed);
        Ok(Self { file, messages, left_out, unlearnt, new })
    }
}

/// What the examples hold, and where.
struct Examples<'a> {
    path: &'a Path,
    /// Folded text and the row, from 0, where it stands first.
    rows: HashMap<String, usize>,
    intents: HashSet<String>,
}

impl<'a> Examples<'a> {
    fn of(path: &'a Path, train: &[Utterance]) -> Self {
        let mut rows = HashMap::new();
        for (at, row) in train.iter().enumerate() {
            rows.entry(folded(&row.text)).or_insert(at);
        }
        let named = train.iter().filter(|row| row.intent != OUTSIDE);
        Self { path, rows, intents: named.map(|row| row.intent.clone()).collect() }
    }

    /// A message that stands among the examples would be read by heart: refuses it, or leaves it out and counts it.
    fn keep_apart(
        &self,
        path: &Path,
        messages: &mut Vec<Utterance>,
        options: &SetOptions,
    ) -> Result<usize> {
        if options.leave_out_shared {
            let before = messages.len();
            messages.retain(|row| !self.rows.contains_key(&folded(&row.text)));
            return Ok(before - messages.len());
        }
        for (at, row) in messages.iter().enumerate() {
            if let Some(first) = self.rows.get(&folded(&row.text)) {
                bail!(
                    "{}: row {} holds the same words as {}: row {}, `{}`; take it out of one of them or give \
                     --leave-out-shared",
                    path.display(),
                    at + 1,
                    self.path.display(),
                    first + 1,
                    row.text
                );
            }
        }
        Ok(0)
    }

    /// A message of `--oos` belongs to no intent that has examples.
    fn refuse_intents(&self, path: &Path, rows: &[Utterance]) -> Result<()> {
        if let Some(at) = rows.iter().position(|row| self.intents.contains(&row.intent)) {
            bail!(
                "{}: row {} belongs to the intent {} of {}; --oos takes messages that belong to none",
                path.display(),
                at + 1,
                rows[at].intent,
                self.path.display()
            );
        }
        Ok(())
    }

    /// How many intents of the messages have no example.
    fn without_example(&self, messages: &[Utterance]) -> usize {
        let named = messages.iter().map(|row| row.intent.as_str()).filter(|name| *name != OUTSIDE);
        named.filter(|name| !self.intents.contains(*name)).collect::<HashSet<_>>().len()
    }
}

/// Rows of a file; an id that stands twice and a row without text or intent are errors.
fn utterances(path: &Path) -> Result<Vec<Utterance>> {
    let rows: Vec<Utterance> = data::lines(path)?;
    for (at, row) in rows.iter().enumerate() {
        for (name, value) in [("id", &row.id), ("text", &row.text), ("intent", &row.intent)] {
            ensure!(
                !value.trim().is_empty(),
                "{}: row {} has an empty `{name}`",
                path.display(),
                at + 1
            );
        }
    }
    data::once(path, rows.iter().map(|row| row.id.as_str()))?;
    Ok(rows)
}

/// Small letters, one space between words.
fn folded(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `count` of the intents, chosen by the seed.
fn new_intents(intents: &HashSet<String>, count: usize, seed: u64) -> HashSet<String> {
    let mut names: Vec<&String> = intents.iter().collect();
    names.sort();
    Dice::new(seed).shuffle(&mut names);
    names.into_iter().take(count).cloned().collect()
}

/// The examples as they would stand in `intents.toml`: at most `shots`, chosen by the seed, of each intent, or of the
/// new ones where there are such.
///
/// Sentences that belong to no intent are all kept, whatever `shots` says.
fn owners_file(
    mut train: Vec<Utterance>,
    (shots, new): (usize, &HashSet<String>),
    seed: u64,
) -> IntentFile {
    if shots > 0 {
        Dice::new(seed).shuffle(&mut train);
    }
    let mut by_intent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut outside = Vec::new();
    for row in train {
        if row.intent == OUTSIDE {
            outside.push(row.text);
            continue;
        }
        let all = shots == 0 || (!new.is_empty() && !new.contains(&row.intent));
        let examples = by_intent.entry(row.intent).or_default();
        if all || examples.len() < shots {
            examples.push(row.text);
        }
    }
    let source =
        |(id, examples): (String, Vec<String>)| IntentSource { label: id.clone(), id, examples };
    IntentFile {
        intent: by_intent.into_iter().map(source).collect(),
        oos_examples: outside,
        ..IntentFile::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIN: &[[&str; 3]] =
        &[["1", "Where is  my card?", "card"], ["2", "top up", "top_up"], ["3", "nice day", "oos"]];
    const TEST: &[[&str; 3]] = &[["1", "card lost", "card"], ["2", "who won", "oos"]];

    fn jsonl(rows: &[[&str; 3]]) -> String {
        let line = |[id, text, intent]: &[&str; 3]| {
            serde_json::json!({"id": id, "text": text, "intent": intent}).to_string() + "\n"
        };
        rows.iter().map(line).collect()
    }

    /// Reads a set of three files; the error says it in one line.
    fn read(
        [train, test, oos]: [&[[&str; 3]]; 3],
        change: fn(&mut SetOptions),
    ) -> Result<Sets, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, rows| {
            let path = folder.path().join(name);
            std::fs::write(&path, jsonl(rows)).unwrap();
            path
        };
        let mut options = SetOptions {
            train: file("train.jsonl", train),
            test: file("test.jsonl", test),
            oos: (!oos.is_empty()).then(|| file("oos.jsonl", oos)),
            shots: 0,
            limit: 0,
            leave_out_shared: false,
            new: 0,
            typos: 0.0,
        };
        change(&mut options);
        let sets = Sets::read(&options, 7);
        sets.map_err(|error| {
            format!("{error:#}").replace(&format!("{}/", folder.path().display()), "")
        })
    }

    #[test]
    fn a_set_is_read() {
        let oos = [["1", "rain?", "oos"], ["2", "snow?", "weather"]];
        let sets = read([TRAIN, TEST, &oos], |_| {}).ok().unwrap();
        let ids: Vec<&str> = sets.file.intent.iter().map(|intent| intent.id.as_str()).collect();
        assert_eq!(ids, ["card", "top_up"]);
        assert_eq!(sets.file.oos_examples, ["nice day"]);
        let wanted: Vec<&str> = sets.messages.iter().map(|row| row.intent.as_str()).collect();
        assert_eq!(wanted, ["card", "oos", "oos", "oos"]);
        assert_eq!((sets.left_out, sets.unlearnt), (0, 0));
        let new = [["1", "card lost", "card"], ["2", "hi", "greeting"], ["3", "hey", "greeting"]];
        assert_eq!(read([TRAIN, &new, &[]], |_| {}).ok().unwrap().unlearnt, 1);
        let short = read([TRAIN, TEST, &oos], |options| options.limit = 2).ok().unwrap();
        assert_eq!(short.messages.len(), 2);
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        // A message planted among the examples, in other letters and spaces.
        let planted = [["1", "card lost", "card"], ["2", " where IS\tmy card? ", "card"]];
        let shared = "row 2 holds the same words as train.jsonl: row 1";
        let oos = [["1", "snow?", "oos"], ["2", "TOP UP", "oos"]];
        let twice = [["1", "a", "card"], ["2", "b", "card"], ["1", "c", "card"]];
        let rows: [([&[[&str; 3]]; 3], &str); 9] = [
            ([TRAIN, &planted, &[]], &format!("test.jsonl: {shared}")),
            ([TRAIN, TEST, &oos], "oos.jsonl: row 2 holds the same words as train.jsonl: row 2"),
            ([&twice, TEST, &[]], "train.jsonl: rows 1 and 3 share the id 1"),
            ([TRAIN, &twice, &[]], "test.jsonl: rows 1 and 3 share the id 1"),
            ([TRAIN, &[["1", " ", "card"]], &[]], "test.jsonl: row 1 has an empty `text`"),
            ([&[["1", "x", ""]], TEST, &[]], "train.jsonl: row 1 has an empty `intent`"),
            ([TRAIN, TEST, &[["1", "x", "card"]]], "oos.jsonl: row 1 belongs to the intent card"),
            ([&[["1", "x", "oos"]], TEST, &[]], "train.jsonl: no intent has an example"),
            ([TRAIN, &[["1", "x", "oos"]], &[]], "test.jsonl: no message that is left"),
        ];
        for (files, expect) in rows {
            let said = read(files, |_| {}).err().unwrap();
            assert!(said.starts_with(expect), "{expect}: {said}");
        }
    }

    #[test]
    fn shared_messages_are_left_out_on_request() {
        let planted = [["1", "card lost", "card"], ["2", "where is my CARD?", "card"]];
        let sets = read([TRAIN, &planted, &[]], |o| o.leave_out_shared = true).ok().unwrap();
        let left: Vec<&str> = sets.messages.iter().map(|row| row.id.as_str()).collect();
        assert_eq!((left, sets.left_out), (vec!["1"], 1));
    }

    #[test]
    fn shots_are_chosen_by_the_seed() {
        let row = |n: usize| Utterance {
            id: n.to_string(),
            text: format!("text {n}"),
            intent: if n < 20 { "a" } else { OUTSIDE }.into(),
        };
        let rows: Vec<Utterance> = (0..25).map(row).collect();
        let all = HashSet::new();
        let owners_file = |rows, shots, seed| owners_file(rows, (shots, &all), seed);
        let file = owners_file(rows.clone(), 3, 7);
        assert_eq!((file.intent[0].examples.len(), file.oos_examples.len()), (3, 5));
        assert_eq!(file, owners_file(rows.clone(), 3, 7));
        assert_ne!(file, owners_file(rows.clone(), 3, 8));
        assert_eq!(owners_file(rows, 0, 7).intent[0].examples.len(), 20);
    }

    #[test]
    fn new_intents_have_few_examples_beside_all_of_the_others() {
        let rows = [["1", "a", "x"], ["2", "b", "x"], ["3", "c", "y"], ["4", "d", "y"]];
        let sets = read([&rows, &[["1", "e", "x"]], &[]], |options| {
            (options.shots, options.new) = (1, 1);
        });
        let sets = sets.ok().unwrap();
        assert_eq!(sets.new.len(), 1);
        for intent in &sets.file.intent {
            let expect = if sets.new.contains(&intent.id) { 1 } else { 2 };
            assert_eq!(intent.examples.len(), expect, "{}", intent.id);
        }
    }

    #[test]
    fn messages_get_slips_and_examples_do_not() {
        let text = "please change the delivery address";
        let sets = read([&[["1", "invoice please", "x"]], &[["1", text, "x"]], &[]], |options| {
            options.typos = 1.0;
        });
        let sets = sets.ok().unwrap();
        assert_ne!(sets.messages[0].text, text);
        assert_eq!(sets.file.intent[0].examples, ["invoice please"]);
    }
}
