//! The owner's policy, `prompts/policy.toml`: from which confidence what is sent, what each intent may do, and the rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::confidence::Confidence;
use crate::intent::{IntentFile, Reading};
use crate::prompt::Templates;
use crate::rules::{Action, Decision, Heard, Reason, Rule, RuleAction};
use crate::wording::{Guardrail, Style};

/// Score from which a message has the bands of its primary intent.
const SURE: f32 = 0.5;

/// `prompts/policy.toml`, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Confidence from which a draft is sent, 0 to 1.
    pub send_at: f32,
    /// Confidence from which a draft is held for the owner; below it the bot hands off. 0 to `send_at`.
    pub hold_at: f32,
    /// Cosine that the best passage, or the nearest of its heading and sentences, needs before anything is drafted, 0 to 1.
    pub passage_floor: f32,
    /// Automatic replies in a row before a person is asked for.
    pub turn_cap: u32,
    /// Automatic replies in a row without progress before a person is asked for.
    pub stalled_cap: u32,
    /// What single intents may do, by id; the others send and hold by the figures above.
    pub intent: BTreeMap<String, IntentPolicy>,
    /// Rules tried in order before drafting; the first that matches decides.
    pub rule: Vec<Rule>,
    /// How replies are worded.
    pub style: Style,
    /// What no draft may say to a visitor; the first that matches a sentence decides.
    pub guardrail: Vec<Guardrail>,
}

/// What one intent may do.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntentPolicy {
    /// What may happen without a person.
    pub autonomy: Autonomy,
    /// Confidence from which a draft is sent, 0 to 1; the policy's own unless set.
    pub send_at: Option<f32>,
    /// Confidence from which a draft is held, 0 to `send_at`; the policy's own unless set.
    pub hold_at: Option<f32>,
}

/// What may happen without a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Autonomy {
    /// Answers are sent when they are sure enough.
    #[default]
    Auto,
    /// Answers are drafted for the owner only.
    Draft,
    /// Nothing is drafted, a person answers.
    Off,
}

/// The confidence bands of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bands<'a> {
    /// Confidence from which a draft is sent, 0 to 1.
    pub send_at: f32,
    /// Confidence from which a draft is held, 0 to `send_at`.
    pub hold_at: f32,
    /// What may happen without a person.
    pub autonomy: Autonomy,
    /// The intent whose own settings these are.
    pub intent: Option<&'a str>,
}

/// Why a policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
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

/// The file as it is written, with the places of what may be wrong.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    send_at: Spanned<f32>,
    hold_at: Spanned<f32>,
    passage_floor: Spanned<f32>,
    turn_cap: u32,
    stalled_cap: Spanned<u32>,
    #[serde(default)]
    intent: BTreeMap<Spanned<String>, IntentPolicy>,
    #[serde(default)]
    rule: Vec<Spanned<Rule>>,
    style: Option<Spanned<Style>>,
    #[serde(default)]
    guardrail: Vec<Spanned<Guardrail>>,
}

impl Policy {
    /// Reads the TOML text and checks it against the intents and texts that it names.
    ///
    /// # Errors
    /// [`PolicyError`] with the line: bad TOML, unknown keys, figures out of range, rules that cannot match, intents and texts
    /// that do not exist.
    pub fn parse(
        text: &str,
        intents: &IntentFile,
        templates: &Templates,
    ) -> Result<Self, PolicyError> {
        let file: File = toml::from_str(text).map_err(|e| PolicyError::Toml(e.to_string()))?;
        let line = |start: usize| text[..start].matches('\n').count() + 1;
        let known: Vec<&str> = intents.intent.iter().map(|intent| intent.id.as_str()).collect();
        check_figures(&file).map_err(|(start, problem)| at(line(start), problem))?;
        for (id, own) in &file.intent {
            let defaults = (*file.send_at.get_ref(), *file.hold_at.get_ref());
            let problem =
                unknown(id.get_ref(), &known).or_else(|| own.problem(id.get_ref(), defaults));
            problem.map_or(Ok(()), |problem| Err(at(line(id.span().start), problem)))?;
        }
        let style = style(file.style, &line)?;
        let guardrail = guardrails(file.guardrail, &line)?;
        let mut rules = Vec::with_capacity(file.rule.len());
        for spanned in file.rule {
            let line = line(spanned.span().start);
            let rule = Rule { line, ..spanned.into_inner() };
            let problem = rule_problem(&rule, (&known, templates), &rules);
            problem.map_or(Ok(()), |problem| {
                Err(at(line, format!("the rule `{}` {problem}", rule.id)))
            })?;
            rules.push(rule);
        }
        Ok(Self {
            send_at: file.send_at.into_inner(),
            hold_at: file.hold_at.into_inner(),
            passage_floor: file.passage_floor.into_inner(),
            turn_cap: file.turn_cap,
            stalled_cap: file.stalled_cap.into_inner(),
            intent: file.intent.into_iter().map(|(id, own)| (id.into_inner(), own)).collect(),
            rule: rules,
            style,
            guardrail,
        })
    }

    /// The first rule that matches a message before drafting.
    pub fn before(&self, heard: &Heard<'_>) -> Option<&Rule> {
        self.rule.iter().find(|rule| rule.matches(heard))
    }

