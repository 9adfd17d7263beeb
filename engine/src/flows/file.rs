//! `prompts/flows.toml` as it is written, and what may be wrong with it.

use serde::Deserialize;
use toml::Spanned;

use super::book::{Condition, Flow, FlowBook, Level, Plan, Qualify};
use super::slot::Slot;
use super::{checks, slot, steps};
use crate::intent::IntentFile;
use crate::phrase::Phrase;
use crate::policy::Policy;
use crate::prompt::Templates;

/// Flows of a file at most.
const MOST: usize = 50;
/// Slots of a flow at most.
const SLOTS: usize = 12;
/// Texts of `templates.toml` that flows say.
const NEEDED: [&str; 22] = [
    "flow_again",
    "flow_amount",
    "flow_back",
    "flow_choice",
    "flow_date",
    "flow_done",
    "flow_email",
    "flow_failed",
    "flow_finished",
    "flow_hand_off",
    "flow_left_out",
    "flow_noted",
    "flow_number",
    "flow_phone",
    "flow_required",
    "flow_skip",
    "flow_step",
    "flow_stop",
    "flow_stopped",
    "flow_stuck",
    "flow_text",
    "flow_upload",
];

/// Why flows cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// Not TOML, a key is unknown, or a phrase can never match; names line and column.
    #[error("{0}")]
    Toml(String),
    /// A value that makes no sense.
    #[error("line {line}: {problem}")]
    At {
        /// Line of the file, from 1.
        line: usize,
        /// What is wrong, and what to write instead.
        problem: String,
    },
}

/// A problem and where it stands, in bytes of the file.
pub(super) type Wrong = (usize, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    flow: Vec<Spanned<Entry>>,
}

/// What a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Capture,
    Steps,
    Checklist,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    id: String,
    title: String,
    kind: Kind,
    #[serde(default)]
    words: Vec<Phrase>,
    #[serde(default)]
    unless: Vec<Phrase>,
    #[serde(default)]
    intents: Vec<Spanned<String>>,
    #[serde(default = "half")]
    score: f32,
    #[serde(default)]
    over: Vec<Spanned<String>>,
    tag: Option<String>,
    #[serde(default)]
    opening: String,
    #[serde(default)]
    done: String,
    #[serde(default)]
    slot: Vec<Spanned<slot::Entry>>,
    #[serde(default)]
    qualify: Vec<Spanned<QualifyEntry>>,
    pub(super) document: Option<Spanned<String>>,
    pub(super) heading: Option<String>,
    #[serde(default)]
    pub(super) check: Vec<Spanned<checks::CheckEntry>>,
    #[serde(default)]
    pub(super) outcome: Vec<Spanned<checks::OutcomeEntry>>,
}

