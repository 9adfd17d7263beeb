//! Reads `prompts/surveys.toml`; every mistake names its line and what to write instead.

use serde::Deserialize;
use toml::Spanned;

use super::{Csat, Look, Nps, Rules};
use crate::tasks::BookError;

/// Characters of a question.
const QUESTION: usize = 200;
/// A year, in hours.
const YEAR_HOURS: u32 = 8_760;
/// What stands for a schedule at most.
const MOST: u32 = 3_650;

/// Where something stands, and what is wrong with it.
type Wrong = (usize, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    csat: Option<CsatTable>,
    nps: Option<Spanned<NpsTable>>,
    #[serde(default)]
    resolve: Resolve,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CsatTable {
    #[serde(default = "yes")]
    on: bool,
    scale: Option<Spanned<u8>>,
    look: Option<Spanned<String>>,
    question: Option<Spanned<String>>,
    comment: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NpsTable {
    #[serde(default = "yes")]
    on: bool,
    every: Option<Spanned<u32>>,
    days: Option<Spanned<u32>>,
    question: Option<Spanned<String>>,
    comment: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolve {
    silence_hours: Option<Spanned<u32>>,
    #[serde(default)]
    ask_solved: bool,
}

fn yes() -> bool {
    true
}

impl Rules {
    /// Reads the TOML text.
    ///
    /// # Errors
    /// [`BookError`] with the line: bad TOML, unknown keys, scales, looks and schedules that there are not, empty questions.
    pub fn parse(text: &str) -> Result<Self, BookError> {
        let file: File = toml::from_str(text).map_err(|e| BookError::Toml(e.to_string()))?;
        checked(file).map_err(|(start, problem)| {
            let line = text[..start].matches('\n').count() + 1;
            BookError::At { line, problem }
        })
    }
}

fn checked(file: File) -> Result<Rules, Wrong> {
    let own = Rules::default();
    let csat = file.csat.map(|table| Ok((table.on, csat(table)?))).transpose()?;
    let nps = file.nps.map(|table| Ok((table.get_ref().on, nps(table)?))).transpose()?;
    let Resolve { silence_hours, ask_solved } = file.resolve;
    let silence_hours = match figure("silence_hours", silence_hours, YEAR_HOURS)? {
        None => own.silence_hours,
        Some(hours) => (hours > 0).then_some(hours),
    };
    // A table that is off is read all the same: a mistake in it would stand there until it is on again.
    let csat = csat.filter(|(on, _)| *on).map(|(_, csat)| csat);
    let nps = nps.filter(|(on, _)| *on).map(|(_, nps)| nps);
    Ok(Rules { csat, nps, silence_hours, ask_solved })
}

fn csat(table: CsatTable) -> Result<Csat, Wrong> {
    let scale = match table.scale {
        None => 5,
        Some(scale) if matches!(scale.get_ref(), 3 | 5) => scale.into_inner(),
        Some(scale) => {
            let problem = format!("scale is {}; write 3 or 5", scale.get_ref());
            return Err((scale.span().start, problem));
        }
    };
    let look = match &table.look {
        None => Look::Stars,
        Some(word) => [Look::Stars, Look::Faces]
            .into_iter()
            .find(|look| look.as_str() == word.get_ref())
            .ok_or_else(|| {
                let problem = format!("look is `{}`; write \"stars\" or \"faces\"", word.get_ref());
                (word.span().start, problem)
            })?,
    };
    Ok(Csat {
        scale,
        look,
        question: words("question", table.question, "How was this chat?")?,
        comment: words("comment", table.comment, "Anything you would like to add?")?,
    })
}

fn nps(table: Spanned<NpsTable>) -> Result<Nps, Wrong> {
    let start = table.span().start;
    let table = table.into_inner();
    let days = figure("days", table.days, MOST)?.unwrap_or(0);
    let every = figure("every", table.every, MOST)?.unwrap_or(3);
    if every == 0 && days == 0 {
        let problem = "[nps] would never ask; set every or days, or write on = false";
        return Err((start, problem.into()));
    }
    let question = "How likely are you to recommend us to a friend or colleague?";
    Ok(Nps {
        every,
        days,
        question: words("question", table.question, question)?,
        comment: words("comment", table.comment, "What is the main reason for your score?")?,
    })
}

fn figure(key: &str, written: Option<Spanned<u32>>, most: u32) -> Result<Option<u32>, Wrong> {
    match written {
        Some(figure) if *figure.get_ref() > most => {
            let problem =
                format!("{key} is {}; it has to lie between 0 and {most}", figure.get_ref());
            Err((figure.span().start, problem))
        }
        written => Ok(written.map(Spanned::into_inner)),
    }
}

fn words(key: &str, written: Option<Spanned<String>>, own: &str) -> Result<String, Wrong> {
    let Some(written) = written else { return Ok(own.into()) };
    let (start, text) = (written.span().start, written.get_ref().trim());
    if text.is_empty() || text.chars().count() > QUESTION {
        return Err((
            start,
            format!("{key} is empty or too long; write 1 to {QUESTION} characters"),
        ));
    }
    Ok(text.into())
}