    /// The bands of a message: those of its primary intent, where the owner has set any and it is likelier than not.
    /// `send_at` is the owner's choice in place of the policy's own.
    pub fn bands<'a>(&'a self, reading: &Reading, send_at: Option<f32>) -> Bands<'a> {
        let sure = reading.primary().filter(|tag| tag.score >= SURE);
        let own = sure.and_then(|tag| self.intent.get_key_value(&tag.id));
        let hold_at = own.and_then(|(_, own)| own.hold_at).unwrap_or(self.hold_at);
        // Whatever share may be wrong, what is too unsure to be held is never sent.
        let chosen = send_at.map(|chosen| chosen.max(hold_at));
        let send_at = own.and_then(|(_, own)| own.send_at).or(chosen).unwrap_or(self.send_at);
        Bands {
            send_at,
            hold_at,
            autonomy: own.map(|(_, own)| own.autonomy).unwrap_or_default(),
            intent: own.map(|(id, _)| id.as_str()),
        }
    }
}

impl Bands<'_> {
    /// What becomes of a finished, fully supported draft.
    pub fn after(&self, confidence: &Confidence) -> Decision {
        let (action, rule, reason) = if confidence.value < self.hold_at {
            (Action::HandOff, "low-confidence", Reason::LowConfidence)
        } else if self.autonomy != Autonomy::Auto {
            (Action::Hold, "draft-only", Reason::IntentPolicy)
        } else if confidence.value >= self.send_at {
            (Action::Send, "confident", Reason::Confident)
        } else {
            (Action::Hold, "unsure", Reason::LowConfidence)
        };
        Decision { action, rule: self.rule(rule), reason }
    }

    /// The engine's rule `id`, with the intent whose settings made it.
    pub fn rule(&self, id: &str) -> String {
        self.intent.map_or_else(|| id.to_owned(), |intent| format!("{id}:{intent}"))
    }
}

impl IntentPolicy {
    /// What is wrong with the figures, which fall back on the policy's own.
    fn problem(&self, id: &str, (send_at, hold_at): (f32, f32)) -> Option<String> {
        let send_at = self.send_at.unwrap_or(send_at);
        let hold_at = self.hold_at.unwrap_or(hold_at);
        let name = |key| format!("{key} of the intent `{id}`");
        outside(&name("send_at"), send_at, 1.0)
            .or_else(|| outside(&name("hold_at"), hold_at, send_at))
    }
}

fn style(
    written: Option<Spanned<Style>>,
    line: &impl Fn(usize) -> usize,
) -> Result<Style, PolicyError> {
    let Some(spanned) = written else { return Ok(Style::default()) };
    match spanned.get_ref().problem() {
        Some(problem) => Err(at(line(spanned.span().start), format!("[style] {problem}"))),
        None => Ok(spanned.into_inner()),
    }
}

fn guardrails(
    written: Vec<Spanned<Guardrail>>,
    line: &impl Fn(usize) -> usize,
) -> Result<Vec<Guardrail>, PolicyError> {
    let mut checked: Vec<Guardrail> = Vec::with_capacity(written.len());
    for spanned in written {
        let line = line(spanned.span().start);
        let guardrail = spanned.into_inner();
        if let Some(problem) = guardrail.problem(&checked) {
            return Err(at(line, format!("the guardrail `{}` {problem}", guardrail.id)));
        }
        checked.push(guardrail);
    }
    Ok(checked)
}

fn at(line: usize, problem: String) -> PolicyError {
    PolicyError::At { line, problem }
}

fn check_figures(file: &File) -> Result<(), (usize, String)> {
    let send_at = *file.send_at.get_ref();
    for (key, value, high) in [
        ("send_at", &file.send_at, 1.0),
        ("hold_at", &file.hold_at, send_at),
        ("passage_floor", &file.passage_floor, 1.0),
    ] {
        if let Some(problem) = outside(key, *value.get_ref(), high) {
            return Err((value.span().start, problem));
        }
    }
    match *file.stalled_cap.get_ref() {
        0 => Err((
            file.stalled_cap.span().start,
            "stalled_cap is 0; at least one reply has to be allowed".into(),
        )),
        _ => Ok(()),
    }
}

fn outside(key: &str, value: f32, high: f32) -> Option<String> {
    let fits = (0.0..=high).contains(&value);
    (!fits).then(|| format!("{key} is {value}; it has to lie between 0 and {high}"))
}

fn unknown(id: &str, known: &[&str]) -> Option<String> {
    let is_known = known.contains(&id);
    (!is_known)
        .then(|| format!("there is no intent `{id}` in intents.toml; it has {}", known.join(", ")))
}

fn rule_problem(
    rule: &Rule,
    (known, templates): (&[&str], &Templates),
    before: &[Rule],
) -> Option<String> {
    let silent = rule.words.is_empty() && rule.intents.is_empty() && rule.frustration.is_none();
    let figures = [Some(rule.score), rule.frustration];
    if let Some(twin) = before.iter().find(|other| other.id == rule.id) {
        return Some(format!("stands in line {} already; give each its own id", twin.line));
    }
    if silent {
        return Some(
            "names neither words nor intents nor frustration, so it can never match".into(),
        );
    }
    if rule.action == RuleAction::Say && rule.say.is_empty() {
        return Some("has the action `say` but no text under `say`".into());
    }
    if !rule.say.is_empty() && !templates.say.contains_key(&rule.say) {
        return Some(format!("says `{}`, which is not under [say] of templates.toml", rule.say));
    }
    if let Some(problem) = rule.intents.iter().find_map(|id| unknown(id, known)) {
        return Some(format!("cannot match: {problem}"));
    }
    let problem = figures.into_iter().flatten().find_map(|score| outside("a score", score, 1.0));
    problem.map(|problem| format!("cannot match: {problem}"))
}
