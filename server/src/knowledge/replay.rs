//! Asks an earlier version of the documents and the one that answers now the same questions.

use engine::scope::Scope;
use engine::search::{Hit, Phrase, Query, Search, SearchError};
use retrieval::Index;
use retrieval::index::Progress;
use retrieval::versions::Version;
use serde::Serialize;

use super::Library;

/// Characters of a passage that are shown.
const SHOWN: usize = 200;
/// Passages that are looked at.
const TOP: usize = 3;
/// How much nearer another passage has to be to count as better, or farther as worse.
const CHANGED: f32 = 0.05;

/// The best passage for a question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Best {
    /// Path of its document.
    pub doc: String,
    /// Title and headings above it.
    pub heading: Vec<String>,
    /// Its beginning.
    pub text: String,
    /// Its nearness, -1 to 1.
    pub cosine: f32,
}

/// A question whose best passage is another one now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The question, masked.
    pub question: String,
    /// What it found; none when nothing was near enough.
    pub before: Option<Best>,
    /// What it finds now.
    pub after: Option<Best>,
}

/// What edits have changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Changes {
    /// 12 hex digits; none when no earlier version is kept.
    pub from_version: Option<String>,
    /// When it was published last, in milliseconds since 1970.
    pub from_at: Option<i64>,
    /// 12 hex digits.
    pub to_version: String,
    /// Questions that were asked.
    pub questions: usize,
    /// Those that find something now, or something nearer.
    pub better: Vec<Change>,
    /// Those that find nothing any more, or something farther off.
    pub worse: Vec<Change>,
    /// Those that find the same, or something as near.
    pub unchanged: usize,
}

impl Library {
    /// The version that answered at a moment: the newest that was published before it, else the oldest that is kept.
    ///
    /// # Errors
    /// When the versions cannot be listed.
    pub fn version_at(&self, at: i64) -> Result<Option<Version>, String> {
        let versions = self.shelf.versions.list().map_err(|error| error.to_string())?;
        let now = self.edition().short_version();
        let mut older = versions.into_iter().filter(|version| version.short() != now).peekable();
        let mut oldest = None;
        while let Some(version) = older.next() {
            if version.at <= at || older.peek().is_none() {
                oldest = Some(version);
                break;
            }
        }
        Ok(oldest)
    }

    /// Asks both versions all questions, gently beside visitors. A passage counts from the nearness `floor` on.
    ///
    /// # Errors
    /// What the encoder or the index say, and why it was given up.
    pub fn replay(
        &self,
        from: &Version,
        questions: &[String],
        floor: f32,
        go_on: &dyn Fn() -> Result<(), String>,
    ) -> Result<Changes, String> {
        let edition = self.edition();
        let before = self.index_of(from, go_on)?;
        let texts: Vec<&str> = questions.iter().map(String::as_str).collect();
        let vectors = self.embed_gently(&texts, go_on)?;
        let mut changes = Changes {
            from_version: Some(from.short().into()),
            from_at: Some(from.at),
            to_version: edition.short_version(),
            questions: questions.len(),
            ..Changes::default()
        };
        for (question, vector) in questions.iter().zip(&vectors) {
            go_on()?;
            let ask = |search: &dyn Search| best(search, question, vector, floor);
            let pair = ask(&before).and_then(|before| Ok((before, ask(edition.as_ref())?)));
            let (before, after) = pair.map_err(|error| error.to_string())?;
            let gain = gain(before.as_ref(), after.as_ref());
            let change = Change { question: question.clone(), before, after };
            match gain {
                gain if gain > 0 => changes.better.push(change),
                gain if gain < 0 => changes.worse.push(change),
                _ => changes.unchanged += 1,
            }
        }
        Ok(changes)
    }

    /// The index of a kept version, as it lies there, or made again in memory.
    fn index_of(
        &self,
        version: &Version,
        go_on: &dyn Fn() -> Result<(), String>,
    ) -> Result<Index, String> {
        let corpus = self.shelf.versions.corpus(&version.id).map_err(|error| error.to_string())?;
        if let Ok(index) = Index::open(&self.shelf.index, corpus.clone(), &self.embedder) {
            return Ok(index);
        }
        let mut embed = |texts: &[&str], _: Progress| self.embed_gently(texts, go_on);
        let edition = self.edition();
        let made = edition.index().candidate(corpus, &self.embedder, &mut embed);
        made.map(|(index, _)| index).map_err(|error| error.to_string())
    }
}

fn best(
    search: &dyn Search,
    text: &str,
    embedding: &[f32],
    floor: f32,
) -> Result<Option<Best>, SearchError> {
    let hits = search.search(&Query {
        asked: Phrase { text, embedding },
        in_context: None,
        points_back: false,
        scope: &Scope::default(),
        limit: TOP,
    })?;
    let close = hits.iter().any(|hit| hit.nearness() >= floor);
    Ok(hits.first().filter(|_| close).map(|hit| Best {
        doc: hit.passage.doc.clone(),
        heading: std::iter::once(&hit.passage.title).chain(&hit.passage.heading).cloned().collect(),
        text: hit.passage.text.chars().take(SHOWN).collect(),
        cosine: Hit::nearness(hit),
    }))
}

/// Above 0 for better, below for worse, 0 for as good as it was.
fn gain(before: Option<&Best>, after: Option<&Best>) -> i8 {
    match (before, after) {
        (None, Some(_)) => 1,
        (Some(_), None) => -1,
        (Some(before), Some(after)) => {
            let same = before.doc == after.doc && before.text == after.text;
            let nearer = after.cosine - before.cosine;
            if same || nearer.abs() < CHANGED {
                0
            } else if nearer > 0.0 {
                1
            } else {
                -1
            }
        }
        (None, None) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_passage_counts_when_it_is_clearly_nearer_or_farther() {
        let found = |text: &str, cosine: f32| {
            let heading = Vec::new();
            Some(Best { doc: "a.md".into(), heading, text: text.into(), cosine })
        };
        for (before, after, expect) in [
            (None, None, 0),
            (None, found("a", 0.4), 1),
            (found("a", 0.4), None, -1),
            (found("a", 0.4), found("a", 0.9), 0),
            (found("a", 0.4), found("b", 0.43), 0),
            (found("a", 0.4), found("b", 0.6), 1),
            (found("a", 0.6), found("b", 0.4), -1),
        ] {
            assert_eq!(gain(before.as_ref(), after.as_ref()), expect, "{before:?} {after:?}");
        }
    }
}
