//! A scripted conversation: what the visitor does, and what has to come of it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// One conversation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    /// What it is about.
    pub(super) title: String,
    /// The capability that is missing; such a case is run and reported, and never counts as passed.
    pub(super) pending: Option<String>,
    /// The owner is away while it is played.
    #[serde(default)]
    pub(super) away: bool,
    /// What happens, in order.
    pub(super) step: Vec<Step>,
    /// Name of its file.
    #[serde(skip)]
    pub(super) name: String,
}

/// One thing the visitor does, and what is expected then. Texts are compared without regard to case.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Step {
    /// Sends this message.
    pub(super) say: Option<String>,
    /// Sends these one right after the other; one reply is due.
    pub(super) say_quickly: Vec<String>,
    /// Presses "Talk to a person".
    pub(super) ask_person: bool,
    /// Ends the chat.
    pub(super) resolve: bool,
    /// Gives this score to what is asked after the chat.
    pub(super) rate: Option<i64>,
    /// Does not want to say.
    pub(super) decline: bool,
    /// What is asked then: `csat`, `nps` or `none`.
    pub(super) survey: Option<String>,
    /// Parts of the reply.
    pub(super) reply_contains: Vec<String>,
    /// What must not stand in the reply.
    pub(super) reply_lacks: Vec<String>,
    /// Documents, at least one of which is cited.
    pub(super) cites: Vec<String>,
    /// Nothing is cited.
    pub(super) no_citation: bool,
    /// Whose the reply is: `bot` or `system`.
    pub(super) from: Option<String>,
    /// No automatic reply comes.
    pub(super) no_reply: bool,
    /// Who holds the conversation afterwards.
    pub(super) state: Option<String>,
    /// Milliseconds until the whole reply is there, at most.
    pub(super) within_ms: Option<f64>,
    /// `send`, `hold` or `hand_off`, as the owner sees it.
    pub(super) decision: Option<String>,
    /// The decision's reason.
    pub(super) reason: Option<String>,
    /// Label of the primary intent, as the console shows it.
    pub(super) tag: Option<String>,
}

impl Step {
    /// Whether the owner's side has to be asked.
    pub(super) fn asks_owner(&self) -> bool {
        self.decision.is_some() || self.reason.is_some() || self.tag.is_some()
    }

    /// The messages it sends.
    pub(super) fn words(&self) -> Vec<&str> {
        self.say.iter().chain(&self.say_quickly).map(String::as_str).collect()
    }

    /// Whether something is expected of a reply, so that one has to come.
    pub(super) fn needs_reply(&self) -> bool {
        let lists = [&self.reply_contains, &self.reply_lacks, &self.cites];
        lists.iter().any(|list| !list.is_empty())
            || self.no_citation
            || self.from.is_some()
            || self.within_ms.is_some()
    }

    /// What is wrong with it, before it is played.
    fn fault(&self) -> Option<&'static str> {
        let known = |word: &Option<String>, words: &[&str]| {
            word.as_deref().is_none_or(|word| words.contains(&word))
        };
        let deeds = [
            self.say.is_some(),
            !self.say_quickly.is_empty(),
            self.ask_person,
            self.resolve,
            self.rate.is_some(),
            self.decline,
        ];
        let rows = [
            (!deeds.contains(&true), "the visitor does nothing"),
            (deeds.iter().filter(|deed| **deed).count() > 1, "the visitor does one thing a step"),
            (
                !self.needs_reply()
                    && !self.no_reply
                    && self.state.is_none()
                    && self.survey.is_none()
                    && !self.asks_owner(),
                "a step that expects nothing cannot fail",
            ),
            (self.no_reply && self.needs_reply(), "no reply is expected, and something of it"),
            (self.ask_person && self.asks_owner(), "the button is no message to decide about"),
            (
                !known(&self.state, &["bot", "waiting", "closed"]),
                "`state` is bot, waiting or closed",
            ),
            (!known(&self.survey, &["csat", "nps", "none"]), "`survey` is csat, nps or none"),
            (!known(&self.from, &["bot", "system"]), "`from` is bot or system"),
            (
                !known(&self.decision, &["send", "hold", "hand_off"]),
                "`decision` is send, hold or hand_off",
            ),
        ];
        rows.into_iter().find_map(|(bad, text)| bad.then_some(text))
    }
}

/// All cases of a folder, by name.
///
/// # Errors
/// Naming the file and the line of what cannot be read, and cases that cannot fail.
pub(super) fn read_all(folder: &Path) -> Result<Vec<Case>> {
    let listed = std::fs::read_dir(folder)
        .with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut paths: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    ensure!(!paths.is_empty(), "{} holds no .toml file", folder.display());
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Case> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let mut case: Case = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text[..at].bytes().filter(|b| *b == b'\n').count() + 1;
        anyhow::anyhow!("{}, line {line}: {}", path.display(), error.message())
    })?;
    for (number, step) in case.step.iter().enumerate() {
        if let Some(fault) = step.fault() {
            bail!("{}, step {}: {fault}", path.display(), number + 1);
        }
    }
    ensure!(!case.step.is_empty(), "{}: there is no step", path.display());
    case.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(case)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_that_cannot_be_played_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for (text, expect) in [
            ("title = \"x\"\nstep = []\n", "there is no step"),
            (
                "title = \"x\"\n[[step]]\nsay = \"hi\"\n",
                "step 1: a step that expects nothing cannot fail",
            ),
            ("title = \"x\"\n[[step]]\nno_citation = true\n", "step 1: the visitor does nothing"),
            ("title = \"x\"\n[[step]]\nsays = \"hi\"\n", "line 3: unknown field `says`"),
            ("title = \"x\"\n[[step]]\nsay = \"hi\"\nstate = \"robot\"\n", "step 1: `state` is"),
            (
                "title = \"x\"\n[[step]]\nsay = \"hi\"\nno_reply = true\ncites = [\"a.md\"]\n",
                "step 1: no reply is expected, and",
            ),
        ] {
            std::fs::write(folder.path().join("a.toml"), text).unwrap();
            let error = read_all(folder.path()).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        }
    }

    #[test]
    fn the_cases_of_the_house_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/transcripts");
        let cases = read_all(&folder).unwrap();
        assert!(cases.len() >= 30, "{}", cases.len());
    }
}