fn half() -> f32 {
    0.5
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QualifyEntry {
    level: Level,
    #[serde(default)]
    when: Vec<Spanned<ConditionEntry>>,
    #[serde(default)]
    say: String,
    guide: Option<Spanned<String>>,
    heading: Option<String>,
    #[serde(default)]
    notify: bool,
    #[serde(default)]
    hand_off: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionEntry {
    slot: String,
    at_least: Option<f64>,
    one_of: Option<Vec<String>>,
}

impl FlowBook {
    /// Reads the TOML text and checks it against the intents, rules and texts that it names.
    ///
    /// # Errors
    /// [`FlowError`] with the line: bad TOML, unknown keys, flows that can never start, slots that nothing can fill, checks that lead
    /// nowhere or in a circle, intents, rules and texts that do not exist.
    pub fn parse(
        text: &str,
        intents: &IntentFile,
        (policy, templates): (&Policy, &Templates),
    ) -> Result<Self, FlowError> {
        let file: File = toml::from_str(text).map_err(|e| FlowError::Toml(e.to_string()))?;
        let line = |start: usize| text[..start].matches('\n').count() + 1;
        let at = |(start, problem): Wrong| FlowError::At { line: line(start), problem };
        let mut flows: Vec<Flow> = Vec::with_capacity(file.flow.len());
        for spanned in file.flow {
            let start = spanned.span().start;
            let entry = spanned.into_inner();
            let wrong = |problem| at((start, format!("the flow `{}` {problem}", entry.id)));
            if flows.len() == MOST {
                return Err(wrong(format!("is one too many; a file holds {MOST}")));
            }
            entry.problem(&flows, templates).map_or(Ok(()), |problem| Err(wrong(problem)))?;
            entry.unknown(intents, policy).map_or(Ok(()), |wrong| Err(at(wrong)))?;
            flows.push(entry.flow((start, line(start))).map_err(at)?);
        }
        Ok(Self { flows })
    }
}

impl Entry {
    /// What is wrong with the flow as a whole.
    fn problem(&self, before: &[Flow], templates: &Templates) -> Option<String> {
        if self.id.trim().is_empty() || self.title.trim().is_empty() {
            return Some("has no id or no title; both are shown to you in the console".into());
        }
        if let Some(twin) = before.iter().find(|other| other.id == self.id) {
            return Some(format!("stands in line {} already; give each its own id", twin.line));
        }
        if self.words.is_empty() && self.intents.is_empty() {
            return Some("names neither words nor intents, so it can never start".into());
        }
        if !(0.0..=1.0).contains(&self.score) {
            return Some(format!("has the score {}; it has to lie between 0 and 1", self.score));
        }
        if let Some(id) = NEEDED.iter().find(|id| !templates.say.contains_key(**id)) {
            return Some(format!("needs the text `{id}` under [say] of templates.toml"));
        }
        let filled = [
            ("slot", !self.slot.is_empty(), Kind::Capture),
            ("qualify", !self.qualify.is_empty(), Kind::Capture),
            ("document", self.document.is_some(), Kind::Steps),
            ("heading", self.heading.is_some(), Kind::Steps),
            ("check", !self.check.is_empty(), Kind::Checklist),
            ("outcome", !self.outcome.is_empty(), Kind::Checklist),
        ];
        let foreign = filled.iter().find(|(_, is_there, kind)| *is_there && *kind != self.kind);
        if let Some((key, _, kind)) = foreign {
            return Some(format!("has `{key}`, which belongs to the kind {}", kind.word()));
        }
        let (key, is_there, _) = match self.kind {
            Kind::Capture => filled[0],
            Kind::Steps => filled[2],
            Kind::Checklist => filled[4],
        };
        (!is_there).then(|| format!("has no `{key}`, so there is nothing to ask or show"))
    }

    /// An intent or rule that does not exist.
    fn unknown(&self, intents: &IntentFile, policy: &Policy) -> Option<Wrong> {
        let known: Vec<&str> = intents.intent.iter().map(|intent| intent.id.as_str()).collect();
        let rules: Vec<&str> = policy.rule.iter().map(|rule| rule.id.as_str()).collect();
        let missing = |ids: &[Spanned<String>], known: &[&str], what: &str| {
            let id = ids.iter().find(|id| !known.contains(&id.get_ref().as_str()))?;
            let problem = format!("there is no {what}; it has {}", known.join(", "));
            Some((id.span().start, problem.replace("{}", id.get_ref())))
        };
        missing(&self.intents, &known, "intent `{}` in intents.toml")
            .or_else(|| missing(&self.over, &rules, "rule `{}` in policy.toml"))
    }

    fn flow(self, (start, line): (usize, usize)) -> Result<Flow, Wrong> {
        let plan = match self.kind {
            Kind::Capture => Plan::Capture(capture(self.slot, self.qualify, self.done)?),
            Kind::Steps => Plan::Steps(steps::Guide {
                document: path(self.document, start)?,
                heading: self.heading.unwrap_or_default(),
                done: self.done,
            }),
            Kind::Checklist => Plan::Checklist(checks::checked(self.check, self.outcome)?),
        };
        let inner = |ids: Vec<Spanned<String>>| ids.into_iter().map(Spanned::into_inner).collect();
        Ok(Flow {
            id: self.id,
            title: self.title,
            words: self.words,
            unless: self.unless,
            intents: inner(self.intents),
            score: self.score,
            over: inner(self.over),
            tag: self.tag,
            opening: self.opening,
            plan,
            line,
        })
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Steps => "steps",
            Self::Checklist => "checklist",
        }
    }
}

/// A path below the knowledge folder.
pub(super) fn path(written: Option<Spanned<String>>, start: usize) -> Result<String, Wrong> {
    let Some(written) = written else { return Ok(String::new()) };
    let (at, path) = (written.span().start.max(start), written.into_inner());
    let good = !path.trim().is_empty() && !path.starts_with('/') && !path.contains('\\');
    let problem = || {
        format!(
            "`{path}` is no document; write its path below the knowledge folder, as `install.md`"
        )
    };
    if good { Ok(path.clone()) } else { Err((at, problem())) }
}

fn capture(
    slots: Vec<Spanned<slot::Entry>>,
    rules: Vec<Spanned<QualifyEntry>>,
    done: String,
) -> Result<super::book::Capture, Wrong> {
    let mut checked: Vec<Slot> = Vec::with_capacity(slots.len());
    for spanned in slots {
        let start = spanned.span().start;
        if checked.len() == SLOTS {
            return Err((start, format!("more than {SLOTS} slots; nobody answers so many")));
        }
        let slot = Slot::checked(spanned.into_inner(), start)?;
        if checked.iter().any(|other| other.id == slot.id) {
            return Err((
                start,
                format!("the slot `{}` is there already; give each its own id", slot.id),
            ));
        }
        checked.push(slot);
    }
    let qualify =
        rules.into_iter().map(|rule| qualify(rule, &checked)).collect::<Result<_, _>>()?;
    Ok(super::book::Capture { slots: checked, qualify, done })
}

fn qualify(written: Spanned<QualifyEntry>, slots: &[Slot]) -> Result<Qualify, Wrong> {
    let start = written.span().start;
    let entry = written.into_inner();
    let when: Vec<Condition> =
        entry.when.into_iter().map(|one| condition(one, slots)).collect::<Result<_, _>>()?;
    Ok(Qualify {
        level: entry.level,
        when,
        say: entry.say,
        guide: path(entry.guide, start)?,
        heading: entry.heading.unwrap_or_default(),
        notify: entry.notify,
        hand_off: entry.hand_off,
    })
}

fn condition(written: Spanned<ConditionEntry>, slots: &[Slot]) -> Result<Condition, Wrong> {
    let start = written.span().start;
    let ConditionEntry { slot: id, at_least, one_of } = written.into_inner();
    let wrong = |problem: String| Err((start, problem));
    let Some(slot) = slots.iter().find(|slot| slot.id == id) else {
        let known: Vec<&str> = slots.iter().map(|slot| slot.id.as_str()).collect();
        return wrong(format!("there is no slot `{id}` in this flow; it has {}", known.join(", ")));
    };
    match (at_least, one_of) {
        (Some(least), None) if slot.kind.is_figure() => Ok(Condition::AtLeast { slot: id, least }),
        (Some(_), None) => wrong(format!(
            "`at_least` counts in slots of the kind number or amount, and `{id}` is none"
        )),
        (None, Some(options)) => {
            let unknown =
                options.iter().find(|option| !slot.options.iter().any(|o| o.name == **option));
            match unknown {
                Some(option) => wrong(format!(
                    "`{option}` is no option of `{id}`; it has {}",
                    slot.options.iter().map(|o| o.name.as_str()).collect::<Vec<_>>().join(", ")
                )),
                None => Ok(Condition::OneOf { slot: id, options }),
            }
        }
        _ => wrong("a condition has either `at_least` or `one_of`".into()),
    }
}
