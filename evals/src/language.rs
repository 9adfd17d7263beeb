//! `language`: whether the language of a text is told, how sure that is, and how seldom something else is taken for another language.

use std::path::PathBuf;

use anyhow::Result;
use engine::language::{Certainty, of_text};
use serde::Deserialize;

use crate::data;
use crate::person::name;
use crate::run::{RunOptions, RunResult, Setting};

/// Options of `language`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    run: RunOptions,
    /// Texts with their languages: `text`, `lang` (first part of a BCP 47 tag), perhaps `kind`.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Messages in one language, `text` in each row; may be given several times.
    #[arg(long, value_name = "FILE")]
    calm: Vec<PathBuf>,
    /// The language of those messages.
    #[arg(long, default_value = "en")]
    calm_language: String,
    /// Print every text that is surely taken for another language.
    #[arg(long)]
    verbose: bool,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    lang: String,
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
struct Message {
    text: String,
}

/// What was told of a number of texts.
#[derive(Default)]
struct Told {
    texts: usize,
    right: usize,
    sure: usize,
    surely_wrong: usize,
}

impl Told {
    fn add(&mut self, text: &str, language: &str, verbose: bool) {
        let guess = of_text(text);
        let right = guess.is_some_and(|guess| guess.code == language);
        let sure = guess.is_some_and(|guess| guess.certainty > Certainty::Guessed);
        self.texts += 1;
        self.right += usize::from(right);
        self.sure += usize::from(sure);
        self.surely_wrong += usize::from(sure && !right);
        if verbose && sure && !right {
            let code = guess.map_or("", |guess| guess.code);
            crate::print_line(&format!("{language} taken for {code}: {text}"));
        }
    }

    /// Shares of all texts.
    fn figures(&self) -> [(&'static str, f64); 3] {
        let share = |count: usize| count as f64 / self.texts.max(1) as f64;
        let (right, sure) = (share(self.right), share(self.sure));
        [("accuracy", right), ("sure", sure), ("surely_wrong", share(self.surely_wrong))]
    }
}

/// Runs it.
pub(crate) fn run(options: &Options) -> Result<()> {
    let texts: Vec<Text> = data::lines(&options.data)?;
    let mut result = RunResult::new("language", &options.data, &options.run, Setting::here());
    let mut all = Told::default();
    let mut groups: Vec<(&str, &str, Told)> = Vec::new();
    for text in &texts {
        all.add(&text.text, &text.lang, options.verbose);
        for (group, member) in [("kinds", text.kind.as_str()), ("languages", &text.lang)] {
            let known = groups.iter().position(|(g, m, _)| (*g, *m) == (group, member));
            let at = known.unwrap_or_else(|| {
                groups.push((group, member, Told::default()));
                groups.len() - 1
            });
            groups[at].2.add(&text.text, &text.lang, false);
        }
    }
    all.figures().into_iter().for_each(|(figure, value)| result.figure(figure, value));
    for (group, member, told) in &groups {
        match *group {
            "kinds" => told.figures().into_iter().for_each(|(f, v)| result.grouped(member, f, v)),
            _ => result.grouped("accuracy_by_language", member, told.figures()[0].1),
        }
    }
    for path in &options.calm {
        let mut told = Told::default();
        for message in data::lines::<Message>(path)? {
            told.add(&message.text, &options.calm_language, options.verbose);
        }
        told.figures().into_iter().for_each(|(f, v)| result.grouped(&name(path), f, v));
    }
    result.finish(&options.run)
}
