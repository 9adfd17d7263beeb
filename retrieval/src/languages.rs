//! Languages of the documents: what the front matter names, else what the words are in.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::language::{Certainty, of_text};
use engine::scope::{Scope, primary};
use engine::search::Passage;

use crate::corpus::Document;
use crate::readers::{Block, BlockKind};

/// Characters of a document that tell its language.
const TELLING: usize = 1_000;

/// Whom the document is meant for, with the language that its words are surely in where the front matter names none.
pub(crate) fn scope(document: &Document, blocks: &[Block]) -> Scope {
    let scope = document.matter.scope();
    if !scope.language.trim().is_empty() {
        return scope;
    }
    let mut words = String::new();
    for block in blocks.iter().filter(|block| block.kind != BlockKind::Code) {
        words.push_str(&block.text);
        words.push('\n');
        if words.len() > TELLING {
            break;
        }
    }
    let sure = of_text(&words).filter(|guess| guess.certainty > Certainty::Guessed);
    Scope { language: sure.map(|guess| guess.code.into()).unwrap_or_default(), ..scope }
}

/// The languages that any passage is in.
pub(crate) fn of(passages: &[Arc<Passage>]) -> BTreeSet<String> {
    let all = passages.iter().flat_map(|passage| passage.scope.language.split(','));
    all.map(|tag| primary(tag).to_lowercase()).filter(|code| !code.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::passages;

    fn check(source: &str, expect: &str) {
        let document = Document::new("a.md", source.into()).unwrap();
        let cut = passages(&document);
        assert!(!cut.is_empty(), "{source:?}");
        assert!(cut.iter().all(|p| p.scope.language == expect), "{source:?}: {cut:?}");
    }

    #[test]
    fn a_document_is_in_the_language_that_it_names_or_is_written_in() {
        let german =
            "# Ports\n\nPorchlight hört auf Port 7878, wenn Sie nichts anderes einstellen.\n";
        check(german, "de");
        check(&format!("---\nlanguage: de-AT\n---\n{german}"), "de-AT");
        check("# Ports\n\nPorchlight listens on port 7878 unless you change the port.\n", "en");
        check("# 7878\n\n```sh\nporchlight serve --listen 127.0.0.1:0\n```\n", "");
        check("# Ports\n\n7878\n", "");
    }

    #[test]
    fn passages_say_which_languages_there_are() {
        let german = Document::new("a.md", "---\nlanguage: de-AT, fr\n---\n# A\n\nB\n".into());
        let open = Document::new("b.md", "# A\n\n7\n".into());
        let cut = [passages(&german.unwrap()), passages(&open.unwrap())].concat();
        assert_eq!(of(&cut).into_iter().collect::<Vec<_>>(), ["de", "fr"]);
    }
}
